//! Ctrl-C and SIGTERM, and who is told of them.
//!
//! Once a program has asked for them they no longer end it by themselves, ever. So what comes while
//! nobody listens, such as between two runs, ends it here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use chatferry_runtime::Stop;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::progress::Voice;
use crate::trouble::Exit;

/// Whoever listens: one at a time.
static LISTENER: Mutex<Option<UnboundedSender<()>>> = Mutex::new(None);
static RECEIVED: AtomicU64 = AtomicU64::new(0);
static KEEPER: Once = Once::new();

/// How many there were since somebody listened for the first time.
pub(crate) fn received() -> u64 {
    RECEIVED.load(Ordering::Relaxed)
}

/// Signals, which come here instead of ending the program until this is dropped.
#[derive(Debug)]
pub(crate) struct Signals(UnboundedReceiver<()>);

impl Signals {
    /// Those that come from now on. Nobody else is told of these.
    pub(crate) fn new() -> Self {
        KEEPER.call_once(|| drop(tokio::spawn(keep())));
        let (sender, receiver) = unbounded_channel();
        *listener() = Some(sender);
        Self(receiver)
    }

    /// Waits for one.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // Somebody else listens.
            std::future::pending::<()>().await;
        }
    }
}

/// What listens on behalf of a run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener(JoinHandle<()>);

/// Asks for a stop at the first signal, and ends the program at the second.
pub(crate) fn listen(stop: Stop, voice: Voice) -> Listener {
    let mut signals = Signals::new();
    Listener(tokio::spawn(async move {
        signals.next().await;
        voice.say("stopping: answers under way are awaited; once more to leave at once");
        stop.now();
        signals.next().await;
        leave();
    }))
}

impl Drop for Listener {
    fn drop(&mut self) {
        *listener() = None;
        self.0.abort();
    }
}

fn listener() -> MutexGuard<'static, Option<UnboundedSender<()>>> {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes every signal on, or ends the program.
async fn keep() {
    let mut source = Source::new();
    loop {
        source.next().await;
        RECEIVED.fetch_add(1, Ordering::Relaxed);
        let told = listener().as_ref().map(|listener| listener.send(()));
        if !matches!(told, Some(Ok(()))) {
            leave();
        }
    }
}

fn leave() -> ! {
    std::process::exit(i32::from(Exit::Stopped.code()))
}

#[cfg(unix)]
struct Source([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Source {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        use std::future::poll_fn;
        use std::task::Poll;
        poll_fn(|context| {
            let came =
                |signal: &mut tokio::signal::unix::Signal| signal.poll_recv(context).is_ready();
            match self.0.iter_mut().flatten().any(came) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
