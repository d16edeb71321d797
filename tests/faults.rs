//! What becomes of a run when the destination fails?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::collections::VecDeque;
use std::net::TcpListener;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatferry_simulator::{Fault, Settings};
use chatferry_tests::{Chat, Ended, Folder, KEY, Served, account, unlimited};

fn faults(texts: &[&str]) -> VecDeque<Fault> {
    texts
        .iter()
        .map(|text| text.parse().expect("a fault"))
        .collect()
}

/// Runs the chat into a service that the fault strikes twice, at users and among messages, and
/// makes sure that everything is there once in the end.
#[track_caller]
fn survives(fault: &str) {
    let (chat, folder) = (Chat::default(), Folder::new());
    let strikes = [fault, "nothing", "nothing", "nothing", "nothing", fault];
    let served = Served::new(Settings {
        faults: faults(&strikes),
        ..unlimited()
    });
    let pipeline = chat.write(&folder, served.url());

    let ended = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(0);

    everything_is_there_once(&chat, &served);
    for (flow, rows) in account::of(&ended) {
        let there = rows.get("imported").unwrap_or(&0) + rows.get("present").unwrap_or(&0);
        assert_eq!(there, rows["read"], "{flow}: {rows:?}");
    }
}

#[track_caller]
fn everything_is_there_once(chat: &Chat, served: &Served) {
    let stored = served.stored();
    let mut muids = stored.muids();
    muids.sort_unstable();
    assert_eq!(muids, chat.muids());
    assert_eq!(stored.users.len(), chat.users);
    assert_eq!(stored.groups.len(), chat.groups);
    assert_eq!(stored.members.len(), chat.members());
    assert_eq!(served.counts().order_violations, 0);
}

#[test]
fn a_failure_before_anything_was_stored() {
    survives("status:500");
}

#[test]
fn a_failure_after_everything_was_stored() {
    survives("stored:500");
}

#[test]
fn a_failure_after_some_was_stored() {
    survives("store-some:7");
}

#[test]
fn a_connection_that_closes_without_an_answer() {
    survives("reset");
}

#[test]
fn a_connection_that_closes_although_everything_was_stored() {
    survives("reset-stored");
}

#[test]
fn a_gateways_page_instead_of_an_answer() {
    survives("html");
}

#[test]
fn an_answer_that_stops_in_the_middle() {
    survives("truncated");
}

#[test]
fn an_answer_without_some_ids() {
    survives("missing:3");
}

#[test]
fn an_answer_with_its_ids_in_upper_case() {
    survives("recased");
}

#[test]
fn an_answer_in_the_opposite_order() {
    survives("reordered");
}

#[test]
fn a_wait_told_by_retry_after() {
    survives("throttle:1:retry-after");
}

#[test]
fn a_wait_told_by_the_reset_header() {
    survives("throttle:2:reset");
}

#[test]
fn a_wait_told_in_words() {
    survives("throttle:1:message");
}

#[test]
fn a_wrong_key_ends_the_run_at_once_and_is_shown_nowhere() {
    let (chat, folder) = (Chat::default(), Folder::new());
    let served = Served::new(Settings {
        api_key: Some("the-right-one".into()),
        ..unlimited()
    });
    let pipeline = chat.write(&folder, served.url());

    let ended = folder.run(&["run", &pipeline, "-vv"]).expect(5);

    assert_eq!(
        served.counts().requests,
        1,
        "a wrong key does not become right"
    );
    assert!(
        ended.err.contains("AUTH_ERR_APIKEY_NOT_FOUND"),
        "{}",
        ended.err
    );
    assert!(help(&ended).contains("key"), "{}", ended.err);
    let status = folder.run(&["status", &pipeline]).expect(0);
    let check = folder.run(&["check", &pipeline, "-vv"]).expect(0);
    let preview = folder.run(&["preview", &pipeline, "-vv"]).expect(0);
    for said in [ended, status, check, preview] {
        assert!(!said.said().contains(KEY), "the key was shown");
    }
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let path = file.expect("an entry").path();
        if path.is_file() && path.extension().is_none_or(|extension| extension != "toml") {
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes
                .windows(KEY.len())
                .any(|window| window == KEY.as_bytes());
            assert!(!found, "{} holds the key", path.display());
        }
    }
}

