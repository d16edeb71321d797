//! Which columns never descend.
//!
//! Exports are often in the order of time, and a flow in that order needs no sort. What a file declares
//! of its order is a claim that nobody checks, so the values themselves are looked at: of all columns
//! that may have an order a few at first, and all of those that are left.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use chatferry_core::source::{Batch, Scan};
use chatferry_files::{Gone, Inquiry, Root};

use crate::describe::Described;
use crate::scan;
use crate::settings::TableSettings;

/// Rows that are looked at first.
const FEW: usize = 8_192;
/// Rows looked at together.
const TOGETHER: usize = 65_536;

/// The columns without nulls whose values never descend in the order in which rows are read, as
/// indices into the table's schema. None where not all can be read, which reading tells better.
pub(crate) fn ordered(
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    inquiry: &Inquiry<'_>,
) -> Vec<usize> {
    let schema = &described.table.schema;
    let of_files = schema.fields().len() - described.from_path.len();
    let columns: Vec<usize> = (0..of_files)
        .filter(|at| may_have_order(schema.field(*at).data_type()))
        .collect();
    let Some(columns) = ascending(root, settings, described, columns, Some(FEW), inquiry) else {
        return Vec::new();
    };
    ascending(root, settings, described, columns, None, inquiry).unwrap_or_default()
}

/// Whether its values are whole numbers of 64 bits.
fn may_have_order(kind: &DataType) -> bool {
    use DataType::{Date32, Int8, Int16, Int32, Int64, Timestamp, UInt8, UInt16, UInt32};
    matches!(
        kind,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | Date32 | Timestamp(..)
    )
}

/// Those of the columns that do not descend in so many rows, or in all; `None` where these cannot be
/// read.
fn ascending(
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    columns: Vec<usize>,
    limit: Option<usize>,
    inquiry: &Inquiry<'_>,
) -> Option<Vec<usize>> {
    if columns.is_empty() {
        return Some(columns);
    }
    let looked_at = columns
        .iter()
        .map(|column| (*column, Some(i64::MIN)))
        .collect();
    let latest: RefCell<Vec<(usize, Option<i64>)>> = RefCell::new(looked_at);
    let mut scan = Scan::of(Arc::clone(&described.table), columns, TOGETHER);
    scan.limit = limit;
    let look = |batch: Batch| {
        let mut latest = latest.borrow_mut();
        for ((_, latest), values) in latest.iter_mut().zip(batch.rows.columns()) {
            *latest = latest.and_then(|latest| after(latest, values));
        }
        match inquiry.waits() && latest.iter().any(|(_, latest)| latest.is_some()) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(Gone),
        }
    };
    let open = |file: &_| root.ranges(file);
    let read = scan::read(&open, root, settings, described, &scan, &look);
    if read.is_err() || !inquiry.waits() {
        return None;
    }
    let held = latest
        .into_inner()
        .into_iter()
        .filter(|(_, latest)| latest.is_some());
    Some(held.map(|(column, _)| column).collect())
}

/// The last of the values, if there is no null and none of them is less than the one before it, which
/// for the first of them is `latest`.
fn after(latest: i64, values: &dyn Array) -> Option<i64> {
    let values = cast(values, &DataType::Int64).ok()?;
    if values.null_count() > 0 {
        return None;
    }
    let values = values.as_primitive::<Int64Type>().values();
    let mut before = latest;
    let ascends = values.iter().all(|value| {
        let ascends = before <= *value;
        before = *value;
        ascends
    });
    ascends.then_some(before)
}
