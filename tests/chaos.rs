//! Is nothing lost and nothing there twice, whatever goes wrong and whenever the program is killed?
//!
//! Each scenario is drawn from a seed: a chat, a pipeline, faults of the service, and moments at which
//! the program is killed. The same command is run again and again until it ends by itself. What is at
//! the service then must be what the chat says, once and in order, and the account must say so too.
//!
//! `CHATFERRY_SCENARIOS=200 cargo test --workspace --test chaos` runs two hundred of them;
//! `CHATFERRY_SEED=17` repeats one. When the program is killed depends on how fast the machine is, so
//! a repetition is the same but for that.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chatferry_tests::{Ended, Folder, KEY, Running, Scenario, Served, account};

/// How many scenarios a plain `cargo test` goes through.
const SCENARIOS: u64 = 8;
/// How many go on at once: most of the time they wait.
const AT_ONCE: usize = 6;
/// How long one start may take. A service that throttles without a word of how long has everybody
/// wait for a minute, and may do so several times.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often the program is started again before it is said never to end.
const STARTS: usize = 25;

/// What a scenario came to, for the figures.
#[derive(Default)]
struct Figures {
    kills: AtomicU64,
    requests: AtomicU64,
    failed: AtomicU64,
    records: AtomicU64,
}

#[test]
fn nothing_is_lost_and_nothing_is_there_twice() {
    let seed: Option<u64> = variable("CHATFERRY_SEED");
    let seeds = match seed {
        Some(seed) => seed..seed + 1,
        None => 0..variable("CHATFERRY_SCENARIOS").unwrap_or(SCENARIOS),
    };
    let (next, started) = (AtomicU64::new(seeds.start), Instant::now());
    let (wrong, figures) = (Mutex::new(BTreeMap::new()), Figures::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    if let Err(panic) =
                        catch_unwind(AssertUnwindSafe(|| comes_through(seed, &figures)))
                    {
                        wrong.lock().unwrap().insert(seed, words(&*panic));
                    }
                }
            });
        }
    });
    let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
    println!(
        "{} scenarios in {:.0?}: {} records in {} requests, of which {} failed; killed {} times",
        seeds.end - seeds.start,
        started.elapsed(),
        of(&figures.records),
        of(&figures.requests),
        of(&figures.failed),
        of(&figures.kills),
    );
    let wrong = wrong.into_inner().unwrap();
    for (seed, what) in &wrong {
        println!(
            "seed {seed}: {what}\n  repeat it: CHATFERRY_SEED={seed} cargo test --workspace --test chaos"
        );
    }
    assert!(wrong.is_empty(), "{} scenarios went wrong", wrong.len());
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".into())
}

/// Goes through a scenario, and sees whether all is as it must be.
fn comes_through(seed: u64, figures: &Figures) {
    let scenario = Scenario::drawn(seed);
    let (folder, served) = (Folder::new(), Served::new(scenario.service()));
    let pipeline = scenario.write(&folder, served.url());
    let started = Instant::now();
    let mut said = Vec::new();
    let ended = run_through(&scenario, &folder, &served, &pipeline, &mut said);

    let counts = served.counts();
    let elapsed = started.elapsed();
    everything_is_there_once_and_in_order(&scenario, &served);
    the_account_adds_up(&scenario, &ended);
    if let Some(limit) = scenario.limit {
        let allowed = elapsed.as_secs_f64() * f64::from(limit.get()) / 60.0 + 2.0;
        let sent = f64::from(u32::try_from(counts.requests).unwrap());
        assert!(sent <= allowed, "{sent} requests in {elapsed:?}");
        assert!(counts.worst_minute <= u64::from(limit.get()));
    }
    said.push(ended);
    nobody_was_told_the_key(&folder, &said);

    let killed = said.iter().filter(|ended| ended.code.is_none()).count();
    figures.kills.fetch_add(killed as u64, Ordering::Relaxed);
    figures
        .requests
        .fetch_add(counts.requests, Ordering::Relaxed);
    figures.records.fetch_add(
        counts.users + counts.groups + counts.members + counts.messages,
        Ordering::Relaxed,
    );
    let failed = account::json(said.last().unwrap())["requests"]["failed"].as_u64();
    figures
        .failed
        .fetch_add(failed.unwrap_or_default(), Ordering::Relaxed);
}

