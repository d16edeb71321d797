//! Is the quickstart carried over exactly, once, and with an account that its data bears out?
//!
//! What must come out is worked out here with nothing but a JSON parser.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::collections::{BTreeMap, BTreeSet};

use chatferry_tests::account::{self, Rows, rows};
use chatferry_tests::id::cometchat_id;
use chatferry_tests::{Folder, Served, pipeline, repository, unlimited};
use serde_json::Value;

/// The data of the quickstart, as it lies there.
struct Data {
    users: Vec<Value>,
    rooms: Vec<Value>,
    members: Vec<Value>,
    messages: Vec<Value>,
}

impl Data {
    fn read() -> Self {
        let lines = |name: &str| {
            let path = repository().join("pipelines/quickstart/data").join(name);
            let text = std::fs::read_to_string(path).expect("the quickstart has this file");
            text.lines()
                .map(|line| serde_json::from_str(line).expect("a line of JSON"))
                .collect()
        };
        Self {
            users: lines("users.jsonl"),
            rooms: lines("rooms.jsonl"),
            members: lines("room_members.jsonl"),
            messages: lines("messages.jsonl"),
        }
    }

    /// Names by id.
    fn names<'a>(things: &'a [Value], key: &str) -> BTreeMap<i64, &'a str> {
        let name = |thing: &'a Value| (thing["id"].as_i64().unwrap(), thing[key].as_str().unwrap());
        things.iter().map(name).collect()
    }

    /// The messages that are neither events nor empty: muid, sender, receiver and text.
    fn sendable(&self) -> Vec<[String; 4]> {
        let users = Self::names(&self.users, "username");
        let rooms = Self::names(&self.rooms, "slug");
        let sendable = self
            .messages
            .iter()
            .filter(|message| !is_event(message) && !is_empty(message));
        let sendable = sendable.map(|message| {
            let (body, user) = (
                message["body"].as_str().unwrap(),
                users[&message["user_id"].as_i64().unwrap()],
            );
            let room = rooms[&message["room_id"].as_i64().unwrap()];
            let text = if message["kind"] == "action" {
                format!("* {user} {body}")
            } else {
                body.to_owned()
            };
            [
                format!("irc-{}", message["id"]),
                cometchat_id(user),
                cometchat_id(room),
                text,
            ]
        });
        sendable.collect()
    }

    /// The account that a first run must give.
    fn account(&self) -> BTreeMap<String, Rows> {
        let all = |rows_read: usize| rows(&[("read", rows_read), ("imported", rows_read)]);
        let events = self
            .messages
            .iter()
            .filter(|message| is_event(message))
            .count();
        let empty = self
            .messages
            .iter()
            .filter(|message| !is_event(message) && is_empty(message))
            .count();
        let messages = rows(&[
            ("read", self.messages.len()),
            ("imported", self.messages.len() - events - empty),
            ("skipped: system event", events),
            ("skipped: empty message", empty),
        ]);
        BTreeMap::from([
            ("users".into(), all(self.users.len())),
            ("groups".into(), all(self.rooms.len())),
            ("members".into(), all(self.members.len())),
            ("messages".into(), messages),
        ])
    }
}

fn is_event(message: &Value) -> bool {
    message["kind"] == "event"
}

fn is_empty(message: &Value) -> bool {
    message["body"]
        .as_str()
        .unwrap()
        .trim_matches(' ')
        .is_empty()
}

#[test]
fn a_rehearsal_accounts_for_every_row() {
    let ended = Folder::new()
        .run(&["rehearse", &pipeline("quickstart"), "--format", "json"])
        .expect(0);

    let account = account::of(&ended);
    assert_eq!(account, Data::read().account());
    assert_eq!(account["users"]["imported"], 1_675);
    assert_eq!(account["groups"]["imported"], 10);
    assert_eq!(account["members"]["imported"], 1_751);
    assert_eq!(account["messages"]["imported"], 11_639);
    assert_eq!(account["messages"]["skipped: system event"], 856);
    assert_eq!(account["messages"]["skipped: empty message"], 5);
}

