//! Records whose files are somewhere else than they say: which URLs are looked at, and what becomes of
//! them.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use chatferry_cometchat::{CometChat, rules};
use chatferry_core::{Declared, Destination, Entity, Files, Prepared, Whereabouts, json};
use serde_json::value::RawValue;

const NOW: i64 = 1_750_000_000;

/// Says what it is told to say, and notes what it is asked.
#[derive(Debug)]
struct Told {
    answer: fn(&str) -> Whereabouts,
    asked: Mutex<Vec<String>>,
}

impl Files for Told {
    fn whereabouts(&self, url: &str, declared: &Declared<'_>) -> Whereabouts {
        let asked = match declared {
            Declared {
                is_picture: true, ..
            } => format!("{url} (picture)"),
            Declared {
                mime_type,
                name,
                extension,
                ..
            } => {
                let said = [mime_type, name, extension].map(|it| it.unwrap_or("?"));
                format!("{url} ({})", said.join(" "))
            }
        };
        self.asked.lock().unwrap().push(asked);
        (self.answer)(url)
    }
}

/// What a record of these fields becomes, and what was asked. Values that begin with a brace or a
/// bracket are JSON.
fn prepare(
    entity: Entity,
    fields: &[(&str, &str)],
    answer: fn(&str) -> Whereabouts,
) -> (Prepared, Vec<String>) {
    let settings = support::settings();
    let columns = fields.iter().map(|(name, value)| -> (Field, ArrayRef) {
        if *name == "sentAt" {
            let seconds = Int64Array::from(vec![value.parse::<i64>().unwrap()]);
            return (Field::new(*name, DataType::Int64, true), Arc::new(seconds));
        }
        if *name == "data" {
            return data(value);
        }
        let field = match value.starts_with(['{', '[']) {
            true => json::column(name),
            false => Field::new(*name, DataType::Utf8, true),
        };
        (field, Arc::new(StringArray::from(vec![*value])))
    });
    let (fields, columns): (Vec<_>, Vec<_>) = columns.unzip();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let told = Arc::new(Told {
        answer,
        asked: Mutex::default(),
    });
    let files: Arc<dyn Files> = Arc::clone(&told) as _;
    let app = CometChat::offline(&settings).with_files(Some(files));
    let prepared = app.prepare(entity, &rows, NOW).remove(0);
    let asked = told.asked.lock().unwrap().clone();
    (prepared, asked)
}

/// The column `data` with each of its members as a field of JSON.
fn data(value: &str) -> (Field, ArrayRef) {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(value).unwrap();
    let (fields, columns): (Vec<_>, Vec<_>) = members
        .iter()
        .map(|(name, value)| -> (Field, ArrayRef) {
            let column = StringArray::from(vec![value.get()]);
            (json::column(name), Arc::new(column))
        })
        .unzip();
    let fields = Fields::from(fields);
    let object = StructArray::new(fields.clone(), columns, None);
    (
        Field::new("data", DataType::Struct(fields), true),
        Arc::new(object),
    )
}

fn ready(prepared: Prepared) -> (String, Vec<&'static str>) {
    match prepared {
        Prepared::Ready(record) => {
            let json = String::from_utf8(record.json.to_vec()).unwrap();
            (json, record.adjusted)
        }
        other => panic!("{other:?}"),
    }
}

fn message(data: &str) -> [(&str, &str); 8] {
    [
        ("muid", "m1"),
        ("sender", "ann"),
        ("receiverType", "user"),
        ("receiver", "bob"),
        ("category", "message"),
        ("type", "image"),
        ("sentAt", "1740000000"),
        ("data", data),
    ]
}

const DATA: &str = r#"{ "n": 1.50, "attachments": [
 {"url": "a/b.png", "name": "b \"1\".png", "mimeType": "image/png", "extension": "png", "size": "1"},
 {"url": "https://host/c", "name": "c", "mimeType": "text/plain", "extension": "txt"}], "text": "é"}"#;

fn moved(url: &str) -> Whereabouts {
    match url {
        "https://host/c" => Whereabouts::AsWritten,
        url => Whereabouts::At(format!("https://cdn.example.com/{}", url.replace('/', "-"))),
    }
}

#[test]
fn nothing_but_the_urls_of_a_message_changes() {
    let (prepared, asked) = prepare(Entity::Messages, &message(DATA), moved);
    assert_eq!(
        asked,
        [
            "a/b.png (image/png b \"1\".png png)",
            "https://host/c (text/plain c txt)"
        ]
    );
    let (json, adjusted) = ready(prepared);
    let data = json.split_once("\"data\":").unwrap().1;
    assert_eq!(
        data,
        r#"{"attachments":[{"url":"https://cdn.example.com/a-b.png","name":"b \"1\".png","mimeType":"image/png","extension":"png","size":"1"},{"url": "https://host/c", "name": "c", "mimeType": "text/plain", "extension": "txt"}],"n":1.50,"text":"é"}}"#
    );
    assert_eq!(adjusted, [""; 0]);
}

