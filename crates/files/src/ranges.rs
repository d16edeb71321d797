//! Any part of a file, at any time.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::failure::{changed, failed};
use crate::root::Found;

/// Any part of a file, at any time, from any thread.
pub trait Ranges: Debug + Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes from the start of a range to before its end.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or the file has changed.
    ///
    /// # Panics
    ///
    /// When the range ends behind the file.
    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError>;

    /// The bytes of several ranges, in their order. Where asking costs time, those that are near
    /// each other are asked for together, and a few at once.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    fn read_all(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        ranges
            .iter()
            .cloned()
            .map(|range| self.read(range))
            .collect()
    }
}

/// Bytes copied at a time.
const COPIED: usize = 256 * 1024;

/// A file on this machine.
#[derive(Debug)]
pub(crate) struct Local {
    name: Arc<str>,
    file: File,
    length: u64,
}

impl Local {
    /// The file at that path, as far as that many bytes.
    pub(crate) fn open(name: &Arc<str>, path: &Path, length: u64) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(|error| failed(name, error))?;
        let name = Arc::clone(name);
        Ok(Self { name, file, length })
    }

    /// A copy of all bytes that can be read.
    pub(crate) fn copy(found: &Found, input: &mut dyn Read) -> Result<Self, SourceError> {
        let name = Arc::clone(&found.name);
        let room = |error: io::Error| {
            let doing = format!("copy {name} to a temporary file");
            let reason = error.kind().to_string();
            SourceError::new(SourceErrorKind::Failed, doing, reason)
                .help("make room in the folder for temporary files, or set TMPDIR to another")
                .cause(error)
        };
        let mut copy = tempfile::tempfile().map_err(room)?;
        let (mut chunk, mut length) = (vec![0; COPIED], 0);
        loop {
            let read = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let (file, line, byte) = (Arc::clone(&name), None, Some(length));
                    return Err(found.broken(error, Place { file, line, byte }).error);
                }
            };
            io::Write::write_all(&mut copy, &chunk[..read]).map_err(room)?;
            length += read as u64;
        }
        Ok(Self {
            name,
            file: copy,
            length,
        })
    }
}

impl Ranges for Local {
    fn len(&self) -> u64 {
        self.length
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        assert!(range.end <= self.length, "a range ends within its file");
        let length = usize::try_from(range.end - range.start).expect("a range fits in memory");
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, range.start) {
            Ok(()) => Ok(bytes.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed(&self.name)),
            Err(error) => Err(failed(&self.name, error)),
        }
    }
}
