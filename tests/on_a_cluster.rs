//! Is the same delivered when a cluster evaluates a pipeline's views, and the sender reads what came of
//! them?

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use chatferry_simulator::{Clock, Settings};
use chatferry_testkit::servers::Ballista;
use chatferry_tests::account::{self, Rows};
use chatferry_tests::{Folder, Served, pipeline, repository, strict};
use serde_json::Value;

/// What time it is: after the sample, November 2026.
const NOW: i64 = 1_795_000_000;
const NAME: &str = "on-a-cluster";
/// What is delivered does not depend on it; the order in which it is stored does.
const ONE_AFTER_THE_OTHER: [&str; 2] = ["--set", "cometchat.message_order=strict"];
/// Too little for any sort or join of the sample.
const HARDLY_ANY_MEMORY: [&str; 2] = ["--set", "engine.memory=4 KiB"];

/// A cluster of so many executors.
fn cluster(executors: usize) -> Ballista {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(Ballista::own(executors))
}

/// What the script says to that pipeline.
fn evaluated(cluster: &Ballista, name: &str, to: &Path, arguments: &[&str]) -> Output {
    let script = repository()
        .join("pipelines")
        .join(NAME)
        .join("evaluate.py");
    let of = repository()
        .join("pipelines")
        .join(name)
        .join("pipeline.toml");
    Command::new(cluster.python())
        .arg(script)
        .arg(of)
        .args(["--cluster", cluster.url(), "--to"])
        .arg(to)
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap()
}

/// The options for the sender, as a shell understands them; and what was said beside them.
fn options(cluster: &Ballista, to: &Path) -> (Vec<String>, String) {
    let output = evaluated(
        cluster,
        NAME,
        to,
        &["--each", "lines=year,month", "--tasks", "4"],
    );
    let [out, err] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    assert!(output.status.success(), "{err}");
    let script = format!("printf '%s\\n' {out}");
    let words = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    (words.lines().map(str::to_owned).collect(), err)
}

/// The account of a run with these options, and all that was stored: messages in the order in which
/// they were, and the others, which have none, by their contents.
fn delivered(options: &[String]) -> (BTreeMap<String, Rows>, [Vec<Value>; 4]) {
    let settings = Settings {
        // What has no time gets that of the service.
        clock: Clock::stopped_at(NOW),
        ..strict()
    };
    let (folder, served) = (Folder::new(), Served::new(settings));
    let mut arguments = vec!["run".to_owned(), pipeline(NAME)];
    arguments.extend(served.arguments());
    arguments.extend(ONE_AFTER_THE_OTHER.map(str::to_owned));
    let ledger = folder.file("ledger");
    arguments.extend(["--ledger".into(), ledger, "--format".into(), "json".into()]);
    arguments.extend_from_slice(options);
    let variables = [("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")];
    let ended = folder.run_with(&variables, &arguments).expect(0);
    assert_eq!(served.counts().order_violations, 0);
    let stored = served.stored();
    let [users, groups, members] = [stored.users, stored.groups, stored.members].map(sorted);
    let stored = [users, groups, members, stored.messages];
    (account::of(&ended), stored)
}

fn sorted(mut records: Vec<Value>) -> Vec<Value> {
    records.sort_by_key(Value::to_string);
    records
}

/// A rehearsal that is left with hardly any memory.
fn rehearsed(options: &[String]) -> chatferry_tests::Ended {
    let mut arguments = vec!["rehearse".to_owned(), pipeline(NAME)];
    arguments.extend(["--format".into(), "json".into()]);
    arguments.extend(HARDLY_ANY_MEMORY.map(str::to_owned));
    arguments.extend_from_slice(options);
    Folder::new().run(&arguments)
}

#[test]
fn a_cluster_takes_the_joins_and_the_order_and_the_same_arrives() {
    let cluster = cluster(2);
    let folder = Folder::new();
    let to = folder.path().join("evaluated");
    assert_eq!(cluster.jobs(), [0, 0]);

    let (options, _) = options(&cluster, &to);

    let jobs = cluster.jobs();
    assert!(jobs.iter().all(|jobs| *jobs > 0), "{jobs:?}");
    let (account, stored) = delivered(&options);
    let (account_without, stored_without) = delivered(&[]);
    assert_eq!(account, account_without);
    for (records, without) in stored.iter().zip(&stored_without) {
        for (record, without) in records.iter().zip(without) {
            assert_eq!(record, without);
        }
        assert_eq!(records.len(), without.len());
    }
    assert_eq!(stored[3].len(), 1_168, "the sample has messages");
    let reacted = |message: &&Value| message["data"]["metadata"]["legacy"]["reactions"].is_array();
    assert!(
        stored[3].iter().any(|message| reacted(&message)),
        "somebody reacted"
    );

    let rehearsed_without = rehearsed(&[]);
    assert_ne!(
        rehearsed_without.code,
        Some(0),
        "it joins and sorts in no memory"
    );
    assert_eq!(account::of(&rehearsed(&options).expect(0)), account);
}

#[test]
fn what_is_there_is_not_evaluated_again_and_what_is_missing_is() {
    let cluster = cluster(1);
    let folder = Folder::new();
    let to = folder.path().join("evaluated");
    let (first, _) = options(&cluster, &to);
    let march = to.join("lines/0000002025-03.parquet");
    let contents = std::fs::read(&march).unwrap();
    let [lines, rooms] = ["lines", "rooms"].map(|view| std::fs::read_dir(to.join(view)).unwrap());
    assert_eq!((lines.count(), rooms.count()), (7, 1));
    std::fs::remove_file(&march).unwrap();
    // As whoever is killed leaves it: the sender does not look at it.
    std::fs::write(to.join("lines/_0000002025-03.parquet"), "half").unwrap();
    let lacking = account::of(&rehearsed(&first).expect(0));
    assert_eq!(
        lacking["messages"]["read"],
        2_000 - 412,
        "the sender reads these files"
    );

    let (again, said) = options(&cluster, &to);

    assert_eq!(again, first);
    assert_eq!(said.matches("is there already").count(), 8, "{said}");
    assert_eq!(said.matches("is written, 412 rows").count(), 1, "{said}");
    assert_eq!(std::fs::read(&march).unwrap(), contents);
    let whole = account::of(&rehearsed(&again).expect(0));
    assert_eq!(whole["messages"]["read"], 2_000);
}

#[test]
fn a_view_with_functions_that_only_the_sender_has_is_refused() {
    // To plan takes no executor.
    let cluster = cluster(0);
    let folder = Folder::new();
    let output = evaluated(
        &cluster,
        "homegrown-parquet",
        &folder.path().join("to"),
        &[],
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("views.reactions cannot be evaluated on a cluster"),
        "{said}"
    );
    assert!(said.contains("cometchat_id"), "{said}");
    assert!(said.contains("use them in the fields of flows"), "{said}");
}

#[test]
fn its_readme_tells_the_numbers() {
    let readme = repository().join("pipelines").join(NAME).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap().replace(',', "");
    let (account, _) = delivered(&[]);
    for (flow, rows) in account {
        let row = format!("| {flow} | {} | {} |", rows["read"], rows["imported"]);
        assert!(readme.contains(&row), "it lacks {row}");
        for (outcome, count) in &rows {
            if let Some(reason) = outcome.strip_prefix("skipped: ") {
                let told = format!("{count} {reason}");
                assert!(readme.contains(&told), "it lacks {told}");
            }
        }
    }
}
