//! Does `verify` tell what the app holds from what was imported, and does `undo` take it away?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::time::Duration;

use chatferry_simulator::{Fault, Settings};
use chatferry_tests::{Chat, Ended, Folder, KEY, Served, account, unlimited};
use serde_json::{Value, json};

/// A service that can be asked as fast as it answers, and that takes a record again to change it.
fn open() -> Settings {
    let mut settings = unlimited();
    settings.core_requests_per_minute = None;
    settings.other_requests_per_minute = None;
    settings
        .switch("duplicates", "overwrite")
        .expect("a switch");
    settings
}

/// A chat that has messages in each of its groups.
fn chat() -> Chat {
    Chat {
        groups: 6,
        ..Chat::default()
    }
}

/// A chat that was imported into a service of its own.
struct Imported {
    chat: Chat,
    folder: Folder,
    served: Served,
    pipeline: String,
}

impl Imported {
    fn new(chat: Chat, settings: Settings) -> Self {
        let (folder, served) = (Folder::new(), Served::new(settings));
        let pipeline = chat.write(&folder, served.url());
        folder.run(&["run", &pipeline]).expect(0);
        Self {
            chat,
            folder,
            served,
            pipeline,
        }
    }

    fn with(switches: &[(&str, &str)]) -> Self {
        let mut settings = open();
        for (name, value) in switches {
            settings.switch(name, value).expect("a switch");
        }
        Self::new(chat(), settings)
    }

    /// The arguments of a command that asks as fast as it can.
    fn arguments<'a>(&'a self, command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let pace = ["--set", "cometchat.other_requests_per_minute=off"];
        [&[command, self.pipeline.as_str()], &pace[..], more].concat()
    }

    /// Verifies without waiting, and gives the result.
    fn verify(&self, code: i32) -> Value {
        let arguments = self.arguments("verify", &["--patience", "0", "--format", "json"]);
        account::json(&self.folder.run(&arguments).expect(code))
    }

    /// Puts something into the app behind everybody's back.
    fn import(&self, entity: &str, id: &str, record: &Value) {
        let answer = self.ask(
            "POST",
            &format!("/data_import/{entity}"),
            &json!({ entity: { id: record } }),
        );
        assert_eq!(answer["data"][id]["success"], true, "{answer}");
    }

    /// Asks the app for something.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.served.ask(method, path, &body.to_string())
    }

    /// The number that the app gave to a message.
    fn number(&self, muid: &str) -> String {
        let stored = self.served.stored();
        let message = stored
            .messages
            .iter()
            .find(|message| message["muid"] == muid);
        message.unwrap()["id"].as_str().unwrap().to_owned()
    }
}

/// The sums of an entity that are not zero, but for those that are as they should be.
fn wrong(result: &Value, entity: &str) -> Vec<(String, u64)> {
    let all = result["entities"].as_array().unwrap();
    let report = all
        .iter()
        .find(|report| report["entity"] == entity)
        .unwrap();
    ["different", "missing", "deleted", "unknown", "extra"]
        .into_iter()
        .map(|name| (name.to_owned(), report[name].as_u64().unwrap()))
        .filter(|(_, records)| *records > 0)
        .collect()
}

fn findings<'a>(result: &'a Value, entity: &str, kind: &str) -> &'a Value {
    let all = result["entities"].as_array().unwrap();
    let report = all
        .iter()
        .find(|report| report["entity"] == entity)
        .unwrap();
    &report["findings"][kind]
}

/// Makes sure that everything is there as it should be, and that the sums say so.
#[track_caller]
fn all_is_well(imported: &Imported) -> Value {
    let result = imported.verify(0);
    assert_eq!(result["agrees"], true, "{result}");
    let chat = &imported.chat;
    let expected = [chat.users, chat.groups, chat.members(), chat.messages];
    for (report, expected) in result["entities"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(
            (&report["expected"], &report["same"]),
            (&json!(expected), &json!(expected))
        );
    }
    let conversations = &result["conversations"];
    assert_eq!(
        (&conversations["all"], &conversations["differing"]),
        (&json!(chat.groups), &json!(0))
    );
    assert!(
        !imported
            .folder
            .path()
            .join("pipeline.ledger-verify")
            .exists(),
        "nothing is left behind"
    );
    result
}

