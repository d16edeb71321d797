//! How fast does the simulator answer?
//!
//! No run against it can be faster, so this is the ceiling of `rehearse` and of the whole flow.
//! The bodies of all requests are ready; each is validated, stored and answered, in process, on
//! one core.

use bytes::Bytes;
use chatferry_benches::generate::Order;
use chatferry_benches::setup::{
    Measured, messages, per_request, records, request, runtime, simulator,
};
use chatferry_cometchat::request::{body, path};
use chatferry_core::Entity;
use chatferry_simulator::Simulator;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn answering(criterion: &mut Criterion) {
    let (chat, runtime) = (Measured::new(messages(), Order::ByTime), runtime());
    let bodies = |entity| -> Vec<Bytes> {
        let records = runtime.block_on(records(&chat, entity));
        records
            .chunks(per_request(&chat).get())
            .map(|records| body(entity, records))
            .collect()
    };
    let before = [
        (Entity::Users, bodies(Entity::Users)),
        (Entity::Groups, bodies(Entity::Groups)),
    ];
    let messages = bodies(Entity::Messages);
    let there = || {
        let simulator = simulator();
        for (entity, bodies) in &before {
            runtime.block_on(answer(&simulator, *entity, bodies));
        }
        simulator
    };
    let mut group = criterion.benchmark_group("simulator");
    group.sample_size(10);
    let bytes = messages.iter().map(|body| body.len() as u64).sum();
    group.throughput(Throughput::ElementsAndBytes {
        elements: chat.messages,
        bytes,
    });
    group.bench_function("answer", |bencher| {
        bencher.iter_batched(
            there,
            |simulator| {
                runtime.block_on(answer(&simulator, Entity::Messages, &messages));
                assert_eq!(simulator.counts().messages, chat.messages);
                simulator
            },
            BatchSize::PerIteration,
        );
    });
}

async fn answer(simulator: &Simulator, entity: Entity, bodies: &[Bytes]) {
    for body in bodies {
        let answer = simulator.answer(request(path(entity), body.clone())).await;
        assert_eq!(answer.expect("nothing is dropped").status(), 200);
    }
}

criterion_group!(benches, answering);
criterion_main!(benches);
