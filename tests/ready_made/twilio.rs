//! Twilio Conversations, as the answers of its API have it. There is no real export to try it on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{answers, golden_with, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_files_say() {
    let folder = sample("twilio", "export");
    let account = rehearsed("twilio", &[]);
    assert_eq!(account, counted(&folder, true));
    assert_eq!(account["messages"]["imported"], 7);

    let account = rehearsed("twilio", &["--set", "variables.direct=false"]);
    assert_eq!(account, counted(&folder, false));
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let files = "variables.files=https://files.example.org/twilio/";
    insta::assert_snapshot!(golden_with("twilio", &["--set", files]));
}

/// The account that a first run must give.
fn counted(folder: &Path, direct: bool) -> BTreeMap<String, Rows> {
    let users = answers(folder, "users", "users");
    let conversations = answers(folder, "conversations", "conversations");
    let participants = answers(folder, "participants", "participants");
    let messages = answers(folder, "messages", "messages");

    let mut people: BTreeSet<&str> = users.iter().map(|user| text(&user["identity"])).collect();
    let mut seated: BTreeMap<&str, BTreeSet<&str>> = conversations
        .iter()
        .map(|conversation| (text(&conversation["sid"]), BTreeSet::new()))
        .collect();
    let known: BTreeSet<&str> = seated.keys().copied().collect();
    for participant in &participants {
        let address = &participant["messaging_binding"]["address"];
        let who = participant["identity"].as_str().unwrap_or(text(address));
        people.insert(who);
        let room = text(&participant["conversation_sid"]);
        seated.entry(room).or_default().insert(who);
    }
    seated.retain(|_, people| !(direct && people.len() == 2));
    let members: usize = seated.values().map(BTreeSet::len).sum();
    let outside = seated.keys().filter(|room| !known.contains(*room));
    let outside: usize = outside.map(|room| seated[room].len()).sum();

    let mut outcomes = BTreeMap::from([("read", 0)]);
    for message in &messages {
        people.insert(text(&message["author"]));
        let files = list(&message["media"]).len();
        let outcome = if !known.contains(text(&message["conversation_sid"])) {
            "skipped: conversation is not in the file"
        } else if files == 0 && text(&message["body"]).trim().is_empty() {
            "skipped: nothing to show"
        } else {
            "imported"
        };
        *outcomes.entry(outcome).or_default() += files.max(1);
        *outcomes.entry("read").or_default() += files.max(1);
    }
    let outcomes: Vec<(&str, usize)> = outcomes.into_iter().collect();
    let groups = seated.keys().filter(|room| known.contains(*room)).count();
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(groups)),
        (
            "members".into(),
            rows(&[
                ("read", members),
                ("imported", members - outside),
                ("skipped: conversation is not in the file", outside),
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