#[test]
fn a_clean_import_verifies_however_the_api_shows_it() {
    for switches in [
        &[][..],
        &[
            ("list-data", "object"),
            ("cursor-place", "meta"),
            ("total", "true"),
        ],
        &[("list-order", "sent-at"), ("next-page", "next")],
        &[("next-page", "cursor"), ("cursor-place", "none")],
        &[("next-page", "none"), ("list-order", "sent-at")],
        &[
            ("list-start", "from-timestamp"),
            ("muid-shown", "yes"),
            ("owner-joins", "yes"),
        ],
        &[("entity", "wrapped"), ("answer-keys", "lower-case")],
    ] {
        println!("{switches:?}");
        all_is_well(&Imported::with(switches));
    }
}

#[test]
fn thousands_of_messages_are_read_in_full_pages() {
    let chat = Chat {
        messages: 3_210,
        groups: 40,
        ..Chat::default()
    };
    let imported = Imported::new(chat, open());
    let before = imported.served.counts().other_requests;
    all_is_well(&imported);
    // Users, groups and messages end with an empty page; members and the banned with a short one.
    let expected = 2 + 2 + 2 * 40 + 5;
    assert_eq!(imported.served.counts().other_requests - before, expected);
}

#[test]
fn what_was_changed_behind_our_back_is_named() {
    let imported = Imported::with(&[]);
    let number = imported.number(&Chat::muid(123));
    imported.ask(
        "DELETE",
        &format!("/messages/{number}"),
        &json!({"permanent": true}),
    );
    let (hidden, edited) = (
        imported.number(&Chat::muid(7)),
        imported.number(&Chat::muid(8)),
    );
    imported.ask("DELETE", &format!("/messages/{hidden}"), &json!({}));
    imported.ask(
        "POST",
        "/__chatferry/edit",
        &json!({"id": edited, "text": "something else"}),
    );
    imported.import(
        "groups",
        "g99",
        &json!({"guid": "g99", "name": "New", "type": "public"}),
    );
    imported.import(
        "users",
        "u4",
        &json!({"uid": "u4", "name": "Somebody Else"}),
    );
    imported.ask("DELETE", "/groups/g0/members/u2", &json!({}));
    imported.import(
        "members",
        "g1_member_u2",
        &json!({"memberId": "g1_member_u2", "guid": "g1",
        "uid": "u2", "scope": "admin", "joinedAt": 1_699_999_001}),
    );

    let result = imported.verify(8);

    assert_eq!(wrong(&result, "users"), [("different".to_owned(), 1)]);
    let expected = json!([{"id": "u4", "field": "name", "expected": "\"User 4\"", "found": "\"Somebody Else\""}]);
    assert_eq!(findings(&result, "users", "different"), &expected);
    assert_eq!(wrong(&result, "groups"), [("extra".to_owned(), 1)]);
    assert_eq!(
        findings(&result, "groups", "extra"),
        &json!([{"id": "g99", "in": null}])
    );
    assert_eq!(
        wrong(&result, "members"),
        [("missing".to_owned(), 1), ("extra".to_owned(), 1)]
    );
    let missing = json!([{"id": "g0_member_u2", "in": "g0", "deleted": false}]);
    assert_eq!(findings(&result, "members", "missing"), &missing);
    assert_eq!(
        findings(&result, "members", "extra"),
        &json!([{"id": "g1_member_u2", "in": "g1"}])
    );
    let sums = [
        ("different".to_owned(), 1),
        ("missing".to_owned(), 1),
        ("deleted".to_owned(), 1),
    ];
    assert_eq!(wrong(&result, "messages"), sums);
    let missing = json!([
        {"id": "m-000007", "in": "group_g1", "deleted": true},
        {"id": "m-000123", "in": "group_g3", "deleted": false},
    ]);
    assert_eq!(findings(&result, "messages", "missing"), &missing);
    let different = json!([{"id": "m-000008", "field": "text", "expected": "\"message 8\"", "found": "\"something else\""}]);
    assert_eq!(findings(&result, "messages", "different"), &different);
    let worst = &result["conversations"]["worst"];
    assert_eq!(
        worst[0],
        json!({"conversation": "group_g1", "expected": 67, "missing": 1, "different": 0, "extra": 0})
    );

    let arguments = imported.arguments("verify", &["--patience", "0"]);
    let page = imported.folder.run(&arguments).expect(8);
    let shown = page
        .out
        .lines()
        .filter(|line| !line.contains("requests in "));
    insta::assert_snapshot!("what_was_changed", shown.collect::<Vec<_>>().join("\n"));
    assert!(!page.said().contains(KEY), "the key was shown");
}

