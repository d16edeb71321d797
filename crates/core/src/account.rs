//! What became of every row: the sums that must agree.

use std::collections::BTreeMap;

use crate::entity::Entity;
use crate::outcome::OutcomeKind;

/// What became of every row that a run has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// One for each flow, in the order of delivery.
    pub flows: Vec<FlowAccount>,
}

/// What became of every row of one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowAccount {
    /// The flow's name.
    pub flow: String,
    /// What it makes.
    pub entity: Entity,
    /// How many rows were read.
    pub read: u64,
    /// How many rows an earlier run had already delivered; these were left out.
    pub settled_before: u64,
    /// How many of these make something else now than what was delivered. They are not sent again.
    pub differing: u64,
    /// How many rows ended how, and under which name (empty for imported and present).
    pub outcomes: BTreeMap<(OutcomeKind, String), u64>,
    /// How many records had a value mended on the way, by the name of the rule. These are also
    /// counted under their outcome.
    pub adjusted: BTreeMap<&'static str, u64>,
    /// How many placeholders were delivered for what its rows refer to. They are no rows of it.
    pub placeholders: BTreeMap<Entity, u64>,
    /// How many rows were read and have no outcome, because the run was stopped.
    pub pending: u64,
}

impl FlowAccount {
    /// An account with nothing in it.
    #[must_use]
    pub fn new(flow: impl Into<String>, entity: Entity) -> Self {
        Self {
            flow: flow.into(),
            entity,
            read: 0,
            settled_before: 0,
            differing: 0,
            outcomes: BTreeMap::new(),
            adjusted: BTreeMap::new(),
            placeholders: BTreeMap::new(),
            pending: 0,
        }
    }

    /// How many rows ended so, under any name.
    #[must_use]
    pub fn count(&self, kind: OutcomeKind) -> u64 {
        self.outcomes
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|(_, rows)| rows)
            .sum()
    }

    /// Adds rows that ended so.
    pub fn add(&mut self, kind: OutcomeKind, reason: &str, rows: u64) {
        // Most have no reason, and nothing is not compared with nothing: `memcmp` of no bytes at an address
        // that holds none is a hundred times slower on processors with AVX-512.
        let is = |name: &str| match reason.is_empty() {
            true => name.is_empty(),
            false => name == reason,
        };
        let mut outcomes = self.outcomes.iter_mut();
        match outcomes.find(|((of, name), _)| *of == kind && is(name)) {
            Some((_, sum)) => *sum += rows,
            None => {
                self.outcomes.insert((kind, reason.to_owned()), rows);
            }
        }
    }

    /// How many rows have an account: an outcome, now or in an earlier run, or are pending.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.settled_before + self.pending + self.outcomes.values().sum::<u64>()
    }
}

impl Account {
    /// Whether every row that was read is accounted for, once.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.flows.iter().all(|flow| flow.read == flow.accounted())
    }

    /// How many rows of all flows ended so.
    #[must_use]
    pub fn count(&self, kind: OutcomeKind) -> u64 {
        self.flows.iter().map(|flow| flow.count(kind)).sum()
    }

    /// How many rows are neither at the destination nor left out on purpose.
    #[must_use]
    pub fn undelivered(&self) -> u64 {
        [
            OutcomeKind::Rejected,
            OutcomeKind::Refused,
            OutcomeKind::Blocked,
        ]
        .into_iter()
        .map(|kind| self.count(kind))
        .sum()
    }
}
