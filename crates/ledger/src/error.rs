//! Why a ledger cannot be used, and what to do about it.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a ledger cannot be used, and what to do about it.
#[derive(Debug)]
pub struct LedgerError {
    /// What could not be done: `open`, `write`.
    pub doing: &'static str,
    /// With what: the ledger, or a file beside it.
    pub what: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl LedgerError {
    pub(crate) fn new(doing: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        Self {
            doing,
            what: "the ledger",
            path: path.to_owned(),
            reason: reason.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The file of a verification beside the ledger cannot be used.
    pub(crate) fn working(path: &Path, error: &sqlx::Error) -> Self {
        let mut failed = Self::sqlite("use", path, error);
        failed.what = "the working file";
        failed.help = Some("make room or remove the file, then run the same command again".into());
        failed
    }

    pub(crate) fn sqlite(doing: &'static str, path: &Path, error: &sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|error| error.code())
            .unwrap_or_default();
        let code: u32 = code.parse().unwrap_or_default();
        // Result codes: https://www.sqlite.org/rescode.html; the low byte is the kind.
        let (reason, help) = match code & 0xff {
            8 => (
                "it may not be written".to_owned(),
                "give the file and its folder write permission, or name another file with --ledger",
            ),
            13 => (
                "the disk is full".to_owned(),
                "make room, then run the same command again: it goes on where it stopped",
            ),
            14 => (
                "the file cannot be opened".to_owned(),
                "does its folder exist, and may it be written? --ledger names another file",
            ),
            11 | 26 => (
                "it is not a ledger, or it is damaged".to_owned(),
                "name another file with --ledger",
            ),
            5 | 6 => (
                "another program holds it".to_owned(),
                "close the program that has it open",
            ),
            10 => (
                "the disk failed".to_owned(),
                "is the disk full or gone? run the same command again afterwards",
            ),
            _ => (error.to_string(), ""),
        };
        let error = Self::new(doing, path, reason);
        if help.is_empty() {
            error
        } else {
            error.help(help)
        }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} {} {}: {}",
            self.doing,
            self.what,
            self.path.display(),
            self.reason
        )
    }
}

impl Error for LedgerError {}
