//! The bytes of an object one after the other, a little ahead of who reads them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures::executor::block_on;
use tokio::sync::mpsc::Receiver;

use super::connect::Trouble;
use super::failure::{failed, gives_no_parts};
use super::wait::{Awaited, begin, begin_many};
use super::{Object, fetch};
use crate::blob::Mark;

/// How long a part is at first, since many a file is short and many a look is brief.
const FIRST_PART: u64 = 256 << 10;
/// How long a part is at most. Twice as long each time until then; at this length the time that
/// asking takes cannot be measured beside the time that the bytes take.
const LONGEST_PART: u64 = 4 << 20;
/// Parts that are asked for ahead.
const AHEAD: usize = 2;
/// Answers' pieces that wait, of a server that gives no parts.
const PIECES_AHEAD: usize = 32;

/// The bytes of an object from some place on.
pub(crate) struct Stream {
    object: Object,
    mark: Mark,
    name: Arc<str>,
    /// Up to where it was asked for.
    asked: u64,
    part: u64,
    ahead: VecDeque<Awaited<Result<Bytes, Trouble>>>,
    /// What a server that gives no parts sends.
    whole: Option<Receiver<Result<Bytes, Trouble>>>,
    /// Up to where it was given.
    given: u64,
    current: Bytes,
}

impl Stream {
    /// The bytes from that place on. `name` is for errors.
    pub(crate) fn new(object: Object, mark: Mark, name: &str, from: u64) -> Self {
        Self {
            object,
            mark,
            name: name.into(),
            asked: from,
            part: FIRST_PART,
            ahead: VecDeque::new(),
            whole: None,
            given: from,
            current: Bytes::new(),
        }
    }

    /// Some more bytes; none at the end.
    pub(crate) fn next(&mut self) -> io::Result<Bytes> {
        if self.given >= self.mark.size {
            return Ok(Bytes::new());
        }
        let bytes = match &mut self.whole {
            Some(pieces) => piece(pieces),
            None => {
                // The first part alone: who wants more than that wants all.
                let most = if self.part == FIRST_PART { 1 } else { AHEAD };
                self.ask(most);
                let first = self.ahead.pop_front().expect("there is more to ask for");
                match first.wait() {
                    Err(Trouble::Store(error)) if gives_no_parts(&error) => {
                        self.ahead.clear();
                        let (object, mark, from) =
                            (self.object.clone(), self.mark.clone(), self.given);
                        let pieces = begin_many(PIECES_AHEAD, move |sender| {
                            fetch::whole(object, mark, from, sender)
                        });
                        piece(self.whole.insert(pieces))
                    }
                    part => part,
                }
            }
        };
        let bytes = bytes.map_err(|trouble| io::Error::other(self.told(trouble)))?;
        self.given += bytes.len() as u64;
        if self.whole.is_none() {
            self.ask(AHEAD);
        }
        Ok(bytes)
    }

    fn ask(&mut self, most: usize) {
        while self.ahead.len() < most && self.asked < self.mark.size {
            let range = self.asked..self.mark.size.min(self.asked + self.part);
            self.asked = range.end;
            self.part = LONGEST_PART.min(self.part * 2);
            let (object, mark) = (self.object.clone(), self.mark.clone());
            self.ahead.push_back(begin(
                async move { fetch::part(&object, &mark, range).await },
            ));
        }
    }

    fn told(&self, trouble: Trouble) -> chatferry_core::source::SourceError {
        match trouble {
            Trouble::Store(error) => {
                let bucket = &self.object.bucket;
                failed(&error, &self.name, &bucket.shown, bucket.store.scheme())
            }
            Trouble::Known(error) => error,
        }
    }
}

fn piece(pieces: &mut Receiver<Result<Bytes, Trouble>>) -> Result<Bytes, Trouble> {
    block_on(pieces.recv()).unwrap_or_else(|| Ok(Bytes::new()))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() {
            self.current = self.next()?;
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current[..length]);
        self.current.advance(length);
        Ok(length)
    }
}
