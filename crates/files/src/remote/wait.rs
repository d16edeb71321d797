//! Waiting, on a thread that may, for what is done elsewhere.

use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver};

use tokio::runtime::{Builder, Runtime};

/// Where requests are made. They need a runtime, and whoever waits for one may be on any thread
/// and in any runtime, so they have one of their own.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("files")
        .enable_all()
        .build()
        .expect("a program may start a thread")
});

/// Something that is under way.
pub(super) struct Awaited<T>(Receiver<T>);

impl<T> Awaited<T> {
    /// Waits for it.
    pub(super) fn wait(self) -> T {
        self.0.recv().expect("no request panics")
    }
}

/// Begins something. What nobody waits for any more is given up.
pub(super) fn begin<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Awaited<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    RUNTIME.spawn(async move {
        // When nobody waits for it, nobody needs it.
        let _ = sender.send(work.await);
    });
    Awaited(receiver)
}

/// Begins something that gives more than one thing.
pub(super) fn begin_many<T, W, F>(room: usize, work: W) -> tokio::sync::mpsc::Receiver<T>
where
    T: Send + 'static,
    W: FnOnce(tokio::sync::mpsc::Sender<T>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(room);
    RUNTIME.spawn(work(sender));
    receiver
}

/// Does something and waits for it.
pub(super) fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    begin(work).wait()
}
