//! The records that wait to be sent, and which of them make the next request.
//!
//! Each record has a lane, its conversation. While a request carries records of a lane, no other
//! request takes any of it, and a lane's records leave in the order in which they came.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chatferry_core::Record;
use chatferry_keys::AsTheyAre;

/// How many records wait at most.
///
/// Enough that 50 free conversations are nearly always among them, while messages of busy ones
/// wait; at about 350 bytes a message it is under 3 MiB.
pub const RECORDS: usize = 4_000;
/// How many bytes of records wait at most, whatever their number.
pub const BYTES: usize = 16 * 1024 * 1024;

type Lanes = HashMap<u64, Lane, AsTheyAre>;

/// The records that wait to be sent.
#[derive(Debug, Default)]
pub struct Window {
    lanes: Lanes,
    /// The first record of each free lane, by the order in which the records came.
    free: BTreeMap<u64, u64>,
    /// The place in that order of the next record to come.
    next: u64,
    records: usize,
    bytes: usize,
    /// How many records wait in free lanes.
    free_records: usize,
}

/// One conversation's records.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<(u64, Record)>,
    /// How many of its records are in flight.
    in_flight: usize,
}

impl Window {
    /// How many records wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether another record may come.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.records < RECORDS && self.bytes < BYTES
    }

    /// How many of those that wait could be sent now.
    #[must_use]
    pub const fn free(&self) -> usize {
        self.free_records
    }

    /// Adds a record behind all others.
    pub fn push(&mut self, record: Record) {
        self.records += 1;
        self.bytes += weight(&record);
        let place = self.next;
        self.next += 1;
        let lane_id = record.lane;
        let lane = self.lanes.entry(lane_id).or_default();
        lane.waiting.push_back((place, record));
        if lane.in_flight == 0 {
            self.free_records += 1;
            if lane.waiting.len() == 1 {
                self.free.insert(place, lane_id);
            }
        }
    }

    /// Has a lane wait for something that is not in the window; [`settled`](Self::settled) ends it.
    pub fn hold(&mut self, lane_id: u64) {
        let lane = self.lanes.entry(lane_id).or_default();
        if lane.in_flight == 0
            && let Some((place, _)) = lane.waiting.front()
        {
            self.free.remove(place);
            self.free_records -= lane.waiting.len();
        }
        lane.in_flight += 1;
    }

    /// Takes the records out of a lane that is not free which are no longer to be sent.
    pub fn take_out(&mut self, lane_id: u64, is_wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let Some(lane) = self
            .lanes
            .get_mut(&lane_id)
            .filter(|lane| lane.in_flight > 0)
        else {
            return Vec::new();
        };
        let waiting = std::mem::take(&mut lane.waiting).into_iter();
        let (stay, out): (Vec<_>, Vec<_>) = waiting.partition(|(_, record)| is_wanted(record));
        lane.waiting = stay.into();
        self.records -= out.len();
        self.bytes -= out.iter().map(|(_, record)| weight(record)).sum::<usize>();
        out.into_iter().map(|(_, record)| record).collect()
    }

    /// Takes the records of the next request: the oldest of the free lanes, at most so many and so
    /// many bytes, but at least one if any lane is free. Their lanes are busy from now on.
    ///
    /// `sharing` is how many requests may be in flight at once. A request takes records of no more
    /// than its share of the lanes, unless it would not be full otherwise: where conversations
    /// take turns, one request would else make all of them busy, and no other could leave.
    pub fn take(&mut self, records: usize, bytes: usize, sharing: usize) -> Vec<Record> {
        let mut share = (self.lanes.len() / sharing.max(1)).max(1);
        let mut taken: Vec<Record> = Vec::with_capacity(records.min(self.free_records));
        let mut room = bytes;
        // The next record of each lane that this request takes from, in order.
        let mut own: BTreeMap<u64, u64> = BTreeMap::new();
        let mut lanes_taken = 0;
        while taken.len() < records {
            let may_open = lanes_taken < share;
            let next_free = self
                .free
                .first_key_value()
                .filter(|_| may_open)
                .map(|(place, _)| *place);
            let next_own = own.first_key_value().map(|(place, _)| *place);
            let (place, opens) = match (next_own, next_free) {
                (Some(own), Some(free)) if free < own => (free, true),
                (Some(own), _) => (own, false),
                (None, Some(free)) => (free, true),
                (None, None) if may_open || self.free.is_empty() => break,
                (None, None) => {
                    share += 1;
                    continue;
                }
            };
            let from = if opens { &mut self.free } else { &mut own };
            let lane_id = from.remove(&place).expect("the place was found there");
            let lane = self
                .lanes
                .get_mut(&lane_id)
                .expect("a free lane has records");
            let weight = lane.waiting.front().map_or(0, |(_, record)| weight(record));
            if weight > room && !taken.is_empty() {
                from.insert(place, lane_id);
                break;
            }
            lanes_taken += usize::from(opens);
            room = room.saturating_sub(weight);
            let (_, record) = lane.waiting.pop_front().expect("a free lane has records");
            if let Some((place, _)) = lane.waiting.front() {
                own.insert(*place, lane_id);
            }
            self.records -= 1;
            self.free_records -= 1;
            self.bytes -= weight;
            taken.push(record);
        }
        for record in &taken {
            let lane = self
                .lanes
                .get_mut(&record.lane)
                .expect("a lane is kept while in flight");
            if lane.in_flight == 0 {
                self.free_records -= lane.waiting.len();
            }
            lane.in_flight += 1;
        }
        taken
    }

    /// Notes that a record of this lane is no longer in flight: it is settled.
    pub fn settled(&mut self, lane_id: u64) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            return;
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        if lane.in_flight > 0 {
            return;
        }
        match lane.waiting.front() {
            Some((place, _)) => {
                self.free.insert(*place, lane_id);
                self.free_records += lane.waiting.len();
            }
            None => {
                self.lanes.remove(&lane_id);
            }
        }
    }
}

