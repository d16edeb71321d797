//! How a table is read in pages: none of its rows twice, and none not at all.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chatferry_core::source::{Order, Scan, Source};
use chatferry_core::{Comparison, Filter, Operand};
use chatferry_testkit::servers::{MariaDb, PASSWORD};
use futures::StreamExt;
use sqlx::Connection as _;

use crate::workshop::{Workshop, rows, rows_shown, scanned, source};

/// A script that makes a table `t` with a column `id` of so many numbers from 1, and others that
/// are made of it.
fn numbers(columns: &str, values: &str, many: u64, end: &str) -> String {
    format!("CREATE TABLE t ({columns}); INSERT INTO t SELECT {values} FROM seq_1_to_{many}; {end}")
}

fn ids(rows: &arrow::array::RecordBatch) -> Vec<i64> {
    let ids = rows.column_by_name("id").unwrap();
    ids.as_primitive::<Int64Type>().values().to_vec()
}

#[tokio::test]
async fn a_table_of_many_pages_is_read_once_in_order() {
    // The first page has 1,024 rows; beyond it pages grow.
    for many in [0, 1, 1_023, 1_024, 1_025, 9_216, 9_217, 50_000] {
        let workshop = Workshop::with(&numbers(
            "id bigint PRIMARY KEY, x varchar(20)",
            "seq * 3, concat('x', seq)",
            many.max(1),
            if many == 0 { "DELETE FROM t" } else { "" },
        ))
        .await;
        let rows = rows(&workshop.source(""), "t").await.unwrap().rows;
        let expected: Vec<i64> = (1..=many)
            .map(|id| i64::try_from(id).unwrap() * 3)
            .collect();
        assert_eq!(ids(&rows), expected);
    }
}

#[tokio::test]
async fn composite_keys_of_all_types_lead_past_every_row() {
    // Each with few values, so that pages end within each of them.
    let keys = [
        ("enum('z', 'a', 'm')", "1 + seq % 3"),
        ("set('z', 'a')", "seq % 4"),
        (
            "varchar(10) COLLATE utf8mb4_general_ci",
            "elt(1 + seq % 3, 'a', 'É', 'z')",
        ),
        (
            "varchar(10) CHARACTER SET latin1",
            "elt(1 + seq % 3, 'a', 'É', 'ö')",
        ),
        (
            "char(3) COLLATE utf8mb4_bin",
            "elt(1 + seq % 3, 'a', 'A', 'é')",
        ),
        ("varbinary(3)", "elt(1 + seq % 3, 0x00, 0xFF, 0x00FF)"),
        ("decimal(20,10)", "(cast(seq AS signed) % 3 - 1) / 3"),
        ("float", "(cast(seq AS signed) % 3 - 1) / 3"),
        ("double", "(cast(seq AS signed) % 3 - 1) / 3"),
        (
            "date",
            "elt(1 + seq % 3, '0000-00-00', '2024-00-00', '2024-02-29')",
        ),
        (
            "datetime(6)",
            "elt(1 + seq % 3, '0000-00-00', '2024-01-00', '9999-12-31 23:59:59.999999')",
        ),
        (
            "timestamp(3)",
            "elt(1 + seq % 3, '0000-00-00', '1999-01-01', '2024-02-29 00:00:00.001')",
        ),
        (
            "time(2)",
            "elt(1 + seq % 3, '-838:59:59', '00:00:00', '100:00:00.01')",
        ),
        ("year", "elt(1 + seq % 3, 0, 1901, 2155)"),
        ("bit(3)", "seq % 8"),
        ("bit(1)", "seq % 2"),
        ("tinyint", "cast(seq AS signed) % 3 - 1"),
        (
            "bigint unsigned",
            "elt(1 + seq % 3, 0, 5, 18446744073709551615)",
        ),
        (
            "uuid",
            "elt(1 + seq % 2, '123e4567-e89b-12d3-a456-426614174000',
            'f23e4567-e89b-12d3-0456-426614174000')",
        ),
        ("inet6", "elt(1 + seq % 3, '::', '::ffff:1.2.3.4', 'ff::1')"),
    ];
    for (of, values) in keys {
        let workshop = Workshop::with(&format!(
            "SET sql_mode = '', time_zone = '+00:00'; {}",
            numbers(
                &format!("k {of} NOT NULL, id bigint, PRIMARY KEY (k, id)"),
                &format!("{values}, seq"),
                5_000,
                ""
            )
        ))
        .await;
        let source = workshop.source("");
        let table = source.describe("t").await.unwrap();
        // Dates of zeros cannot be read, but must not stand in the way of those that can.
        let scan = Scan::of(table, vec![1], 1_000);
        let read = scanned(&source, scan).await;
        assert!(read.failed.is_none(), "{of}: {:?}", read.failed);
        let mut found = ids(&read.rows);
        found.sort_unstable();
        assert_eq!(found, (1..=5_000).collect::<Vec<i64>>(), "{of}");
    }
}

