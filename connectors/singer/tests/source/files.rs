//! Files of what a tap has printed.

use std::sync::Arc;

use chatferry_core::source::Source;
use chatferry_testkit::reading::{error_shown, file_shown, titled};
use chatferry_testkit::source::assert_contract;

use crate::workshop::{Workshop, source};

const ROOMS: &str =
    r#"{"type":"SCHEMA","stream":"rooms","schema":{"properties":{"id":{"type":"integer"}}}}"#;
const USERS: &str =
    r#"{"type":"SCHEMA","stream":"users","schema":{"properties":{"id":{"type":"string"}}}}"#;
const RECORDS: &str = r#"{"type":"RECORD","stream":"users","record":{"id":"ann"}}
{"type":"RECORD","stream":"rooms","record":{"id":1}}
{"type":"STATE","value":{"x":1}}
{"type":"RECORD","stream":"rooms","record":{"id":"two"}}

{"type":"RECORD","stream":"users","record":{"id":"bob"}}"#;

/// The source of a file with these lines, and these settings besides.
fn file(lines: &[&str], settings: &str) -> (Workshop, Arc<dyn Source>) {
    let workshop = Workshop::new("", "");
    workshop.write("messages.jsonl", &lines.join("\n"));
    let settings = format!("path = \"messages.jsonl\"\n{settings}");
    let source = source(&settings, workshop.path());
    (workshop, source)
}

#[tokio::test]
async fn each_stream_of_a_file_is_a_table() {
    let (_workshop, source) = file(&[ROOMS, USERS, RECORDS], "");
    assert_eq!(source.tables().await.expect("tables"), ["rooms", "users"]);
    let mut shown = Vec::new();
    for table in ["users", "rooms"] {
        assert_contract(source.clone(), table).await;
        shown.push((table, file_shown(&source, table).await));
    }
    insta::assert_snapshot!(titled(shown));
}

#[tokio::test]
async fn a_stream_that_is_declared_may_be_left_out() {
    let declared = "tables.users = { schema = { id = \"text\" } }";
    let (_workshop, source) = file(&[ROOMS], declared);
    let shown = file_shown(&source, "users").await;
    let (_workshop, undeclared) = file(&[ROOMS], "tables.users = \"users\"");
    let error = undeclared.tables().await.expect_err("no such stream");
    let shown = titled(vec![("declared", shown), ("not", error_shown(&error))]);
    insta::assert_snapshot!("left_out", shown);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told() {
    let other = ROOMS.replace("integer", "boolean");
    let batch = r#"{"type":"BATCH","stream":"rooms","manifest":[]}"#;
    let mut shown = Vec::new();
    for (title, lines) in [
        ("a line of a log", vec![ROOMS, "INFO hello", RECORDS]),
        ("no schema", vec![RECORDS]),
        ("files", vec![ROOMS, batch]),
    ] {
        let (workshop, source) = file(&lines, "");
        let error = source.tables().await.expect_err("no messages");
        let text = error_shown(&error).replace(&workshop.path().display().to_string(), "FOLDER");
        shown.push((title, text));
    }
    let (_workshop, source) = file(&[ROOMS, USERS, RECORDS, &other], "");
    shown.push(("another type", file_shown(&source, "rooms").await));
    insta::assert_snapshot!("wrong", titled(shown));
}
