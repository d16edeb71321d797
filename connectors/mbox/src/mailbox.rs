//! Where the messages of a mailbox begin and end.
//!
//! A message begins with a line `From …`, at the beginning of the file or behind an empty line.
//! Where its own lines begin so, a `>` was put before them, which is taken away again.

use std::io::{self, BufRead, BufReader, Read};

/// What a line begins with where a message does.
const BEGINNING: &[u8] = b"From ";
/// Bytes of a line that are looked at together, so that no line has to fit into memory.
const PIECE: u64 = 64 << 10;

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The line, counted from 1.
    pub(crate) line: u64,
    /// The byte, counted from 0.
    pub(crate) byte: u64,
}

/// The messages of one file, one after the other.
pub(crate) struct Mailbox<R> {
    input: BufReader<R>,
    max_message: usize,
    /// Where what is read next stands.
    pub(crate) at: At,
    /// The piece of a line that was read last, and whether it begins a line.
    piece: Vec<u8>,
    begins_line: bool,
    /// Where the next message begins, if its first line was read.
    next: Option<At>,
    message: Vec<u8>,
}

/// A message as it stands in the file.
pub(crate) struct Letter<'a> {
    /// Its bytes; `None` when there are too many.
    pub(crate) bytes: Option<&'a [u8]>,
    pub(crate) at: At,
}

impl<R: Read> Mailbox<R> {
    /// The mailbox in a file; `None` when it is none.
    pub(crate) fn open(input: R, max_message: usize) -> io::Result<Option<Self>> {
        let beginning = At { line: 1, byte: 0 };
        let mut mailbox = Self {
            input: BufReader::new(input),
            max_message,
            at: beginning,
            piece: Vec::new(),
            begins_line: true,
            next: None,
            message: Vec::new(),
        };
        if mailbox.read_piece()? {
            if !mailbox.piece.starts_with(BEGINNING) {
                return Ok(None);
            }
            mailbox.next = Some(beginning);
        }
        Ok(Some(mailbox))
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> io::Result<Option<Letter<'_>>> {
        let Some(at) = self.next.take() else {
            return Ok(None);
        };
        self.message.clear();
        let (mut fits, mut behind_empty_line) = (true, false);
        // The rest of the line that it begins with says when and by whom it was brought.
        let mut in_first_line = true;
        loop {
            let here = self.at;
            if !self.read_piece()? {
                break;
            }
            in_first_line &= !self.begins_line;
            if in_first_line {
                continue;
            }
            if self.begins_line && behind_empty_line && self.piece.starts_with(BEGINNING) {
                self.next = Some(here);
                break;
            }
            behind_empty_line = self.begins_line && is_empty(&self.piece);
            let line = match self.begins_line {
                true => unquoted(&self.piece),
                false => &self.piece,
            };
            fits &= self.message.len() + line.len() <= self.max_message;
            match fits {
                true => self.message.extend_from_slice(line),
                false => self.message.clear(),
            }
        }
        Ok(Some(Letter {
            bytes: fits.then_some(match behind_empty_line {
                // It parts the message from the next one.
                true => without_last_line_break(&self.message),
                false => &self.message,
            }),
            at,
        }))
    }

    /// Reads on to the end of the line, or as far as a piece goes; whether there was anything.
    fn read_piece(&mut self) -> io::Result<bool> {
        self.begins_line = self.piece.last().is_none_or(|last| *last == b'\n');
        self.piece.clear();
        let mut rest = (&mut self.input).take(PIECE);
        let read = rest.read_until(b'\n', &mut self.piece)?;
        self.at.byte += read as u64;
        self.at.line += u64::from(self.piece.ends_with(b"\n"));
        Ok(read > 0)
    }
}

fn is_empty(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// A line without the `>` that was put before it because it looks like the beginning of a message.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    match line[quotes..].starts_with(BEGINNING) && quotes > 0 {
        true => &line[1..],
        false => line,
    }
}

fn without_last_line_break(message: &[u8]) -> &[u8] {
    let rest = message.strip_suffix(b"\n").unwrap_or(message);
    rest.strip_suffix(b"\r").unwrap_or(rest)
}
