//! Is a database left as it was, and free for those it belongs to?

use std::sync::Arc;

use chatferry_core::source::Scan;
use futures::{StreamExt, TryStreamExt};

use crate::workshop::{Workshop, rows, run};

const ROWS: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
     INSERT INTO t SELECT i, 'row ' || i FROM n;";

#[tokio::test]
async fn nothing_is_locked_while_nobody_pulls() {
    let workshop = Workshop::with(ROWS).await;
    let source = workshop.source("");
    let table = source.describe("t").await.expect("described");
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = source.scan(Scan::of(Arc::clone(&table), vec![0, 1], 1_000));
        stream.next().await.expect("a page").expect("rows");
        streams.push(stream);
    }
    // It does not wait, so a lock would make it fail.
    let mut application = workshop.application().await;
    run(&mut application, "BEGIN EXCLUSIVE").await;
    run(
        &mut application,
        "UPDATE t SET v = 'changed' WHERE id = 4999; COMMIT",
    )
    .await;
    for stream in streams {
        let rest: Vec<_> = stream.try_collect().await.expect("rows");
        let rest: usize = rest.iter().map(|batch| batch.rows.num_rows()).sum();
        assert_eq!(rest, 4_000);
    }
}

#[tokio::test]
async fn a_log_of_changes_can_be_emptied_while_nobody_pulls() {
    let workshop = Workshop::with(&format!("PRAGMA journal_mode = WAL; {ROWS}")).await;
    let mut application = workshop.application().await;
    run(&mut application, "INSERT INTO t VALUES (0, 'first')").await;
    let source = workshop.source("");
    let table = source.describe("t").await.expect("described");
    let mut stream = source.scan(Scan::of(table, vec![0, 1], 1_000));
    let first = stream.next().await.expect("a page").expect("rows");
    assert_eq!(first.rows.num_rows(), 1_000);
    run(&mut application, "DELETE FROM t WHERE id = 5000").await;
    let checkpoint = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)");
    let (busy, left, _): (i64, i64, i64) = checkpoint
        .fetch_one(&mut application)
        .await
        .expect("a checkpoint");
    assert_eq!((busy, left), (0, 0), "a reader stands in the way");
    let rest: Vec<_> = stream.try_collect().await.expect("rows");
    let rest: usize = rest.iter().map(|batch| batch.rows.num_rows()).sum();
    assert_eq!(rest, 4_000);
}

#[tokio::test]
async fn nothing_is_made_or_changed() {
    let workshop = Workshop::with(ROWS).await;
    let before = workshop.contents();
    let read = rows(&workshop.source(""), "t").await.expect("rows");
    assert_eq!(read.rows.num_rows(), 5_000);
    assert_eq!(workshop.contents(), before);
    workshop.open("path = \"other.db\"").expect_err("no file");
    assert_eq!(workshop.contents(), before, "a missing file is not made");
}

#[tokio::test]
async fn a_database_with_a_log_of_changes_is_read_with_its_log_and_kept_as_it_is() {
    let workshop = Workshop::with(&format!("PRAGMA journal_mode = WAL; {ROWS}")).await;
    let before = workshop.contents();
    let names = |contents: &[(String, Vec<u8>)]| -> Vec<String> {
        contents.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&before), ["legacy.db"], "the application is gone");
    let mut application = workshop.application().await;
    run(
        &mut application,
        "INSERT INTO t VALUES (0, 'only in the log')",
    )
    .await;
    let logged = workshop.contents();
    assert_eq!(
        names(&logged),
        ["legacy.db", "legacy.db-shm", "legacy.db-wal"]
    );
    let read = rows(&workshop.source(""), "t").await.expect("rows");
    assert_eq!(read.rows.num_rows(), 5_001);
    let after = workshop.contents();
    assert_eq!(names(&after), names(&logged));
    assert_eq!((&after[0], &after[2]), (&logged[0], &logged[2]));
}

#[tokio::test]
async fn a_query_cannot_change_anything() {
    let workshop = Workshop::with(ROWS).await;
    let before = workshop.contents();
    for query in [
        "DELETE FROM t RETURNING id",
        "SELECT 1 AS id; DELETE FROM t",
        "SELECT 1 AS id) UNION ALL SELECT * FROM (SELECT 2",
    ] {
        let settings = format!("tables.q = {{ query = \"{query}\", key = \"id\" }}");
        let source = workshop.source(&settings);
        source.describe("q").await.expect_err("it is no query");
    }
    assert_eq!(workshop.contents(), before);
}
