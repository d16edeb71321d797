//! What is noted of the rows of a plan, beside their outcomes.
//!
//! Nothing of it grows with the input: examples and months are few, and what comes most often is
//! counted in a bounded number of counters. Of ids with capitals, which are hardly ever valid,
//! sixteen bytes each are kept.

use std::collections::BTreeMap;

use chatferry_core::{
    Delivery, Entity, Key, Outcome, OutcomeKind, Place, Record, RecordId, Reference, RejectedRow,
};
use chatferry_keys::Keys;

use super::need::Packing;
use super::top::Top;
use crate::admission::{Admission, DUPLICATE_ID};
use crate::reception::Witness;

/// Examples of each reason.
const EXAMPLES: usize = 3;
/// Conversations, ids and references that are counted at a time.
///
/// At a hundred bytes each some 6 MiB together. What makes up more than a ten-thousandth of the
/// rows is surely among them.
const COUNTERS: usize = 20_000;

/// A row that ended so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its id, as far as it is known.
    pub id: Option<String>,
    /// Where it stands, as far as that is known.
    pub place: Option<Place>,
    /// What was found. Never the contents of the row.
    pub detail: String,
}

/// Why a row is not sent: the flow as its place in the account, what it is, and the reason's name.
pub type Why = (usize, OutcomeKind, String);

/// How many messages were sent in one month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// To be delivered.
    pub due: u64,
    /// Delivered by an earlier run.
    pub earlier: u64,
}

/// Ids that are one id when capitals do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collisions {
    /// How many ids are like an earlier one but for their capitals.
    pub count: u64,
    /// Some of them: the entity, and the id of the later one.
    pub examples: Vec<(Entity, String)>,
}

/// What is noted.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) packing: Packing,
    pub(super) examples: BTreeMap<Why, Vec<Example>>,
    pub(super) months: BTreeMap<Month, Messages>,
    pub(super) conversations: Top<u64>,
    pub(super) unknown: Top<Key>,
    pub(super) blocking: Top<Key>,
    pub(super) duplicates: Top<Key>,
    pub(super) collisions: Collisions,
    /// Ids with capitals, as they are and without them.
    capitals: Keys,
}

impl Survey {
    pub(super) fn new(delivery: Delivery) -> Self {
        Self {
            packing: Packing::new(delivery),
            examples: BTreeMap::new(),
            months: BTreeMap::new(),
            conversations: Top::new(COUNTERS),
            unknown: Top::new(COUNTERS),
            blocking: Top::new(COUNTERS),
            duplicates: Top::new(COUNTERS),
            collisions: Collisions::default(),
            capitals: Keys::default(),
        }
    }

    /// Notes a record that would be sent.
    pub(super) fn due(&mut self, record: &Record, admission: &Admission) {
        self.packing.add(record);
        self.spelling(record.entity, record.id.as_str(), admission);
        if let Some(sent_at) = record.sent_at {
            self.months.entry(Month::of(sent_at)).or_default().due += 1;
            self.conversations.add(record.lane, || conversation(record));
        }
    }

    fn example(&mut self, why: Why, example: impl FnOnce() -> Example) {
        let examples = self.examples.entry(why).or_default();
        if examples.len() < EXAMPLES {
            examples.push(example());
        }
    }

    /// Notes an id that another one is like, but for capitals. Only of users and groups: others
    /// cannot be told to be the same by the destination.
    fn spelling(&mut self, entity: Entity, id: &str, admission: &Admission) {
        if !matches!(entity, Entity::Users | Entity::Groups) {
            return;
        }
        let key = Key::of(entity, id);
        let collides = if id.chars().any(char::is_uppercase) {
            if !self.capitals.insert(key.0) {
                return;
            }
            let lower = Key::of(entity, &id.to_lowercase());
            // Those with capitals have keys of their own here, apart from the ids themselves.
            let taken = !self.capitals.insert(!lower.0);
            taken || admission.knows(lower)
        } else {
            self.capitals.contains(!key.0)
        };
        if collides {
            self.collisions.count += 1;
            if self.collisions.examples.len() < EXAMPLES * 3 {
                self.collisions.examples.push((entity, id.to_owned()));
            }
        }
    }
}