#[test]
fn a_run_stores_exactly_what_was_there_and_a_second_one_sends_nothing() {
    let (data, folder, served) = (Data::read(), Folder::new(), Served::new(unlimited()));
    let ledger = folder.file("quickstart.ledger");
    let mut arguments = served.arguments();
    arguments.extend(["--ledger".into(), ledger, "--format".into(), "json".into()]);
    let run = |command: &str| {
        let mut all = vec![command.to_owned(), pipeline("quickstart")];
        all.extend(arguments.clone());
        folder
            .run_with(
                &[("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")],
                &all,
            )
            .expect(0)
    };

    assert_eq!(account::of(&run("run")), data.account());

    let stored = served.stored();
    let sent: BTreeMap<String, [String; 3]> = stored
        .messages
        .iter()
        .map(|message| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let parts = [
                &message["sender"],
                &message["receiver"],
                &message["data"]["text"],
            ]
            .map(text);
            (text(&message["muid"]), parts)
        })
        .collect();
    assert_eq!(
        sent.len(),
        stored.messages.len(),
        "a message is there twice"
    );
    let sendable: BTreeMap<String, [String; 3]> = data
        .sendable()
        .into_iter()
        .map(|[muid, sender, receiver, text]| (muid, [sender, receiver, text]))
        .collect();
    assert_eq!(sent, sendable);
    assert_eq!(served.counts().order_violations, 0);

    let before = served.counts();
    let again = account::of(&run("run"));
    assert_eq!(served.counts(), before, "a second run has nothing to send");
    for (flow, first) in data.account() {
        assert_eq!(again[&flow]["earlier"], first["imported"], "{flow}");
        assert!(!again[&flow].contains_key("imported"), "{flow}");
    }

    let status = account::json(&run("status"));
    let runs: Vec<&str> = status["runs"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|run| run["ended"].as_str())
        .collect();
    assert_eq!(runs, ["complete", "complete"]);
    for delivered in status["delivered"].as_array().unwrap() {
        let flow = delivered["entity"].as_str().unwrap();
        assert_eq!(
            delivered["imported"].as_u64(),
            Some(data.account()[flow]["imported"]),
            "{flow}"
        );
    }
    assert_eq!(status["undelivered"].as_array().unwrap().len(), 0);
}

#[test]
fn nicknames_that_differ_only_in_case_stay_different_people() {
    let (data, folder, served) = (Data::read(), Folder::new(), Served::new(unlimited()));
    let mut by_lower: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in Data::names(&data.users, "username").into_values() {
        by_lower.entry(name.to_lowercase()).or_default().push(name);
    }
    let pairs: Vec<Vec<&str>> = by_lower
        .into_values()
        .filter(|names| names.len() > 1)
        .collect();
    assert_eq!(pairs.len(), 7);

    let mut arguments = vec![
        "run".into(),
        pipeline("quickstart"),
        "--ledger".into(),
        folder.file("ledger"),
    ];
    arguments.extend(served.arguments());
    folder
        .run_with(
            &[("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")],
            &arguments,
        )
        .expect(0);

    let users = served.stored().users;
    let uid_of = |name: &str| {
        let user = users
            .iter()
            .find(|user| user["metadata"]["legacy"]["nickname"] == name);
        user.and_then(|user| user["uid"].as_str())
            .unwrap_or_else(|| panic!("{name} is not there"))
            .to_owned()
    };
    for pair in pairs {
        let uids: BTreeSet<String> = pair.iter().map(|name| uid_of(name)).collect();
        let expected: BTreeSet<String> = pair.iter().map(|name| cometchat_id(name)).collect();
        assert_eq!(uids, expected);
        assert_eq!(uids.len(), pair.len(), "{pair:?} became one");
    }
}

#[test]
fn its_readme_tells_the_same_numbers() {
    let readme = repository().join("pipelines/quickstart/README.md");
    let readme = std::fs::read_to_string(readme)
        .expect("the quickstart has a readme")
        .replace(',', "");
    for (flow, account) in Data::read().account() {
        let (read, imported) = (account["read"], account["imported"]);
        let row = format!("| {flow} | {read} | {imported} |");
        assert!(readme.contains(&row), "it lacks {row}");
    }
    let skipped = &Data::read().account()["messages"];
    for (reason, words) in [
        ("system event", "system events"),
        ("empty message", "empty messages"),
    ] {
        let count = skipped[&format!("skipped: {reason}")];
        assert!(
            readme.contains(&format!("{count} {words}")),
            "it lacks {count} {words}"
        );
    }
}
