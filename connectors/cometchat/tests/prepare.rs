//! Shaped rows through the destination's door: what becomes a record, and what breaks which rule.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod support;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use chatferry_cometchat::{CometChat, Retention, Settings, rules};
use chatferry_core::{Destination, Entity, Prepared, Record, json};

/// 2025-06-15.
const NOW: i64 = 1_750_000_000;

/// A value of a row.
#[derive(Clone)]
enum Value {
    Text(String),
    Number(i64),
    Json(&'static str),
    Texts(Vec<String>),
    Object(Vec<(&'static str, Value)>),
    Missing,
}

use Value::{Json, Missing, Number, Object, Texts};

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// A column of one row.
fn column(name: &str, value: &Value) -> (Field, ArrayRef) {
    match value {
        Value::Text(text) => (
            Field::new(name, DataType::Utf8, true),
            Arc::new(StringArray::from(vec![text.as_str()])),
        ),
        Number(number) => (
            Field::new(name, DataType::Int64, true),
            Arc::new(Int64Array::from(vec![*number])),
        ),
        Json(text) => (json::column(name), Arc::new(StringArray::from(vec![*text]))),
        Missing => (
            Field::new(name, DataType::Utf8, true),
            Arc::new(StringArray::from(vec![None::<&str>])),
        ),
        Texts(texts) => {
            let items: ArrayRef = Arc::new(StringArray::from(texts.clone()));
            let item = Arc::new(Field::new("item", DataType::Utf8, true));
            let list = ListArray::new(
                Arc::clone(&item),
                OffsetBuffer::from_lengths([texts.len()]),
                items,
                None,
            );
            (Field::new(name, DataType::List(item), true), Arc::new(list))
        }
        Object(entries) => {
            let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = entries
                .iter()
                .map(|(name, value)| column(name, value))
                .unzip();
            let fields = Fields::from(fields);
            let object = StructArray::new(fields.clone(), columns, None);
            (
                Field::new(name, DataType::Struct(fields), true),
                Arc::new(object),
            )
        }
    }
}

type Row = Vec<(&'static str, Value)>;

/// The row with some of its values replaced.
fn with(mut row: Row, values: Row) -> Row {
    row.retain(|(name, _)| !values.iter().any(|(other, _)| other == name));
    row.extend(values);
    row
}

fn prepare(entity: Entity, row: &Row, retention: Retention) -> Prepared {
    let settings = Settings {
        retention,
        ..support::settings()
    };
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) =
        row.iter().map(|(name, value)| column(name, value)).unzip();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let mut prepared = CometChat::offline(&settings).prepare(entity, &rows, NOW);
    assert_eq!(prepared.len(), 1);
    prepared.remove(0)
}

fn ready(entity: Entity, row: &Row) -> Record {
    match prepare(entity, row, Retention::Off) {
        Prepared::Ready(record) => record,
        other => panic!("{other:?}"),
    }
}

/// The rule that a row breaks, after making sure that it is listed for people.
fn broken(entity: Entity, row: &Row) -> String {
    match prepare(entity, row, Retention::Off) {
        Prepared::Rejected(row) => {
            assert!(
                rules::ALL.iter().any(|rule| rule.name == row.rule),
                "{} is not listed",
                row.rule
            );
            row.rule.into_owned()
        }
        other => panic!("{other:?}"),
    }
}

fn user() -> Row {
    vec![("uid", text("ann")), ("name", text("Ann"))]
}

fn group() -> Row {
    vec![
        ("guid", text("g1")),
        ("name", text("Group")),
        ("type", text("public")),
    ]
}

fn member() -> Row {
    vec![
        ("memberId", text("g1_member_ann")),
        ("guid", text("g1")),
        ("uid", text("ann")),
    ]
}

fn message() -> Row {
    vec![
        ("muid", text("m1")),
        ("sender", text("ann")),
        ("receiverType", text("user")),
        ("receiver", text("bob")),
        ("category", text("message")),
        ("type", text("text")),
        ("sentAt", Number(NOW - 100)),
        ("data", Object(vec![("text", text("hello"))])),
    ]
}

fn saying(value: Value) -> Row {
    with(message(), vec![("data", Object(vec![("text", value)]))])
}

#[test]
fn the_json_of_a_record_reads_like_the_documentation() {
    let record = ready(Entity::Messages, &message());
    assert_eq!(
        std::str::from_utf8(&record.json).unwrap(),
        r#"{"muid":"m1","sender":"ann","receiverType":"user","receiver":"bob","category":"message","type":"text","sentAt":1749999900,"data":{"text":"hello"}}"#
    );
    assert_eq!(record.sent_at, Some(NOW - 100));
    let missing = with(
        user(),
        vec![("avatar", Missing), ("metadata", Json("{\"a\": [1]}"))],
    );
    let record = ready(Entity::Users, &missing);
    assert_eq!(
        &record.json[..],
        br#"{"uid":"ann","name":"Ann","metadata":{"a": [1]}}"#
    );
}

#[test]
fn both_directions_of_a_conversation_share_a_lane() {
    let there = ready(Entity::Messages, &message());
    let back = with(
        message(),
        vec![("sender", text("bob")), ("receiver", text("ann"))],
    );
    let to_group = with(message(), vec![("receiverType", text("group"))]);
    assert_eq!(there.lane, ready(Entity::Messages, &back).lane);
    assert_ne!(there.lane, ready(Entity::Messages, &to_group).lane);
}

#[test]
fn a_record_names_what_it_refers_to_and_does_not_bring_along() {
    let of = |entity, row: &Row| -> Vec<(&str, Entity, String)> {
        let record = ready(entity, row);
        record
            .references
            .iter()
            .map(|r| (r.field, r.entity, r.id.as_str().to_owned()))
            .collect()
    };
    assert_eq!(
        of(Entity::Messages, &message()),
        [
            ("sender", Entity::Users, "ann".into()),
            ("receiver", Entity::Users, "bob".into())
        ]
    );
    let brought = with(message(), vec![("senderUserDetails", Object(user()))]);
    assert_eq!(of(Entity::Messages, &brought).len(), 1);
    assert_eq!(
        of(Entity::Members, &member()),
        [
            ("guid", Entity::Groups, "g1".into()),
            ("uid", Entity::Users, "ann".into())
        ]
    );
    let owned = with(group(), vec![("owner", text("ann"))]);
    assert_eq!(
        of(Entity::Groups, &owned),
        [("owner", Entity::Users, "ann".into())]
    );
}

#[test]
fn each_rule_on_users_groups_and_members_is_kept() {
    let tags = |count: usize, length: usize| Texts(vec!["t".repeat(length); count]);
    for (row, rule) in [
        (
            vec![("uid", Missing), ("name", text("Ann"))],
            "missing-field",
        ),
        (with(user(), vec![("uid", text(" "))]), "missing-field"),
        (with(user(), vec![("name", text(" "))]), "missing-field"),
        (with(user(), vec![("uid", text("Ann"))]), "id-alphabet"),
        (
            with(user(), vec![("uid", text("a".repeat(101)))]),
            "id-length",
        ),
        (
            with(user(), vec![("name", text("n".repeat(101)))]),
            "name-length",
        ),
        (with(user(), vec![("avatar", text("a.png"))]), "url"),
        (
            with(
                user(),
                vec![("link", text(format!("https://a.org/{}", "x".repeat(3_000))))],
            ),
            "url",
        ),
        (
            with(user(), vec![("role", text("The Boss"))]),
            "id-alphabet",
        ),
        (
            with(user(), vec![("createdAt", Number(NOW * 1_000))]),
            "time-not-seconds",
        ),
        (
            with(user(), vec![("lastActiveAt", Number(0))]),
            "time-not-seconds",
        ),
        (with(user(), vec![("tags", tags(26, 1))]), "tags"),
        (with(user(), vec![("tags", tags(1, 101))]), "tags"),
        (with(user(), vec![("tags", tags(1, 0))]), "tags"),
        (with(user(), vec![("metadata", Json("[1]"))]), "metadata"),
        (
            with(
                user(),
                vec![("metadata", Object(vec![("a", text("x".repeat(5_200)))]))],
            ),
            "metadata",
        ),
    ] {
        assert_eq!(broken(Entity::Users, &row), rule);
    }
    ready(
        Entity::Users,
        &with(
            user(),
            vec![("tags", tags(25, 100)), ("createdAt", Number(NOW))],
        ),
    );
    for (row, rule) in [
        (with(group(), vec![("type", text("secret"))]), "not-one-of"),
        (
            with(group(), vec![("type", text("password"))]),
            "group-password",
        ),
        (
            with(
                group(),
                vec![
                    ("type", text("password")),
                    ("password", text("p".repeat(101))),
                ],
            ),
            "group-password",
        ),
        (with(group(), vec![("owner", text("Ann"))]), "id-alphabet"),
        (with(group(), vec![("icon", text("icon"))]), "url"),
    ] {
        assert_eq!(broken(Entity::Groups, &row), rule);
    }
    for (row, rule) in [
        (
            with(member(), vec![("memberId", text("g1_ann"))]),
            "member-id",
        ),
        (with(member(), vec![("scope", text("owner"))]), "not-one-of"),
        (
            with(member(), vec![("joinedAt", Number(NOW))]),
            "time-in-future",
        ),
        (with(member(), vec![("guid", Missing)]), "missing-field"),
    ] {
        assert_eq!(broken(Entity::Members, &row), rule);
    }
    ready(
        Entity::Members,
        &with(
            member(),
            vec![("joinedAt", Number(NOW - 1)), ("scope", text("admin"))],
        ),
    );
}

#[test]
fn each_rule_on_messages_is_kept() {
    let image = |attachments: Value| {
        with(
            message(),
            vec![
                ("type", text("image")),
                ("data", Object(vec![("attachments", attachments)])),
            ],
        )
    };
    let custom = |data: Row| {
        with(
            message(),
            vec![
                ("category", text("custom")),
                ("type", text("location")),
                ("data", Object(data)),
            ],
        )
    };
    let mentions: String = (0..11).map(|n| format!("<@uid:u{n}>")).collect();
    for (row, rule) in [
        (with(message(), vec![("sentAt", Missing)]), "missing-field"),
        (
            with(message(), vec![("sentAt", Number((NOW - 100) * 1_000))]),
            "time-not-seconds",
        ),
        (
            with(message(), vec![("sentAt", Number(NOW + 1))]),
            "time-in-future",
        ),
        (
            with(message(), vec![("sender", text("Ann"))]),
            "id-alphabet",
        ),
        (
            with(message(), vec![("receiver", text("a b"))]),
            "id-alphabet",
        ),
        (
            with(message(), vec![("receiverType", text("room"))]),
            "not-one-of",
        ),
        (
            with(message(), vec![("category", text("action"))]),
            "not-one-of",
        ),
        (with(message(), vec![("type", text("poll"))]), "not-one-of"),
        (saying(text(" \n ")), "text-empty"),
        (saying(Missing), "text-empty"),
        (saying(text(mentions)), "mentions"),
        (saying(text("x".repeat(10_300))), "data-length"),
        (image(Missing), "attachments"),
        (image(Json("[]")), "attachments"),
        (
            image(Json(
                r#"[{"url":"https://a.org/a.png","name":"a.png","mimeType":"image/png"}]"#,
            )),
            "attachments",
        ),
        (
            image(Json(
                r#"[{"url":"/a.png","name":"a","mimeType":"image/png","extension":"png"}]"#,
            )),
            "url",
        ),
        (custom(vec![("text", text("x"))]), "custom-data"),
        (custom(vec![("customData", Json("{ }"))]), "custom-data"),
        (custom(vec![("customData", Json("7"))]), "custom-data"),
        (
            with(
                saying(text("x")),
                vec![(
                    "data",
                    Object(vec![("text", text("x")), ("metadata", Json("[]"))]),
                )],
            ),
            "metadata",
        ),
        (
            with(
                message(),
                vec![(
                    "senderUserDetails",
                    Object(vec![("metadata", text("x".repeat(66_000)))]),
                )],
            ),
            "message-length",
        ),
    ] {
        assert_eq!(broken(Entity::Messages, &row), rule);
    }
    ready(
        Entity::Messages,
        &image(Json(
            r#"[{"url":"https://a.org/a.png","name":"a","mimeType":"image/png","extension":"png"}]"#,
        )),
    );
    ready(
        Entity::Messages,
        &custom(vec![("customData", Json(r#"{"latitude":48.1}"#))]),
    );
}

#[test]
fn what_is_older_than_the_window_is_skipped_not_rejected() {
    let old = with(message(), vec![("sentAt", Number(NOW - 200 * 86_400))]);
    assert!(matches!(
        prepare(Entity::Messages, &old, Retention::Months(6)),
        Prepared::Skipped {
            reason: "older-than-retention",
            ..
        }
    ));
    assert!(matches!(
        prepare(Entity::Messages, &old, Retention::Off),
        Prepared::Ready(_)
    ));
}

#[test]
fn receipt_times_are_put_in_order_and_counted() {
    let read_first = with(
        message(),
        vec![
            ("deliveredAt", Number(NOW - 500)),
            ("readAt", Number(NOW + 500)),
        ],
    );
    let record = ready(Entity::Messages, &read_first);
    let json: serde_json::Value = serde_json::from_slice(&record.json).unwrap();
    assert_eq!(
        (json["deliveredAt"].as_i64(), json["readAt"].as_i64()),
        (Some(NOW - 100), Some(NOW))
    );
    assert_eq!(record.adjusted, ["receipt-times"]);
}
