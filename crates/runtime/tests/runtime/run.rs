//! Runs against a destination that does as it is told, on a paused clock.

use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{
    Entity, Failure, OutcomeKind, Record, References, SourceError, SourceErrorKind, Verdict,
};
use chatferry_runtime::{Ended, Finished, FlowInput};
use futures::StreamExt;

use crate::support::*;

fn count(finished: &Finished, kind: OutcomeKind) -> u64 {
    assert!(finished.account.adds_up(), "{:#?}", finished.account);
    finished.account.count(kind)
}

/// A number below ten that has no pattern, for the request of this number.
fn in_ten(request: usize) -> u64 {
    ((request as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % 10
}

fn is_poison(record: &Record) -> bool {
    record.id.as_str().ends_with("13")
}

/// Stores what is not poison, and fails if anything is.
fn poisoned(poison: impl Fn(&Record) -> bool + Send + Sync + 'static) -> Scripted {
    Scripted::new(move |records, _, store| {
        let (bad, good): (Vec<&Record>, Vec<&Record>) =
            records.iter().partition(|record| poison(record));
        let receipts = good.into_iter().map(|record| store.store(record)).collect();
        if bad.is_empty() {
            Ok(receipts)
        } else {
            Err(doubt(false))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn every_row_is_delivered_once_in_order_in_full_requests() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted {
        latency: Duration::from_millis(30),
        ..Scripted::willing()
    });
    let finished = run(&folder, &destination, trusted(messages(5_020, 300))).await;
    assert!(matches!(finished.ended, Ended::Complete));
    assert_eq!(count(&finished, OutcomeKind::Imported), 5_020);
    let store = destination.store.lock().unwrap();
    assert_eq!((store.stored.len(), store.out_of_order()), (5_020, 0));
    let sizes: Vec<usize> = store.requests.iter().map(|(_, records)| *records).collect();
    assert_eq!(
        sizes.iter().filter(|size| **size < 50).count(),
        1,
        "{sizes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_run_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    run(&folder, &destination, trusted(messages(1_000, 10))).await;
    let again = run(&folder, &destination, trusted(messages(1_000, 10))).await;
    assert_eq!(
        (again.requests.sent, again.account.flows[0].settled_before),
        (0, 1_000)
    );
    assert!(again.account.adds_up());
}

#[tokio::test(start_paused = true)]
async fn one_poisoned_record_costs_at_most_fourteen_requests_more() {
    for place in [0, 24, 25, 49, 777, 999] {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("m{place}");
        let destination = Arc::new(poisoned(move |record| record.id.as_str() == name));
        let finished = run(&folder, &destination, trusted(messages(1_000, 100))).await;
        assert_eq!(
            count(&finished, OutcomeKind::Imported) + count(&finished, OutcomeKind::Present),
            999
        );
        assert_eq!(count(&finished, OutcomeKind::Refused), 1);
        assert!(
            finished.requests.sent <= 20 + 14,
            "{} requests for poison at {place}",
            finished.requests.sent
        );
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_poisoned_records_take_none_of_the_others_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted {
        latency: Duration::from_millis(20),
        ..poisoned(is_poison)
    });
    let finished = run(&folder, &destination, trusted(messages(5_000, 40))).await;
    assert!(matches!(finished.ended, Ended::Complete));
    assert_eq!(count(&finished, OutcomeKind::Refused), 50);
    assert_eq!(destination.store.lock().unwrap().stored.len(), 4_950);
}

#[tokio::test(start_paused = true)]
async fn poison_that_everything_else_waits_for_is_found_too() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(poisoned(|record| record.id.as_str() == "m60"));
    let finished = run(&folder, &destination, trusted(messages(200, 1))).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "{:?}",
        finished.ended
    );
    assert_eq!(count(&finished, OutcomeKind::Refused), 1);
    let store = destination.store.lock().unwrap();
    assert_eq!((store.stored.len(), store.out_of_order()), (199, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_a_source_failed_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let flow = FlowInput {
        name: "messages".into(),
        entity: Entity::Messages,
        references: References::Trust,
        open: Box::new(|_| {
            let failure = SourceError::new(SourceErrorKind::Failed, "read a.gz", "it is cut off");
            futures::stream::iter([Ok(shaped(&messages(7_000, 20))), Err(failure)])
                .boxed()
                .into()
        }),
    };
    let finished = run(&folder, &destination, vec![flow]).await;
    assert!(
        matches!(finished.ended, Ended::Source(_)),
        "{:?}",
        finished.ended
    );
    assert_eq!(count(&finished, OutcomeKind::Imported), 7_000);
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_resolved_by_already_exists_and_keep_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted {
        latency: Duration::from_millis(20),
        ..Scripted::new(|records, before, store| {
            let receipts = store.store_all(records);
            if in_ten(before) == 0 {
                Err(doubt(false))
            } else {
                Ok(receipts)
            }
        })
    });
    let finished = run(&folder, &destination, trusted(messages(3_000, 25))).await;
    assert_eq!(count(&finished, OutcomeKind::Refused), 0);
    assert!(count(&finished, OutcomeKind::Present) > 0);
    let store = destination.store.lock().unwrap();
    assert_eq!((store.stored.len(), store.out_of_order()), (3_000, 0));
}

#[tokio::test(start_paused = true)]
async fn records_that_an_answer_leaves_out_are_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| {
        let mut receipts = store.store_all(records);
        if in_ten(before) < 4 {
            receipts.retain(|receipt| !receipt.id.as_str().ends_with('7'));
        }
        Ok(receipts)
    }));
    let finished = run(&folder, &destination, trusted(messages(1_000, 25))).await;
    assert_eq!(
        count(&finished, OutcomeKind::Imported) + count(&finished, OutcomeKind::Present),
        1_000
    );
}

#[tokio::test(start_paused = true)]
async fn a_throttle_holds_every_request_for_as_long_as_told() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| {
        if before == 3 {
            return Err(Failure::Throttled {
                wait: Some(Duration::from_secs(40)),
            });
        }
        Ok(store.store_all(records))
    }));
    let finished = run(&folder, &destination, trusted(messages(2_000, 25))).await;
    assert_eq!(
        (
            count(&finished, OutcomeKind::Imported),
            finished.requests.throttled
        ),
        (2_000, 1)
    );
    let store = destination.store.lock().unwrap();
    let times: Vec<_> = store.requests.iter().map(|(time, _)| *time).collect();
    let longest = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap();
    assert!(longest >= Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_the_run_and_blames_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| {
        if before >= 5 {
            Err(doubt(false))
        } else {
            Ok(store.store_all(records))
        }
    }));
    let finished = run(&folder, &destination, trusted(messages(2_000, 25))).await;
    assert!(
        matches!(finished.ended, Ended::Silent { .. }),
        "{:?}",
        finished.ended
    );
    assert_eq!(count(&finished, OutcomeKind::Refused), 0);
    drop(finished);

    let destination = Arc::new(Scripted {
        store: Arc::clone(&destination.store),
        ..Scripted::willing()
    });
    let finished = run(&folder, &destination, trusted(messages(2_000, 25))).await;
    assert!(matches!(finished.ended, Ended::Complete));
    assert_eq!(destination.store.lock().unwrap().stored.len(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted {
        delivery: paced(60),
        ..Scripted::willing()
    });
    let stopped = run_until(
        &folder,
        &destination,
        trusted(messages(2_000, 25)),
        Some(12),
    )
    .await;
    assert!(matches!(stopped.ended, Ended::Stopped));
    let delivered = count(&stopped, OutcomeKind::Imported);
    assert!((1..2_000).contains(&delivered));
    assert_eq!(
        stopped.account.flows[0].pending,
        stopped.account.flows[0].read - delivered
    );
    drop(stopped);

    let finished = run(&folder, &destination, trusted(messages(2_000, 25))).await;
    assert_eq!(
        (
            finished.account.flows[0].settled_before,
            count(&finished, OutcomeKind::Present)
        ),
        (delivered, 0)
    );
    assert_eq!(destination.store.lock().unwrap().stored.len(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn what_refers_to_a_refused_user_is_blocked_without_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, _, store| {
        Ok(records
            .iter()
            .map(|record| match record.id.as_str() {
                "bob" => chatferry_core::Receipt {
                    id: record.id.clone(),
                    verdict: Verdict::Refused {
                        code: "ERR_BAD_REQUEST".into(),
                        message: "no".into(),
                    },
                },
                _ => store.store(record),
            })
            .collect())
    }));
    let user = |id: &str| (id.to_owned(), "", 0, 0);
    let message = |n: i64, sender| (format!("m{n}"), sender, n, n);
    let flows = || {
        vec![
            flow(
                Entity::Users,
                References::Require,
                &[user("ann"), user("bob"), user("ann")],
            ),
            flow(
                Entity::Messages,
                References::Require,
                &[message(1, "ann"), message(2, "bob"), message(3, "eve")],
            ),
        ]
    };
    let finished = run(&folder, &destination, flows()).await;
    let messages = &finished.account.flows[1];
    assert_eq!(messages.count(OutcomeKind::Imported), 1);
    assert_eq!(
        messages.outcomes[&(OutcomeKind::Blocked, "sender".into())],
        1
    );
    assert_eq!(
        messages.outcomes[&(OutcomeKind::Rejected, "unknown-reference".into())],
        1
    );
    assert_eq!(
        finished.account.flows[0].outcomes[&(OutcomeKind::Rejected, "duplicate-id".into())],
        1
    );
    assert_eq!(
        (
            finished.requests.records,
            count(&finished, OutcomeKind::Refused)
        ),
        (3, 1)
    );
    drop(finished);

    let again = run(&folder, &destination, flows()).await;
    assert_eq!(
        again.requests.sent, 0,
        "a refused record is not sent again unless it changes"
    );
    assert_eq!(
        (
            again.account.count(OutcomeKind::Refused),
            again.account.count(OutcomeKind::Blocked)
        ),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn slow_answers_leave_requests_full_and_conversations_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted {
        delivery: paced(60),
        latency: Duration::from_secs(3),
        ..Scripted::willing()
    });
    let finished = run(&folder, &destination, trusted(messages(30_000, 400))).await;
    assert_eq!(count(&finished, OutcomeKind::Imported), 30_000);
    let store = destination.store.lock().unwrap();
    assert_eq!(store.out_of_order(), 0);
    assert!(finished.requests.records as f64 / finished.requests.sent as f64 >= 49.5);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_not_taken_for_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let flow = FlowInput {
        name: "messages".into(),
        entity: Entity::Messages,
        references: References::Trust,
        open: Box::new(|_| {
            let first = futures::stream::iter([Ok(shaped(&messages(10, 2)))]);
            first
                .chain(futures::stream::once(async {
                    panic!("a connector has a fault")
                }))
                .boxed()
                .into()
        }),
    };
    let finished = run(&folder, &destination, vec![flow]).await;
    assert!(
        matches!(finished.ended, Ended::Source(_)),
        "{:?}",
        finished.ended
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_not_by_time_is_named_before_it_does_harm() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let mut rows = messages(10, 2);
    rows.swap(3, 4);
    let finished = run(&folder, &destination, trusted(rows)).await;
    let Ended::Source(error) = &finished.ended else {
        panic!("{:?}", finished.ended)
    };
    assert!(
        error
            .to_string()
            .contains("`order_by` gives the message m3"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn flows_that_make_one_entity_are_merged_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let (even, odd): (Vec<Row>, Vec<Row>) = messages(4_000, 3)
        .into_iter()
        .partition(|row| row.3 % 2 == 0);
    let flows = vec![
        flow(Entity::Messages, References::Trust, &even),
        flow(Entity::Messages, References::Trust, &odd),
    ];
    let finished = run(&folder, &destination, flows).await;
    assert_eq!(count(&finished, OutcomeKind::Imported), 4_000);
    assert_eq!(destination.store.lock().unwrap().out_of_order(), 0);
}
