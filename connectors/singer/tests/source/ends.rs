//! Taps that fail, and taps that do not keep to what Singer says.

use chatferry_testkit::reading::{error_shown, file_shown, titled};

use crate::workshop::Workshop;

const CATALOG: &str = r#"{"streams":[{"tap_stream_id":"a","stream":"a","schema":{"properties":{"id":{"type":"integer"},"at":{"type":"string"}}}}]}"#;
const SCHEMA: &str = r#"echo '{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"at":{"type":"string"}}}}'"#;
const RECORD: &str = r#"echo '{"type":"RECORD","stream":"a","record":{"id":1,"at":"x"}}'"#;

#[tokio::test]
async fn what_a_tap_does_wrong_is_told() {
    let changed = r#"echo '{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"string"},"at":{"type":"string"}}}}'"#;
    let gone = r#"echo '{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"}}}}'"#;
    let more = r#"echo '{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"at":{"type":"string"},"new":{}}}}'"#;
    let batch = r#"echo '{"type":"BATCH","stream":"a","manifest":["x"]}'"#;
    let crash = "echo 'password is hunter2' >&2; echo 'Traceback' >&2; exit 1";
    let mut shown = Vec::new();
    for (title, script) in [
        ("crashes", [SCHEMA, RECORD, crash].join("\n")),
        ("another type", [SCHEMA, RECORD, changed, RECORD].join("\n")),
        ("a column less", [SCHEMA, RECORD, gone].join("\n")),
        ("a column more", [SCHEMA, RECORD, more, RECORD].join("\n")),
        ("no schema", RECORD.to_owned()),
        ("files", [SCHEMA, batch].join("\n")),
    ] {
        let workshop = Workshop::new(CATALOG, &script);
        let source = workshop.source("config = { password = \"hunter2\" }");
        shown.push((title, file_shown(&source, "a").await));
    }
    insta::assert_snapshot!(titled(shown));
}

#[tokio::test]
async fn a_catalog_that_cannot_be_had_is_an_error() {
    let mut shown = Vec::new();
    for (title, catalog, settings) in [
        ("usage", "usage: tap [-h]", ""),
        ("no list", "{}", ""),
        ("no file", "", "catalog = \"nowhere.json\""),
    ] {
        let workshop = Workshop::new(catalog, "");
        let source = workshop.source(settings);
        let error = source.tables().await.expect_err("no catalog");
        let text = error_shown(&error).replace(&workshop.path().display().to_string(), "FOLDER");
        shown.push((title, text));
    }
    insta::assert_snapshot!(titled(shown));
}
