//! What a verification knows is kept beside the ledger, and found again.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use chatferry_core::{Entity, Key, RecordId, Told};
use chatferry_ledger::{
    Content, Difference, Entry, Extra, Findings, Ledger, Read, Reconciliation, RequestRow, Settled,
    ShapedRecord, Stage, Target,
};

const NUMBERED: [Entity; 1] = [Entity::Messages];
const LISTED: [(Entity, Option<Entity>); 4] = [
    (Entity::Users, None),
    (Entity::Groups, None),
    (Entity::Members, Some(Entity::Groups)),
    (Entity::Messages, None),
];

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
    let settled = |entity, id: &str, remote: Option<&str>| Settled {
        entity,
        id: RecordId::new(id),
        present: remote.is_none(),
        remote: remote.map(Into::into),
        content: Content::of(7),
    };
    let records = vec![
        settled(Entity::Users, "ann", None),
        settled(Entity::Groups, "g1", None),
        settled(Entity::Messages, "m1", Some("11")),
        settled(Entity::Messages, "m2", Some("12")),
        settled(Entity::Messages, "m3", None),
        settled(Entity::Messages, "m4", None),
    ];
    let entry = Entry {
        requests: vec![(request, records)],
        ..Entry::default()
    };
    ledger.settle(run, &entry).await.unwrap();
    ledger
}

fn shaped(entity: Entity, id: &str, part_of: &str, digests: &[u8]) -> ShapedRecord {
    ShapedRecord {
        entity,
        key: Key::of(entity, id),
        part_of: Some(part_of.to_owned()),
        likeness: (entity == Entity::Messages).then_some(77),
        digests: digests.to_vec(),
        brings: vec![Key::of(Entity::Users, "brought")],
    }
}

/// A verification of that ledger, in which m1, m3 and a message that was never delivered are shaped,
/// and one member of a group of which the ledger knows nothing.
async fn begun(ledger: &mut Ledger) -> Reconciliation {
    let (mut begun, resumed) = Reconciliation::open(ledger, "this", false).await.unwrap();
    assert!(!resumed);
    begun.begin_expecting().await.unwrap();
    let records = [
        shaped(Entity::Messages, "m1", "c1", &[1, 1]),
        shaped(Entity::Messages, "m1", "c1", &[2, 2]),
        shaped(Entity::Messages, "m3", "c2", &[3, 3]),
        shaped(Entity::Messages, "m9", "c2", &[9, 9]),
        shaped(Entity::Members, "g2_member_ann", "g2", &[4]),
    ];
    begun.shaped(&records).await.unwrap();
    begun.expect(&NUMBERED, &LISTED).await.unwrap();
    begun
}

#[tokio::test]
async fn what_was_delivered_is_expected_with_what_was_shaped_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let mut begun = begun(&mut ledger).await;
    let known = begun.known(Entity::Messages, &[11, 12, 13]).await.unwrap();
    assert_eq!(
        known[&11].digests.as_deref(),
        Some(&[1, 1][..]),
        "of two with one id the first was sent"
    );
    assert_eq!(known[&12].digests, None, "it is not shaped any more");
    assert!(!known.contains_key(&13));
    let alike = begun.alike(&[77], &[]).await.unwrap();
    assert_eq!(alike.len(), 1);
    assert_eq!(alike[0].1.key, Key::of(Entity::Messages, "m3"));
    let by_key = begun
        .alike(&[], &[Key::of(Entity::Messages, "m4")])
        .await
        .unwrap();
    assert_eq!((by_key.len(), by_key[0].0), (1, None));
    let sums = begun.sums().await.unwrap();
    let messages = &sums[&Entity::Messages];
    assert_eq!(
        (messages.expected, messages.missing, messages.unknown),
        (4, 3, 1)
    );
    assert_eq!(
        messages.undelivered, 2,
        "one was never delivered, one is another with the same id"
    );
    assert_eq!(sums[&Entity::Members].undelivered, 1);
}

#[tokio::test]
async fn members_are_read_in_every_group_that_is_known_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let mut begun = begun(&mut ledger).await;
    let lists = begun.unread(Entity::Members, 0, 10).await.unwrap();
    let groups: Vec<_> = lists
        .iter()
        .filter_map(|list| list.within.as_deref())
        .collect();
    assert_eq!(groups, ["g1", "g2"]);
    assert_eq!(
        begun.unread(Entity::Users, 0, 10).await.unwrap()[0].within,
        None
    );
}

