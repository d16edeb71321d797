//! Does a plan tell beforehand what a run does?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::fmt::Write;

use chatferry_tests::{Chat, Ended, Folder, Served, account, page, pipeline, unlimited};
use serde_json::Value;

/// Plans, and gives what it told.
fn plan(folder: &Folder, pipeline: &str, more: &[&str], code: i32) -> Ended {
    let mut arguments = vec!["plan", pipeline, "--format", "json"];
    arguments.extend(more);
    folder.run(&arguments).expect(code)
}

/// How many requests are told, by a plan or by a run.
fn requests(ended: &Ended) -> u64 {
    let told = &account::json(ended)["requests"];
    told.as_u64().or(told["sent"].as_u64()).expect("a number")
}

/// A chat with all kinds of dirt in it: in each of its files, and in what refers to what.
fn dirty(folder: &Folder, url: &str) -> String {
    let chat = Chat::default();
    let pipeline = chat.write(folder, url);
    let add = |file: &str, more: &str| {
        let path = folder.path().join("data").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + more).unwrap();
    };
    let long = "x".repeat(101);
    let mut users = String::from("{\"id\":\"u1\",\"name\":\"again\"}\n{\"id\":\"broken\",\"na\n");
    for id in [
        "Capitals",
        "capitals",
        "has space",
        "nameless",
        "<b>&\\\"hostile\\\"</b>",
    ] {
        let name = if id == "nameless" { "  " } else { "Somebody" };
        let _ = writeln!(users, r#"{{"id":"{id}","name":"{name}"}}"#);
    }
    let _ = writeln!(users, r#"{{"id":"{long}","name":"too long an id"}}"#);
    add("users.jsonl", &users);
    add(
        "groups.jsonl",
        "{\"id\":\"g0\",\"name\":\"twice\",\"at\":1600000000}\n{\"id\":\"gone\",\"name\":\"\",\"at\":1600000000}\n",
    );
    let mut members = String::new();
    for (group, user, at) in [
        ("g0", "nobody", 1_700_000_000_i64),
        ("gone", "u1", 1_700_000_000),
        ("g0", "nameless", 1_700_000_000),
        ("g0", "u19", 1_700_000_000_000),
    ] {
        let _ = writeln!(
            members,
            r#"{{"group":"{group}","user":"{user}","at":{at}}}"#
        );
    }
    add("members.jsonl", &members);
    let mut messages = String::new();
    for (number, (group, user, at, body)) in [
        ("g0", "ghost", 1_700_010_000_i64, "from nobody"),
        ("g0", "ghost", 1_700_010_001, "from nobody again"),
        ("g9", "u1", 1_700_010_002, "to no group"),
        ("gone", "u1", 1_700_010_003, "to a group that is not taken"),
        (
            "g1",
            "nameless",
            1_700_010_004,
            "from a user who is not taken",
        ),
        ("g1", "u1", 1_700_010_005, "   "),
        ("g1", "u1", 1_700_010_006_000, "in milliseconds"),
        ("g1", "u1", 9_000_000_000, "in the future"),
        ("g1", "has space", 1_700_010_007, "from an id that is none"),
        (
            "g2",
            "<b>&\\\"hostile\\\"</b>",
            1_700_010_008,
            "from a hostile id",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = writeln!(
            messages,
            r#"{{"id":"x{number}","group":"{group}","user":"{user}","at":{at},"body":"{body}"}}"#
        );
    }
    messages.push_str("{\"id\":\"m-000001\",\"group\":\"g0\",\"user\":\"u0\",\"at\":1700020000,\"body\":\"twice\"}\n");
    messages.push_str("{\"id\":\"cut\",\"group\":\n");
    add("messages.jsonl", &messages);
    pipeline
}

#[test]
fn it_is_the_account_of_the_rehearsal_that_follows() {
    for name in ["quickstart", "slack-export"] {
        let folder = Folder::new();
        let planned = plan(&folder, &pipeline(name), &[], 0);
        let rehearsed = folder
            .run(&["rehearse", &pipeline(name), "--format", "json"])
            .expect(0);
        assert_eq!(account::of(&planned), account::of(&rehearsed), "{name}");
        assert_eq!(requests(&planned), requests(&rehearsed), "{name}");
    }
}

#[test]
fn dirt_has_the_same_outcomes_as_in_a_run() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = dirty(&folder, served.url());
    let planned = plan(&folder, &pipeline, &[], 7);
    assert_eq!(served.counts().requests, 0, "nothing is sent");
    assert!(
        !folder.path().join("pipeline.ledger").exists(),
        "no ledger is made"
    );

    let ran = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    let (planned, ran) = (
        (account::of(&planned), requests(&planned)),
        (account::of(&ran), requests(&ran)),
    );
    assert_eq!(planned, ran);
    let (told, _) = planned;
    let rules: Vec<&str> = told
        .values()
        .flat_map(|rows| rows.keys().map(String::as_str))
        .filter(|name| name.starts_with("rejected") || name.starts_with("blocked"))
        .collect();
    for expected in [
        "rejected: malformed",
        "rejected: duplicate-id",
        "rejected: id-alphabet",
        "rejected: id-length",
        "rejected: missing-field",
        "rejected: unknown-reference",
        "rejected: text-empty",
        "rejected: time-in-future",
        "rejected: time-not-seconds",
        "blocked: receiver",
        "blocked: sender",
    ] {
        assert!(rules.contains(&expected), "it lacks {expected}: {rules:?}");
    }
}

#[test]
fn of_half_a_migration_it_tells_what_is_left() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = dirty(&folder, served.url());
    let stop_early = ["--set", "cometchat.message_allowance=150"];
    let planned = plan(&folder, &pipeline, &stop_early, 9);
    assert_eq!(account::json(&planned)["allowance"]["beyond"], 250);
    folder
        .run(&["run", &pipeline, stop_early[0], stop_early[1]])
        .expect(9);

    let ledger = folder.path().join("pipeline.ledger");
    let before = std::fs::read(&ledger).unwrap();
    let planned = plan(&folder, &pipeline, &[], 7);
    assert_eq!(
        std::fs::read(&ledger).unwrap(),
        before,
        "the ledger is only read"
    );
    let told = account::json(&planned);
    assert_eq!(told["ledger"], true);
    assert_eq!(told["allowance"]["delivered"], 150);
    assert_eq!(told["needs"][0]["entity"], "messages", "{}", told["needs"]);
    assert_eq!(told["records"], 250);

    let ran = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    assert_eq!(account::of(&planned), account::of(&ran));
    assert_eq!(requests(&planned), requests(&ran));
    let planned = plan(&folder, &pipeline, &[], 7);
    assert_eq!(account::json(&planned)["requests"], 0, "nothing is left");
}

