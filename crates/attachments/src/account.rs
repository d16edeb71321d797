//! What became of all files, in numbers that add up.

use std::collections::BTreeMap;

use crate::reason::Reason;

/// Files of each reason that are told of one by one.
const EXAMPLES: usize = 3;

/// What became of all files. Those found are the sum of all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Files that records refer to, each URL once.
    pub found: u64,
    /// Copied before.
    pub there: u64,
    /// Left where they are, since the pipeline says so of their hosts.
    pub kept: u64,
    /// Copied now.
    pub copied: u64,
    /// The bytes that were put into the store for it.
    pub bytes: u64,
    /// Fetched now, and their contents were in the store already.
    pub same: u64,
    /// Not copied, by reason.
    pub failed: BTreeMap<Reason, Failed>,
    /// Not asked for, by the reason for which their host was left alone.
    pub given_up: BTreeMap<Reason, Failed>,
    /// Not asked for, since it was stopped before.
    pub pending: u64,
}

/// Files that were not copied for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failed {
    /// How many.
    pub files: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// A file that was not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its URL without secrets.
    pub shown: String,
    /// What exactly happened.
    pub detail: String,
}

impl Failed {
    pub(crate) fn add(&mut self, example: impl FnOnce() -> Example) {
        self.files += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
}

impl Account {
    /// How many files are not copied.
    #[must_use]
    pub fn lacking(&self) -> u64 {
        let of = |reasons: &BTreeMap<Reason, Failed>| -> u64 {
            reasons.values().map(|failed| failed.files).sum()
        };
        of(&self.failed) + of(&self.given_up) + self.pending
    }

    /// How many files are done with.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.found - self.pending
    }

    /// Whether the sums agree.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.found == self.there + self.kept + self.copied + self.same + self.lacking()
    }
}
