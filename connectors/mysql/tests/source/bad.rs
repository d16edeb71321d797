//! What is said when something stands in the way. No password is in any of it.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::servers::{self, MariaDb, Options, PASSWORD};
use futures::StreamExt;

use crate::workshop::{Workshop, error_shown, open, rows, scanned, source};

const TABLE: &str =
    "CREATE TABLE t (id int PRIMARY KEY, name varchar(10), body text, INDEX by_name (name));
    INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y');";

/// What listing the tables of that source is answered with.
async fn refused(source: Arc<dyn Source>) -> String {
    error_shown(&source.tables().await.unwrap_err())
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_an_error_with_advice() {
    let server = servers::mariadb().await;
    let database = server.database().await;
    let url = database.url();
    database
        .execute(&format!(
            "CREATE OR REPLACE USER nothing@'%' IDENTIFIED BY '{PASSWORD}'"
        ))
        .await;
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
            "unknown user",
            source(&url.replace("admin:", "nobody:"), ""),
        ),
        (
            "unknown host",
            source(&url.replace("127.0.0.1", "no-such-host.invalid"), ""),
        ),
        (
            "nobody listens",
            open(&format!(
                "host = \"127.0.0.1\"\nport = {unused}\ndatabase = \"x\""
            )),
        ),
        (
            "unknown database",
            source(&url.replace(database.name(), "not_there"), ""),
        ),
        ("no rights", source(&url.replace("admin:", "nothing:"), "")),
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
    let server = MariaDb::own_with(Options::default().tls_only()).await;
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

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_an_error_with_its_file() {
    let (planned, mistakes) = crate::workshop::planned("url = { file = \"/no/such/secret\" }");
    assert_eq!(mistakes, "");
    insta::assert_snapshot!(error_shown(&planned.unwrap().open().unwrap_err()));
}

#[tokio::test]
async fn the_parts_of_a_url_may_be_given_apart() {
    let workshop = Workshop::with(TABLE).await;
    let database = workshop.database();
    let (_, behind) = database.url().rsplit_once("127.0.0.1:").unwrap();
    let port = behind.split('/').next().unwrap();
    let source = open(&format!(
        "host = \"127.0.0.1\"\nport = {port}\nuser = \"admin\"\npassword = \"{PASSWORD}\"\n\
         database = \"{}\"",
        database.name()
    ));
    assert_eq!(source.tables().await.unwrap(), ["t"]);
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
        "ALTER TABLE t MODIFY id bigint",
        "ALTER TABLE t MODIFY body blob",
        "ALTER TABLE t DROP PRIMARY KEY",
        "ALTER TABLE t ADD COLUMN more int",
        "ALTER TABLE t MODIFY name varchar(200)",
    ] {
        let workshop = Workshop::with(TABLE).await;
        said.push(format!("{change}\n{}", after(&workshop, change).await));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_column_that_may_no_longer_be_read_is_named() {
    let workshop = Workshop::with(TABLE).await;
    let name = workshop.database().name();
    let user = format!("u{}", name.rsplit('_').next().unwrap());
    workshop
        .execute(&format!(
            "CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{PASSWORD}';
            GRANT SELECT ON {name}.t TO {user}@'%'"
        ))
        .await;
    let url = workshop
        .database()
        .url()
        .replace("admin:", &format!("{user}:"));
    let source = source(&url, "");
    let table = source.describe("t").await.unwrap();
    workshop
        .execute(&format!(
            "REVOKE SELECT ON {name}.t FROM {user}@'%'; GRANT SELECT (id, name) ON {name}.t TO {user}@'%'"
        ))
        .await;
    let read = scanned(&source, Scan::of(table, vec![0, 1, 2], 100)).await;
    let shown = error_shown(&read.failed.unwrap());
    insta::assert_snapshot!(shown.replace(&user, "USER"));
}

#[tokio::test]
async fn a_query_that_the_server_does_not_take_is_an_error_with_advice() {
    let workshop = Workshop::with(TABLE).await;
    let mut said = Vec::new();
    for query in [
        "SELEC id FROM t",
        "SELECT id, name AS id FROM t",
        "SELECT nmae FROM t",
        "SELECT * FROM missing",
        "DELETE FROM t",
        "SELECT id FROM t WHERE name = ?",
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
        "{TABLE}
        CREATE FUNCTION meddle() RETURNS int MODIFIES SQL DATA
        BEGIN DELETE FROM t; RETURN 1; END"
    ))
    .await;
    let source = workshop.source("tables.q = { query = \"SELECT meddle() AS id\", key = \"id\" }");
    let error = match rows(&source, "q").await {
        Err(error) => error,
        Ok(rows) => rows.failed.unwrap(),
    };
    insta::assert_snapshot!(error_shown(&error));
    let untouched = rows(&workshop.source(""), "t").await.unwrap();
    assert_eq!(untouched.rows.num_rows(), 2);
}

#[tokio::test]
async fn what_a_query_cannot_compute_is_told_without_what_is_in_the_rows() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, doc text); INSERT INTO t VALUES (1, 'a secret')",
    )
    .await;
    let source = workshop.source(
        "tables.q = { query = \"SELECT id, exp(id * 10000) AS x, \
         st_geomfromtext(doc) AS y, cast(concat(doc, doc) AS inet6) AS z FROM t\", key = \"id\" }",
    );
    let read = rows(&source, "q").await.unwrap();
    match read.failed {
        Some(error) => assert!(!format!("{error:?}").contains("secret")),
        None => assert_eq!(read.rows.num_rows(), 1),
    }
}

#[tokio::test]
async fn a_view_of_what_is_gone_is_an_error_with_advice() {
    let workshop = Workshop::with(&format!(
        "{TABLE} CREATE VIEW v AS SELECT id FROM t; RENAME TABLE t TO gone"
    ))
    .await;
    let source = workshop.source("tables.v = { key = \"id\" }");
    let error = match rows(&source, "v").await {
        Err(error) => error,
        Ok(rows) => rows.failed.unwrap(),
    };
    insta::assert_snapshot!(error_shown(&error));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let workshop = Workshop::with(&format!(
        "{TABLE} CREATE VIEW slow AS SELECT id, sleep(5) AS slept FROM t"
    ))
    .await;
    let source = workshop.source("statement_timeout = \"300 ms\"\ntables.slow = { key = \"id\" }");
    let read = rows(&source, "slow").await.unwrap();
    insta::assert_snapshot!(error_shown(&read.failed.unwrap()));
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up_after_what_came_before() {
    let server = MariaDb::own().await;
    let database = server.database().await;
    database
        .execute(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_30000",
        )
        .await;
    let source = source(database.url(), "reconnect = \"1 s\"");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0], 1_024));
    let mut rows = stream.next().await.unwrap().unwrap().rows.num_rows();
    server.stop().await;
    // A page may have been read ahead.
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(batch) => rows += batch.rows.num_rows(),
            Err(error) => break error,
        }
    };
    assert!((1_024..30_000).contains(&rows), "{rows}");
    assert!(stream.next().await.is_none());
    insta::assert_snapshot!(error_shown(&error));
}
