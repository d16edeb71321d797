//! Is a Slack export carried over with an account that its files bear out, as a folder and as a
//! zip?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use chatferry_tests::account::{self, Rows, rows};
use chatferry_tests::id::cometchat_id;
use chatferry_tests::{Folder, STRICT, Served, pipeline, repository, unlimited};
use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What the pipeline leaves out as a channel's notice.
const NOTICES: [&str; 10] = [
    "channel_join",
    "channel_leave",
    "channel_topic",
    "channel_purpose",
    "channel_name",
    "channel_archive",
    "channel_unarchive",
    "bot_add",
    "bot_remove",
    "pinned_item",
];

/// The export, as it lies there.
struct Export {
    users: Vec<Value>,
    channels: Vec<Value>,
    /// Each with its channel's name.
    messages: Vec<(String, Value)>,
}

fn root() -> PathBuf {
    repository().join("pipelines/slack-export/export")
}

/// All files below a folder.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

impl Export {
    fn read() -> Self {
        let array = |path: &Path| -> Vec<Value> {
            serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("an array")
        };
        let daily = files(&root())
            .into_iter()
            .filter(|path| path.parent() != Some(&*root()));
        let messages = daily.flat_map(|path| {
            let channel = path
                .parent()
                .unwrap()
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            array(&path)
                .into_iter()
                .map(move |message| (channel.clone(), message))
        });
        Self {
            messages: messages.collect(),
            users: array(&root().join("users.json")),
            channels: array(&root().join("channels.json")),
        }
    }

    /// The account that a first run must give.
    fn account(&self) -> BTreeMap<String, Rows> {
        let all = |count: usize| rows(&[("read", count), ("imported", count)]);
        let members = self
            .channels
            .iter()
            .map(|channel| channel["members"].as_array().map_or(0, Vec::len))
            .sum();
        let notices = self
            .messages
            .iter()
            .filter(|(_, message)| is_notice(message))
            .count();
        let messages = rows(&[
            ("read", self.messages.len()),
            ("imported", self.messages.len() - notices),
            ("skipped: channel notice", notices),
        ]);
        BTreeMap::from([
            ("users".into(), all(self.users.len())),
            ("groups".into(), all(self.channels.len())),
            ("members".into(), all(members)),
            ("messages".into(), messages),
        ])
    }
}

fn is_notice(message: &Value) -> bool {
    message["subtype"]
        .as_str()
        .is_some_and(|subtype| NOTICES.contains(&subtype))
}

fn rehearse(arguments: &[&str]) -> BTreeMap<String, Rows> {
    let mut all = vec![
        "rehearse".to_owned(),
        pipeline("slack-export"),
        "--format".into(),
        "json".into(),
    ];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    account::of(&Folder::new().run(&all).expect(0))
}

#[test]
fn the_account_is_what_the_files_say() {
    let account = rehearse(&[]);
    assert_eq!(account, Export::read().account());
    assert_eq!(account["users"]["imported"], 71);
    assert_eq!(account["members"]["imported"], 201);
    assert_eq!(account["messages"]["imported"], 1_031);
}

#[test]
fn the_zip_gives_the_same_account_as_the_folder() {
    let folder = Folder::new();
    let path = folder.file("export.zip");
    let mut archive = ZipWriter::new(File::create(&path).expect("a file can be made"));
    for file in files(&root()) {
        let name = file
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        archive
            .start_file(name, SimpleFileOptions::default())
            .expect("a name");
        archive
            .write_all(&std::fs::read(&file).expect("a file"))
            .expect("it can be written");
    }
    archive.finish().expect("it can be written");

    assert_eq!(
        rehearse(&["--set", &format!("sources.slack.root={path}")]),
        Export::read().account()
    );
}

#[test]
fn nothing_is_refused_by_the_strictest_reading_of_the_documentation() {
    let strict = STRICT
        .into_iter()
        .chain(["answer-keys=lower-case", "entity=wrapped"]);
    let arguments: Vec<&str> = strict.flat_map(|switch| ["--switch", switch]).collect();
    assert_eq!(rehearse(&arguments), Export::read().account());
}

#[test]
fn every_message_arrives_with_its_author_channel_and_text() {
    let (export, folder, served) = (Export::read(), Folder::new(), Served::new(unlimited()));
    let mut arguments = vec![
        "run".into(),
        pipeline("slack-export"),
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

    let stored = served.stored();
    let by_muid: BTreeMap<&str, &Value> = stored
        .messages
        .iter()
        .map(|message| (message["muid"].as_str().unwrap(), message))
        .collect();
    let ids: BTreeMap<&str, &str> = export
        .channels
        .iter()
        .map(|channel| {
            (
                channel["name"].as_str().unwrap(),
                channel["id"].as_str().unwrap(),
            )
        })
        .collect();
    let mut expected = BTreeSet::new();
    for (channel, message) in export
        .messages
        .iter()
        .filter(|(_, message)| !is_notice(message))
    {
        let (channel, ts) = (ids[channel.as_str()], message["ts"].as_str().unwrap());
        let muid = format!("{}-{}", channel.to_lowercase(), ts.replace('.', "-"));
        let there = by_muid
            .get(muid.as_str())
            .unwrap_or_else(|| panic!("{muid} is not there"));
        let author = message["user"]
            .as_str()
            .or(message["comment"]["user"].as_str())
            .unwrap();
        assert_eq!(there["sender"], cometchat_id(author), "{muid}");
        assert_eq!(there["receiver"], cometchat_id(channel), "{muid}");
        assert_eq!(
            there["sentAt"].as_i64(),
            ts.split('.').next().unwrap().parse().ok(),
            "{muid}"
        );
        match message["subtype"].as_str() {
            Some("file_share") => {
                let file = &there["data"]["attachments"][0];
                assert_eq!(file["name"], message["file"]["name"], "{muid}");
                assert!(
                    !file["url"].as_str().unwrap().contains("t="),
                    "{muid} has a token"
                );
            }
            Some(_) => {}
            None => {
                let text = message["text"].as_str().unwrap();
                if !text.contains(['<', '&']) {
                    assert_eq!(there["data"]["text"], text, "{muid}");
                }
            }
        }
        expected.insert(muid);
    }
    assert_eq!(stored.messages.len(), expected.len());
    assert_eq!(served.counts().order_violations, 0);
}
