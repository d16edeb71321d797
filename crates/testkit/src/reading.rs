//! A table read to its end, and what a person would want to see of it.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Scan, Source, SourceError, Table};
use futures::StreamExt;

/// All that a scan gave.
#[derive(Debug)]
pub struct Rows {
    /// The table as it was described.
    pub table: Arc<Table>,
    /// Its rows, in one batch.
    pub rows: RecordBatch,
    /// The rows that could not be read.
    pub rejected: Vec<RejectedRow>,
    /// What ended the scan, if it did not come to the end.
    pub failed: Option<SourceError>,
}

/// Reads a whole table.
///
/// # Errors
///
/// When it cannot be described.
pub async fn rows(source: &Arc<dyn Source>, table: &str) -> Result<Rows, SourceError> {
    rows_by(source, table, 1_000).await
}

/// Reads a whole table in batches of so many rows.
///
/// # Errors
///
/// When it cannot be described.
pub async fn rows_by(
    source: &Arc<dyn Source>,
    table: &str,
    rows_per_batch: usize,
) -> Result<Rows, SourceError> {
    let table = source.describe(table).await?;
    let columns = (0..table.schema.fields().len()).collect();
    Ok(scanned(source, Scan::of(table, columns, rows_per_batch)).await)
}

/// Reads a scan to its end.
///
/// # Panics
///
/// When a batch has another schema than the scan.
pub async fn scanned(source: &Arc<dyn Source>, scan: Scan) -> Rows {
    let (table, schema) = (Arc::clone(&scan.table), scan.schema());
    let mut stream = source.scan(scan);
    let (mut batches, mut rejected, mut failed) = (Vec::new(), Vec::new(), None);
    while let Some(batch) = stream.next().await {
        match batch {
            Ok(batch) => {
                batches.push(batch.rows);
                rejected.extend(batch.rejected);
            }
            Err(error) => failed = Some(error),
        }
    }
    Rows {
        table,
        rows: concat_batches(&schema, &batches).expect("batches of one schema"),
        rejected,
        failed,
    }
}

impl Rows {
    /// The rows, the rejected ones, and what `error_shown` makes of the error, a line each.
    ///
    /// # Panics
    ///
    /// When a rejected row has no place.
    #[must_use]
    pub fn shown(&self, error_shown: impl Fn(&SourceError) -> String) -> String {
        let mut text = String::new();
        for row in rows_shown(&self.rows) {
            writeln!(text, "| {row}").expect("text");
        }
        for row in &self.rejected {
            let place = row.place.as_ref().expect("a rejected row has a place");
            writeln!(text, "rejected: {}: {} ({place})", row.rule, row.detail).expect("text");
        }
        text.extend(self.failed.as_ref().map(error_shown));
        text
    }
}

/// The values of a row as text; `-` is null.
///
/// # Panics
///
/// When a value has no text form.
#[must_use]
pub fn values(rows: &RecordBatch, row: usize) -> Vec<String> {
    let value = |column: &arrow::array::ArrayRef| match column.is_null(row) {
        true => "-".to_owned(),
        false => array_value_to_string(column, row).expect("a value has a text form"),
    };
    rows.columns().iter().map(value).collect()
}

/// The rows of a batch as text.
#[must_use]
pub fn rows_shown(rows: &RecordBatch) -> Vec<String> {
    let shown = |row| values(rows, row).join(" | ");
    (0..rows.num_rows()).map(shown).collect()
}

/// The columns of a table, each with its type.
#[must_use]
pub fn columns_shown(table: &Table) -> String {
    let mut text = String::new();
    for field in table.schema.fields() {
        let json = match chatferry_core::json::is_marked(field) {
            true => " (JSON)",
            false => "",
        };
        writeln!(text, "{}: {}{json}", field.name(), field.data_type()).expect("text");
    }
    text
}

/// What a table is described as.
#[must_use]
pub fn table_shown(table: &Table) -> String {
    let mut text = columns_shown(table);
    for order in &table.orders {
        writeln!(text, "ordered by {}", order.columns.join(", ")).expect("text");
    }
    for order in &table.can_order {
        writeln!(text, "can be ordered by {}", order.columns.join(", ")).expect("text");
    }
    for note in &table.notes {
        writeln!(text, "note: {note}").expect("text");
    }
    text
}

/// What a person would want to see of a table of files: types, orders, notes, rows and troubles.
pub async fn file_shown(source: &Arc<dyn Source>, table: &str) -> String {
    let rows = match rows(source, table).await {
        Ok(rows) => rows,
        Err(error) => return error_shown(&error),
    };
    let mut text = columns_shown(&rows.table);
    writeln!(text, "rows: {:?}", rows.table.rows).expect("text");
    for order in &rows.table.orders {
        writeln!(text, "never descends: {}", order.columns.join(", ")).expect("text");
    }
    for note in &rows.table.notes {
        writeln!(text, "note: {note}").expect("text");
    }
    text + &rows.shown(error_shown)
}

/// Several things that are shown, each below its title.
#[must_use]
pub fn titled(cases: Vec<(&str, String)>) -> String {
    let titled = |(title, text): (&str, String)| format!("== {title}\n{text}");
    cases.into_iter().map(titled).collect::<Vec<_>>().join("\n")
}

/// An error as a person sees it.
#[must_use]
pub fn error_shown(error: &SourceError) -> String {
    let help = error.help.as_deref().unwrap_or("none");
    format!("error: {:?}: {error}\nhelp: {help}\n", error.kind)
}
