//! What becomes of each kind of value.

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::source::assert_contract;
use futures::StreamExt;
use std::sync::Arc;

use crate::workshop::{Workshop, shown, titled};

/// What is shown of a table, after it has kept every promise.
async fn table(source: &Arc<dyn Source>, table: &str) -> String {
    assert_contract(Arc::clone(source), table).await;
    shown(source, table).await
}

/// What is shown of one column with these values.
async fn column(declared: &str, values: &str) -> String {
    let statements = format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared});
         INSERT INTO t (v) VALUES {values}"
    );
    let workshop = Workshop::with(&statements).await;
    table(&workshop.source(""), "t").await
}

#[tokio::test]
async fn columns_of_one_kind_have_its_type() {
    insta::assert_snapshot!(titled(vec![
        (
            "whole numbers",
            column(
                "",
                "(0), (NULL), (-1), (9223372036854775807), (-9223372036854775808)"
            )
            .await
        ),
        (
            "numbers",
            column(
                "REAL",
                "(0.1), (NULL), (-0.0), (1e308), (5e-324), (9e999), (2)"
            )
            .await
        ),
        (
            "numbers, some of them whole",
            column("", "(0.5), (9007199254740992), (-9007199254740992)").await
        ),
        (
            "text",
            column(
                "TEXT",
                "(''), (NULL), ('o''clock'), ('👨‍👩‍👧‍👦 \n two lines'), (' 1 ')"
            )
            .await
        ),
        (
            "blobs",
            column("BLOB", "(x''), (NULL), (x'00ff'), (x'414243')").await
        ),
        ("booleans", column("BOOLEAN", "(0), (NULL), (1)").await),
        (
            "JSON",
            column(
                "JSON",
                "('{\"a\": [1, null]}'), (NULL), ('\"text\"'), (5), (1.5), ('null')"
            )
            .await
        ),
    ]));
}

#[tokio::test]
async fn columns_of_several_kinds_are_text_with_a_note() {
    insta::assert_snapshot!(titled(vec![
        (
            "whole numbers and text",
            column("INTEGER", "(1), ('12 KB'), (NULL), (-7), ('')").await
        ),
        (
            "numbers that no double holds",
            column("", "(9007199254740993), (0.5), (1e21), (9e999)").await
        ),
        (
            "everything",
            column("", "(1), (1.0), ('1'), (x'01'), (NULL), ('x''01''')").await
        ),
        (
            "a boolean that is neither",
            column("BOOLEAN", "(0), (1), (2)").await
        ),
        (
            "a boolean in words",
            column("BOOLEAN", "('true'), ('false'), (1)").await
        ),
        (
            "JSON that is none",
            column("JSON", "('{\"a\": 1}'), ('{a')").await
        ),
        ("JSON and a blob", column("JSON", "('{}'), (x'00')").await),
    ]));
}

#[tokio::test]
async fn a_column_without_values_has_the_type_that_is_declared() {
    let workshop = Workshop::with(
        "CREATE TABLE t (i BIGINT, r DOUBLE, t VARCHAR(20), b BLOB, o BOOL, j JSON, d DATETIME, n)",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
    workshop.run("INSERT INTO t (i) VALUES (1), (NULL)").await;
    insta::assert_snapshot!("nulls", table(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn times_arrive_as_they_are_kept() {
    let workshop = Workshop::with(
        "CREATE TABLE t (a DATETIME, b INTEGER, c REAL);
         INSERT INTO t VALUES ('2024-01-31 12:00:00.5', 1706702400500, 2460341.0),
                              ('2024-02-01T00:00Z', 1706745600, 2460341.5)",
    )
    .await;
    insta::assert_snapshot!(table(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn views_queries_and_generated_columns_are_read_like_tables() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INT,
                         twice AS (n * 2), kept TEXT AS (a || '!') STORED);
         INSERT INTO t (a, n) VALUES ('x', 1), ('y', NULL), ('z', 3);
         CREATE VIEW v AS SELECT id, upper(a) AS a, n FROM t WHERE a <> 'y';
         CREATE TABLE s (id INTEGER PRIMARY KEY, a TEXT NOT NULL, v ANY) STRICT;
         INSERT INTO s VALUES (1, 'a', 1), (2, 'b', 'two');
         CREATE VIRTUAL TABLE f USING fts5(body);
         INSERT INTO f VALUES ('one'), ('two');
         CREATE TABLE \"odd `name`\" (\"a \"\"b\"\"\" INT, rowid TEXT);
         INSERT INTO \"odd `name`\" VALUES (1, 'x'), (2, 'y')",
    )
    .await;
    let source = workshop.source(
        r#"[sources.legacy.tables]
v = { key = "id" }
q = { query = "SELECT n, id, a || n AS both FROM t -- all\n;", key = ["n", "id"] }
r = { query = "SELECT count(*) AS count, n FROM t WHERE n > 0 GROUP BY n", key = "n" }
f = { key = "rowid" }"#,
    );
    let mut cases = Vec::new();
    let tables = source.tables().await.expect("the tables are listed");
    assert_eq!(tables, ["f", "odd `name`", "q", "r", "s", "t", "v"]);
    for name in ["t", "v", "s", "f", "odd `name`", "r"] {
        cases.push((name, table(&source, name).await));
    }
    // One of its keys is null.
    cases.push(("q", shown(&source, "q").await));
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn texts_kept_as_utf_16_arrive_as_utf_8() {
    let workshop = Workshop::with(
        "PRAGMA encoding = 'UTF-16le';
         CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT) WITHOUT ROWID;
         CREATE INDEX t_b ON t (b);
         INSERT INTO t VALUES ('é', '😀'), ('z', '￿'), ('a', ''), ('ab', NULL)",
    )
    .await;
    insta::assert_snapshot!(table(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn a_text_ends_where_it_ends_and_not_at_a_zero() {
    let workshop = Workshop::with(
        "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('a' || char(0) || 'b'), ('a')",
    )
    .await;
    let source = workshop.source("");
    assert_contract(Arc::clone(&source), "t").await;
    let rows = crate::workshop::rows(&source, "t").await.expect("rows");
    assert_eq!(crate::workshop::values(&rows.rows, 0), ["a\0b"]);
}

#[tokio::test]
async fn pages_are_short_where_rows_are_long() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
         INSERT INTO t SELECT i, randomblob(2000000) FROM n",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.expect("described");
    let sizes = |columns| {
        let batches = source.scan(Scan::of(Arc::clone(&table), columns, 1_000));
        batches
            .map(|batch| batch.expect("rows").rows.num_rows())
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(vec![0, 1]).await, [4, 4, 4]);
    assert_eq!(
        sizes(vec![0]).await,
        [12],
        "what is not wanted is not counted"
    );
}

#[tokio::test]
async fn a_table_may_have_hundreds_of_columns() {
    let columns: Vec<String> = (0..450).map(|column| format!("c{column} INT")).collect();
    let values: Vec<String> = (0..450).map(|column| format!("{column}")).collect();
    let workshop = Workshop::with(&format!(
        "CREATE TABLE t ({}); INSERT INTO t VALUES ({})",
        columns.join(", "),
        values.join(", ")
    ))
    .await;
    let rows = crate::workshop::rows(&workshop.source(""), "t")
        .await
        .expect("rows");
    assert_eq!(crate::workshop::values(&rows.rows, 0), values);
}
