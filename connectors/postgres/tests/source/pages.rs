//! How a table is read in pages: none of its rows twice, and none not at all.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use chatferry_core::source::{Order, Scan, Source};
use chatferry_core::{Comparison, Filter, Operand};
use chatferry_testkit::servers::{Options, Postgres};
use futures::StreamExt;
use sqlx::Connection as _;

use crate::workshop::{Workshop, rows, rows_shown, scanned, source};

/// A script that makes a table `t` with a column `id` of so many numbers from 1, and others that
/// are made of it.
fn numbers(columns: &str, values: &str, many: u64, end: &str) -> String {
    format!(
        "CREATE TABLE t ({columns}); \
         INSERT INTO t SELECT {values} FROM generate_series(1::bigint, {many}) AS seq; {end}"
    )
}

fn ids(rows: &RecordBatch) -> Vec<i64> {
    let ids = rows.column_by_name("id").unwrap();
    ids.as_primitive::<Int64Type>().values().to_vec()
}

#[tokio::test]
async fn a_table_of_many_pages_is_read_once_in_order() {
    // The first page has 1,024 rows; beyond it pages grow.
    for many in [0, 1, 1_023, 1_024, 1_025, 9_216, 9_217, 50_000] {
        let script = numbers(
            "id bigint PRIMARY KEY, x text",
            "seq * 3, 'x' || seq",
            many,
            "",
        );
        let workshop = Workshop::with(&script).await;
        let rows = rows(&workshop.source(""), "t").await.unwrap().rows;
        let expected: Vec<i64> = (1..=i64::try_from(many).unwrap())
            .map(|id| id * 3)
            .collect();
        assert_eq!(ids(&rows), expected);
    }
}

#[tokio::test]
async fn composite_keys_of_all_types_lead_past_every_row() {
    // Each with few values, so that pages end within each of them.
    let keys = [
        ("mood", "('{z,a,m}'::mood[])[1 + seq % 3]"),
        ("text", "('{a,É,z}'::text[])[1 + seq % 3]"),
        (
            "text COLLATE \"C\"",
            "(E'{a,\\\\\\\\,it''s}'::text[])[1 + seq % 3]",
        ),
        ("char(3)", "('{a,ab,\"\"}'::text[])[1 + seq % 3]"),
        ("citext", "('{a,A,b}'::text[])[1 + seq % 3]"),
        (
            "bytea",
            "('{\"\\\\x00\",\"\\\\xff\",\"\\\\x00ff\"}'::bytea[])[1 + seq % 3]",
        ),
        ("numeric", "(seq % 3 - 1) / 3.0"),
        ("numeric(10, 4)", "(seq % 3 - 1) / 3.0"),
        ("real", "(seq % 3 - 1) / 3.0"),
        ("double precision", "(seq % 3 - 1) / 3.0"),
        (
            "date",
            "('{infinity,0044-03-15 BC,2024-02-29}'::date[])[1 + seq % 3]",
        ),
        (
            "timestamp",
            "('{infinity,-infinity,\"2024-02-29 00:00:00.000001\"}'::timestamp[])[1 + seq % 3]",
        ),
        (
            "timestamptz",
            "('{infinity,-infinity,\"2024-02-29 00:00:00.000001+00\"}'::timestamptz[])[1 + seq % 3]",
        ),
        (
            "time",
            "('{00:00,24:00,10:00:00.000001}'::time[])[1 + seq % 3]",
        ),
        ("interval", "(seq % 3) * interval '1 month 3.5 seconds'"),
        ("boolean", "seq % 2 = 0"),
        ("smallint", "seq % 3 - 1"),
        ("oid", "seq % 3 + 4294967290"),
        (
            "uuid",
            "('{123e4567-e89b-12d3-a456-426614174000,f23e4567-e89b-12d3-0456-426614174000}'::uuid[])[1 + seq % 2]",
        ),
        ("inet", "('{10.0.0.1,::1,10.0.0.0/8}'::inet[])[1 + seq % 3]"),
        ("int[]", "array[seq % 3, 1]"),
    ];
    for (of, values) in keys {
        let script = numbers(
            &format!("k {of} NOT NULL, id bigint, PRIMARY KEY (k, id)"),
            &format!("{values}, seq"),
            5_000,
            "",
        );
        let types = "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('z', 'a', 'm');";
        let workshop = Workshop::with(&format!("{types} {script}")).await;
        let source = workshop.source("");
        let table = source.describe("t").await.unwrap();
        let read = scanned(&source, Scan::of(table, vec![1], 1_000)).await;
        assert!(read.failed.is_none(), "{of}: {:?}", read.failed);
        let mut found = ids(&read.rows);
        found.sort_unstable();
        assert_eq!(found, (1..=5_000).collect::<Vec<i64>>(), "{of}");
    }
}

