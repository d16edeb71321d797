//! Bytes that are stored in one piece, and by what it is noticed that they have changed.

use std::fs::{self, File, Metadata};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::failure::failed;
use crate::ranges::{Local, Ranges};
use crate::remote::{Object, Parts, Seeker, Stream};

/// Bytes that are stored in one piece.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Blob {
    /// In a file on this machine.
    File(PathBuf),
    /// Elsewhere.
    Object(Object),
}

/// By what it is noticed that something has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its size in bytes.
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
    /// What a store calls this version of it.
    pub(crate) tag: Option<Arc<str>>,
}

/// What can be read from any place.
pub(crate) trait Seekable: Read + Seek {}

impl<R: Read + Seek> Seekable for R {}

impl Mark {
    /// The mark of a file as it is now.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            tag: None,
        }
    }

    /// Whether what has changed since then would be noticed: by its version, or by a time of
    /// writing that lies before.
    pub(crate) fn tells_changes_since(&self, time: SystemTime) -> bool {
        self.tag.is_some() || self.modified.is_some_and(|modified| modified < time)
    }
}

impl Blob {
    /// Its name, without where it is.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
            Self::Object(object) => object.name(),
        }
    }

    /// What it is now.
    pub(crate) fn mark(&self) -> Result<Mark, SourceError> {
        match self {
            Self::File(path) => {
                let metadata = fs::metadata(path).map_err(|error| failed(&self.name(), error))?;
                Ok(Mark::of(&metadata))
            }
            Self::Object(object) => object.mark(),
        }
    }

    /// Whether it is no longer what it was. Of what is elsewhere this is noticed while it is read.
    pub(crate) fn has_changed(&self, mark: &Mark) -> bool {
        match self {
            Self::File(_) => self.mark().map_or(true, |now| now != *mark),
            Self::Object(_) => false,
        }
    }

    /// Its bytes from that place on, as many as it had. `name` is for errors.
    pub(crate) fn stream(
        &self,
        name: &str,
        mark: &Mark,
        from: u64,
    ) -> Result<Box<dyn Read>, SourceError> {
        let path = match self {
            Self::File(path) => path,
            Self::Object(object) => {
                let stream = Stream::new(object.clone(), mark.clone(), name, from);
                return Ok(Box::new(stream));
            }
        };
        let mut file = File::open(path).map_err(|error| failed(name, error))?;
        if from > 0 {
            let sought = file.seek(SeekFrom::Start(from));
            sought.map_err(|error| failed(name, error))?;
        }
        // What was added since it was listed was not looked at, so it is not read.
        Ok(Box::new(file.take(mark.size.saturating_sub(from))))
    }

    /// Its bytes, to be read from any place.
    pub(crate) fn seekable(&self, mark: &Mark) -> Result<Box<dyn Seekable>, SourceError> {
        let name = self.name();
        match self {
            Self::File(path) => {
                let file = File::open(path).map_err(|error| failed(&name, error))?;
                Ok(Box::new(BufReader::new(file)))
            }
            Self::Object(object) if object.gives_parts(mark)? => {
                let seeker = Seeker::new(object.clone(), mark.clone(), &name);
                Ok(Box::new(seeker))
            }
            Self::Object(_) => {
                let reason = "the server gives no parts of files, and its directory is at its end";
                let doing = format!("open {name}");
                Err(SourceError::new(SourceErrorKind::Malformed, doing, reason)
                    .help("download it, and give the copy as `root`"))
            }
        }
    }

    /// Any part of it, at any time; `None` where there are no parts to be had.
    pub(crate) fn ranges(
        &self,
        name: &Arc<str>,
        mark: &Mark,
    ) -> Result<Option<Arc<dyn Ranges>>, SourceError> {
        Ok(match self {
            Self::File(path) => Some(Arc::new(Local::open(name, path, mark.size)?)),
            Self::Object(object) if object.gives_parts(mark)? => {
                Some(Arc::new(Parts::new(object.clone(), mark.clone(), name)))
            }
            Self::Object(_) => None,
        })
    }
}
