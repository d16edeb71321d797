//! Records that stand one on each line.

use std::io::Read;

use crate::splitter::{Piece, Trouble, too_long};
use crate::window::{Window, is_blank};

/// Gives the lines of a file that are not blank.
pub(crate) struct Lines<R> {
    window: Window<R>,
    max_record: usize,
}

impl<R: Read> Lines<R> {
    /// The lines from where the window stands.
    pub(crate) fn new(window: Window<R>, max_record: usize) -> Self {
        Self { window, max_record }
    }

    /// The next line without its line break; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'_>>, Trouble> {
        loop {
            let Some((length, breaks)) = self.line()? else {
                let at = self.window.at();
                self.skip_line()?;
                return Ok(Some(too_long(self.max_record, at)));
            };
            if length == 0 {
                return Ok(None);
            }
            if self.window.bytes()[..length]
                .iter()
                .all(|byte| is_blank(*byte))
            {
                self.window.pass_line(length, breaks);
                continue;
            }
            let at = self.window.at();
            let line = self.window.pass_line(length, breaks);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            return Ok(Some(match line.len() > self.max_record {
                true => too_long(self.max_record, at),
                false => Piece::Record(line, &[], at),
            }));
        }
    }

    /// The length of the next line with its line break, and whether it has one; no length at the
    /// end of the file, and nothing when the line is too long to be kept.
    fn line(&mut self) -> Result<Option<(usize, bool)>, Trouble> {
        let mut searched = 0;
        loop {
            let bytes = self.window.bytes();
            if let Some(found) = memchr::memchr(b'\n', &bytes[searched..]) {
                return Ok(Some((searched + found + 1, true)));
            }
            searched = bytes.len();
            // Two more than the limit, since the line break is no part of the record.
            if searched > self.max_record + 2 {
                return Ok(None);
            }
            if !self.more()? {
                return Ok(Some((searched, false)));
            }
        }
    }

    fn skip_line(&mut self) -> Result<(), Trouble> {
        loop {
            let bytes = self.window.bytes();
            match memchr::memchr(b'\n', bytes) {
                Some(found) => {
                    self.window.pass_line(found + 1, true);
                    return Ok(());
                }
                None => {
                    let length = bytes.len();
                    self.window.pass_line(length, false);
                    if !self.more()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn more(&mut self) -> Result<bool, Trouble> {
        self.window
            .more()
            .map_err(|error| Trouble::Read(error, self.window.at()))
    }
}
