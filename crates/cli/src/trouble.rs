//! How things go wrong, each kind with its exit code and its advice.

use std::fmt;
use std::process::ExitCode;

use chatferry_core::{SourceError, SourceErrorKind};
use chatferry_ledger::LedgerError;

/// How the program ends. The numbers are documented in `--help` and relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; every row is imported, present or skipped on purpose.
    Done,
    /// A fault of chatferry itself.
    Fault,
    /// Wrong usage.
    Usage,
    /// The pipeline file has mistakes.
    Pipeline,
    /// A source cannot be read.
    Source,
    /// The destination, or the store for attachments, refuses to work or does not answer.
    Destination,
    /// The ledger, or the map of attachments, cannot be read or written.
    Ledger,
    /// Done, but some rows were rejected, refused or blocked, or could not be taken away again; or
    /// some files could not be copied.
    Undelivered,
    /// Verified, and the destination does not hold what was imported, or holds more.
    Different,
    /// Stopped because of a limit that is set: too many records were refused, or as many messages
    /// as may be are delivered.
    Limit,
    /// Stopped before the end.
    Stopped,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::Usage => 2,
            Self::Pipeline => 3,
            Self::Source => 4,
            Self::Destination => 5,
            Self::Ledger => 6,
            Self::Undelivered => 7,
            Self::Different => 8,
            Self::Limit => 9,
            Self::Stopped => 130,
        }
    }

    pub(crate) fn from_clap(error: &clap::Error) -> Self {
        if error.use_stderr() {
            Self::Usage
        } else {
            Self::Done
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What ended the program: what happened and what to do.
#[derive(Debug)]
pub struct Trouble {
    /// Which kind of trouble.
    pub exit: Exit,
    /// What happened, as a lower-case fragment; empty when it was already shown.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Trouble {
    /// Trouble of that kind.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: None,
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Trouble that was already shown.
    #[must_use]
    pub fn shown(exit: Exit) -> Self {
        Self::new(exit, "")
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        let exit = if error.kind == SourceErrorKind::Pipeline {
            Exit::Pipeline
        } else {
            Exit::Source
        };
        Self {
            exit,
            message: error.to_string(),
            help: error.help,
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Self {
            exit: Exit::Ledger,
            message: error.to_string(),
            help: error.help,
        }
    }
}
