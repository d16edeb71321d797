//! The driver of SQLite: no server, no schemas, and types that are found out on the way.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::reading::{error_shown, file_shown, rows_shown, scanned};
use chatferry_testkit::source::Contract;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::drivers::source;

/// Rows of a table that does not fit into one of the driver's batches.
const MANY: usize = 5_000;

/// A database with these statements, and a source over it with these settings.
async fn with(statements: &'static str, settings: &str) -> (TempDir, Arc<dyn Source>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("legacy.db");
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true);
    let mut database = options.connect().await.expect("a database");
    let made = sqlx::raw_sql(statements).execute(&mut database).await;
    made.expect("statements");
    database.close().await.expect("it is closed");
    let settings = format!("options.uri = {:?}\n{settings}", file.display().to_string());
    (
        folder,
        source("sqlite", &settings).expect("the source opens"),
    )
}

const CHAT: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, share REAL, face BLOB);
    INSERT INTO users VALUES (1, 'Ada', 0.5, x'00ff'), (2, NULL, NULL, NULL), (3, 'Česlav', 2, x'');
    CREATE TABLE \"odd \"\"name\" (a TEXT);
    INSERT INTO \"odd \"\"name\" VALUES ('x');
    CREATE VIEW named AS SELECT id, name FROM users WHERE name IS NOT NULL;
    CREATE TABLE empty (id INTEGER);";

#[tokio::test]
async fn the_tables_that_the_driver_knows_of_are_read() {
    let (_folder, source) = with(CHAT, "").await;
    let tables = source.tables().await.expect("tables");
    assert_eq!(tables, ["empty", "named", "odd \"name", "users"]);
    let mut shown = String::new();
    for table in &tables {
        Contract::of(Arc::clone(&source), table).check().await;
        shown += &format!("== {table}\n{}\n", file_shown(&source, table).await);
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn queries_are_tables() {
    let settings = "tables.pairs = \"SELECT a.id AS a, b.id AS b FROM users a, users b;\"";
    let (_folder, source) = with(CHAT, settings).await;
    assert_eq!(source.tables().await.expect("tables"), ["pairs"]);
    Contract::of(Arc::clone(&source), "pairs").check().await;
}

#[tokio::test]
async fn many_rows_come_in_batches_of_the_wanted_size() {
    let rows = "CREATE TABLE many AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
                WHERE n < 5000) SELECT n, 'text ' || n AS text FROM n;";
    let (_folder, source) = with(rows, "").await;
    let table = source.describe("many").await.expect("a table");
    let read = scanned(&source, Scan::of(table, vec![1], 999)).await;
    assert!(read.failed.is_none(), "{:?}", read.failed);
    assert_eq!(read.rows.num_rows(), MANY);
    assert_eq!(rows_shown(&read.rows)[MANY - 1], "text 5000");
}

#[tokio::test]
async fn what_the_driver_refuses_is_an_error_with_advice() {
    let settings = "[sources.legacy.tables]\nwrong = \"SELECT nothing FROM nowhere\"\n\
                    twice = \"SELECT id, id FROM users\"";
    let (_folder, source) = with(CHAT, settings).await;
    let mut shown = String::new();
    for table in ["wrong", "twice", "absent"] {
        let error = source.describe(table).await.expect_err("an error");
        shown += &error_shown(&error);
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn a_value_that_its_column_cannot_hold_ends_the_reading_after_what_came_before() {
    let rows = "CREATE TABLE mixed AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
                WHERE n < 5000) SELECT CASE n WHEN 5000 THEN 'five thousand' ELSE n END AS n FROM n;";
    let (_folder, source) = with(rows, "").await;
    let table = source.describe("mixed").await.expect("a table");
    let read = scanned(&source, Scan::of(table, vec![0], 999)).await;
    assert!(read.rows.num_rows() > 0);
    insta::assert_snapshot!(error_shown(&read.failed.expect("an error")));
}
