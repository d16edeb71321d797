//! How fast do rows become rows of the entity?
//!
//! The messages stand in memory as Arrow batches, so nothing is read; every field's SQL
//! expression of the generated pipeline is evaluated over them. `in order` is a file whose order
//! is known; `sorted` is the same rows shuffled, which the engine sorts within its 64 MiB and goes
//! on in files where that is not enough.

use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_benches::generate::Order;
use chatferry_benches::setup::{Measured, flow, messages, plan, runtime};
use chatferry_core::{Batch, BatchStream, Entity, Scan, Source, SourceError, Table};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::{StreamExt, TryStreamExt};

fn shaping(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("shaping");
    group.sample_size(10);
    for (name, order) in [("in order", Order::ByTime), ("sorted", Order::Shuffled)] {
        let chat = Measured::new(messages(), order);
        let plan = runtime.block_on(async {
            let pipeline = chat.pipeline(None);
            let held = Held::read(chat.source()).await.expect("the file is read");
            plan(Arc::new(held), flow(&pipeline, Entity::Messages)).await
        });
        group.throughput(Throughput::Elements(chat.messages));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let (mut rows, mut shaped) = (0, plan.shape());
                    while let Some(batch) = shaped.next().await {
                        rows += black_box(batch.expect("rows can be shaped")).rows_read();
                    }
                    assert_eq!(rows, chat.messages);
                });
            });
        });
    }
}

/// The messages of a source, held in memory.
#[derive(Debug)]
struct Held {
    table: Arc<Table>,
    batches: Vec<Batch>,
}

impl Held {
    async fn read(source: Arc<dyn Source>) -> Result<Self, SourceError> {
        let table = source.describe("messages").await?;
        let columns = (0..table.schema.fields().len()).collect();
        let scan = Scan::of(Arc::clone(&table), columns, 4_096);
        let batches = source.scan(scan).try_collect().await?;
        Ok(Self { table, batches })
    }
}

#[async_trait]
impl Source for Held {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec![self.table.name.clone()])
    }

    async fn describe(&self, _table: &str) -> Result<Arc<Table>, SourceError> {
        Ok(Arc::clone(&self.table))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let project = move |batch: Batch| {
            let rows = batch
                .rows
                .project(&scan.columns)
                .expect("columns are indices into the schema");
            Ok(Batch {
                rows,
                rejected: Vec::new(),
            })
        };
        futures::stream::iter(self.batches.clone())
            .map(project)
            .boxed()
    }
}

criterion_group!(benches, shaping);
criterion_main!(benches);