/// What a record adds to a request's body: its id as key, itself, and what stands between.
pub(crate) fn weight(record: &Record) -> usize {
    record.json.len() + record.id.as_str().len() + 4
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chatferry_core::{Entity, Origin, RecordId};
    use proptest::prelude::*;

    use super::*;

    fn record(number: usize, lane: u64) -> Record {
        Record {
            entity: Entity::Messages,
            id: RecordId::new(&number.to_string()),
            origin: Origin::default(),
            lane,
            sent_at: None,
            references: Vec::new(),
            adjusted: Vec::new(),
            json: Bytes::from_static(b"{\"a\":1}"),
        }
    }

    fn numbers(records: &[Record]) -> Vec<usize> {
        records
            .iter()
            .map(|record| record.id.as_str().parse().unwrap())
            .collect()
    }

    #[test]
    fn a_lane_in_flight_waits_and_the_others_go_on() {
        let mut window = Window::default();
        for (number, lane) in [1, 1, 2, 1, 3].into_iter().enumerate() {
            window.push(record(number, lane));
        }
        let first = window.take(2, usize::MAX, 1);
        assert_eq!(numbers(&first), [0, 1]);
        assert_eq!(window.free(), 2);
        assert_eq!(numbers(&window.take(50, usize::MAX, 1)), [2, 4]);
        assert!(window.take(50, usize::MAX, 1).is_empty());
        window.settled(1);
        assert!(
            window.take(50, usize::MAX, 1).is_empty(),
            "one of two is still in flight"
        );
        window.settled(1);
        assert_eq!(numbers(&window.take(50, usize::MAX, 1)), [3]);
    }

    #[test]
    fn a_lane_that_is_held_waits_and_records_can_be_taken_out_of_it() {
        let mut window = Window::default();
        for (number, lane) in [1, 2, 1, 1].into_iter().enumerate() {
            window.push(record(number, lane));
        }
        window.hold(1);
        window.hold(1);
        window.push(record(4, 1));
        assert_eq!(numbers(&window.take(50, usize::MAX, 1)), [1]);
        let out = window.take_out(1, |record| record.id.as_str() != "2");
        assert_eq!(numbers(&out), [2]);
        window.settled(1);
        assert_eq!(window.free(), 0);
        window.settled(1);
        assert_eq!(numbers(&window.take(50, usize::MAX, 1)), [0, 3, 4]);
        for lane in [1, 1, 1, 2] {
            window.settled(lane);
        }
        assert!(window.lanes.is_empty() && window.bytes == 0 && window.is_empty());
    }

    #[test]
    fn a_request_leaves_lanes_to_others_as_long_as_it_is_full() {
        let mut window = Window::default();
        for number in 0..400 {
            window.push(record(number, number as u64 % 8));
        }
        for _ in 0..4 {
            assert_eq!(window.take(50, usize::MAX, 4).len(), 50);
        }
        assert_eq!(window.free(), 0);
        let mut window = Window::default();
        for number in 0..60 {
            window.push(record(number, number as u64));
        }
        assert_eq!(
            window.take(50, usize::MAX, 8).len(),
            50,
            "a full request goes before a share"
        );
    }

    #[test]
    fn a_record_beyond_the_byte_limit_goes_alone() {
        let mut window = Window::default();
        for number in 0..3 {
            window.push(record(number, 7));
        }
        assert_eq!(window.take(50, 1, 1).len(), 1);
        window.settled(7);
        assert_eq!(window.take(50, 25, 1).len(), 2);
    }

    proptest! {
        #[test]
        fn order_holds_in_every_lane_and_nothing_is_lost(
            lanes in prop::collection::vec(0_u64..6, 1..120),
            choices in prop::collection::vec((0_usize..3, 1_usize..9, 10_usize..200), 0..200),
            sharing in 1_usize..9,
        ) {
            let mut window = Window::default();
            let mut coming = lanes.iter().copied().enumerate();
            let mut in_flight: Vec<Vec<Record>> = Vec::new();
            let mut sent: Vec<usize> = Vec::new();
            let rest = std::iter::repeat_n((1, 50, 10_000), 2 * lanes.len() + 2).enumerate();
            let rest = rest.map(|(n, (_, size, bytes))| (n % 3, size, bytes));
            for (choice, size, bytes) in choices.into_iter().chain(rest) {
                match choice {
                    0 => {
                        if let Some((number, lane)) = coming.next() {
                            window.push(record(number, lane));
                        }
                    }
                    1 => {
                        let free = window.free();
                        let request = window.take(size, bytes, sharing);
                        prop_assert!(request.len() <= size);
                        prop_assert!(request.len() == size || free == request.len() || bytes < 10_000);
                        for earlier in &in_flight {
                            for record in earlier {
                                prop_assert!(request.iter().all(|new| new.lane != record.lane));
                            }
                        }
                        sent.extend(numbers(&request));
                        if !request.is_empty() {
                            in_flight.push(request);
                        }
                    }
                    _ => {
                        if !in_flight.is_empty() {
                            for record in in_flight.remove(in_flight.len() / 2) {
                                window.settled(record.lane);
                            }
                        }
                    }
                }
            }
            for (number, lane) in coming {
                window.push(record(number, lane));
            }
            while !(window.is_empty() && in_flight.is_empty()) {
                for record in in_flight.drain(..).flatten() {
                    window.settled(record.lane);
                }
                let request = window.take(7, usize::MAX, 3);
                sent.extend(numbers(&request));
                if !request.is_empty() {
                    in_flight.push(request);
                }
            }
            prop_assert!(window.lanes.is_empty() && window.bytes == 0);
            for lane in 0..6 {
                let of_lane = |number: &&usize| lanes[**number] == lane;
                let left: Vec<_> = sent.iter().filter(of_lane).copied().collect();
                let came: Vec<_> = (0..lanes.len()).filter(|number| lanes[*number] == lane).collect();
                prop_assert_eq!(left, came);
            }
        }
    }
}
