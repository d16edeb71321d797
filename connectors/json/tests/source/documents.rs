//! Whole documents: what stands around the records, and several documents in one file.

use chatferry_testkit::source::assert_contract;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::workshop::{Workshop, rows, shown};

async fn read(document: &str, settings: &str) -> String {
    let workshop = Workshop::with("export.json", document);
    let source = workshop.source(&format!("path = \"export.json\"\n{settings}"));
    assert_contract(source.clone(), "records").await;
    shown(&source, "records").await
}

const EXPORT: &str = r#"{"server":{"name":"acme"},"channels":[
  {"id":7,"name":"general","members":[{"id":1},{"id":2}],"messages":[{"id":10,"text":"a"},{"id":11,"text":"b"}]},
  {"members":[{"id":1}],"messages":[{"id":12,"text":"c"}],"id":8,"topic":"late","name":"r\u00e4ndom"},
  {"id":9,"messages":[]},
  {"id":10,"members":[],"messages":[{"id":13}],"name":null}
],"exported":"2024-05-01"}"#;

#[tokio::test]
async fn one_file_holds_several_tables_and_what_is_around_goes_with_each_record() {
    let workshop = Workshop::with("export.json", EXPORT);
    let source = workshop.source(
        r#"[sources.legacy.tables]
channels = { path = "export.json", records = "channels", schema = { members = "json", messages = "json" } }
members = { path = "export.json", records = "channels.members", parents = { channel = "channels.id" } }
[sources.legacy.tables.messages]
path = "export.json"
records = "channels.messages"
parents = { channel = "channels.id", channel_name = "channels.name", topic = "channels.topic", server = "server", exported = "exported" }"#,
    );
    let mut text = String::new();
    for table in ["channels", "members", "messages"] {
        assert_contract(source.clone(), table).await;
        text.push_str(&format!("== {table}\n{}", shown(&source, table).await));
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn what_is_around_may_be_damaged_without_harm_to_the_records() {
    let document = r#"{"a":tru,"b":"x","rows":[{"id":1},{"id":2}],"c":{"x":1,"x":2}}"#;
    let settings = "records = \"rows\"\nparents = { a = \"a\", b = \"b\", c = \"c\" }";
    insta::assert_snapshot!(read(document, settings).await);
}

#[tokio::test]
async fn what_is_around_must_not_be_called_as_a_field_of_the_records() {
    let workshop = Workshop::with("export.json", EXPORT);
    let source = workshop.source(
        "path = \"export.json\"\nrecords = \"channels.messages\"\nparents = { id = \"channels.id\" }",
    );
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn documents_may_follow_each_other() {
    let cases = [
        (
            "objects on one line",
            r#"{"id":1}{"id":2} {"id":3}"#,
            "format = \"document\"",
        ),
        (
            "pretty-printed",
            "{\n \"id\": 1\n}\n{\n \"id\": 2\n}\n",
            "format = \"document\"",
        ),
        ("arrays", "[{\"id\":1},{\"id\":2}]\n[]\n[{\"id\":3}]", ""),
        (
            "exports",
            "{\"n\":\"a\",\"m\":[{\"id\":1}]}\n{\"m\":[{\"id\":2}],\"n\":\"b\"}{\"m\":[{\"id\":3}]}",
            "records = \"m\"\nparents = { n = \"n\" }",
        ),
        ("and something else", "[{\"id\":1}] 5", ""),
        (
            "the last breaks off",
            "{\"m\":[{\"id\":1}]}\n{\"m\":[{\"id\":2},{\"i",
            "records = \"m\"",
        ),
    ];
    let mut text = String::new();
    for (title, document, settings) in cases {
        text.push_str(&format!("== {title}\n{}", read(document, settings).await));
    }
    insta::assert_snapshot!(text);
}

/// Channels with messages in them, in documents that follow each other.
fn documents() -> impl Strategy<Value = Vec<Value>> {
    let text = || "[a-z\"\\\\ ]{0,6}";
    let channel = (
        prop::option::of(any::<i32>()),
        prop::collection::vec(text(), 0..4),
    );
    let document = (
        prop::option::of(text()),
        prop::collection::vec(channel, 0..4),
    );
    let document = document.prop_map(|(name, channels)| {
        let channel = |(id, texts): (Option<i32>, Vec<String>)| {
            let messages: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
            json!({"id": id, "messages": messages, "other": [{"messages": [1]}]})
        };
        let channels: Vec<Value> = channels.into_iter().map(channel).collect();
        json!({"name": name, "channels": channels})
    });
    prop::collection::vec(document, 1..4)
}

/// A value's text, the fields of objects in this or the other order.
fn written(value: &Value, turned: bool) -> String {
    match value {
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                format!("{}:{}", json!(key), written(value, turned))
            };
            let mut fields: Vec<String> = fields.iter().map(field).collect();
            if turned {
                fields.reverse();
            }
            format!("{{{}}}", fields.join(",\n"))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| written(item, turned)).collect();
            format!("[{}]", items.join(" ,"))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_record_comes_with_what_is_around_it(
        documents in documents(),
        turned in any::<bool>(),
    ) {
        let text: String = documents.iter().map(|document| written(document, turned)).collect();
        let workshop = Workshop::with("export.json", text);
        let source = workshop.source(
            "path = \"export.json\"\nrecords = \"channels.messages\"\n\
             parents = { channel = \"channels.id\", \"na\\\"me\" = \"name\" }",
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(rows(&source, "records")).expect("rows");
        prop_assert!(read.failed.is_none());
        prop_assert!(read.rejected.is_empty(), "{:?}", read.rejected);
        let mut expected: Vec<Map<String, Value>> = Vec::new();
        for document in &documents {
            for channel in document["channels"].as_array().expect("channels") {
                for message in channel["messages"].as_array().expect("messages") {
                    let mut row = message.as_object().expect("a message").clone();
                    row.insert("channel".to_owned(), channel["id"].clone());
                    row.insert("na\"me".to_owned(), document["name"].clone());
                    expected.push(row);
                }
            }
        }
        prop_assert_eq!(read.rows.num_rows(), expected.len());
        for (row, expected) in expected.iter().enumerate() {
            for (field, column) in read.table.schema.fields().iter().zip(read.rows.columns()) {
                let value = crate::properties::at(field, column, row);
                prop_assert_eq!(&value, &expected[field.name()], "{}", field.name());
            }
        }
    }
}
