//! Where one record ends and the next begins.
//!
//! Only as much of the syntax is looked at as that takes; whether a record is JSON is found out
//! where it is read.

use std::io::{self, Read};

use crate::document::Document;
use crate::lines::Lines;
use crate::window::{At, Window};

/// How records stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One on each line.
    Lines,
    /// In an array, which may stand within an object.
    Document,
}

/// What stands at one place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// What should be a record.
    Record(&'a [u8], At),
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
    Document(Document<R>),
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
            Format::Document => Mode::Document(Document::new(window, path, max_record)),
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
