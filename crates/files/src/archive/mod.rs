//! Files in an archive.
//!
//! An archive is looked through once, and again only when it has changed.

mod name;
mod tar;
mod zip;

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::blob::{Blob, Mark};
use crate::compression::{Compression, ends_with};
use crate::limits::Limits;

/// An archive.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) blob: Blob,
    kind: Kind,
    limits: Limits,
    /// What is in it, and what it was when that was looked up.
    index: Mutex<Option<(Mark, Arc<Index>)>>,
}

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar(Option<Compression>),
}

/// What is in an archive.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) members: Vec<Member>,
    /// Why there may be more than these: the archive is cut off or damaged behind them.
    pub(crate) damage: Option<String>,
    zip: Option<zip::Directory>,
}

/// A file in an archive.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its path within the archive.
    pub(crate) name: String,
    /// How many bytes it has, as it is stored.
    pub(crate) size: u64,
    pub(crate) place: Place,
}

/// Where in an archive a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this index of a zip archive's directory.
    Zip(usize),
    /// From this byte of a tar archive on, when it is decompressed.
    Tar(u64),
    /// In pieces, with holes between them.
    Sparse,
}

impl Kind {
    /// What the ending of a name says.
    pub(crate) fn of(name: &str) -> Option<Self> {
        if ends_with(name, ".zip") {
            return Some(Self::Zip);
        }
        if ends_with(name, ".tar") {
            return Some(Self::Tar(None));
        }
        let short = [
            (".tgz", Compression::Gzip),
            (".tzst", Compression::Zstd),
            (".tbz", Compression::Bzip2),
            (".tbz2", Compression::Bzip2),
            (".txz", Compression::Xz),
        ];
        let short = short
            .into_iter()
            .find(|(ending, _)| ends_with(name, ending));
        let long = || Compression::of(name).filter(|_| ends_with(Compression::plain(name), ".tar"));
        let compression = short.map(|(_, compression)| compression).or_else(long)?;
        Some(Self::Tar(Some(compression)))
    }

    /// What is in it can be read from any place.
    fn is_in_order(self) -> bool {
        matches!(self, Self::Tar(Some(_)))
    }
}

impl Archive {
    pub(crate) fn new(blob: Blob, kind: Kind, limits: Limits) -> Self {
        Self {
            blob,
            kind,
            limits,
            index: Mutex::default(),
        }
    }

    /// Whether its files can only be read one after the other, as they stand in it.
    pub(crate) fn is_in_order(&self) -> bool {
        self.kind.is_in_order()
    }

    /// What is in it, and what it is now.
    pub(crate) fn index(&self) -> Result<(Mark, Arc<Index>), SourceError> {
        let mark = self.blob.mark()?;
        // Nobody panics while looking through it; if it happened, what was known stays true.
        let mut known = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, index)) = &*known
            && *of == mark
        {
            return Ok((mark, Arc::clone(index)));
        }
        let index = Arc::new(match self.kind {
            Kind::Zip => zip::index(&self.blob, &mark)?,
            Kind::Tar(compression) => tar::index(&self.blob, &mark, compression, self.limits)?,
        });
        *known = Some((mark.clone(), Arc::clone(&index)));
        Ok((mark, index))
    }

    /// What takes its files out of it.
    pub(crate) fn open(&self) -> Result<Unpacker, SourceError> {
        let (mark, index) = self.index()?;
        Ok(match &index.zip {
            Some(directory) => Unpacker::Zip(zip::Unpacker::new(
                self.blob.seekable(&mark)?,
                Arc::clone(directory),
                self.limits,
            )),
            None => {
                let Kind::Tar(compression) = self.kind else {
                    unreachable!("a zip archive has a directory")
                };
                let blob = self.blob.clone();
                Unpacker::Tar(tar::Unpacker::new(blob, mark, compression, self.limits))
            }
        })
    }
}

/// Takes files out of an archive.
pub(crate) enum Unpacker {
    Zip(zip::Unpacker),
    Tar(tar::Unpacker),
}

impl Unpacker {
    /// The bytes of one of them.
    pub(crate) fn read(
        &mut self,
        place: Place,
        name: &str,
        size: u64,
    ) -> Result<Box<dyn Read + '_>, SourceError> {
        match (self, place) {
            (Self::Zip(zip), Place::Zip(index)) => zip.read(index, name),
            (Self::Tar(tar), Place::Tar(from)) => tar.read(from, name, size),
            _ => Err(cannot_be_taken_out(name, "it is stored with holes")),
        }
    }
}

/// The error for a file that an archive has and does not give.
fn cannot_be_taken_out(name: &str, reason: &str) -> SourceError {
    let doing = format!("take {name} out of the archive");
    SourceError::new(SourceErrorKind::Malformed, doing, reason)
        .help("unpack the archive, and give the folder as `root`")
}

/// The error for what is no archive, or no longer one.
fn cannot_be_opened(blob: &Blob, reason: &str) -> SourceError {
    let doing = format!("open {}", blob.name());
    SourceError::new(SourceErrorKind::Malformed, doing, reason).help("export or download it again")
}
