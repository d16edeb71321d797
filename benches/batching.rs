//! What does it cost to choose the records of each request?
//!
//! The messages of the generated chat, in which a few conversations are much busier than the
//! others, are judged by admission (`admission`) and go through the window (`window`): pushed until
//! it is full, taken 50 at a time with eight requests in flight, and settled oldest request first.
//! `pacer` is one permit where nothing limits. All are per message but the last, which is per
//! request.

use std::collections::VecDeque;
use std::hint::black_box;

use chatferry_benches::generate::Order;
use chatferry_benches::setup::{Measured, messages, records, runtime};
use chatferry_core::{Entity, Record, References};
use chatferry_ledger::Delivered;
use chatferry_runtime::Pacer;
use chatferry_runtime::admission::{Admission, Verdict};
use chatferry_runtime::window::Window;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Requests in flight and bytes of a request, as the program has them unless told otherwise.
const IN_FLIGHT: usize = 8;
const BYTES: usize = 512 * 1024;

fn batching(criterion: &mut Criterion) {
    let (chat, runtime) = (Measured::new(messages(), Order::ByTime), runtime());
    let messages = runtime.block_on(records(&chat, Entity::Messages));
    let mut group = criterion.benchmark_group("batching");
    group.sample_size(10);

    let known: Vec<_> = runtime.block_on(async {
        let (users, groups) = (
            records(&chat, Entity::Users).await,
            records(&chat, Entity::Groups).await,
        );
        let delivered = |record: &Record| Delivered {
            key: record.key(),
            content: None,
            of_stretch: false,
        };
        users.iter().chain(&groups).map(delivered).collect()
    });
    group.throughput(Throughput::Elements(chat.messages));
    group.bench_function("admission", |bencher| {
        bencher.iter(|| {
            let mut admission = Admission::new(Vec::new(), false, None);
            admission.settled_before(&known);
            admission.seal();
            for record in &messages {
                assert_eq!(
                    admission
                        .judge(record, &References::Require)
                        .expect("few ids stay in memory"),
                    Verdict::Send
                );
            }
        });
    });

    group.bench_function("window", |bencher| {
        bencher.iter_batched(|| messages.clone(), pass, BatchSize::PerIteration);
    });

    let pacer = Pacer::new(None, None);
    group.throughput(Throughput::Elements(1));
    group.bench_function("pacer", |bencher| {
        bencher.iter(|| runtime.block_on(async { black_box(pacer.permit().await) }));
    });
}

/// Sends all messages through a window, in as many requests as it takes.
fn pass(messages: Vec<Record>) -> usize {
    let (mut window, mut requests) = (Window::default(), 0);
    let mut in_flight: VecDeque<Vec<Record>> = VecDeque::with_capacity(IN_FLIGHT);
    let mut coming = messages.into_iter();
    loop {
        while window.has_room() {
            let Some(record) = coming.next() else { break };
            window.push(record);
        }
        if window.free() > 0 && in_flight.len() < IN_FLIGHT {
            requests += 1;
            in_flight.push_back(window.take(50, BYTES, IN_FLIGHT));
            continue;
        }
        let Some(answered) = in_flight.pop_front() else {
            return requests;
        };
        for record in answered {
            window.settled(record.lane);
        }
    }
}

criterion_group!(benches, batching);
criterion_main!(benches);
