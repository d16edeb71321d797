//! What is said of files and records that cannot be read.

use std::io::Write as _;

use chatferry_testkit::reading::titled;
use chatferry_testkit::source::assert_contract;

use crate::workshop::{Workshop, error_shown, shown};

/// What is shown of one file, read by that path and these settings.
async fn file(name: &str, contents: impl AsRef<[u8]>, settings: &str) -> String {
    let workshop = Workshop::with(name, contents);
    let source = workshop.source(&format!("path = \"{name}\"\n{settings}"));
    shown(&source, "records").await
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_rejected_with_its_place_and_the_others_go_on() {
    let lines: &[u8] = b"{\"id\":1}
{\"id\":2,}
{\"id\":2
{\"id\":\"\xff\"}
{\"id\":NaN}
{\"id\":1,\"id\":2}
{\"id\":1,\"to\":{\"a\":1,\"a\":2}}
[1]
5
{\"id\":\"a\tb\"}

nonsense
{\"id\":3} {\"id\":4}
{\"id\":5,\"to\":{\"a\":1}}
{\"id\":6";
    let workshop = Workshop::with("a.jsonl", lines);
    let source = workshop.source("");
    assert_contract(source.clone(), "a").await;
    insta::assert_snapshot!(shown(&source, "a").await);
}

#[tokio::test]
async fn an_element_of_a_document_that_cannot_be_read_is_rejected_with_its_place() {
    let document = "[\n{\"id\":1},\n{\"id\":},\n{\"id\":2} {\"id\":3},\n,\n7,\n{\"id\":[1}},\n {\"id\":4,\n\"id\":5}, {\"id\":6}\n] x";
    let workshop = Workshop::with("a.json", document);
    let source = workshop.source("");
    assert_contract(source.clone(), "a").await;
    insta::assert_snapshot!(shown(&source, "a").await);
}

#[tokio::test]
async fn a_document_that_breaks_off_gives_what_is_complete() {
    let cut = |document| file("a.json", document, "records = \"m\"");
    insta::assert_snapshot!(titled(vec![
        (
            "within a record",
            cut(r#"{"m":[{"id":1},{"id":2},{"id":"#).await
        ),
        ("between records", cut(r#"{"m":[{"id":1},"#).await),
        ("within a key", cut(r#"{"m":[{"id":1}],"oth"#).await),
        ("before any record", cut(r#"{"m":[{"id":"#).await),
        (
            "with another syntax behind",
            cut(r#"{"m":[{"id":1}]:5}"#).await
        ),
    ]));
}

#[tokio::test]
async fn a_record_that_is_too_long_is_rejected_and_never_held() {
    let long = "x".repeat(1_000_000);
    let lines = format!("{{\"id\":1}}\n{{\"id\":\"{long}\"}}\n{{\"id\":2}}\n");
    let document = format!("[{{\"id\":1}},\n{{\"id\":\"{long}\"}},{{\"id\":2}}]");
    insta::assert_snapshot!(titled(vec![
        (
            "lines",
            file("a.jsonl", lines, "max_record = \"1 KiB\"").await
        ),
        (
            "document",
            file("a.json", document, "max_record = \"1 KiB\"").await
        ),
    ]));
}

#[tokio::test]
async fn what_is_no_json_at_all_is_an_error_with_advice() {
    let utf16: Vec<u8> = "\u{feff}{\"id\":1}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let pretty = "{\n  \"id\": 1,\n  \"name\": \"x\"\n}\n";
    insta::assert_snapshot!(titled(vec![
        (
            "binary",
            file("a.jsonl", b"\x00\x01\x02\x03SQLite\x00\x10\x00", "").await
        ),
        ("UTF-16", file("a.jsonl", utf16, "").await),
        (
            "gzip without its ending",
            file("a.jsonl", b"\x1f\x8b\x08\x00rest", "").await
        ),
        ("zip", file("a.jsonl", b"PK\x03\x04rest", "").await),
        ("CSV", file("a.jsonl", "id,name\n1,x\n2,y\n", "").await),
        (
            "CSV as a document",
            file("a.json", "id,name\n1,x\n", "format = \"document\"").await
        ),
        ("pretty-printed", file("a.json", pretty, "").await),
        (
            "pretty-printed, read as a document",
            file("a.json", pretty, "format = \"document\"").await
        ),
        ("numbers", file("a.json", "[1,2,3]", "").await),
        (
            "a path that leads nowhere",
            file("a.json", r#"{"a":1,"b":[{"id":1}]}"#, "records = \"c\"").await
        ),
        ("empty", file("a.jsonl", "", "").await),
        ("empty array", file("a.json", "[]", "").await),
        ("not gzip", file("a.jsonl.gz", "{\"id\":1}", "").await),
        ("not zstd", file("a.jsonl.zst", "{\"id\":1}", "").await),
    ]));
}

#[tokio::test]
async fn a_path_that_names_nothing_to_read_is_an_error_with_advice() {
    let workshop = Workshop::with("folder/a.jsonl", "{}");
    workshop.write("fake.zip", "no archive");
    let mut cases = Vec::new();
    for path in ["missing.jsonl", "*.jsonl", "folder", "folder/b/*.jsonl"] {
        let source = workshop.source(&format!("path = \"{path}\""));
        cases.push((path, shown(&source, "records").await));
    }
    for root in ["nowhere", "fake.zip", "folder/a.jsonl"] {
        let error = workshop
            .open(&format!("root = \"{root}\""))
            .expect_err("no root");
        cases.push((root, error_shown(&error)));
    }
    let source = workshop.source("root = \"folder\"");
    cases.push(("another table", shown(&source, "b").await));
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn a_compressed_file_that_breaks_off_gives_what_came_before() {
    let lines: String = (0..50_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(lines.as_bytes()).expect("compressed");
    let whole = encoder.finish().expect("compressed");
    let mut damaged = whole.clone();
    let end = damaged.len() - 8;
    damaged[end] ^= 1;
    for (name, contents) in [("cut", &whole[..whole.len() / 2]), ("sum", &damaged[..])] {
        let workshop = Workshop::with("a.jsonl.gz", contents);
        let source = workshop.source("");
        assert_contract(source.clone(), "a").await;
        let text = shown(&source, "a").await;
        let around: Vec<&str> = text.lines().filter(|line| !line.starts_with('|')).collect();
        insta::assert_snapshot!(name, around.join("\n"));
    }
}

#[tokio::test]
async fn a_placeholder_must_not_be_called_as_a_field() {
    let workshop = Workshop::with("general.jsonl", "{\"channel\":1}");
    let source = workshop.source("path = \"{channel}.jsonl\"");
    insta::assert_snapshot!(shown(&source, "records").await);
}
