//! The part of a file that is in memory.

use std::io::{self, Read};

use crate::text::Text;

/// Bytes read from a file at a time.
///
/// Large enough that reading costs nothing beside decoding, small enough to stay in a second
/// level cache.
const CHUNK: usize = 256 * 1024;
/// Bytes that there is room for at first, since an export may have thousands of small files.
const FIRST_CHUNK: usize = 16 * 1024;
/// Bytes that there is room for behind what is in memory, at least: some characters.
const SPARE: usize = 64;
/// Bytes looked at together for those that are not plain.
const BLOCK: usize = 64;

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The line, counted from 1.
    pub(crate) line: u64,
    /// The byte, counted from 0, in the file as it is stored but for compression.
    pub(crate) byte: u64,
}

/// The bytes of a file that were read and not yet passed, as UTF-8.
pub(crate) struct Window<R> {
    text: Text<R>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    at: At,
    /// Bytes of UTF-8 passed.
    passed: u64,
    /// Where the first byte stands that is not plain ASCII, or the end.
    odd: usize,
    pub(crate) ended: bool,
}

impl<R: Read> Window<R> {
    /// A window at the beginning of a file.
    pub(crate) fn new(text: Text<R>) -> Self {
        let at = At {
            line: 1,
            byte: text.mark,
        };
        Self {
            text,
            bytes: vec![0; FIRST_CHUNK],
            start: 0,
            end: 0,
            at,
            passed: 0,
            odd: 0,
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

    /// Reads more behind what is in memory, at least as much as there is; less only at the end of
    /// the file.
    pub(crate) fn more(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.odd = self.odd.saturating_sub(self.start);
            self.end -= self.start;
            self.start = 0;
        }
        let held = self.end;
        let is_small = self.passed < FIRST_CHUNK as u64;
        if self.bytes.len() < CHUNK && !is_small {
            self.bytes.resize(CHUNK, 0);
        }
        if self.bytes.len() < held * 2 + SPARE {
            self.bytes.resize(held * 2 + SPARE, 0);
        }
        while !self.ended && self.end < (held * 2).max(1) {
            match self.text.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Where in the first so many bytes something stands that is no text, if there is any, and
    /// what: how many bytes of the file before it.
    pub(crate) fn flaw(&mut self, length: usize) -> Option<(Flaw, u64)> {
        let (start, end) = (self.start, self.start + length);
        if self.odd < start {
            self.odd = start;
        }
        if self.odd < end && is_plain(self.bytes[self.odd]) {
            self.odd += plain(&self.bytes[self.odd..self.end]);
        }
        if self.odd >= end {
            return None;
        }
        let bytes = &self.bytes[start..end];
        let zero = memchr::memchr(0, bytes).map(|at| (Flaw::Zero, at));
        let invalid = match simdutf8::basic::from_utf8(bytes) {
            Ok(_) => {
                let end = self.passed + length as u64;
                let found = self.text.malformed(self.passed, end);
                found.and_then(|at| usize::try_from(at - self.passed).ok())
            }
            Err(_) => {
                let sound = bytes.utf8_chunks().next();
                Some(sound.map_or(0, |chunk| chunk.valid().len()))
            }
        };
        let invalid = invalid.map(|at| (Flaw::Invalid, at));
        let (flaw, at) = zero.into_iter().chain(invalid).min_by_key(|(_, at)| *at)?;
        Some((flaw, self.text.units.stored(&bytes[..at])))
    }

    /// How many bytes of the file the first so many bytes were.
    pub(crate) fn stored(&self, length: usize) -> u64 {
        self.text.units.stored(&self.bytes()[..length])
    }

    /// Passes so many bytes, with so many line breaks in them, and gives them. They stay until
    /// more is read.
    pub(crate) fn pass(&mut self, length: usize, breaks: u64) -> &[u8] {
        self.at.byte += self.stored(length);
        self.at.line += breaks;
        self.passed += length as u64;
        self.start += length;
        &self.bytes[self.start - length..self.start]
    }
}

/// What is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A byte that is zero.
    Zero,
    /// Bytes that the encoding does not have.
    Invalid,
}

fn is_plain(byte: u8) -> bool {
    // Neither zero nor above 127.
    byte.wrapping_sub(1) < 0x7f
}

/// How many bytes stand before the first that is not plain.
fn plain(bytes: &[u8]) -> usize {
    let odd_block = |block: &[u8]| block.iter().fold(false, |odd, byte| odd | !is_plain(*byte));
    let blocks = bytes
        .chunks(BLOCK)
        .take_while(|block| !odd_block(block))
        .count();
    let looked_at = (blocks * BLOCK).min(bytes.len());
    let rest = bytes[looked_at..].iter().position(|byte| !is_plain(*byte));
    looked_at + rest.unwrap_or(bytes.len() - looked_at)
}
