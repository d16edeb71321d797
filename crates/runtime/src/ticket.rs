//! What is left of a request: its records, taken apart down to the one that the destination fails
//! on, and put together again once that is found.

use std::collections::VecDeque;

use chatferry_core::Record;

/// Records that leave together, and are sent again together until they are settled.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) records: Vec<Record>,
    /// How many times these records, as this very set, have been in doubt.
    pub(crate) doubts: u32,
    /// How many requests had been answered when they were first in doubt.
    pub(crate) since: Option<u64>,
    /// Whether this asks for a sign of life with a record that is delivered already.
    pub(crate) probe: bool,
    /// Whether the part after it is the other half of what has failed.
    half: bool,
}

impl Part {
    /// Those of its records that are in doubt, when so many requests have been answered: the others
    /// are settled.
    pub(crate) fn narrowed(&self, records: Vec<Record>, answers: u64) -> Self {
        Self {
            records,
            doubts: self.doubts + 1,
            since: Some(answers),
            ..Self::default()
        }
    }
}

/// What is left of a request: its parts, one of which is sent at a time.
#[derive(Debug)]
pub(crate) struct Ticket(VecDeque<Part>);

impl Ticket {
    /// The records of a new request.
    pub(crate) fn new(records: Vec<Record>) -> Self {
        let part = Part {
            records,
            ..Part::default()
        };
        Self([part].into())
    }

    /// A request for a sign of life.
    pub(crate) fn probe(record: Record) -> Self {
        let part = Part {
            records: vec![record],
            probe: true,
            ..Part::default()
        };
        Self([part].into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many records are left.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.iter().map(|part| part.records.len()).sum()
    }

    /// The part to be sent next.
    pub(crate) fn pop(&mut self) -> Option<Part> {
        self.0.pop_front()
    }

    /// Has a part sent again, before all others.
    pub(crate) fn again(&mut self, part: Part) {
        self.0.push_front(part);
    }

    /// Has each half of a part sent on its own, the first one first.
    pub(crate) fn halve(&mut self, mut part: Part) {
        let second = part.records.split_off(part.records.len() / 2);
        // A half of what was in doubt has been sent before, so it is halved in turn at its first
        // failure. What was too large was not in doubt.
        let in_doubt = part.doubts > 0;
        for (records, half) in [(second, false), (part.records, in_doubt)] {
            self.0.push_front(Part {
                records,
                doubts: u32::from(in_doubt),
                since: part.since,
                probe: false,
                half,
            });
        }
    }

    /// Notes that a part was answered in full. If it is a half of what has failed and has not failed
    /// itself, it is the other half that the destination fails on: that is not tried whole.
    pub(crate) fn answered(&mut self, part: &Part) {
        if !part.half || part.doubts > 1 {
            return;
        }
        if let Some(other) = self.0.pop_front() {
            match other.records.len() {
                0 | 1 => self.again(other),
                _ => self.halve(other),
            }
        }
    }

    /// Notes that the record was found which the destination fails on: the others are put together
    /// again.
    pub(crate) fn found(&mut self) {
        let mut parts = std::mem::take(&mut self.0).into_iter();
        let Some(mut all) = parts.next() else {
            return;
        };
        for part in parts {
            all.records.extend(part.records);
        }
        all.half = false;
        self.0.push_back(all);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chatferry_core::{Entity, Origin, RecordId};
    use proptest::prelude::*;

    use super::*;

    fn records(count: usize) -> Vec<Record> {
        let record = |number: usize| Record {
            entity: Entity::Messages,
            id: RecordId::new(&number.to_string()),
            origin: Origin::default(),
            lane: 0,
            sent_at: None,
            references: Vec::new(),
            adjusted: Vec::new(),
            json: Bytes::new(),
        };
        (0..count).map(record).collect()
    }

    fn numbers(part: &Part) -> Vec<usize> {
        let number = |record: &Record| record.id.as_str().parse().unwrap();
        part.records.iter().map(number).collect()
    }

    /// Sends a ticket until it is empty to somebody who fails on some records, and tells how many
    /// requests that took; each record that is not to blame is answered once, in order.
    fn sent(count: usize, poison: &[usize]) -> usize {
        const TRIES: [u32; 2] = [5, 2];
        let mut ticket = Ticket::new(records(count));
        let (mut requests, mut answered, mut blamed) = (0, Vec::new(), Vec::new());
        while let Some(mut part) = ticket.pop() {
            requests += 1;
            let fails = numbers(&part).iter().any(|number| poison.contains(number));
            let alone = part.records.len() == 1;
            part.doubts += u32::from(fails);
            match fails {
                false => {
                    answered.extend(numbers(&part));
                    ticket.answered(&part);
                }
                true if part.doubts < TRIES[usize::from(!alone)] => ticket.again(part),
                true if alone => {
                    blamed.extend(numbers(&part));
                    ticket.found();
                }
                true => ticket.halve(part),
            }
            assert_eq!(ticket.len() + answered.len() + blamed.len(), count);
        }
        assert!(answered.is_sorted() && blamed.is_sorted());
        let mut poison = poison.to_vec();
        poison.sort_unstable();
        poison.dedup();
        assert_eq!(blamed, poison);
        requests
    }

    #[test]
    fn one_poisoned_record_of_fifty_costs_at_most_fourteen_requests_more() {
        let most = (0..50).map(|place| sent(50, &[place])).max();
        assert!(most <= Some(1 + 14), "{most:?} requests");
    }

    proptest! {
        #[test]
        fn every_poisoned_record_is_found_and_no_other_is_lost(
            count in 1_usize..60,
            poison in prop::collection::vec(0_usize..60, 0..12),
        ) {
            let poison: Vec<usize> = poison.into_iter().filter(|place| *place < count).collect();
            sent(count, &poison);
        }
    }
}
