//! Does a pipeline run from a snapshot as it runs from its sources?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chatferry_benches::legacy::{Population, Target, fill};
use chatferry_testkit::servers::{self, PASSWORD};
use chatferry_tests::account::{self, Rows};
use chatferry_tests::{Chat, Ended, Folder, Served, pipeline, unlimited};
use serde_json::Value;

const APP: [(&str, &str); 2] = [("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")];

/// What a run of this pipeline into a simulator of its own says, and everything it stored.
fn run(
    folder: &Folder,
    pipeline: &str,
    ledger: &str,
    variables: &[(&str, &str)],
    more: &[&str],
    code: i32,
) -> (Ended, Vec<Vec<Value>>) {
    let began = SystemTime::now().duration_since(UNIX_EPOCH);
    let began = began.unwrap().as_secs();
    let served = Served::new(unlimited());
    let mut arguments = vec!["run".to_owned(), pipeline.to_owned()];
    arguments.extend(served.arguments());
    arguments.extend(["--ledger".into(), folder.file(ledger)]);
    arguments.extend(["--format".into(), "json".into()]);
    arguments.extend(more.iter().map(|&one| one.to_owned()));
    let ended = folder.run_with(variables, &arguments).expect(code);
    assert_eq!(served.counts().order_violations, 0);
    let stored = served.stored();
    let as_sent = |mut records: Vec<Value>| {
        for record in &mut records {
            // What the app adds when it arrives: a message's number, and the time where none is sent.
            let is_added = |key: &str, value: &Value| {
                key == "id" || (key.ends_with("At") && value.as_u64() >= Some(began))
            };
            let record = record.as_object_mut().unwrap();
            record.retain(|key, value| !is_added(key, value));
        }
        records.sort_by_key(ToString::to_string);
        records
    };
    let stored = [stored.users, stored.groups, stored.members, stored.messages];
    (ended, stored.map(as_sent).to_vec())
}

#[track_caller]
fn assert_same(these: &[Vec<Value>], those: &[Vec<Value>]) {
    for (these, those) in these.iter().zip(those) {
        assert_eq!(these.len(), those.len());
        let differ = these.iter().zip(those).find(|(this, that)| this != that);
        assert_eq!(differ, None, "these were stored differently");
    }
}

/// The names of all that is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The pages of a snapshot's manifest: what a table had.
fn table<'m>(manifest: &'m Value, name: &str) -> &'m Value {
    let sources = manifest["sources"].as_array().unwrap().iter();
    let mut tables = sources.flat_map(|source| source["tables"].as_array().unwrap());
    tables.find(|table| table["table"] == name).unwrap()
}

