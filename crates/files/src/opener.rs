//! One file as a stream of bytes, decompressed.

use std::io::{self, Read};

use chatferry_core::source::SourceError;

use crate::archive::Unpacker;
use crate::compression::{Compression, Failing, plain};
use crate::limits::Limits;
use crate::root::{Found, Whence};

/// Opens the files of one root, one after the other. An archive is opened once.
///
/// Files are opened fastest in the order in which they were listed.
pub struct Opener {
    unpacker: Option<Unpacker>,
    limits: Limits,
}

impl Opener {
    pub(crate) fn new(unpacker: Option<Unpacker>, limits: Limits) -> Self {
        Self { unpacker, limits }
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
        let name = &*file.name;
        let stored: Box<dyn Read + 'a> = match &file.whence {
            Whence::Stored(blob, mark) => blob.stream(name, mark, 0)?,
            Whence::Member(_, _, place) => {
                let unpacker = self.unpacker.as_mut();
                let unpacker = unpacker.expect("members are only found in archives");
                unpacker.read(*place, name, file.size)?
            }
            Whence::Lost(damage) => {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, damage.clone());
                return Ok(Box::new(Failing(Some(error))));
            }
        };
        match Compression::of(name) {
            Some(compression) => compression.unpacked(name, stored, self.limits),
            None => plain(name, stored),
        }
    }
}
