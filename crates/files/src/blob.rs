//! Bytes that are stored in one piece, and by what it is noticed that they have changed.

use std::fs::{self, File, Metadata};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chatferry_core::source::SourceError;

use crate::failure::failed;
use crate::ranges::{Local, Ranges};

/// A file on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob(PathBuf);

/// By what it is noticed that something has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its size in bytes.
    pub(crate) size: u64,
    modified: Option<SystemTime>,
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
        }
    }
}

impl Blob {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self(path)
    }

    /// Its name, without where it is.
    pub(crate) fn name(&self) -> String {
        let name = self.0.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// What it is now.
    pub(crate) fn mark(&self) -> Result<Mark, SourceError> {
        let metadata = fs::metadata(&self.0).map_err(|error| failed(&self.name(), error))?;
        Ok(Mark::of(&metadata))
    }

    /// Whether it is no longer what it was.
    pub(crate) fn has_changed(&self, mark: &Mark) -> bool {
        self.mark().map_or(true, |now| now != *mark)
    }

    /// Its bytes from that place on, as many as it had. `name` is for errors.
    pub(crate) fn stream(
        &self,
        name: &str,
        mark: &Mark,
        from: u64,
    ) -> Result<Box<dyn Read>, SourceError> {
        let mut file = File::open(&self.0).map_err(|error| failed(name, error))?;
        if from > 0 {
            let sought = file.seek(SeekFrom::Start(from));
            sought.map_err(|error| failed(name, error))?;
        }
        // What was added since it was listed was not looked at, so it is not read.
        Ok(Box::new(file.take(mark.size.saturating_sub(from))))
    }

    /// Its bytes, to be read from any place.
    pub(crate) fn seekable(&self, mark: &Mark) -> Result<Box<dyn Seekable>, SourceError> {
        let _ = mark;
        let file = File::open(&self.0).map_err(|error| failed(&self.name(), error))?;
        Ok(Box::new(BufReader::new(file)))
    }

    /// Any part of it, at any time.
    pub(crate) fn ranges(
        &self,
        name: &Arc<str>,
        mark: &Mark,
    ) -> Result<Arc<dyn Ranges>, SourceError> {
        Ok(Arc::new(Local::open(name, &self.0, mark.size)?))
    }
}
