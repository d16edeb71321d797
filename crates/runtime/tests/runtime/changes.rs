//! A flow that knows which of its rows have changed is only asked for those.

use std::sync::{Arc, Mutex};

use chatferry_core::{Entity, OutcomeKind, Receipt, Record, References, Shaped, Verdict};
use chatferry_ledger::Ledger;
use chatferry_runtime::{Again, Ended, Finished, FlowInput, Run};

use crate::support::{Quiet, Row, Scripted, flow_of, run, run_until, shaped};

/// A flow whose rows change at their times, and what it was asked for.
fn flow(entity: Entity, rows: Vec<Row>, asked: &Arc<Mutex<Vec<Option<String>>>>) -> FlowInput {
    let asked = Arc::clone(asked);
    flow_of(entity, References::Require, move |since| {
        asked.lock().unwrap().push(since.changed.clone());
        let from = since
            .changed
            .as_deref()
            .map_or(0, |from| from.parse().unwrap());
        let rows: Vec<Row> = rows.iter().filter(|row| row.3 >= from).cloned().collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let last = rows.iter().map(|row| row.3).max().unwrap();
        vec![Shaped {
            changed: Some(last.to_string()),
            ..shaped(&rows)
        }]
    })
}

fn user(id: &str, at: i64) -> Row {
    (id.to_owned(), "", 0, at)
}

fn message(id: &str, sender: &'static str, at: i64) -> Row {
    (id.to_owned(), sender, 1, at)
}

/// A chat of two flows that remembers what they were asked for.
#[derive(Default)]
struct Chat {
    users: Vec<Row>,
    messages: Vec<Row>,
    asked: [Arc<Mutex<Vec<Option<String>>>>; 2],
}

impl Chat {
    fn flows(&self) -> Vec<FlowInput> {
        vec![
            flow(Entity::Users, self.users.clone(), &self.asked[0]),
            flow(Entity::Messages, self.messages.clone(), &self.asked[1]),
        ]
    }

    fn asked(&self) -> [Option<String>; 2] {
        let last = |asked: &Arc<Mutex<Vec<Option<String>>>>| {
            asked.lock().unwrap().last().cloned().flatten()
        };
        [last(&self.asked[0]), last(&self.asked[1])]
    }
}

/// How many rows of each flow were read, settled before, imported and blocked. Lets go of the ledger.
fn told(finished: Finished) -> Vec<[u64; 4]> {
    let Finished {
        account, ledger, ..
    } = finished;
    drop(ledger);
    let flows = account.flows.into_iter();
    flows
        .map(|flow| {
            let imported = flow.count(OutcomeKind::Imported);
            let blocked = flow.count(OutcomeKind::Blocked);
            [flow.read, flow.settled_before, imported, blocked]
        })
        .collect()
}

#[tokio::test]
async fn the_next_run_reads_from_the_last_change_on_ties_and_all() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let mut chat = Chat {
        users: vec![user("ann", 3), user("bob", 5)],
        messages: vec![message("1", "ann", 7), message("2", "bob", 9)],
        ..Chat::default()
    };
    let first = told(run(&folder, &destination, chat.flows()).await);
    assert_eq!(first, [[2, 0, 2, 0], [2, 0, 2, 0]]);
    assert_eq!(chat.asked(), [None, None]);

    // One comes at the very time of the last, and one after it, from a user of long ago.
    chat.messages.push(message("3", "bob", 9));
    chat.messages.push(message("4", "ann", 11));
    let second = told(run(&folder, &destination, chat.flows()).await);
    assert_eq!(second, [[1, 1, 0, 0], [3, 1, 2, 0]]);
    assert_eq!(chat.asked(), [Some("5".into()), Some("9".into())]);

    run(&folder, &destination, chat.flows()).await;
    assert_eq!(chat.asked(), [Some("5".into()), Some("11".into())]);
    assert_eq!(destination.store.lock().unwrap().stored.len(), 6);
}

#[tokio::test]
async fn everything_is_read_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let chat = Chat {
        users: vec![user("ann", 3), user("bob", 5)],
        ..Chat::default()
    };
    let destination = Arc::new(Scripted::willing());
    run(&folder, &destination, chat.flows()).await;
    let (_stop, stopped) = chatferry_runtime::stop();
    let run = Run {
        destination,
        flows: chat.flows(),
        ledger: Ledger::open(&folder.path().join("a.ledger")).await.unwrap(),
        pipeline: 1,
        again: Again::Everything,
        spill: None,
        now_ms: Arc::new(|| 1_700_000_000_000),
    };
    let finished = run.go(stopped, &mut Quiet(None)).await.unwrap();
    assert_eq!(told(finished)[0], [2, 2, 0, 0]);
}

