//! What all connectors of files share keeps the promises about when it works.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use chatferry_core::source::{Batch, Rows, Scan, SourceError, Table};
use chatferry_files::{
    Address, Consumer, FileSource, Format, Gone, Inquiry, NamedTable, Root, Template,
};
use chatferry_testkit::source::Contract;

/// Rows of a table: more than the suite takes before it looks how many were read.
const ROWS: i64 = 40;
/// Batches that may be ahead: two that wait, and one that is being made.
const AHEAD: u64 = 3;

/// Numbers, counted as they are read.
struct Numbers;

impl Format for Numbers {
    type Settings = Arc<AtomicU64>;
    type Described = Arc<Table>;

    fn describe(
        name: &str,
        _: &Root,
        _: &Arc<AtomicU64>,
        _: &Inquiry<'_>,
    ) -> Result<Arc<Table>, SourceError> {
        Ok(Arc::new(Table {
            name: name.to_owned(),
            schema: Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)])),
            orders: Vec::new(),
            can_order: Vec::new(),
            rows: Rows::Exactly(ROWS.unsigned_abs()),
            notes: Vec::new(),
        }))
    }

    fn table(described: &Arc<Table>) -> &Arc<Table> {
        described
    }

    fn read(
        _: &Root,
        read: &Arc<AtomicU64>,
        _: &Arc<Table>,
        scan: &Scan,
        consumer: &Consumer,
    ) -> Result<ControlFlow<Gone>, SourceError> {
        let all: Vec<i64> = (0..ROWS).collect();
        for some in all.chunks(scan.rows_per_batch) {
            read.fetch_add(some.len() as u64, Ordering::SeqCst);
            let column: ArrayRef = Arc::new(Int64Array::from(some.to_vec()));
            let columns = scan.columns.iter().map(|_| Arc::clone(&column)).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(some.len()));
            let rows = RecordBatch::try_new_with_options(scan.schema(), columns, &options);
            let batch = Batch {
                rows: rows.expect("columns of one length"),
                rejected: Vec::new(),
            };
            if let ControlFlow::Break(gone) = consumer.give(batch) {
                return Ok(ControlFlow::Break(gone));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

#[tokio::test]
async fn files_are_read_when_somebody_pulls_and_not_ahead() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = Address::folder(folder.path(), "numbers");
    let read = Arc::new(AtomicU64::new(0));
    let table = NamedTable {
        name: "numbers".to_owned(),
        root: root.clone(),
        settings: Arc::clone(&read),
    };
    let alone = {
        let read = Arc::clone(&read);
        move |_: Template| Arc::clone(&read)
    };
    let source = FileSource::<Numbers>::open(vec![table], &root, &[".txt"], alone);
    Contract::of(Arc::new(source.expect("a folder")), "numbers")
        .watched(AHEAD, move || read.load(Ordering::SeqCst))
        .check()
        .await;
}
