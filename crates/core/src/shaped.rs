//! Rows as an entity wants them, beside those that could not be.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;

use crate::place::Place;
use crate::source::SourceError;

/// A row that cannot become a record, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// The stable name of the rule it breaks, such as `malformed` or `expression-failed`.
    pub rule: Cow<'static, str>,
    /// What exactly was found. Never the contents of the row.
    pub detail: String,
    /// The record id, as far as it is known.
    pub id: Option<String>,
    /// Where the row stands, as far as it is known.
    pub place: Option<Place>,
}

/// Rows left out on purpose for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRows {
    /// The reason, as the pipeline names it.
    pub reason: Arc<str>,
    /// How many rows.
    pub rows: u64,
}

/// Some rows of a flow.
///
/// The rows read to make it are the rows of `rows`, plus one for each of `rejected`, plus the
/// sum of `skipped`.
#[derive(Clone, Debug)]
pub struct Shaped {
    /// The rows that could be shaped, in the order of the flow, one column per field of the
    /// entity that the flow sets. Nested tables are structs. A null is a field left out.
    pub rows: RecordBatch,
    /// The rows that could not.
    pub rejected: Vec<RejectedRow>,
    /// The rows that were left out on purpose.
    pub skipped: Vec<SkippedRows>,
    /// Where in the flow's order the first and the last of the rows read stand, where that can be
    /// told of all of them. Rows of other positions than the last one's follow rows of that
    /// position and never come before them; reading on from a position begins with its first row.
    pub positions: Option<[String; 2]>,
    /// By what the flow, read once more, knows what has come or changed since: the highest value so
    /// far of `changed_since`, and at its end where its sources are read on.
    pub changed: Option<String>,
}

/// Which rows of a flow are read: all of them, or only those that hold both.
///
/// What stands here was told by [`Shaped`] of the same flow, as text that means something to
/// whoever shapes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// Those from this position in the flow's order on.
    pub position: Option<String>,
    /// Those that may have come or changed since this was told.
    pub changed: Option<String>,
}

impl Shaped {
    /// How many rows were read to make it.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.rows.num_rows() as u64
            + self.rejected.len() as u64
            + self.skipped.iter().map(|skipped| skipped.rows).sum::<u64>()
    }
}

/// A flow's rows, pulled only as fast as they are taken. Nothing follows an error.
pub type ShapedStream = BoxStream<'static, Result<Shaped, SourceError>>;
