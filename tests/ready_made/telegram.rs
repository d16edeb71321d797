//! Telegram, as Telegram Desktop exports it.

use std::collections::{BTreeMap, BTreeSet};

use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{documents, golden_with, real, rehearsed, sample};

const ACCOUNT: &str = "views.read=SELECT * FROM telegram.chats UNION ALL BY NAME \
                       SELECT * FROM telegram.left_chats";

#[test]
fn the_account_of_chats_exported_one_by_one_is_what_their_files_say() {
    let mut chats = documents(&sample("telegram", "export/ChatExport_2019-08-01"));
    chats.extend(documents(&sample(
        "telegram",
        "export/ChatExport_2022-05-10",
    )));
    assert_eq!(rehearsed("telegram", &[]), counted(&chats, None));
    assert_eq!(
        rehearsed("telegram", &["--set", "variables.me=user801"]),
        counted(&chats, Some("user801"))
    );
}

#[test]
fn the_account_of_a_whole_account_is_what_its_file_says() {
    let chats = chats_of_the_sample();
    let account = rehearsed("telegram", &whole(&[]));
    assert_eq!(account, counted(&chats, Some("user100")));
    assert_eq!(account["messages"]["imported"], 17);
}

#[test]
fn the_account_of_real_exports_is_what_their_files_say() {
    if let Some(folder) = real("telegram-samples") {
        let root = format!("sources.telegram.root={}", folder.display());
        let account = rehearsed("telegram", &["--set", &root]);
        assert_eq!(account, counted(&documents(&folder), None));
    }
}

#[test]
fn without_bots_chats_with_them_are_left_out_by_name() {
    let account = rehearsed("telegram", &whole(&["--set", "variables.bots=false"]));
    assert_eq!(account["users"]["skipped: bot"], 1);
    assert_eq!(account["messages"]["skipped: bot"], 2);
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let files = "variables.files=https://files.example.org/telegram/";
    insta::assert_snapshot!(golden_with("telegram", &whole(&["--set", files])));
}

/// The arguments for the sample of a whole account.
fn whole<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let root = "sources.telegram.root=account";
    let mut all = vec!["--set", root, "--set", ACCOUNT];
    all.extend(["--set", "variables.me=user100"]);
    all.extend(more);
    all
}

fn chats_of_the_sample() -> Vec<Value> {
    let [account]: [Value; 1] = documents(&sample("telegram", "account"))
        .try_into()
        .expect("one file");
    let lists = ["chats", "left_chats"];
    lists
        .iter()
        .flat_map(|list| account[list]["list"].as_array().unwrap().clone())
        .collect()
}

/// The account that a first run must give for these chats.
fn counted(chats: &[Value], me: Option<&str>) -> BTreeMap<String, Rows> {
    let mut everybody = BTreeSet::new();
    let (mut groups, mut members) = (0, 0);
    let (mut read, mut notices, mut unsupported, mut empty) = (0, 0, 0, 0);
    for chat in chats {
        let mut people = BTreeSet::new();
        for message in chat["messages"].as_array().unwrap() {
            read += 1;
            let who = ["from_id", "actor_id"]
                .iter()
                .find_map(|key| match &message[*key] {
                    Value::String(id) => Some(id.clone()),
                    Value::Number(id) => Some(format!("user{id}")),
                    _ => None,
                });
            match message["type"].as_str().unwrap() {
                "message" if is_empty(message) => empty += 1,
                "message" => {}
                "service" => notices += 1,
                _ => {
                    unsupported += 1;
                    continue;
                }
            }
            people.insert(who.expect("the samples name everybody"));
        }
        everybody.extend(people.iter().cloned());
        let direct = matches!(chat["type"].as_str().unwrap(), "personal_chat" | "bot_chat");
        let other = format!("user{}", chat["id"]);
        match people.len() {
            1 if direct && !people.contains(&other) => everybody.insert(other),
            1 if direct && me.is_some() => everybody.insert(me.unwrap().to_owned()),
            2 if direct => true,
            many => {
                groups += 1;
                members += many;
                true
            }
        };
    }
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(everybody.len())),
        ("groups".into(), all(groups)),
        ("members".into(), all(members)),
        (
            "messages".into(),
            rows(&[
                ("read", read),
                ("imported", read - notices - unsupported - empty),
                ("skipped: notice", notices),
                ("skipped: unsupported", unsupported),
                ("skipped: nothing to show", empty),
            ]),
        ),
    ])
}

/// Whether a message has neither text nor any of the things that are carried along.
fn is_empty(message: &Value) -> bool {
    let things = [
        "photo",
        "file",
        "contact_information",
        "location_information",
        "game_title",
        "poll",
    ];
    let says = match &message["text"] {
        Value::String(text) => !text.trim().is_empty(),
        text => !text.as_array().unwrap().is_empty(),
    };
    !says && things.iter().all(|thing| message[thing].is_null())
}
