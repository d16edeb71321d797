//! Zulip, as it exports an organisation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::Folder;
use chatferry_tests::account::{self, Rows, rows};
use chatferry_tests::pipeline;
use serde_json::Value;

use crate::{documents, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_documents_say() {
    let counted = counted(&sample("zulip-export", "export"), true);
    assert_eq!(rehearsed("zulip-export", &[]), counted);
    let files = "variables.files=https://files.example.org/uploads/";
    assert_eq!(rehearsed("zulip-export", &["--set", files]), counted);
    assert!(counted["messages"]["imported"] > 60, "{counted:?}");
}

#[test]
fn without_bots_what_they_wrote_and_read_is_left_out_by_name() {
    let account = rehearsed("zulip-export", &["--set", "variables.bots=false"]);
    let counted = counted(&sample("zulip-export", "export"), false);
    assert_eq!(account, counted);
    assert_eq!(account["messages"]["skipped: bot"], 3);
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let files = "variables.files=https://files.example.org/uploads/";
    let pipeline = pipeline("zulip-export");
    // Without the long ones behind them.
    let shown = Folder::new().run(&["preview", &pipeline, "-n", "24", "--set", files]);
    insta::assert_snapshot!(shown.expect(0).out);
}

/// An older export lacks what was added since, and one without uploads has no list of them.
#[test]
fn what_an_export_may_lack_is_lacking() {
    let folder = Folder::new();
    for document in std::fs::read_dir(sample("zulip-export", "export")).unwrap() {
        let path = document.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !path.is_file() || name == "attachment.json" {
            continue;
        }
        let mut document: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for key in ["zerver_realmauditlog", "zerver_reaction"] {
            document.as_object_mut().unwrap().remove(key);
        }
        folder.write(name, document.to_string());
    }
    let root = format!("sources.zulip.root={}", folder.path().display());
    let account = rehearsed("zulip-export", &["--set", &root]);
    let whole = counted(&sample("zulip-export", "export"), true);
    assert_eq!(account["users"], whole["users"]);
    assert_eq!(account["members"], whole["members"]);
    // Of the two messages with more than one row for their files, one is left.
    assert!(account["messages"]["imported"] < whole["messages"]["imported"]);
}

#[test]
fn the_uploads_beside_the_export_are_copied() {
    let folder = Folder::new();
    let (pipeline, root) = (pipeline("zulip-export"), sample("zulip-export", "export"));
    let (root, ledger) = (root.display().to_string(), folder.file("zulip.ledger"));
    let shared = ["--set", "variables.files=uploads/", "--ledger", &ledger];
    let mut arguments = vec!["attachments", &pipeline, "--to", "store", "--root", &root];
    arguments.extend([
        "--public",
        "https://cdn.example.org/zulip",
        "--format",
        "json",
    ]);
    arguments.extend(shared);
    let copied = account::json(&folder.run(&arguments).expect(0));
    assert_eq!(
        (&copied["found"], &copied["copied"]),
        (&3.into(), &3.into()),
        "{copied}"
    );
    let mut arguments = vec!["preview", &pipeline, "--id", "1007"];
    arguments.extend(shared);
    let preview = folder.run(&arguments).expect(0).out;
    assert!(
        preview.contains("\"url\": \"https://cdn.example.org/zulip/"),
        "{preview}"
    );
    assert!(preview.contains("\"name\": \"plan.pdf\""), "{preview}");
}

/// The account that a first run must give.
fn counted(folder: &Path, bots: bool) -> BTreeMap<String, Rows> {
    let documents = documents(folder);
    let all = |key: &str| -> Vec<&Value> {
        let lists = documents
            .iter()
            .filter_map(|document| document[key].as_array());
        lists.flatten().collect()
    };
    let id = |value: &Value| value.as_i64().unwrap_or_default();
    let of = |key: &str| -> BTreeMap<i64, &Value> {
        let listed = all(key).into_iter();
        listed.map(|one| (id(&one["id"]), one)).collect()
    };
    let (users, dummies) = (
        of("zerver_userprofile"),
        of("zerver_userprofile_mirrordummy"),
    );
    let system = of("zerver_userprofile_crossrealm");
    let (streams, recipients) = (of("zerver_stream"), of("zerver_recipient"));
    let is_bot = |user: i64| {
        let bot = users.get(&user).is_some_and(|user| user["is_bot"] == true);
        bot || system.contains_key(&user)
    };
    let is_left_out = |user: i64| !bots && is_bot(user);
    let is_known = |user: i64| users.contains_key(&user) || dummies.contains_key(&user);
    let subscribed = |recipient: i64| -> BTreeSet<i64> {
        let all = all("zerver_subscription").into_iter();
        let of = all.filter(|one| id(&one["recipient"]) == recipient);
        of.map(|one| id(&one["user_profile"])).collect()
    };
    let kind = |recipient: i64| recipients.get(&recipient).map_or(0, |it| id(&it["type"]));
    let target = |recipient: i64| {
        recipients
            .get(&recipient)
            .map_or(0, |it| id(&it["type_id"]))
    };
    let crowds: BTreeSet<i64> = recipients
        .keys()
        .copied()
        .filter(|recipient| kind(*recipient) == 3 && subscribed(*recipient).len() > 2)
        .collect();

    let bots_among =
        |users: &mut dyn Iterator<Item = i64>| users.filter(|it| is_left_out(*it)).count();
    let people = users.len() + dummies.len();
    let bot_people = bots_among(&mut users.keys().copied());
    let mut account = BTreeMap::from([
        (
            "users".to_owned(),
            rows(&[
                ("read", people),
                ("imported", people - bot_people),
                ("skipped: bot", bot_people),
            ]),
        ),
        (
            "streams".to_owned(),
            rows(&[("read", streams.len()), ("imported", streams.len())]),
        ),
        (
            "direct messages of more than two".to_owned(),
            rows(&[("read", crowds.len()), ("imported", crowds.len())]),
        ),
    ]);

    let mut members: BTreeMap<&str, usize> = BTreeMap::new();
    for one in all("zerver_subscription") {
        let (user, recipient) = (id(&one["user_profile"]), id(&one["recipient"]));
        let is_stream = kind(recipient) == 2;
        if !is_stream && !crowds.contains(&recipient) {
            continue;
        }
        let outcome = match user {
            _ if is_stream && one["active"] != true => "skipped: left",
            user if !is_known(user) && !system.contains_key(&user) => {
                "skipped: user is not in the export"
            }
            user if system.contains_key(&user) => "skipped: system bot",
            user if is_left_out(user) => "skipped: bot",
            _ => "imported",
        };
        *members.entry("read").or_default() += 1;
        *members.entry(outcome).or_default() += 1;
    }
    account.insert("members".to_owned(), of_counts(&members));

    let (mut messages, mut solitary) = (BTreeMap::new(), BTreeSet::new());
    for one in all("zerver_message") {
        let (sender, recipient) = (id(&one["sender"]), id(&one["recipient"]));
        let in_it = subscribed(recipient);
        let other = match kind(recipient) {
            1 => Some(target(recipient)),
            3 if in_it.len() == 2 => in_it.iter().copied().find(|user| *user != sender),
            _ => None,
        };
        let is_note = (kind(recipient) == 1 && other == Some(sender))
            || (kind(recipient) == 3 && in_it.len() == 1);
        if is_note && !system.contains_key(&sender) {
            solitary.insert(sender);
        }
        let is_lost = match kind(recipient) {
            1 => !is_known(target(recipient)) && !system.contains_key(&target(recipient)),
            2 => !streams.contains_key(&target(recipient)),
            3 => in_it.is_empty(),
            _ => true,
        };
        let is_strange = other.is_some_and(|user| system.contains_key(&user))
            || (kind(recipient) == 3 && in_it.iter().any(|user| system.contains_key(user)));
        for line in lines(one, &all("zerver_attachment")) {
            let outcome = match line {
                _ if system.contains_key(&sender) => "skipped: system message",
                _ if is_strange => "skipped: conversation with a system bot",
                _ if !is_known(sender) => "skipped: sender is not in the export",
                _ if is_lost => "skipped: receiver is not in the export",
                _ if is_left_out(sender) || other.is_some_and(is_left_out) => "skipped: bot",
                Line::Empty => "skipped: nothing to show",
                Line::Some => "imported",
            };
            *messages.entry("read").or_default() += 1;
            *messages.entry(outcome).or_default() += 1;
        }
    }
    account.insert("messages".to_owned(), of_counts(&messages));
    let bot_notes = bots_among(&mut solitary.iter().copied());
    let notes = rows(&[
        ("read", solitary.len()),
        ("imported", solitary.len() - bot_notes),
        ("skipped: bot", bot_notes),
    ]);
    account.insert("notes to self".to_owned(), notes.clone());
    account.insert("oneself".to_owned(), notes);
    account
}

fn of_counts(counts: &BTreeMap<&str, usize>) -> Rows {
    rows(
        &counts
            .iter()
            .map(|(what, rows)| (*what, *rows))
            .collect::<Vec<_>>(),
    )
}

/// What is in one of the messages that a message becomes.
#[derive(Clone, Copy)]
enum Line {
    Empty,
    Some,
}

/// What a message becomes: one for each file, one for each piece of a long text.
fn lines(message: &Value, uploads: &[&Value]) -> Vec<Line> {
    let files = uploads
        .iter()
        .filter(|upload| {
            upload["messages"]
                .as_array()
                .unwrap()
                .contains(&message["id"])
        })
        .count();
    let content = message["content"].as_str().unwrap();
    // No text of the sample becomes longer or shorter than 6,000 bytes by its mentions.
    let pieces = match content.len() {
        0..=6_000 => 1,
        _ => content.chars().count().div_ceil(1_500),
    };
    match (pieces, files) {
        (1, 0) if content.trim().is_empty() => vec![Line::Empty],
        (1, files) => vec![Line::Some; files.max(1)],
        (pieces, files) => vec![Line::Some; pieces + files],
    }
}
