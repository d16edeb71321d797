//! Stream Chat, as its import files have it.

use std::collections::{BTreeMap, BTreeSet};

use chatferry_tests::Folder;
use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{documents, golden, real, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_file_says() {
    let account = rehearsed("stream", &[]);
    assert_eq!(
        account,
        counted(&entries(documents(&sample("stream", "import"))))
    );
    assert_eq!(account["messages"]["imported"], 8);
}

#[test]
fn the_account_of_valid_files_of_the_vendor_is_what_they_say() {
    let Some(folder) = real("stream-import-validator") else {
        return;
    };
    for name in ["valid-data.json", "valid-channels-with-light.json"] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let alone = Folder::new();
        alone.write(name, &text);
        let root = format!("sources.stream.root={}", alone.path().display());
        let lines = entries(vec![serde_json::from_str(&text).unwrap()]);
        assert_eq!(
            rehearsed("stream", &["--set", &root]),
            counted(&lines),
            "{name}"
        );
    }
}

#[test]
fn lines_give_the_same_as_a_list() {
    let folder = Folder::new();
    let lines: Vec<String> = entries(documents(&sample("stream", "import")))
        .iter()
        .map(Value::to_string)
        .collect();
    folder.write("import.jsonl", lines.join("\n"));
    let root = format!("sources.stream.root={}", folder.path().display());
    assert_eq!(
        rehearsed("stream", &["--set", &root]),
        rehearsed("stream", &[])
    );
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let shown = golden("stream");
    assert!(!shown.contains("never"), "a signature was kept");
    insta::assert_snapshot!(shown);
}

fn entries(files: Vec<Value>) -> Vec<Value> {
    files
        .into_iter()
        .flat_map(|file| file.as_array().cloned().expect("a list"))
        .collect()
}

/// The account that a first run must give.
fn counted(lines: &[Value]) -> BTreeMap<String, Rows> {
    let of = |kind: &'static str| {
        lines
            .iter()
            .filter(move |line| line["type"] == kind)
            .map(|line| line.get("item").unwrap_or(&line["data"]))
    };
    let mut people: BTreeSet<&str> = of("user").map(|user| text(&user["id"])).collect();
    let mut members: BTreeSet<(String, &str)> = BTreeSet::new();
    let mut channels: BTreeMap<String, bool> = BTreeMap::new();
    for channel in of("channel") {
        people.insert(text(&channel["created_by"]));
        let key = key(&channel["type"], &channel["id"], &channel["member_ids"]);
        let seated = list(&channel["member_ids"]).iter().map(text);
        members.extend(seated.map(|person| (key.clone(), person)));
        let id = text(&channel["id"]);
        channels.insert(key, id.is_empty() || id.starts_with("!members-"));
    }
    for member in of("member") {
        let key = key(
            &member["channel_type"],
            &member["channel_id"],
            &member["channel_member_ids"],
        );
        members.insert((key, text(&member["user_id"])));
    }
    people.extend(members.iter().map(|(_, person)| person));
    let pairs: BTreeSet<String> = channels
        .iter()
        .filter(|(key, distinct)| {
            **distinct && members.iter().filter(|(at, _)| at == *key).count() == 2
        })
        .map(|(key, _)| key.clone())
        .collect();
    members.retain(|(key, _)| !pairs.contains(key));
    let outside = members
        .iter()
        .filter(|(key, _)| !channels.contains_key(key))
        .count();

    let mut outcomes = BTreeMap::from([("read", 0)]);
    for message in of("message") {
        people.insert(text(&message["user"]));
        let key = key(
            &message["channel_type"],
            &message["channel_id"],
            &message["channel_member_ids"],
        );
        let files = list(&message["attachments"])
            .iter()
            .filter(|file| file["og_scrape_url"].is_null())
            .count();
        let outcome = match text(&message["type"]) {
            "deleted" => "skipped: deleted",
            "system" => "skipped: notice",
            _ if !channels.contains_key(&key) => "skipped: channel is not in the file",
            _ if message["created_at"].is_null() => "skipped: time is unknown",
            _ if files == 0 && text(&message["text"]).trim().is_empty() => {
                "skipped: nothing to show"
            }
            _ => "imported",
        };
        *outcomes.entry(outcome).or_default() += files.max(1);
        *outcomes.entry("read").or_default() += files.max(1);
    }
    let outcomes: Vec<(&str, usize)> = outcomes.into_iter().collect();
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(channels.len() - pairs.len())),
        (
            "members".into(),
            rows(&[
                ("read", members.len()),
                ("imported", members.len() - outside),
                ("skipped: channel is not in the file", outside),
            ]),
        ),
        ("messages".into(), rows(&outcomes)),
    ])
}

/// What a channel is known by: its id, or its members.
fn key(kind: &Value, id: &Value, members: &Value) -> String {
    let members: BTreeSet<&str> = list(members).iter().map(text).collect();
    format!("{}:{}{members:?}", text(kind), text(id))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
