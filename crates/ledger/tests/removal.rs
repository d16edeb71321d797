//! What was taken away again leaves the ledger, and what is left alone is forgotten.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use chatferry_core::{Entity, RecordId};
use chatferry_ledger::{Content, Entry, Holdings, Ledger, Left, RequestRow, Settled};

const NUMBERED: [Entity; 1] = [Entity::Messages];

fn settled(entity: Entity, id: &str, present: bool, remote: Option<&str>) -> Settled {
    Settled {
        entity,
        id: RecordId::new(id),
        present,
        remote: remote.map(Into::into),
        content: Content::of(7),
    }
}

/// A ledger of two users, one of whom was there before, and four messages.
async fn ledger(folder: &tempfile::TempDir) -> Ledger {
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let request = RequestRow {
        entity: Entity::Users,
        sent_ms: 1,
        took_ms: 1,
        records: 2,
        bytes: 1,
        status: Some(200),
        result: "answered".into(),
    };
    let records = vec![
        settled(Entity::Users, "ann", false, None),
        settled(Entity::Users, "bob", true, None),
        settled(Entity::Messages, "m1", false, Some("17")),
        settled(Entity::Messages, "m2", false, Some("007")),
        settled(Entity::Messages, "m3", false, None),
        settled(Entity::Messages, "m4", true, None),
    ];
    let entry = Entry {
        requests: vec![(request, records)],
        ..Entry::default()
    };
    ledger.settle(run, &entry).await.unwrap();
    ledger
}

async fn keys(ledger: &mut Ledger) -> usize {
    let mut count = 0;
    ledger
        .delivered_before(&[], |keys| count += keys.len())
        .await
        .unwrap();
    count
}

#[tokio::test]
async fn what_can_be_taken_away_is_told_apart_from_what_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let holdings = ledger.holdings(&NUMBERED).await.unwrap();
    let users = Holdings {
        imported: 1,
        unnumbered: 0,
        present: 1,
    };
    let messages = Holdings {
        imported: 2,
        unnumbered: 1,
        present: 1,
    };
    assert_eq!(holdings[&Entity::Users], users);
    assert_eq!(holdings[&Entity::Messages], messages);
}

#[tokio::test]
async fn numbers_come_back_as_they_were_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let messages = ledger.imported(Entity::Messages, 0, 10).await.unwrap();
    let told: Vec<_> = messages
        .iter()
        .map(|it| (it.id.as_str(), it.number.as_deref()))
        .collect();
    assert_eq!(
        told,
        [("m1", Some("17")), ("m2", Some("007")), ("m3", None)]
    );
    let after = ledger
        .imported(Entity::Messages, messages[0].record, 1)
        .await
        .unwrap();
    assert_eq!(after[0].id.as_str(), "m2");
}

#[tokio::test]
async fn a_later_run_sends_again_what_was_taken_away_or_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    ledger.begin_removal(&NUMBERED, 5).await.unwrap();
    assert_eq!(
        keys(&mut ledger).await,
        3,
        "two were there before, one has no number"
    );
    let messages = ledger.imported(Entity::Messages, 0, 10).await.unwrap();
    let gone = [
        (messages[0].record, Left::Removed),
        (messages[1].record, Left::Absent),
    ];
    ledger.removed(&gone, 6).await.unwrap();
    assert_eq!(keys(&mut ledger).await, 1);
    assert!(
        ledger
            .imported(Entity::Messages, 0, 10)
            .await
            .unwrap()
            .is_empty()
    );
    ledger.close().await.unwrap();

    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    assert_eq!(keys(&mut ledger).await, 1, "and that is kept");
    let removed = ledger.summary().await.unwrap().removed;
    assert_eq!(removed[&Entity::Messages], 2);
    assert_eq!(
        removed.get(&Entity::Users),
        None,
        "what is forgotten was not taken away"
    );
}
