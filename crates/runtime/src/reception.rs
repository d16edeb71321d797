//! What becomes of rows as they come: what is not sent is counted, what is sent goes on.

use std::io;
use std::sync::Arc;

use chatferry_core::{
    Destination, Entity, Key, Origin, Outcome, OutcomeKind, Record, RecordId, Reference,
    References, RejectedRow, SourceError, SourceErrorKind,
};

use crate::admission::{Admission, Verdict, unknown_reference};
use crate::books::Books;
use crate::intake::{FlowInput, Item};
use crate::placeholders::Placeholders;
use crate::run::Ended;

/// Takes rows in.
#[derive(Debug)]
pub(crate) struct Reception {
    pub(crate) books: Books,
    pub(crate) admission: Admission,
    /// What each flow, as its place in the account, does with references to what no flow has
    /// delivered.
    references: Vec<References>,
    /// What stands for what is referred to and is not there.
    pub(crate) placeholders: Placeholders,
    destination: Arc<dyn Destination>,
}

/// A record that is to be sent.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) record: Record,
    /// What has to be delivered before.
    pub(crate) waits_for: Vec<Key>,
}

/// Sees what becomes of rows that are not sent, as far as it looks.
pub(crate) trait Witness {
    /// A policy of the destination leaves it out.
    fn out_of_policy(&mut self, _flow: usize, _id: &RecordId, _reason: &'static str) {}

    /// It breaks a rule.
    fn rejected(&mut self, _flow: usize, _: Entity, _row: &RejectedRow, _: &Admission) {}

    /// An earlier run has delivered it.
    fn settled_before(&mut self, _record: &Record) {}

    /// It could be sent, but for this; `cause` is what it refers to and what is not there.
    fn written_off(&mut self, _record: &Record, _outcome: &Outcome, _cause: Option<&Reference>) {}
}

impl Reception {
    /// Takes in the rows of these flows, which the books have in that order.
    pub(crate) fn new(
        books: Books,
        admission: Admission,
        flows: &[FlowInput],
        order: &[usize],
        destination: Arc<dyn Destination>,
    ) -> Self {
        let references = order.iter().map(|flow| flows[*flow].references.clone());
        Self {
            books,
            admission,
            references: references.collect(),
            placeholders: Placeholders::default(),
            destination,
        }
    }

    /// Takes in what became of a row so far; gives it back when it is to be sent. It fails when a
    /// temporary file cannot be read.
    pub(crate) fn take_in(
        &mut self,
        origin: Origin,
        item: Item,
        witness: &mut impl Witness,
    ) -> Result<Option<Admitted>, Ended> {
        let entity = self.books.entity(origin.flow);
        match item {
            Item::Skipped(skipped) => {
                let (reason, rows) = (&skipped.reason, skipped.rows);
                self.books.ended(origin, OutcomeKind::Skipped, reason, rows);
            }
            Item::OutOfPolicy { id, reason } => {
                witness.out_of_policy(origin.flow, &id, reason);
                self.books.ended(origin, OutcomeKind::Skipped, reason, 1);
                self.not_delivered(entity, Key::of(entity, id.as_str()));
            }
            Item::Rejected(row) => {
                witness.rejected(origin.flow, entity, &row, &self.admission);
                if let Some(id) = &row.id {
                    self.not_delivered(entity, Key::of(entity, id));
                }
                self.books.reject(origin, row);
            }
            Item::Record(record) => match self.judge(&record).map_err(|error| forgotten(&error))? {
                Verdict::Send | Verdict::SendAfter(_) => {
                    self.books.adjusted(&record);
                    let waits_for = self.placeholders.awaited(&record);
                    return Ok(Some(Admitted { record, waits_for }));
                }
                Verdict::SettledBefore { differs } => {
                    witness.settled_before(&record);
                    self.books.settled_before(origin);
                    if differs {
                        self.books.differs(&record);
                    }
                }
                Verdict::Outcome(key, outcome) => {
                    let references = &self.references[origin.flow];
                    let cause = self.admission.lacking(&record, references);
                    witness.written_off(&record, &outcome, cause.map(|(it, _)| it));
                    if record.key() == key {
                        self.not_delivered(entity, key);
                    }
                    self.books.write_off(key, &record, outcome);
                }
            },
        }
        Ok(None)
    }

    /// What is to be done with a record. Has something stand for what it refers to and is not there,
    /// if its flow says so.
    fn judge(&mut self, record: &Record) -> io::Result<Verdict> {
        let references = &self.references[record.origin.flow];
        let verdict = self.admission.judge(record, references)?;
        let (Verdict::SendAfter(unknown), References::Placeholder(names)) = (&verdict, references)
        else {
            return Ok(verdict);
        };
        for reference in unknown {
            let name = match reference.entity {
                Entity::Groups => &names.group,
                _ => &names.user,
            };
            let made = self
                .destination
                .placeholder(reference.entity, &reference.id, name);
            let Some(mut placeholder) = made else {
                return Ok(Verdict::Outcome(record.key(), unknown_reference(reference)));
            };
            placeholder.origin = record.origin;
            if !self.admission.stand_in(&placeholder)? {
                let on = format!("{} {}", reference.field, reference.id);
                self.admission.failed(placeholder.key());
                return Ok(Verdict::Outcome(record.key(), Outcome::Blocked { on }));
            }
            self.placeholders.add(placeholder);
        }
        Ok(verdict)
    }

    /// Notes that what refers to this record is blocked.
    pub(crate) fn not_delivered(&mut self, entity: Entity, key: Key) {
        if matches!(entity, Entity::Users | Entity::Groups) {
            self.admission.failed(key);
        }
    }
}

/// The temporary file of the ids that were met cannot be read.
fn forgotten(error: &io::Error) -> Ended {
    let error = SourceError::new(
        SourceErrorKind::Failed,
        "find out whether an id was met before",
        error.to_string(),
    );
    Ended::Source(error.help("`TMPDIR` names another folder for temporary files"))
}