#[tokio::test]
async fn keys_of_several_columns_end_pages_anywhere() {
    let workshop = Workshop::with(&numbers(
        "a int, b varchar(5), c date, id bigint, PRIMARY KEY (a, b, c, id)",
        "seq % 7, char(97 + seq % 5), '2024-01-01' + INTERVAL seq % 11 DAY, seq",
        20_000,
        "",
    ))
    .await;
    let rows = rows(&workshop.source(""), "t").await.unwrap().rows;
    let mut found = ids(&rows);
    found.sort_unstable();
    assert_eq!(found, (1..=20_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_key_that_several_rows_share_loses_none() {
    // Pages end within rows of one day, and one day has more rows than the first page.
    let workshop = Workshop::with(&numbers(
        "day date, id bigint, INDEX (day)",
        "'2024-01-01' + INTERVAL seq DIV 3000 DAY, seq",
        10_000,
        "",
    ))
    .await;
    let source = workshop.source("tables.t = { key = [\"day\"] }");
    let mut found = ids(&rows(&source, "t").await.unwrap().rows);
    found.sort_unstable();
    assert_eq!(found, (1..=10_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_view_may_be_keyed_by_text_that_only_the_server_can_compare() {
    // Keys come as they were written, in any case and with accents.
    let workshop = Workshop::with(&format!(
        "{} CREATE VIEW v AS SELECT * FROM t",
        numbers(
            "name varchar(60) COLLATE utf8mb4_unicode_ci PRIMARY KEY, id bigint",
            "concat(elt(1 + seq % 4, 'a', 'B', 'É', 'ß'), sha(seq)), seq",
            10_000,
            ""
        )
    ))
    .await;
    let source = workshop.source("tables.v = { key = \"name\" }");
    let read = rows(&source, "v").await.unwrap();
    assert!(read.failed.is_none(), "{:?}", read.failed);
    let mut found = ids(&read.rows);
    found.sort_unstable();
    assert_eq!(found, (1..=10_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn rows_that_share_such_a_key_at_the_end_of_a_page_are_never_lost_in_silence() {
    let workshop = Workshop::with(&numbers(
        "name varchar(20) COLLATE utf8mb4_unicode_ci, id bigint",
        "concat(if(seq % 2, 'a', 'A'), lpad(seq DIV 2, 9, '0')), seq",
        10_000,
        "",
    ))
    .await;
    let source = workshop.source("tables.t = { key = \"name\" }");
    let read = rows(&source, "t").await.unwrap();
    assert!(read.table.notes[0].contains("sorts all rows"));
    insta::assert_snapshot!(crate::workshop::error_shown(&read.failed.unwrap()));
}

#[tokio::test]
async fn long_rows_make_short_pages_and_a_page_that_grew_too_long_is_cut() {
    // A thousand short rows, and then some of three megabytes.
    let workshop = Workshop::with(&numbers(
        "id bigint PRIMARY KEY, x longtext",
        "seq, repeat('x', if(seq > 1100, 3000000, 10))",
        1_150,
        "",
    ))
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0, 1], 10_000));
    let (mut found, mut longest) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.unwrap().rows;
        found.extend(ids(&batch));
        longest = longest.max(batch.get_array_memory_size());
    }
    assert_eq!(found, (1..=1_150).collect::<Vec<i64>>());
    assert!(longest < 150 << 20, "{longest} bytes in a batch");
}

#[tokio::test]
async fn rows_that_come_and_go_meanwhile_do_not_disturb_the_others() {
    let workshop = Workshop::with(&numbers("id bigint PRIMARY KEY", "seq * 2", 10_000, "")).await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0], 500));
    let mut found = ids(&stream.next().await.unwrap().unwrap().rows);
    workshop
        .execute(
            "DELETE FROM t WHERE id = 2048; INSERT INTO t SELECT seq * 2 - 1 FROM seq_1_to_1000;
            INSERT INTO t VALUES (20001)",
        )
        .await;
    while let Some(batch) = stream.next().await {
        found.extend(ids(&batch.unwrap().rows));
    }
    let mut expected: Vec<i64> = (1..=10_000).map(|id| id * 2).collect();
    expected.push(20_001);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn reading_goes_on_where_a_condition_on_the_key_says() {
    let workshop = Workshop::with(&numbers("id bigint PRIMARY KEY", "seq", 5_000, "")).await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let after = Filter::Compare {
        column: "id".into(),
        comparison: Comparison::Greater,
        value: Operand::Whole(3_333),
    };
    assert!(source.honours(&table, &after));
    let scan = Scan {
        filters: vec![after],
        order: Some(Order::by(["id"])),
        ..Scan::of(table, vec![0], 1_000)
    };
    let rows = scanned(&source, scan).await.rows;
    assert_eq!(ids(&rows), (3_334..=5_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn pages_are_read_from_an_index_and_nothing_is_sorted_or_read_twice() {
    let server = MariaDb::own().await;
    let database = server.database().await;
    database
        .execute(&numbers(
            "a int, id bigint, at datetime NOT NULL, x varchar(10), PRIMARY KEY (a, id),
             INDEX by_time (at)",
            "seq % 7, seq, '2024-01-01' + INTERVAL 30000 - seq MINUTE, 'x'",
            30_000,
            "ANALYZE TABLE t",
        ))
        .await;
    let source = source(database.url(), "");
    let table = source.describe("t").await.unwrap();
    let order = Order::by(["at"]);
    for order in [None, Some(order)] {
        let status = "SELECT
            CAST((SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
                WHERE VARIABLE_NAME = 'ROWS_READ') AS signed),
            CAST((SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
                WHERE VARIABLE_NAME = 'SORT_ROWS') AS signed)";
        let counts = async || -> (i64, i64) {
            let mut connection = sqlx::MySqlConnection::connect(database.url())
                .await
                .unwrap();
            sqlx::query_as(status)
                .fetch_one(&mut connection)
                .await
                .unwrap()
        };
        let before = counts().await;
        let scan = Scan {
            order: order.clone(),
            ..Scan::of(Arc::clone(&table), vec![0, 1, 2, 3], 1_000)
        };
        let read = scanned(&source, scan).await;
        assert_eq!(read.rows.num_rows(), 30_000);
        let after = counts().await;
        assert!(
            after.0 - before.0 < 32_000,
            "{order:?}: {before:?}, then {after:?}"
        );
        assert_eq!(after.1, before.1, "{order:?}: rows were sorted");
    }
}

#[tokio::test]
async fn the_server_may_restart_while_a_table_is_read() {
    let server = MariaDb::own().await;
    let database = server.database().await;
    database
        .execute(&numbers("id bigint PRIMARY KEY", "seq", 20_000, ""))
        .await;
    let source = source(database.url(), "");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0], 100));
    let mut found = ids(&stream.next().await.unwrap().unwrap().rows);
    server.kill_sessions().await;
    for _ in 0..11 {
        found.extend(ids(&stream.next().await.unwrap().unwrap().rows));
    }
    // The next page is asked for while the server is away.
    server.stop().await;
    let rest = async {
        let mut rest = Vec::new();
        while let Some(batch) = stream.next().await {
            rest.extend(ids(&batch.unwrap().rows));
        }
        rest
    };
    let (rest, ()) = futures::join!(rest, server.start());
    found.extend(rest);
    assert_eq!(found, (1..=20_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn nobody_waits_in_a_transaction_between_pages() {
    let server =
        MariaDb::own_with(chatferry_testkit::servers::Options::default().set("autocommit", "0"))
            .await;
    let database = server.database().await;
    database
        .execute(&format!(
            "{} COMMIT; CREATE USER reader@'%' IDENTIFIED BY '{PASSWORD}';
            GRANT SELECT ON *.* TO reader@'%'",
            numbers("id bigint PRIMARY KEY", "seq", 5_000, "")
        ))
        .await;
    let url = database.url().replace("admin:", "reader:");
    let source = source(&url, "");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0], 100));
    stream.next().await.unwrap().unwrap();

    // One page is read ahead; then nobody asks for anything. What InnoDB tells of transactions is
    // told again as it was, to whoever asks within 100 ms of the last who asked.
    let began = std::time::Instant::now();
    loop {
        let seen = says(
            database.url(),
            "SELECT concat_ws(' ', count(*), group_concat(DISTINCT p.command), count(t.trx_id))
             FROM information_schema.processlist p
             LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id
             WHERE p.user = 'reader' AND sleep(0.2) = 0",
        )
        .await;
        if seen == "1 Sleep 0" {
            break;
        }
        assert!(began.elapsed().as_secs() < 10, "{seen}");
    }
    stream.next().await.unwrap().unwrap();
}

async fn says(url: &str, query: &'static str) -> String {
    let mut connection = sqlx::MySqlConnection::connect(url).await.unwrap();
    let answer = sqlx::query_scalar(query).fetch_one(&mut connection).await;
    answer.unwrap()
}

#[tokio::test]
async fn many_scans_share_few_connections() {
    let workshop = Workshop::with(&numbers("id bigint PRIMARY KEY", "seq", 3_000, "")).await;
    let source = workshop.source("connections = 1");
    let table = source.describe("t").await.unwrap();
    let scan = |source: &Arc<dyn Source>| {
        let stream = source.scan(Scan::of(Arc::clone(&table), vec![0], 100));
        stream
            .map(|batch| batch.unwrap().rows.num_rows())
            .collect::<Vec<_>>()
    };
    let scans = (0..5).map(|_| scan(&source));
    for batches in futures::future::join_all(scans).await {
        assert_eq!(batches.iter().sum::<usize>(), 3_000);
    }
}

#[tokio::test]
async fn a_limit_keeps_the_first_page_short() {
    let workshop = Workshop::with(&numbers("id bigint PRIMARY KEY", "seq", 3_000, "")).await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let scan = Scan {
        limit: Some(5),
        ..Scan::of(table, vec![0], 100)
    };
    let first = source.scan(scan).next().await.unwrap().unwrap();
    assert_eq!(rows_shown(&first.rows), ["1", "2", "3", "4", "5"]);
}
