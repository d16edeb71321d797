//! A tap that is given the state that it told of, and goes on from there.

use chatferry_core::Bookmark;
use chatferry_core::source::Scan;
use chatferry_testkit::reading::{error_shown, rows, scanned};
use chatferry_testkit::source::{assert_contract, assert_reads_on};

use crate::workshop::Workshop;

const CATALOG: &str = r#"{"streams":[{"tap_stream_id":"db-log","stream":"log","schema":{"properties":{"at":{"type":"integer"}}}}]}"#;

/// Prints the lines of the file `log` that its state does not know.
const MESSAGES: &str = r#"
from=0
if [ -n "$state" ]; then from=$(tr -dc 0-9 < "$state"); cp "$state" given-state; fi
echo '{"type":"SCHEMA","stream":"log","schema":{"properties":{"at":{"type":"integer"}}}}'
number=0
while read -r at; do
    number=$((number + 1))
    if [ "$number" -gt "$from" ]; then echo "{\"type\":\"RECORD\",\"stream\":\"log\",\"record\":{\"at\":$at}}"; fi
    echo "{\"type\":\"STATE\",\"value\":{\"lines\": $number}}"
done < log
[ ! -e crash ]
"#;

fn workshop() -> Workshop {
    let workshop = Workshop::new(CATALOG, MESSAGES);
    workshop.write("log", "5\n6\nseven\n8\n");
    workshop
}

#[tokio::test]
async fn a_tap_goes_on_from_its_state() {
    for settings in [
        "state = true",
        "tables.log = { stream = \"db-log\", state = true }",
    ] {
        let workshop = workshop();
        let source = workshop.source(settings);
        assert_contract(source.clone(), "log").await;
        let write = async { workshop.write("log", "5\n6\nseven\n8\n9\n9\n") };
        assert_reads_on(source, "log", write).await;
        assert_eq!(workshop.read("given-state"), "{\"lines\": 6}");
    }
}

#[tokio::test]
async fn a_tap_is_told_no_state_unless_that_is_wanted() {
    for settings in [
        "",
        "state = true\ntables.log = { stream = \"db-log\", state = false }",
    ] {
        let workshop = workshop();
        let source = workshop.source(settings);
        let table = source.describe("log").await.expect("described");
        let scan = Scan {
            bookmark: Bookmark::since("{\"lines\": 2}"),
            ..Scan::of(table, vec![0], 10)
        };
        let bookmark = scan.bookmark.clone();
        let read = scanned(&source, scan).await;
        assert_eq!((read.rows.num_rows(), bookmark.left()), (3, None));
        assert_eq!(workshop.read("given-state"), "");
    }
}

#[tokio::test]
async fn the_state_of_a_tap_that_crashed_is_not_left() {
    let workshop = workshop();
    workshop.write("crash", "");
    let source = workshop.source("state = true");
    let table = source.describe("log").await.expect("described");
    let scan = Scan::of(table, vec![0], 10);
    let bookmark = scan.bookmark.clone();
    let read = scanned(&source, scan).await;
    assert_eq!(read.rows.num_rows(), 3);
    assert!(read.failed.is_some() && bookmark.left().is_none());
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_told_apart_by_the_state_that_they_follow() {
    let workshop = workshop();
    let source = workshop.source("state = true");
    let table = source.describe("log").await.expect("described");
    let mut places = Vec::new();
    for bookmark in [Bookmark::default(), Bookmark::since("{\"lines\": 2}")] {
        let scan = Scan {
            bookmark,
            ..Scan::of(table.clone(), vec![0], 10)
        };
        let read = scanned(&source, scan).await;
        places.push(read.rejected[0].place.clone().expect("a place").to_string());
    }
    insta::assert_snapshot!(places.join("\n"));
}

#[tokio::test]
async fn the_key_of_what_has_changed_is_a_column_of_the_stream() {
    let workshop = workshop();
    let keyed = workshop.source("tables.log = { stream = \"log\", replication_key = \"at\" }");
    rows(&keyed, "log").await.expect("described");
    let selected = workshop.read("selected.json");
    assert!(selected.contains(r#""replication-key":"at""#), "{selected}");
    let wrong = workshop.source("tables.log = { stream = \"log\", replication_key = \"when\" }");
    let error = wrong.tables().await.expect_err("no such key");
    insta::assert_snapshot!("key", error_shown(&error));
}
