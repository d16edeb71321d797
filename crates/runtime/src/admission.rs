//! Which records are sent at all.
//!
//! What an earlier run delivered is left out; what has the id of a record of this run is
//! rejected; what refers to something that was not delivered is blocked. None of these costs a
//! request.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZeroU64;
use std::path::PathBuf;

use chatferry_core::{Key, Outcome, Record, Reference, References};
use chatferry_ledger::{Content, Delivered, Held};

use crate::seen::{Seen, Sight};

/// The rule that a record breaks which refers to what no flow has delivered.
pub const UNKNOWN_REFERENCE: &str = "unknown-reference";

/// The rule that a record breaks which has the id of another one of this run.
pub const DUPLICATE_ID: &str = "duplicate-id";

/// What is to be done with a record that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is to be sent.
    Send,
    /// It is to be sent once something stands for what these refer to.
    SendAfter(Vec<Reference>),
    /// An earlier run has delivered it.
    SettledBefore {
        /// Whether it makes something else now than what was delivered.
        differs: bool,
    },
    /// It is not sent, and this is its outcome, written down under this key.
    Outcome(Key, Outcome),
}

/// Why what a record refers to is not at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// It could not be delivered.
    Failed,
    /// No flow delivers it.
    Unknown,
}

/// What is known of all records met so far.
#[derive(Debug)]
pub struct Admission {
    seen: Seen,
    /// Records that earlier runs sent and the destination refused.
    refused: HashMap<Key, Held>,
    /// Users and groups that are not at the destination and will not be in this run.
    failed: HashSet<Key>,
    /// How often an id has come beyond the first time.
    doubles: HashMap<Key, NonZeroU64>,
    /// Whether refused records are sent again although nothing has changed.
    retry_refused: bool,
}

impl Admission {
    /// Knows what earlier runs were refused; [`settled_before`](Self::settled_before) tells it
    /// what they delivered. Most ids that are met go to temporary files in the folder `spill`, or
    /// else in the system's.
    #[must_use]
    pub fn new(refused: Vec<Held>, retry_refused: bool, spill: Option<PathBuf>) -> Self {
        Self {
            seen: Seen::new(spill),
            refused: refused.into_iter().map(|held| (held.key, held)).collect(),
            failed: HashSet::new(),
            doubles: HashMap::new(),
            retry_refused,
        }
    }

    /// Notes records that earlier runs have delivered, and what was sent of each; rows of those of
    /// the stretch will not be read again. [`seal`](Self::seal) ends it.
    pub fn settled_before(&mut self, records: &[Delivered]) {
        self.seen.settled_before(records);
    }

    /// Notes that all is known that earlier runs have delivered.
    pub fn seal(&mut self) {
        self.seen.seal();
    }

    /// Judges a record. References are judged too, so users must come before what refers to them.
    ///
    /// # Errors
    ///
    /// When a temporary file, in which it is which ids were met, cannot be read.
    pub fn judge(&mut self, record: &Record, references: &References) -> io::Result<Verdict> {
        let key = record.key();
        match self.seen.meet(record.entity, key)? {
            Sight::SettledBefore(sent) => {
                let differs = sent.is_some_and(|sent| sent != Content::of(record.content()));
                return Ok(Verdict::SettledBefore { differs });
            }
            Sight::Again => return Ok(self.double(record, key)),
            Sight::New => {}
        }
        if let Some(held) = self.refused_before(record) {
            let outcome = Outcome::Refused {
                code: held.reason.clone(),
                message: held.detail.clone(),
            };
            return Ok(Verdict::Outcome(key, outcome));
        }
        Ok(match self.lacking(record, references) {
            None => Verdict::Send,
            Some((reference, Lack::Failed)) => {
                let on = format!("{} {}", reference.field, reference.id);
                Verdict::Outcome(key, Outcome::Blocked { on })
            }
            Some((_, Lack::Unknown)) if matches!(references, References::Placeholder(_)) => {
                Verdict::SendAfter(self.unknown(record))
            }
            Some((reference, Lack::Unknown)) => Verdict::Outcome(key, unknown_reference(reference)),
        })
    }

