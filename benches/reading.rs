//! How fast do JSON lines become Arrow batches?
//!
//! `describe` is the first reading, which finds out the type of every column; `scan` the second
//! one, which makes the batches of a run: each reads the whole file of messages from the page
//! cache, with all columns. A run does both, one after the other, and sends nothing before the
//! first is done.

use std::hint::black_box;
use std::sync::Arc;

use chatferry_benches::generate::Order;
use chatferry_benches::setup::{Measured, messages, runtime};
use chatferry_core::{Scan, Source, Table};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;

/// As many as the engine asks for.
const ROWS_PER_BATCH: usize = 4_096;

fn reading(criterion: &mut Criterion) {
    let (chat, runtime) = (Measured::new(messages(), Order::ByTime), runtime());
    let mut group = criterion.benchmark_group("reading");
    group.sample_size(10);
    group.throughput(Throughput::ElementsAndBytes {
        elements: chat.messages,
        bytes: chat.bytes,
    });

    group.bench_function("describe", |bencher| {
        bencher.iter(|| {
            // A new source each time: a description is kept.
            let source = chat.source();
            runtime
                .block_on(source.describe("messages"))
                .expect("the file is read")
        });
    });

    let source = chat.source();
    let table = runtime
        .block_on(source.describe("messages"))
        .expect("the file is read");
    group.bench_function("scan", |bencher| {
        bencher.iter(|| {
            let rows = runtime.block_on(scan(&source, &table));
            assert_eq!(
                rows,
                usize::try_from(chat.messages).expect("they fit into memory")
            );
        });
    });
}

async fn scan(source: &Arc<dyn Source>, table: &Arc<Table>) -> usize {
    let columns = (0..table.schema.fields().len()).collect();
    let scan = Scan::of(Arc::clone(table), columns, ROWS_PER_BATCH);
    let (mut batches, mut rows) = (source.scan(scan), 0);
    while let Some(batch) = batches.next().await {
        rows += black_box(batch.expect("the file is read")).rows.num_rows();
    }
    rows
}

criterion_group!(benches, reading);
criterion_main!(benches);