#[test]
fn messages_that_are_too_old_are_skipped_as_in_a_run() {
    let folder = Folder::new();
    let pipeline = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let window = ["--set", "cometchat.retention=6 months"];
    let planned = plan(&folder, &pipeline, &window, 0);
    let rehearsed = folder
        .run(&[
            "rehearse", &pipeline, window[0], window[1], "--format", "json",
        ])
        .expect(0);
    assert_eq!(account::of(&planned), account::of(&rehearsed));
    assert_eq!(account::json(&planned)["retention"]["skipped"], 400);
}

#[test]
fn it_names_whom_rows_refer_to_in_vain() {
    let folder = Folder::new();
    let pipeline = dirty(&folder, "http://127.0.0.1:9/v3");
    let told = account::json(&plan(&folder, &pipeline, &[], 7));
    let first = |what: &str| -> (Value, Value) {
        let top = &told[what]["top"][0];
        (top["name"].clone(), top["count"].clone())
    };
    assert_eq!(first("unknown"), ("user ghost".into(), 2.into()));
    assert_eq!(first("blocking"), ("group gone".into(), 2.into()));
    assert_eq!(first("duplicates").1, 1);
    assert_eq!(told["capitals"]["count"], 1);
    assert_eq!(told["capitals"]["examples"][0]["id"], "capitals");
    assert_eq!(told["unknown"]["exact"], true);
    let months: u64 = told["months"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["due"].as_u64().unwrap())
        .sum();
    assert_eq!(months, 400);
}