/// Runs the same command, killed and stopped as often as it is, until it comes to its end.
fn run_through(
    scenario: &Scenario,
    folder: &Folder,
    served: &Served,
    pipeline: &str,
    said: &mut Vec<Ended>,
) -> Ended {
    let command = ["run", pipeline, "--format", "json", "-v"];
    let mut kills = scenario.kills.iter();
    for _ in 0..STARTS {
        let mut running = folder.start(&command);
        let ended = match kills.next() {
            Some((requests, later)) => {
                let from = served.counts().requests;
                let at = from + *requests as u64;
                while running.is_running() && served.counts().requests < at {
                    std::thread::sleep(Duration::from_millis(2));
                }
                std::thread::sleep(Duration::from_millis(*later as u64));
                killed(running)
            }
            None => running.ended_within(PATIENCE),
        };
        match ended.code {
            Some(0 | 7) => return ended,
            // Killed, or its key was revoked for a while.
            None | Some(5) => said.push(ended),
            Some(code) => panic!("exit code {code}: {}", ended.said()),
        }
    }
    panic!("it does not end: {}", said.last().unwrap().said());
}

fn killed(mut running: Running) -> Ended {
    if running.is_running() {
        running.kill()
    } else {
        running.ended()
    }
}

fn everything_is_there_once_and_in_order(scenario: &Scenario, served: &Served) {
    let stored = served.stored();
    let (mut texts, mut conversations) = (BTreeMap::new(), BTreeMap::<String, Vec<&str>>::new());
    for message in &stored.messages {
        let text = |value: &'_ serde_json::Value| value.as_str().unwrap().to_owned();
        let muid = message["muid"].as_str().unwrap();
        let there = texts.insert(muid, message["data"]["text"].as_str().unwrap());
        assert_eq!(there, None, "{muid} is there twice");
        let conversation = text(&message["conversationId"]);
        conversations.entry(conversation).or_default().push(muid);
    }
    assert_eq!(texts, scenario.texts());
    assert_eq!(conversations, scenario.conversations());
    let others = [&stored.users, &stored.groups, &stored.members].map(Vec::len);
    assert_eq!(others, scenario.others());
    assert_eq!(served.counts().order_violations, 0);
}

fn the_account_adds_up(scenario: &Scenario, ended: &Ended) {
    let account = account::of(ended);
    let of = |rows: &account::Rows, name: &str| rows.get(name).copied().unwrap_or_default();
    let read = account
        .iter()
        .map(|(flow, rows)| (flow.as_str(), of(rows, "read")));
    assert_eq!(
        read.collect::<BTreeMap<_, _>>(),
        scenario.rows(),
        "{account:#?}"
    );
    let mut missing = 0;
    for (flow, rows) in &account {
        let there = ["imported", "present", "earlier"].map(|name| of(rows, name));
        missing += of(rows, "read") - there.iter().sum::<u64>();
        assert_eq!(of(rows, "pending"), 0, "{flow}: {rows:?}");
    }
    // A row that has the id of one that was under way when the program was killed may be counted as
    // delivered before; never the other way round. The user who breaks a rule is one more.
    let expected = scenario.not_delivered as u64 + 1;
    let doubles = scenario.doubles() as u64;
    assert!(
        missing <= expected && missing >= expected.saturating_sub(doubles),
        "{missing} rows were not delivered, and {expected} could not be: {account:#?}"
    );
}

fn nobody_was_told_the_key(folder: &Folder, said: &[Ended]) {
    for ended in said {
        assert!(!ended.said().contains(KEY), "the key was shown");
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() && path.extension().is_none_or(|extension| extension != "toml") {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(KEY.len())
                .any(|window| window == KEY.as_bytes());
            assert!(!found, "{} holds the key", path.display());
        }
    }
}
