//! The rows of a table, pulled as fast as they are taken.
//!
//! One thread reads the files and finds the fields of their records; others make batches of them,
//! which are given in the order of the files.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::source::{Batch, Scan, SourceError};
use chatferry_files::{Broken, Consumer, Found, Gone, Root, Tools, Workers, beside, changed};

use crate::decode::Decoder;
use crate::describe::Described;
use crate::parcel::{Parcel, rejected};
use crate::pieces::{Event, go_through};
use crate::settings::TableSettings;

/// Bytes of records that a batch is made of, even when it could have more rows.
const BATCH_BYTES: usize = 4 << 20;
/// Rejected rows that a batch holds.
const BATCH_REJECTED: usize = 1024;

/// Gives the rows of a table, until they end or nobody takes them.
pub(crate) fn read(
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    scan: &Scan,
    consumer: &Consumer,
) -> Result<ControlFlow<Gone>, SourceError> {
    // Listed again, so that what has changed is noticed before anything is read.
    let same = root.list(&settings.template).ok().as_ref() == Some(&described.listing);
    if !same || scan.table.schema != described.table.schema {
        return Err(changed(settings.template.written()));
    }
    let new = || Decoder::new(settings, described, scan);
    let decoders = Tools::new(&new);
    let decode = |parcel| decoders.with(|decoder| decoder.decode(parcel));
    let mut rows = Rows {
        parcel: Parcel::default(),
        empty: Vec::new(),
        given: 0,
        limit: scan.limit,
        most: scan
            .rows_per_batch
            .min(scan.limit.unwrap_or(usize::MAX))
            .max(1),
        consumer,
    };
    beside(decode, |workers| {
        let outcome = go_through(root, &described.listing, settings, |file, event| {
            rows.take(file, event, workers)
        });
        let failure = match outcome {
            Ok(ControlFlow::Continue(())) => None,
            Ok(ControlFlow::Break(Stop::Enough)) => return Ok(ControlFlow::Continue(())),
            Ok(ControlFlow::Break(Stop::Gone)) => return Ok(ControlFlow::Break(Gone)),
            Ok(ControlFlow::Break(Stop::Changed(name))) => Some(changed(&name)),
            Err(Broken { error, .. }) => Some(error),
        };
        let rest = std::mem::take(&mut rows.parcel);
        let caught_up = rows.catch_up(workers);
        let ended = match caught_up.is_continue() {
            true => rows.give(decode(rest)),
            false => caught_up,
        };
        match (ended, failure) {
            (ControlFlow::Break(Stop::Gone), _) => Ok(ControlFlow::Break(Gone)),
            (ControlFlow::Continue(()), Some(error)) => Err(error),
            _ => Ok(ControlFlow::Continue(())),
        }
    })
}

/// Why reading ends before the files do.
enum Stop {
    /// Nobody takes the rows any more.
    Gone,
    /// As many as were wanted were given.
    Enough,
    /// This file has changed.
    Changed(Arc<str>),
}

/// Who decodes beside the reading.
type Decoding<'scope, 'env> = Workers<'scope, 'env, Parcel, (Batch, Parcel)>;

/// What was read and not yet given.
struct Rows<'s> {
    parcel: Parcel,
    empty: Vec<Parcel>,
    given: usize,
    limit: Option<usize>,
    most: usize,
    consumer: &'s Consumer,
}

impl Rows<'_> {
    fn take(
        &mut self,
        file: &Found,
        event: Event<'_>,
        workers: &mut Decoding<'_, '_>,
    ) -> ControlFlow<Stop> {
        match event {
            Event::Enter(columns) => self.parcel.enter(file, columns),
            Event::Record(record) => self.parcel.push(&record),
            Event::Rejected(rule, detail, at) => {
                self.parcel.reject(rejected(rule, detail, &file.name, at));
            }
            Event::Leave(_) if file.has_changed() => {
                return ControlFlow::Break(Stop::Changed(Arc::clone(&file.name)));
            }
            Event::Leave(_) => {}
        }
        let (rows, rejected) = self.parcel.rows();
        if rows < self.most && rejected < BATCH_REJECTED && self.parcel.weight() < BATCH_BYTES {
            return ControlFlow::Continue(());
        }
        let next = self.parcel.next(self.empty.pop());
        let full = std::mem::replace(&mut self.parcel, next);
        match workers.give(full) {
            Some(decoded) => self.give(decoded),
            None => ControlFlow::Continue(()),
        }
    }

    /// Gives everything that was handed to others.
    fn catch_up(&mut self, workers: &mut Decoding<'_, '_>) -> ControlFlow<Stop> {
        while let Some(decoded) = workers.earliest() {
            self.give(decoded)?;
        }
        ControlFlow::Continue(())
    }

    fn give(&mut self, (mut batch, empty): (Batch, Parcel)) -> ControlFlow<Stop> {
        self.empty.push(empty);
        let left = self.limit.map_or(usize::MAX, |limit| limit - self.given);
        let rows = batch.rows.num_rows().min(left);
        batch.rows = batch.rows.slice(0, rows);
        if rows == 0 && batch.rejected.is_empty() {
            return ControlFlow::Continue(());
        }
        if self.consumer.give(batch).is_break() {
            return ControlFlow::Break(Stop::Gone);
        }
        self.given += rows;
        match self.limit {
            Some(limit) if self.given >= limit => ControlFlow::Break(Stop::Enough),
            _ => ControlFlow::Continue(()),
        }
    }
}
