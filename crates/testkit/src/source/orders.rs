//! The orders that may be asked for, and going on in the midst of one.

use std::sync::Arc;

use arrow::array::{Array, Scalar};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cmp::gt_eq;
use chatferry_core::source::{Order, Scan, Source, Table};
use chatferry_core::{Comparison, Filter};

use super::filters::operand;
use super::outcome::{Outcome, read_scan};
use super::rows::{assert_ordered, assert_same_rows};

pub(super) async fn orders_asked_for_are_given(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    whole: &Outcome,
) {
    let all: Vec<usize> = (0..table.schema.fields().len()).collect();
    for order in &table.can_order {
        for columns in 1..=order.columns.len() {
            let order = Order::by(order.columns[..columns].to_vec());
            for rows_per_batch in [whole.piece(), 1_000] {
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
            ..Scan::of(Arc::clone(table), all.clone(), 2 * whole.piece())
        };
        let rest = read_scan(source, scan).await;
        assert_ordered(&rest.rows, order);
        assert_same_rows(&rest.rows, &expected, &format!("going on where {filter}"));
    }
}
