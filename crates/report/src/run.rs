//! What a run has come to.

use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_core::OutcomeKind;
use chatferry_runtime::Finished;
use chrono::{DateTime, Utc};

use crate::Advice;
use crate::pace::Pace;

/// A run that has ended, and what has to be known to tell it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What it was: `Run` or `Rehearsal`.
    pub title: &'a str,
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// What it has come to.
    pub finished: &'a Finished,
    /// When it was over.
    pub now: DateTime<Utc>,
    /// How it ended before its time, in a sentence, if it did.
    pub trouble: Option<&'a str>,
    /// How fast it was.
    pub pace: &'a Pace,
    /// How long it takes for real, and at which limit, where it was not the real thing.
    pub for_real: Option<(NonZeroU32, Duration)>,
    /// Rows that were not delivered: a few of each reason.
    pub examples: &'a [Example],
    /// What to do about reasons.
    pub advice: Advice,
}

/// A row that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The flow that made it.
    pub flow: String,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// The rule, the API's code, or the field by which it is blocked.
    pub reason: String,
    /// Its id, as far as it is known.
    pub id: Option<String>,
    /// Where it stands, as far as that is known.
    pub place: Option<String>,
    /// What was found.
    pub detail: String,
}
