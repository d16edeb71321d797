//! What is said when something stands in the way. No password is in any of it.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::servers::{self, Options, PASSWORD, Postgres};
use futures::StreamExt;

use crate::workshop::{Workshop, error_shown, open, rows, scanned, source};

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, name varchar(10), body text);
    INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y');";

/// What listing the tables of that source is answered with.
async fn refused(source: Arc<dyn Source>) -> String {
    error_shown(&source.tables().await.unwrap_err())
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_an_error_with_advice() {
    let server = servers::postgres().await;
    let database = server.database().await;
    let url = database.url();
    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let cases = [
        (
            "wrong password",
            source(&url.replace(PASSWORD, "wrong"), ""),
        ),
        (
            "unknown host",
            source(&url.replace("127.0.0.1", "no-such-host.invalid"), ""),
        ),
        (
            "nobody listens",
            open(&format!(
                "host = \"127.0.0.1\"\nport = {unused}\nuser = \"u\"\ndatabase = \"x\""
            )),
        ),
        (
            "unknown database",
            source(&url.replace(database.name(), "not_there"), ""),
        ),
        ("no TLS there", source(url, "tls = \"require\"")),
    ];
    let mut said = Vec::new();
    for (case, source) in cases {
        said.push(format!("{case}\n{}", refused(source).await));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn tls_is_as_strict_as_it_is_asked_to_be() {
    let server = Postgres::own_with(Options::default().tls_only()).await;
    let database = server.database().await;
    let url = database.url();
    let named = url.replace("127.0.0.1", "localhost");
    let authority = server.authority().unwrap().display().to_string();
    let authority = format!("ca = \"{authority}\"");
    for (url, settings) in [
        (url, String::new()),
        (url, "tls = \"require\"".to_owned()),
        (url, format!("tls = \"verify-ca\"\n{authority}")),
        (
            named.as_str(),
            format!("tls = \"verify-full\"\n{authority}"),
        ),
    ] {
        let tables = source(url, &settings).tables().await;
        assert!(tables.is_ok(), "{settings}: {tables:?}");
    }
    let mut said = Vec::new();
    for (case, settings) in [
        ("without TLS", "tls = \"disable\"".to_owned()),
        ("unknown authority", "tls = \"verify-ca\"".to_owned()),
        (
            "another name",
            format!("tls = \"verify-full\"\n{authority}"),
        ),
    ] {
        said.push(format!("{case}\n{}", refused(source(url, &settings)).await));
    }
    insta::assert_snapshot!(said.join("\n"));
}

/// What a scan of `t` ends with after that was done to the database that it was described in.
async fn after(workshop: &Workshop, change: &str) -> String {
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    workshop.execute(change).await;
    let all = (0..table.schema.fields().len()).collect();
    let read = scanned(&source, Scan::of(table, all, 100)).await;
    match read.failed {
        Some(error) => error_shown(&error),
        None => format!("{} rows\n", read.rows.num_rows()),
    }
}

#[tokio::test]
async fn a_table_that_changes_after_it_was_described_is_noticed() {
    let mut said = Vec::new();
    for change in [
        "DROP TABLE t",
        "ALTER TABLE t DROP COLUMN body",
        "ALTER TABLE t RENAME COLUMN body TO text",
        "ALTER TABLE t ALTER id TYPE bigint",
        "ALTER TABLE t ADD COLUMN more int",
        "ALTER TABLE t ALTER name TYPE varchar(200)",
    ] {
        let workshop = Workshop::with(TABLE).await;
        said.push(format!("{change}\n{}", after(&workshop, change).await));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_column_that_may_not_be_read_is_left_out_or_named() {
    let workshop = Workshop::with(TABLE).await;
    let user = format!("reader_{}", workshop.database().name());
    workshop
        .execute(&format!(
            "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT (id, name) ON t TO {user}"
        ))
        .await;
    let (_, behind) = workshop.database().url().split_once('@').unwrap();
    let source = source(&format!("postgres://{user}:{PASSWORD}@{behind}"), "");
    let table = source.describe("t").await.unwrap();
    assert_eq!(table.schema.fields().len(), 2);
    insta::assert_snapshot!(table.notes.join("\n"));
    workshop
        .execute(&format!("REVOKE SELECT (name) ON t FROM {user}"))
        .await;
    let read = scanned(&source, Scan::of(table, vec![0, 1], 100)).await;
    insta::assert_snapshot!("revoked", error_shown(&read.failed.unwrap()));
}

#[tokio::test]
async fn a_key_that_would_lose_rows_is_refused() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int, n numeric);
        INSERT INTO t VALUES (1, 1.0), (NULL, 1.00);
        CREATE TABLE long (x text); INSERT INTO long SELECT repeat('x', 10000000) FROM generate_series(1, 8)",
    )
    .await;
    let mut said = Vec::new();
    for settings in [
        "tables.t = { key = [\"id\"] }",
        "tables.t = { key = [\"n\"] }",
        "tables.t = { key = [\"nn\"] }",
    ] {
        let error = workshop.source(settings).describe("t").await.unwrap_err();
        said.push(format!("{settings}\n{}", error_shown(&error)));
    }
    let read = rows(&workshop.source(""), "long").await.unwrap();
    said.push(format!("no key\n{}", error_shown(&read.failed.unwrap())));
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_query_that_the_server_does_not_take_is_an_error_with_advice() {
    let workshop = Workshop::with(TABLE).await;
    let mut said = Vec::new();
    for query in [
        "SELEC id FROM t",
        "SELECT nmae FROM t",
        "SELECT * FROM missing",
        "DELETE FROM t RETURNING id",
        "SELECT id FROM t) AS x; DROP TABLE t; SELECT 1 FROM (SELECT 1",
    ] {
        let source = workshop.source(&format!(
            "tables.q = {{ query = \"{query}\", key = \"id\" }}"
        ));
        let error = match rows(&source, "q").await {
            Err(error) => error,
            Ok(rows) => rows.failed.unwrap(),
        };
        said.push(format!("{query}\n{}", error_shown(&error)));
    }
    insta::assert_snapshot!(said.join("\n"));
    let untouched = rows(&workshop.source(""), "t").await.unwrap();
    assert_eq!(untouched.rows.num_rows(), 2);
}

#[tokio::test]
async fn nothing_can_be_changed_by_way_of_a_source() {
    let workshop = Workshop::with(&format!(
        "{TABLE} CREATE FUNCTION meddle() RETURNS int LANGUAGE sql AS 'DELETE FROM t; SELECT 1'"
    ))
    .await;
    let source = workshop.source("tables.q = { query = \"SELECT meddle() AS id\", key = \"id\" }");
    let error = match rows(&source, "q").await {
        Err(error) => error,
        Ok(read) => read.failed.unwrap(),
    };
    insta::assert_snapshot!(error_shown(&error));
    let untouched = rows(&workshop.source(""), "t").await.unwrap();
    assert_eq!(untouched.rows.num_rows(), 2);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let workshop = Workshop::with(&format!(
        "{TABLE} CREATE VIEW slow AS SELECT id, pg_sleep(5)::text AS slept FROM t"
    ))
    .await;
    let source = workshop.source("statement_timeout = \"300 ms\"\ntables.slow = { key = \"id\" }");
    let read = rows(&source, "slow").await.unwrap();
    insta::assert_snapshot!(error_shown(&read.failed.unwrap()));
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up_after_what_came_before() {
    let server = Postgres::own().await;
    let database = server.database().await;
    database
        .execute(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 50000)",
        )
        .await;
    let source = source(database.url(), "reconnect = \"1 s\"");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0], 1_024));
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first.rows.num_rows(), 1_024);
    server.stop().await;
    // The page that was read ahead comes, and then the error.
    let mut failed = None;
    while let Some(batch) = stream.next().await {
        assert!(failed.is_none(), "nothing follows an error");
        failed = batch.err();
    }
    let failed = failed.unwrap();
    insta::assert_snapshot!(error_shown(&failed));
}
