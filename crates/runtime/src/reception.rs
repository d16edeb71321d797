//! What becomes of rows as they come: what is not sent is counted, what is sent goes on.

use chatferry_core::{
    Entity, Key, Origin, Outcome, OutcomeKind, Record, RecordId, Reference, References, RejectedRow,
};

use crate::admission::{Admission, Verdict};
use crate::books::Books;
use crate::intake::{FlowInput, Item};

/// Takes rows in.
#[derive(Debug)]
pub(crate) struct Reception {
    pub(crate) books: Books,
    pub(crate) admission: Admission,
    /// What each flow, as its place in the account, does with references to what no flow has
    /// delivered.
    references: Vec<References>,
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
    ) -> Self {
        let references = order.iter().map(|flow| flows[*flow].references);
        Self {
            books,
            admission,
            references: references.collect(),
        }
    }

    /// Takes in what became of a row so far; gives it back when it is to be sent.
    pub(crate) fn take_in(
        &mut self,
        origin: Origin,
        item: Item,
        witness: &mut impl Witness,
    ) -> Option<Record> {
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
            Item::Record(record) => {
                let references = self.references[origin.flow];
                match self.admission.judge(&record, references) {
                    Verdict::Send => {
                        self.books.adjusted(&record);
                        return Some(record);
                    }
                    Verdict::SettledBefore { differs } => {
                        witness.settled_before(&record);
                        self.books.settled_before(origin);
                        if differs {
                            self.books.differs(&record);
                        }
                    }
                    Verdict::Outcome(key, outcome) => {
                        let cause = self.admission.lacking(&record, references);
                        witness.written_off(&record, &outcome, cause.map(|(it, _)| it));
                        if record.key() == key {
                            self.not_delivered(entity, key);
                        }
                        self.books.write_off(key, &record, outcome);
                    }
                }
            }
        }
        None
    }

    /// Notes that what refers to this record is blocked.
    pub(crate) fn not_delivered(&mut self, entity: Entity, key: Key) {
        if matches!(entity, Entity::Users | Entity::Groups) {
            self.admission.failed(key);
        }
    }
}
