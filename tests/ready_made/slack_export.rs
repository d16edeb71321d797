//! Slack, as its exports have it. The pipeline's first sample has tests of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::Folder;
use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{golden_with, real, rehearsed, sample};

/// Kinds of messages that people or applications wrote.
const WRITTEN: [&str; 9] = [
    "",
    "file_share",
    "thread_broadcast",
    "me_message",
    "bot_message",
    "file_comment",
    "reminder_add",
    "huddle_thread",
    "sh_room_created",
];

#[test]
fn the_account_of_an_export_of_everything_is_what_its_files_say() {
    let folder = sample("slack-export", "modern");
    let account = rehearsed("slack-export", &modern(&[]));
    assert_eq!(account, counted(&folder));
    assert_eq!(account["messages"]["imported"], 18);
    assert_eq!(account["messages"]["skipped: kind is unknown"], 1);
}

#[test]
fn what_no_list_names_is_counted_or_carried_along() {
    let account = rehearsed("slack-export", &modern(&[]));
    assert_eq!(account["messages"]["skipped: channel is in no list"], 1);

    let account = rehearsed(
        "slack-export",
        &modern(&["--set", "variables.unlisted=true"]),
    );
    assert_eq!(account["groups"]["imported"], 6);
    assert_eq!(account["members"]["imported"], 10);
    assert_eq!(account["messages"]["imported"], 19);
}

#[test]
fn without_bots_what_they_wrote_is_left_out_by_name() {
    let account = rehearsed("slack-export", &modern(&["--set", "variables.bots=false"]));
    assert_eq!(account["users"]["skipped: bot"], 3);
    assert_eq!(account["members"]["skipped: bot"], 1);
    assert_eq!(account["messages"]["skipped: bot"], 2);
}

#[test]
fn the_account_of_real_exports_is_what_their_files_say() {
    for name in [
        "slack-houstondatavis",
        "slack-zulip-fixture",
        "slack-zulip-unicode-fixture",
        "slack-mattermost-fixture",
    ] {
        if let Some(folder) = real(name) {
            let root = format!("sources.slack.root={}", folder.display());
            let account = rehearsed("slack-export", &["--set", &root]);
            assert_eq!(account, counted(&folder), "{name}");
        }
    }
}

#[test]
fn the_account_of_lists_of_real_exports_is_what_they_say() {
    if let Some(unit) = real("slack-mattermost-unit") {
        let part = |name: &str| read(&unit.join(format!("slack-import-test-{name}.json")));
        whole(&[
            ("users.json", part("users")),
            ("channels.json", part("channels")),
            ("groups.json", part("private-channels")),
            ("dms.json", part("direct-messages")),
            ("mpims.json", part("group-direct-messages")),
            ("artwork/2016-08-01.json", part("posts")),
        ]);
    }
    if let Some(extra) = real("slack-zulip-extra") {
        let part = |name: &str| read(&extra.join(name));
        whole(&[
            ("users.json", part("user_data.json")["members"].clone()),
            ("channels.json", part("channels.json")),
            ("dms.json", part("dms.json")),
            ("mpims.json", part("mpims.json")),
            ("general/2019-05-01.json", Value::Array(Vec::new())),
        ]);
    }
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let shown = golden_with("slack-export", &modern(&[]));
    assert!(!shown.contains("never"), "a token was kept");
    insta::assert_snapshot!(shown);
}

/// The arguments for the sample of an export of everything.
fn modern<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--set", "sources.slack.root=modern"];
    all.extend(more);
    all
}

/// Makes sure of the account of an export that consists of these files.
fn whole(files: &[(&str, Value)]) {
    let folder = Folder::new();
    for (name, contents) in files {
        folder.write(name, contents.to_string());
    }
    let root = format!("sources.slack.root={}", folder.path().display());
    let account = rehearsed("slack-export", &["--set", &root]);
    assert_eq!(account, counted(folder.path()));
}

/// The account that a first run must give.
fn counted(folder: &Path) -> BTreeMap<String, Rows> {
    let users = read(&folder.join("users.json"));
    let mut people: BTreeSet<String> = list(&users).iter().map(|user| text(&user["id"])).collect();
    let (mut known, mut groups, mut members) = (BTreeSet::new(), 0, 0);
    for name in ["channels", "groups", "dms", "mpims"] {
        let path = folder.join(format!("{name}.json"));
        let rooms = if path.exists() {
            read(&path)
        } else {
            Value::Null
        };
        for room in list(&rooms) {
            known.insert(text(&room["id"]));
            known.insert(text(&room["name"]));
            people.insert(text(&room["creator"]));
            let seated: BTreeSet<String> = list(&room["members"]).iter().map(text).collect();
            people.extend(seated.iter().cloned());
            if !(name == "dms" && seated.len() == 2) {
                groups += 1;
                members += seated.len();
            }
        }
    }

    let mut outcomes = BTreeMap::from([("read", 0)]);
    for (channel, message) in messages(folder) {
        let files = match list(&message["files"]).len() {
            0 if message["subtype"] == "file_share" && !message["file"].is_null() => 1,
            files => files,
        };
        let subtype = text(&message["subtype"]);
        let caller = Some(&message["room"]["created_by"]).filter(|_| subtype == "huddle_thread");
        let writers = [
            &message["user"],
            &message["comment"]["user"],
            &message["bot_id"],
        ];
        let author = caller
            .into_iter()
            .chain(writers)
            .map(text)
            .find(|id| !id.is_empty());
        if known.contains(&channel) {
            people.extend(author);
        }
        let outcome = if message["ts"].is_null() {
            "skipped: not a message"
        } else if subtype == "tombstone" {
            "skipped: deleted"
        } else if subtype == "brand_new" {
            "skipped: kind is unknown"
        } else if !WRITTEN.contains(&subtype.as_str()) {
            "skipped: channel notice"
        } else if !known.contains(&channel) {
            "skipped: channel is in no list"
        } else if files == 0 && !says_something(&message) {
            "skipped: nothing to show"
        } else {
            "imported"
        };
        *outcomes.entry(outcome).or_default() += files.max(1);
        *outcomes.entry("read").or_default() += files.max(1);
    }
    people.remove("");

    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    let outcomes: Vec<(&str, usize)> = outcomes.into_iter().collect();
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(groups)),
        ("members".into(), all(members)),
        ("messages".into(), rows(&outcomes)),
    ])
}

/// Whether a message without a file has a text somewhere.
fn says_something(message: &Value) -> bool {
    let card = &message["attachments"][0];
    let texts = [
        &message["text"],
        &message["comment"]["comment"],
        &card["title"],
        &card["text"],
        &card["fallback"],
    ];
    texts.iter().any(|said| !text(said).trim().is_empty())
        || message["blocks"].to_string().contains("\"text\":\"")
}

/// All messages, with the names of their folders.
fn messages(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for channel in std::fs::read_dir(folder).unwrap() {
        let channel = channel.unwrap();
        if !channel.path().is_dir() {
            continue;
        }
        for day in std::fs::read_dir(channel.path()).unwrap() {
            let name = channel.file_name().into_string().expect("a name");
            let day = read(&day.unwrap().path());
            found.extend(list(&day).iter().map(|one| (name.clone(), one.clone())));
        }
    }
    found
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("a document")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
