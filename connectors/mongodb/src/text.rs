//! All pages of a scan as one text, a document in each line.
//!
//! Who reads it blocks, and a page is asked for only when the one before has been read. Between
//! two pages nothing is open at the server.

use std::fmt;
use std::io::{self, Cursor, Read};

use chatferry_core::source::SourceError;
use chatferry_files::Input;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::page::{Pages, Reading};

/// What tells that somebody still wants to read: once it is dropped, nobody does.
pub(crate) type Hand = watch::Sender<()>;

/// What is read, and who still wants it.
pub(crate) struct Text {
    reading: Reading,
    wanted: watch::Receiver<()>,
    runtime: Handle,
}

impl Text {
    /// The text of this, for as long as the hand that is given with it is held. The runtime is
    /// the one that this is called in.
    pub(crate) fn of(reading: Reading) -> (Self, Hand) {
        let (hand, wanted) = watch::channel(());
        let text = Self {
            reading,
            wanted,
            runtime: Handle::current(),
        };
        (text, hand)
    }
}

impl Input for Text {
    fn open(&self) -> Result<Box<dyn Read>, SourceError> {
        Ok(Box::new(Lines {
            pages: Pages::of(self.reading.clone()),
            page: Cursor::new(Vec::new()),
            wanted: self.wanted.clone(),
            runtime: self.runtime.clone(),
        }))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collection = self.reading.collection.name();
        f.debug_tuple("Text").field(&collection).finish()
    }
}

/// The lines of all pages.
struct Lines {
    pages: Pages,
    page: Cursor<Vec<u8>>,
    wanted: watch::Receiver<()>,
    runtime: Handle,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.page.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let (pages, wanted) = (&mut self.pages, &mut self.wanted);
            let next = self.runtime.block_on(async {
                tokio::select! {
                    biased;
                    // Nothing is ever sent: it ends when the hand lets go.
                    _ = wanted.changed() => Ok(None),
                    page = pages.next() => page,
                }
            });
            match next.map_err(io::Error::other)? {
                Some(page) => self.page = Cursor::new(page),
                None => return Ok(0),
            }
        }
    }
}