#[test]
fn the_quickstart_is_carried_over_from_its_snapshot() {
    let (folder, quickstart) = (Folder::new(), pipeline("quickstart"));
    let (direct, stored) = run(&folder, &quickstart, "direct", &APP, &[], 0);

    let copy = folder.file("copy");
    let taken = ["snapshot", &quickstart, "--to", &copy, "--format", "json"];
    // It needs nothing of the destination.
    let taken = folder.run(&taken).expect(0);
    let manifest = account::json(&taken);
    let written = std::fs::read(folder.path().join("copy/manifest.json")).unwrap();
    assert_eq!(manifest, serde_json::from_slice::<Value>(&written).unwrap());
    assert_eq!(table(&manifest, "users")["rows"], 1_675);
    assert_eq!(table(&manifest, "messages")["rows"], 12_500);

    let from = ["--snapshot", &copy];
    let (again, same) = run(&folder, &quickstart, "copied", &APP, &from, 0);
    assert_eq!(account::of(&again), account::of(&direct));
    assert_same(&same, &stored);

    for command in ["check", "preview", "rehearse", "tables"] {
        let ended = folder.run(&[command, &quickstart, "--snapshot", &copy]);
        ended.expect(0);
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_carried_over_from_its_snapshot() {
    let database = servers::postgres().await.database().await;
    let target = Target::Postgres(database.url().to_owned());
    fill(&target, &Population::new(5, 2_000)).await.unwrap();
    let url = database.url().to_owned();
    let taken = tokio::task::spawn_blocking(move || {
        let (folder, name) = (Folder::new(), pipeline("homegrown-postgres"));
        let mut variables = APP.to_vec();
        variables.push(("LEGACY_DATABASE_URL", &url));
        let (direct, stored) = run(&folder, &name, "direct", &variables, &[], 0);
        let copy = folder.file("copy");
        let taken = ["snapshot", &name, "--to", &copy, "--format", "json"];
        let ended = folder.run_with(&variables, &taken).expect(0);
        assert!(!ended.said().contains(PASSWORD), "the password got out");
        for entry in names(Path::new(&copy)) {
            let path = Path::new(&copy).join(entry);
            let holds = path.is_file() && std::fs::read_to_string(path).unwrap().contains(PASSWORD);
            assert!(!holds, "the password is in the snapshot");
        }
        (folder, name, direct, stored, account::json(&ended))
    });
    let (folder, name, direct, stored, manifest) = taken.await.unwrap();
    assert_eq!(table(&manifest, "messages")["rows"], 2_000);
    database
        .execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
        .await;

    let again = tokio::task::spawn_blocking(move || {
        // No variable of the source is set any more.
        let copy = folder.file("copy");
        let from = ["--snapshot", &copy];
        let (again, same) = run(&folder, &name, "copied", &APP, &from, 0);
        assert_eq!(account::of(&again), account::of(&direct));
        assert_same(&same, &stored);
        let status = ["status", &name, "--ledger", &folder.file("copied")];
        let status: Vec<&str> = status.into_iter().chain(from).collect();
        folder.run_with(&APP, &status).expect(0);

        let check = folder.run(&["check", &name]).expect(3);
        assert!(check.err.contains("LEGACY_DATABASE_URL"), "{}", check.err);
    });
    again.await.unwrap();
}

#[test]
fn rows_that_cannot_be_read_are_told_of_by_the_snapshot_and_by_its_runs() {
    let (folder, nowhere) = (Folder::new(), "http://127.0.0.1:9/v3");
    let pipeline = Chat::default().write(&folder, nowhere);
    let messages = folder.path().join("data/messages.jsonl");
    let mut text = std::fs::read_to_string(&messages).unwrap();
    text.insert_str(0, "{\"id\":\n");
    text.push_str("no JSON\n");
    std::fs::write(&messages, text).unwrap();
    let (direct, stored) = run(&folder, &pipeline, "direct", &[], &[], 7);
    let rejected: Rows = account::of(&direct).remove("messages").unwrap();
    assert_eq!(rejected["rejected: malformed"], 2);

    let copy = folder.file("copy");
    let taken = folder
        .run(&["snapshot", &pipeline, "--to", &copy])
        .expect(7);
    assert!(
        taken.err.contains("messages.jsonl, line 1"),
        "{}",
        taken.err
    );
    std::fs::remove_dir_all(folder.path().join("data")).unwrap();
    let from = ["--snapshot", &copy];
    let (again, same) = run(&folder, &pipeline, "copied", &[], &from, 7);
    assert_eq!(account::of(&again), account::of(&direct));
    assert_same(&same, &stored);
}

#[test]
fn only_what_is_read_is_copied_unless_all_is_wanted() {
    let folder = Folder::new();
    let pipeline = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    folder.write("data/audit.jsonl", "{\"id\":1}\n");
    for (to, more) in [("some", None), ("all", Some("--all-tables"))] {
        let to = folder.file(to);
        let arguments = ["snapshot", &pipeline, "--to", &to].into_iter().chain(more);
        folder.run(&arguments.collect::<Vec<_>>()).expect(0);
    }
    let audit = "audit.parquet".to_owned();
    let copied = |name: &str| names(&folder.path().join(name).join("chat"));
    assert_eq!(copied("some").len(), 4);
    assert!(!copied("some").contains(&audit) && copied("all").contains(&audit));

    // A pipeline that came to read more since then is told so.
    let text = std::fs::read_to_string(&pipeline).unwrap();
    let more = "\n[views]\nmore = \"SELECT * FROM chat.audit\"\n";
    std::fs::write(&pipeline, text + more).unwrap();
    let some = folder.file("some");
    let ended = folder.run(&["check", &pipeline, "--snapshot", &some]);
    let ended = ended.expect(3);
    assert!(ended.err.contains("chat.audit"), "{}", ended.err);
    assert!(ended.err.contains("only what was copied"), "{}", ended.err);
    let all = folder.file("all");
    folder
        .run(&["check", &pipeline, "--snapshot", &all])
        .expect(0);
}

#[test]
fn a_snapshot_is_whole_or_not_there() {
    let folder = Folder::new();
    let chat = Chat {
        messages: 400_000,
        ..Chat::default()
    };
    let pipeline = chat.write(&folder, "http://127.0.0.1:9/v3");
    let copy = folder.file("copies/copy");
    std::fs::create_dir(folder.path().join("copies")).unwrap();
    let beside = || names(&folder.path().join("copies"));
    let arguments = ["snapshot", &pipeline, "--to", &copy];

    // Messages are copied after groups and members.
    let at_work = || {
        let growing = beside();
        growing.first().is_some_and(|growing| {
            let growing = folder.path().join("copies").join(growing);
            growing.join("chat/messages.parquet").exists()
        })
    };
    let mut running = folder.start(&arguments);
    running.until("messages are copied", at_work);
    running.interrupt();
    let ended = running.ended().expect(130);
    assert!(ended.err.contains("begins anew"), "{}", ended.err);
    assert_eq!(beside(), [""; 0], "Ctrl-C leaves nothing behind");

    let mut running = folder.start(&arguments);
    running.until("messages are copied", at_work);
    assert_eq!(running.kill().code, None, "a signal ended it");
    assert!(!beside().contains(&"copy".to_owned()));

    folder.run(&arguments).expect(0);
    let before = std::fs::read(folder.path().join("copies/copy/manifest.json")).unwrap();
    let ended = folder.run(&arguments).expect(2);
    assert!(ended.err.contains("is there already"), "{}", ended.err);
    let after = std::fs::read(folder.path().join("copies/copy/manifest.json")).unwrap();
    assert_eq!(before, after);
}

#[test]
fn a_damaged_file_is_named() {
    let folder = Folder::new();
    let pipeline = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let copy = folder.file("copy");
    folder
        .run(&["snapshot", &pipeline, "--to", &copy])
        .expect(0);
    let from = ["rehearse", &pipeline, "--snapshot", &copy];
    folder.run(&from).expect(0);

    let path = folder.path().join("copy/chat/messages.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let ended = folder.run(&from).expect(4);
    let said: String = ended.err.split_whitespace().collect();
    assert!(said.contains("chat/messages.parquet"), "{}", ended.err);
    assert!(said.contains("checksum"), "{}", ended.err);

    let nowhere = folder.file("nowhere");
    let ended = folder.run(&["check", &pipeline, "--snapshot", &nowhere]);
    let ended = ended.expect(4);
    assert!(ended.err.contains("chatferry snapshot"), "{}", ended.err);
}