#[test]
fn what_the_api_fails_on_is_asked_again() {
    let mut settings = open();
    let faults = [
        "status:500",
        "nothing",
        "throttle:1:retry-after",
        "html",
        "truncated",
        "reset",
    ];
    settings.other_faults = faults
        .iter()
        .map(|text| text.parse::<Fault>().unwrap())
        .collect();
    let result = all_is_well(&Imported::new(chat(), settings));
    assert_eq!(
        (
            &result["requests"]["throttled"],
            &result["requests"]["failed"]
        ),
        (&json!(1), &json!(4))
    );
}

#[test]
fn what_lists_show_late_is_waited_for() {
    let settings = Settings {
        read_delay: Duration::from_secs(3),
        ..open()
    };
    let imported = Imported::new(chat(), settings);
    let arguments = imported.arguments("verify", &["--patience", "6", "--format", "json"]);
    let ended = imported.folder.run(&arguments).expect(0);
    assert_eq!(account::json(&ended)["agrees"], true);
}

#[test]
fn a_wrong_key_ends_it_at_once_and_is_shown_nowhere() {
    let imported = Imported::with(&[]);
    let strict = Served::new(Settings {
        api_key: Some("the-right-one".into()),
        ..open()
    });
    let elsewhere = format!("cometchat.base_url={}", strict.url());
    for command in [&["verify"][..], &["undo", "--yes"]] {
        let arguments = imported.arguments(
            command[0],
            &[&command[1..], &["--set", &elsewhere, "-vv"]].concat(),
        );
        let ended = imported.folder.run(&arguments).expect(5);
        assert!(
            ended.err.contains("AUTH_ERR_APIKEY_NOT_FOUND"),
            "{}",
            ended.err
        );
        assert!(!ended.said().contains(KEY), "the key was shown");
    }
}

#[test]
fn without_a_ledger_there_is_nothing_to_verify_or_undo() {
    let (chat, folder, served) = (chat(), Folder::new(), Served::new(open()));
    let pipeline = chat.write(&folder, served.url());
    for command in ["verify", "undo"] {
        let ended = folder.run(&[command, &pipeline]).expect(6);
        assert!(ended.err.contains("nothing was run yet"), "{}", ended.err);
    }
    assert_eq!(served.counts().other_requests, 0);
}

/// Starts a command, kills it when enough was asked, and gives how much that was.
fn killed(imported: &Imported, arguments: &[&str], after: u64) -> u64 {
    let before = imported.served.counts().other_requests;
    let asked = || imported.served.counts().other_requests - before;
    let mut running = imported.folder.start(arguments);
    running.until("enough was asked", || asked() >= after);
    assert_eq!(running.kill().code, None, "a signal ended it");
    asked()
}

fn slow() -> Imported {
    let chat = Chat {
        messages: 2_000,
        groups: 60,
        ..Chat::default()
    };
    let settings = Settings {
        latency: Duration::from_millis(20),
        ..open()
    };
    Imported::new(chat, settings)
}

