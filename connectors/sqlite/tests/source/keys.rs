//! By which keys tables are read, and in which orders.

use std::sync::Arc;

use chatferry_core::source::{Order, Scan};
use chatferry_core::{Comparison, Filter, Operand};
use chatferry_testkit::source::assert_contract;
use futures::{StreamExt, TryStreamExt};

use crate::workshop::{Workshop, rows_by, shown, titled, values};

/// What is shown of the table `t` of a database, after it has kept every promise.
async fn case(statements: &str, settings: &str) -> String {
    let workshop = Workshop::with(statements).await;
    let source = workshop.source(settings);
    assert_contract(Arc::clone(&source), "t").await;
    shown(&source, "t").await
}

#[tokio::test]
async fn a_table_is_read_by_the_number_of_its_rows_or_by_its_primary_key() {
    let rows = "INSERT INTO t VALUES ('b', 1), ('a', 2), ('B', 3), ('A', NULL)";
    let mut cases = Vec::new();
    for (title, definition) in [
        ("a number that nobody named", "(a TEXT, b INT)"),
        (
            "a primary key that is not the number",
            "(a TEXT PRIMARY KEY, b INT)",
        ),
        (
            "a primary key that is the order",
            "(a TEXT PRIMARY KEY, b INT) WITHOUT ROWID",
        ),
        (
            "two names for the number are taken",
            "(rowid TEXT, _rowid_ INT)",
        ),
    ] {
        let statements = format!("CREATE TABLE t {definition}; {rows}");
        cases.push((title, case(&statements, "").await));
    }
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn keys_of_several_columns_and_any_collation_lose_no_row() {
    let mut cases = Vec::new();
    let rows =
        "INSERT INTO t VALUES ('b', 1, x'01'), ('b', 2.5, ''), ('a', 'x', NULL), ('C ', -1, 0),
                                     ('c', 0, 1), ('', 0, 2), (x'00', 0, 3), (9, 0, 4)";
    for (title, definition, settings) in [
        ("bytes", "(a, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID", ""),
        (
            "letters alike",
            "(a COLLATE NOCASE, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID",
            "",
        ),
        (
            "a unique index",
            "(a NOT NULL COLLATE RTRIM, b NOT NULL, c, UNIQUE (a, b))",
            "tables.t.key = [\"a\", \"b\"]",
        ),
        (
            "no index at all",
            "(a, b, c)",
            "tables.t.key = [\"b\", \"a\"]",
        ),
    ] {
        let statements = format!("CREATE TABLE t {definition}; {rows}");
        cases.push((title, case(&statements, settings).await));
    }
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn rows_may_share_a_key_wherever_pages_end() {
    let workshop = Workshop::with(
        "CREATE TABLE t (k, v INTEGER PRIMARY KEY);
         INSERT INTO t (k) VALUES (1), (2), (1.0), (2.5), (2), (2.0), ('a'), (9007199254740993),
                                  (9007199254740992.0), (x''), ('a'), (2)",
    )
    .await;
    let source = workshop.source("tables.t.key = \"k\"");
    assert_contract(Arc::clone(&source), "t").await;
    for rows_per_batch in 1..14 {
        let read = rows_by(&source, "t", rows_per_batch).await.expect("rows");
        assert!(read.failed.is_none());
        let mut numbers: Vec<String> = (0..read.rows.num_rows())
            .map(|row| values(&read.rows, row)[1].clone())
            .collect();
        numbers.sort_by_key(|number| number.parse::<u8>().expect("a number"));
        let all: Vec<String> = (1..=12).map(|number: u8| number.to_string()).collect();
        assert_eq!(numbers, all, "in batches of {rows_per_batch}");
    }
}

#[tokio::test]
async fn what_is_short_needs_no_key() {
    let workshop = Workshop::with(
        "CREATE TABLE t (rowid INT, oid INT, _rowid_ INT);
         INSERT INTO t VALUES (1, 1, 1), (1, 1, 1), (NULL, NULL, NULL);
         CREATE TABLE down (a INT, PRIMARY KEY (a DESC)) WITHOUT ROWID;
         INSERT INTO down VALUES (1), (2);
         CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
                          SELECT i % 2 AS even FROM n",
    )
    .await;
    let source =
        workshop.source("tables.q.query = \"SELECT even, count(*) AS n FROM v GROUP BY even\"");
    let mut cases = Vec::new();
    for table in ["t", "down", "q"] {
        assert_contract(Arc::clone(&source), table).await;
        cases.push((table, shown(&source, table).await));
    }
    insta::assert_snapshot!(titled(cases));
    let read = rows_by(&source, "v", 4_000).await.expect("rows");
    assert_eq!(read.rows.num_rows(), 9_000);
}

#[tokio::test]
async fn a_table_can_be_offered_under_another_name() {
    let workshop =
        Workshop::with("CREATE TABLE old (id INTEGER PRIMARY KEY); INSERT INTO old VALUES (7)")
            .await;
    let source = workshop.source("tables.new.table = \"old\"");
    assert_eq!(source.tables().await.expect("tables"), ["new", "old"]);
    assert_contract(Arc::clone(&source), "new").await;
    let missing = workshop.source("tables.new.table = \"gone\"");
    let error = missing.tables().await.expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "cannot list the tables of legacy.db: there is no table or view called `gone`"
    );
}

#[tokio::test]
async fn indexes_tell_which_orders_may_be_asked_for() {
    insta::assert_snapshot!(
        case(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, room INT NOT NULL, at INT, name TEXT, n REAL);
             CREATE INDEX t_room ON t (room, at);
             CREATE INDEX t_at ON t (at);
             CREATE INDEX t_name ON t (name COLLATE NOCASE);
             CREATE INDEX t_names ON t (name, room);
             CREATE INDEX t_n ON t (n);
             CREATE INDEX t_two ON t (at, room);
             CREATE INDEX t_late ON t (at DESC);
             CREATE INDEX t_some ON t (name) WHERE room = 1;
             CREATE INDEX t_sum ON t (room + at);
             INSERT INTO t (room, at, name, n) VALUES
                 (1, 5, 'b', 0.5), (1, NULL, 'B', 1), (2, 5, NULL, 2), (1, 4, 'a', NULL),
                 (2, NULL, '', 3), (1, 5, 'b', 4), (1, 5, NULL, 5)",
            ""
        )
        .await
    );
}

