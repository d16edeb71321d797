//! A folder with databases, and a source over one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use chatferry_config::{DestinationKind, Reading, Registry, Section, read};
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Scan, Source, SourceError, Table};
use chatferry_core::{Field, Kind};
use futures::StreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

/// The rest of a pipeline file.
const REST: &str = r#"
[cometchat]
[[flow]]
entity = "users"
from = "legacy.t"
fields = { uid = "id" }
"#;

const UID: Field = Field {
    name: "uid",
    kind: Kind::Text,
    required: true,
    about: "the id",
};

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A workshop with the database `legacy.db` that these statements make.
    pub(crate) async fn with(statements: &str) -> Self {
        let workshop = Self::new();
        workshop.run(statements).await;
        workshop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What is in the folder: names and contents.
    pub(crate) fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(self.0.path()).expect("a folder");
        let entries = entries.map(|entry| {
            let entry = entry.expect("an entry");
            let contents = std::fs::read(entry.path()).expect("a file");
            (entry.file_name().to_string_lossy().into_owned(), contents)
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort();
        entries
    }

    /// The application that the database belongs to, at work. It waits for nobody.
    pub(crate) async fn application(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.path("legacy.db"))
            .create_if_missing(true)
            .busy_timeout(std::time::Duration::ZERO);
        options.connect().await.expect("a database")
    }

    /// Runs statements and lets go of the database.
    pub(crate) async fn run(&self, statements: &str) {
        let mut application = self.application().await;
        run(&mut application, statements).await;
        application.close().await.expect("a database is closed");
    }

    /// The source of `legacy.db`, with what else is set.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        self.open(&format!("path = \"legacy.db\"\n{settings}"))
            .expect("the source opens")
    }

    pub(crate) fn open(&self, settings: &str) -> Result<Arc<dyn Source>, SourceError> {
        let (source, mistakes) = planned(settings, self.0.path());
        assert_eq!(mistakes, "");
        source.expect("settings in order").open()
    }
}

pub(crate) async fn run(connection: &mut SqliteConnection, statements: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(connection)
        .await;
    done.unwrap_or_else(|error| panic!("{error}: {statements}"));
}

/// The settings of a source, and what is wrong with them.
pub(crate) fn planned(
    settings: &str,
    folder: &Path,
) -> (Option<Box<dyn chatferry_core::SourceSettings>>, String) {
    let plan = |section: &mut Section<'_>| {
        section.entries();
        Some(())
    };
    let mut registry = Registry::new(DestinationKind {
        name: "cometchat",
        fields: |_| &[UID],
        plan,
    });
    chatferry_sqlite::register(&mut registry);
    let text =
        format!("name = \"test\"\n[sources.legacy]\nconnector = \"sqlite\"\n{settings}\n{REST}");
    let reading = Reading {
        environment: &|_| None,
        folder,
        overrides: &[],
        without_secrets: false,
    };
    let read = read(&text, &registry, &reading);
    let mut shown = String::new();
    for mistake in &read.mistakes {
        let written = mistake.at.clone().map_or("", |at| &text[at]);
        writeln!(shown, "{} at {written}", mistake.code).expect("text");
        // The words of mistakes that every connector's settings can have are not ours.
        if mistake.code.starts_with("sqlite::") {
            let help = mistake.help.as_deref().unwrap_or("none");
            let (message, label) = (&mistake.message, &mistake.label);
            writeln!(shown, "  {message}\n  label: {label}\n  help: {help}").expect("text");
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

/// Reads a whole table in batches of so many rows.
pub(crate) async fn rows_by(
    source: &Arc<dyn Source>,
    table: &str,
    rows_per_batch: usize,
) -> Result<Rows, SourceError> {
    let table = source.describe(table).await?;
    let columns = (0..table.schema.fields().len()).collect();
    let scan = Scan::of(Arc::clone(&table), columns, rows_per_batch);
    let schema = scan.schema();
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
    Ok(Rows {
        table,
        rows: concat_batches(&schema, &batches).expect("batches of one schema"),
        rejected,
        failed,
    })
}

/// Reads a whole table.
pub(crate) async fn rows(source: &Arc<dyn Source>, table: &str) -> Result<Rows, SourceError> {
    rows_by(source, table, 100).await
}

/// The values of a row, as text.
pub(crate) fn values(rows: &RecordBatch, row: usize) -> Vec<String> {
    let shown = rows
        .columns()
        .iter()
        .map(|column| match column.is_null(row) {
            true => "-".into(),
            false => array_value_to_string(column, row).expect("a value is printed"),
        });
    shown.collect()
}

/// What a person would want to see of a table: types, orders, notes, rows and troubles.
pub(crate) async fn shown(source: &Arc<dyn Source>, table: &str) -> String {
    let rows = match rows(source, table).await {
        Ok(rows) => rows,
        Err(error) => return error_shown(&error),
    };
    let mut text = String::new();
    for field in rows.table.schema.fields() {
        let json = if chatferry_core::json::is_marked(field) {
            " (JSON)"
        } else {
            ""
        };
        let kind = field.data_type();
        writeln!(text, "{}: {kind}{json}", field.name()).expect("text");
    }
    writeln!(text, "rows: {:?}", rows.table.rows).expect("text");
    for (title, orders) in [
        ("given", &rows.table.orders),
        ("can", &rows.table.can_order),
    ] {
        for order in orders {
            writeln!(text, "order {title}: {}", order.columns.join(", ")).expect("text");
        }
    }
    for note in &rows.table.notes {
        writeln!(text, "note: {note}").expect("text");
    }
    for row in 0..rows.rows.num_rows() {
        writeln!(text, "| {}", values(&rows.rows, row).join(" | ")).expect("text");
    }
    for row in &rows.rejected {
        let place = row.place.as_ref().expect("a place");
        writeln!(text, "rejected: {}: {} ({place})", row.rule, row.detail).expect("text");
    }
    if let Some(error) = &rows.failed {
        text.push_str(&error_shown(error));
    }
    text
}

pub(crate) fn error_shown(error: &SourceError) -> String {
    let help = error.help.as_deref().unwrap_or("none");
    format!("error: {:?}: {error}\nhelp: {help}\n", error.kind)
}

pub(crate) fn titled(cases: Vec<(&str, String)>) -> String {
    let titled = |(title, text): (&str, String)| format!("== {title}\n{text}");
    cases.into_iter().map(titled).collect::<Vec<_>>().join("\n")
}