#[test]
fn killed_half_way_a_verification_goes_on() {
    let imported = slow();
    let number = imported.number(&Chat::muid(3));
    imported.ask(
        "DELETE",
        &format!("/messages/{number}"),
        &json!({"permanent": true}),
    );
    let arguments = imported.arguments(
        "verify",
        &["--patience", "0", "--set", "cometchat.in_flight=1"],
    );
    let first = killed(&imported, &arguments, 30);
    let second = killed(&imported, &arguments, 30);
    let before = imported.served.counts().other_requests;

    let result = imported.verify(8);

    assert_eq!(result["resumed"], true);
    assert_eq!(wrong(&result, "messages"), [("missing".to_owned(), 1)]);
    let all = 2 + 2 + 2 * 60 + 3 + 1;
    let asked = first + second + imported.served.counts().other_requests - before;
    assert!(asked <= all + 4, "{asked} requests for {all}");
    assert_eq!(imported.verify(8)["resumed"], false);
}

#[test]
fn interrupted_a_verification_says_how_to_go_on() {
    let imported = slow();
    let arguments = imported.arguments("verify", &["--set", "cometchat.in_flight=1"]);
    let before = imported.served.counts().other_requests;
    let mut running = imported.folder.start(&arguments);
    running.until("it asks", || {
        imported.served.counts().other_requests > before + 10
    });
    running.interrupt();
    let ended = running.ended().expect(130);
    assert!(
        ended.err.contains("run the same command to go on"),
        "{}",
        ended.err
    );
    all_is_well(&imported);
}

/// What a run says of each flow, without what differs from run to run.
fn told(ended: &Ended) -> Vec<(String, Vec<(String, u64)>)> {
    let flows = account::of(ended).into_iter();
    flows
        .map(|(flow, rows)| (flow, rows.into_iter().collect()))
        .collect()
}

#[test]
fn undone_and_run_again_it_has_the_same_account() {
    let (chat, folder, served) = (chat(), Folder::new(), Served::new(open()));
    let pipeline = chat.write(&folder, served.url());
    let users = folder.path().join("data/users.jsonl");
    let more = std::fs::read_to_string(&users).unwrap() + "{\"id\":\"u-x\"}\n";
    std::fs::write(users, more).unwrap();
    let first = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    let set = ["--set", "cometchat.other_requests_per_minute=off"];

    let would = folder
        .run(&[&["undo", pipeline.as_str()], &set[..]].concat())
        .expect(0);
    assert_eq!(
        served.counts().other_requests,
        0,
        "nothing is asked without --yes"
    );
    insta::assert_snapshot!("would_be_undone", would.out.replace(served.url(), "URL"));
    let undone = folder
        .run(
            &[
                &["undo", pipeline.as_str(), "--yes", "--format", "json"],
                &set[..],
            ]
            .concat(),
        )
        .expect(0);

    let counts = served.counts();
    assert_eq!(
        (counts.users, counts.groups, counts.members, counts.messages),
        (0, 0, 0, 0)
    );
    let undone = account::json(&undone);
    assert_eq!(
        undone["entities"][0],
        json!({"entity": "messages", "removed": 400, "absent": 0, "left": 0})
    );
    let all = u64::try_from(chat.users + chat.groups + chat.members() + chat.messages).unwrap();
    assert_eq!(undone["requests"]["sent"], all);
    let second = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    assert_eq!(told(&second), told(&first));
    assert_eq!(served.counts().order_violations, 0);
    let verified = folder
        .run(&[&["verify", pipeline.as_str()], &set[..]].concat())
        .expect(0);
    assert!(
        verified.out.contains("the app holds what was imported"),
        "{}",
        verified.out
    );
}

