//! The conditions that a source evaluates in the engine's place.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, Scalar};
use arrow::compute::kernels::cmp::{eq, gt, gt_eq, lt, lt_eq, neq};
use arrow::compute::{filter_record_batch, is_not_null, is_null, or_kleene};
use arrow::datatypes::{DataType, TimeUnit};
use chatferry_core::source::{Scan, Source, Table};
use chatferry_core::{Comparison, Filter, Operand};

use super::outcome::{Outcome, read_scan};
use super::rows::assert_same_rows;

/// A condition on what the table has not is the engine's business.
pub(super) fn what_is_not_there_is_not_honoured(source: &Arc<dyn Source>, table: &Table) {
    let filter = Filter::NotNull {
        column: "no such column at all".to_owned(),
    };
    assert!(
        !source.honours(table, &filter),
        "no condition on an unknown column is honoured"
    );
}

/// A condition, and the rows of the whole table for which it is true.
type Case = (Filter, BooleanArray);

pub(super) async fn filters_leave_out_what_they_should(
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
                ..Scan::of(Arc::clone(table), columns.clone(), 3 * whole.piece())
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
pub(super) fn operand(column: &ArrayRef, row: usize) -> Option<Operand> {
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
