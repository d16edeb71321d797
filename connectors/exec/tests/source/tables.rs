//! What programs print, as tables.

use chatferry_testkit::reading::{file_shown, titled};
use chatferry_testkit::source::assert_contract;

use crate::workshop::Workshop;

const USERS: &str = r#"
echo started >> "$0.starts"
echo '{"id":1,"name":"Ann","tags":["a"]}'
echo '{"id":2,"name":"Bob","at":{"x":1.5}}'
echo 'not a record'
echo '{"id":4,"name":null}'
"#;

#[tokio::test]
async fn what_a_program_prints_is_a_table() {
    let workshop = Workshop::new();
    workshop.script("users.sh", USERS);
    workshop.script("one.sh", "echo \"[{\\\"said\\\":\\\"$1 $GREETING\\\"}]\"");
    workshop.script(
        "document.sh",
        "echo '{\"channel\":\"c\",\"messages\":[{\"id\":1},{\"id\":2}]}'",
    );
    let source = workshop.source(
        r#"env = { GREETING = "there" }
[sources.legacy.tables]
users = ["sh", "users.sh"]
one = ["sh", "one.sh", "hello  *"]
typed = { command = ["sh", "users.sh"], schema = { id = "text" } }
given = { command = ["sh", "users.sh"], columns = { id = "double", name = "text" } }
messages = { command = ["sh", "document.sh"], records = "messages", parents = { channel = "channel" } }
nothing = ["true"]"#,
    );
    assert_eq!(
        source.tables().await.expect("tables"),
        ["given", "messages", "nothing", "one", "typed", "users"]
    );
    let mut shown = Vec::new();
    for table in ["users", "one", "typed", "given", "messages", "nothing"] {
        shown.push((table, file_shown(&source, table).await));
    }
    insta::assert_snapshot!(titled(shown));
    for table in ["users", "given", "messages"] {
        assert_contract(source.clone(), table).await;
    }
}

#[tokio::test]
async fn a_program_runs_once_to_be_described_and_once_for_each_reading() {
    let workshop = Workshop::new();
    workshop.script("users.sh", USERS);
    let starts = || workshop.read("users.sh.starts").lines().count();
    let source = workshop.source("command = [\"sh\", \"users.sh\"]");
    source.tables().await.expect("tables");
    assert_eq!(starts(), 0, "nothing is run before something is asked");
    let table = source.describe("records").await.expect("described");
    source.describe("records").await.expect("described");
    assert_eq!(starts(), 1);
    let scan = chatferry_core::source::Scan::of(table, vec![0], 10);
    drop(source.scan(scan));
    assert_eq!(starts(), 1, "a stream that is not polled runs nothing");
    file_shown(&source, "records").await;
    assert_eq!(starts(), 2);
    let declared = workshop.source("command = [\"sh\", \"users.sh\"]\ncolumns = { id = \"text\" }");
    declared.describe("records").await.expect("described");
    assert_eq!(starts(), 2, "what is given is not looked for");
}

#[tokio::test]
async fn paths_begin_in_the_folder_where_the_program_runs() {
    use std::os::unix::fs::PermissionsExt;
    let workshop = Workshop::new();
    std::fs::create_dir(workshop.path().join("scripts")).expect("a folder");
    workshop.script("scripts/export.sh", "#!/bin/sh\ncat data.jsonl\n");
    workshop.script("scripts/data.jsonl", "{\"id\":7}");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(workshop.path().join("scripts/export.sh"), executable)
        .expect("it may be run");
    let source = workshop.source("command = [\"./export.sh\"]\nfolder = \"scripts\"");
    assert!(file_shown(&source, "records").await.ends_with("| 7\n"));
}
