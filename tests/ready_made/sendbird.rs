//! Sendbird, as the answers of its API have it. There is no real export to try it on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{answers, golden, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_files_say() {
    let account = rehearsed("sendbird", &[]);
    assert_eq!(account, counted(&sample("sendbird", "export")));
    assert_eq!(account["messages"]["imported"], 7);
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let shown = golden("sendbird");
    assert!(!shown.contains("never"), "a token was kept");
    insta::assert_snapshot!(shown);
}

/// The account that a first run must give.
fn counted(folder: &Path) -> BTreeMap<String, Rows> {
    let users = answers(folder, "users", "users");
    let mut people: BTreeSet<&str> = users.iter().map(|user| text(&user["user_id"])).collect();
    let mut channels = answers(folder, "group_channels", "channels");
    channels.extend(answers(folder, "open_channels", "channels"));
    let known: BTreeSet<&str> = channels.iter().map(|it| text(&it["channel_url"])).collect();
    let (mut groups, mut members, mut invited) = (0, 0, 0);
    for channel in &channels {
        let seated = if channel["members"].is_null() {
            list(&channel["operators"])
        } else {
            list(&channel["members"])
        };
        people.extend(seated.iter().map(|member| text(&member["user_id"])));
        people.insert(text(&channel["created_by"]["user_id"]));
        if channel["is_distinct"] == true && seated.len() == 2 {
            continue;
        }
        groups += 1;
        members += seated.len();
        invited += seated
            .iter()
            .filter(|one| one["state"] == "invited")
            .count();
    }
    let messages = answers(folder, "messages", "messages");
    let mut outcomes = BTreeMap::from([("read", 0)]);
    for message in &messages {
        people.insert(text(&message["user"]["user_id"]));
        let one = usize::from(!message["file"]["url"].is_null());
        let files = list(&message["files"]).len().max(one);
        let outcome = if message["is_removed"] == true {
            "skipped: deleted"
        } else if message["type"] == "ADMM" {
            "skipped: notice"
        } else if !known.contains(text(&message["channel_url"])) {
            "skipped: channel is not in the file"
        } else if files == 0 && text(&message["message"]).trim().is_empty() {
            "skipped: nothing to show"
        } else {
            "imported"
        };
        *outcomes.entry(outcome).or_default() += files.max(1);
        *outcomes.entry("read").or_default() += files.max(1);
    }
    people.remove("");
    let outcomes: Vec<(&str, usize)> = outcomes.into_iter().collect();
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(groups)),
        (
            "members".into(),
            rows(&[
                ("read", members),
                ("imported", members - invited),
                ("skipped: did not join", invited),
            ]),
        ),
        ("messages".into(), rows(&outcomes)),
    ])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
