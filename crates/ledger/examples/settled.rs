//! How fast are records settled and known again, and how much room do they take?
//!
//! `cargo run --release -p chatferry-ledger --example settled -- FILE 5000000` makes a ledger of as many
//! delivered messages as requests of 50 bring them, some in each commit as a run without a pace has
//! them, and reads it as the next run begins. With `UUID` as a third argument, ids are of 36
//! characters instead of the digits of a number.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "figures are for whoever reads them"
)]

use std::path::Path;
use std::time::Instant;

use chatferry_core::{Entity, RecordId};
use chatferry_ledger::{Content, Entry, Ledger, RequestRow, Settled};

/// Records a request carries.
const REQUEST: u64 = 50;
/// Requests in one commit.
const COMMIT: u64 = 32;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("the file of a ledger to make");
    let records: u64 = arguments.next().map_or(5_000_000, |it| it.parse().unwrap());
    let uuids = arguments.next().is_some();
    let path = Path::new(&path);

    let mut ledger = Ledger::open(path).await.unwrap();
    let run = ledger.begin_run(0, 0).await.unwrap();
    let started = Instant::now();
    let requests = records / REQUEST;
    for first in (0..requests).step_by(usize::try_from(COMMIT).unwrap()) {
        let these = first..(first + COMMIT).min(requests);
        let entry = Entry {
            requests: these.map(|number| answered(number, uuids)).collect(),
            ..Entry::default()
        };
        ledger.settle(run, &entry).await.unwrap();
    }
    let took = started.elapsed().as_secs_f64();
    ledger.close().await.unwrap();
    let bytes = std::fs::metadata(path).unwrap().len();
    println!(
        "settled {records} records in {took:.1} s, {:.0} a second; {:.1} bytes each",
        records as f64 / took,
        bytes as f64 / records as f64
    );

    let started = Instant::now();
    let mut ledger = Ledger::read(path).await.unwrap();
    let mut known = 0;
    let read = ledger.delivered_before(&[], |records| known += records.len());
    read.await.unwrap();
    let took = started.elapsed().as_secs_f64();
    println!(
        "knew {known} of them again in {took:.1} s, {:.0} a second",
        known as f64 / took
    );
}

fn answered(number: u64, uuids: bool) -> (RequestRow, Vec<Settled>) {
    let row = RequestRow {
        entity: Entity::Messages,
        sent_ms: 1_750_000_000_000 + i64::try_from(number).unwrap() * 1_000,
        took_ms: 180,
        records: 50,
        bytes: 20_000,
        status: Some(200),
        result: "answered".into(),
    };
    let settled = (0..REQUEST).map(|place| {
        let id = number * REQUEST + place + 1;
        let hash = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let text = match uuids {
            true => format!(
                "{:08x}-{:04x}-4000-8000-{id:012}",
                hash >> 32,
                hash & 0xffff
            ),
            false => id.to_string(),
        };
        Settled {
            entity: Entity::Messages,
            id: RecordId::new(&text),
            present: false,
            remote: Some(id.to_string().into()),
            content: Content::of(hash),
        }
    });
    (row, settled.collect())
}
