//! Where messages come from: a tap, or a file of what one has printed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_child::Switch;
use chatferry_core::source::{SourceError, SourceErrorKind};
use chatferry_files::Input;

use crate::catalog::{Catalog, Selection};
use crate::messages::{self, Messages};
use crate::settings::From;
use crate::stream::{Records, Wanted};
use crate::tap::Tap;

/// Where messages come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Tap(Tap),
    File(PathBuf),
}

/// What is known of it before anything else is read.
pub(crate) struct Known {
    pub(crate) catalog: Arc<Catalog>,
    /// What tells a file's contents from other contents.
    pub(crate) hash: Option<u64>,
}

impl Origin {
    /// The origin of these settings.
    ///
    /// # Errors
    ///
    /// When it is standard input, which is read by a command of its own.
    pub(crate) fn of(from: &From) -> Result<Self, SourceError> {
        match from {
            From::Tap {
                program,
                config,
                catalog,
            } => Ok(Self::Tap(Tap::of(
                program,
                config.as_ref(),
                catalog.as_deref(),
            ))),
            From::File(path) => Ok(Self::File(path.clone())),
            From::StandardInput => {
                let reason = "only `chatferry singer-target` reads it";
                let doing = "read standard input";
                let error = SourceError::new(SourceErrorKind::Pipeline, doing, reason);
                Err(error.help(
                    "pipe a tap into `chatferry singer-target`, or name a file of what it has \
                     printed as `path`",
                ))
            }
        }
    }

    /// How a person knows it.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Tap(tap) => tap.written().to_owned(),
            Self::File(path) => name(path),
        }
    }

    /// Which streams there are.
    pub(crate) fn known(&self, switch: &Switch) -> Result<Known, SourceError> {
        match self {
            Self::Tap(tap) => Ok(Known {
                catalog: Arc::new(tap.catalog(switch)?),
                hash: None,
            }),
            Self::File(path) => {
                let Messages { catalog, hash, .. } = messages::look(path)?;
                Ok(Known {
                    catalog: Arc::new(catalog),
                    hash: Some(hash),
                })
            }
        }
    }
}

/// The name of a file, as it is shown.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// The records of a stream, for as long as the switch is on.
pub(crate) struct Reading {
    pub(crate) origin: Origin,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) selection: Selection,
    pub(crate) wanted: Wanted,
    /// From where a tap goes on.
    pub(crate) state: Option<String>,
    pub(crate) switch: Switch,
}

impl Input for Reading {
    fn open(&self) -> Result<Box<dyn Read>, SourceError> {
        Ok(match &self.origin {
            Origin::Tap(tap) => {
                let catalog = self.catalog.selecting(&self.selection).to_string();
                let state = self.state.as_deref();
                let told = tap.read(&catalog, state, &self.switch)?;
                Box::new(Records::of(told, self.wanted.clone()))
            }
            Origin::File(path) => {
                let file = File::open(path).map_err(|error| messages::unread(path, error))?;
                Box::new(Records::of(file, self.wanted.clone()))
            }
        })
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("origin", &self.origin)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}
