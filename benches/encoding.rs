//! How fast do shaped rows become requests, and answers receipts?
//!
//! `prepare` checks each row against every rule and writes its JSON; `body` puts 50 records
//! together to a request; `receipts` reads what the simulator answers to it and matches it to the
//! records by id. All three are the work of one core, per message.

use std::hint::black_box;

use arrow::array::RecordBatch;
use chatferry::in_process::InProcess;
use chatferry_benches::generate::Order;
use chatferry_benches::setup::{
    Measured, flow, messages, now, per_request, plan, records, runtime, shaped, simulator,
};
use chatferry_cometchat::{CometChat, Reply, Transport, request, response};
use chatferry_core::{Destination, Entity, Record};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn encoding(criterion: &mut Criterion) {
    let (chat, runtime) = (Measured::new(messages(), Order::ByTime), runtime());
    let mut group = criterion.benchmark_group("encoding");
    group.sample_size(10);
    group.throughput(Throughput::Elements(chat.messages));

    let pipeline = chat.pipeline(None);
    let destination = CometChat::offline(&pipeline.destination);
    let batches: Vec<RecordBatch> = runtime.block_on(async {
        shaped(&plan(chat.source(), flow(&pipeline, Entity::Messages)).await).await
    });
    group.bench_function("prepare", |bencher| {
        bencher.iter(|| {
            for rows in &batches {
                black_box(destination.prepare(Entity::Messages, rows, now()));
            }
        });
    });

    let messages = runtime.block_on(records(&chat, Entity::Messages));
    let requests: Vec<&[Record]> = messages.chunks(per_request(&chat).get()).collect();
    group.bench_function("body", |bencher| {
        bencher.iter(|| {
            for records in &requests {
                black_box(request::body(Entity::Messages, records));
            }
        });
    });

    let answers = runtime.block_on(answers(&chat, &requests));
    group.bench_function("receipts", |bencher| {
        bencher.iter(|| {
            for (records, reply) in requests.iter().zip(&answers) {
                let receipts = response::receipts(Entity::Messages, records, reply, now());
                assert_eq!(
                    receipts.expect("the simulator answers").len(),
                    records.len()
                );
            }
        });
    });
}

/// What the simulator answers to each request, once it has everything they refer to.
async fn answers(chat: &Measured, requests: &[&[Record]]) -> Vec<Reply> {
    let there = InProcess(simulator());
    let mut answers = Vec::with_capacity(requests.len());
    for entity in [Entity::Users, Entity::Groups] {
        for records in records(chat, entity).await.chunks(per_request(chat).get()) {
            let body = request::body(entity, records);
            there
                .post(request::path(entity), body)
                .await
                .expect("it answers");
        }
    }
    for records in requests {
        let body = request::body(Entity::Messages, records);
        answers.push(
            there
                .post(request::path(Entity::Messages), body)
                .await
                .expect("it answers"),
        );
    }
    answers
}

criterion_group!(benches, encoding);
criterion_main!(benches);
