//! The rows of a table, pulled as fast as they are taken.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, BatchStream, Scan, SourceError};
use chatferry_files::{Broken, Found, Root, changed};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::decode::Decoder;
use crate::describe::Described;
use crate::pieces::{Event, go_through, place};
use crate::settings::TableSettings;
use crate::window::At;

/// Batches that wait for the consumer: one to be taken while the next is made.
const BATCHES_AHEAD: usize = 2;
/// Bytes that a batch holds, roughly, even when it could have more rows.
const BATCH_BYTES: usize = 4 << 20;
/// Rejected rows that a batch holds.
const BATCH_REJECTED: usize = 1024;

/// A table and where to read it.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) root: Arc<Root>,
    pub(crate) settings: Arc<TableSettings>,
    pub(crate) described: Arc<Described>,
}

/// The batches of a scan. The reading is looked up when the stream is first polled.
pub(crate) fn batches(
    reading: BoxFuture<'static, Result<Reading, SourceError>>,
    scan: Scan,
) -> BatchStream {
    let opened = reading.map(move |reading| match reading {
        Ok(reading) => {
            let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
            let thread = tokio::task::spawn_blocking(move || read(&reading, &scan, &sender));
            stream::unfold((receiver, Some(thread)), pull).boxed()
        }
        Err(error) => stream::iter([Err(error)]).boxed(),
    });
    stream::once(opened).flatten().boxed()
}

type Sent = Result<Batch, SourceError>;
type Pulled = (mpsc::Receiver<Sent>, Option<JoinHandle<()>>);

async fn pull((mut receiver, mut thread): Pulled) -> Option<(Sent, Pulled)> {
    if let Some(sent) = receiver.recv().await {
        return Some((sent, (receiver, thread)));
    }
    if let Some(thread) = thread.take()
        && let Err(error) = thread.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
    None
}

/// Reads the files and sends batches until nobody takes them.
fn read(reading: &Reading, scan: &Scan, sender: &mpsc::Sender<Sent>) {
    let Reading {
        root,
        settings,
        described,
    } = reading;
    let parts = settings.template.columns().len();
    let mut rows = Rows {
        decoder: Decoder::new(&described.columns, parts, &scan.columns, scan.schema()),
        rejected: Vec::new(),
        most: scan.rows_per_batch.max(1),
        passed: 0,
        sender,
    };
    let same =
        Arc::ptr_eq(&scan.table, &described.table) || scan.table.schema == described.table.schema;
    // Listed again, so that what has changed is noticed before anything is read.
    if !same || root.list(&settings.template).ok().as_ref() != Some(&described.listing) {
        rows.fail(changed(settings.template.written()));
        return;
    }
    let outcome = go_through(root, &described.listing, settings, |file, event| {
        rows.take(file, event)
    });
    match outcome {
        Ok(ControlFlow::Continue(())) => {
            // Whether this was the last batch is not told: the channel closes behind it.
            let _ = rows.flush();
        }
        Ok(ControlFlow::Break(Stop::Gone)) => {}
        Ok(ControlFlow::Break(Stop::Changed(name))) => {
            if rows.flush().is_continue() {
                rows.fail(changed(&name));
            }
        }
        Err(Broken { error, .. }) => {
            if rows.flush().is_continue() {
                rows.fail(error);
            }
        }
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
    sender: &'s mpsc::Sender<Sent>,
}

impl Rows<'_> {
    fn take(&mut self, file: &Found, event: Event<'_>) -> ControlFlow<Stop> {
        match event {
            Event::Enter => {
                self.decoder.enter(&file.parts);
                return ControlFlow::Continue(());
            }
            Event::Record(json, at) => {
                self.passed += json.len();
                if let Err(malformed) = self.decoder.push(json) {
                    self.reject(malformed.rule, malformed.detail(json), file, at);
                }
            }
            Event::Rejected(rule, detail, at) => self.reject(rule, detail, file, at),
            Event::Leave { .. } if file.has_changed() => {
                return ControlFlow::Break(Stop::Changed(Arc::clone(&file.name)));
            }
            Event::Leave { .. } => return ControlFlow::Continue(()),
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
        match self.sender.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Stop::Gone),
        }
    }

    fn fail(&self, error: SourceError) {
        // When nobody takes it, nobody needs it.
        let _ = self.sender.blocking_send(Err(error));
    }
}
