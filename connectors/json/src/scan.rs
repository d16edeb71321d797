//! The rows of a table, pulled as fast as they are taken.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, Scan, SourceError};
use chatferry_files::{Broken, Consumer, Found, Gone, Root, changed};

use crate::decode::Decoder;
use crate::describe::Described;
use crate::pieces::{Event, go_through, place};
use crate::settings::TableSettings;
use crate::window::At;

/// Bytes that a batch holds, roughly, even when it could have more rows.
const BATCH_BYTES: usize = 4 << 20;
/// Rejected rows that a batch holds.
const BATCH_REJECTED: usize = 1024;

/// Reads the files and gives batches until nobody takes them.
pub(crate) fn read(
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    scan: &Scan,
    consumer: &Consumer,
) -> Result<ControlFlow<Gone>, SourceError> {
    let (around, parts) = (settings.parents.len(), settings.template.columns().len());
    let mut rows = Rows {
        decoder: Decoder::new(
            &described.columns,
            around,
            parts,
            &scan.columns,
            scan.schema(),
        ),
        rejected: Vec::new(),
        most: scan.rows_per_batch.max(1),
        passed: 0,
        consumer,
    };
    let same =
        Arc::ptr_eq(&scan.table, &described.table) || scan.table.schema == described.table.schema;
    // Listed again, so that what has changed is noticed before anything is read.
    if !same || root.list(&settings.template).ok().as_ref() != Some(&described.listing) {
        return Err(changed(settings.template.written()));
    }
    let (listing, late) = (&described.listing, &described.late);
    let outcome = go_through(root, listing, settings, late, |file, event| {
        rows.take(file, event)
    });
    let error = match outcome {
        Ok(ControlFlow::Continue(())) => None,
        Ok(ControlFlow::Break(Stop::Gone)) => return Ok(ControlFlow::Break(Gone)),
        Ok(ControlFlow::Break(Stop::Changed(name))) => Some(changed(&name)),
        Err(Broken { error, .. }) => Some(error),
    };
    if rows.flush().is_break() {
        return Ok(ControlFlow::Break(Gone));
    }
    match error {
        None => Ok(ControlFlow::Continue(())),
        Some(error) => Err(error),
    }
}

/// Why reading ends before the files do.
enum Stop {
    /// Nobody takes the rows any more.
    Gone,
    /// This file has changed.
    Changed(Arc<str>),
}

/// What was read and not yet sent.
struct Rows<'s> {
    decoder: Decoder,
    rejected: Vec<RejectedRow>,
    most: usize,
    /// Bytes of records since the batch was last weighed.
    passed: usize,
    consumer: &'s Consumer,
}

impl Rows<'_> {
    fn take(&mut self, file: &Found, event: Event<'_>) -> ControlFlow<Stop> {
        match event {
            Event::Enter => {
                self.decoder.enter(&file.parts);
                return ControlFlow::Continue(());
            }
            Event::Record(json, around, at) => {
                self.passed += json.len();
                if let Err(malformed) = self.decoder.push(json, around) {
                    self.reject(malformed.rule, malformed.detail(json), file, at);
                }
            }
            Event::Rejected(rule, detail, at) => self.reject(rule, detail, file, at),
            Event::Leave { .. } if file.has_changed() => {
                return ControlFlow::Break(Stop::Changed(Arc::clone(&file.name)));
            }
            Event::Leave { .. } | Event::Late(..) => return ControlFlow::Continue(()),
        }
        if self.is_full() {
            self.flush()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn reject(&mut self, rule: &'static str, detail: String, file: &Found, at: At) {
        let place = Some(place(file, at));
        self.rejected.push(RejectedRow {
            rule: rule.into(),
            detail,
            id: None,
            place,
        });
    }

    fn is_full(&mut self) -> bool {
        if self.passed >= BATCH_BYTES {
            // No more is held than was read, so it need not be weighed more often.
            let bytes = self.decoder.bytes();
            if bytes >= BATCH_BYTES {
                return true;
            }
            self.passed = bytes;
        }
        self.decoder.rows() >= self.most || self.rejected.len() >= BATCH_REJECTED
    }

    fn flush(&mut self) -> ControlFlow<Stop> {
        self.passed = 0;
        if self.decoder.rows() == 0 && self.rejected.is_empty() {
            return ControlFlow::Continue(());
        }
        let rejected = std::mem::take(&mut self.rejected);
        let batch = Batch {
            rows: self.decoder.finish(),
            rejected,
        };
        match self.consumer.give(batch) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(Gone) => ControlFlow::Break(Stop::Gone),
        }
    }
}
