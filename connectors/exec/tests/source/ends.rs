//! How programs end, and what becomes of those that do not.

use std::time::Duration;

use chatferry_core::source::{Scan, SourceErrorKind};
use chatferry_testkit::reading::{error_shown, file_shown, titled};
use futures::StreamExt;

use crate::workshop::Workshop;

#[tokio::test]
async fn a_program_that_fails_is_an_error_with_its_last_words() {
    let workshop = Workshop::new();
    workshop.script(
        "fails.sh",
        "echo '{\"id\":1}'; echo connecting >&2; echo \"no such host: $KEY\" >&2; exit 3",
    );
    workshop.script("dies.sh", "echo '{\"id\":1}'; kill -9 $$");
    workshop.script("silent.sh", "exit 1");
    workshop.script("locked.sh", "exit 0");
    let source = workshop.source(
        r#"env = { KEY = "hunter2" }
[sources.legacy.tables]
fails = { command = ["sh", "fails.sh"], columns = { id = "bigint" } }
found = ["sh", "fails.sh"]
dies = { command = ["sh", "dies.sh"], columns = { id = "bigint" } }
silent = ["sh", "silent.sh"]
missing = ["no-such-program"]
locked = ["./locked.sh"]"#,
    );
    let mut shown = Vec::new();
    for table in ["fails", "found", "dies", "silent", "missing", "locked"] {
        shown.push((table, file_shown(&source, table).await));
    }
    insta::assert_snapshot!(titled(shown));
    assert!(!format!("{source:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error() {
    let workshop = Workshop::new();
    let source = workshop.source("command = [\"true\"]\nfolder = \"nowhere\"");
    let error = source.describe("records").await.expect_err("no folder");
    assert_eq!(error.kind, SourceErrorKind::NotFound);
    insta::assert_snapshot!(error_shown(&error));
}

/// Prints its process and that of a program that it starts, then records without end.
const ENDLESS: &str = r#"
sleep 1000 &
echo "$$ $!" > pids
while true; do echo '{"id":1}'; done
"#;

/// Prints one record, then nothing, and takes no notice of being asked to end.
const STUBBORN: &str = r#"
trap '' TERM
echo "$$ $$" > pids
echo '{"id":1}'
while true; do sleep 1000; done
"#;

/// Whether a program is there; with `zombie`, also when it only waits to be forgotten.
fn is_there(pid: &str, zombie: bool) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| zombie || !status.contains("State:\tZ"))
}

/// Waits until the program and the one that it started are gone. We leave no zombie; whoever
/// inherits the other may.
async fn both_end(workshop: &Workshop) {
    let pids = workshop.read("pids");
    let (first, second) = pids
        .trim()
        .split_once(' ')
        .expect("the program was started");
    tokio::time::timeout(Duration::from_secs(60), async {
        while is_there(first, true) || is_there(second, false) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the programs end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_ends_with_the_reading_of_it() {
    for script in [ENDLESS, STUBBORN] {
        let workshop = Workshop::new();
        workshop.script("endless.sh", script);
        let source =
            workshop.source("command = [\"sh\", \"endless.sh\"]\ncolumns = { id = \"bigint\" }");
        let table = source.describe("records").await.expect("described");
        let mut stream = source.scan(Scan::of(table, vec![0], 1));
        // The stubborn one is waited for in vain.
        let first = tokio::time::timeout(Duration::from_secs(1), stream.next()).await;
        assert_eq!(first.is_ok(), script == ENDLESS);
        drop(stream);
        both_end(&workshop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_ends_when_nobody_waits_for_its_description() {
    let workshop = Workshop::new();
    workshop.script("endless.sh", STUBBORN);
    let source = workshop.source("command = [\"sh\", \"endless.sh\"]");
    let described = tokio::time::timeout(Duration::from_secs(1), source.describe("records"));
    assert!(described.await.is_err(), "it never ends by itself");
    both_end(&workshop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_waits_while_nobody_reads() {
    let workshop = Workshop::new();
    workshop.script(
        "counts.sh",
        "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo $i > printed; \
         printf '{\"id\":%d,\"text\":\"%01000d\"}\\n' $i 0; done",
    );
    let source =
        workshop.source("command = [\"sh\", \"counts.sh\"]\ncolumns = { id = \"bigint\" }");
    let table = source.describe("records").await.expect("described");
    let mut stream = source.scan(Scan::of(table, vec![0], 1));
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch.expect("rows").rows.num_rows();
        // The pipe, what waits behind it and the window hold some 640 of them.
        let printed: usize = workshop.read("printed").trim().parse().unwrap_or(rows);
        assert!(
            printed < rows + 1_000,
            "{printed} were printed and {rows} read"
        );
    }
    assert_eq!(rows, 4_000);
}