#[tokio::test]
async fn an_order_is_read_along_its_index() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at INT NOT NULL, body TEXT NOT NULL);
         CREATE INDEX t_at ON t (at);
         CREATE INDEX t_body ON t (body);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO t SELECT i, i % 7, 'text ' || (i % 10) FROM n",
    )
    .await;
    let mut application = workshop.application().await;
    // What the connector asks, word for word: without a collation, and with one.
    for (order, places) in [
        ("at", "(`at`, `id`) > (3, 500)"),
        (
            "body",
            "`body` COLLATE `BINARY` >= 'text 3' AND (`body` COLLATE `BINARY`, `id`) > ('text 3', 500)",
        ),
    ] {
        let sorts = match order {
            "at" => "`at`, `id`",
            _ => "`body` COLLATE `BINARY`, `id`",
        };
        let statement = format!(
            "EXPLAIN QUERY PLAN SELECT `id`, `at`, `body` FROM `t` WHERE {places} ORDER BY {sorts} \
             LIMIT 10"
        );
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut application)
            .await
            .expect("a plan");
        let steps: Vec<&str> = plan.iter().map(|(.., step)| step.as_str()).collect();
        assert_eq!(
            steps,
            [format!("SEARCH t USING INDEX t_{order} ({order}>?)")],
            "no sort"
        );
    }
}

