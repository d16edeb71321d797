//! The driver of PostgreSQL: a server that is shared with others.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::reading::{error_shown, file_shown};
use chatferry_testkit::servers::{self, Database, PASSWORD};
use chatferry_testkit::source::Contract;
use futures::StreamExt;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use crate::drivers::source;

/// A database of its own, and a source over it with these settings.
async fn with(statements: &str, settings: &str) -> (Database, Arc<dyn Source>) {
    let database = servers::postgres().await.database().await;
    database.execute(statements).await;
    // What stands behind the `?` is for another client.
    let url = database.url().split('?').next().unwrap_or_default();
    let settings = format!("options.uri = {url:?}\n{settings}");
    let source = source("postgresql", &settings).expect("the source opens");
    (database, source)
}

/// How many sessions but this one are at that database.
async fn sessions(observer: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let row = sqlx::query(count).fetch_one(observer).await;
    row.expect("a count").get(0)
}

#[tokio::test]
async fn the_tables_that_the_driver_knows_of_are_read() {
    let statements = "
        CREATE TABLE users (id bigint PRIMARY KEY, name text, since timestamptz, seen date,
            share double precision, active boolean, face bytea, tags text[]);
        INSERT INTO users VALUES
            (1, 'Ada', '2024-01-31 12:00:00.5+01', '2024-02-01', 0.5, true, '\\x00ff', '{a,b}'),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        CREATE SCHEMA old;
        CREATE TABLE old.users (id int);
        INSERT INTO old.users VALUES (7);
        CREATE VIEW names AS SELECT name FROM users;";
    let (_database, source) = with(statements, "").await;
    let tables = source.tables().await.expect("tables");
    assert_eq!(tables, ["names", "old.users", "public.users"]);
    let mut shown = String::new();
    for table in &tables {
        let contract = Contract::of(Arc::clone(&source), table);
        contract.secrets([PASSWORD]).check().await;
        shown += &format!("== {table}\n{}\n", file_shown(&source, table).await);
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn one_schema_is_enough() {
    let statements = "CREATE TABLE a (id int); CREATE SCHEMA old; CREATE TABLE old.b (id int);";
    let (_database, source) = with(statements, "schema = \"old\"").await;
    assert_eq!(source.tables().await.expect("tables"), ["b"]);
}

#[tokio::test]
async fn nobody_is_at_the_database_while_rows_wait_to_be_taken() {
    let statements = "CREATE TABLE many AS SELECT n FROM generate_series(1, 10000) n;";
    let (database, source) = with(statements, "").await;
    let mut observer = PgConnection::connect(database.url())
        .await
        .expect("a session");
    let table = source.describe("many").await.expect("a table");
    let mut stream = source.scan(Scan::of(table, vec![0], 10));
    assert!(stream.next().await.expect("a batch").is_ok());
    // The server takes its time to see that a session is gone, but it needs no help.
    while sessions(&mut observer).await > 0 {}
    let rest: usize = stream
        .map(|batch| batch.expect("a batch").rows.num_rows())
        .collect::<Vec<_>>()
        .await
        .iter()
        .sum();
    assert_eq!(rest, 10_000 - 10);
}

#[tokio::test]
async fn a_query_that_nobody_wants_any_more_is_broken_off() {
    let endless = "tables.endless = \"SELECT generate_series(1, 1000000000000) AS n\"";
    let (database, source) = with("", endless).await;
    let mut observer = PgConnection::connect(database.url())
        .await
        .expect("a session");
    let table = source.describe("endless").await.expect("a table");
    let mut stream = source.scan(Scan::of(table, vec![0], 10));
    // It never comes to the end of it, so nothing is given; what it does meanwhile can be seen.
    let pulled = stream.next();
    let begun = async { while sessions(&mut observer).await == 0 {} };
    futures::future::select(Box::pin(pulled), Box::pin(begun)).await;
    drop(stream);
    while sessions(&mut observer).await > 0 {}
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let server = servers::postgres().await;
    let database = server.database().await;
    let wrong = format!(
        "options.uri = \"postgresql://nobody_at_all:hunter2@127.0.0.1:1/{}\"",
        database.name()
    );
    let source = source("postgresql", &wrong).expect("the source opens");
    let error = source.tables().await.expect_err("an error");
    let shown = format!("{}{error:?}", error_shown(&error));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("help: "), "{shown}");
}
