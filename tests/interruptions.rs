//! What becomes of a run that is cut off, of one that is in another's way, and of the next one?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::time::Duration;

use chatferry_simulator::Settings;
use chatferry_tests::{Chat, Folder, Served, account, unlimited};

/// A chat whose messages take a few seconds, into a service that takes its time.
fn slow() -> (Chat, Folder, Served, String) {
    let chat = Chat {
        messages: 1_500,
        ..Chat::default()
    };
    let folder = Folder::new();
    let served = Served::new(Settings {
        latency: Duration::from_millis(100),
        ..unlimited()
    });
    let pipeline = chat.write(&folder, served.url());
    (chat, folder, served, pipeline)
}

#[track_caller]
fn everything_is_there_once(chat: &Chat, served: &Served) {
    let stored = served.stored();
    let mut muids = stored.muids();
    muids.sort_unstable();
    assert_eq!(muids, chat.muids());
    assert_eq!(stored.users.len(), chat.users);
    assert_eq!(stored.members.len(), chat.members());
    assert_eq!(served.counts().order_violations, 0);
}

#[test]
fn killed_again_and_again_it_loses_nothing_and_sends_nothing_twice() {
    let (chat, folder, served, pipeline) = slow();
    for messages in [1, 300, 700, 1_200] {
        let mut running = folder.start(&["run", &pipeline]);
        running.until("enough was sent", || served.counts().messages >= messages);
        assert_eq!(running.kill().code, None, "a signal ended it");
    }

    let ended = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(0);

    everything_is_there_once(&chat, &served);
    let rows = &account::of(&ended)["messages"];
    assert!(rows["earlier"] >= 1_000, "{rows:?}");
    let status = account::json(
        &folder
            .run(&["status", &pipeline, "--format", "json"])
            .expect(0),
    );
    assert_eq!(status["runs"].as_array().map(Vec::len), Some(5));
}

#[test]
fn interrupted_it_gives_its_account_and_the_same_command_finishes() {
    let (chat, folder, served, pipeline) = slow();
    let mut running = folder.start(&["run", &pipeline, "--format", "json"]);
    running.until("messages were sent", || served.counts().messages >= 100);
    running.interrupt();

    let ended = running.ended().expect(130);

    let account = account::of(&ended);
    assert_eq!(
        account["messages"].get("imported"),
        Some(&served.counts().messages)
    );
    assert!(account["messages"]["pending"] > 0, "{account:?}");
    assert!(
        ended.err.contains("run the same command to go on"),
        "{}",
        ended.err
    );

    let ended = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(0);
    everything_is_there_once(&chat, &served);
    let again = account::of(&ended);
    assert_eq!(
        again["messages"]["earlier"],
        account["messages"]["imported"]
    );
    assert_eq!(
        again["messages"].get("present"),
        None,
        "what was answered was written down"
    );
}

#[test]
fn rows_that_cannot_be_read_are_counted_by_the_run_that_goes_on_too() {
    let (chat, folder, served, pipeline) = slow();
    let path = folder.path().join("data/messages.jsonl");
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, lines + "{ no record\n{ nor this\n").unwrap();
    let mut running = folder.start(&["run", &pipeline]);
    running.until("much was sent", || served.counts().messages >= 700);
    assert_eq!(running.kill().code, None, "a signal ended it");

    let ended = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);

    everything_is_there_once(&chat, &served);
    let rows = &account::of(&ended)["messages"];
    assert_eq!(rows.get("rejected: malformed"), Some(&2), "{rows:?}");
}

#[test]
fn two_processes_do_not_write_one_ledger() {
    let (chat, folder, served, pipeline) = slow();
    let mut first = folder.start(&["run", &pipeline]);
    first.until("it sends", || served.counts().requests > 0);

    let second = folder.run(&["run", &pipeline]).expect(6);
    assert!(
        second
            .err
            .contains(&format!("process {} is writing it", first.id())),
        "{}",
        second.err
    );
    folder.run(&["status", &pipeline]).expect(0);

    first.ended().expect(0);
    everything_is_there_once(&chat, &served);
}

/// A pipeline whose messages tell when they were changed.
fn with_changes(chat: &Chat, folder: &Folder, served: &Served) -> String {
    let pipeline = chat.write(folder, served.url());
    let text = std::fs::read_to_string(&pipeline).unwrap();
    let from = "from = \"chat.messages\"";
    assert!(text.contains(from));
    folder.write(
        "pipeline.toml",
        text.replace(from, &format!("{from}\nchanged_since = \"at\"")),
    )
}

#[test]
fn only_what_has_changed_is_read_by_the_next_run_unless_everything_is_asked_for() {
    let (chat, folder, served) = (Chat::default(), Folder::new(), Served::new(unlimited()));
    let pipeline = with_changes(&chat, &folder, &served);
    let read = |arguments: &[&str]| {
        let ended = folder.run(&[&["run", &pipeline, "--format", "json"][..], arguments].concat());
        let rows = account::of(&ended.expect(0)).remove("messages").unwrap();
        (
            rows["read"],
            rows.get("imported").copied().unwrap_or_default(),
        )
    };
    let all = chat.messages as u64;
    assert_eq!(read(&[]), (all, all));
    assert_eq!(read(&[]), (1, 0), "the last one may not have been alone");
    let messages = folder.path().join("data/messages.jsonl");
    let more = format!(
        r#"{{"id":"new","group":"g0","user":"u0","at":{},"body":"new"}}"#,
        chat.from + i64::try_from(chat.messages).unwrap()
    );
    let text = std::fs::read_to_string(&messages).unwrap();
    std::fs::write(&messages, format!("{text}{more}\n")).unwrap();
    assert_eq!(read(&[]), (2, 1));
    assert_eq!(read(&["--everything"]), (all + 1, 0));
}

#[test]
fn it_is_repeated_until_it_is_stopped() {
    let (chat, folder, served) = (Chat::default(), Folder::new(), Served::new(unlimited()));
    let pipeline = with_changes(&chat, &folder, &served);
    let mut running = folder.start(&["run", &pipeline, "--watch", "1 ms"]);
    let runs = || {
        let status = folder.run(&["status", &pipeline, "--format", "json"]);
        account::json(&status)["runs"]
            .as_array()
            .map_or(0, Vec::len)
    };
    running.until("there is a ledger", || {
        folder.path().join("pipeline.ledger").exists()
    });
    running.until("it ran three times", || runs() >= 3);
    running.interrupt();
    let ended = running.ended();
    assert!(matches!(ended.code, Some(0 | 130)), "{}", ended.said());
    everything_is_there_once(&chat, &served);
}