#[tokio::test]
async fn rows_that_come_and_go_while_reading_disturb_no_other() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
         INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.expect("described");
    let mut stream = source.scan(Scan::of(table, vec![0], 2));
    let mut ids = Vec::new();
    let first = stream.next().await.expect("a page").expect("rows");
    ids.extend((0..first.rows.num_rows()).map(|row| values(&first.rows, row).join("")));
    workshop
        .run("DELETE FROM t WHERE id IN (1, 2, 3); INSERT INTO t VALUES (5, 'e'), (-1, 'x')")
        .await;
    let rest: Vec<_> = stream.try_collect().await.expect("rows");
    for batch in rest {
        ids.extend((0..batch.rows.num_rows()).map(|row| values(&batch.rows, row).join("")));
    }
    assert_eq!(ids, ["1", "2", "4", "5"]);
}

#[tokio::test]
async fn a_limit_ends_the_reading() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at INT);
         CREATE INDEX t_at ON t (at);
         INSERT INTO t (at) VALUES (3), (NULL), (1), (NULL), (2)",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.expect("described");
    for limit in 1..=6 {
        let scan = Scan {
            order: Some(Order::by(["at", "id"])),
            limit: Some(limit),
            ..Scan::of(Arc::clone(&table), vec![0], 2)
        };
        let batches: Vec<_> = source.scan(scan).try_collect().await.expect("rows");
        let ids: Vec<String> = batches
            .iter()
            .flat_map(|batch| {
                (0..batch.rows.num_rows()).map(|row| values(&batch.rows, row).join(""))
            })
            .collect();
        assert_eq!(ids, ["3", "5", "1", "2", "4"][..limit.min(5)]);
    }
}

#[tokio::test]
async fn what_sqlite_compares_otherwise_is_left_to_the_engine() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, day DATETIME, mixed, r REAL, b BLOB, flag BOOL);
         INSERT INTO t (day, mixed, r, b, flag) VALUES ('2024-01-31', 1, 1.5, x'00', 1),
                                                       ('soon', 'a', 2, x'01', 0)",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.expect("described");
    let honours = |column: &str, comparison, value| {
        let column = column.to_owned();
        source.honours(
            &table,
            &Filter::Compare {
                column,
                comparison,
                value,
            },
        )
    };
    let text = |text: &str| Operand::Text(text.to_owned());
    assert!(honours("day", Comparison::Less, text("2024-02-01")));
    assert!(
        !honours("day", Comparison::Less, text(" 2024 ")),
        "it would be compared as a number"
    );
    assert!(!honours("mixed", Comparison::Equal, text("1")));
    assert!(!honours("r", Comparison::Equal, Operand::Whole(2)));
    assert!(!honours("b", Comparison::Equal, text("a")));
    assert!(honours("flag", Comparison::Equal, Operand::Flag(true)));
    assert!(honours(
        "id",
        Comparison::Equal,
        Operand::Whole(i64::MAX.into())
    ));
    assert!(!honours(
        "id",
        Comparison::Less,
        Operand::Whole(i128::from(i64::MAX) + 1)
    ));
    assert!(!honours("nowhere", Comparison::Equal, Operand::Whole(1)));
    let null = |column: &str| Filter::Null {
        column: column.to_owned(),
    };
    assert!(source.honours(&table, &Filter::Any(vec![null("r"), null("mixed")])));
    assert!(!source.honours(&table, &Filter::Any(vec![null("r"), null("nowhere")])));
}

#[tokio::test]
async fn thousands_of_rows_come_in_pages() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
         INSERT INTO t SELECT i * 3, 'row ' || i FROM n",
    )
    .await;
    let rows = rows_by(&workshop.source(""), "t", 100_000)
        .await
        .expect("rows");
    assert!(rows.failed.is_none());
    assert_eq!(rows.rows.num_rows(), 30_000);
    for row in 0..30_000 {
        let number = row + 1;
        assert_eq!(
            values(&rows.rows, row),
            [(number * 3).to_string(), format!("row {number}")]
        );
    }
}
