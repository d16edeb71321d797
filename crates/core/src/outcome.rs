//! What became of a row in the end.

use std::borrow::Cow;
use std::fmt;

/// What became of a row in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored by this import, with the destination's own id where it told.
    Imported {
        /// The destination's own id.
        remote: Option<Box<str>>,
    },
    /// It was there already.
    Present,
    /// Left out on purpose.
    Skipped {
        /// Under this name.
        reason: Cow<'static, str>,
    },
    /// It breaks a rule and was not sent.
    Rejected {
        /// The rule's stable name.
        rule: Cow<'static, str>,
        /// What exactly was found.
        detail: String,
    },
    /// The destination did not take it.
    Refused {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
    },
    /// What it refers to was rejected or refused, so it was not sent.
    Blocked {
        /// What it refers to, such as `sender bob`.
        on: String,
    },
}

/// The outcomes without their details, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// See [`Outcome::Imported`].
    Imported,
    /// See [`Outcome::Present`].
    Present,
    /// See [`Outcome::Skipped`].
    Skipped,
    /// See [`Outcome::Rejected`].
    Rejected,
    /// See [`Outcome::Refused`].
    Refused,
    /// See [`Outcome::Blocked`].
    Blocked,
}

impl OutcomeKind {
    /// All of them, in the order in which an account lists them.
    pub const ALL: [Self; 6] = [
        Self::Imported,
        Self::Present,
        Self::Skipped,
        Self::Rejected,
        Self::Refused,
        Self::Blocked,
    ];

    /// Its name: `imported`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Present => "present",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::Blocked => "blocked",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the record is at the destination.
    #[must_use]
    pub const fn delivered(self) -> bool {
        matches!(self, Self::Imported | Self::Present)
    }
}

impl Outcome {
    /// What kind of outcome it is.
    #[must_use]
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Imported { .. } => OutcomeKind::Imported,
            Self::Present => OutcomeKind::Present,
            Self::Skipped { .. } => OutcomeKind::Skipped,
            Self::Rejected { .. } => OutcomeKind::Rejected,
            Self::Refused { .. } => OutcomeKind::Refused,
            Self::Blocked { .. } => OutcomeKind::Blocked,
        }
    }

    /// The name it is counted under: a skip's reason, a rule, an API code, or what blocks it
    /// without saying which one; empty for those that are delivered.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Imported { .. } | Self::Present => "",
            Self::Skipped { reason } => reason,
            Self::Rejected { rule, .. } => rule,
            Self::Refused { code, .. } => code,
            Self::Blocked { on } => on.split_once(' ').map_or(on, |(field, _)| field),
        }
    }

    /// What exactly was found, for those that have something to say.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Imported { .. } | Self::Present | Self::Skipped { .. } => "",
            Self::Rejected { detail, .. } => detail,
            Self::Refused { message, .. } => message,
            Self::Blocked { on } => on,
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
