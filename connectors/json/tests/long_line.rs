//! A line of a hundred megabytes takes no more memory than a record may have.
//!
//! It stands alone, since the memory of a process is everybody's.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use chatferry_config::{DestinationKind, Reading, Registry, Section};
use chatferry_core::source::Source;
use chatferry_testkit::reading::rows;

/// The line's length.
const LONG: usize = 100 << 20;
/// Far less, and far more than reading takes with records of at most a megabyte.
const ENOUGH: u64 = 40 << 20;

const PIPELINE: &str = r#"name = "test"
[sources.files]
connector = "json"
path = "a.jsonl"
max_record = "1 MiB"
[cometchat]
[[flow]]
entity = "users"
from = "files.records"
fields = {}
"#;

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_takes_no_more_memory_than_a_record_may_have() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = std::fs::File::create(folder.path().join("a.jsonl")).expect("a file");
    let mut file = BufWriter::new(file);
    file.write_all(b"{\"id\":1}\n{\"id\":\"").expect("written");
    for _ in 0..LONG / 1024 {
        file.write_all(&[b'x'; 1024]).expect("written");
    }
    file.write_all(b"\"}\n{\"id\":2}\n").expect("written");
    drop(file);

    let source = source(folder.path());
    let before = most_memory();
    let read = rows(&source, "records").await.expect("rows");
    let taken = most_memory() - before;

    assert_eq!((read.rows.num_rows(), read.rejected.len()), (2, 1));
    let rejected = &read.rejected[0];
    let place = rejected.place.as_ref().expect("a place").to_string();
    assert_eq!(
        (&*rejected.rule, &*place),
        ("record-too-long", "a.jsonl, line 2, byte 9")
    );
    assert!(taken < ENOUGH, "{taken} bytes");
}

fn source(folder: &std::path::Path) -> Arc<dyn Source> {
    let plan = |section: &mut Section<'_>| {
        section.entries();
        Some(())
    };
    let fields = |_| -> &'static [chatferry_core::Field] { &[] };
    let name = "cometchat";
    let mut registry = Registry::new(DestinationKind { name, fields, plan });
    chatferry_json::register(&mut registry);
    let reading = Reading {
        environment: &|_| None,
        folder,
        overrides: &[],
        without_secrets: false,
    };
    let read = chatferry_config::read(PIPELINE, &registry, &reading);
    let mistakes = read.mistakes;
    let mut pipeline = read.pipeline.unwrap_or_else(|| panic!("{mistakes:?}"));
    let settings = pipeline.sources.remove(0).settings;
    settings.open().expect("the source opens")
}

/// The most memory that this process ever had at once.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).expect("a number");
    kib << 10
}
