//! What is said of files and records that cannot be read.

use std::io::Write as _;

use chatferry_core::source::{Scan, SourceErrorKind};
use chatferry_testkit::reading::scanned;
use chatferry_testkit::source::assert_contract;

use crate::workshop::{Workshop, file, shown, titled};

#[tokio::test]
async fn a_record_that_cannot_be_read_is_rejected_with_its_place_and_the_others_go_on() {
    let text = b"id,text,more
1,a,x
2,a
3,a,b,c
4,\xff,x
5,\"a\nb\"c,x
6,zero\0,x
7,\"two
lines\",x
8,\"\xc3\x28\",x
9,b,y
10,\"never closed,x
11,c,z
";
    insta::assert_snapshot!(file(text, "").await);
}

#[tokio::test]
async fn records_that_are_too_short_can_be_filled_with_nulls() {
    let text = "id,text,more\n1,a,x\n2\n3,a\n4,a,b,c\n";
    insta::assert_snapshot!(file(text, "short_rows = \"null\"").await);
}

#[tokio::test]
async fn places_are_those_of_the_file_as_it_is_stored() {
    let text = "\u{feff}id,text\n1,Grüße 👋\n2,日本,\n3,a\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut lone = utf16.clone();
    // A half of a pair where the last `a` was.
    let at = lone.len() - 4;
    lone[at..at + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
    insta::assert_snapshot!(titled(vec![
        ("UTF-8", file(text, "").await),
        ("UTF-16", file(utf16, "").await),
        ("half a pair", file(lone, "").await),
        (
            "Windows-1252",
            file(b"id,text\n1,\xfc\xfc\n2\n", "encoding = \"windows-1252\"").await
        ),
        (
            "cut off within a character",
            file(
                "id,text\n1,ü"
                    .as_bytes()
                    .strip_suffix(b"\xbc")
                    .expect("half of it"),
                ""
            )
            .await
        ),
    ]));
}

#[tokio::test]
async fn a_record_that_is_too_long_is_rejected_and_never_held() {
    let long = "x".repeat(3_000_000);
    let lines = "line\r\n".repeat(300_000);
    insta::assert_snapshot!(titled(vec![
        (
            "a field",
            file(
                format!("id,text\n1,a\n2,{long}\n3,b\n"),
                "max_record = \"1 KiB\""
            )
            .await
        ),
        (
            "a field of many lines",
            file(
                format!("id,text\r\n1,a\r\n2,\"{lines}\"\r\n3,b,c\r\n"),
                "max_record = \"1 KiB\""
            )
            .await
        ),
        (
            "a quote that is never closed",
            file(
                format!("id,text\n1,a\n2,\"{lines}\n3,b\n"),
                "max_record = \"1 KiB\""
            )
            .await
        ),
        (
            "at the end",
            file(format!("id,text\n1,a\n2,{long}"), "max_record = \"1 KiB\"").await
        ),
    ]));
}

#[tokio::test]
async fn what_is_no_text_at_all_is_an_error_with_advice() {
    let utf16: Vec<u8> = "id,text\n1,a\n2,b\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let binary: Vec<u8> = (0..200_u8).map(|byte| byte % 23).collect();
    insta::assert_snapshot!(titled(vec![
        ("binary", file(binary, "").await),
        ("UTF-16 without a mark", file(utf16, "").await),
        (
            "gzip without its ending",
            file(b"\x1f\x8b\x08\x00rest", "").await
        ),
        ("a workbook", file(b"PK\x03\x04\x14\x00rest", "").await),
        ("empty", file("", "").await),
        ("only a header", file("id,text\n", "").await),
        ("no row that fits", file("id,text\n1\n2,3,4\n", "").await),
        (
            "a header that cannot be read",
            file(b"id,\xff\n1,2\n", "").await
        ),
        ("another delimiter", file("id;text\n1;a\n", "").await),
        (
            "a schema of what is not there",
            file("id,text\n1,a\n", "schema = { ident = \"bigint\" }").await
        ),
    ]));
}

#[tokio::test]
async fn a_compressed_file_that_breaks_off_gives_what_came_before() {
    let lines: String = (0..50_000).map(|id| format!("{id},text {id}\n")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(b"id,text\n").expect("compressed");
    encoder.write_all(lines.as_bytes()).expect("compressed");
    let whole = encoder.finish().expect("compressed");
    let workshop = Workshop::with("a.csv.gz", &whole[..whole.len() / 2]);
    let source = workshop.source("");
    assert_contract(source.clone(), "a").await;
    let text = shown(&source, "a").await;
    let around: Vec<&str> = text.lines().filter(|line| !line.starts_with('|')).collect();
    insta::assert_snapshot!(around.join("\n"));
}

#[tokio::test]
async fn a_file_that_changes_or_goes_away_is_noticed() {
    for change in [true, false] {
        let workshop = Workshop::with("a.csv", "id\n1\n");
        let source = workshop.source("");
        let described = source.describe("a").await.expect("described");
        match change {
            true => workshop.write("a.csv", "id\n1\n2\n"),
            false => std::fs::remove_file(workshop.path("a.csv")).expect("removed"),
        }
        let read = scanned(&source, Scan::of(described, vec![0], 10)).await;
        assert_eq!(
            read.failed.expect("an error").kind,
            SourceErrorKind::Changed
        );
    }
}
