//! The columns that are wanted, and how many rows.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source, Table};

use super::outcome::{Outcome, read, read_scan};
use super::rows::assert_among;

pub(super) async fn batches_have_at_most_so_many_rows(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
) {
    for pieces in [1, 2, 7] {
        let again = read(source, table, all, pieces * whole.piece()).await;
        assert_eq!(again.rows, whole.rows, "the size of batches changes no row");
        assert_eq!(
            again.rejected, whole.rejected,
            "the size of batches rejects no other row"
        );
        assert_eq!(
            again.failed, whole.failed,
            "the size of batches changes no end"
        );
    }
}

pub(super) async fn any_columns_can_be_had_in_any_order(
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

/// More rows than wanted may be given, but not fewer while there are some.
pub(super) async fn a_limit_takes_no_row_that_is_wanted(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    all: &[usize],
    whole: &Outcome,
) {
    let rows = whole.rows.num_rows();
    for limit in [1, 2, rows.max(1), rows + 1] {
        let scan = Scan {
            limit: Some(limit),
            ..Scan::of(Arc::clone(table), all.to_vec(), 2 * whole.piece())
        };
        let some = read_scan(source, scan).await;
        assert!(
            some.rows.num_rows() >= limit.min(rows),
            "a limit takes no row that is wanted"
        );
        assert_among(&some.rows, &whole.rows, "a limit makes no other rows");
    }
}
