//! How fast is a whole run when nothing limits it?
//!
//! From the first look at the JSON lines to the last outcome in the ledger, with the pace off:
//! `in process` hands each request to a simulator in the same process, as `rehearse` does; `over
//! loopback` sends it by HTTP to one on a thread of its own. Both share the machine with the
//! simulator, so its work counts too. The rate is messages; the users, rooms and members that go
//! before them are some percent more.
//!
//! What was measured, and where the time goes, is in `docs/performance.md`. The program itself is
//! measured so, with a million messages:
//!
//! ```text
//! generate-chat --messages 1000000 --seed 7 --out DIR
//! chatferry simulate --requests-per-minute off --retention off --ids-only &
//! /usr/bin/time -v chatferry run DIR
//! /usr/bin/time -v chatferry rehearse DIR
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatferry::in_process::InProcess;
use chatferry_benches::generate::Order;
use chatferry_benches::setup::{Loopback, Measured, messages, runtime, simulator};
use chatferry_cometchat::CometChat;
use chatferry_simulator::Simulator;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn whole_flow(criterion: &mut Criterion) {
    let (chat, runtime) = (Measured::new(messages(), Order::ByTime), runtime());
    let mut group = criterion.benchmark_group("whole flow");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(15));
    group.throughput(Throughput::ElementsAndBytes {
        elements: chat.messages,
        bytes: chat.bytes,
    });

    group.bench_function("in process", |bencher| {
        bencher.iter_custom(|times| {
            let run = || {
                let simulator = simulator();
                let transport = Arc::new(InProcess(simulator.clone()));
                let destination = CometChat::over(&chat.pipeline(None).destination, transport);
                let start = Instant::now();
                runtime.block_on(chat.import(Arc::new(destination)));
                let took = start.elapsed();
                assert_all_there(&simulator, &chat);
                took
            };
            (0..times).map(|_| run()).sum()
        });
    });

    group.bench_function("over loopback", |bencher| {
        bencher.iter_custom(|times| {
            let run = || {
                let simulator = simulator();
                let server = Loopback::serve(simulator.clone());
                let settings = chat.pipeline(Some(&server.url)).destination;
                let destination = CometChat::connect(&settings).expect("the settings are in order");
                let start = Instant::now();
                runtime.block_on(chat.import(Arc::new(destination)));
                let took = start.elapsed();
                assert_all_there(&simulator, &chat);
                took
            };
            (0..times).map(|_| run()).sum()
        });
    });
}

fn assert_all_there(simulator: &Simulator, chat: &Measured) {
    let counts = simulator.counts();
    assert_eq!(
        (counts.messages, counts.order_violations),
        (chat.messages, 0)
    );
}

criterion_group!(benches, whole_flow);
criterion_main!(benches);
