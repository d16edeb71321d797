//! A database of one's own, and a source over it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use chatferry_config::{DestinationKind, Reading, Registry, Section, read};
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Scan, Source, SourceError, Table};
use chatferry_core::{Field, Kind};
use chatferry_testkit::servers::{self, Database, PASSWORD};
use futures::StreamExt;

/// The rest of a pipeline file.
const REST: &str = r#"
[cometchat]
[[flow]]
entity = "users"
from = "legacy.users"
fields = { uid = "id" }
"#;

const UID: Field = Field {
    name: "uid",
    kind: Kind::Text,
    required: true,
    about: "the id",
};

/// A database that no other test has.
pub(crate) struct Workshop(Database);

impl Workshop {
    /// A database in which that script was run.
    pub(crate) async fn with(script: &str) -> Self {
        let database = servers::mariadb().await.database().await;
        database.execute(script).await;
        Self(database)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0
    }

    pub(crate) async fn execute(&self, script: &str) {
        self.0.execute(script).await;
    }

    /// The source with these settings beside the URL.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        source(self.0.url(), settings)
    }
}

/// The source of that URL, with these settings beside it.
pub(crate) fn source(url: &str, settings: &str) -> Arc<dyn Source> {
    open(&format!("url = \"{url}\"\n{settings}"))
}

/// The source with these settings.
pub(crate) fn open(settings: &str) -> Arc<dyn Source> {
    let (planned, mistakes) = planned(settings);
    assert_eq!(mistakes, "");
    planned.unwrap().open().unwrap()
}

/// The settings as they are understood, and what is wrong with them.
pub(crate) fn planned(settings: &str) -> (Option<Box<dyn chatferry_core::SourceSettings>>, String) {
    let plan = |section: &mut Section<'_>| {
        section.entries();
        Some(())
    };
    let mut registry = Registry::new(DestinationKind {
        name: "cometchat",
        fields: |_| &[UID],
        plan,
    });
    chatferry_mysql::register(&mut registry);
    let text =
        format!("name = \"test\"\n[sources.legacy]\nconnector = \"mysql\"\n{settings}\n{REST}");
    let reading = Reading {
        environment: &|_| None,
        folder: Path::new("/"),
        overrides: &[],
        without_secrets: false,
    };
    let read = read(&text, &registry, &reading);
    let mut shown = String::new();
    for mistake in &read.mistakes {
        let written = mistake.at.clone().map_or("", |at| &text[at]);
        writeln!(shown, "{} at {written}", mistake.code).unwrap();
        // The words of mistakes that every connector's settings can have are not ours.
        if mistake.code.starts_with("mysql::") {
            let help = mistake.help.as_deref().unwrap_or("none");
            let (message, label) = (&mistake.message, &mistake.label);
            writeln!(shown, "  {message}\n  label: {label}\n  help: {help}").unwrap();
        }
    }
    (
        read.pipeline
            .map(|mut pipeline| pipeline.sources.remove(0).settings),
        shown,
    )
}

/// All that a scan gave.
pub(crate) struct Rows {
    pub(crate) table: Arc<Table>,
    pub(crate) rows: RecordBatch,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) failed: Option<SourceError>,
}

/// Reads a whole table.
pub(crate) async fn rows(source: &Arc<dyn Source>, table: &str) -> Result<Rows, SourceError> {
    let table = source.describe(table).await?;
    let columns = (0..table.schema.fields().len()).collect();
    let scan = Scan::of(Arc::clone(&table), columns, 1_000);
    Ok(scanned(source, scan).await)
}

/// Reads a scan to its end.
pub(crate) async fn scanned(source: &Arc<dyn Source>, scan: Scan) -> Rows {
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
        rows: concat_batches(&schema, &batches).unwrap(),
        rejected,
        failed,
    }
}

/// What a person would want to see of a table: types, notes, rows and troubles.
pub(crate) async fn shown(source: &Arc<dyn Source>, table: &str) -> String {
    let rows = match rows(source, table).await {
        Ok(rows) => rows,
        Err(error) => return error_shown(&error),
    };
    let mut text = table_shown(&rows.table);
    for row in 0..rows.rows.num_rows() {
        writeln!(text, "| {}", row_shown(&rows.rows, row)).unwrap();
    }
    for row in &rows.rejected {
        let place = row.place.as_ref().unwrap();
        writeln!(text, "rejected: {}: {} ({place})", row.rule, row.detail).unwrap();
    }
    if let Some(error) = &rows.failed {
        text.push_str(&error_shown(error));
    }
    text
}

/// What a table is described as.
pub(crate) fn table_shown(table: &Table) -> String {
    let mut text = String::new();
    for field in table.schema.fields() {
        let json = match chatferry_core::json::is_marked(field) {
            true => " (JSON)",
            false => "",
        };
        writeln!(text, "{}: {}{json}", field.name(), field.data_type()).unwrap();
    }
    for order in &table.orders {
        writeln!(text, "ordered by {}", order.columns.join(", ")).unwrap();
    }
    for order in &table.can_order {
        writeln!(text, "can be ordered by {}", order.columns.join(", ")).unwrap();
    }
    for note in &table.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

/// The values of a row.
pub(crate) fn row_shown(rows: &RecordBatch, row: usize) -> String {
    let values = rows
        .columns()
        .iter()
        .map(|column| match column.is_null(row) {
            true => "-".into(),
            false => array_value_to_string(column, row).unwrap(),
        });
    values.collect::<Vec<_>>().join(" | ")
}

/// The rows of a batch as text.
pub(crate) fn rows_shown(rows: &RecordBatch) -> Vec<String> {
    (0..rows.num_rows())
        .map(|row| row_shown(rows, row))
        .collect()
}

/// An error as a person sees it, without what changes from run to run: the port, and the
/// database's name.
pub(crate) fn error_shown(error: &SourceError) -> String {
    let help = error.help.as_deref().unwrap_or("none");
    let text = format!("error: {:?}: {error}\nhelp: {help}\n", error.kind);
    let shown = format!("{text}{error:?}");
    assert!(!shown.contains(PASSWORD), "no password is in an error");
    without_changes(&text)
}

fn without_changes(text: &str) -> String {
    let mut shown = String::new();
    // A port stands between the host and the database.
    for part in text.split_inclusive('/') {
        let number = part.trim_end_matches('/').rsplit(':').next().unwrap();
        match number.parse::<u16>() {
            Ok(port) => shown.push_str(&part.replace(&port.to_string(), "PORT")),
            Err(_) => shown.push_str(part),
        }
    }
    let words = shown.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_'));
    let words = words.map(|word| match word.strip_prefix("test_") {
        Some(rest) => {
            let end = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
            format!("DATABASE{end}")
        }
        None => word.to_owned(),
    });
    // Versions of the server call the same clause otherwise.
    words
        .collect::<String>()
        .replace("'field list'", "'SELECT'")
}
