//! One scan read to its end, and what holds for each of its batches.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, BatchStream, Scan, Source, SourceError, Table};
use futures::StreamExt;

use super::errors::{Secrets, shown};

/// What one scan gave.
pub(super) struct Outcome {
    pub(super) rows: RecordBatch,
    pub(super) rejected: Vec<RejectedRow>,
    /// All that the error says which ended it.
    pub(super) failed: Option<String>,
}

/// Batches that a table is read in, where it has more rows.
const PIECES: usize = 64;

impl Outcome {
    /// Rows that are read at a time to read them in many batches: one, or more of a long table.
    pub(super) fn piece(&self) -> usize {
        (self.rows.num_rows() / PIECES).max(1)
    }

    pub(super) fn shows_no(&self, secrets: &Secrets) {
        secrets.are_not_in(self.failed.as_deref().unwrap_or_default(), "an error");
        secrets.are_not_in(&format!("{:?}", self.rejected), "a rejected row");
    }
}

/// Reads columns of a table to its end, and checks what must hold for each batch.
pub(super) async fn read(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    columns: &[usize],
    rows_per_batch: usize,
) -> Outcome {
    let scan = Scan::of(Arc::clone(table), columns.to_vec(), rows_per_batch);
    read_scan(source, scan).await
}

/// Reads a scan to its end, and checks what must hold for each batch.
pub(super) async fn read_scan(source: &Arc<dyn Source>, scan: Scan) -> Outcome {
    let mut reading = Reading::begin(source, scan);
    while reading.pull().await {}
    reading.outcome()
}

/// A scan under way.
pub(super) struct Reading {
    stream: BatchStream,
    scan: Scan,
    batches: Vec<RecordBatch>,
    rejected: Vec<RejectedRow>,
    failed: Option<String>,
}

impl Reading {
    pub(super) fn begin(source: &Arc<dyn Source>, scan: Scan) -> Self {
        Self {
            stream: source.scan(scan.clone()),
            scan,
            batches: Vec::new(),
            rejected: Vec::new(),
            failed: None,
        }
    }

    /// Takes what comes next; whether there was anything.
    pub(super) async fn pull(&mut self) -> bool {
        match self.stream.next().await {
            Some(next) => self.take(next),
            None => return false,
        }
        true
    }

    fn take(&mut self, next: Result<Batch, SourceError>) {
        assert!(self.failed.is_none(), "nothing follows an error");
        let Batch { rows, rejected } = match next {
            Ok(batch) => batch,
            Err(error) => {
                self.failed = Some(shown(&error));
                return;
            }
        };
        assert!(
            rows.num_rows() > 0 || !rejected.is_empty(),
            "no batch is empty"
        );
        assert!(
            rows.num_rows() <= self.scan.rows_per_batch,
            "a batch has at most so many rows"
        );
        assert_eq!(
            rows.schema(),
            self.scan.schema(),
            "each batch fits the schema of the scan"
        );
        for row in &rejected {
            assert!(
                !row.rule.is_empty() && !row.detail.is_empty(),
                "a rejected row says why"
            );
            assert!(row.place.is_some(), "a rejected row says where it stands");
        }
        self.batches.push(rows);
        self.rejected.extend(rejected);
    }

    pub(super) fn outcome(self) -> Outcome {
        let rows = match self.scan.columns.as_slice() {
            // Without columns there is nothing to put together but the number of rows.
            [] => counted(self.batches.iter().map(RecordBatch::num_rows).sum()),
            _ => concat_batches(&self.scan.schema(), &self.batches).expect("batches of one schema"),
        };
        Outcome {
            rows,
            rejected: self.rejected,
            failed: self.failed,
        }
    }
}

fn counted(rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
        .expect("a batch without columns")
}
