//! What stands for users that no flow delivers: before what refers to it, once, and counted apart.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatferry_core::{Entity, OutcomeKind, Receipt, Verdict};
use chatferry_ledger::Ledger;
use chatferry_runtime::Ended;

use crate::support::*;

/// So many messages in so many conversations, each by one of so many senders.
fn talk(count: i64, conversations: i64, senders: usize) -> Vec<Row> {
    let names: Vec<&'static str> = (0..senders)
        .map(|number| &*Box::leak(format!("u{number}").into_boxed_str()))
        .collect();
    let mut rows = messages(count, conversations);
    for (place, row) in rows.iter_mut().enumerate() {
        row.1 = names[place * 11 % senders];
    }
    rows
}

/// Takes everything, as long as who sent it is there. Tells which entities its requests carried.
fn strict() -> (Arc<Scripted>, Arc<Mutex<Vec<Entity>>>) {
    let carried: Arc<Mutex<Vec<Entity>>> = Arc::default();
    let entities = Arc::clone(&carried);
    let destination = Scripted::new(move |records, _, store| {
        entities.lock().unwrap().push(records[0].entity);
        let known = |id: &str| id == "ann" || store.has_id(id);
        for record in records {
            for sender in &record.references {
                assert!(known(sender.id.as_str()), "{} is not there", sender.id);
            }
        }
        Ok(store.store_all(records))
    });
    (Arc::new(destination), carried)
}

#[tokio::test(start_paused = true)]
async fn they_are_there_before_what_refers_to_them_and_cost_few_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (destination, carried) = strict();
    let rows = talk(6_000, 300, 120);
    let flows = || vec![flow(Entity::Messages, placeholders(), &rows)];
    let forecast = forecast(&folder, &destination, flows()).await;
    let finished = run(&folder, &destination, flows()).await;
    let account = &finished.account.flows[0];
    assert_eq!(account.count(OutcomeKind::Imported), 6_000);
    assert_eq!(account.placeholders, [(Entity::Users, 120)].into());
    assert!(finished.account.adds_up());
    assert_eq!(forecast.account.flows[0].placeholders, account.placeholders);
    assert_eq!(forecast.needs[&Entity::Users].records, 120);
    assert_eq!(forecast.needs[&Entity::Users].requests, 3);
    let carried = carried.lock().unwrap();
    let users = carried.iter().filter(|it| **it == Entity::Users).count();
    assert!(users <= 4, "{users} requests for 120 placeholders");
    assert!(carried.len() <= 126, "{} requests", carried.len());
    assert_eq!(destination.store.lock().unwrap().out_of_order(), 0);
}

#[tokio::test(start_paused = true)]
async fn later_runs_know_them_and_make_only_those_that_are_new() {
    let folder = tempfile::tempdir().unwrap();
    let (destination, _) = strict();
    for (messages, made) in [(500, 20), (500, 0), (1_000, 30)] {
        let senders = if messages == 500 { 20 } else { 50 };
        let rows = talk(messages, 30, senders);
        let flows = vec![flow(Entity::Messages, placeholders(), &rows)];
        let finished = run(&folder, &destination, flows).await;
        let account = &finished.account.flows[0];
        let placeholders: u64 = account.placeholders.values().sum();
        assert_eq!((placeholders, finished.account.undelivered()), (made, 0));
    }
    let store = destination.store.lock().unwrap();
    assert_eq!(store.stored.len(), 1_000 + 50);
}

#[tokio::test(start_paused = true)]
async fn what_refers_to_one_that_is_refused_is_blocked_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let refuse = Arc::new(Mutex::new(true));
    let refusing = Arc::clone(&refuse);
    let destination = Arc::new(Scripted {
        latency: Duration::from_millis(300),
        ..Scripted::new(move |records, _, store| {
            let refuses = *refusing.lock().unwrap();
            let receipt = |record| match refuses && record_is(record, "u3") {
                true => refused(record),
                false => store.store(record),
            };
            Ok(records.iter().map(receipt).collect())
        })
    });
    let rows = talk(700, 10, 7);
    let flows = || vec![flow(Entity::Messages, placeholders(), &rows)];
    let runs = [(100, 600, 6), (100, 0, 0)];
    for (blocked, imported, made) in runs {
        let finished = run(&folder, &destination, flows()).await;
        assert!(matches!(finished.ended, Ended::Complete));
        assert!(finished.account.adds_up());
        let account = &finished.account.flows[0];
        assert_eq!(account.count(OutcomeKind::Blocked), blocked);
        assert_eq!(account.count(OutcomeKind::Imported), imported);
        assert_eq!(account.placeholders.values().sum::<u64>(), made);
    }
    let ledger = &mut Ledger::read(&folder.path().join("a.ledger")).await.unwrap();
    let failures = ledger.failures(1).await.unwrap();
    let refused = failures
        .iter()
        .find(|it| it.examples[0].entity == Entity::Users);
    assert_eq!(refused.unwrap().examples[0].id.as_deref(), Some("u3"));

    *refuse.lock().unwrap() = false;
    let finished = run_again(&folder, &destination, flows()).await;
    let account = &finished.account.flows[0];
    assert_eq!(account.count(OutcomeKind::Imported), 100);
    assert_eq!(account.placeholders.values().sum::<u64>(), 1);
}

fn record_is(record: &chatferry_core::Record, id: &str) -> bool {
    record.id.as_str() == id
}

fn refused(record: &chatferry_core::Record) -> Receipt {
    Receipt {
        id: record.id.clone(),
        verdict: Verdict::Refused {
            code: "ERR_BAD_REQUEST".into(),
            message: "no".into(),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_cannot_have_one_has_the_record_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (destination, _) = strict();
    let mut rows = messages(3, 1);
    rows[1].1 = "nobody";
    let flows = vec![flow(Entity::Messages, placeholders(), &rows)];
    let finished = run(&folder, &destination, flows).await;
    let account = &finished.account.flows[0];
    assert_eq!(account.count(OutcomeKind::Rejected), 1);
    assert_eq!(account.count(OutcomeKind::Imported), 2);
}
