//! The streams of a tap, as tables.

use chatferry_core::source::Scan;
use chatferry_testkit::reading::{file_shown, titled};
use chatferry_testkit::source::assert_contract;

use crate::workshop::Workshop;

pub(crate) const CATALOG: &str = r#"{"streams": [
{"tap_stream_id": "db-users", "stream": "users", "metadata": [], "schema": {"type": "object", "properties": {
    "id": {"type": "integer"}, "name": {"type": ["null", "string"]}, "born": {"type": ["null", "string"], "format": "date"},
    "seen": {"type": ["null", "string"], "format": "date-time"}, "balance": {"type": ["null", "number"], "multipleOf": 0.01},
    "tags": {"type": ["null", "array"], "items": {"type": "string"}}, "extra": {"type": ["null", "object"]},
    "place": {"type": ["null", "object"], "properties": {"city": {"type": "string"}}}}}},
{"tap_stream_id": "rooms", "stream": "rooms", "schema": {"properties": {"id": {"type": "integer"}}}}]}"#;

/// All that a tap may print, whatever is selected.
pub(crate) const MESSAGES: &str = r#"
schema=$(tr -d '\n' < catalog.json | sed 's/.*"users", "metadata": \[\], "schema": //; s/},{"tap_stream_id": "rooms".*//')
echo 'starting' >&2
echo '{"type":"SCHEMA","stream":"rooms","schema":{"properties":{"id":{"type":"integer"}}},"key_properties":["id"]}'
echo "{\"type\":\"SCHEMA\",\"stream\":\"users\",\"schema\":$schema,\"key_properties\":[\"id\"]}"
echo '{"type":"ACTIVATE_VERSION","stream":"users","version":7}'
echo '{"type":"RECORD","stream":"users","record":{"id":1,"name":"Ann","born":"1990-02-03","seen":"2024-05-01T12:00:00.25+02:00","balance":12.5,"tags":["a","b"],"extra":{"x":[1]},"place":{"city":"Rome"}}}'
echo '{"type":"RECORD","stream":"rooms","record":{"id":1}}'
echo '{"type":"RECORD","stream":"users","record":{"id":2,"name":null,"balance":"0.10"},"version":7}'
echo '{"type":"STATE","value":{"bookmarks":{"users":2}}}'
echo 'a word that does not belong here'
echo '{"type":"RECORD","stream":"users","record":{"id":"three"}}'
echo '{"type":"RECORD","stream":"users","record":{"id":4,"balance":0.001}}'
echo '{"type":"RECORD","stream":"rooms","record":{"id":2}}'
echo '{"type":"STATE","value":{"bookmarks":{"users":4}}}'
"#;

#[tokio::test]
async fn each_stream_is_a_table() {
    let workshop = Workshop::new(CATALOG, MESSAGES);
    let source = workshop.source("");
    assert_eq!(source.tables().await.expect("tables"), ["rooms", "users"]);
    let mut shown = Vec::new();
    for table in ["users", "rooms"] {
        shown.push((table, file_shown(&source, table).await));
        assert_contract(source.clone(), table).await;
    }
    insta::assert_snapshot!(titled(shown));
}

#[tokio::test]
async fn streams_are_offered_by_other_names_and_with_other_types() {
    let workshop = Workshop::new(CATALOG, MESSAGES);
    let source = workshop.source(
        "[sources.legacy.tables]\npeople = { stream = \"db-users\", schema = { id = \"text\" } }\n\
         rooms = \"rooms\"",
    );
    assert_eq!(source.tables().await.expect("tables"), ["people", "rooms"]);
    insta::assert_snapshot!(file_shown(&source, "people").await);
    let missing = workshop.source("tables.a = \"accounts\"");
    let error = missing.tables().await.expect_err("no such stream");
    insta::assert_snapshot!("missing", chatferry_testkit::reading::error_shown(&error));
}

#[tokio::test]
async fn only_what_is_wanted_is_selected() {
    let workshop = Workshop::new(CATALOG, MESSAGES);
    let source = workshop.source("");
    let table = source.describe("users").await.expect("described");
    let at = |name: &str| table.schema.index_of(name).expect("a column");
    let scan = Scan::of(table.clone(), vec![at("name"), at("id")], 10);
    chatferry_testkit::reading::scanned(&source, scan).await;
    let selected: serde_json::Value =
        serde_json::from_str(&workshop.read("selected.json")).expect("JSON");
    let entries = selected["streams"][0]["metadata"]
        .as_array()
        .expect("metadata");
    let mut names: Vec<String> = entries
        .iter()
        .filter(|entry| entry["metadata"]["selected"] == true)
        .map(|entry| entry["breadcrumb"].to_string())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["[\"properties\",\"id\"]", "[\"properties\",\"name\"]", "[]"]
    );
    assert_eq!(selected["streams"][1]["selected"], false);
}

#[tokio::test]
async fn a_catalog_may_be_given() {
    let script = r#"
echo '{"type":"SCHEMA","stream":"rooms","schema":{"properties":{"id":{"type":"integer"}}}}'
echo '{"type":"RECORD","stream":"rooms","record":{"id":1}}'"#;
    let workshop = Workshop::new("not asked for", script);
    workshop.write(
        "mine.json",
        r#"{"streams":[{"stream":"rooms","schema":{"properties":{"id":{"type":"integer"}}}}]}"#,
    );
    let source = workshop.source("catalog = \"mine.json\"");
    insta::assert_snapshot!("given", file_shown(&source, "rooms").await);
}
