//! The records of one file, one after the other.

use std::io::{self, Read};

use crate::dialect::{Cell, Dialect, Found, Wrong};
use crate::skip::Skip;
use crate::window::{At, Flaw, Window};

/// A record: what is written, and where its fields are in that.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) cells: &'a [Cell],
    pub(crate) at: At,
}

impl<'a> Record<'a> {
    /// What is written in a field.
    pub(crate) fn written(&self, cell: Cell) -> &'a [u8] {
        &self.bytes[cell.start..cell.end]
    }
}

/// What stands at one place of a file.
pub(crate) enum Piece<'a> {
    Record(Record<'a>),
    /// Something that cannot be a record: the rule it breaks, and what was found.
    Rejected(&'static str, String, At),
}

/// Gives the records of a file.
pub(crate) struct Records<R> {
    window: Window<R>,
    dialect: Dialect,
    cells: Vec<Cell>,
    max_record: usize,
}

impl<R: Read> Records<R> {
    /// The records from where the window stands. One may have `max_record` bytes.
    pub(crate) fn new(window: Window<R>, dialect: Dialect, max_record: usize) -> Self {
        Self {
            window,
            dialect,
            cells: Vec::new(),
            max_record,
        }
    }

    /// Where the next record stands.
    pub(crate) fn at(&self) -> At {
        self.window.at()
    }

    /// The next record; `None` at the end. Nothing follows an error.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        let (length, wrong) = loop {
            let (bytes, last) = (self.window.bytes(), self.window.ended);
            match self.dialect.find(bytes, last, &mut self.cells) {
                Found::Record(length) => break (length, None),
                Found::Wrong(length, wrong) => break (length, Some(wrong)),
                Found::Nothing(length) => {
                    self.window.pass(length, 1);
                }
                Found::More if last => return Ok(None),
                Found::More if bytes.len() > self.max_record => return self.too_long().map(Some),
                Found::More => self.window.more()?,
            }
        };
        let at = self.window.at();
        let breaks = self.breaks(length);
        if length > self.max_record.saturating_add(2) {
            self.window.pass(length, breaks);
            return Ok(Some(long(self.max_record, at)));
        }
        if let Some(wrong) = wrong {
            let piece = self.wrong(wrong, length, breaks);
            self.window.pass(length, breaks);
            return Ok(Some(piece));
        }
        if let Some((flaw, before)) = self.window.flaw(length) {
            self.window.pass(length, breaks);
            let place = at.byte + before;
            let detail = match flaw {
                Flaw::Zero => format!("there is a zero byte at byte {place}"),
                Flaw::Invalid => {
                    format!("what stands at byte {place} is no text in the file's encoding")
                }
            };
            return Ok(Some(Piece::Rejected("invalid-text", detail, at)));
        }
        let bytes = self.window.pass(length, breaks);
        let cells = &self.cells;
        Ok(Some(Piece::Record(Record { bytes, cells, at })))
    }

    /// How many line breaks are in the record that was found, the one at its end included.
    fn breaks(&self, length: usize) -> u64 {
        let one_line = |cell: &Cell| cell.how == crate::dialect::How::Bare;
        if self.cells.iter().all(one_line) {
            return 1;
        }
        let bytes = &self.window.bytes()[..length];
        let feeds = memchr::memchr_iter(b'\n', bytes).count();
        let alone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
        let returns = memchr::memchr_iter(b'\r', bytes).filter(alone).count();
        (feeds + returns) as u64
    }

    fn wrong(&self, wrong: Wrong, length: usize, breaks: u64) -> Piece<'static> {
        let at = self.window.at();
        let place = |within: usize| {
            let before = &self.window.bytes()[..within];
            let feeds = memchr::memchr_iter(b'\n', before).count();
            let alone = |at: &usize| before.get(at + 1) != Some(&b'\n');
            let returns = memchr::memchr_iter(b'\r', before).filter(alone).count();
            let line = at.line + (feeds + returns) as u64;
            format!("line {line}, byte {}", at.byte + self.window.stored(within))
        };
        match wrong {
            Wrong::Unclosed(quote) => {
                let bytes = self.window.stored(length);
                let detail = format!(
                    "the quote at {} is never closed; {bytes} bytes up to the end of the file are lost",
                    place(quote)
                );
                Piece::Rejected("unclosed-quote", detail, at)
            }
            Wrong::Stray(stray) => {
                let lines = match breaks {
                    0 | 1 => String::new(),
                    more => format!("; the record goes over {more} lines"),
                };
                let detail = format!(
                    "something stands behind the quote that closes a field, at {}{lines}",
                    place(stray)
                );
                Piece::Rejected("stray-quote", detail, at)
            }
        }
    }

    /// Passes a record that is too long to be held.
    fn too_long(&mut self) -> io::Result<Piece<'static>> {
        let at = self.window.at();
        let mut skip = Skip::new(self.dialect);
        loop {
            let breaks = skip.breaks;
            match skip.pass(self.window.bytes()) {
                Some(end) => {
                    self.window.pass(end, skip.breaks - breaks);
                    break;
                }
                None => {
                    let length = self.window.bytes().len();
                    self.window.pass(length, skip.breaks - breaks);
                    if self.window.ended {
                        break;
                    }
                    self.window.more()?;
                }
            }
        }
        Ok(long(self.max_record, at))
    }
}

fn long(max_record: usize, at: At) -> Piece<'static> {
    let detail = format!("the record is longer than {max_record} bytes");
    Piece::Rejected("record-too-long", detail, at)
}
