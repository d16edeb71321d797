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

/// The error for what the operating system said when files were to be put there.
pub(crate) fn unwritten(shown: &str, error: &io::Error) -> SourceError {
    let said = error.to_string();
    let is_full = error.kind() == io::ErrorKind::StorageFull || said.contains("No space left");
    let is_denied =
        error.kind() == io::ErrorKind::PermissionDenied || said.contains("Permission denied");
    let (kind, reason, help) = match (is_full, is_denied) {
        (true, _) => (
            SourceErrorKind::Failed,
            "the disk is full",
            "make room, and start again",
        ),
        (_, true) => (
            SourceErrorKind::Denied,
            "permission denied",
            "give this user the right to write there",
        ),
        _ => (
            SourceErrorKind::Failed,
            "it cannot be written",
            "is it a folder, and is the disk well? then start again",
        ),
    };
    SourceError::new(kind, format!("put files into {shown}"), reason)
        .help(help)
        .cause(said)
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

/// The error for what went wrong in the middle of a file, at that place. `packed` says what its
/// bytes come out of, when that is something compressed or an archive.
pub(crate) fn broken(name: &str, packed: Option<&str>, error: io::Error, place: Place) -> Broken {
    let error = match error.downcast::<SourceError>() {
        // Somebody beneath knew better what happened.
        Ok(known) => return known.at(place).into(),
        Err(error) => error,
    };
    if let Some(packed) = packed {
        if takes_too_much_memory(&error) {
            let reason = "it takes too much memory to decompress";
            let help = "compress it again with the usual options, without `--ultra --long`";
            return refused(name, reason)
                .at(place)
                .help(help)
                .cause(error)
                .into();
        }
        if let Some(what) = damage(&error) {
            let error = refused(name, &format!("{packed} {what}"))
                .at(place)
                .help("export or download it again; the rows before this place could be read")
                .cause(error);
            return Broken {
                error,
                damaged: true,
            };
        }
    }
    failed(name, error).at(place).into()
}

/// What it says of compressed data, if it does. Decompressors tell it in words.
fn damage(error: &io::Error) -> Option<&'static str> {
    let said = error.to_string().to_lowercase();
    let says = |words: [&str; 2]| words.into_iter().any(|word| said.contains(word));
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Some("breaks off"),
        _ if says(["incomplete frame", "unexpected end"]) => Some("breaks off"),
        _ if says(["checksum", "crc"]) => Some("is damaged: its checksum is another"),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            Some("is damaged")
        }
        _ => None,
    }
}

fn takes_too_much_memory(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory || error.to_string().contains("too much memory")
}
