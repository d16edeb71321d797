//! Where files are, as a person writes it.

use std::path::{Path, PathBuf};

use crate::limits::Limits;

/// Where files are: a folder or an archive, and how much may come out of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    written: String,
    path: PathBuf,
    limits: Limits,
}

impl Address {
    /// What is written; a relative path begins in that folder.
    #[must_use]
    pub fn parse(written: &str, folder: &Path) -> Self {
        Self {
            written: written.to_owned(),
            path: folder.join(written),
            limits: Limits::default(),
        }
    }

    /// A folder, and what a person calls it.
    #[must_use]
    pub fn folder(path: &Path, called: &str) -> Self {
        Self {
            written: called.to_owned(),
            path: path.to_owned(),
            limits: Limits::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// As it is written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}
