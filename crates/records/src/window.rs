//! The part of a file that is in memory.

use std::io::{self, Read};

/// Bytes read from a file at a time.
///
/// Large enough that reading costs nothing beside decoding, small enough to stay in a second
/// level cache.
const CHUNK: usize = 256 * 1024;
/// Bytes that there is room for at first, since an export may have thousands of small files.
const FIRST_CHUNK: usize = 16 * 1024;

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The line, counted from 1.
    pub(crate) line: u64,
    /// The byte, counted from 0.
    pub(crate) byte: u64,
}

/// The bytes of a file that were read and not yet passed.
pub(crate) struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    at: At,
    ended: bool,
}

impl<R: Read> Window<R> {
    /// A window at the beginning of a file.
    pub(crate) fn new(reader: R) -> Self {
        let at = At { line: 1, byte: 0 };
        Self {
            reader,
            bytes: vec![0; FIRST_CHUNK],
            start: 0,
            end: 0,
            at,
            ended: false,
        }
    }

    /// What is in memory.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where the first byte stands.
    pub(crate) fn at(&self) -> At {
        self.at
    }

    /// Reads more behind what is in memory; false at the end of the file.
    pub(crate) fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let is_small = self.at.byte < FIRST_CHUNK as u64;
        if self.bytes.len() < CHUNK && !is_small {
            self.bytes.resize(CHUNK, 0);
        } else if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        loop {
            match self.reader.read(&mut self.bytes[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Passes some bytes and gives them; they stay until more is read.
    pub(crate) fn pass(&mut self, length: usize) -> &[u8] {
        let passed = &self.bytes[self.start..self.start + length];
        self.at.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at.byte += length as u64;
        self.start += length;
        passed
    }

    /// Passes one line, its line break included, and gives it. `breaks` tells that it has one.
    pub(crate) fn pass_line(&mut self, length: usize, breaks: bool) -> &[u8] {
        self.at.line += u64::from(breaks);
        self.at.byte += length as u64;
        self.start += length;
        &self.bytes[self.start - length..self.start]
    }

    /// Passes the byte order mark, which is no part of the text.
    pub(crate) fn pass_mark(&mut self) -> io::Result<()> {
        while self.bytes().len() < 3 && self.more()? {}
        if self.bytes().starts_with(b"\xef\xbb\xbf") {
            self.pass(3);
        }
        Ok(())
    }

    /// The next byte that is not blank, which then is the first; `None` at the end.
    pub(crate) fn next_ink(&mut self) -> io::Result<Option<u8>> {
        loop {
            let ink = self.bytes().iter().position(|byte| !is_blank(*byte));
            match ink {
                Some(ink) => {
                    self.pass(ink);
                    return Ok(self.bytes().first().copied());
                }
                None => {
                    self.pass(self.end - self.start);
                    if !self.more()? {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

/// Whether JSON takes it for white space.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
