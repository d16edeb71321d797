//! How fast do the types of PostgreSQL become Arrow batches?
//!
//! A table for each family of types, of ten columns beside its key, read as a run reads it: in pages
//! by key, by `COPY … (FORMAT binary)` from a server on this machine, which has to write what is
//! read here and shares the processors. So the numbers are to be compared with each other, and with
//! those of the server alone, which `null` comes close to: ten columns without anything in them.
//! The rate is values.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use chatferry_benches::setup::{messages, runtime};
use chatferry_core::{Scan, Source};
use chatferry_testkit::{servers, settings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;

/// Columns of each table beside its key.
const COLUMNS: u64 = 10;
/// As many as the engine asks for.
const ROWS_PER_BATCH: usize = 4_096;

/// Families of types: a name, and a value of it made of the row's number `n`.
const FAMILIES: [(&str, &str); 19] = [
    ("null", "NULL::bigint"),
    ("boolean", "n % 3 = 0"),
    ("integer", "n::integer"),
    ("bigint", "n * 1000003"),
    ("double", "n / 7.0::double precision"),
    ("numeric(18,4)", "(n * 1.0001)::numeric(18, 4)"),
    ("numeric", "(n * 1.0001)::numeric"),
    (
        "text",
        "'message number ' || n || ' of a chat, as long as such are'",
    ),
    ("uuid", "md5(n::text)::uuid"),
    ("bytea", "decode(md5(n::text), 'hex')"),
    ("date", "DATE '2020-01-01' + (n % 2000)::integer"),
    (
        "timestamp",
        "TIMESTAMP '2020-01-01' + n * INTERVAL '1 second'",
    ),
    (
        "timestamptz",
        "TIMESTAMPTZ '2020-01-01 00:00Z' + n * INTERVAL '1 second'",
    ),
    ("interval", "n * INTERVAL '1 second'"),
    (
        "jsonb",
        "jsonb_build_object('emoji', 'x', 'users', jsonb_build_array(n, n + 1))",
    ),
    (
        "enum",
        "(ARRAY['text', 'image', 'file'])[1 + n % 3]::family_enum",
    ),
    ("bigint[]", "ARRAY[n, n + 1, n + 2]"),
    ("composite", "ROW(n, 'x')::family_composite"),
    ("inet", "'10.0.0.0'::inet + n"),
];

fn types(criterion: &mut Criterion) {
    let rows = messages();
    let runtime = runtime();
    let (source, _database) = runtime.block_on(async {
        let database = servers::postgres().await.database().await;
        database.execute(&script(rows)).await;
        let url = format!("url = \"{}\"", database.url());
        let (planned, mistakes) =
            settings::planned(chatferry_postgres::register, &url, Path::new("/"));
        let source = planned.unwrap_or_else(|| panic!("the settings have mistakes: {mistakes}"));
        (source.open().expect("the server is there"), database)
    });
    let mut group = criterion.benchmark_group("postgres types");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rows * COLUMNS));
    for (place, (name, _)) in FAMILIES.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(read(&source, &format!("family_{place}")));
                assert_eq!(read, rows);
            });
        });
    }
}

/// The tables of all families.
fn script(rows: u64) -> String {
    let table = |(place, (_, value)): (usize, &(&str, &str))| {
        let columns: Vec<String> = (0..COLUMNS)
            .map(|column| format!("{value} AS c{column}"))
            .collect();
        format!(
            "CREATE TABLE family_{place} AS SELECT n, {} FROM generate_series(1, {rows}) n;\n\
             ALTER TABLE family_{place} ADD PRIMARY KEY (n);\n\
             ANALYZE family_{place};\n",
            columns.join(", ")
        )
    };
    let tables: String = FAMILIES.iter().enumerate().map(table).collect();
    format!(
        "CREATE TYPE family_enum AS ENUM ('text', 'image', 'file');\n\
         CREATE TYPE family_composite AS (number bigint, word text);\n{tables}"
    )
}

async fn read(source: &Arc<dyn Source>, table: &str) -> u64 {
    let table = source.describe(table).await.expect("it was made");
    let columns = (0..table.schema.fields().len()).collect();
    let mut batches = source.scan(Scan::of(table, columns, ROWS_PER_BATCH));
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        rows += black_box(batch.expect("it can be read")).rows.num_rows();
    }
    rows as u64
}

criterion_group!(benches, types);
criterion_main!(benches);
