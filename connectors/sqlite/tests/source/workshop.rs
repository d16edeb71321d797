//! A folder with databases, and a source over one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_core::SourceSettings;
use chatferry_core::source::{Source, SourceError};
pub(crate) use chatferry_testkit::reading::{
    columns_shown, error_shown, rows, rows_by, titled, values,
};
use chatferry_testkit::settings;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

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
pub(crate) fn planned(written: &str, folder: &Path) -> (Option<Box<dyn SourceSettings>>, String) {
    settings::planned(chatferry_sqlite::register, written, folder)
}

/// What a person would want to see of a table: types, orders, notes, rows and troubles.
pub(crate) async fn shown(source: &Arc<dyn Source>, table: &str) -> String {
    let rows = match rows(source, table).await {
        Ok(rows) => rows,
        Err(error) => return error_shown(&error),
    };
    let mut text = columns_shown(&rows.table);
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
    text + &rows.shown(error_shown)
}
