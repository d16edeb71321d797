//! Rocket.Chat, as its collections are exported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::account::{Rows, rows};
use chatferry_tests::repository;
use serde_json::Value;

use crate::{golden_with, real, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_lines_say() {
    let account = rehearsed("rocketchat", &[]);
    assert_eq!(account, counted(&sample("rocketchat", "dump")));
    assert_eq!(account["messages"]["imported"], 14);
}

#[test]
fn the_account_of_a_real_dump_is_what_its_lines_say() {
    if let Some(folder) = real("rocketchat-zulip-fixture") {
        let root = format!("sources.rocketchat.root={}", folder.display());
        let account = rehearsed("rocketchat", &["--set", &root]);
        assert_eq!(account, counted(&folder));
        assert_eq!(account["messages"]["imported"], 47);
    }
}

#[test]
fn without_bots_and_livechat_they_are_left_out_by_name() {
    let account = rehearsed(
        "rocketchat",
        &[
            "--set",
            "variables.bots=false",
            "--set",
            "variables.livechat=false",
        ],
    );
    assert_eq!(account["users"]["skipped: bot"], 1);
    assert_eq!(account["users"]["skipped: livechat"], 1);
    assert_eq!(account["groups"]["skipped: livechat"], 1);
    assert_eq!(account["members"]["skipped: livechat"], 2);
    assert_eq!(account["messages"]["skipped: bot"], 2);
    assert_eq!(account["messages"]["skipped: livechat"], 2);
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let files = "variables.files=https://files.example.org";
    let shown = golden_with("rocketchat", &["--set", files]);
    assert!(
        !shown.contains("never"),
        "something was read that must not be"
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn the_live_database_is_read_by_the_same_views_and_flows() {
    let behind_the_sources = |name: &str| {
        let file = repository()
            .join("pipelines")
            .join(name)
            .join("pipeline.toml");
        let text = std::fs::read_to_string(file).expect("a pipeline");
        let (_, behind) = text.split_once("\n[views]\n").expect("views");
        behind.to_owned()
    };
    assert_eq!(
        behind_the_sources("rocketchat-mongodb"),
        behind_the_sources("rocketchat")
    );
}

/// The account that a first run must give.
fn counted(folder: &Path) -> BTreeMap<String, Rows> {
    let users = lines(folder, "users");
    let rooms = lines(folder, "rocketchat_room");
    let messages = lines(folder, "rocketchat_message");
    let subscriptions = lines(folder, "rocketchat_subscription");

    let ids: BTreeMap<&str, &str> = users
        .iter()
        .map(|user| (text(&user["username"]), text(&user["_id"])))
        .collect();
    let mut people: BTreeSet<&str> = ids.values().copied().collect();
    let known: BTreeSet<&str> = rooms.iter().map(|room| text(&room["_id"])).collect();
    let mut pairs = BTreeSet::new();
    let mut members = BTreeSet::new();
    for room in &rooms {
        let id = text(&room["_id"]);
        people.insert(text(&room["u"]["_id"]));
        let seated: BTreeSet<&str> = match (text(&room["t"]), &room["uids"]) {
            ("d", Value::Null) => list(&room["usernames"])
                .iter()
                .map(|name| ids[text(name)])
                .collect(),
            ("d", uids) => list(uids).iter().map(text).collect(),
            ("l", _) => [text(&room["v"]["_id"]), text(&room["servedBy"]["_id"])].into(),
            _ => BTreeSet::new(),
        };
        people.extend(&seated);
        if text(&room["t"]) == "d" && seated.len() == 2 {
            pairs.insert(id);
        }
        members.extend(seated.into_iter().map(|person| (id, person)));
    }
    for user in &users {
        let rooms = list(&user["__rooms"]).iter();
        members.extend(rooms.map(|room| (text(room), text(&user["_id"]))));
    }
    for joined in &subscriptions {
        members.insert((text(&joined["rid"]), text(&joined["u"]["_id"])));
    }
    members.retain(|(room, _)| !pairs.contains(room));
    let outside = members
        .iter()
        .filter(|(room, _)| !known.contains(room))
        .count();

    let mut outcomes = BTreeMap::from([("read", 0)]);
    for message in &messages {
        people.insert(text(&message["u"]["_id"]));
        let attachments = list(&message["attachments"]);
        let is_file = |one: &&Value| {
            text(&one["title_link"]).starts_with('/') && one["message_link"].is_null()
        };
        let files = attachments.iter().filter(is_file).count();
        let says = !text(&message["msg"]).trim().is_empty()
            || attachments.iter().any(|one| !text(&one["text"]).is_empty());
        let outcome = match text(&message["t"]) {
            _ if message["_hidden"] == true => "skipped: edit history",
            "rm" => "skipped: deleted",
            "e2e" => "skipped: encrypted",
            "" if !known.contains(text(&message["rid"])) => "skipped: room is not in the dump",
            "" if files == 0 && !says => "skipped: nothing to show",
            "" => "imported",
            _ => "skipped: notice",
        };
        *outcomes.entry(outcome).or_default() += files.max(1);
        *outcomes.entry("read").or_default() += files.max(1);
    }
    people.remove("");
    let outcomes: Vec<(&str, usize)> = outcomes.into_iter().collect();

    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(rooms.len() - pairs.len())),
        (
            "members".into(),
            rows(&[
                ("read", members.len()),
                ("imported", members.len() - outside),
                ("skipped: room is not in the dump", outside),
            ]),
        ),
        ("messages".into(), rows(&outcomes)),
    ])
}

/// The documents of a collection; none where the dump has none.
fn lines(folder: &Path, collection: &str) -> Vec<Value> {
    let lines = std::fs::read_to_string(folder.join(format!("{collection}.jsonl")));
    lines
        .unwrap_or_default()
        .lines()
        .map(|line| serde_json::from_str(line).expect("a document"))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
