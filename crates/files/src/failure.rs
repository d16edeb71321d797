//! What stands in the way of reading a file, and what to do about it.

use std::io;

use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};

/// Why a file could not be read to its end.
#[derive(Debug)]
pub struct Broken {
    /// What happened.
    pub error: SourceError,
    /// Whether the file is cut off or damaged, so that what came before can be read again and
    /// what comes behind cannot. Otherwise another try may succeed.
    pub damaged: bool,
}

impl From<SourceError> for Broken {
    fn from(error: SourceError) -> Self {
        Self {
            error,
            damaged: false,
        }
    }
}

/// The error for a file that is not what the settings say it is.
#[must_use]
pub fn refused(name: &str, reason: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Malformed, format!("read {name}"), reason).at(Place {
        file: name.into(),
        line: None,
        byte: None,
    })
}

/// The error for files that are no longer what they were when they were described.
#[must_use]
pub fn changed(name: &str) -> SourceError {
    let reason = "it has changed since its columns were looked up";
    SourceError::new(SourceErrorKind::Changed, format!("read {name}"), reason)
        .help("wait until nothing writes to it any more, or read a copy, and start again")
}

/// The error for what the operating system said of a file.
pub(crate) fn failed(name: &str, error: io::Error) -> SourceError {
    let (kind, reason, help) = match error.kind() {
        io::ErrorKind::NotFound => (
            SourceErrorKind::NotFound,
            "it is not there".to_owned(),
            Some("check the path"),
        ),
        io::ErrorKind::PermissionDenied => (
            SourceErrorKind::Denied,
            "permission denied".to_owned(),
            Some("give this user the right to read it"),
        ),
        kind => (SourceErrorKind::Failed, kind.to_string(), None),
    };
    let failed = SourceError::new(kind, format!("read {name}"), reason).cause(error);
    match help {
        Some(help) => failed.help(help),
        None => failed,
    }
}

/// The error for what went wrong in the middle of a file, at that place. `packed` tells that its
/// bytes come out of something compressed or an archive.
pub(crate) fn broken(name: &str, packed: bool, error: io::Error, place: Place) -> Broken {
    let damage = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Other
    );
    if packed && damage {
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => "its compressed data breaks off",
            _ => "its compressed data is damaged",
        };
        let error = refused(name, reason)
            .at(place)
            .help("export or download it again; the rows before this place could be read")
            .cause(error);
        return Broken {
            error,
            damaged: true,
        };
    }
    failed(name, error).at(place).into()
}
