//! What failures come to that are harder to tell apart than one request that fails.

use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{
    Entity, Failure, MessageOrder, OutcomeKind, Receipt, Record, References, Verdict,
};
use chatferry_runtime::{Ended, Finished, FlowInput};
use futures::StreamExt;
use tokio::time::Instant;

use crate::support::*;

fn count(finished: &Finished, kind: OutcomeKind) -> u64 {
    assert!(finished.account.adds_up(), "{:#?}", finished.account);
    finished.account.count(kind)
}

fn delivered(finished: &Finished) -> u64 {
    count(finished, OutcomeKind::Imported) + count(finished, OutcomeKind::Present)
}

fn failed(record: &Record) -> Receipt {
    Receipt {
        id: record.id.clone(),
        verdict: Verdict::Doubt {
            code: "ERR_OPERATION_FAILED".into(),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_told_record_by_record_refuses_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let destination = Arc::new(Scripted {
        delivery: paced(60),
        ..Scripted::new(move |records, _, store| {
            let minutes = start.elapsed().as_secs() / 60;
            if minutes == 1 {
                return Ok(records.iter().map(failed).collect());
            }
            Ok(store.store_all(records))
        })
    });
    let finished = run(&folder, &destination, trusted(messages(6_000, 25))).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "{:?}",
        finished.ended
    );
    assert_eq!(count(&finished, OutcomeKind::Imported), 6_000);
    assert_eq!(destination.store.lock().unwrap().out_of_order(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_record_on_which_the_operation_always_fails_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, _, store| {
        let answer = |record: &Record| match record.id.as_str() {
            "m77" => failed(record),
            _ => store.store(record),
        };
        Ok(records.iter().map(answer).collect())
    }));
    let finished = run(&folder, &destination, trusted(messages(1_000, 1))).await;
    assert_eq!(
        (
            count(&finished, OutcomeKind::Imported),
            count(&finished, OutcomeKind::Refused)
        ),
        (999, 1)
    );
    assert!(
        finished.requests.sent <= 20 + 14,
        "{} requests",
        finished.requests.sent
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_says_anything_ends_the_run_and_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| {
        let receipts = store.store_all(records);
        Ok(if before < 3 { receipts } else { Vec::new() })
    }));
    let finished = run(&folder, &destination, trusted(messages(1_000, 25))).await;
    assert!(
        matches!(finished.ended, Ended::Silent { .. }),
        "{:?}",
        finished.ended
    );
    assert_eq!(count(&finished, OutcomeKind::Refused), 0);
}

/// A run over messages one of which is poison, and which was the last thing that a run before it
/// came to.
#[tokio::test(start_paused = true)]
async fn poison_that_alone_is_left_over_by_an_earlier_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rows = messages(50, 1);
    let willing = Arc::new(Scripted::willing());
    run(&folder, &willing, trusted(rows[..49].to_vec())).await;
    let destination = Arc::new(Scripted {
        store: Arc::clone(&willing.store),
        ..Scripted::new(|records, _, store| match records {
            [only] if only.id.as_str() == "m49" => Err(doubt(false)),
            _ => Ok(store.store_all(records)),
        })
    });
    let finished = run(&folder, &destination, trusted(rows)).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "{:?}",
        finished.ended
    );
    assert_eq!(count(&finished, OutcomeKind::Refused), 1);
}

#[tokio::test(start_paused = true)]
async fn poison_that_a_gateway_chokes_on_is_found_though_everything_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, _, store| {
        let poison = |record: &Record| record.id.as_str() == "m130";
        if records.iter().any(poison) {
            return Err(doubt(true));
        }
        Ok(store.store_all(records))
    }));
    let finished = run(&folder, &destination, trusted(messages(300, 1))).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "{:?}",
        finished.ended
    );
    assert_eq!(
        (delivered(&finished), count(&finished, OutcomeKind::Refused)),
        (299, 1)
    );
    assert_eq!(destination.store.lock().unwrap().out_of_order(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_too_large_is_not_tried_again_with_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, _, store| {
        let bytes: usize = records.iter().map(|record| record.json.len()).sum();
        if bytes > 400 {
            return Err(Failure::TooLarge);
        }
        Ok(store.store_all(records))
    }));
    let finished = run(&folder, &destination, trusted(messages(3_000, 100))).await;
    assert_eq!(count(&finished, OutcomeKind::Imported), 3_000);
    // The first eight are on their way before the first is answered.
    assert!(finished.requests.failed <= 16, "{:?}", finished.requests);
}