    /// The first user or group that the record refers to and that is not at the destination.
    pub(crate) fn lacking<'a>(
        &self,
        record: &'a Record,
        references: &References,
    ) -> Option<(&'a Reference, Lack)> {
        let lacks = record.references.iter().filter_map(|reference| {
            let target = key_of(reference);
            let lack = if self.failed.contains(&target) {
                Lack::Failed
            } else if *references != References::Trust && !self.knows(target) {
                Lack::Unknown
            } else {
                return None;
            };
            Some((reference, lack))
        });
        // Nothing stands for what is there and could not be delivered.
        lacks.min_by_key(|(_, lack)| *lack != Lack::Failed)
    }

    /// What the record refers to and no flow delivers, each once.
    fn unknown(&self, record: &Record) -> Vec<Reference> {
        let mut unknown: Vec<Reference> = Vec::new();
        for reference in &record.references {
            let same = |other: &Reference| key_of(other) == key_of(reference);
            if !self.knows(key_of(reference)) && !unknown.iter().any(same) {
                unknown.push(reference.clone());
            }
        }
        unknown
    }

    /// Notes that something is to stand for what no flow delivers. Whether it is to be sent: an
    /// earlier run may have been refused it.
    pub(crate) fn stand_in(&mut self, record: &Record) -> io::Result<bool> {
        self.seen.meet(record.entity, record.key())?;
        Ok(self.refused_before(record).is_none())
    }

    /// What an earlier run was refused the same record for, unless it is to be tried again.
    fn refused_before(&self, record: &Record) -> Option<&Held> {
        let held = self.refused.get(&record.key());
        held.filter(|held| !self.retry_refused && held.content == Some(record.content()))
    }

    /// Whether a user or group was met in this run, or delivered before.
    pub(crate) fn knows(&self, key: Key) -> bool {
        self.seen.knows(key)
    }

    /// Notes that a user or group is not at the destination: what refers to it is blocked.
    pub fn failed(&mut self, key: Key) {
        self.failed.insert(key);
    }

    /// Notes that a user or group is at the destination after all.
    pub fn delivered(&mut self, key: Key) {
        self.failed.remove(&key);
    }

    fn double(&mut self, record: &Record, key: Key) -> Verdict {
        let times = self
            .doubles
            .entry(key)
            .and_modify(|times| *times = times.saturating_add(1))
            .or_insert(NonZeroU64::MIN);
        let own_key =
            Key::of_words(&[record.entity.name(), record.id.as_str(), &times.to_string()]);
        let detail = "another row of this run has the same id".to_owned();
        Verdict::Outcome(
            own_key,
            Outcome::Rejected {
                rule: DUPLICATE_ID.into(),
                detail,
            },
        )
    }
}

/// What becomes of a record which refers to what no flow delivers.
pub(crate) fn unknown_reference(reference: &Reference) -> Outcome {
    let detail = format!(
        "`{}` refers to the {} {}, which no flow delivers",
        reference.field,
        reference.entity.singular(),
        reference.id
    );
    let rule = UNKNOWN_REFERENCE.into();
    Outcome::Rejected { rule, detail }
}

