//! A file's bytes as UTF-8, whatever they are in.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes decoded at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes looked at to tell text from other things.
const HEAD: usize = 4096;
/// Bytes that a mark of the encoding may have.
const MARK: usize = 3;

/// What the bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    /// UTF-8, given as they are.
    Same,
    /// Each a character.
    Characters,
    /// Two of them a unit of UTF-16.
    Pairs,
    /// Nobody can tell afterwards how many a character was; those of UTF-8 are counted.
    Unknown,
}

impl Units {
    fn of(encoding: &'static Encoding) -> Self {
        match encoding {
            encoding if encoding == UTF_8 => Self::Same,
            encoding if encoding == UTF_16LE || encoding == UTF_16BE => Self::Pairs,
            encoding if encoding.is_single_byte() => Self::Characters,
            _ => Self::Unknown,
        }
    }

    /// How many bytes of the file these bytes of UTF-8 were.
    pub(crate) fn stored(self, utf8: &[u8]) -> u64 {
        let characters = || utf8.iter().filter(|byte| (**byte & 0xc0) != 0x80).count() as u64;
        match self {
            Self::Same | Self::Unknown => utf8.len() as u64,
            Self::Characters => characters(),
            Self::Pairs => {
                let doubled = utf8.iter().filter(|byte| **byte >= 0xf0).count() as u64;
                2 * (characters() + doubled)
            }
        }
    }
}

/// The bytes of a file as UTF-8, without the mark that may stand before them.
pub(crate) struct Text<R> {
    reader: R,
    decoder: Option<Decoder>,
    pub(crate) units: Units,
    /// Bytes of the mark.
    pub(crate) mark: u64,
    /// What was read and not yet given or decoded.
    stored: Vec<u8>,
    start: usize,
    ended: bool,
    /// Bytes of UTF-8 given so far.
    given: u64,
    /// Where in the UTF-8 something stands in the place of what is no text, each once.
    malformed: Vec<u64>,
    /// What went wrong behind what was read first.
    failure: Option<io::Error>,
}

/// What a file is instead of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoText {
    /// UTF-16 without a mark.
    Unmarked(&'static str),
    Binary,
}

impl<R: Read> Text<R> {
    /// The text of a file in the encoding that its mark says, or else in that which is declared, or
    /// else in UTF-8.
    pub(crate) fn open(mut reader: R, declared: Option<&'static Encoding>) -> Result<Self, NoText> {
        let mut stored = Vec::new();
        let failure = reader
            .by_ref()
            .take(HEAD as u64)
            .read_to_end(&mut stored)
            .err();
        let marked = Encoding::for_bom(&stored[..stored.len().min(MARK)]);
        // Nobody begins a text with what a mark would be in another encoding.
        let (encoding, mark) = marked.unwrap_or((declared.unwrap_or(UTF_8), 0));
        let units = Units::of(encoding);
        if units != Units::Pairs {
            look_at(&stored)?;
        }
        Ok(Self {
            reader,
            decoder: (units != Units::Same).then(|| encoding.new_decoder_without_bom_handling()),
            units,
            mark: mark as u64,
            stored,
            start: mark,
            ended: false,
            given: 0,
            malformed: Vec::new(),
            failure,
        })
    }

    /// Where something stands in the place of what is no text, from there to before `end`; those
    /// before it are forgotten.
    pub(crate) fn malformed(&mut self, start: u64, end: u64) -> Option<u64> {
        if self.malformed.is_empty() {
            return None;
        }
        self.malformed.retain(|at| *at >= start);
        self.malformed.first().copied().filter(|at| *at < end)
    }

    /// Reads behind what is stored; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.stored.drain(..self.start);
        self.start = 0;
        let held = self.stored.len();
        self.stored.resize(held + CHUNK, 0);
        let read = loop {
            match self.reader.read(&mut self.stored[held..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let length = *read.as_ref().unwrap_or(&0);
        self.stored.truncate(held + length);
        self.ended = read? == 0;
        Ok(!self.ended)
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut decoder) = self.decoder.take() else {
            // What was looked at first, and then the file itself.
            let held = &self.stored[self.start..];
            if held.is_empty() {
                return match self.failure.take() {
                    Some(failure) => Err(failure),
                    None => self.reader.read(buffer),
                };
            }
            let length = held.len().min(buffer.len());
            buffer[..length].copy_from_slice(&held[..length]);
            self.start += length;
            return Ok(length);
        };
        let read = self.decoded(&mut decoder, buffer);
        self.decoder = Some(decoder);
        read
    }
}

impl<R: Read> Text<R> {
    fn decoded(&mut self, decoder: &mut Decoder, buffer: &mut [u8]) -> io::Result<usize> {
        const REPLACEMENT: &str = "\u{fffd}";
        loop {
            // At the end the decoder is asked once more, for what is cut off.
            if self.start == self.stored.len() && !self.ended {
                self.more()?;
            }
            let stored = &self.stored[self.start..];
            let room = buffer.len() - REPLACEMENT.len();
            let (result, read, mut written) =
                decoder.decode_to_utf8_without_replacement(stored, &mut buffer[..room], self.ended);
            self.start += read;
            if let DecoderResult::Malformed(..) = result {
                self.malformed.push(self.given + written as u64);
                buffer[written..written + REPLACEMENT.len()]
                    .copy_from_slice(REPLACEMENT.as_bytes());
                written += REPLACEMENT.len();
            }
            self.given += written as u64;
            if written > 0 || (self.ended && result == DecoderResult::InputEmpty) {
                return Ok(written);
            }
        }
    }
}

/// Finds out early what is no text at all.
fn look_at(head: &[u8]) -> Result<(), NoText> {
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    let half = head.len() / 2;
    if head.len() >= 4 && odd * 10 > half * 7 && even * 10 < half {
        return Err(NoText::Unmarked("utf-16le"));
    }
    if head.len() >= 4 && even * 10 > half * 7 && odd * 10 < half {
        return Err(NoText::Unmarked("utf-16be"));
    }
    let control = |byte: &&u8| **byte < 0x20 && !byte.is_ascii_whitespace();
    if head.iter().filter(control).count() * 20 > head.len() {
        return Err(NoText::Binary);
    }
    Ok(())
}
