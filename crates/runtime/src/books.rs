//! What became of every row so far, and how far each flow is settled without a gap.
//!
//! A flow's rows are cut into stretches, each of which stands, in the order of the flow, before
//! the next. When every row of the first stretch has its outcome, an interrupted run can be gone
//! on with from where the second one begins: a mark. Rows that are blocked hold the mark, since
//! the next run may deliver what they wait for.

use std::collections::VecDeque;

use chatferry_core::{
    Account, Entity, FlowAccount, Key, Origin, Outcome, OutcomeKind, Record, RejectedRow,
};
use chatferry_ledger::{Differing, Entry, Mark, RequestRow, Settled, Undelivered};

use crate::admission::UNKNOWN_REFERENCE;
use crate::intake::Cut;

/// What became of every row that was read.
#[derive(Debug)]
pub(crate) struct Books {
    /// What became of the rows of each flow.
    pub(crate) account: Account,
    flows: Vec<Stretches>,
    /// Rows that were not delivered, which is not written down yet.
    undelivered: Vec<Undelivered>,
    /// Delivered records of which rows make something else now, which is not written down yet.
    differing: Vec<Differing>,
    /// Rejected rows without an id so far, which are told apart by their number.
    unnamed: u64,
    /// The number of the last delivered record in the ledger, once all is written down.
    last_record: i64,
}

/// The stretches of one flow that are not settled.
#[derive(Debug)]
struct Stretches {
    /// When the flow was last read from its first row on: what a mark says of it.
    begun: Begun,
    /// What became of the rows before the first of them.
    before: FlowAccount,
    open: VecDeque<Stretch>,
    /// The number of the first of them.
    first: u32,
    /// By what the last change of a row that was read is known.
    changed: Option<String>,
}

/// When the flow was last read from its first row on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    /// In which run.
    pub(crate) run: i64,
    /// After which delivered record.
    pub(crate) record: i64,
    /// Up to which one they are surely of rows before the mark that is gone on with, if one is.
    /// Of later ones that is not known any more, since some of them are met again.
    pub(crate) known: Option<i64>,
}

#[derive(Debug)]
struct Stretch {
    /// Where it begins; unknown of the first.
    begins: Option<String>,
    /// The last record that was delivered before any row of it was looked at.
    last_record: i64,
    /// Its rows that have no outcome yet.
    unsettled: u64,
    account: FlowAccount,
}

impl Books {
    /// Books without a flow, opened after that delivered record.
    pub(crate) fn new(last_record: i64) -> Self {
        Self {
            account: Account::default(),
            flows: Vec::new(),
            undelivered: Vec::new(),
            differing: Vec::new(),
            unnamed: 0,
            last_record,
        }
    }

    /// Adds a flow: one that begins with its first row, or one that is gone on with, whose rows
    /// before that ended so.
    pub(crate) fn add_flow(&mut self, before: FlowAccount, begun: Begun) {
        // Those that were told apart by a number keep theirs.
        self.unnamed += before.count(OutcomeKind::Rejected);
        let first = Stretch::new(None, self.last_record, &before);
        self.flows.push(Stretches {
            begun,
            before: before.clone(),
            open: VecDeque::from([first]),
            first: 0,
            changed: None,
        });
        self.account.flows.push(before);
    }

    /// The flow's name.
    pub(crate) fn name(&self, flow: usize) -> &str {
        &self.account.flows[flow].flow
    }

    pub(crate) fn entity(&self, flow: usize) -> Entity {
        self.account.flows[flow].entity
    }

    /// The run in which the flow was last read from its first row on.
    pub(crate) fn begun_in(&self, flow: usize) -> i64 {
        self.flows[flow].begun.run
    }

    /// Notes by what the last change of a row of the flow is known.
    pub(crate) fn changed(&mut self, flow: usize, changed: String) {
        self.flows[flow].changed = Some(changed);
    }

    /// By what rows are known that have changed since the flow was read, if none of its rows waits
    /// for something else to be delivered. A user may have come after the users were read and
    /// before the messages were.
    pub(crate) fn settled_change(&self, flow: usize) -> Option<&str> {
        let changed = self.flows[flow].changed.as_deref();
        changed.filter(|_| waiting(&self.account.flows[flow]) == 0)
    }

