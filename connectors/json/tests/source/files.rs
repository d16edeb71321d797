//! Which files are read, and how.

use std::io::Write as _;

use chatferry_core::source::{Scan, SourceErrorKind};
use chatferry_testkit::servers;
use chatferry_testkit::source::assert_contract;
use futures::StreamExt;

use crate::workshop::{Workshop, rows, shown};

fn gz(contents: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(contents).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstd(contents: &[u8]) -> Vec<u8> {
    zstd::encode_all(contents, 1).expect("compressed")
}

#[tokio::test]
async fn a_folder_full_of_files_is_a_table_for_each() {
    let workshop = Workshop::new();
    workshop.write("users.json", r#"[{"id":1},{"id":2}]"#);
    workshop.write("rooms.ndjson", "{\"id\":1}\n");
    workshop.write("messages.jsonl.gz", gz(b"{\"id\":1}\n{\"id\":2}\n"));
    workshop.write("old.jsonl.zst", zstd(b"{\"id\":1}"));
    workshop.write("readme.txt", "no table");
    workshop.write("deeper/users.json", "[]");
    let source = workshop.source("");
    assert_eq!(
        source.tables().await.expect("tables"),
        ["messages", "old", "rooms", "users"]
    );
    for table in ["messages", "old", "rooms", "users"] {
        assert_contract(source.clone(), table).await;
    }
}

const OPTIONAL: &str = r#"tables.users = { path = "users.json", optional = true, schema = { id = "text", tags = ["text"] } }
tables.days = { path = "deep/{room}/{day}.json", optional = true, schema = { id = "text" } }
tables.inner = { path = "all.json", records = "a.b", optional = true, schema = { id = "text" } }"#;

#[tokio::test]
async fn a_table_that_is_optional_is_empty_where_there_is_nothing_to_read() {
    let workshop = Workshop::with("all.json", r#"{"a": {"c": [1]}}"#);
    workshop.write_zip("all.zip", &[("all.json", br#"{"a": {"c": [1]}}"#)]);
    for root in ["", "root = \"all.zip\"\n"] {
        let source = workshop.source(&format!("{root}{OPTIONAL}"));
        for table in ["users", "days", "inner"] {
            assert_contract(source.clone(), table).await;
        }
        insta::assert_snapshot!(
            "a_table_that_is_optional_is_empty",
            [
                shown(&source, "users").await,
                shown(&source, "days").await,
                shown(&source, "inner").await
            ]
            .join("\n")
        );
    }
}

#[tokio::test]
async fn a_table_that_is_optional_is_read_where_it_is_there() {
    let workshop = Workshop::with("users.json", r#"[{"id":1,"tags":["a"],"more":true}]"#);
    workshop.write("deep/a/1.json", r#"[{"id":"x"}]"#);
    workshop.write("all.json", r#"{"a": {"b": [{"id":7}]}}"#);
    let source = workshop.source(OPTIONAL);
    for table in ["users", "days", "inner"] {
        assert_contract(source.clone(), table).await;
        assert_eq!(rows(&source, table).await.expect("rows").rows.num_rows(), 1);
    }
    // What is there and cannot be read is no less wrong.
    workshop.write("users.json", "no JSON");
    let source = workshop.source(OPTIONAL);
    assert!(rows(&source, "users").await.is_err());
    let missing = workshop.open(&format!("root = \"nowhere\"\n{OPTIONAL}"));
    assert_eq!(
        missing.expect_err("no root").kind,
        SourceErrorKind::NotFound
    );
}

#[tokio::test]
async fn two_files_cannot_be_one_table() {
    let workshop = Workshop::new();
    workshop.write("users.json", "[]");
    workshop.write("users.jsonl", "");
    let error = workshop.source("").tables().await.expect_err("a clash");
    insta::assert_snapshot!(crate::workshop::error_shown(&error));
}

#[tokio::test]
async fn a_template_makes_columns_of_the_path_in_sorted_order() {
    let workshop = Workshop::new();
    workshop.write("export/b/2016-01-02.json", r#"[{"text":"third"}]"#);
    workshop.write("export/a/2016-01-02.json", r#"[{"text":"second"}]"#);
    workshop.write("export/a/2016-01-01.json", r#"[{"text":"first"}]"#);
    workshop.write("export/a/.hidden.json", "no");
    workshop.write("export/users.json", "[]");
    let source = workshop.source("root = \"export\"\ntables.messages = \"{channel}/{date}.json\"");
    assert_contract(source.clone(), "messages").await;
    insta::assert_snapshot!(shown(&source, "messages").await);
}

#[tokio::test]
async fn an_archive_is_read_without_being_unpacked() {
    let workshop = Workshop::new();
    workshop.write_zip(
        "export.zip",
        &[
            ("チャネル/1.json", b"[{\"id\":1}]"),
            ("general/1.json", b"[{\"id\":2}]"),
            ("general/2.jsonl.gz", &gz(b"{\"id\":3}\n")),
            ("__MACOSX/general/1.json", b"\0\0"),
            ("users.json", b"[{\"id\":4}]"),
        ],
    );
    let source = workshop.source(
        "root = \"export.zip\"\n[sources.legacy.tables]\nmessages = \"{channel}/*\"\nusers = \"users.json\"",
    );
    assert_contract(source.clone(), "messages").await;
    assert_contract(source.clone(), "users").await;
    insta::assert_snapshot!(shown(&source, "messages").await);
    assert_eq!(
        workshop
            .source("root = \"export.zip\"")
            .tables()
            .await
            .expect("tables"),
        ["users"]
    );
}

#[tokio::test]
async fn objects_of_a_store_are_read_where_they_lie() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("logs/a.jsonl.gz", gz(b"{\"id\":1}\n")).await;
    bucket.put("logs/b.jsonl", "{\"id\":2}\n{\"id\":3}\n").await;
    let workshop = Workshop::new();
    let settings = server.settings();
    let storage = settings.map(|(name, value)| format!("storage.{name} = \"{value}\"\n"));
    let (name, storage) = (bucket.name(), storage.concat());
    let source = workshop.source(&format!(
        "path = \"s3://{name}/logs/{{log}}.jsonl*\"\n{storage}"
    ));
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
    let source = workshop.source(&format!("root = \"s3://{name}/logs\"\n{storage}"));
    assert_eq!(source.tables().await.expect("tables"), ["a", "b"]);
    assert_contract(source, "b").await;
}

#[tokio::test]
async fn records_are_found_on_a_path_through_objects_and_arrays() {
    let workshop = Workshop::with(
        "export.json",
        r#"{"name":"x","guild":{"deep":[[1,"]"],{"messages":"no"}]},"channels":[
            {"name":"a","messages":[{"id":1},{"id":2}]},
            {"name":"b"},
            {"messages":[],"name":"c"},
            null,
            {"messages":{"id":3}}
        ],"count":3}"#,
    );
    let source = workshop.source("path = \"export.json\"\nrecords = \"channels.messages\"");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn marks_line_ends_and_blank_lines_do_not_matter() {
    let workshop = Workshop::with("a.jsonl", "\u{feff}\r\n\n{\"id\":1}\r\n  \n{\"id\":2}");
    let read = rows(&workshop.source(""), "a").await.expect("rows");
    assert_eq!((read.rows.num_rows(), read.rejected.len()), (2, 0));
}

#[tokio::test]
async fn a_file_that_changes_is_noticed() {
    let workshop = Workshop::with("a.jsonl", "{\"id\":1}\n");
    let source = workshop.source("");
    let table = source.describe("a").await.expect("described");
    workshop.write("a.jsonl", "{\"id\":1}\n{\"id\":2}\n");
    let scan = Scan::of(table, vec![0], 10);
    let batches: Vec<_> = source.scan(scan).collect().await;
    let [Err(error)] = batches.as_slice() else {
        panic!("one error")
    };
    assert_eq!(error.kind, SourceErrorKind::Changed);
    insta::assert_snapshot!(crate::workshop::error_shown(error));
}

#[tokio::test]
async fn a_batch_holds_no_more_than_a_few_megabytes() {
    let body = "x".repeat(1 << 20);
    let workshop = Workshop::with("a.jsonl", format!("{{\"body\":\"{body}\"}}\n").repeat(12));
    let source = workshop.source("");
    let table = source.describe("a").await.expect("described");
    let scan = Scan::of(table, vec![0], 1_000);
    let batches: Vec<_> = source
        .scan(scan)
        .map(|batch| batch.expect("rows").rows.num_rows())
        .collect()
        .await;
    assert_eq!(batches, [4, 4, 4]);
}
