//! The ledger through its own door.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use std::path::Path;

use chatferry_core::{Entity, FlowAccount, Key, Lineage, Outcome, OutcomeKind, RecordId};
use chatferry_ledger::{
    Content, Differences, Differing, Entry, LastRun, Ledger, Mark, RequestRow, Settled, Undelivered,
};
use sqlx::{ConnectOptions, Connection};

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
        content: Content::of(u64::MAX - 1),
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
        .delivered_before(&[], |some| keys.extend(some.iter().map(|it| it.key)))
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
                ..Entry::default()
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
async fn records_of_a_stretch_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let all = ["a", "b", "c", "d"].map(settled).to_vec();
    let entry = answered(vec![(request(4), all)]);
    ledger.settle(run, &entry).await.unwrap();
    let stretches = [(Entity::Users, (0, 4)), (Entity::Messages, (1, 3))];
    let mut found = Vec::new();
    let read = ledger.delivered_before(&stretches, |some| found.extend_from_slice(some));
    assert_eq!(read.await.unwrap(), 4);
    found.retain(|it| it.of_stretch);
    let keys: Vec<Key> = found.iter().map(|it| it.key).collect();
    assert_eq!(keys, ["b", "c"].map(|id| Key::of(Entity::Messages, id)));
}

#[tokio::test]
async fn what_was_sent_of_a_record_is_known_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let hashes = [0, 1, u64::MAX, 0x8000_0000, 0x1234_5678_9abc_def0];
    let records = hashes.iter().enumerate().map(|(number, hash)| Settled {
        content: Content::of(*hash),
        ..settled(&number.to_string())
    });
    let entry = answered(vec![(request(5), records.collect())]);
    ledger.settle(run, &entry).await.unwrap();
    let mut found = Vec::new();
    let read = ledger.delivered_before(&[], |some| found.extend(some.iter().map(|it| it.content)));
    read.await.unwrap();
    assert_eq!(found, hashes.map(|hash| Some(Content::of(hash))));
}

#[tokio::test]
async fn records_that_differ_are_listed_until_a_later_run_finds_them_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let differing = |id: &str| Differing {
        key: Key::of(Entity::Messages, id),
        flow: "talk".into(),
        entity: Entity::Messages,
        id: id.into(),
    };
    let entry = |ids: &[&str]| Entry {
        differing: ids.iter().map(|id| differing(id)).collect(),
        ..Entry::default()
    };
    let run = ledger.begin_run(1, 7).await.unwrap();
    ledger.settle(run, &entry(&["a", "b", "c"])).await.unwrap();
    let run = ledger.begin_run(2, 7).await.unwrap();
    ledger.settle(run, &entry(&["b", "c"])).await.unwrap();
    ledger.forget_unmet("talk", run.number()).await.unwrap();
    let mut found = Vec::new();
    ledger.each_differing(|it| found.push(it)).await.unwrap();
    assert_eq!(found, ["b", "c"].map(differing));
    let differences = ledger.differences(1).await.unwrap();
    assert_eq!(
        differences,
        [Differences {
            flow: "talk".into(),
            entity: Entity::Messages,
            records: 2,
            examples: vec!["b".into()],
        }]
    );
}

#[tokio::test]
async fn a_ledger_of_the_version_before_goes_on_without_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let mut ledger = Ledger::open(&path).await.unwrap();
    let run = ledger.begin_run(1, 7).await.unwrap();
    let entry = answered(vec![(request(1), vec![settled("a")])]);
    ledger.settle(run, &entry).await.unwrap();
    ledger.close().await.unwrap();
    let old = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut old = old.connect().await.unwrap();
    let back = "ALTER TABLE delivered DROP COLUMN content; DROP TABLE differing; \
                DROP TABLE flows; PRAGMA user_version = 2;";
    sqlx::raw_sql(back).execute(&mut old).await.unwrap();
    old.close().await.unwrap();

    let hashes = async |mut ledger: Ledger| {
        let mut found = Vec::new();
        let read =
            ledger.delivered_before(&[], |some| found.extend(some.iter().map(|it| it.content)));
        read.await.unwrap();
        assert_eq!(ledger.differences(1).await.unwrap(), []);
        assert_eq!(ledger.lineages().await.unwrap(), []);
        ledger.close().await.unwrap();
        found
    };
    assert_eq!(hashes(Ledger::read(&path).await.unwrap()).await, [None]);
    let mut ledger = Ledger::open(&path).await.unwrap();
    let run = ledger.begin_run(2, 7).await.unwrap();
    let entry = answered(vec![(request(1), vec![settled("b")])]);
    ledger.settle(run, &entry).await.unwrap();
    let known = Some(Content::of(u64::MAX - 1));
    assert_eq!(hashes(ledger).await, [None, known]);
}

#[tokio::test]
async fn what_flows_come_from_is_kept_of_the_last_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let lineage = |flow: &str| Lineage {
        flow: flow.into(),
        entity: Entity::Users,
        reads: ["a.users".to_owned(), "a.roles".to_owned()].into(),
        id: "cometchat_id(id)".into(),
    };
    ledger
        .keep_lineages(&[lineage("users"), lineage("bots")])
        .await
        .unwrap();
    ledger.keep_lineages(&[lineage("users")]).await.unwrap();
    assert_eq!(ledger.lineages().await.unwrap(), [lineage("users")]);
}
