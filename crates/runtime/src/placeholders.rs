//! What stands for users and groups that no flow delivers: made, sent, and waited for.
//!
//! A record that refers to one waits in its lane, and so does all that is later of that lane,
//! until it is delivered. They are gathered, so that a request carries many.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chatferry_core::{Entity, Key, Record};

use crate::admission::key_of;

/// What stands for users and groups that no flow delivers.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    /// Those that are not sent yet.
    unsent: BTreeMap<Entity, VecDeque<Record>>,
    /// The lanes that wait for each that is not delivered yet, once for each record.
    lanes: HashMap<Key, Vec<u64>>,
}

impl Placeholders {
    /// Adds one, to be sent.
    pub(crate) fn add(&mut self, record: Record) {
        self.lanes.insert(record.key(), Vec::new());
        self.unsent
            .entry(record.entity)
            .or_default()
            .push_back(record);
    }

    /// Those that the record refers to and that are not delivered yet.
    pub(crate) fn awaited(&self, record: &Record) -> Vec<Key> {
        if self.lanes.is_empty() {
            return Vec::new();
        }
        let mut keys: Vec<Key> = record.references.iter().map(key_of).collect();
        keys.retain(|key| self.lanes.contains_key(key));
        keys
    }

    /// Notes that a lane waits for one.
    pub(crate) fn wait(&mut self, key: Key, lane: u64) {
        if let Some(lanes) = self.lanes.get_mut(&key) {
            lanes.push(lane);
        }
    }

    /// The lanes that waited for one that has its outcome now; `None` when it is not one of these.
    pub(crate) fn settled(&mut self, key: Key) -> Option<Vec<u64>> {
        self.lanes.remove(&key)
    }

    /// Whether none waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.unsent.values().all(VecDeque::is_empty)
    }

    /// The most of one entity that wait to be sent.
    pub(crate) fn most(&self) -> usize {
        self.unsent
            .values()
            .map(VecDeque::len)
            .max()
            .unwrap_or_default()
    }

    /// Takes at most so many of one entity, to be sent.
    pub(crate) fn take(&mut self, records: usize) -> Vec<Record> {
        let longest = self.unsent.values_mut().max_by_key(|unsent| unsent.len());
        longest.map_or_else(Vec::new, |unsent| {
            unsent.drain(..records.min(unsent.len())).collect()
        })
    }
}