    /// Notes rows that were read, and where stretches begin.
    pub(crate) fn read(&mut self, rows: &[(Origin, u64)], cuts: Vec<Cut>) {
        for Cut { flow, begins } in cuts {
            let Stretches {
                open,
                before,
                begun,
                ..
            } = &mut self.flows[flow];
            let last_record = begun.known.unwrap_or(self.last_record);
            open.push_back(Stretch::new(Some(begins), last_record, before));
        }
        for (origin, rows) in rows {
            self.account.flows[origin.flow].read += rows;
            let stretch = self.stretch(*origin);
            stretch.account.read += rows;
            stretch.unsettled += rows;
        }
    }

    /// Notes that rows ended so.
    pub(crate) fn ended(&mut self, origin: Origin, kind: OutcomeKind, reason: &str, rows: u64) {
        self.account.flows[origin.flow].add(kind, reason, rows);
        let stretch = self.stretch(origin);
        stretch.account.add(kind, reason, rows);
        stretch.unsettled = stretch.unsettled.saturating_sub(rows);
    }

    /// Notes that an earlier run had delivered the row.
    pub(crate) fn settled_before(&mut self, origin: Origin) {
        self.account.flows[origin.flow].settled_before += 1;
        let stretch = self.stretch(origin);
        stretch.account.settled_before += 1;
        stretch.unsettled = stretch.unsettled.saturating_sub(1);
    }

    /// Notes that a record which an earlier run has delivered is another one now.
    pub(crate) fn differs(&mut self, record: &Record) {
        let origin = record.origin;
        self.account.flows[origin.flow].differing += 1;
        self.stretch(origin).account.differing += 1;
        self.differing.push(Differing {
            key: record.key(),
            flow: self.name(origin.flow).to_owned(),
            entity: record.entity,
            id: record.id.as_str().to_owned(),
        });
    }

    /// Notes that the record was delivered; it is about to be written down.
    pub(crate) fn delivered(&mut self, origin: Origin, present: bool) {
        self.last_record += 1;
        let kind = match present {
            true => OutcomeKind::Present,
            false => OutcomeKind::Imported,
        };
        self.ended(origin, kind, "", 1);
    }

    /// Notes that a placeholder was delivered for a row of its flow; it is about to be written down.
    pub(crate) fn placeholder(&mut self, record: &Record) {
        self.last_record += 1;
        let flow = &mut self.account.flows[record.origin.flow];
        *flow.placeholders.entry(record.entity).or_default() += 1;
    }

    /// Writes down that a placeholder cannot be delivered. It is no row, so it is not counted; those
    /// that refer to it are.
    pub(crate) fn no_placeholder(&mut self, record: &Record, outcome: Outcome) {
        self.undelivered.push(Undelivered {
            key: record.key(),
            flow: self.name(record.origin.flow).to_owned(),
            entity: record.entity,
            id: Some(record.id.as_str().to_owned()),
            outcome,
            place: None,
            content: Some(record.content()),
        });
    }

    /// Notes that values of the record were mended.
    pub(crate) fn adjusted(&mut self, record: &Record) {
        for rule in &record.adjusted {
            let adjusted = &mut self.account.flows[record.origin.flow].adjusted;
            *adjusted.entry(rule).or_default() += 1;
        }
    }

    /// Writes off a row that breaks a rule, known by its id or by its place.
    pub(crate) fn reject(&mut self, origin: Origin, row: RejectedRow) {
        let entity = self.entity(origin.flow);
        let name = self.name(origin.flow).to_owned();
        let key = match (&row.id, &row.place) {
            (Some(id), _) => Key::of(entity, id),
            (None, Some(place)) => Key::of_words(&[&name, &place.to_string()]),
            (None, None) => {
                self.unnamed += 1;
                Key::of_words(&[&name, &row.rule, &self.unnamed.to_string()])
            }
        };
        let outcome = Outcome::Rejected {
            rule: row.rule,
            detail: row.detail,
        };
        self.ended(origin, outcome.kind(), outcome.reason(), 1);
        self.undelivered.push(Undelivered {
            key,
            flow: name,
            entity,
            id: row.id,
            outcome,
            place: row.place,
            content: None,
        });
    }

