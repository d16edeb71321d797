//! Discord, as DiscordChatExporter writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{documents, golden, real, rehearsed, sample};

/// Types of messages that people write.
const WRITTEN: [&str; 2] = ["Default", "Reply"];

#[test]
fn the_account_of_the_sample_is_what_its_files_say() {
    let account = rehearsed("discord", &[]);
    assert_eq!(account, counted(&sample("discord", "export")));
    assert_eq!(account["messages"]["imported"], 15);
}

#[test]
fn the_account_of_real_exports_is_what_their_files_say() {
    if let Some(folder) = real("discord-dce-samples") {
        let root = format!("sources.discord.root={}", folder.display());
        assert_eq!(rehearsed("discord", &["--set", &root]), counted(&folder));
    }
}

#[test]
fn without_bots_what_they_wrote_is_left_out_by_name() {
    let account = rehearsed("discord", &["--set", "variables.bots=false"]);
    assert_eq!(account["users"]["skipped: bot"], 1);
    assert_eq!(account["messages"]["skipped: bot"], 2);
}

#[test]
fn records_are_as_they_are_written_down_here() {
    insta::assert_snapshot!(golden("discord"));
}

/// The account that a first run must give.
fn counted(folder: &Path) -> BTreeMap<String, Rows> {
    let mut present: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut direct, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let (mut read, mut notices, mut empty, mut twice) = (0, 0, 0, 0);
    for document in documents(folder) {
        let channel = text(&document["channel"]["id"]);
        if document["channel"]["type"] == "DirectTextChat" {
            direct.insert(channel.clone());
        }
        let people = present.entry(channel).or_default();
        for message in list(&document["messages"]) {
            people.insert(text(&message["author"]["id"]));
            people.extend(
                list(&message["mentions"])
                    .iter()
                    .map(|person| text(&person["id"])),
            );
            for reaction in list(&message["reactions"]) {
                people.extend(
                    list(&reaction["users"])
                        .iter()
                        .map(|person| text(&person["id"])),
                );
            }
            let files = list(&message["attachments"]).len();
            read += files.max(1);
            let says = !text(&message["content"]).trim().is_empty()
                || !list(&message["stickers"]).is_empty();
            if !WRITTEN.contains(&message["type"].as_str().unwrap()) {
                notices += files.max(1);
            } else if files == 0 && !says {
                empty += 1;
            } else if !ids.insert(text(&message["id"])) {
                twice += files.max(1);
            }
        }
    }
    let everybody: BTreeSet<&String> = present.values().flatten().collect();
    let rooms = present
        .iter()
        .filter(|(channel, people)| !(direct.contains(*channel) && people.len() == 2));
    let members: usize = rooms.clone().map(|(_, people)| people.len()).sum();
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(everybody.len())),
        ("groups".into(), all(rooms.count())),
        ("members".into(), all(members)),
        (
            "messages".into(),
            rows(&[
                ("read", read),
                ("imported", read - notices - empty - twice),
                ("skipped: notice", notices),
                ("skipped: nothing to show", empty),
                ("rejected: duplicate-id", twice),
            ]),
        ),
    ])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
