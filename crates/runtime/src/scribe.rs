//! The ledger at work beside the sending.
//!
//! Writing takes a way to SQLite and back, in which answers come. So it has a task of its own,
//! which writes down at once whatever has gathered meanwhile. It is never far behind: who gives
//! it more than so many entries waits.

use chatferry_ledger::{Entry, Ledger, LedgerError, RunId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The ledger at work.
#[derive(Debug)]
pub(crate) struct Scribe {
    give: mpsc::Sender<Entry>,
    task: JoinHandle<(Ledger, Result<(), LedgerError>)>,
}

/// The ledger cannot be written on. [`Scribe::finish`] says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl Scribe {
    /// Begins to write a run. At most `ahead` entries wait to be written.
    pub(crate) fn start(ledger: Ledger, run: RunId, ahead: usize) -> Self {
        let (give, entries) = mpsc::channel(ahead.max(1));
        Self {
            give,
            task: tokio::spawn(write(ledger, run, entries)),
        }
    }

    /// Gives an entry to be written; waits while too many are.
    pub(crate) async fn write(&self, entry: Entry) -> Result<(), Failed> {
        self.give.send(entry).await.map_err(|_| Failed)
    }

    /// Waits until all is written, and gives the ledger back.
    pub(crate) async fn finish(self) -> (Ledger, Result<(), LedgerError>) {
        drop(self.give);
        match self.task.await {
            Ok(finished) => finished,
            Err(fault) => std::panic::resume_unwind(fault.into_panic()),
        }
    }
}

async fn write(
    mut ledger: Ledger,
    run: RunId,
    mut entries: mpsc::Receiver<Entry>,
) -> (Ledger, Result<(), LedgerError>) {
    while let Some(mut entry) = entries.recv().await {
        while let Ok(more) = entries.try_recv() {
            entry.extend(more);
        }
        if let Err(error) = ledger.settle(run, &entry).await {
            return (ledger, Err(error));
        }
    }
    (ledger, Ok(()))
}
