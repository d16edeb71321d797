//! How fast do the messages of a Singer tap become Arrow batches?
//!
//! The tap is `cat`: a generated stream of RECORD messages comes through a pipe as fast as it is
//! taken, so that what is measured is the reading and not the tap.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use chatferry_benches::generate::Order;
use chatferry_benches::setup::{Measured, messages, runtime};
use chatferry_core::{Scan, Source};
use chatferry_testkit::settings::planned;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use serde_json::{Map, Value, json};

/// As many as the engine asks for.
const ROWS_PER_BATCH: usize = 4_096;
/// A tap that is asked for its catalog with `--discover`, and gives the same stream each time.
const SETTINGS: &str = r#"
command = ["sh", "-c", 'case "$*" in *--discover*) cat catalog.json;; *) exec cat messages.singer;; esac', "tap"]
"#;

fn singer(criterion: &mut Criterion) {
    let (chat, runtime) = (Measured::new(messages(), Order::ByTime), runtime());
    write(chat.folder());
    let source = source(chat.folder());
    let mut group = criterion.benchmark_group("singer");
    group.sample_size(10);
    group.throughput(Throughput::Elements(chat.messages));
    group.bench_function("scan", |bencher| {
        bencher.iter(|| {
            let rows = runtime.block_on(scan(&source));
            assert_eq!(rows as u64, chat.messages);
        });
    });
}

/// Writes the chat's messages as a tap gives them, and the tap's catalog.
fn write(folder: &Path) {
    let lines = File::open(folder.join("messages.jsonl")).expect("the chat was written");
    let out = File::create(folder.join("messages.singer")).expect("a file is made");
    let mut out = BufWriter::new(out);
    let mut schema = None;
    for line in BufReader::new(lines).lines() {
        let line = line.expect("a line");
        if schema.is_none() {
            let described = described(&line);
            let message = json!({"type": "SCHEMA", "stream": "messages", "schema": described});
            writeln!(out, "{message}").expect("written");
            schema = Some(described);
        }
        writeln!(
            out,
            r#"{{"type": "RECORD", "stream": "messages", "record": {line}}}"#
        )
        .expect("written");
    }
    out.flush().expect("written");
    let catalog = json!({"streams": [{"stream": "messages", "schema": schema}]});
    std::fs::write(folder.join("catalog.json"), catalog.to_string()).expect("written");
}

/// The schema of records like this one.
fn described(line: &str) -> Value {
    let record: Map<String, Value> = serde_json::from_str(line).expect("a record");
    let property = |(name, value): (String, Value)| {
        let schema = match value {
            Value::Number(_) => json!({"type": ["null", "integer"]}),
            Value::String(_) => json!({"type": ["null", "string"]}),
            _ => json!({}),
        };
        (name, schema)
    };
    let properties: Map<String, Value> = record.into_iter().map(property).collect();
    json!({"type": "object", "properties": properties})
}

fn source(folder: &Path) -> Arc<dyn Source> {
    let (settings, mistakes) = planned(chatferry_singer::register, SETTINGS, folder);
    assert_eq!(mistakes, "");
    let settings = settings.expect("settings in order");
    settings.open().expect("the source opens")
}

async fn scan(source: &Arc<dyn Source>) -> usize {
    let table = source.describe("messages").await.expect("described");
    let columns = (0..table.schema.fields().len()).collect();
    let scan = Scan::of(table, columns, ROWS_PER_BATCH);
    let (mut batches, mut rows) = (source.scan(scan), 0);
    while let Some(batch) = batches.next().await {
        let batch = batch.expect("the tap is read");
        assert!(batch.rejected.is_empty(), "{:?}", batch.rejected.first());
        rows += black_box(batch.rows).num_rows();
    }
    rows
}

criterion_group!(benches, singer);
criterion_main!(benches);
