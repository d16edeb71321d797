//! What the quota is spent on, in requests and in slots: counts on a paused clock, no times.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatferry_core::{Entity, OutcomeKind, Record, References};
use chatferry_runtime::{Ended, FlowInput};
use tokio::time::Instant;

use crate::support::*;

/// A ratio of counts.
fn share(part: usize, whole: usize) -> f64 {
    let exact = |count: usize| f64::from(u32::try_from(count).unwrap());
    exact(part) / exact(whole)
}

#[tokio::test(start_paused = true)]
async fn when_one_request_in_twenty_fails_hardly_more_are_needed() {
    const RECORDS: i64 = 60_000;
    let needed = usize::try_from(RECORDS / 50).unwrap();
    for seed in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let settled: Arc<Mutex<HashSet<String>>> = Arc::default();
        // Requests that carried a record whose outcome was not known, and those records.
        let worth: Arc<Mutex<(usize, usize)>> = Arc::default();
        let (known, spent) = (Arc::clone(&settled), Arc::clone(&worth));
        let destination = Arc::new(Scripted {
            delivery: paced(60),
            latency: Duration::from_millis(400),
            ..Scripted::new(move |records, before, store| {
                let mut known = known.lock().unwrap();
                let open = |record: &&Record| !known.contains(record.id.as_str());
                let open = records.iter().filter(open).count();
                let mut spent = spent.lock().unwrap();
                spent.0 += usize::from(open > 0);
                spent.1 += open;
                let number = before as u64 + seed * 1_000_003;
                let strikes = drawn(number).is_multiple_of(20);
                let answered = match strikes {
                    true => strike(drawn(number + 7) % 9, records, store),
                    false => Ok(store.store_all(records)),
                };
                if let Ok(receipts) = &answered {
                    let ids = receipts
                        .iter()
                        .map(|receipt| receipt.id.as_str().to_owned());
                    known.extend(ids);
                }
                answered
            })
        });
        let finished = run(&folder, &destination, trusted(messages(RECORDS, 400))).await;
        assert!(
            matches!(finished.ended, Ended::Complete),
            "{:?}",
            finished.ended
        );
        let count = |kind| finished.account.count(kind);
        assert_eq!(
            count(OutcomeKind::Imported) + count(OutcomeKind::Present),
            RECORDS.unsigned_abs()
        );
        assert_eq!(destination.store.lock().unwrap().out_of_order(), 0);
        let sent = usize::try_from(finished.requests.sent).unwrap();
        let failed = usize::try_from(finished.requests.failed + finished.requests.throttled);
        assert!(share(failed.unwrap(), sent) > 0.03, "too few failed");
        let (worthy, open) = *worth.lock().unwrap();
        assert!(
            share(worthy, sent) >= 0.95 && share(open, sent * 50) >= 0.95,
            "of {sent} requests {worthy} carried {open} records that had to be sent"
        );
        assert!(share(sent, needed) <= 1.15, "{sent} requests for {needed}");
    }
}

/// A destination that is asked 60 times a minute and takes three seconds, and when each entity was
/// sent.
type Sent = Arc<Mutex<Vec<(Entity, Instant, usize)>>>;

fn slow() -> (Arc<Scripted>, Sent) {
    let sent = Sent::default();
    let times = Arc::clone(&sent);
    let destination = Scripted {
        delivery: paced(60),
        latency: Duration::from_secs(3),
        ..Scripted::new(move |records, _, store| {
            // The ledger is written in real time, and this clock jumps while it is: a run would seem
            // to wait for its disk for seconds.
            std::thread::sleep(Duration::from_millis(4));
            let mut times = times.lock().unwrap();
            times.push((records[0].entity, Instant::now(), records.len()));
            Ok(store.store_all(records))
        })
    };
    (Arc::new(destination), sent)
}

/// Rows of something that is no message, each in a lane of its own.
fn others(name: &str, count: i64) -> Vec<Row> {
    (0..count)
        .map(|number| (format!("{name}{number}"), "ann", number, 0))
        .collect()
}

fn whole_chat(messages: &[Row]) -> Vec<FlowInput> {
    let trusted = |entity, rows: &[Row]| flow(entity, References::Trust, rows);
    vec![
        trusted(Entity::Users, &others("u", 3_000)),
        trusted(Entity::Groups, &others("g", 1_500)),
        trusted(Entity::Members, &others("b", 3_000)),
        trusted(Entity::Messages, messages),
    ]
}

/// How many conversations a message's is chosen among, and how.
#[derive(Clone, Copy, Debug)]
enum Talk {
    /// In turns.
    InTurns(i64),
    /// By chance.
    ByChance(u64),
    /// By chance, and one message in ten in the same conversation.
    WithABusyOne(u64),
}

fn talk(count: i64, how: Talk) -> Vec<Row> {
    let conversation = |number: i64| {
        let chance = drawn(number.unsigned_abs());
        let lane = match how {
            Talk::InTurns(conversations) => number.rem_euclid(conversations).unsigned_abs(),
            Talk::ByChance(conversations) => chance % conversations,
            Talk::WithABusyOne(_) if chance.is_multiple_of(10) => 0,
            Talk::WithABusyOne(conversations) => chance / 10 % conversations,
        };
        i64::try_from(lane).unwrap()
    };
    (0..count)
        .map(|number| (format!("m{number}"), "ann", conversation(number), number))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_three_seconds_is_kept_busy() {
    for how in [
        Talk::InTurns(100),
        Talk::InTurns(1_000),
        Talk::ByChance(100),
        Talk::WithABusyOne(300),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (destination, sent) = slow();
        let finished = run(&folder, &destination, whole_chat(&talk(30_000, how))).await;
        assert!(
            matches!(finished.ended, Ended::Complete),
            "{:?}",
            finished.ended
        );
        assert_eq!(destination.store.lock().unwrap().out_of_order(), 0);
        let sent = sent.lock().unwrap();
        for entity in Entity::ALL {
            let of = sent.iter().filter(|(other, ..)| *other == entity);
            let of: Vec<(Instant, usize)> = of.map(|(_, at, size)| (*at, *size)).collect();
            let records: usize = of.iter().map(|(_, records)| records).sum();
            let (first, last) = (of[0].0, of[of.len() - 1].0);
            // The slot of the last request is one of those it needed. What is lost beyond the
            // pacer's margin is lost before the last ones, which wait for their conversations.
            let slots = (last - first).as_secs_f64() + 1.0;
            let used = f64::from(u32::try_from(records).unwrap()) / 50.0 / slots;
            assert!(used >= 0.99, "{how:?}: {} used {used:.4}", entity.name());
        }
        let times: Vec<Instant> = sent.iter().map(|(_, at, _)| *at).collect();
        for (place, time) in times.iter().enumerate() {
            let within = times[place..]
                .iter()
                .take_while(|other| **other - *time < Duration::from_secs(60));
            assert!(within.count() <= 60, "more than the limit in a minute");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_conversation_alone_goes_out_in_order_however_slow_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let (destination, _) = slow();
    let finished = run(
        &folder,
        &destination,
        trusted(talk(2_000, Talk::InTurns(1))),
    )
    .await;
    assert_eq!(finished.requests.sent, 40);
    let store = destination.store.lock().unwrap();
    assert_eq!((store.stored.len(), store.out_of_order()), (2_000, 0));
}
