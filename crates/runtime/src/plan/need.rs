//! How many requests it takes.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_core::{Delivery, Entity, Record};

use crate::pacer;
use crate::window::weight;

/// What it takes to deliver the records of one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// How many records are sent.
    pub records: u64,
    /// How many requests carry them, each as full as it may be.
    pub requests: u64,
    /// How many bytes they have in all.
    pub bytes: u64,
}

/// Packs records into requests, without sending any.
#[derive(Debug)]
pub(crate) struct Packing {
    delivery: Delivery,
    needs: BTreeMap<Entity, Need>,
    /// What the request has that is being filled.
    open: (usize, usize),
    /// What is sent beside the records of the entity, and how full its last request is.
    aside: BTreeMap<Entity, u64>,
}

impl Packing {
    pub(crate) fn new(delivery: Delivery) -> Self {
        Self {
            delivery,
            needs: BTreeMap::new(),
            open: (0, 0),
            aside: BTreeMap::new(),
        }
    }

    /// Adds a record that is sent among those of another entity, with others like it.
    pub(crate) fn add_aside(&mut self, record: &Record) {
        let beside = self.aside.entry(record.entity).or_default();
        let per_request = self.delivery.records_per_request.get() as u64;
        let need = self.needs.entry(record.entity).or_default();
        need.requests += u64::from(beside.is_multiple_of(per_request));
        need.records += 1;
        need.bytes += weight(record) as u64;
        *beside += 1;
    }

    /// Puts a record into the request that is being filled, or into the next one.
    pub(crate) fn add(&mut self, record: &Record) {
        let need = self.needs.entry(record.entity).or_default();
        let weight = weight(record);
        let (records, bytes) = self.open;
        let fits = records < self.delivery.records_per_request.get()
            && bytes + weight <= self.delivery.bytes_per_request.get();
        self.open = match records > 0 && fits {
            true => (records + 1, bytes + weight),
            false => {
                need.requests += 1;
                (1, weight)
            }
        };
        need.records += 1;
        need.bytes += weight as u64;
    }

    /// Ends the request that is being filled: records of another entity follow.
    pub(crate) fn close(&mut self) {
        self.open = (0, 0);
    }

    pub(crate) fn needs(self) -> BTreeMap<Entity, Need> {
        self.needs
    }
}

/// How long so many requests take at a limit of so many in any minute, each with the pause after it.
#[must_use]
pub fn time_for(requests: u64, limit: NonZeroU32) -> Duration {
    let requests = u32::try_from(requests).unwrap_or(u32::MAX);
    pacer::interval(limit).saturating_mul(requests)
}
