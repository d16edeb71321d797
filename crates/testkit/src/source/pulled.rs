//! When a source works, and who may stop it.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use chatferry_core::source::{BatchStream, Scan, Source, Table};
use futures::StreamExt;
use futures::future::poll_fn;
use tokio::runtime::Handle;

use super::outcome::{Outcome, Reading, read};

/// Polls after which a scan is left, one by one; then twice as many each time.
///
/// A database is connected to anew for most of them, which is what takes the time.
const LEFT_AFTER_EACH: usize = 12;
/// Turns without a row after which nobody reads any more.
const QUIET: usize = 64;

/// How many rows a source has read.
pub(super) struct Watch {
    ahead: u64,
    rows_read: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Watch {
    pub(super) fn new(ahead: u64, rows_read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            ahead,
            rows_read: Box::new(rows_read),
        }
    }

    fn now(&self) -> u64 {
        (self.rows_read)()
    }

    /// The rows that are read once everybody who reads has come to rest. Tasks and threads have
    /// their turns meanwhile; no time passes that would have to be long enough.
    async fn at_rest(&self) -> u64 {
        let (mut rows, mut quiet) = (self.now(), 0);
        while quiet < QUIET {
            tokio::task::yield_now().await;
            let thread = tokio::task::spawn_blocking(std::thread::yield_now);
            thread.await.expect("a thread that yields");
            let now = self.now();
            quiet = if now == rows { quiet + 1 } else { 0 };
            rows = now;
        }
        rows
    }
}

/// Where whoever reads may go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// At any poll.
    Anywhere,
    /// Only while nothing is under way.
    BetweenBatches,
}

/// What a future gives, if it is ready after so many polls. Otherwise it is dropped right after
/// the last of them.
pub(crate) async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Polls a stream so many times and drops it; whether it came to its end.
async fn left_after(mut stream: BatchStream, polls: usize) -> bool {
    let mut left = polls;
    poll_fn(|context| {
        while left > 0 {
            left -= 1;
            match stream.poll_next_unpin(context) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Pending if left == 0 => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(false)
    })
    .await
}

fn one_by_one(table: &Arc<Table>, all: &[usize]) -> Scan {
    Scan::of(Arc::clone(table), all.to_vec(), 1)
}

/// Row by row, or in more rows at a time where there are many of them.
fn in_pieces(table: &Arc<Table>, all: &[usize], whole: &Outcome) -> Scan {
    Scan::of(Arc::clone(table), all.to_vec(), whole.piece())
}

pub(super) async fn two_scans_are_equal(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
) {
    let (one, other) = futures::join!(
        read(source, table, all, 1_000),
        read(source, table, all, 1_000)
    );
    for again in [one, other] {
        assert_eq!(again.rows, whole.rows, "two scans give the same rows");
        assert_eq!(
            again.rejected, whole.rejected,
            "two scans reject the same rows"
        );
        assert_eq!(again.failed, whole.failed, "two scans end alike");
    }
}

/// Two scans are pulled in turns, while a third one rests.
pub(super) async fn scans_do_not_meet(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
) {
    let mut resting = Reading::begin(source, in_pieces(table, all, whole));
    resting.pull().await;
    let mut one = Reading::begin(source, in_pieces(table, all, whole));
    let mut other = Reading::begin(source, in_pieces(table, all, whole));
    while one.pull().await | other.pull().await {}
    while resting.pull().await {}
    for again in [one, other, resting] {
        let again = again.outcome();
        assert_eq!(
            again.rows, whole.rows,
            "scans that are open at once do not meet"
        );
    }
}

/// A scan that nobody polls is only a wish. It can be made where no task and no timer could be.
pub(super) async fn nothing_is_done_before_the_first_poll(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    watch: Option<&Watch>,
) {
    let (elsewhere, scan) = (Arc::clone(source), one_by_one(table, all));
    let made = std::thread::spawn(move || drop(elsewhere.scan(scan)));
    assert!(
        made.join().is_ok(),
        "no work is done before the first poll: a scan needs no runtime"
    );
    let read = match watch {
        Some(watch) => watch.at_rest().await,
        None => 0,
    };
    let tasks = Handle::current().metrics().num_alive_tasks();
    let stream = source.scan(one_by_one(table, all));
    assert!(
        Handle::current().metrics().num_alive_tasks() <= tasks,
        "no work is done before the first poll: no task is begun"
    );
    if let Some(watch) = watch {
        assert_eq!(
            watch.at_rest().await,
            read,
            "no work is done before the first poll: no row is read"
        );
    }
    drop(stream);
}

pub(super) async fn a_scan_can_be_left(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
    leave: Leave,
) {
    let scan = || source.scan(in_pieces(table, all, whole));
    drop(scan());
    let mut after = 1;
    loop {
        let ended = match leave {
            Leave::Anywhere => left_after(scan(), after).await,
            Leave::BetweenBatches => scan().take(after).count().await < after,
        };
        after = match after {
            _ if ended => break,
            few if few < LEFT_AFTER_EACH => few + 1,
            many => many * 2,
        };
    }
    let again = read(source, table, all, 1_000).await;
    assert_eq!(
        again.rows, whole.rows,
        "a scan that was left changes nothing for others"
    );
}

pub(super) async fn nothing_is_read_for_nobody(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    watch: &Watch,
) {
    let before = watch.at_rest().await;
    let mut stream = source.scan(one_by_one(table, all));
    for taken in 1..=3 {
        let batch = stream.next().await;
        assert!(batch.is_some(), "a table that is watched has many rows");
        let read = watch.at_rest().await - before;
        assert!(
            read <= taken + watch.ahead,
            "a source is not ahead of who pulls: {taken} rows are taken and {read} are read"
        );
    }
    let read = watch.at_rest().await;
    drop(stream);
    assert!(
        watch.at_rest().await <= read + watch.ahead,
        "no work is done after a stream is dropped"
    );
}
