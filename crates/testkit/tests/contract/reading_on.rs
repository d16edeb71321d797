//! What is noticed of a table that is read on from where it ended.

use std::sync::{Arc, Mutex};

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use chatferry_core::source::{Batch, BatchStream, Rows, Scan, Source, SourceError, Table};
use chatferry_testkit::source::{assert_contract, assert_reads_on};
use futures::{StreamExt, stream};
use tokio::sync::OnceCell;

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    LeavesNothing,
    LeavesTooFar,
    BeginsTooLate,
    BeginsAnew,
    GivesOthers,
    ForgetsTheSecond,
    OnlyOnce,
}

/// A log that only grows. Its bookmarks are the numbers of entries.
#[derive(Debug)]
struct Log {
    flaw: Flaw,
    entries: Arc<Mutex<Vec<i64>>>,
    described: OnceCell<Arc<Table>>,
    begun: Arc<Mutex<Vec<usize>>>,
}

impl Log {
    fn with(flaw: Flaw) -> Self {
        Self {
            flaw,
            entries: Arc::new(Mutex::new(vec![1, 2, 3])),
            described: OnceCell::new(),
            begun: Arc::default(),
        }
    }
}

#[async_trait]
impl Source for Log {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec!["log".into()])
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        if table != "log" {
            let kind = chatferry_core::SourceErrorKind::NotFound;
            return Err(SourceError::new(
                kind,
                "read the log",
                "there is no such table",
            ));
        }
        let describe = || async {
            Arc::new(Table {
                name: "log".into(),
                schema: Arc::new(Schema::new(vec![Field::new("at", DataType::Int64, false)])),
                orders: Vec::new(),
                can_order: Vec::new(),
                rows: Rows::Unknown,
                notes: Vec::new(),
            })
        };
        Ok(Arc::clone(self.described.get_or_init(describe).await))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        if scan.table.name != "log" {
            let kind = chatferry_core::SourceErrorKind::NotFound;
            let error = SourceError::new(kind, "read the log", "there is no such table");
            return stream::iter([Err(error)]).boxed();
        }
        let (flaw, entries) = (self.flaw, Arc::clone(&self.entries));
        let begun = Arc::clone(&self.begun);
        let begin = async move {
            let entries = entries.lock().expect("entries").clone();
            let since = scan
                .bookmark
                .begins()
                .map(|at| at.parse().expect("a number"));
            let before = begun
                .lock()
                .expect("those begun")
                .contains(&since.unwrap_or(usize::MAX));
            let first = match (flaw, since) {
                (Flaw::BeginsTooLate, Some(at)) => at + 1,
                (Flaw::OnlyOnce, Some(at)) if before => at + 1,
                (Flaw::ForgetsTheSecond, Some(at)) if at > 3 => 3,
                (Flaw::BeginsAnew, _) => 0,
                (_, since) => since.unwrap_or(0),
            };
            begun.lock().expect("those begun").extend(since);
            let mut given = entries[first.min(entries.len())..].to_vec();
            match (flaw, since) {
                (Flaw::GivesOthers, Some(_)) => given.push(99),
                // What it gave before is another entry now.
                (Flaw::ForgetsTheSecond, Some(at)) if at > 3 => {
                    given.iter_mut().for_each(|it| *it += 50);
                }
                _ => {}
            }
            let (columns, bookmark) = (scan.columns.clone(), scan.bookmark.clone());
            let batches = given.chunks(scan.rows_per_batch.max(1)).map(|entries| {
                let at = Int64Array::from(entries.to_vec());
                let rows = RecordBatch::try_new(Arc::clone(&scan.table.schema), vec![Arc::new(at)]);
                let rows = rows.expect("a column").project(&columns).expect("columns");
                Ok(Batch {
                    rows,
                    rejected: Vec::new(),
                })
            });
            let batches: Vec<_> = batches.collect();
            let left = match flaw {
                Flaw::LeavesNothing => None,
                Flaw::LeavesTooFar => Some(entries.len() + 1),
                _ => Some(entries.len()),
            };
            let end = stream::once(async move {
                left.into_iter()
                    .for_each(|at| bookmark.leave(at.to_string()));
                None
            });
            let batches = stream::iter(batches).map(Some);
            batches.chain(end).filter_map(std::future::ready)
        };
        stream::once(begin).flatten().boxed()
    }
}

async fn check(flaw: Flaw) {
    let log = Arc::new(Log::with(flaw));
    let entries = Arc::clone(&log.entries);
    let write = async move { entries.lock().expect("entries").extend([4, 5, 6]) };
    assert_reads_on(log, "log", write).await;
}

#[tokio::test]
async fn a_table_that_can_be_read_on_passes() {
    assert_contract(Arc::new(Log::with(Flaw::None)), "log").await;
    check(Flaw::None).await;
}

macro_rules! noticed_on {
    ($($name:ident: $flaw:ident, $said:literal;)*) => {$(
        #[tokio::test]
        #[should_panic(expected = $said)]
        async fn $name() {
            check(Flaw::$flaw).await;
        }
    )*};
}

noticed_on! {
    a_scan_that_leaves_nothing: LeavesNothing, "leaves a bookmark";
    a_bookmark_behind_rows_that_come: LeavesTooFar, "no row that came or changed since is left out";
    going_on_after_the_first_new_row: BeginsTooLate, "no row that came or changed since is left out";
    going_on_from_the_beginning: BeginsAnew, "is not read whole";
    rows_that_the_table_does_not_have: GivesOthers, "with rows that it has";
    a_second_bookmark_that_means_something_else: ForgetsTheSecond, "nothing that the reading before it left out";
    a_bookmark_that_is_used_up: OnlyOnce, "may be used more than once";
}
