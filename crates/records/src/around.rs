//! What the objects around the records say.
//!
//! A channel's name stands in the object that its messages stand in. It is kept while they are
//! read, and goes with each of them. When it stands behind them, it is known only from the second
//! time that the file is read: the first time it was noted.

use std::collections::HashMap;
use std::sync::Arc;

use crate::infer::Inference;
use crate::kind::Kind;
use crate::scanner::{Next, Scanner};
use crate::syntax::{Malformed, utf8};

/// A field of an object around the records, which becomes a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The column.
    pub name: String,
    /// How many keys of the way to the records lead to the object.
    pub depth: usize,
    /// Its key there.
    pub key: String,
}

/// Fields that stand behind the records, by the place of their file in the listing; and there by which field it is, and of which
/// object at its depth.
pub(crate) type Late = HashMap<usize, Arc<LateOfFile>>;
/// The same of one file.
pub(crate) type LateOfFile = HashMap<(usize, u64), Vec<u8>>;

/// What is said where we are.
pub(crate) struct Around {
    parents: Arc<[Parent]>,
    /// The values as they are written.
    values: Vec<Option<Vec<u8>>>,
    /// How many objects were entered at each depth.
    entered: Vec<u64>,
    /// In which of them the way to the records was taken.
    taken: Vec<bool>,
    /// What is known to follow.
    known: Arc<LateOfFile>,
    /// What was found to stand behind the records.
    late: LateOfFile,
}

impl Around {
    /// Nothing is said yet; on a way of so many keys.
    pub(crate) fn new(parents: Arc<[Parent]>, keys: usize, known: Arc<LateOfFile>) -> Self {
        Self {
            values: vec![None; parents.len()],
            parents,
            entered: vec![0; keys],
            taken: vec![false; keys],
            known,
            late: LateOfFile::new(),
        }
    }

    /// The values as they are written, one for each field.
    pub(crate) fn values(&self) -> &[Option<Vec<u8>>] {
        &self.values
    }

    /// What was found to stand behind the records.
    pub(crate) fn into_late(self) -> LateOfFile {
        self.late
    }

    /// An object begins to which so many keys lead.
    pub(crate) fn enter(&mut self, depth: usize) {
        if self.parents.is_empty() {
            return;
        }
        self.entered[depth] += 1;
        self.taken[depth] = false;
        for (at, parent) in self.parents.iter().enumerate() {
            if parent.depth == depth {
                let which = (at, self.entered[depth]);
                self.values[at] = self.known.get(&which).cloned();
            } else if parent.depth > depth {
                self.values[at] = None;
            }
        }
    }

    /// The way to the records leads on from the object to which so many keys lead.
    pub(crate) fn take(&mut self, depth: usize) {
        self.taken[depth] = true;
    }

    /// Which of the fields a key is.
    pub(crate) fn field(&self, key: &str, depth: usize) -> Option<usize> {
        let is_it = |parent: &Parent| parent.depth == depth && parent.key == key;
        self.parents.iter().position(is_it)
    }

    /// Takes a field's value, if it is sound.
    pub(crate) fn set(&mut self, field: usize, value: &[u8]) -> Result<(), Malformed> {
        let depth = self.parents[field].depth;
        check(value).map_err(|error| error.within(&self.parents[field].name))?;
        if self.taken[depth] {
            let which = (field, self.entered[depth]);
            if !self.known.contains_key(&which) {
                self.late.insert(which, value.to_vec());
            }
        }
        self.values[field] = Some(value.to_vec());
        Ok(())
    }
}

/// Whether it is JSON.
fn check(value: &[u8]) -> Result<(), Malformed> {
    let mut scanner = Scanner::over(utf8(value)?);
    let next = scanner.next()?;
    scanner.pass(next, 1)?;
    scanner.finish()
}

/// Which columns the fields become, found out by looking at every value.
pub(crate) struct Survey {
    parents: Arc<[Parent]>,
    inferences: Vec<Inference>,
    /// What was looked at last, since it says the same for many records.
    last: Vec<Option<Vec<u8>>>,
}

impl Survey {
    pub(crate) fn new(parents: Arc<[Parent]>) -> Self {
        Self {
            inferences: parents.iter().map(|_| Inference::default()).collect(),
            last: vec![None; parents.len()],
            parents,
        }
    }

    /// Takes into account what goes with a record.
    pub(crate) fn take(&mut self, values: &[Option<Vec<u8>>]) {
        for (field, value) in values.iter().enumerate() {
            if self.last[field] != *value {
                self.last[field].clone_from(value);
                if let Some(value) = value {
                    self.look(field, value);
                }
            }
        }
    }

    /// Takes into account what stands behind the records of a file.
    pub(crate) fn take_late(&mut self, late: &LateOfFile) {
        for ((field, _), value) in late {
            self.look(*field, value);
        }
    }

    fn look(&mut self, field: usize, value: &[u8]) {
        // Looked at as the only field of a record, so that it is treated as any field is.
        let name = quoted(&self.parents[field].name);
        let record = [b"{", name.as_bytes(), b":", value, b"}"].concat();
        let sound = utf8(&record).and_then(|record| self.inferences[field].observe(record));
        sound.expect("what goes with a record was checked");
    }

    /// The columns, each with its kind.
    pub(crate) fn columns(&self, notes: &mut Vec<String>) -> Vec<(String, Kind)> {
        let column = |(parent, inference): (&Parent, &Inference)| {
            let found = inference.columns(&[], notes).pop();
            let kind = found.map_or(Kind::Text, |(_, kind)| kind);
            (parent.name.clone(), kind)
        };
        self.parents
            .iter()
            .zip(&self.inferences)
            .map(column)
            .collect()
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\x1f' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// What stands at the beginning of a value.
pub(crate) fn peeked(value: &[u8]) -> Option<(Scanner<'_>, Next)> {
    let mut scanner = Scanner::over(utf8(value).ok()?);
    let next = scanner.next().ok()?;
    Some((scanner, next))
}
