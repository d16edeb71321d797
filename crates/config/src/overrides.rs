//! Values of the file that the command line replaces for one run.

use std::fmt;
use std::rc::Rc;

use chatferry_core::Mistake;

use crate::document::{self, Entry, Table, Text, Value, Written};
use crate::suggest::quoted;

/// How many tables deep an override may reach: as deep as the file itself may nest.
const DEEPEST: usize = 80;

/// One value of the file that the command line replaces: `--set path.to.key=value`.
#[derive(Clone)]
pub struct Override {
    path: Vec<String>,
    value: String,
}

impl Override {
    /// The override that `path.to.key=value` says.
    ///
    /// The value is taken as TOML if it is a number, `true`, `false` or a quoted string, and as
    /// text otherwise.
    ///
    /// # Errors
    ///
    /// When there is no `=`, or no key before it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, value) = text
            .split_once('=')
            .ok_or("there is no `=`: write `path.to.key=value`, as in `cometchat.region=eu`")?;
        let path: Vec<String> = path
            .trim()
            .split('.')
            .map(|key| key.trim().to_owned())
            .collect();
        if path.iter().any(String::is_empty) {
            return Err("a key is empty: write `path.to.key=value`".into());
        }
        if path.len() > DEEPEST {
            return Err(format!("the path is more than {DEEPEST} keys long"));
        }
        Ok(Self {
            path,
            value: value.trim().to_owned(),
        })
    }

    /// The path of the value that is replaced: `cometchat.region`.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.join(".")
    }

    fn written(&self) -> Written {
        let text = || Text {
            raw: self.value.clone(),
            at: None,
            verbatim: false,
        };
        Written {
            value: document::scalar(&self.value).unwrap_or_else(|| Value::Text(text())),
            at: None,
            option: Some(Rc::from(self.path())),
        }
    }
}

/// The path alone, since the value may be a secret.
impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Override({}=…)", self.path())
    }
}

/// Lays the overrides over the document, in turn.
pub(crate) fn apply(root: &mut Table, overrides: &[Override]) -> Vec<Mistake> {
    overrides
        .iter()
        .filter_map(|set| lay(root, set).err())
        .collect()
}

fn lay(root: &mut Table, set: &Override) -> Result<(), Mistake> {
    let (last, parents) = set.path.split_last().expect("a path has a key");
    let mut table = root;
    for (depth, name) in parents.iter().enumerate() {
        let written = &mut entry(table, name, set).written;
        match &mut written.value {
            Value::Table(inner) => table = inner,
            _ => {
                let parent = quoted(&set.path[..=depth].join("."));
                return Err(Mistake::error(
                    "pipeline::override",
                    format!(
                        "`--set {}` cannot be applied: {parent} is not a table",
                        set.path()
                    ),
                    None,
                )
                .help("only keys of tables can be set; flows are told apart in the file alone"));
            }
        }
    }
    entry(table, last, set).written = set.written();
    Ok(())
}

/// The entry of that name, made as an empty table if there is none.
fn entry<'t>(table: &'t mut Table, name: &str, set: &Override) -> &'t mut Entry {
    let place = table
        .entries
        .iter()
        .position(|entry| entry.name == name)
        .unwrap_or_else(|| {
            table.entries.push(Entry {
                name: name.to_owned(),
                at: None,
                written: Written {
                    value: Value::Table(Table::default()),
                    at: None,
                    option: Some(Rc::from(set.path())),
                },
            });
            table.entries.len() - 1
        });
    &mut table.entries[place]
}