#[tokio::test(start_paused = true)]
async fn a_long_silence_before_the_first_failure_is_none_of_the_destinations() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| match before {
        0 => Err(doubt(false)),
        _ => Ok(store.store_all(records)),
    }));
    let sorting = || {
        let slow = async {
            tokio::time::sleep(Duration::from_secs(1_800)).await;
            Ok(shaped(&messages(100, 3)))
        };
        futures::stream::once(slow).boxed()
    };
    let flow = FlowInput {
        name: "messages".into(),
        entity: Entity::Messages,
        references: References::Trust,
        open: Box::new(move |_| Some(sorting())),
    };
    let finished = run(&folder, &destination, vec![flow]).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "{:?}",
        finished.ended
    );
    assert_eq!(delivered(&finished), 100);
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_stays_one_at_a_time_when_requests_fail() {
    let folder = tempfile::tempdir().unwrap();
    let mut destination = Scripted::new(|records, before, store| match before % 7 {
        3 => Err(doubt(false)),
        _ => Ok(store.store_all(records)),
    });
    destination.delivery.message_order = MessageOrder::Strict;
    let destination = Arc::new(destination);
    let finished = run(&folder, &destination, trusted(messages(3_000, 100))).await;
    assert_eq!(count(&finished, OutcomeKind::Imported), 3_000);
    let store = destination.store.lock().unwrap();
    let in_order = store.stored.iter().map(|(_, _, time)| *time).is_sorted();
    assert!(in_order, "across conversations too");
}

#[tokio::test(start_paused = true)]
async fn an_outage_gathers_no_heap_of_requests_and_takes_few_apart() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let destination = Arc::new(Scripted {
        delivery: paced(600),
        latency: Duration::from_millis(300),
        ..Scripted::new(move |records, _, store| {
            if (10..300).contains(&start.elapsed().as_secs()) {
                return Err(doubt(false));
            }
            Ok(store.store_all(records))
        })
    });
    let finished = run(&folder, &destination, trusted(messages(60_000, 400))).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "{:?}",
        finished.ended
    );
    assert_eq!(delivered(&finished), 60_000);
    assert_eq!(count(&finished, OutcomeKind::Refused), 0);
    let store = destination.store.lock().unwrap();
    assert_eq!(store.out_of_order(), 0);
    assert!(
        finished.requests.sent - finished.requests.failed <= 60_000 / 50 + 20,
        "{:?}",
        finished.requests
    );
}

#[tokio::test(start_paused = true)]
async fn a_throttle_of_a_sign_of_life_holds_everybody_too() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| {
        let is_sign = records.len() == 1 && store.has(&records[0]);
        match before {
            // A probe, then everything, as long as it is told to wait.
            _ if is_sign && before < 12 => Err(Failure::Throttled {
                wait: Some(Duration::from_secs(100)),
            }),
            2..=8 => Err(doubt(false)),
            _ => Ok(store.store_all(records)),
        }
    }));
    let finished = run(&folder, &destination, trusted(messages(500, 1))).await;
    assert_eq!(delivered(&finished), 500);
    assert!(finished.requests.throttled > 0, "{:?}", finished.requests);
    let store = destination.store.lock().unwrap();
    let throttled = store.requests.windows(2).filter(|pair| {
        let pause = pair[1].0 - pair[0].0;
        pause >= Duration::from_secs(100)
    });
    assert_eq!(throttled.count() as u64, finished.requests.throttled);
}

#[tokio::test(start_paused = true)]
async fn throttles_that_tell_no_time_are_waited_out_longer_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::new(|records, before, store| match before {
        1..=4 => Err(Failure::Throttled { wait: None }),
        _ => Ok(store.store_all(records)),
    }));
    run(&folder, &destination, trusted(messages(500, 1))).await;
    let store = destination.store.lock().unwrap();
    let times: Vec<Instant> = store.requests.iter().map(|(time, _)| *time).collect();
    let pauses: Vec<u64> = times[1..7]
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect();
    assert_eq!(pauses, [60, 120, 240, 300, 0]);
}
