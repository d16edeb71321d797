//! One file as a stream of bytes, decompressed.

use std::io::{self, Read};
use std::sync::Arc;

use chatferry_core::source::SourceError;

use crate::archive::Unpacker;
use crate::compression::{Compression, Failing, plain};
use crate::limits::Limits;
use crate::root::{Found, Input, Whence};

/// Opens the files of one root, one after the other. An archive is opened once.
///
/// Files are opened fastest in the order in which they were listed.
pub struct Opener {
    within: Option<Within>,
    limits: Limits,
}

/// What the root's files are in, where they do not lie about by themselves.
pub(crate) enum Within {
    Archive(Unpacker),
    Input(Arc<dyn Input>),
}

impl Opener {
    pub(crate) fn new(within: Option<Within>, limits: Limits) -> Self {
        Self { within, limits }
    }

    /// The bytes of a file, decompressed.
    ///
    /// When reading fails, [`Found::broken`] says what to do about it. What was added to the file
    /// since it was listed is not read.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is not compressed as its name says.
    ///
    /// # Panics
    ///
    /// When the file was listed by another root.
    pub fn open<'a>(&'a mut self, file: &Found) -> Result<Box<dyn Read + 'a>, SourceError> {
        let (name, limits) = (&*file.name, self.limits);
        let given = matches!(file.whence, Whence::Given | Whence::Lost(_));
        let stored = self.stored(file)?;
        match Compression::of(name) {
            _ if given => Ok(stored),
            Some(compression) => compression.unpacked(name, stored, limits),
            None => plain(name, stored),
        }
    }

    /// The bytes of a file as they are, compressed or not.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    ///
    /// # Panics
    ///
    /// When the file was listed by another root.
    pub fn stored<'a>(&'a mut self, file: &Found) -> Result<Box<dyn Read + 'a>, SourceError> {
        let name = &*file.name;
        match &file.whence {
            Whence::Stored(blob, mark) => blob.stream(name, mark, 0),
            Whence::Member(_, _, place) => match &mut self.within {
                Some(Within::Archive(unpacker)) => unpacker.read(*place, name, file.size),
                _ => unreachable!("members are only found in archives"),
            },
            Whence::Given => match &self.within {
                Some(Within::Input(input)) => Ok(input.open()?),
                _ => unreachable!("what is given is only found in an input"),
            },
            Whence::Lost(damage) => {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, damage.clone());
                Ok(Box::new(Failing(Some(error))))
            }
        }
    }
}
