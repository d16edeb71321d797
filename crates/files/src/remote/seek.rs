//! The bytes of an object from any place, for what was made for files.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;

use super::Object;
use super::stream::Stream;
use crate::blob::Mark;

/// How far reading on is cheaper than asking anew.
const NEAR: u64 = 1 << 20;

/// The bytes of an object from any place.
pub(crate) struct Seeker {
    object: Object,
    mark: Mark,
    name: Arc<str>,
    at: u64,
    /// Some bytes that were read, and where they begin.
    window: (u64, Bytes),
    /// What follows them.
    rest: Option<Stream>,
}

impl Seeker {
    pub(crate) fn new(object: Object, mark: Mark, name: &str) -> Self {
        Self {
            object,
            mark,
            name: name.into(),
            at: 0,
            window: (0, Bytes::new()),
            rest: None,
        }
    }

    /// What is in the window from where we are on.
    fn here(&self) -> Option<Bytes> {
        let from = usize::try_from(self.at.checked_sub(self.window.0)?).ok()?;
        (from < self.window.1.len()).then(|| self.window.1.slice(from..))
    }
}

impl Read for Seeker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.mark.size {
            return Ok(0);
        }
        let here = loop {
            if let Some(here) = self.here() {
                break here;
            }
            let end = self.window.0 + self.window.1.len() as u64;
            let is_near = self.at.checked_sub(end).is_some_and(|ahead| ahead <= NEAR);
            let (from, rest) = match &mut self.rest {
                Some(rest) if is_near => (end, rest),
                rest => {
                    let (object, mark) = (self.object.clone(), self.mark.clone());
                    let stream = Stream::new(object, mark, &self.name, self.at);
                    (self.at, rest.insert(stream))
                }
            };
            let bytes = rest.next()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.window = (from, bytes);
        };
        let length = buffer.len().min(here.len());
        buffer[..length].copy_from_slice(&here[..length]);
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Seeker {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.mark.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