/// A chat of yesterday with one message that the service no longer takes, although the pipeline
/// says that it takes everything: the first message of all.
fn with_poison(chat: &Chat) -> (Folder, Served, String) {
    const DAY: i64 = 86_400;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    let now = i64::try_from(now.as_secs()).expect("a time");
    let folder = Folder::new();
    let served = Served::new(Settings {
        requests_per_minute: None,
        ..Settings::default()
    });
    let young = Chat {
        from: now - DAY,
        ..chat.clone()
    };
    let pipeline = young.write(&folder, served.url());
    let messages = folder.path().join("data/messages.jsonl");
    let young = std::fs::read_to_string(&messages).expect("the messages");
    let at = now - 300 * DAY;
    let old = format!(r#"{{"id":"m-old","group":"g0","user":"u0","at":{at},"body":"long ago"}}"#);
    std::fs::write(&messages, format!("{young}{old}\n")).expect("it can be written");
    (folder, served, pipeline)
}

#[track_caller]
fn only_the_poison_is_refused(chat: &Chat) {
    let (folder, served, pipeline) = with_poison(chat);

    let ended = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);

    let rows = &account::of(&ended)["messages"];
    let refused: Vec<_> = rows
        .iter()
        .filter(|(name, _)| name.starts_with("refused"))
        .collect();
    assert_eq!(refused.len(), 1, "{rows:?}");
    assert!(
        refused[0].0.contains("500") && *refused[0].1 == 1,
        "{rows:?}"
    );
    everything_is_there_once(chat, &served);
    let needed: usize = [chat.users, chat.groups, chat.members(), chat.messages + 1]
        .iter()
        .map(|records| records.div_ceil(50))
        .sum();
    let extra = served.counts().requests - u64::try_from(needed).expect("a small number");
    println!("{extra} requests more than without it, in {:?}", ended.took);
    assert!(extra <= 14, "{extra} requests more than without it");
    let status = folder.run(&["status", &pipeline]).expect(0);
    assert!(status.out.contains("m-old"), "{}", status.out);
}

#[test]
fn one_poisonous_record_is_refused_and_the_others_live() {
    only_the_poison_is_refused(&Chat {
        groups: 60,
        messages: 1_200,
        ..Chat::default()
    });
}

#[test]
fn one_poisonous_record_that_every_other_waits_for_is_refused_too() {
    only_the_poison_is_refused(&Chat {
        messages: 60,
        ..Chat::default()
    });
}

#[test]
fn a_server_that_is_not_there_ends_the_run_within_a_minute() {
    let (chat, folder) = (Chat::default(), Folder::new());
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a free port")
        .port();
    let pipeline = chat.write(&folder, &format!("http://127.0.0.1:{port}/v3"));

    let ended = folder.run(&["run", &pipeline]).expect(5);

    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
    assert!(
        ended.err.to_lowercase().contains("connection refused"),
        "{}",
        ended.err
    );
    assert!(help(&ended).contains("base_url"), "{}", ended.err);
}

#[test]
fn a_server_that_answers_with_web_pages_ends_the_run_within_a_minute() {
    let (chat, folder) = (Chat::default(), Folder::new());
    let served = Served::new(Settings {
        faults: faults(&["html"; 1_000]),
        ..unlimited()
    });
    let pipeline = chat.write(&folder, served.url());

    let ended = folder.run(&["run", &pipeline]).expect(5);

    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
    assert!(help(&ended).contains("base_url"), "{}", ended.err);
    assert_eq!(served.counts().users, 0);
}

/// What it says to do.
#[track_caller]
fn help(ended: &Ended) -> &str {
    let (_, help) = ended
        .err
        .split_once("help:")
        .unwrap_or_else(|| panic!("no help: {}", ended.err));
    help
}
