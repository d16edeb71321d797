//! One query, from its beginning until nobody wants more of it.

use std::sync::{Arc, Mutex, PoisonError};

use adbc_core::error::Error;
use adbc_core::{CancelHandle, Connection as _, Statement as _};
use arrow::array::RecordBatchReader;
use tokio::sync::oneshot;

use crate::driver::Connected;

/// What to say to a driver so that it breaks off, if it is at work.
type Handle = Arc<Mutex<State>>;

#[derive(Default)]
struct State {
    gone: bool,
    handle: Option<Box<dyn CancelHandle>>,
}

/// Who waits for a query. When it is dropped, the query is broken off.
pub(crate) struct Waits(Handle);

/// Whether anybody still waits for a query; kept by those who run it.
#[derive(Clone, Default)]
pub(crate) struct Wanted(Handle);

impl Wanted {
    pub(crate) fn is_gone(&self) -> bool {
        self.state().gone
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, handle: Option<Box<dyn CancelHandle>>) {
        self.state().handle = handle;
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.gone = true;
        let Some(handle) = state.handle.take() else {
            return;
        };
        // It may ask the server, and whoever drops a stream cannot wait for that. A driver that
        // cannot be told goes on until its next batch, where the reading ends.
        std::thread::spawn(move || {
            let _ = handle.try_cancel();
        });
    }
}

/// Runs something that blocks on a thread of its own, and tells it when nobody waits any more.
pub(crate) async fn beside<T: Send + 'static>(
    work: impl FnOnce(&Wanted) -> T + Send + 'static,
) -> T {
    let wanted = Wanted::default();
    let _waits = Waits(Arc::clone(&wanted.0));
    let (sender, receiver) = oneshot::channel();
    let thread = tokio::task::spawn_blocking(move || {
        // When nobody waits any more, nobody needs it.
        let _ = sender.send(work(&wanted));
    });
    match receiver.await {
        Ok(done) => done,
        Err(_) => match thread.await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is being shut down, and nobody polls this again.
            _ => std::future::pending().await,
        },
    }
}

/// Whether a query was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Whole,
    InPart,
}

/// Runs a query, and gives its batches to `read`.
pub(crate) fn run<T>(
    mut connected: Connected,
    sql: &str,
    wanted: &Wanted,
    read: impl FnOnce(&mut dyn RecordBatchReader) -> (T, Read),
) -> Result<T, Error> {
    let mut statement = connected.connection.new_statement()?;
    statement.set_sql_query(sql)?;
    wanted.set(Some(statement.get_cancel_handle()));
    let read = statement.execute().map(|mut batches| {
        let (given, read) = read(&mut batches);
        if read == Read::InPart {
            // Drivers have taken all the rest before they let go of what they were not told to end.
            // One that cannot be told says so, and does that.
            let _ = statement.get_cancel_handle().try_cancel();
        }
        given
    });
    wanted.set(None);
    read
}
