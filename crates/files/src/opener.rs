//! One file as a stream of bytes, decompressed.

use std::fs::File;
use std::io::Read;

use chatferry_core::source::SourceError;

use crate::archive::Archive;
use crate::compression::Compression;
use crate::failure::failed;
use crate::root::{Found, Whence};

/// Opens the files of one root, one after the other. An archive is opened once.
///
/// Files are opened fastest in the order in which they were listed.
pub struct Opener {
    archive: Option<Archive>,
}

impl Opener {
    pub(crate) fn new(archive: Option<Archive>) -> Self {
        Self { archive }
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
            Whence::File(path, mark) => {
                let opened = File::open(path).map_err(|error| failed(name, error))?;
                Box::new(opened.take(mark.size))
            }
            Whence::Member(index) => {
                let archive = self.archive.as_mut();
                archive
                    .expect("members are only found in archives")
                    .read(*index, name)?
            }
        };
        match Compression::of(name) {
            Some(compression) => compression.unpacked(name, stored),
            None => Ok(stored),
        }
    }
}