#[tokio::test]
async fn an_interrupted_run_has_not_read_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let many = (0..3_000).map(|at| message(&at.to_string(), "ann", at));
    let chat = Chat {
        users: vec![user("ann", 3)],
        messages: many.collect(),
        ..Chat::default()
    };
    let stopped = run_until(&folder, &destination, chat.flows(), Some(4)).await;
    assert!(matches!(stopped.ended, Ended::Stopped));
    drop(stopped);
    let finished = told(run(&folder, &destination, chat.flows()).await);
    assert_eq!(chat.asked(), [Some("3".into()), None]);
    assert_eq!(finished[1][0], 3_000);
}

#[tokio::test]
async fn what_waits_for_somebody_is_read_again_and_who_was_refused_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let destination = |refused: &'static str| {
        let receipt = move |record: &Record| record.id.as_str() == refused;
        Arc::new(Scripted::new(move |records, _, store| {
            let refusal = Verdict::Refused {
                code: "ERR_NO".into(),
                message: "no".into(),
            };
            let receipts = records.iter().map(|record| match receipt(record) {
                true => Receipt {
                    id: record.id.clone(),
                    verdict: refusal.clone(),
                },
                false => store.store(record),
            });
            Ok(receipts.collect())
        }))
    };
    let chat = Chat {
        users: vec![user("ann", 3), user("bob", 5)],
        messages: vec![message("1", "ann", 7), message("2", "bob", 9)],
        ..Chat::default()
    };
    let strict = destination("ann");
    let first = told(run(&folder, &strict, chat.flows()).await);
    assert_eq!(first, [[2, 0, 1, 0], [2, 0, 1, 1]]);

    // `ann` is not read again, and her message still waits for her.
    let second = told(run(&folder, &strict, chat.flows()).await);
    assert_eq!(chat.asked(), [Some("5".into()), None]);
    assert_eq!(second, [[1, 1, 0, 0], [2, 1, 0, 1]]);
}

#[tokio::test]
async fn a_message_from_somebody_who_came_while_the_run_was_reading_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let mut chat = Chat {
        users: vec![user("ann", 3)],
        messages: vec![message("1", "ann", 7), message("2", "bob", 9)],
        ..Chat::default()
    };
    run(&folder, &destination, chat.flows()).await;
    chat.users.push(user("bob", 8));
    run(&folder, &destination, chat.flows()).await;
    assert_eq!(chat.asked(), [Some("3".into()), None]);
    assert_eq!(destination.store.lock().unwrap().stored.len(), 4);
}

#[tokio::test]
async fn what_comes_before_where_an_interrupted_run_is_gone_on_with_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let rows = (0..3_000).map(|at| message(&at.to_string(), "ann", at));
    let rows: Arc<Mutex<Vec<Row>>> = Arc::new(Mutex::new(rows.collect()));
    let asked: Arc<Mutex<Vec<[Option<String>; 2]>>> = Arc::default();
    let flows = || {
        let (rows, asked) = (Arc::clone(&rows), Arc::clone(&asked));
        let read = move |since: &chatferry_core::Since| {
            let told = [since.position.clone(), since.changed.clone()];
            let from = told.iter().flatten().map(|it| it.parse().unwrap()).max();
            asked.lock().unwrap().push(told);
            let mut rows = rows.lock().unwrap().clone();
            rows.retain(|row| row.3 >= from.unwrap_or(0));
            rows.sort_by_key(|row| row.3);
            let batches = rows.chunks(100).map(|rows| {
                let ends = [&rows[0], &rows[rows.len() - 1]].map(|row| row.3.to_string());
                Shaped {
                    changed: Some(ends[1].clone()),
                    positions: Some(ends),
                    ..shaped(rows)
                }
            });
            batches.collect()
        };
        vec![flow_of(Entity::Messages, References::Trust, read)]
    };
    let last_asked = || asked.lock().unwrap().last().cloned().unwrap();

    let stopped = run_until(&folder, &destination, flows(), Some(20)).await;
    assert!(matches!(stopped.ended, Ended::Stopped));
    drop(stopped);
    // It came while nobody looked, and says that it is old.
    rows.lock().unwrap().push(message("late", "ann", 1));
    run(&folder, &destination, flows()).await;
    let [position, changed] = last_asked();
    assert!(position.is_some(), "the run was gone on with");
    assert_eq!(changed, None);
    assert!(!destination.store.lock().unwrap().has_id("late"));

    run(&folder, &destination, flows()).await;
    assert_eq!(last_asked(), [None, None]);
    assert!(destination.store.lock().unwrap().has_id("late"));
    run(&folder, &destination, flows()).await;
    assert_eq!(last_asked(), [None, Some("2999".into())]);
}