#[test]
fn killed_half_way_an_undoing_goes_on() {
    let imported = slow();
    let arguments = imported.arguments("undo", &["--yes"]);
    let first = killed(&imported, &arguments, 300);
    let before = imported.served.counts().other_requests;

    imported.folder.run(&arguments).expect(0);

    let counts = imported.served.counts();
    assert_eq!(
        (counts.users, counts.groups, counts.members, counts.messages),
        (0, 0, 0, 0)
    );
    let chat = &imported.chat;
    let all = u64::try_from(chat.users + chat.groups + chat.members() + chat.messages).unwrap();
    let asked = first + counts.other_requests - before;
    // What was answered and not yet written down is asked for once more.
    assert!(asked <= all + 80, "{asked} requests for {all}");
    imported.folder.run(&["run", &imported.pipeline]).expect(0);
    all_is_well(&imported);
}

#[test]
fn what_was_there_before_is_left_alone_and_asked_for_again() {
    let mut settings = open();
    settings.switch("duplicates", "refuse").unwrap();
    let (chat, folder, served) = (chat(), Folder::new(), Served::new(settings));
    let pipeline = chat.write(&folder, served.url());
    let there = json!({"users": {"u1": {"uid": "u1", "name": "User 1"}}});
    served.ask("POST", "/data_import/users", &there.to_string());
    folder.run(&["run", &pipeline]).expect(0);
    let set = ["--set", "cometchat.other_requests_per_minute=off"];

    let undone = folder
        .run(
            &[
                &["undo", pipeline.as_str(), "--yes", "--format", "json"],
                &set[..],
            ]
            .concat(),
        )
        .expect(0);

    assert_eq!(account::json(&undone)["forgotten"], 1);
    let stored = served.stored();
    assert_eq!(
        (stored.users.len(), &stored.users[0]["uid"]),
        (1, &json!("u1"))
    );
    let again = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(0);
    let users = &account::of(&again)["users"];
    assert_eq!((users["present"], users["imported"]), (1, 19));
}

#[test]
fn answers_that_are_lost_while_undoing_are_asked_again() {
    let mut settings = open();
    let faults = [
        "stored:500",
        "reset-stored",
        "throttle:1",
        "status:502",
        "html",
    ];
    settings.other_faults = faults
        .iter()
        .map(|text| text.parse::<Fault>().unwrap())
        .collect();
    let imported = Imported::new(chat(), settings);
    let arguments = imported.arguments("undo", &["--yes", "--format", "json"]);
    let undone = account::json(&imported.folder.run(&arguments).expect(0));
    let messages = &undone["entities"][0];
    assert_eq!(
        (&messages["removed"], &messages["absent"]),
        (&json!(398), &json!(2)),
        "{undone}"
    );
    assert_eq!(imported.served.counts().messages, 0);
}

#[test]
fn deactivated_and_banned_users_are_verified_and_undone() {
    let imported = {
        let (chat, folder, served) = (chat(), Folder::new(), Served::new(open()));
        let pipeline = chat.write(&folder, served.url());
        let text = std::fs::read_to_string(&pipeline).unwrap();
        let text = text
            .replace(
                "name = \"name\"\n\n",
                "name = \"name\"\ndeactivatedAt = \"case when id = 'u3' then 1690000000 end\"\n\n",
            )
            .replace(
                "scope = \"'participant'\"",
                "scope = \"'participant'\"\nisBanned = \"\\\"user\\\" = 'u5'\"",
            );
        std::fs::write(&pipeline, text).unwrap();
        folder.run(&["run", &pipeline]).expect(0);
        Imported {
            chat,
            folder,
            served,
            pipeline,
        }
    };
    let stored = imported.served.stored();
    assert!(
        stored
            .users
            .iter()
            .any(|user| user["deactivatedAt"] == 1_690_000_000)
    );
    assert!(
        stored
            .members
            .iter()
            .any(|member| member["isBanned"] == true)
    );
    all_is_well(&imported);
    imported
        .folder
        .run(&imported.arguments("undo", &["--yes"]))
        .expect(0);
    let counts = imported.served.counts();
    assert_eq!(
        (counts.users, counts.groups, counts.members, counts.messages),
        (0, 0, 0, 0)
    );
}