impl Witness for Survey {
    fn out_of_policy(&mut self, flow: usize, id: &RecordId, reason: &'static str) {
        self.example((flow, OutcomeKind::Skipped, reason.to_owned()), || {
            Example {
                id: Some(id.as_str().to_owned()),
                place: None,
                detail: String::new(),
            }
        });
    }

    fn rejected(&mut self, flow: usize, entity: Entity, row: &RejectedRow, admission: &Admission) {
        if let Some(id) = &row.id {
            self.spelling(entity, id, admission);
        }
        let why = (flow, OutcomeKind::Rejected, row.rule.clone().into_owned());
        self.example(why, || Example {
            id: row.id.clone(),
            place: row.place.clone(),
            detail: row.detail.clone(),
        });
    }

    fn settled_before(&mut self, record: &Record) {
        if let Some(sent_at) = record.sent_at {
            self.months.entry(Month::of(sent_at)).or_default().earlier += 1;
        }
    }

    fn written_off(&mut self, record: &Record, outcome: &Outcome, cause: Option<&Reference>) {
        let (kind, reason) = (outcome.kind(), outcome.reason());
        if reason == DUPLICATE_ID {
            let name = || format!("{} {}", record.entity.singular(), record.id);
            self.duplicates.add(record.key(), name);
        } else if let Some(cause) = cause {
            let key = Key::of(cause.entity, cause.id.as_str());
            let name = || format!("{} {}", cause.entity.singular(), cause.id);
            match kind {
                OutcomeKind::Blocked => self.blocking.add(key, name),
                OutcomeKind::Rejected => self.unknown.add(key, name),
                _ => {}
            }
        }
        let why = (record.origin.flow, kind, reason.to_owned());
        self.example(why, || Example {
            id: Some(record.id.as_str().to_owned()),
            place: None,
            detail: outcome.detail().to_owned(),
        });
    }
}

/// A conversation by who is in it, as far as the record tells.
fn conversation(record: &Record) -> String {
    let group = record
        .references
        .iter()
        .find(|it| it.entity == Entity::Groups);
    if let Some(group) = group {
        return format!("group {}", group.id);
    }
    let mut users: Vec<&str> = record.references.iter().map(|it| it.id.as_str()).collect();
    users.sort_unstable();
    match users[..] {
        [one, other] => format!("users {one} and {other}"),
        _ => format!("that of message {}", record.id),
    }
}

/// A month of the Gregorian calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    pub year: i64,
    /// The month, from 1.
    pub month: u8,
}

impl Month {
    /// The month of a time in UNIX seconds.
    #[must_use]
    pub fn of(seconds: i64) -> Self {
        // Days to a civil date, with years that begin in March ("chrono-compatible low-level date
        // algorithms", H. Hinnant).
        let days = seconds.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let day = days.rem_euclid(146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Self {
            year: year + era * 400 + i64::from(month <= 2),
            month: u8::try_from(month).expect("a month is at most twelve"),
        }
    }

    /// The month after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                year: self.year,
                month: month + 1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_its_month() {
        for (seconds, year, month) in [
            (0, 1970, 1),
            (951_782_399, 2000, 2),
            (951_868_800, 2000, 3),
            (1_735_689_599, 2024, 12),
            (1_735_689_600, 2025, 1),
            (-1, 1969, 12),
        ] {
            assert_eq!(Month::of(seconds), Month { year, month }, "{seconds}");
        }
        assert_eq!(
            Month {
                year: 2024,
                month: 12
            }
            .next(),
            Month {
                year: 2025,
                month: 1
            }
        );
    }
}
