//! Whether a record is JSON, and what is wrong when it is not.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Deref;

use crate::scanner::{Next, Scanner};

/// How deep values may be nested, the record's own object counted.
///
/// Chat exports stay below ten. Beyond this a record is a mistake or an attack on the stack.
pub(crate) const MAX_DEPTH: usize = 128;

/// An object with more keys than this is searched for duplicates by hash.
const FEW_KEYS: usize = 24;

/// Why a record cannot be read. As small as it can be, since nearly nothing that may fail does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(Box<Fault>);

/// What is wrong with a record. Names no contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The rule that it breaks.
    pub(crate) rule: &'static str,
    /// What was found, without the place.
    pub(crate) what: String,
    /// Where in the record, in bytes from 0.
    pub(crate) index: usize,
    /// The column that cannot hold it, with the names of nested fields behind dots.
    pub(crate) column: Option<String>,
    /// Whether the record just stops too early.
    pub(crate) unfinished: bool,
}

impl Malformed {
    /// A breach of that rule at that byte of the record.
    pub(crate) fn new(rule: &'static str, what: impl Into<String>, index: usize) -> Self {
        Self(Box::new(Fault {
            rule,
            what: what.into(),
            index,
            column: None,
            unfinished: false,
        }))
    }

    /// The same within the field of that name.
    pub(crate) fn within(mut self, name: &str) -> Self {
        self.0.column = Some(match &self.column {
            Some(inner) => format!("{name}.{inner}"),
            None => name.to_owned(),
        });
        self
    }

    /// The same of a record that just stops too early.
    pub(crate) fn unfinished(mut self) -> Self {
        self.0.unfinished = true;
        self
    }

    /// What was found and where, as a rejected row tells it.
    pub(crate) fn detail(&self, record: &[u8]) -> String {
        let what = match &self.column {
            Some(column) if self.rule == "type-mismatch" => format!("`{column}` is {}", self.what),
            _ => self.what.clone(),
        };
        let index = self.index.min(record.len().saturating_sub(1));
        let before = &record[..index];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let column = index - start + 1;
        match line {
            1 => format!("{what} at column {column}"),
            _ => format!("{what} at column {column} of the record's line {line}"),
        }
    }
}

impl Deref for Malformed {
    type Target = Fault;

    fn deref(&self) -> &Fault {
        &self.0
    }
}

/// A record as text, if it is UTF-8. Asked of the whole record, whichever columns are wanted of it.
pub(crate) fn utf8(json: &[u8]) -> Result<&str, Malformed> {
    simdutf8::basic::from_utf8(json).map_err(|_| {
        let sound = json.utf8_chunks().next();
        let index = sound.map_or(0, |chunk| chunk.valid().len());
        Malformed::new("malformed", "bytes that are not UTF-8", index)
    })
}

impl Scanner<'_> {
    /// A breach of that rule where it stands.
    pub(crate) fn breach(&self, rule: &'static str, what: impl Into<String>) -> Malformed {
        Malformed::new(rule, what, self.index())
    }

    /// The same key for the second time.
    pub(crate) fn duplicate_key(&self) -> Malformed {
        self.breach(
            "duplicate-key",
            "the same key twice in one object, the second",
        )
    }

    /// What stands where a record should: nothing else than an object is one.
    pub(crate) fn record(&mut self) -> Result<(), Malformed> {
        let next = self.next()?;
        if next == Next::Object {
            return Ok(());
        }
        let start = self.index();
        self.pass(next, 0)?;
        let what = format!("{} instead of an object", next.words());
        Err(Malformed::new("malformed", what, start))
    }

    /// An error when a value that deep may not be entered.
    pub(crate) fn allow(&self, depth: usize) -> Result<(), Malformed> {
        match depth > MAX_DEPTH {
            true => Err(self.breach("malformed", "values nested too deep")),
            false => Ok(()),
        }
    }

    /// Reads past a value, which stands in `depth` others, and checks all of it.
    pub(crate) fn pass(&mut self, next: Next, depth: usize) -> Result<(), Malformed> {
        match next {
            Next::Object => {
                self.allow(depth + 1)?;
                let mut keys = Keys::default();
                let mut more = self.enter_object()?;
                while more {
                    if !keys.add(self.key()?) {
                        return Err(self.duplicate_key());
                    }
                    let next = self.next()?;
                    self.pass(next, depth + 1)?;
                    more = self.next_field()?;
                }
            }
            Next::List => {
                self.allow(depth + 1)?;
                let mut more = self.enter_list()?;
                while more {
                    let next = self.next()?;
                    self.pass(next, depth + 1)?;
                    more = self.next_item()?;
                }
            }
            Next::Text => drop(self.text()?),
            Next::Number => drop(self.written_number()?),
            Next::True | Next::False => drop(self.boolean(next)?),
            Next::Null => self.null()?,
        }
        Ok(())
    }
}

impl Next {
    /// What a value is, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True | Self::False => "true or false",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// The keys of one object so far.
#[derive(Default)]
struct Keys<'j> {
    few: Vec<Cow<'j, str>>,
    many: HashSet<Cow<'j, str>>,
}

impl<'j> Keys<'j> {
    /// Adds a key; false when it was there.
    fn add(&mut self, key: Cow<'j, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(key);
        }
        if self.few.contains(&key) {
            return false;
        }
        self.few.push(key);
        if self.few.len() > FEW_KEYS {
            self.many.extend(self.few.drain(..));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &[u8]) -> Result<(), Malformed> {
        let mut scanner = Scanner::over(utf8(json)?);
        scanner.record()?;
        scanner.pass(Next::Object, 0)?;
        scanner.finish()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column_and_without_contents() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let many: String = (0..40).map(|n| format!("\"k{n}\":1,")).collect();
        let many = format!("{{{many}\"k7\":2}}");
        let said: Vec<String> = [
            b"{\"a\":1" as &[u8],
            b"{\"a\":}",
            b"{\"a\":1,}",
            b"{\"a\":NaN}",
            b"{\"a\":01}",
            b"{\"a\":\"\x01\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\x\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":1} 2",
            b"{a:1}",
            b"{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}",
            b"{\"a\":1,\n\"b\":x}",
            b"[1]",
            b"nope",
            deep.as_bytes(),
            many.as_bytes(),
        ]
        .into_iter()
        .map(|json| {
            let malformed = check(json).expect_err("not a record");
            format!("{}: {}", malformed.rule, malformed.detail(json))
        })
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