#[tokio::test]
async fn a_key_that_several_rows_share_loses_none() {
    // Pages end within rows of one day, and one day has more rows than the first page.
    let workshop = Workshop::with(&numbers(
        "day date, id bigint",
        "'2024-01-01'::date + (seq / 3000)::int, seq",
        10_000,
        "CREATE INDEX ON t (day)",
    ))
    .await;
    let source = workshop.source("tables.t = { key = [\"day\"] }");
    let mut found = ids(&rows(&source, "t").await.unwrap().rows);
    found.sort_unstable();
    assert_eq!(found, (1..=10_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn long_rows_make_short_pages_and_a_page_that_grew_too_long_is_cut() {
    // A thousand short rows, and then some of three megabytes.
    let workshop = Workshop::with(&numbers(
        "id bigint PRIMARY KEY, x text",
        "seq, repeat('x', CASE WHEN seq > 1100 THEN 3000000 ELSE 10 END)",
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
async fn an_order_by_an_index_reads_each_row_once() {
    let workshop = Workshop::with(&numbers(
        "id bigint PRIMARY KEY, at timestamptz NOT NULL, x text",
        "seq, '2024-01-01'::timestamptz + (30000 - seq) * interval '1 minute', 'x'",
        30_000,
        "CREATE INDEX ON t (at); ANALYZE t",
    ))
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let scan = Scan {
        order: Some(Order::by(["at", "id"])),
        ..Scan::of(Arc::clone(&table), vec![0, 1, 2], 1_000)
    };
    assert!(table.can_order.contains(&Order::by(["at", "id"])));
    let read = scanned(&source, scan).await;
    assert_eq!(ids(&read.rows), (1..=30_000).rev().collect::<Vec<i64>>());
    // Rows that the index gave, against what a sort of the whole table for each page would read.
    let tuples = says(
        workshop.database().url(),
        "SELECT (pg_stat_get_tuples_returned('t'::regclass) < 60000)::text",
    );
    assert_eq!(tuples.await, "true");
}

#[tokio::test]
async fn the_server_may_restart_while_a_table_is_read() {
    let server = Postgres::own().await;
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
    let workshop = Workshop::with(&numbers("id bigint PRIMARY KEY", "seq", 5_000, "")).await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let mut stream = source.scan(Scan::of(table, vec![0], 100));
    stream.next().await.unwrap().unwrap();
    // The page that is read ahead is read to its end, however long nobody asks for it.
    let mut seen = String::new();
    for _ in 0..1_000 {
        seen = says(
            workshop.database().url(),
            "SELECT string_agg(DISTINCT state || ' ' || coalesce(backend_xmin::text, 'no snapshot'), ', ')
             FROM pg_stat_activity
             WHERE application_name = 'chatferry' AND datname = current_database()",
        )
        .await;
        if !seen.contains("active") {
            break;
        }
    }
    assert_eq!(seen, "idle no snapshot");
}

#[tokio::test]
async fn a_replica_that_has_to_catch_up_is_waited_for() {
    let primary = Postgres::own().await;
    let database = primary.database().await;
    database
        .execute(&numbers(
            "id bigint PRIMARY KEY, x text",
            "seq, repeat('x', 100)",
            50_000,
            "",
        ))
        .await;
    // A replica that gives way to what comes from its primary at once.
    let options = Options::default().set("max_standby_streaming_delay", "0");
    let replica = Postgres::replica_of(&primary, options).await;
    let source = source(&replica.url(database.name()), "");
    let table = source.describe("t").await.unwrap();
    let reading = async {
        let mut stream = source.scan(Scan::of(table, vec![0, 1], 1_000));
        let mut found = Vec::new();
        while let Some(batch) = stream.next().await {
            found.extend(ids(&batch.unwrap().rows));
        }
        found
    };
    let meddling = async {
        for _ in 0..5 {
            database
                .execute("UPDATE t SET x = x || '!' WHERE id % 10 = 0")
                .await;
            database.execute("VACUUM t").await;
        }
    };
    let (mut found, ()) = futures::join!(reading, meddling);
    found.sort_unstable();
    assert_eq!(found, (1..=50_000).collect::<Vec<i64>>());
}

async fn says(url: &str, query: &'static str) -> String {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
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