#[tokio::test]
async fn a_page_marks_what_it_found_together_with_where_its_list_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let mut before = begun(&mut ledger).await;
    let list = before
        .unread(Entity::Messages, 0, 1)
        .await
        .unwrap()
        .remove(0);
    let known = before.known(Entity::Messages, &[11]).await.unwrap();
    let findings = Findings {
        same: vec![Target::Handle(12)],
        different: vec![known[&11].target],
        differences: vec![Difference {
            record: known[&11].record,
            key: known[&11].key,
            field: "text",
            found: Told::plain("\"b\""),
        }],
        fields: [("text", 1)].into(),
        deleted: Vec::new(),
        extras: vec![Extra {
            handle: 99,
            name: "99".into(),
            part_of: Some("c9".into()),
        }],
    };
    let read = Read {
        listing: list.number,
        next: Some("further".into()),
        marks: vec![5],
    };
    for _ in 0..2 {
        before
            .found(Entity::Messages, &findings, Some(&read))
            .await
            .unwrap();
    }
    before.keep().await.unwrap();

    let (mut after, resumed) = Reconciliation::open(&mut ledger, "this", false)
        .await
        .unwrap();
    assert!(resumed);
    assert_eq!(after.stage().await.unwrap(), Stage::Reading);
    let list = after
        .unread(Entity::Messages, 0, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(list.cursor.as_deref(), Some("further"));
    assert!(after.visited(list.number, &[4, 5]).await.unwrap());
    assert!(!after.visited(list.number, &[4]).await.unwrap());
    assert!(after.known(Entity::Messages, &[11]).await.unwrap()[&11].met);
    let sums = after.sums().await.unwrap()[&Entity::Messages];
    assert_eq!(
        (
            sums.same,
            sums.different,
            sums.missing,
            sums.unknown,
            sums.extra
        ),
        (1, 1, 1, 1, 1)
    );
    let (all, differing, parts) = after.parts(Entity::Messages, 10).await.unwrap();
    let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!((all, differing, names), (3, 3, vec!["c1", "c2", "c9"]));

    let m1 = Key::of(Entity::Messages, "m1");
    assert_eq!(after.unexplained(Entity::Messages).await.unwrap(), [m1]);
    after
        .explain(m1, "text", &Told::plain("\"a\""))
        .await
        .unwrap();
    assert!(
        after
            .unexplained(Entity::Messages)
            .await
            .unwrap()
            .is_empty()
    );
    let shown = after
        .first_differences(Entity::Messages, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (shown.id.as_str(), shown.expected),
        ("m1", Some(Told::plain("\"a\"")))
    );
}

#[tokio::test]
async fn what_something_brought_along_is_no_surplus() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let mut begun = begun(&mut ledger).await;
    let extra = |id: &str| {
        let Target::Handle(handle) = Target::from(Key::of(Entity::Users, id)) else {
            panic!("a key is a handle");
        };
        Extra {
            handle,
            name: id.to_owned(),
            part_of: None,
        }
    };
    let findings = Findings {
        extras: vec![extra("brought"), extra("stranger")],
        ..Findings::default()
    };
    begun.found(Entity::Users, &findings, None).await.unwrap();
    let extras = begun.first_extras(Entity::Users, 10).await.unwrap();
    assert_eq!(extras, [("stranger".to_owned(), None)]);
}

#[tokio::test]
async fn what_is_missing_is_given_latest_first_and_can_be_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    let mut begun = begun(&mut ledger).await;
    let gathered = begun.gather_missing().await.unwrap();
    assert_eq!(
        gathered,
        [
            (Entity::Users, 1),
            (Entity::Groups, 1),
            (Entity::Messages, 3)
        ]
    );
    let missing = begun.missing(Entity::Messages, i64::MAX, 2).await.unwrap();
    let told: Vec<_> = missing
        .iter()
        .map(|it| (it.id.as_str(), it.number.as_deref()))
        .collect();
    assert_eq!(told, [("m3", None), ("m2", Some("12"))]);
    let rest = begun
        .missing(Entity::Messages, missing[1].record, 2)
        .await
        .unwrap();
    assert_eq!(rest[0].id, "m1");
}

#[tokio::test]
async fn another_subject_a_changed_ledger_or_a_wish_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    begun(&mut ledger).await.keep().await.unwrap();
    let (other, resumed) = Reconciliation::open(&mut ledger, "that", false)
        .await
        .unwrap();
    assert!(!resumed);
    other.keep().await.unwrap();
    let (same, resumed) = Reconciliation::open(&mut ledger, "that", true)
        .await
        .unwrap();
    assert!(!resumed);
    same.keep().await.unwrap();
    let user = ledger
        .imported(Entity::Messages, 0, 1)
        .await
        .unwrap()
        .remove(0);
    ledger.begin_removal(&NUMBERED, 1).await.unwrap();
    ledger
        .removed(&[(user.record, chatferry_ledger::Left::Removed)], 1)
        .await
        .unwrap();
    let (changed, resumed) = Reconciliation::open(&mut ledger, "that", false)
        .await
        .unwrap();
    assert!(!resumed);
    let path = changed.path().to_owned();
    assert!(path.exists());
    changed.discard().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder).await;
    std::fs::write(folder.path().join("a.ledger-verify"), "half a page").unwrap();
    let (mut begun, resumed) = Reconciliation::open(&mut ledger, "this", false)
        .await
        .unwrap();
    assert!(!resumed);
    assert_eq!(begun.stage().await.unwrap(), Stage::Expecting);
}
