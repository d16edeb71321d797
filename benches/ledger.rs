//! How fast are outcomes written down, and read again at the next start?
//!
//! `settle one` writes each answered request of 50 messages in a transaction of its own, as a run
//! at the API's pace does; `settle eight` writes eight requests in one, as happens when answers
//! come faster than they are written. `delivered keys` loads what an earlier run delivered. Per
//! record, in a file on the temporary folder's disk.

use std::path::Path;

use chatferry_benches::setup::{messages, runtime};
use chatferry_core::{Entity, RecordId};
use chatferry_ledger::{Content, Entry, Ledger, RequestRow, RunId, Settled};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;

/// A request and the records that it delivered.
type Answered = (RequestRow, Vec<Settled>);

fn ledger(criterion: &mut Criterion) {
    let runtime = runtime();
    let answered: Vec<Answered> = (0..messages() / 50).map(answered).collect();
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(10);
    group.throughput(Throughput::Elements(messages()));

    for (name, requests) in [("settle one", 1), ("settle eight", 8)] {
        let entries = entries(&answered, requests);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || runtime.block_on(fresh()),
                |(folder, mut ledger, run)| {
                    runtime.block_on(async {
                        for entry in &entries {
                            let settled = ledger.settle(run, entry).await;
                            settled.expect("the disk takes it");
                        }
                    });
                    // Given back, so that closing and removing it is not measured.
                    (folder, ledger)
                },
                BatchSize::PerIteration,
            );
        });
    }

    let folder = runtime.block_on(async {
        let (folder, mut ledger, run) = fresh().await;
        for entry in entries(&answered, 100) {
            let settled = ledger.settle(run, &entry).await;
            settled.expect("the disk takes it");
        }
        ledger.close().await.expect("the disk takes it");
        folder
    });
    group.bench_function("delivered keys", |bencher| {
        bencher.iter(|| {
            let keys = runtime.block_on(delivered_keys(&folder.path().join("ledger")));
            assert_eq!(keys, messages() / 50 * 50);
        });
    });
}

/// So many requests an entry.
fn entries(answered: &[Answered], requests: usize) -> Vec<Entry> {
    let entry = |requests: &[Answered]| Entry {
        requests: requests.to_vec(),
        ..Entry::default()
    };
    answered.chunks(requests).map(entry).collect()
}

async fn fresh() -> (TempDir, Ledger, RunId) {
    let folder = tempfile::tempdir().expect("a temporary folder is made");
    let mut ledger = Ledger::open(&folder.path().join("ledger"))
        .await
        .expect("a new ledger opens");
    let run = ledger.begin_run(0, 0).await.expect("the disk takes it");
    (folder, ledger, run)
}

async fn delivered_keys(path: &Path) -> u64 {
    let mut ledger = Ledger::read(path).await.expect("the ledger opens");
    let mut sum = 0;
    ledger
        .delivered_before(&[], |records| sum += records.len() as u64)
        .await
        .expect("the ledger is read");
    sum
}

/// A request of 50 messages that was answered.
fn answered(number: u64) -> (RequestRow, Vec<Settled>) {
    let row = RequestRow {
        entity: Entity::Messages,
        sent_ms: 1_750_000_000_000,
        took_ms: 180,
        records: 50,
        bytes: 20_000,
        status: Some(200),
        result: "answered".into(),
    };
    let settled = (0..50).map(|place| {
        let id = number * 50 + place + 1;
        Settled {
            entity: Entity::Messages,
            id: RecordId::new(&id.to_string()),
            present: false,
            remote: Some(id.to_string().into()),
            content: Content::of(id),
        }
    });
    (row, settled.collect())
}

criterion_group!(benches, ledger);
criterion_main!(benches);
