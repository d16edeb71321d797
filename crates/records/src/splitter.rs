//! Where one record ends and the next begins.
//!
//! Only as much of the syntax is looked at as that takes; whether a record is JSON is found out
//! where it is read.

use std::io::{self, Read};

use crate::around::{Around, LateOfFile};
use crate::document::Document;
use crate::lines::Lines;
use crate::window::{At, Window};

/// How records stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One on each line.
    Lines,
    /// In an array, which may stand within an object.
    Document,
}

/// What stands at one place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// What should be a record, and what the objects around it say.
    Record(&'a [u8], &'a [Option<Vec<u8>>], At),
    /// Something that cannot be a record: the rule it breaks, and what was found.
    Rejected(&'static str, String, At),
}

/// Why a file cannot be split further.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Reading failed.
    Read(io::Error, At),
    /// What stands there cannot be part of a JSON document.
    NotJson(&'static str, At),
}

/// Gives the records of one file.
pub(crate) struct Splitter<R>(Mode<R>);

enum Mode<R> {
    Lines(Lines<R>),
    Document(Box<Document<R>>),
}

impl<R: Read> Splitter<R> {
    /// The records of a file. Without a format, the first byte that is not blank tells: `[` begins
    /// a document.
    ///
    /// `path` holds the keys by which the array is found in a document. A record may have
    /// `max_record` bytes.
    pub(crate) fn new(
        mut window: Window<R>,
        format: Option<Format>,
        path: &[String],
        around: Around,
        max_record: usize,
    ) -> io::Result<Self> {
        window.pass_mark()?;
        let format = match format {
            Some(format) => format,
            None if !path.is_empty() => Format::Document,
            None if window.next_ink()? == Some(b'[') => Format::Document,
            None => Format::Lines,
        };
        Ok(Self(match format {
            Format::Lines => Mode::Lines(Lines::new(window, max_record)),
            Format::Document => {
                Mode::Document(Box::new(Document::new(window, path, around, max_record)))
            }
        }))
    }

    /// How the records stand in the file.
    pub(crate) fn format(&self) -> Format {
        match self.0 {
            Mode::Lines(_) => Format::Lines,
            Mode::Document(_) => Format::Document,
        }
    }

    /// The next piece; `None` at the end. Nothing follows trouble.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'_>>, Trouble> {
        match &mut self.0 {
            Mode::Lines(lines) => lines.next(),
            Mode::Document(document) => document.next(),
        }
    }

    /// What the objects around the records say behind them.
    pub(crate) fn into_late(self) -> LateOfFile {
        match self.0 {
            Mode::Lines(_) => LateOfFile::new(),
            Mode::Document(document) => document.into_late(),
        }
    }

    /// What keys were met where the path led nowhere, if it led nowhere in the whole file.
    pub(crate) fn missed(&self) -> Option<&[String]> {
        match &self.0 {
            Mode::Lines(_) => None,
            Mode::Document(document) => document.missed(),
        }
    }
}

/// What is said of a record that is too long.
pub(crate) fn too_long(max_record: usize, at: At) -> Piece<'static> {
    let detail = format!("the record is longer than {max_record} bytes");
    Piece::Rejected("record-too-long", detail, at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::around::Parent;

    /// Gives a file in pieces of these sizes, over and over.
    struct Chunks<'b> {
        bytes: &'b [u8],
        sizes: &'b [usize],
        turn: usize,
    }

    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes[self.turn % self.sizes.len()];
            self.turn += 1;
            let length = size.min(buffer.len()).min(self.bytes.len());
            buffer[..length].copy_from_slice(&self.bytes[..length]);
            self.bytes = &self.bytes[length..];
            Ok(length)
        }
    }

    /// Everything that a file gives, in words.
    fn pieces(
        bytes: &[u8],
        sizes: &[usize],
        format: Option<Format>,
        path: &[String],
    ) -> Vec<String> {
        let window = Window::new(Chunks {
            bytes,
            sizes,
            turn: 0,
        });
        let parents: Vec<Parent> = path
            .iter()
            .map(|_| Parent {
                name: "p".into(),
                depth: 0,
                key: "a".into(),
            })
            .collect();
        let around = Around::new(parents.into(), path.len(), Arc::default());
        let mut splitter = Splitter::new(window, format, path, around, 40).expect("nothing fails");
        let mut pieces = Vec::new();
        loop {
            match splitter.next() {
                Ok(None) => return pieces,
                Ok(Some(piece)) => pieces.push(format!("{piece:?}")),
                Err(trouble) => {
                    pieces.push(format!("{trouble:?}"));
                    return pieces;
                }
            }
        }
    }

    /// Something like a file: parts of records, of documents and of neither.
    fn file() -> impl Strategy<Value = Vec<u8>> {
        let part = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\n",
            "\r\n",
            " ",
            "{\"a\":1}",
            "{\"a\":[1,{}]},",
            "\"m\":",
            "\"a\":",
            "{\"m\":[",
            "\"x\\\"]\"",
            "null",
            "12",
            "a text that is longer than it may be, much",
            "\u{feff}",
            "é",
        ]);
        prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn where_a_file_is_cut_into_chunks_changes_nothing(
            bytes in file(),
            sizes in prop::collection::vec(1_usize..9, 1..5),
            format in prop::sample::select(vec![None, Some(Format::Lines), Some(Format::Document)]),
            deep in any::<bool>(),
        ) {
            let path = if deep { vec!["m".to_owned()] } else { Vec::new() };
            let whole = pieces(&bytes, &[usize::MAX], format, &path);
            prop_assert_eq!(whole, pieces(&bytes, &sizes, format, &path));
        }
    }
}