/// The key of what is referred to.
pub(crate) fn key_of(reference: &Reference) -> Key {
    Key::of(reference.entity, reference.id.as_str())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chatferry_core::{Entity, Origin, OutcomeKind, RecordId};

    use super::*;

    fn record(entity: Entity, id: &str, refers_to: Option<&str>) -> Record {
        let reference = |id| Reference {
            field: "sender",
            entity: Entity::Users,
            id: RecordId::new(id),
        };
        Record {
            entity,
            id: RecordId::new(id),
            origin: Origin::default(),
            lane: 0,
            sent_at: None,
            references: refers_to.map(reference).into_iter().collect(),
            adjusted: Vec::new(),
            json: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        }
    }

    fn message(id: &str, sender: &str) -> Record {
        record(Entity::Messages, id, Some(sender))
    }

    fn user(id: &str) -> Record {
        record(Entity::Users, id, None)
    }

    fn delivered(record: &Record, content: Option<Content>) -> Delivered {
        Delivered {
            key: record.key(),
            content,
            of_stretch: false,
        }
    }

    fn reason(verdict: &Verdict) -> (OutcomeKind, String) {
        match verdict {
            Verdict::Outcome(_, outcome) => (outcome.kind(), outcome.reason().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_delivered_before_is_left_out_and_its_double_is_rejected() {
        let mut admission = Admission::new(Vec::new(), false, None);
        admission.settled_before(&[delivered(&user("a"), None)]);
        admission.seal();
        assert_eq!(
            admission.judge(&user("a"), &References::Require).unwrap(),
            Verdict::SettledBefore { differs: false }
        );
        let double = admission.judge(&user("a"), &References::Require).unwrap();
        assert_eq!(
            reason(&double),
            (OutcomeKind::Rejected, "duplicate-id".into())
        );
        assert_ne!(
            double,
            admission.judge(&user("a"), &References::Require).unwrap(),
            "each double has a key of its own"
        );
    }

    #[test]
    fn what_was_delivered_before_and_has_changed_since_is_told() {
        let mut admission = Admission::new(Vec::new(), false, None);
        let mut changed = user("b");
        for record in [user("a"), changed.clone()] {
            let content = Content::of(record.content());
            admission.settled_before(&[delivered(&record, Some(content))]);
        }
        admission.seal();
        changed.json = Bytes::from_static(b"{\"id\":\"b\",\"name\":\"B\"}");
        for (record, differs) in [(user("a"), false), (changed, true)] {
            assert_eq!(
                admission.judge(&record, &References::Require).unwrap(),
                Verdict::SettledBefore { differs }
            );
        }
    }

    #[test]
    fn references_are_followed_required_or_trusted() {
        let mut admission = Admission::new(Vec::new(), false, None);
        assert_eq!(
            admission.judge(&user("a"), &References::Require).unwrap(),
            Verdict::Send
        );
        assert_eq!(
            admission
                .judge(&message("1", "a"), &References::Require)
                .unwrap(),
            Verdict::Send
        );
        let unknown = admission
            .judge(&message("2", "b"), &References::Require)
            .unwrap();
        assert_eq!(
            reason(&unknown),
            (OutcomeKind::Rejected, "unknown-reference".into())
        );
        assert_eq!(
            admission
                .judge(&message("3", "b"), &References::Trust)
                .unwrap(),
            Verdict::Send
        );
        admission.failed(user("a").key());
        let blocked = admission
            .judge(&message("4", "a"), &References::Trust)
            .unwrap();
        assert_eq!(reason(&blocked), (OutcomeKind::Blocked, "sender".into()));
        admission.delivered(user("a").key());
        assert_eq!(
            admission
                .judge(&message("5", "a"), &References::Require)
                .unwrap(),
            Verdict::Send
        );
    }

    #[test]
    fn a_refused_record_is_sent_again_when_it_has_changed_or_on_request() {
        let held = |record: &Record| Held {
            key: record.key(),
            outcome: OutcomeKind::Refused,
            reason: "ERR_BAD_REQUEST".into(),
            detail: "no".into(),
            content: Some(record.content()),
        };
        let (same, mut changed) = (user("a"), user("b"));
        let refused = vec![held(&same), held(&changed)];
        changed.json = Bytes::from_static(b"{\"id\":\"b\",\"name\":\"B\"}");
        let mut admission = Admission::new(refused.clone(), false, None);
        assert_eq!(
            reason(&admission.judge(&same, &References::Require).unwrap()),
            (OutcomeKind::Refused, "ERR_BAD_REQUEST".into())
        );
        assert_eq!(
            admission.judge(&changed, &References::Require).unwrap(),
            Verdict::Send
        );
        let mut admission = Admission::new(refused, true, None);
        assert_eq!(
            admission.judge(&same, &References::Require).unwrap(),
            Verdict::Send
        );
    }
}
