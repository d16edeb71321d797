//! The promises that every source makes, as one suite.
//!
//! What is checked here stands in `chatferry_core::source`; a source's own tests need not repeat
//! it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::array::{BooleanArray, Scalar};
use arrow::compute::kernels::cmp::{eq, gt, gt_eq, lt, lt_eq, neq};
use arrow::compute::{concat_batches, filter_record_batch, is_not_null, is_null, or_kleene};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::util::display::array_value_to_string;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, Order, Rows, Scan, Source, SourceError, Table};
use chatferry_core::{Comparison, Filter, Operand};
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
    filters_leave_out_what_they_should(&source, &described, &whole).await;
    orders_asked_for_are_given(&source, &described, &whole).await;
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
    let scan = Scan::of(Arc::clone(table), columns.to_vec(), rows_per_batch);
    read_scan(source, scan).await
}

/// Reads a scan to its end, and checks what must hold for each batch.
async fn read_scan(source: &Arc<dyn Source>, scan: Scan) -> Outcome {
    let schema = scan.schema();
    let (columns, rows_per_batch) = (scan.columns.clone(), scan.rows_per_batch);
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
    let rows = match columns.as_slice() {
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
    if let Rows::Exactly(rows) = table.rows {
        assert_eq!(
            whole.rows.num_rows() as u64,
            rows,
            "there are as many rows as described"
        );
    }
    for order in &table.orders {
        assert_ordered(&whole.rows, order);
    }
    for row in &whole.rejected {
        assert!(
            !row.rule.is_empty() && !row.detail.is_empty(),
            "a rejected row says why"
        );
    }
}

/// No row is less than the one before it, and nulls come last.
fn assert_ordered(rows: &RecordBatch, order: &Order) {
    assert!(!order.columns.is_empty(), "an order has columns");
    let mut undecided = vec![true; rows.num_rows().saturating_sub(1)];
    for name in &order.columns {
        let column = rows
            .column_by_name(name)
            .expect("an order names columns of the table");
        let (earlier, later) = neighbours(column);
        let ascends = lt(&earlier, &later).expect("an ordered column can be compared");
        for (place, undecided) in undecided.iter_mut().enumerate() {
            if !*undecided {
                continue;
            }
            match (earlier.is_null(place), later.is_null(place)) {
                (true, true) => {}
                (true, false) => panic!("nulls of `{name}` come last"),
                (false, true) => *undecided = false,
                (false, false) => {
                    *undecided = !ascends.value(place);
                    let equal = eq(&earlier.slice(place, 1), &later.slice(place, 1));
                    let equal = equal.expect("an ordered column can be compared").value(0);
                    assert!(!*undecided || equal, "`{name}` never descends");
                }
            }
        }
    }
}

/// The column without its last row, and without its first.
fn neighbours(column: &ArrayRef) -> (ArrayRef, ArrayRef) {
    let pairs = column.len().saturating_sub(1);
    (
        column.slice(0, pairs),
        column.slice(column.len() - pairs, pairs),
    )
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
    let scan = || Scan::of(Arc::clone(table), all.to_vec(), 1);
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

/// A condition, and the rows of the whole table for which it is true.
type Case = (Filter, BooleanArray);

async fn filters_leave_out_what_they_should(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    whole: &Outcome,
) {
    for (filter, keep) in cases(table, &whole.rows) {
        if !source.honours(table, &filter) {
            continue;
        }
        let expected = filter_record_batch(&whole.rows, &keep).expect("as many flags as rows");
        // With no column, with one that the condition does not name, and with all.
        let all: Vec<usize> = (0..table.schema.fields().len()).collect();
        let mut choices = vec![all.clone()];
        // Which rows cannot be read depends on the columns that are wanted.
        if whole.rejected.is_empty() {
            choices.extend([Vec::new(), vec![all.len() - 1]]);
        }
        for columns in choices {
            let scan = Scan {
                filters: vec![filter.clone()],
                ..Scan::of(Arc::clone(table), columns.clone(), 3)
            };
            let filtered = read_scan(source, scan).await;
            let same = expected.project(&columns).expect("columns of the table");
            assert_same_rows(&filtered.rows, &same, &format!("only rows where {filter}"));
        }
    }
}

/// Conditions on every column with values that it has.
fn cases(table: &Table, rows: &RecordBatch) -> Vec<Case> {
    let mut cases = Vec::new();
    for (field, column) in table.schema.fields().iter().zip(rows.columns()) {
        let name = field.name().clone();
        let null = is_null(column).expect("any column can be asked for nulls");
        cases.push((
            Filter::Null {
                column: name.clone(),
            },
            null.clone(),
        ));
        let present = is_not_null(column).expect("any column can be asked for nulls");
        cases.push((
            Filter::NotNull {
                column: name.clone(),
            },
            present,
        ));
        let mut places = vec![0, column.len() / 2, column.len().saturating_sub(1)];
        places.retain(|place| *place < column.len() && column.is_valid(*place));
        places.dedup();
        for place in places {
            let Some(value) = operand(column, place) else {
                break;
            };
            let one = Scalar::new(column.slice(place, 1));
            let compared = [
                (Comparison::Equal, eq(column, &one)),
                (Comparison::NotEqual, neq(column, &one)),
                (Comparison::Less, lt(column, &one)),
                (Comparison::LessOrEqual, lt_eq(column, &one)),
                (Comparison::Greater, gt(column, &one)),
                (Comparison::GreaterOrEqual, gt_eq(column, &one)),
            ];
            for (comparison, keep) in compared {
                let keep = keep.expect("a column can be compared with its own values");
                let filter = Filter::Compare {
                    column: name.clone(),
                    comparison,
                    value: value.clone(),
                };
                let or_null = Filter::Any(vec![
                    filter.clone(),
                    Filter::Null {
                        column: name.clone(),
                    },
                ]);
                let with_nulls = or_kleene(&keep, &null).expect("as many flags");
                cases.push((or_null, with_nulls));
                cases.push((filter, keep));
            }
        }
    }
    cases
}

/// The value in a row, if conditions can be made of it.
fn operand(column: &ArrayRef, row: usize) -> Option<Operand> {
    use arrow::array::AsArray;
    use arrow::compute::cast;
    use arrow::datatypes::{Date32Type, Int64Type, UInt64Type};
    let one = column.slice(row, 1);
    Some(match column.data_type() {
        DataType::Boolean => Operand::Flag(one.as_boolean().value(0)),
        DataType::UInt64 => Operand::Whole(one.as_primitive::<UInt64Type>().value(0).into()),
        kind if kind.is_integer() => {
            let whole = cast(&one, &DataType::Int64).ok()?;
            Operand::Whole(whole.as_primitive::<Int64Type>().value(0).into())
        }
        DataType::Utf8 => Operand::Text(one.as_string::<i32>().value(0).to_owned()),
        DataType::Date32 => Operand::Date(one.as_primitive::<Date32Type>().value(0)),
        DataType::Timestamp(_, zone) => {
            let fine = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let time = cast(&cast(&one, &fine).ok()?, &DataType::Int64).ok()?;
            Operand::Time(time.as_primitive::<Int64Type>().value(0))
        }
        _ => return None,
    })
}

async fn orders_asked_for_are_given(source: &Arc<dyn Source>, table: &Arc<Table>, whole: &Outcome) {
    let all: Vec<usize> = (0..table.schema.fields().len()).collect();
    for order in &table.can_order {
        for columns in 1..=order.columns.len() {
            let order = Order::by(order.columns[..columns].to_vec());
            for rows_per_batch in [1, 1_000] {
                let scan = Scan {
                    order: Some(order.clone()),
                    ..Scan::of(Arc::clone(table), all.clone(), rows_per_batch)
                };
                let ordered = read_scan(source, scan).await;
                assert_ordered(&ordered.rows, &order);
                let what = format!("the order {:?} changes no row", order.columns);
                assert_same_rows(&ordered.rows, &whole.rows, &what);
            }
        }
        reading_goes_on_after_any_row(source, table, order, whole).await;
    }
}

/// What a run that was interrupted relies on: the rows from a value on are those that it has not
/// seen, and nothing else.
async fn reading_goes_on_after_any_row(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    order: &Order,
    whole: &Outcome,
) {
    let name = &order.columns[0];
    let column = whole
        .rows
        .column_by_name(name)
        .expect("a column of the table");
    let all: Vec<usize> = (0..table.schema.fields().len()).collect();
    for row in 0..whole.rows.num_rows().min(20) {
        let Some(value) = column.is_valid(row).then(|| operand(column, row)).flatten() else {
            continue;
        };
        let filter = Filter::Compare {
            column: name.clone(),
            comparison: Comparison::GreaterOrEqual,
            value,
        };
        if !source.honours(table, &filter) {
            continue;
        }
        let from = Scalar::new(column.slice(row, 1));
        let keep = gt_eq(column, &from).expect("a column can be compared with its own values");
        let expected = filter_record_batch(&whole.rows, &keep).expect("as many flags as rows");
        let scan = Scan {
            filters: vec![filter.clone()],
            order: Some(order.clone()),
            ..Scan::of(Arc::clone(table), all.clone(), 2)
        };
        let rest = read_scan(source, scan).await;
        assert_ordered(&rest.rows, order);
        assert_same_rows(&rest.rows, &expected, &format!("going on where {filter}"));
    }
}

/// The same rows, in whatever order.
fn assert_same_rows(found: &RecordBatch, expected: &RecordBatch, what: &str) {
    assert_eq!(
        found.num_rows(),
        expected.num_rows(),
        "{what}: as many rows"
    );
    let sorted = |rows: &RecordBatch| {
        let shown = |row: usize| {
            let cells = rows.columns().iter();
            let cells = cells.map(|column| match column.is_null(row) {
                true => "null".to_owned(),
                // A value that has no text form, such as a time beyond the calendar, is compared
                // by its bits.
                false => array_value_to_string(column, row)
                    .unwrap_or_else(|_| format!("{:?}", column.slice(row, 1).to_data())),
            });
            cells.collect::<Vec<_>>()
        };
        let mut shown: Vec<_> = (0..rows.num_rows()).map(shown).collect();
        shown.sort();
        shown
    };
    assert_eq!(sorted(found), sorted(expected), "{what}: the same rows");
}