    /// Writes off a record that will not be delivered in this run.
    pub(crate) fn write_off(&mut self, key: Key, record: &Record, outcome: Outcome) {
        self.ended(record.origin, outcome.kind(), outcome.reason(), 1);
        self.undelivered.push(Undelivered {
            key,
            flow: self.name(record.origin.flow).to_owned(),
            entity: record.entity,
            id: Some(record.id.as_str().to_owned()),
            outcome,
            place: None,
            content: Some(record.content()),
        });
    }

    /// How many rows wait to be written down.
    pub(crate) fn unwritten(&self) -> usize {
        self.undelivered.len() + self.differing.len()
    }

    /// What is to be written down together with these requests, if there is anything.
    pub(crate) fn entry(&mut self, requests: Vec<(RequestRow, Vec<Settled>)>) -> Option<Entry> {
        let marks = self.flows.iter_mut().filter_map(Stretches::mark);
        let entry = Entry {
            requests,
            undelivered: std::mem::take(&mut self.undelivered),
            differing: std::mem::take(&mut self.differing),
            marks: marks.collect(),
        };
        (!entry.is_empty()).then_some(entry)
    }

    fn stretch(&mut self, origin: Origin) -> &mut Stretch {
        let Stretches { open, first, .. } = &mut self.flows[origin.flow];
        let place = usize::try_from(origin.stretch - *first).expect("few stretches are open");
        &mut open[place]
    }
}

/// How many rows of a flow wait for something else to be delivered: for somebody who was not, or
/// whom no flow has delivered so far.
#[must_use]
pub fn waiting(flow: &FlowAccount) -> u64 {
    let outcomes = flow.outcomes.iter();
    let waiting = outcomes
        .filter(|((kind, reason), _)| *kind == OutcomeKind::Blocked || reason == UNKNOWN_REFERENCE);
    waiting.map(|(_, rows)| rows).sum()
}

impl Stretches {
    /// Closes the stretches whose rows are all settled; the mark, if it has moved.
    fn mark(&mut self) -> Option<Mark> {
        let mut moved = false;
        while self.open.len() > 1 && self.open[0].is_settled() {
            let settled = self.open.pop_front()?;
            self.first += 1;
            add(&mut self.before, &settled.account);
            moved = true;
        }
        let next = &self.open[0];
        let position = next.begins.as_ref().filter(|_| moved)?;
        Some(Mark {
            flow: self.before.flow.clone(),
            begun_in: self.begun.run,
            position: position.clone(),
            records: (self.begun.record, next.last_record),
            before: self.before.clone(),
        })
    }
}

impl Stretch {
    fn new(begins: Option<String>, last_record: i64, of: &FlowAccount) -> Self {
        Self {
            begins,
            last_record,
            unsettled: 0,
            account: FlowAccount::new(of.flow.clone(), of.entity),
        }
    }

    fn is_settled(&self) -> bool {
        self.unsettled == 0 && self.account.count(OutcomeKind::Blocked) == 0
    }
}

fn add(sum: &mut FlowAccount, more: &FlowAccount) {
    sum.read += more.read;
    sum.settled_before += more.settled_before;
    sum.differing += more.differing;
    for ((kind, reason), rows) in &more.outcomes {
        sum.add(*kind, reason, *rows);
    }
}

/// The account of a flow that is gone on with: what was delivered is settled now.
pub(crate) fn gone_on_with(before: &FlowAccount) -> FlowAccount {
    let mut account = FlowAccount::new(before.flow.clone(), before.entity);
    account.read = before.read;
    account.settled_before = before.settled_before;
    account.differing = before.differing;
    for ((kind, reason), rows) in &before.outcomes {
        match kind {
            OutcomeKind::Imported | OutcomeKind::Present => account.settled_before += rows,
            _ => account.add(*kind, reason, *rows),
        }
    }
    account
}
