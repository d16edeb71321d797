//! Whether a record is JSON, and what is wrong when it is not.

use std::borrow::Cow;
use std::collections::HashSet;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, LinePosition, Peek};

/// How deep values may be nested, the record's own object counted.
///
/// Chat exports stay below ten. Beyond this a record is a mistake or an attack on the stack.
pub(crate) const MAX_DEPTH: usize = 128;

/// An object with more keys than this is searched for duplicates by hash.
const FEW_KEYS: usize = 24;

/// Why a record cannot be read. Names no contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
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
        Self {
            rule,
            what: what.into(),
            index,
            column: None,
            unfinished: false,
        }
    }

    /// The same within the field of that name.
    pub(crate) fn within(mut self, name: &str) -> Self {
        self.column = Some(match self.column {
            Some(inner) => format!("{name}.{inner}"),
            None => name.to_owned(),
        });
        self
    }

    /// What was found and where, as a rejected row tells it.
    pub(crate) fn detail(&self, record: &[u8]) -> String {
        let what = match &self.column {
            Some(column) if self.rule == "type-mismatch" => format!("`{column}` is {}", self.what),
            _ => self.what.clone(),
        };
        let index = self.index.min(record.len());
        let LinePosition { line, column } = LinePosition::find(record, index);
        match line {
            0 | 1 => format!("{what} at column {}", column.max(1)),
            _ => format!("{what} at column {column} of the record's line {line}"),
        }
    }
}

impl From<JiterError> for Malformed {
    fn from(error: JiterError) -> Self {
        use JsonErrorType as T;
        let (what, unfinished) = match &error.error_type {
            JiterErrorType::WrongType { .. } => ("a value of another type", false),
            JiterErrorType::JsonError(kind) => match kind {
                T::EofWhileParsingList => ("the record ends within a list", true),
                T::EofWhileParsingObject => ("the record ends within an object", true),
                T::EofWhileParsingString => ("the record ends within a string", true),
                T::EofWhileParsingValue => ("the record ends where a value should be", true),
                T::ExpectedColon => ("no `:` after a key", false),
                T::ExpectedListCommaOrEnd => ("neither `,` nor `]` after an item", false),
                T::ExpectedObjectCommaOrEnd => ("neither `,` nor `}` after a value", false),
                T::ExpectedSomeIdent | T::ExpectedSomeValue => {
                    ("something that is no value", false)
                }
                T::InvalidEscape => ("an escape that JSON does not have", false),
                T::InvalidNumber => ("something that is no number", false),
                T::NumberOutOfRange => ("a number of too many digits", false),
                T::InvalidUnicodeCodePoint => ("bytes that are not UTF-8", false),
                T::ControlCharacterWhileParsingString => ("a control character in a string", false),
                T::KeyMustBeAString => ("a key that is not a string", false),
                T::LoneLeadingSurrogateInHexEscape | T::UnexpectedEndOfHexEscape => {
                    ("half of a surrogate pair", false)
                }
                T::TrailingComma => ("a comma with nothing after it", false),
                T::TrailingCharacters => ("something after the end of the record", false),
                T::RecursionLimitExceeded => ("values nested too deep", false),
                _ => ("something that is not JSON", false),
            },
        };
        Self {
            unfinished,
            ..Self::new("malformed", what, error.index)
        }
    }
}

/// One record being read.
pub(crate) struct Cursor<'j> {
    /// Its bytes.
    pub(crate) json: &'j [u8],
    /// The parser over them.
    pub(crate) jiter: Jiter<'j>,
}

impl<'j> Cursor<'j> {
    /// The record, if it is UTF-8, with a tape from an earlier one.
    pub(crate) fn open(json: &'j [u8], tape: Vec<u8>) -> Result<Self, (Malformed, Vec<u8>)> {
        // Checked here once: the parser does not look into strings that it skips, and whether a
        // record can be read must not depend on which columns are wanted.
        match std::str::from_utf8(json) {
            Ok(_) => Ok(Self {
                json,
                jiter: Jiter::with_tape(json, tape),
            }),
            Err(error) => {
                let what = "bytes that are not UTF-8";
                Err((Malformed::new("malformed", what, error.valid_up_to()), tape))
            }
        }
    }

    /// What stands from the parser on.
    pub(crate) fn rest(&self) -> &'j [u8] {
        &self.json[self.jiter.current_index()..]
    }

    /// A breach of that rule where the parser stands.
    pub(crate) fn breach(&self, rule: &'static str, what: impl Into<String>) -> Malformed {
        Malformed::new(rule, what, self.jiter.current_index())
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
        let peek = self.jiter.peek()?;
        if peek == Peek::Object {
            return Ok(());
        }
        let start = self.jiter.current_index();
        self.pass(peek, 0)?;
        let found = match peek {
            Peek::Array => "a list",
            Peek::String => "text",
            Peek::Null => "null",
            Peek::True | Peek::False => "true or false",
            _ => "a number",
        };
        Err(Malformed::new(
            "malformed",
            format!("{found} instead of an object"),
            start,
        ))
    }

    /// An error when a value that deep may not be entered.
    pub(crate) fn enter(&self, depth: usize) -> Result<(), Malformed> {
        match depth > MAX_DEPTH {
            true => Err(self.breach("malformed", "values nested too deep")),
            false => Ok(()),
        }
    }

    /// Reads past a value, which stands in `depth` others, and checks all of it.
    pub(crate) fn pass(&mut self, peek: Peek, depth: usize) -> Result<(), Malformed> {
        match peek {
            Peek::Object => {
                self.enter(depth + 1)?;
                let mut keys = Keys::default();
                let mut more = self
                    .jiter
                    .next_object_bytes()?
                    .map(|key| span(self.json, key));
                while let Some((start, length)) = more {
                    if !keys.add(&self.json[start..start + length]) {
                        return Err(self.duplicate_key());
                    }
                    let peek = self.jiter.peek()?;
                    self.pass(peek, depth + 1)?;
                    more = self.jiter.next_key_bytes()?.map(|key| span(self.json, key));
                }
                Ok(())
            }
            Peek::Array => {
                self.enter(depth + 1)?;
                let mut more = self.jiter.known_array()?;
                while let Some(peek) = more {
                    self.pass(peek, depth + 1)?;
                    more = self.jiter.array_step()?;
                }
                Ok(())
            }
            _ => Ok(self.jiter.known_skip(peek)?),
        }
    }
}

/// Where a slice stands in the record that it was cut from.
fn span(record: &[u8], part: &[u8]) -> (usize, usize) {
    (part.as_ptr().addr() - record.as_ptr().addr(), part.len())
}

/// The keys of one object so far.
#[derive(Default)]
struct Keys<'j> {
    few: Vec<Cow<'j, [u8]>>,
    many: HashSet<Cow<'j, [u8]>>,
}

impl<'j> Keys<'j> {
    /// Adds a key as it is written between its quotes; false when it was there.
    fn add(&mut self, written: &'j [u8]) -> bool {
        let key = unescaped(written);
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

fn unescaped(written: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', written).is_none() {
        return Cow::Borrowed(written);
    }
    let quoted = [b"\"", written, b"\""].concat();
    let text = Jiter::new(&quoted)
        .known_str()
        .map(|text| text.as_bytes().to_vec());
    Cow::Owned(text.unwrap_or_else(|_| written.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &[u8]) -> Result<(), Malformed> {
        let mut cursor = Cursor::open(json, Vec::new()).map_err(|(malformed, _)| malformed)?;
        cursor.record()?;
        cursor.pass(Peek::Object, 0)?;
        Ok(cursor.jiter.finish()?)
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
