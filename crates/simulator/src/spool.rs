//! Where the messages' texts are: a temporary file without a name, written at its end.
//!
//! The operating system removes it with the process, however that ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// A file that grows at its end and is read in pieces.
pub(crate) struct Spool {
    file: File,
    /// What is not in the file yet.
    pending: Vec<u8>,
    /// Bytes in the file.
    written: u64,
}

/// Bytes gathered before they are written.
const PENDING: usize = 256 * 1024;

impl Spool {
    pub(crate) fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        Ok(Self {
            file,
            pending: Vec::with_capacity(PENDING),
            written: 0,
        })
    }

    /// Adds `bytes` at the end, or nothing of them when it fails.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.pending.len() + bytes.len() > PENDING {
            self.flush()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes `bytes` over those that were added at the `from`th on, counted from 0.
    pub(crate) fn replace(&mut self, from: u64, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        self.file.seek(SeekFrom::Start(from))?;
        self.file.write_all(bytes)
    }

    /// How many bytes were added.
    pub(crate) fn len(&self) -> u64 {
        self.written + u64::try_from(self.pending.len()).expect("memory is counted in 64 bits")
    }

    /// At most `most` bytes from the `from`th on, counted from 0.
    pub(crate) fn read(&mut self, from: u64, most: u64) -> io::Result<Vec<u8>> {
        self.flush()?;
        self.file.seek(SeekFrom::Start(from))?;
        let mut piece = Vec::new();
        (&self.file).take(most).read_to_end(&mut piece)?;
        Ok(piece)
    }

    /// A write that fails half-way is repeated from its start by the next one.
    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(&self.pending)?;
        self.written = self.len();
        self.pending.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{PENDING, Spool};

    #[test]
    fn what_was_added_is_read_in_pieces_between_additions() {
        let mut spool = Spool::new().unwrap();
        let line = vec![b'x'; PENDING / 3];
        for _ in 0..5 {
            spool.append(&line).unwrap();
        }
        assert_eq!(spool.read(3, 2).unwrap(), b"xx");
        spool.append(b"end").unwrap();
        let len = spool.len();
        assert_eq!(len, (5 * line.len() + 3) as u64);
        assert_eq!(spool.read(len - 4, 100).unwrap(), b"xend");
        assert_eq!(spool.read(len, 100).unwrap(), b"");
        spool.replace(1, b"yz").unwrap();
        spool.append(b"!").unwrap();
        assert_eq!(spool.read(0, 4).unwrap(), b"xyzx");
        assert_eq!(spool.read(len, 100).unwrap(), b"!");
    }
}
