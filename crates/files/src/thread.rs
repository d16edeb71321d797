//! Reading that blocks, on a thread of its own, for those who wait without blocking.

use std::ops::ControlFlow;

use chatferry_core::source::{Batch, BatchStream, SourceError, SourceErrorKind};
use futures::stream::{self, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Batches that wait for the consumer: one to be taken while the next is made.
const BATCHES_AHEAD: usize = 2;

/// Nobody takes the rows any more.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// Who takes the batches of a scan.
#[derive(Debug)]
pub struct Consumer(mpsc::Sender<Result<Batch, SourceError>>);

impl Consumer {
    /// Gives a batch, and waits until there is room for it.
    pub fn give(&self, batch: Batch) -> ControlFlow<Gone> {
        match self.0.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Gone),
        }
    }
}

/// What `find` finds out. It is told whether anybody still waits for that, and may break off with
/// any error when nobody does.
///
/// # Errors
///
/// As `find` says.
pub async fn found<T: Send + 'static>(
    find: impl FnOnce(&dyn Fn() -> bool) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let (sender, receiver) = oneshot::channel();
    let thread = tokio::task::spawn_blocking(move || {
        let waits = || !sender.is_closed();
        let found = find(&waits);
        // When nobody waits any more, nobody needs it.
        let _ = sender.send(found);
    });
    match receiver.await {
        Ok(found) => found,
        Err(_) => match thread.await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => Err(ended()),
        },
    }
}

/// What `read` gives to the consumer. It begins when the stream is first polled.
pub fn given(
    read: impl FnOnce(&Consumer) -> Result<ControlFlow<Gone>, SourceError> + Send + 'static,
) -> BatchStream {
    let begun = async move {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let thread = tokio::task::spawn_blocking(move || {
            let consumer = Consumer(sender);
            if let Err(error) = read(&consumer) {
                // When nobody takes it, nobody needs it.
                let _ = consumer.0.blocking_send(Err(error));
            }
        });
        stream::unfold((receiver, Some(thread)), pull)
    };
    stream::once(begun).flatten().boxed()
}

/// The error when nobody is left to do anything.
pub(crate) fn ended() -> SourceError {
    SourceError::new(SourceErrorKind::Failed, "read", "the program ends")
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
