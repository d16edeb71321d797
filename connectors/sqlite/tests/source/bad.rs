//! What is said of databases, tables and rows that cannot be read.

use chatferry_core::source::Scan;
use futures::{StreamExt, TryStreamExt};

use crate::workshop::{Workshop, error_shown, run, shown, titled};

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_with_advice() {
    let workshop =
        Workshop::with("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (hex(zeroblob(9999)))").await;
    let whole = std::fs::read(workshop.path("legacy.db")).expect("a file");
    let write = |name: &str, contents: &[u8]| {
        std::fs::write(workshop.path(name), contents).expect("a file is written");
    };
    std::fs::create_dir(workshop.path("folder")).expect("a folder is made");
    write("text.db", "id,name\n1,x\n".repeat(500).as_bytes());
    write("cut.db", &whole[..whole.len() / 2]);
    let mut damaged = whole.clone();
    damaged[4_096..4_196].fill(0xAA);
    write("damaged.db", &damaged);
    write("empty.db", b"");
    // It says that it has a log of changes beside it, which cannot be opened.
    let mut logged = whole;
    logged[18..20].fill(2);
    write("logged.db", &logged);
    std::fs::create_dir(workshop.path("logged.db-wal")).expect("a folder is made");
    let mut cases = Vec::new();
    for name in ["missing.db", "folder"] {
        let error = workshop
            .open(&format!("path = \"{name}\""))
            .expect_err("no database");
        cases.push((name, error_shown(&error)));
    }
    for name in ["text.db", "cut.db", "damaged.db", "empty.db", "logged.db"] {
        let source = workshop
            .open(&format!("path = \"{name}\""))
            .expect("there is a file");
        cases.push((name, shown(&source, "t").await));
    }
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn a_table_that_is_not_there_or_has_no_key_is_an_error_with_advice() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INT, a TEXT);
         INSERT INTO t VALUES (1, 'x'), (1, 'y'), (2, NULL);
         CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70)
                          SELECT zeroblob(1000000) AS a, i AS ID FROM n;
         CREATE TABLE many (id INT);
         INSERT INTO many SELECT 5 FROM (WITH RECURSIVE n(i) AS
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i FROM n);
         CREATE VIEW broken AS SELECT * FROM gone",
    )
    .await;
    let mut cases = Vec::new();
    for (title, settings, table) in [
        ("no such table", "", "nowhere"),
        ("not among those listed", "tables = [\"t\"]", "v"),
        ("a list that names none", "tables = [\"t\", \"T\"]", "t"),
        ("a key of none", "tables.nowhere.key = \"id\"", "t"),
        ("a long view without a key", "", "v"),
        ("a view of nothing", "tables.broken.key = \"id\"", "broken"),
        ("a key that is no column", "tables.t.key = \"Id\"", "t"),
        (
            "a key that is the same all too often",
            "tables.many.key = \"id\"",
            "many",
        ),
        ("a key that is null", "tables.t.key = \"a\"", "t"),
        (
            "a query that is none",
            "tables.q = { query = \"SELEKT 1\", key = \"id\" }",
            "q",
        ),
    ] {
        cases.push((title, shown(&workshop.source(settings), table).await));
    }
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_rejected_with_its_key_and_the_others_go_on() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, n INT, f BOOL, r REAL, j JSON, b BLOB);
         INSERT INTO t VALUES (1, 'good', 1, 1, 0.5, '{}', x'00'),
                              (2, CAST(x'61ff' AS TEXT), 2, 0, 1, '[]', x'01'),
                              (9, 'good', 3, 0, 2, '1', x'02');
         CREATE TABLE p (name TEXT, n INT, PRIMARY KEY (name, n)) WITHOUT ROWID;
         INSERT INTO p VALUES ('a', 1), (CAST(x'62ff' AS TEXT), 2), ('c', 3), (CAST(x'ff' AS TEXT), 4)",
    )
    .await;
    let source = workshop.source("");
    source.describe("t").await.expect("described");
    workshop
        .run(
            "INSERT INTO t VALUES (3, 5, 'five', 1, 0, '{}', x''), (4, x'00', 4, 2, 0, '{}', x''),
                                  (5, 'good', 4, 1, 'much', '{}', x''), (6, 'good', 4, 1, 0, '{a', x''),
                                  (7, 'good', 4, 1, 0, '{}', 'text'),
                                  (8, 'good', 4.5, 1, 9007199254740993, '9e999', NULL)",
        )
        .await;
    insta::assert_snapshot!(titled(vec![
        ("t", shown(&source, "t").await),
        ("p", shown(&source, "p").await),
    ]));
    // Whoever does not want the column does not mind what is in it.
    let table = source.describe("p").await.expect("described");
    for rows_per_batch in [1, 2, 10] {
        let stream = source.scan(Scan::of(table.clone(), vec![1], rows_per_batch));
        let batches: Vec<_> = stream.try_collect().await.expect("rows");
        let rows: usize = batches.iter().map(|batch| batch.rows.num_rows()).sum();
        assert_eq!(rows, 4);
    }
}

#[tokio::test]
async fn a_table_that_changes_while_it_is_read_is_noticed() {
    let mut cases = Vec::new();
    for (title, change) in [
        ("dropped", "DROP TABLE t"),
        ("a column dropped", "ALTER TABLE t DROP COLUMN v"),
        ("renamed", "ALTER TABLE t RENAME COLUMN v TO w"),
        ("a column added", "ALTER TABLE t ADD COLUMN w INT DEFAULT 5"),
    ] {
        let workshop = Workshop::with(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
             INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        )
        .await;
        let source = workshop.source("");
        let table = source.describe("t").await.expect("described");
        let mut between = source.scan(Scan::of(table.clone(), vec![0, 1], 1));
        between.next().await.expect("a page").expect("rows");
        workshop.run(change).await;
        let outcome = |batches: Result<Vec<_>, _>| match batches {
            Ok(batches) => format!("{} batches\n", batches.len()),
            Err(error) => error_shown(&error),
        };
        let after = source.scan(Scan::of(table, vec![0, 1], 1));
        let (between, after) = (
            outcome(between.try_collect().await),
            outcome(after.try_collect().await),
        );
        cases.push((title, format!("between pages: {between}before: {after}")));
    }
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn a_database_that_stays_locked_is_an_error_with_advice() {
    let workshop = Workshop::with("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    let mut application = workshop.application().await;
    run(&mut application, "BEGIN EXCLUSIVE").await;
    let source = workshop.source("busy_timeout = \"20 ms\"");
    insta::assert_snapshot!(shown(&source, "t").await);
    run(&mut application, "ROLLBACK").await;
    source.describe("t").await.expect("it is free again");
}
