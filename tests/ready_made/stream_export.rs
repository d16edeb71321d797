//! Stream Chat, as its exports of channels have it. There is no real export to try it on.

use std::collections::{BTreeMap, BTreeSet};

use chatferry_tests::Folder;
use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{documents, golden, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_file_says() {
    let account = rehearsed("stream-export", &[]);
    assert_eq!(account, counted(&channels()));
    assert_eq!(account["messages"]["imported"], 5);
}

#[test]
fn lines_give_the_same_as_a_list() {
    let folder = Folder::new();
    let lines: Vec<String> = channels().iter().map(Value::to_string).collect();
    folder.write("export.jsonl", lines.join("\n"));
    let root = format!("sources.stream.root={}", folder.path().display());
    assert_eq!(
        rehearsed("stream-export", &["--set", &root]),
        counted(&channels())
    );
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let shown = golden("stream-export");
    assert!(!shown.contains("never"), "a signature was kept");
    insta::assert_snapshot!(shown);
}

fn channels() -> Vec<Value> {
    let files = documents(&sample("stream-export", "export"));
    files
        .iter()
        .flat_map(|file| list(file).iter().cloned())
        .collect()
}

/// The account that a first run must give.
fn counted(channels: &[Value]) -> BTreeMap<String, Rows> {
    let mut people = BTreeSet::new();
    let (mut groups, mut members) = (0, 0);
    let mut outcomes = BTreeMap::from([("read", 0)]);
    for channel in channels {
        people.insert(text(&channel["channel"]["created_by"]["id"]));
        let seated: BTreeSet<&str> = list(&channel["members"])
            .iter()
            .map(|member| text(&member["user_id"]))
            .collect();
        people.extend(&seated);
        let distinct = text(&channel["channel"]["id"]).starts_with("!members-");
        if !(distinct && seated.len() == 2) {
            groups += 1;
            members += seated.len();
        }
        for message in list(&channel["messages"]) {
            people.insert(text(&message["user"]["id"]));
            let files = list(&message["attachments"])
                .iter()
                .filter(|file| file["og_scrape_url"].is_null())
                .count();
            let outcome = match text(&message["type"]) {
                "deleted" => "skipped: deleted",
                "system" => "skipped: notice",
                _ if files == 0 && text(&message["text"]).trim().is_empty() => {
                    "skipped: nothing to show"
                }
                _ => "imported",
            };
            *outcomes.entry(outcome).or_default() += files.max(1);
            *outcomes.entry("read").or_default() += files.max(1);
        }
    }
    let outcomes: Vec<(&str, usize)> = outcomes.into_iter().collect();
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(groups)),
        ("members".into(), all(members)),
        ("messages".into(), rows(&outcomes)),
    ])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
