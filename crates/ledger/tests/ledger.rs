//! The ledger through its own door.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use std::path::Path;

use chatferry_core::{Entity, FlowAccount, Key, Outcome, OutcomeKind, RecordId};
use chatferry_ledger::{Entry, LastRun, Ledger, Mark, RequestRow, Settled, Undelivered};

fn request(records: usize) -> RequestRow {
    RequestRow {
        entity: Entity::Messages,
        sent_ms: 1_700_000_000_123,
        took_ms: 20,
        records,
        bytes: 100,
        status: Some(200),
        result: "answered".into(),
    }
}

fn settled(id: &str) -> Settled {
    Settled {
        entity: Entity::Messages,
        id: RecordId::new(id),
        present: false,
        remote: Some("17".into()),
    }
}

fn answered(requests: Vec<(RequestRow, Vec<Settled>)>) -> Entry {
    Entry {
        requests,
        ..Entry::default()
    }
}

fn refused(id: &str) -> Undelivered {
    Undelivered {
        key: Key::of(Entity::Messages, id),
        flow: "messages".into(),
        entity: Entity::Messages,
        id: Some(id.into()),
        outcome: Outcome::Refused {
            code: "ERR_BAD_REQUEST".into(),
            message: "no".into(),
        },
        place: None,
        content: Some(u64::MAX),
    }
}

async fn keys(ledger: &mut Ledger) -> Vec<Key> {
    let mut keys = Vec::new();
    ledger
        .delivered_keys(|some| keys.extend_from_slice(some))
        .await
        .unwrap();
    keys
}

#[tokio::test]
async fn what_was_settled_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let mut ledger = Ledger::open(&path).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    ledger
        .settle(
            run,
            &Entry {
                requests: vec![(request(2), vec![settled("a"), settled("b")])],
                undelivered: vec![refused("c")],
                marks: Vec::new(),
            },
        )
        .await
        .unwrap();
    ledger.close().await.unwrap();

    let mut ledger = Ledger::open(&path).await.unwrap();
    assert_eq!(
        keys(&mut ledger).await,
        [
            Key::of(Entity::Messages, "a"),
            Key::of(Entity::Messages, "b")
        ]
    );
    let held = ledger.refused().await.unwrap();
    assert_eq!(
        (held.len(), held[0].key, held[0].content),
        (1, Key::of(Entity::Messages, "c"), Some(u64::MAX))
    );
    assert_eq!(
        ledger.last_run().await.unwrap(),
        Some(LastRun {
            last_sent_ms: Some(1_700_000_000_123),
            ended: false
        }),
        "a run that did not write down its end may have sent more"
    );
}

#[tokio::test]
async fn a_record_that_is_delivered_at_last_is_no_longer_undelivered() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    ledger
        .settle(
            run,
            &Entry {
                undelivered: vec![refused("a"), refused("a")],
                ..Entry::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(ledger.summary().await.unwrap().undelivered[0].rows, 1);
    ledger
        .settle(run, &answered(vec![(request(1), vec![settled("a")])]))
        .await
        .unwrap();
    let summary = ledger.summary().await.unwrap();
    assert!(summary.undelivered.is_empty());
    assert_eq!(summary.delivered[&Entity::Messages], (1, 0));
}

#[tokio::test]
async fn keys_come_back_whole_whatever_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let ids: Vec<String> = (0..25_000).map(|n| format!("m{n}")).collect();
    for some in ids.chunks(5_000) {
        let records = some.iter().map(|id| settled(id)).collect();
        ledger
            .settle(run, &answered(vec![(request(some.len()), records)]))
            .await
            .unwrap();
    }
    let expected: Vec<Key> = ids.iter().map(|id| Key::of(Entity::Messages, id)).collect();
    assert_eq!(keys(&mut ledger).await, expected);
}

#[tokio::test]
async fn a_second_writer_is_told_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let _first = Ledger::open(&path).await.unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert_eq!(
        error.reason,
        format!("process {} is writing it", std::process::id())
    );
    assert!(Ledger::read(&path).await.is_ok());
}

#[tokio::test]
async fn what_is_not_a_ledger_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    std::fs::write(
        &path,
        "not a database, but long enough to have a header of its own",
    )
    .unwrap();
    assert_eq!(
        Ledger::open(&path).await.unwrap_err().reason,
        "it is not a ledger, or it is damaged"
    );
    let missing = folder.path().join("nowhere").join("a.ledger");
    assert!(Ledger::open(&missing).await.unwrap_err().help.is_some());
    assert_eq!(
        Ledger::read(Path::new("/nonexistent"))
            .await
            .unwrap_err()
            .reason,
        "there is no such file"
    );
}

fn mark(position: &str) -> Mark {
    let mut before = FlowAccount::new("messages", Entity::Messages);
    before.read = 3;
    before.settled_before = 1;
    before.add(OutcomeKind::Imported, "", 1);
    before.add(OutcomeKind::Skipped, "system message", 1);
    Mark {
        flow: "messages".into(),
        begun_in: 1,
        position: position.into(),
        records: (0, 1),
        before,
    }
}

#[tokio::test]
async fn marks_are_of_the_last_run_if_it_was_interrupted_and_ran_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let moved = |position: &str| Entry {
        marks: vec![mark("Int64 1"), mark(position)],
        ..Entry::default()
    };
    ledger.settle(run, &moved("Int64 2")).await.unwrap();
    assert_eq!(ledger.marks(7).await.unwrap(), [mark("Int64 2")]);
    assert_eq!(ledger.marks(8).await.unwrap(), []);

    // The next run goes on with it, and is interrupted before it gets any further.
    let run = ledger.begin_run(2, 7).await.unwrap();
    let flows = ["messages".to_owned()];
    ledger.keep_marks(run, &flows).await.unwrap();
    assert_eq!(ledger.marks(7).await.unwrap(), [mark("Int64 2")]);

    ledger.end_run(run, 3, "complete", "{}").await.unwrap();
    assert_eq!(ledger.marks(7).await.unwrap(), []);
    let run = ledger.begin_run(4, 7).await.unwrap();
    ledger.keep_marks(run, &[]).await.unwrap();
    assert_eq!(ledger.marks(7).await.unwrap(), []);
}

#[tokio::test]
async fn keys_of_an_entity_are_read_between_two_records() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let all = ["a", "b", "c", "d"].map(settled).to_vec();
    let entry = answered(vec![(request(4), all)]);
    ledger.settle(run, &entry).await.unwrap();
    let mut found = Vec::new();
    let last = ledger.delivered_keys(|_| ()).await.unwrap();
    assert_eq!(last, 4);
    for entity in [Entity::Users, Entity::Messages] {
        let between =
            ledger.delivered_between(entity, (1, 3), |keys| found.extend_from_slice(keys));
        between.await.unwrap();
    }
    assert_eq!(found, ["b", "c"].map(|id| Key::of(Entity::Messages, id)));
}
