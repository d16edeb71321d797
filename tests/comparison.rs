//! The scenario of docs/comparison.md: a quota, refusals inside answers of status 200, and a kill half
//! way.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_simulator::Settings;
use chatferry_tests::{Chat, Folder, Served, account, unlimited};

/// Sixty requests in any sixty seconds, four times as fast.
const REQUESTS: u32 = 60;
const SECONDS: u64 = 15;
/// One message in a hundred is from somebody who is not at the service.
const REFUSED: usize = 100;

/// A chat whose pipeline trusts that senders are there, and where some are not.
fn with_strangers(chat: &Chat, folder: &Folder, url: &str) -> (String, Vec<String>) {
    let pipeline = chat.write(folder, url);
    let path = folder.path().join("data/messages.jsonl");
    let (mut lines, mut strange) = (String::new(), Vec::new());
    for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
        if number % REFUSED == 37 {
            let (before, after) = line.split_once(r#""user":"u"#).unwrap();
            let (_, after) = after.split_once('"').unwrap();
            lines.push_str(&format!("{before}\"user\":\"stranger\"{after}\n"));
            strange.push(Chat::muid(number));
        } else {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    std::fs::write(&path, lines).unwrap();
    let text = std::fs::read_to_string(&pipeline).unwrap();
    let from = "from = \"chat.messages\"";
    assert!(text.contains(from));
    let text = text.replace(from, &format!("{from}\nreferences = \"trust\""));
    (folder.write("pipeline.toml", text), strange)
}

#[test]
fn every_refusal_is_named_and_nothing_is_gone_nothing_is_repeated_nothing_comes_too_early() {
    let chat = Chat {
        groups: 60,
        messages: 4_000,
        ..Chat::default()
    };
    let (folder, served) = (
        Folder::new(),
        Served::new(Settings {
            requests_per_minute: NonZeroU32::new(REQUESTS),
            minute: Duration::from_secs(SECONDS),
            latency: Duration::from_millis(100),
            ..unlimited()
        }),
    );
    let (pipeline, strange) = with_strangers(&chat, &folder, served.url());
    let pace = format!(
        "cometchat.requests_per_minute={}",
        u64::from(REQUESTS) * 60 / SECONDS
    );
    let command = ["run", &pipeline, "--set", &pace, "--format", "json"];

    let mut running = folder.start(&command);
    running.until("half was sent", || served.counts().messages >= 2_000);
    running.kill();
    let ended = folder.run(&command).expect(7);

    let counts = served.counts();
    assert_eq!(counts.throttled, 0, "requests that came too early");
    assert!(counts.worst_minute <= u64::from(REQUESTS), "{counts:?}");
    let stored = served.stored();
    let mut muids = stored.muids();
    muids.sort_unstable();
    let expected: Vec<String> = chat
        .muids()
        .into_iter()
        .filter(|muid| !strange.contains(muid))
        .collect();
    assert_eq!(muids, expected, "each once");
    assert_eq!(counts.order_violations, 0);
    let rows = &account::of(&ended)["messages"];
    let of = |name: &str| rows.get(name).copied().unwrap_or_default();
    assert_eq!(
        of("refused: ERR_UID_NOT_FOUND"),
        strange.len() as u64,
        "{rows:?}"
    );
    assert_eq!(
        of("imported") + of("present") + of("earlier"),
        expected.len() as u64,
        "{rows:?}"
    );
    // What was in flight when it was killed is sent once more, and answered with "already exists".
    let needed: u64 = [chat.users, chat.groups, chat.members(), chat.messages]
        .iter()
        .map(|records| records.div_ceil(50) as u64)
        .sum();
    println!(
        "{} requests where {needed} are needed, {} refusals named, {} of a quota of {REQUESTS} in {SECONDS} s at most",
        counts.requests,
        strange.len(),
        counts.worst_minute
    );
    assert!(counts.requests <= needed + 10, "{counts:?}");
    let status = folder.run(&["status", &pipeline]).expect(0);
    assert!(status.out.contains("ERR_UID_NOT_FOUND"), "{}", status.out);
}
