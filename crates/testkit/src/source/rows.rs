//! Rows compared: with others, and with an order.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::kernels::cmp::{eq, lt};
use arrow::util::display::array_value_to_string;
use chatferry_core::source::Order;

/// No row is less than the one before it, and nulls come last.
pub(super) fn assert_ordered(rows: &RecordBatch, order: &Order) {
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

/// The same rows, in whatever order.
pub(super) fn assert_same_rows(found: &RecordBatch, expected: &RecordBatch, what: &str) {
    assert_eq!(
        found.num_rows(),
        expected.num_rows(),
        "{what}: as many rows"
    );
    assert_eq!(counted(found), counted(expected), "{what}: the same rows");
}

/// No row that is not among the others.
pub(super) fn assert_among(found: &RecordBatch, others: &RecordBatch, what: &str) {
    let others = counted(others);
    for (row, times) in counted(found) {
        let among = others.get(&row).is_some_and(|most| times <= *most);
        assert!(among, "{what}");
    }
}

/// The rows that are not among the others, or not as often.
pub(super) fn minus(
    rows: &BTreeMap<Vec<String>, usize>,
    others: &BTreeMap<Vec<String>, usize>,
) -> BTreeMap<Vec<String>, usize> {
    let beyond = |(row, times): (&Vec<String>, &usize)| {
        let more = times.saturating_sub(others.get(row).copied().unwrap_or_default());
        (more > 0).then(|| (row.clone(), more))
    };
    rows.iter().filter_map(beyond).collect()
}

/// How often there is each row.
pub(super) fn counted(rows: &RecordBatch) -> BTreeMap<Vec<String>, usize> {
    let mut counted = BTreeMap::new();
    for row in 0..rows.num_rows() {
        let cells = rows.columns().iter();
        let cells = cells.map(|column| match column.is_null(row) {
            true => "null".to_owned(),
            // A value that has no text form, such as a time beyond the calendar, is compared by
            // its bits.
            false => array_value_to_string(column, row)
                .unwrap_or_else(|_| format!("{:?}", column.slice(row, 1).to_data())),
        });
        *counted.entry(cells.collect()).or_default() += 1;
    }
    counted
}
