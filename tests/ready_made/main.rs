//! Does each ready-made pipeline carry its system's export over, with an account that a second
//! count bears out, and is nothing of it refused by the strictest reading of the documentation?
//!
//! Each pipeline has a module. Real exports that may not be in the repository are read where
//! `CHATFERRY_SAMPLES` says that they are; without it only the samples beside the pipelines are.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

mod chatwoot;
mod database;
mod discord;
mod discourse;
mod ejabberd;
mod homegrown;
mod mattermost;
mod mattermost_bulk;
mod openfire;
mod rocketchat;
mod sendbird;
mod slack_export;
mod stream;
mod stream_export;
mod synapse;
mod telegram;
mod twilio;
mod zulip;
mod zulip_export;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chatferry_tests::account::{self, Rows};
use chatferry_tests::{Folder, STRICT, pipeline, repository};
use serde_json::Value;

/// The account of a rehearsal with the strictest simulator, by flow. Nothing is refused in it.
fn rehearsed(name: &str, arguments: &[&str]) -> BTreeMap<String, Rows> {
    rehearsed_with(&[], name, arguments)
}

/// The same with these variables of the environment.
fn rehearsed_with(
    variables: &[(&str, &str)],
    name: &str,
    arguments: &[&str],
) -> BTreeMap<String, Rows> {
    let pipeline = pipeline(name);
    let mut all = vec!["rehearse", &pipeline, "--format", "json"];
    all.extend(STRICT.iter().flat_map(|switch| ["--switch", switch]));
    all.extend(arguments);
    let ended = Folder::new().run_with(variables, &all);
    // 7: some rows were rejected, for reasons that the caller looks at.
    assert!(matches!(ended.code, Some(0 | 7)), "{}", ended.err);
    let account = account::of(&ended);
    for (flow, rows) in &account {
        let bad =
            |outcome: &&String| outcome.starts_with("refused") || outcome.starts_with("blocked");
        let bad: Vec<_> = rows.keys().filter(bad).collect();
        assert!(bad.is_empty(), "{flow}: {rows:?}");
    }
    account
}

/// The first records of each flow as they would be sent.
fn golden(name: &str) -> String {
    golden_with(name, &[])
}

/// The first records of each flow as they would be sent with these arguments.
fn golden_with(name: &str, arguments: &[&str]) -> String {
    let pipeline = pipeline(name);
    let mut all = vec!["preview", &pipeline, "-n", "100"];
    all.extend(arguments);
    Folder::new().run(&all).expect(0).out
}

/// The sample that is beside the pipeline.
fn sample(name: &str, folder: &str) -> PathBuf {
    repository().join("pipelines").join(name).join(folder)
}

/// The real exports of that folder, where there are any on this machine.
fn real(folder: &str) -> Option<PathBuf> {
    let Some(samples) = std::env::var_os("CHATFERRY_SAMPLES") else {
        println!("{folder} is not looked at: CHATFERRY_SAMPLES does not say where it is");
        return None;
    };
    let path = Path::new(&samples).join(folder);
    assert!(path.is_dir(), "{} is not there", path.display());
    Some(path)
}

/// All JSON documents of a folder, by the names of their files.
fn documents(folder: &Path) -> Vec<Value> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("a document")
    };
    paths.iter().map(read).collect()
}

/// What the answers in a file list under that key; nothing where there is no such file.
fn answers(folder: &Path, file: &str, key: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{file}.json"))).unwrap_or_default();
    serde_json::Deserializer::from_str(&text)
        .into_iter::<Value>()
        .flat_map(|answer| {
            let listed = answer.expect("an answer")[key].as_array().cloned();
            listed.expect("a list")
        })
        .collect()
}
