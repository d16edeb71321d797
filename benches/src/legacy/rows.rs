//! Rows written down as a database takes many at once.

use std::borrow::Cow;
use std::fmt::Write;

/// Bytes after which rows are sent.
const ENOUGH: usize = 1 << 20;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// As an `INSERT` of many rows; in texts a quotation mark is doubled, and nothing else is special.
    Insert,
    /// The same where `\` is special too.
    InsertWithEscapes,
    /// As the lines that `COPY` reads.
    Copy,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    Whole(u64),
    Text(Cow<'a, str>),
}

impl From<u64> for Cell<'_> {
    fn from(whole: u64) -> Self {
        Self::Whole(whole)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.into())
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows of one table that were not sent yet.
#[derive(Debug)]
pub(super) struct Rows {
    format: Format,
    /// The table with its columns: `users (id, name)`.
    into: &'static str,
    text: String,
}

impl Rows {
    pub(super) const fn new(format: Format, into: &'static str) -> Self {
        Self {
            format,
            into,
            text: String::new(),
        }
    }

    pub(super) fn push(&mut self, cells: &[Cell<'_>]) {
        if self.format == Format::Copy {
            for (place, cell) in cells.iter().enumerate() {
                self.text.push_str(if place == 0 { "" } else { "\t" });
                self.copied(cell);
            }
            self.text.push('\n');
            return;
        }
        match self.text.is_empty() {
            true => {
                let into = self.into;
                write!(self.text, "INSERT INTO {into} VALUES\n(").expect("memory is there");
            }
            false => self.text.push_str(",\n("),
        }
        for (place, cell) in cells.iter().enumerate() {
            self.text.push_str(if place == 0 { "" } else { "," });
            self.inserted(cell);
        }
        self.text.push(')');
    }

    fn inserted(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Null => self.text.push_str("NULL"),
            Cell::Whole(whole) => write!(self.text, "{whole}").expect("memory is there"),
            Cell::Text(text) => {
                self.text.push('\'');
                for character in text.chars() {
                    match character {
                        '\'' => self.text.push_str("''"),
                        '\\' if self.format == Format::InsertWithEscapes => {
                            self.text.push_str("\\\\");
                        }
                        _ => self.text.push(character),
                    }
                }
                self.text.push('\'');
            }
        }
    }

    fn copied(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Null => self.text.push_str("\\N"),
            Cell::Whole(whole) => write!(self.text, "{whole}").expect("memory is there"),
            Cell::Text(text) => {
                for character in text.chars() {
                    match character {
                        '\\' => self.text.push_str("\\\\"),
                        '\n' => self.text.push_str("\\n"),
                        '\r' => self.text.push_str("\\r"),
                        '\t' => self.text.push_str("\\t"),
                        _ => self.text.push(character),
                    }
                }
            }
        }
    }

    /// Whether it is time to send them.
    pub(super) const fn are_enough(&self) -> bool {
        self.text.len() >= ENOUGH
    }

    /// The table with its columns, and the rows as they are to be sent, if there are any. Begins anew.
    pub(super) fn take(&mut self) -> Option<(&'static str, String)> {
        match self.text.is_empty() {
            true => None,
            false => Some((self.into, std::mem::take(&mut self.text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut rows = Rows::new(format, "t (a, b, c)");
        rows.push(&[1.into(), "it's\n\\".into(), Cell::Null]);
        rows.push(&[2.into(), "tab\t".into(), Some("x").into()]);
        let (into, text) = rows.take().unwrap();
        assert_eq!(into, "t (a, b, c)");
        assert_eq!(rows.take(), None);
        text
    }

    #[test]
    fn each_format_escapes_what_is_special_in_it() {
        assert_eq!(
            written(Format::Insert),
            "INSERT INTO t (a, b, c) VALUES\n(1,'it''s\n\\',NULL),\n(2,'tab\t','x')"
        );
        assert_eq!(
            written(Format::InsertWithEscapes),
            "INSERT INTO t (a, b, c) VALUES\n(1,'it''s\n\\\\',NULL),\n(2,'tab\t','x')"
        );
        assert_eq!(written(Format::Copy), "1\tit's\\n\\\\\t\\N\n2\ttab\\t\tx\n");
    }
}
