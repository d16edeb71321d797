//! The promises that every source makes, as one suite.
//!
//! What is checked here stands in `chatferry_core::source`; a source's own tests need not repeat
//! it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::compute::kernels::cmp::gt;
use arrow::datatypes::Schema;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, Scan, Source, SourceError, Table};
use futures::StreamExt;

/// Checks all promises with one table of a source. The table should have a few rows.
///
/// # Panics
///
/// When a promise is broken, with what was promised.
pub async fn assert_contract(source: Arc<dyn Source>, table: &str) {
    let tables = source.tables().await.expect("the tables are listed");
    assert!(tables.is_sorted(), "the names of tables are sorted");
    assert!(
        tables.iter().any(|name| name == table),
        "the table is among those listed"
    );

    let described = source
        .describe(table)
        .await
        .expect("the table is described");
    let again = source
        .describe(table)
        .await
        .expect("the table is described again");
    assert_eq!(described.name, table, "a table knows its name");
    assert!(
        Arc::ptr_eq(&described, &again),
        "asking again costs nothing"
    );
    assert!(
        source.describe("no such table at all").await.is_err(),
        "an unknown table is an error"
    );

    let all: Vec<usize> = (0..described.schema.fields().len()).collect();
    let whole = read(&source, &described, &all, 1_000).await;
    the_rows_are_as_described(&described, &whole);
    two_scans_are_equal(&source, &described, &all, &whole).await;
    batches_have_at_most_so_many_rows(&source, &described, &all, &whole).await;
    any_columns_can_be_had_in_any_order(&source, &described, &whole).await;
    a_scan_can_be_left_at_any_time(&source, &described, &all, &whole).await;
}

/// What one scan gave.
struct Outcome {
    rows: RecordBatch,
    rejected: Vec<RejectedRow>,
    failed: Option<String>,
}

/// Reads a table to its end, and checks what must hold for each batch.
async fn read(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    columns: &[usize],
    rows_per_batch: usize,
) -> Outcome {
    let scan = Scan {
        table: Arc::clone(table),
        columns: columns.to_vec(),
        rows_per_batch,
    };
    let schema = scan.schema();
    let mut stream = source.scan(scan);
    let (mut batches, mut rejected, mut failed) = (Vec::new(), Vec::new(), None);
    while let Some(batch) = stream.next().await {
        assert!(failed.is_none(), "nothing follows an error");
        match batch {
            Ok(Batch {
                rows,
                rejected: some,
            }) => {
                assert!(rows.num_rows() > 0 || !some.is_empty(), "no batch is empty");
                assert!(
                    rows.num_rows() <= rows_per_batch,
                    "a batch has at most so many rows"
                );
                assert_eq!(
                    rows.schema(),
                    schema,
                    "each batch fits the schema of the scan"
                );
                batches.push(rows);
                rejected.extend(some);
            }
            Err(error) => failed = Some(described_error(&error)),
        }
    }
    let rows = match columns {
        // Without columns there is nothing to put together but the number of rows.
        [] => counted(batches.iter().map(RecordBatch::num_rows).sum()),
        _ => concat_batches(&schema, &batches).expect("batches of one schema"),
    };
    Outcome {
        rows,
        rejected,
        failed,
    }
}

fn described_error(error: &SourceError) -> String {
    assert!(
        !error.doing.is_empty() && !error.reason.is_empty(),
        "an error says what happened"
    );
    error.to_string()
}

fn counted(rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
        .expect("a batch without columns")
}

fn the_rows_are_as_described(table: &Table, whole: &Outcome) {
    if let Some(rows) = table.rows {
        assert_eq!(
            whole.rows.num_rows() as u64,
            rows,
            "there are as many rows as described"
        );
    }
    for order in &table.orders {
        let column = whole
            .rows
            .column_by_name(&order.column)
            .expect("an order names a column");
        assert!(
            never_descends(column),
            "`{}` never descends, and nulls come last",
            order.column
        );
    }
    for row in &whole.rejected {
        assert!(
            !row.rule.is_empty() && !row.detail.is_empty(),
            "a rejected row says why"
        );
    }
}

fn never_descends(column: &ArrayRef) -> bool {
    let rows = column.len();
    let values = rows - column.null_count();
    if (0..values).any(|row| column.is_null(row)) {
        return false;
    }
    let (earlier, later) = (
        column.slice(0, values.max(1) - 1),
        column.slice(values.min(1), values.max(1) - 1),
    );
    let descents = gt(&earlier, &later).expect("an ordered column can be compared");
    descents.true_count() == 0
}

async fn two_scans_are_equal(
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

async fn batches_have_at_most_so_many_rows(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
) {
    for rows_per_batch in [1, 2, 7] {
        let again = read(source, table, all, rows_per_batch).await;
        assert_eq!(again.rows, whole.rows, "the size of batches changes no row");
        assert_eq!(
            again.rejected, whole.rejected,
            "the size of batches rejects no other row"
        );
    }
}

async fn any_columns_can_be_had_in_any_order(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    whole: &Outcome,
) {
    let width = table.schema.fields().len();
    let mut choices: Vec<Vec<usize>> = vec![Vec::new(), (0..width).rev().collect()];
    choices.extend((0..width).map(|column| vec![column]));
    choices.push((0..width).step_by(2).collect());
    for columns in choices {
        let some = read(source, table, &columns, 1_000).await;
        // A row may be rejected for what one of its columns cannot hold, and is none when nobody
        // asks for that column.
        if some.rejected.len() == whole.rejected.len() {
            let rows = whole.rows.num_rows();
            assert_eq!(
                some.rows.num_rows(),
                rows,
                "the columns wanted change no row"
            );
            for (at, column) in columns.iter().enumerate() {
                let (got, same) = (some.rows.column(at), whole.rows.column(*column));
                assert_eq!(
                    got, same,
                    "a column is the same whichever others are wanted"
                );
            }
        }
    }
}

async fn a_scan_can_be_left_at_any_time(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
) {
    let scan = || Scan {
        table: Arc::clone(table),
        columns: all.to_vec(),
        rows_per_batch: 1,
    };
    drop(source.scan(scan()));
    for taken in 1..4 {
        let some: Vec<_> = source.scan(scan()).take(taken).collect().await;
        assert!(some.len() <= taken);
    }
    let again = read(source, table, all, 1_000).await;
    assert_eq!(
        again.rows, whole.rows,
        "a scan that was left changes nothing for others"
    );
}
