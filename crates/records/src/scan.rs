//! The rows of a table, pulled as fast as they are taken.
//!
//! One thread reads the files and parts them into parcels of records; others make batches of them,
//! which are given in the order of the files.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::source::{Batch, Scan, SourceError};
use chatferry_files::{Broken, Consumer, Found, Gone, Root, Tools, Workers, beside, changed};

use crate::decode::Decoder;
use crate::describe::Described;
use crate::options::TableSettings;
use crate::parcel::Parcel;
use crate::pieces::{Event, go_through};

/// Bytes of records that a batch is made of, even when it could have more rows.
const BATCH_BYTES: usize = 4 << 20;
/// Rejected rows that a batch holds.
const BATCH_REJECTED: usize = 1024;

/// Reads the files and gives batches until nobody takes them.
pub fn read(
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    scan: &Scan,
    consumer: &Consumer,
) -> Result<ControlFlow<Gone>, SourceError> {
    let same =
        Arc::ptr_eq(&scan.table, &described.table) || scan.table.schema == described.table.schema;
    // Listed again, so that what has changed is noticed before anything is read.
    if !same || settings.list(root).ok().as_ref() != Some(&described.listing) {
        return Err(changed(settings.template.written()));
    }
    let new = || {
        Decoder::new(
            &described.columns,
            settings.parents.len(),
            settings.template.columns().len(),
            &scan.columns,
            scan.schema(),
        )
    };
    let decoders = Tools::new(&new);
    let decode = |parcel: Parcel| decoders.with(|decoder| parcel.decode(decoder));
    let mut rows = Rows {
        parcel: Parcel::default(),
        empty: Vec::new(),
        most: scan.rows_per_batch.max(1),
        consumer,
    };
    let (listing, late) = (&described.listing, &described.late);
    beside(decode, |workers| {
        let outcome = go_through(root, listing, settings, late, |file, event| {
            rows.take(file, event, workers)
        });
        let error = match outcome {
            Ok(ControlFlow::Continue(())) => None,
            Ok(ControlFlow::Break(Stop::Gone)) => return Ok(ControlFlow::Break(Gone)),
            Ok(ControlFlow::Break(Stop::Changed(name))) => Some(changed(&name)),
            Err(Broken { error, .. }) => Some(error),
        };
        let rest = std::mem::take(&mut rows.parcel);
        if rows.catch_up(workers).is_break() || rows.give(decode(rest)).is_break() {
            return Ok(ControlFlow::Break(Gone));
        }
        error.map_or(Ok(ControlFlow::Continue(())), Err)
    })
}

/// Why reading ends before the files do.
enum Stop {
    /// Nobody takes the rows any more.
    Gone,
    /// This file has changed.
    Changed(Arc<str>),
}

/// Who decodes beside the reading.
type Decoding<'scope, 'env> = Workers<'scope, 'env, Parcel, (Batch, Parcel)>;

/// What was read and not yet given.
struct Rows<'s> {
    parcel: Parcel,
    empty: Vec<Parcel>,
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
            Event::Enter => self.parcel.enter(file),
            Event::Record(json, around, at) => self.parcel.push(json, around, at),
            Event::Rejected(rule, detail, at) => self.parcel.reject(rule, detail, file, at),
            Event::Leave { .. } if file.has_changed() => {
                return ControlFlow::Break(Stop::Changed(Arc::clone(&file.name)));
            }
            Event::Leave { .. } | Event::Late(..) => {}
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

    fn give(&mut self, (batch, empty): (Batch, Parcel)) -> ControlFlow<Stop> {
        self.empty.push(empty);
        if batch.rows.num_rows() == 0 && batch.rejected.is_empty() {
            return ControlFlow::Continue(());
        }
        match self.consumer.give(batch) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(Gone) => ControlFlow::Break(Stop::Gone),
        }
    }
}