#[test]
fn a_message_cannot_do_without_its_file() {
    let (prepared, _) = prepare(Entity::Messages, &message(DATA), |_| {
        Whereabouts::Lacking("not-found")
    });
    match prepared {
        Prepared::Rejected(row) => {
            assert_eq!(row.rule, "file-not-copied");
            assert!(rules::ALL.iter().any(|rule| rule.name == row.rule));
            assert!(row.detail.ends_with("not-found"), "{}", row.detail);
            assert!(!row.detail.contains("b.png"), "no contents: {}", row.detail);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_url_that_stays_is_counted_once_and_still_checked() {
    let stays = DATA.replace("a/b.png", "https://host/b.png");
    let (prepared, _) = prepare(Entity::Messages, &message(&stays), |_| Whereabouts::Left);
    let (json, adjusted) = ready(prepared);
    assert!(json.contains("https://host/b.png"));
    assert_eq!(adjusted, ["file-url-left"]);

    let (prepared, _) = prepare(Entity::Messages, &message(DATA), |_| Whereabouts::Left);
    match prepared {
        Prepared::Rejected(row) => assert_eq!(row.rule, "url", "a path is no URL"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn users_and_groups_can_do_without_their_pictures() {
    let user = [
        ("uid", "ann"),
        ("name", "Ann"),
        ("avatar", "photos/ann.png"),
    ];
    let (prepared, asked) = prepare(Entity::Users, &user, moved);
    assert_eq!(asked, ["photos/ann.png (picture)"]);
    let (json, adjusted) = ready(prepared);
    assert!(
        json.contains(r#""avatar":"https://cdn.example.com/photos-ann.png""#),
        "{json}"
    );
    assert_eq!(adjusted, [""; 0]);

    let lacking = |_: &str| Whereabouts::Lacking("not-found");
    let (prepared, _) = prepare(Entity::Users, &user, lacking);
    let (json, adjusted) = ready(prepared);
    assert_eq!(json, r#"{"uid":"ann","name":"Ann"}"#);
    assert_eq!(adjusted, ["picture-left-out"]);

    let group = [
        ("icon", "photos/g.png"),
        ("guid", "g"),
        ("name", "G"),
        ("type", "public"),
        (
            "groupOwnerDetails",
            r#"{"avatar": "x.png", "uid": "ann", "name": "Ann"}"#,
        ),
    ];
    let (prepared, asked) = prepare(Entity::Groups, &group, lacking);
    assert_eq!(asked, ["photos/g.png (picture)", "x.png (picture)"]);
    let (json, adjusted) = ready(prepared);
    assert_eq!(
        json,
        r#"{"guid":"g","name":"G","type":"public","groupOwnerDetails":{"uid":"ann","name":"Ann"}}"#
    );
    assert_eq!(adjusted, ["picture-left-out"]);
}

#[test]
fn those_who_come_along_with_a_record_have_pictures_too() {
    let mut fields = message(DATA).to_vec();
    fields.push((
        "mentionedUserDetails",
        r#"{"bob": {"uid": "bob", "name": "Bob", "avatar": "bob.png"}}"#,
    ));
    fields.push((
        "senderUserDetails",
        r#"{"uid": "ann", "name": "Ann", "avatar": "ann.png", "metadata": {"avatar": "not this"}}"#,
    ));
    let (prepared, asked) = prepare(Entity::Messages, &fields, moved);
    assert_eq!(asked[2..], ["bob.png (picture)", "ann.png (picture)"]);
    let (json, _) = ready(prepared);
    assert!(
        json.contains(r#""avatar":"https://cdn.example.com/bob.png""#),
        "{json}"
    );
    assert!(
        json.contains(r#""metadata":{"avatar": "not this"}"#),
        "{json}"
    );
}

#[test]
fn what_is_not_sent_is_not_looked_at() {
    let mut fields = message(DATA);
    fields[1] = ("sender", "Ann Lee");
    let (prepared, asked) = prepare(Entity::Messages, &fields, moved);
    assert!(matches!(prepared, Prepared::Rejected(_)));
    assert_eq!(asked, [""; 0]);
}

#[test]
fn files_of_an_odd_shape_are_left_to_the_rules() {
    for data in [
        r#"{"attachments": {"url": "a.png"}}"#,
        r#"{"attachments": ["a.png"]}"#,
        r#"{"attachments": [{"url": 7}]}"#,
        r#"{"attachments": []}"#,
    ] {
        let (prepared, _) = prepare(Entity::Messages, &message(data), moved);
        match prepared {
            Prepared::Rejected(row) => assert_eq!(row.rule, "attachments", "{data}"),
            other => panic!("{data}: {other:?}"),
        }
    }
}