#[test]
fn it_needs_no_key_and_works_from_a_snapshot() {
    let folder = Folder::new();
    let pipeline = dirty(&folder, "http://127.0.0.1:9/v3");
    let text = std::fs::read_to_string(folder.path().join("pipeline.toml")).unwrap();
    let text = text.replace(chatferry_tests::KEY, "${NOT_SET}");
    folder.write("pipeline.toml", text);
    let direct = plan(&folder, &pipeline, &[], 7);
    let copy = folder.file("copy");
    folder
        .run(&["snapshot", &pipeline, "--to", &copy])
        .expect(7);
    std::fs::remove_dir_all(folder.path().join("data")).unwrap();
    let copied = plan(&folder, &pipeline, &["--snapshot", &copy], 7);
    assert_eq!(account::of(&direct), account::of(&copied));
}

#[test]
fn the_page_needs_nothing_else_and_nothing_in_it_runs() {
    let folder = Folder::new();
    let pipeline = dirty(&folder, "http://127.0.0.1:9/v3");
    let report = folder.file("plan.html");
    folder
        .run(&["plan", &pipeline, "--report", &report])
        .expect(7);
    let html = std::fs::read_to_string(&report).unwrap();
    assert!(
        html.contains("&lt;b&gt;&amp;&quot;hostile&quot;&lt;/b&gt;"),
        "{html}"
    );
    assert!(!html.contains("<b>&"), "an id became markup");
    for foreign in [
        "<script", "<link", "<img", "src=", "href=", "url(", "@import",
    ] {
        assert!(!html.contains(foreign), "it has {foreign}");
    }
    for open in ["section", "table", "ul", "svg", "main", "div", "bdi"] {
        let count = |tag: &str| html.matches(tag).count();
        let opened = count(&format!("<{open}>")) + count(&format!("<{open} "));
        assert_eq!(opened, count(&format!("</{open}>")), "{open}");
    }
    let nowhere = folder.file("no/such/folder/plan.html");
    let ended = folder
        .run(&["plan", &pipeline, "--report", &nowhere])
        .expect(2);
    assert!(
        ended.err.contains("cannot write the report"),
        "{}",
        ended.err
    );
}

#[test]
fn a_rehearsal_and_a_run_have_pages_too() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = dirty(&folder, served.url());
    for command in ["rehearse", "run"] {
        let report = folder.file(&format!("{command}.html"));
        let ended = folder
            .run(&[command, &pipeline, "--report", &report])
            .expect(7);
        assert!(ended.err.contains("the report is"), "{}", ended.err);
        let html = std::fs::read_to_string(&report).unwrap();
        for told in [
            "id-alphabet",
            "&lt;b&gt;&amp;&quot;hostile&quot;",
            "Requests",
            "user ghost",
        ] {
            assert!(html.contains(told), "{command} lacks {told}");
        }
        assert!(
            !html.contains("<script") && !html.contains("<b>&"),
            "{command}"
        );
    }
}

#[test]
fn what_a_person_sees() {
    let folder = Folder::new();
    let dirty = dirty(&folder, "http://127.0.0.1:9/v3");
    let ended = folder.run(&["plan", &dirty]).expect(7);
    insta::assert_snapshot!("plan_of_dirt", page::of(&ended.out, &folder));
    let limit = "cometchat.message_allowance=100";
    let ended = folder
        .run(&["plan", &pipeline("quickstart"), "--set", limit])
        .expect(9);
    insta::assert_snapshot!("plan_of_quickstart", page::of(&ended.out, &folder));
}
