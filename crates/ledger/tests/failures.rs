//! What was not delivered, row by row and by reason.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use std::sync::Arc;

use chatferry_core::{Entity, Key, Outcome, OutcomeKind, Place};
use chatferry_ledger::{Entry, Ledger, Undelivered};

fn rejected(entity: Entity, id: Option<&str>, rule: &'static str, line: u64) -> Undelivered {
    let place = Place {
        file: Arc::from("users.jsonl"),
        line: Some(line),
        byte: None,
    };
    Undelivered {
        key: id.map_or(Key(line), |id| Key::of(entity, id)),
        flow: entity.name().to_owned(),
        entity,
        id: id.map(str::to_owned),
        outcome: Outcome::Rejected {
            rule: rule.into(),
            detail: format!("line {line}"),
        },
        place: Some(place),
        content: None,
    }
}

#[tokio::test]
async fn rows_are_told_by_reason_and_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let mut ledger = Ledger::open(&path).await.unwrap();
    let run = ledger.begin_run(0, 1).await.unwrap();
    let mut undelivered: Vec<Undelivered> = (0..2_500)
        .map(|line| rejected(Entity::Messages, None, "malformed", line))
        .collect();
    undelivered.push(rejected(Entity::Users, Some("b"), "id-length", 9_001));
    undelivered.push(rejected(Entity::Users, Some("a"), "id-length", 9_002));
    undelivered.push(rejected(Entity::Users, Some("c"), "url", 9_003));
    let entry = Entry {
        undelivered,
        ..Entry::default()
    };
    ledger.settle(run, &entry).await.unwrap();

    let failures = ledger.failures(2).await.unwrap();
    let told: Vec<_> = failures
        .iter()
        .map(|it| {
            let ids = it.examples.iter().map(|it| it.id.as_deref());
            let ids: Vec<_> = ids.flatten().collect();
            (it.examples[0].reason.as_str(), it.rows, ids)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("id-length", 2, vec!["a", "b"]),
            ("url", 1, vec!["c"]),
            ("malformed", 2_500, vec![]),
        ]
    );

    let mut rows = Vec::new();
    ledger.each_failure(|row| rows.push(row)).await.unwrap();
    assert_eq!(rows.len(), 2_503);
    assert_eq!(rows[0].place.as_deref(), Some("users.jsonl, line 9002"));
    assert_eq!(ledger.failed_keys().await.unwrap().len(), 2_503);
    let one = ledger.failed(Key::of(Entity::Users, "c")).await.unwrap();
    assert_eq!(one.unwrap().outcome, OutcomeKind::Rejected);
    let none = ledger.failed(Key::of(Entity::Users, "z")).await.unwrap();
    assert_eq!(none, None);
}
