//! What is said of settings that cannot be used, and what the tap is told.

use std::path::Path;

use chatferry_testkit::settings::planned;

use crate::streams::{CATALOG, MESSAGES};
use crate::workshop::Workshop;

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    let mistakes = planned(
        chatferry_singer::register,
        r#"command = "tap-csv --x"
config = { when = 2024-01-01 }
catalogue = "catalog.json"
[sources.legacy.tables]
a = { steam = "a" }
b = { stream = "b", schema = { id = "integer" } }
c = 5"#,
        Path::new("/"),
    );
    insta::assert_snapshot!(mistakes.1);
}

#[test]
fn messages_come_from_a_tap_or_a_file() {
    let mut shown = Vec::new();
    for (title, settings) in [
        ("both", "command = [\"tap\"]\npath = \"messages\""),
        ("config", "path = \"messages\"\nconfig = { host = \"a\" }"),
        ("neither", "state = true"),
    ] {
        let mistakes = planned(chatferry_singer::register, settings, Path::new("/"));
        shown.push((title, mistakes.1));
    }
    insta::assert_snapshot!("from", chatferry_testkit::reading::titled(shown));
}

#[tokio::test]
async fn a_tap_is_told_its_config_where_nobody_else_can_read_it() {
    let workshop = Workshop::new(CATALOG, MESSAGES);
    workshop.write("token", "s3cr3t\n");
    let source = workshop.source(
        r#"[sources.legacy.config]
host = "localhost"
port = 5432
ratio = 0.5
deep = { list = ["a", { on = true }] }
password = "hunter2"
token = { file = "token" }"#,
    );
    source.tables().await.expect("tables");
    let given = workshop.read("given");
    let (mode, config) = given
        .split_once('\n')
        .expect("the folder's mode, and the config");
    assert_eq!(mode, "700");
    let config: serde_json::Value = serde_json::from_str(config).expect("JSON");
    assert_eq!(
        config,
        serde_json::json!({
            "host": "localhost", "port": 5432, "ratio": 0.5, "password": "hunter2",
            "deep": {"list": ["a", {"on": true}]}, "token": "s3cr3t",
        })
    );
    let shown = format!("{source:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let left = std::fs::read_dir(std::env::temp_dir()).expect("a folder");
    let ours = |entry: &std::fs::DirEntry| {
        let path = entry.path().join("config.json");
        std::fs::read_to_string(path).is_ok_and(|config| config.contains("hunter2"))
    };
    assert!(!left.flatten().any(|entry| ours(&entry)), "it is gone");
}

#[tokio::test]
async fn a_config_may_be_a_file_of_ones_own() {
    let workshop = Workshop::new(CATALOG, MESSAGES);
    workshop.write("config.json", "{\"mine\":1}");
    let source = workshop.source("config = \"config.json\"");
    source.tables().await.expect("tables");
    assert!(workshop.read("given").ends_with("{\"mine\":1}"));
}
