//! Whether a live database and its exports give the same tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_core::source::{Scan, Table};
use chatferry_files::{Address, Inquiry, Root, Template, given};
use chatferry_records::{TableSettings, describe, read};
use chatferry_testkit::reading::{columns_shown, rows_shown, scanned};
use futures::StreamExt;
use mongodb::bson::Document;
use tempfile::TempDir;

use crate::server::{Workshop, collection};
use crate::values::order;

/// What the `json` source reads of a file: its columns, and its rows by `_id`.
async fn of_file(folder: &Path, file: &str) -> (String, Vec<String>) {
    let root = Root::open(&Address::folder(folder, "dump")).expect("a folder");
    let settings = TableSettings::of(Template::literal(file));
    let described = describe("t", &root, &settings, &Inquiry::of(&|| true)).expect("a table");
    let table = Arc::clone(&described.table);
    let scan = whole(&table);
    let batches = given(move |consumer| read(&root, &settings, &described, &scan, consumer));
    let batches: Vec<_> = batches.collect().await;
    let mut rows: Vec<String> = Vec::new();
    for batch in batches {
        rows.extend(rows_shown(&batch.expect("rows").rows));
    }
    (columns_shown(&table), rows)
}

fn whole(table: &Arc<Table>) -> Scan {
    let columns = (0..table.schema.fields().len()).collect();
    Scan::of(Arc::clone(table), columns, 100)
}

/// The same files as a database gives their documents: in the order of `_id`.
fn in_order(folder: &Path) -> TempDir {
    let sorted = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let id = |line: &&str| {
            let document: Document = serde_json::from_str(line).expect("extended JSON");
            document.get("_id").cloned().expect("an id")
        };
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_by(|one, other| order(&id(one), &id(other)));
        let lines: Vec<String> = lines.into_iter().map(without_blanks).collect();
        let file = path.file_name().expect("a name");
        std::fs::write(sorted.path().join(file), lines.join("\n")).expect("a file");
    }
    sorted
}

/// A line as `mongoexport` writes it, which has no blanks: fields that are kept as JSON keep them.
fn without_blanks(line: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let is_kept = |letter: &char| {
        let ends = *letter == '"' && !is_escaped;
        is_escaped = in_text && *letter == '\\' && !is_escaped;
        in_text ^= ends;
        in_text || *letter != ' '
    };
    line.chars().filter(is_kept).collect()
}

async fn are_the_same(folder: &Path) {
    let folder = in_order(folder);
    let workshop = Workshop::imported(folder.path()).await;
    let source = workshop.source("");
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let collection = collection(&path);
        let file = path.file_name().expect("a name").to_string_lossy();
        let (expected, rows) = of_file(folder.path(), &file).await;
        let table = source.describe(&collection).await.expect("a table");
        assert_eq!(columns_shown(&table), expected, "{collection}");
        let read = scanned(&source, whole(&table)).await;
        assert!(read.failed.is_none(), "{:?}", read.failed);
        assert_eq!(rows_shown(&read.rows), rows, "{collection}");
    }
}

#[tokio::test]
async fn the_sample_of_rocket_chat_is_the_same_live() {
    let pipelines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    are_the_same(&pipelines.join("rocketchat/dump")).await;
}

#[tokio::test]
async fn a_real_dump_of_rocket_chat_is_the_same_live() {
    if let Some(samples) = std::env::var_os("CHATFERRY_SAMPLES") {
        are_the_same(&PathBuf::from(samples).join("rocketchat-zulip-fixture")).await;
    }
}

#[tokio::test]
async fn the_ready_made_pipeline_reads_what_it_names() {
    let pipelines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    let workshop = Workshop::imported(&pipelines.join("rocketchat/dump")).await;
    let pipeline = pipelines.join("rocketchat-mongodb/pipeline.toml");
    let text = std::fs::read_to_string(pipeline).expect("a pipeline");
    let (_, behind) = text
        .split_once("${LEGACY_DATABASE_URL}\"\n")
        .expect("a URL");
    let (tables, _) = behind.split_once("\n[views]\n").expect("views");
    let source = workshop.source(&tables.replace("sources.rocketchat", "sources.legacy"));
    for (table, rows) in [
        ("users", 4),
        ("rooms", 9),
        ("messages", 21),
        ("uploads", 2),
        ("subscriptions", 3),
    ] {
        let described = source.describe(table).await.expect("a table");
        let read = scanned(&source, whole(&described)).await;
        assert!(read.failed.is_none(), "{:?}", read.failed);
        assert!(read.rejected.is_empty(), "{table}: {:?}", read.rejected);
        assert_eq!(read.rows.num_rows(), rows, "{table}");
    }
}
