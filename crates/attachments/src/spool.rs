//! Where a file waits between the host and the store: hashed as it comes, in memory while it is small
//! and in a temporary file without a name when it is not.
//!
//! It cannot go straight on: what it is called is only known at its end, and what breaks off must
//! not be seen.

use std::io;
use std::path::PathBuf;

use md5::Md5;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeekExt, AsyncWriteExt};

/// Bytes that wait in memory. Most pictures of a chat are smaller.
const IN_MEMORY: usize = 1 << 20;

/// A file that is coming in.
pub(crate) struct Spool {
    folder: Option<PathBuf>,
    memory: Vec<u8>,
    file: Option<File>,
    sha256: Sha256,
    md5: Option<Md5>,
    bytes: u64,
}

/// A file that has come in whole.
pub(crate) struct Spooled {
    pub(crate) sha256: [u8; 32],
    /// If it was asked for.
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) bytes: u64,
    contents: Contents,
}

enum Contents {
    Memory(Vec<u8>),
    File(File),
}

impl Spool {
    /// An empty one. What is large waits in that folder, or in the system's for such files.
    pub(crate) fn new(folder: Option<PathBuf>, with_md5: bool) -> Self {
        Self {
            folder,
            memory: Vec::new(),
            file: None,
            sha256: Sha256::new(),
            md5: with_md5.then(Md5::new),
            bytes: 0,
        }
    }

    /// How many bytes have come.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first bytes, for as long as all are in memory.
    pub(crate) fn beginning(&self) -> &[u8] {
        &self.memory
    }

    /// Takes what has come.
    pub(crate) async fn add(&mut self, part: &[u8]) -> io::Result<()> {
        self.sha256.update(part);
        if let Some(md5) = &mut self.md5 {
            md5.update(part);
        }
        self.bytes += part.len() as u64;
        if self.file.is_none() && self.memory.len() + part.len() <= IN_MEMORY {
            self.memory.extend_from_slice(part);
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let folder = self.folder.clone();
                let made = tokio::task::spawn_blocking(move || match folder {
                    Some(folder) => tempfile::tempfile_in(folder),
                    None => tempfile::tempfile(),
                });
                let mut file = File::from_std(made.await.map_err(io::Error::other)??);
                file.write_all(&std::mem::take(&mut self.memory)).await?;
                self.file.insert(file)
            }
        };
        file.write_all(part).await
    }

    /// All of it.
    pub(crate) async fn finish(self) -> io::Result<Spooled> {
        let contents = match self.file {
            Some(mut file) => {
                file.flush().await?;
                file.rewind().await?;
                Contents::File(file)
            }
            None => Contents::Memory(self.memory),
        };
        Ok(Spooled {
            sha256: self.sha256.finalize().into(),
            md5: self.md5.map(|md5| md5.finalize().into()),
            bytes: self.bytes,
            contents,
        })
    }
}

impl Spooled {
    /// Its bytes, from the first on.
    pub(crate) fn into_contents(self) -> Box<dyn AsyncRead + Unpin + Send> {
        match self.contents {
            Contents::Memory(bytes) => Box::new(io::Cursor::new(bytes)),
            Contents::File(file) => Box::new(file),
        }
    }
}
