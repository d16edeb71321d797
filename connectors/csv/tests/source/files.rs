//! Which files are read, and how they come together.

use std::path::Path;

use chatferry_core::source::Scan;
use chatferry_testkit::source::assert_contract;
use futures::StreamExt;

use crate::workshop::{Workshop, rows, shown, titled};

#[tokio::test]
async fn a_folder_full_of_files_is_a_table_for_each() {
    let workshop = Workshop::new();
    workshop.write("users.csv", "id,name\n1,a\n");
    workshop.write("rooms.tsv", "id\tname\n1\ta,b\n");
    workshop.write("readme.txt", "no table");
    workshop.write("deeper/users.csv", "id\n");
    let source = workshop.source("");
    assert_eq!(source.tables().await.expect("tables"), ["rooms", "users"]);
    for table in ["rooms", "users"] {
        assert_contract(source.clone(), table).await;
    }
    insta::assert_snapshot!(shown(&source, "rooms").await);
}

#[tokio::test]
async fn what_is_said_at_the_top_is_said_of_every_table() {
    let workshop = Workshop::new();
    workshop.write("a.csv", "id;name\n1;NULL\n");
    workshop.write("b.csv", "id|name\n1|NULL\n");
    let source = workshop.source(
        "delimiter = \";\"\nnulls = [\"NULL\"]\ntables = { a = \"a.csv\", b = { path = \"b.csv\", delimiter = \"|\" } }",
    );
    insta::assert_snapshot!(titled(vec![
        ("a", shown(&source, "a").await),
        ("b", shown(&source, "b").await),
    ]));
}

#[tokio::test]
async fn files_with_other_columns_come_together_by_their_names() {
    let workshop = Workshop::new();
    workshop.write("2023/general.csv", "id,text\n1,a\n");
    workshop.write("2024/general.csv", "text,id,likes\nb,2,007\n");
    workshop.write("2024/random.csv", "likes\n5\n");
    let source = workshop.source("path = \"{year}/{channel}.csv\"");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn a_placeholder_must_not_be_called_as_a_column() {
    let workshop = Workshop::with("general.csv", "channel\n1\n");
    let source = workshop.source("path = \"{channel}.csv\"");
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn a_batch_holds_no_more_than_a_few_megabytes() {
    let body = "x".repeat(1 << 20);
    let workshop = Workshop::with("a.csv", format!("body\n{}", format!("{body}\n").repeat(12)));
    let source = workshop.source("");
    let table = source.describe("a").await.expect("described");
    let batches: Vec<_> = source
        .scan(Scan::of(table, vec![0], 1_000))
        .map(|batch| batch.expect("rows").rows.num_rows())
        .collect()
        .await;
    assert_eq!(batches, [4, 4, 4]);
}

#[tokio::test]
async fn no_more_is_given_than_is_wanted() {
    let workshop = Workshop::with("a.csv", format!("id\n{}", "1\n".repeat(1_000)));
    let source = workshop.source("");
    let table = source.describe("a").await.expect("described");
    let scan = Scan {
        limit: Some(15),
        ..Scan::of(table, vec![0], 10)
    };
    let batches: Vec<_> = source
        .scan(scan)
        .map(|batch| batch.expect("rows").rows.num_rows())
        .collect()
        .await;
    assert_eq!(batches, [10, 5]);
}

/// Real exports, in the folder that `CHATFERRY_SAMPLES` names.
#[tokio::test]
async fn real_exports_can_be_read() {
    let Ok(samples) = std::env::var("CHATFERRY_SAMPLES") else {
        let absent = "CHATFERRY_SAMPLES is not set: no real exports are read\n";
        std::io::Write::write_all(&mut std::io::stderr(), absent.as_bytes()).expect("written");
        return;
    };
    let samples = Path::new(&samples).join("helpdesk-crisp-samples");
    let workshop = Workshop::new();
    let mut cases = Vec::new();
    for name in [
        "conversations_gorgias",
        "messages_gorgias",
        "messages_tidio",
    ] {
        let path = samples.join(format!("{name}.csv"));
        let source = workshop.source(&format!("path = \"{}\"", path.display()));
        let read = rows(&source, "records").await.expect("rows");
        assert!(read.failed.is_none());
        assert_contract(source.clone(), "records").await;
        let mut text = format!(
            "{} rows, {} rejected\n",
            read.rows.num_rows(),
            read.rejected.len()
        );
        text.push_str(&chatferry_testkit::reading::columns_shown(&read.table));
        for note in &read.table.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        cases.push((name, text));
    }
    insta::assert_snapshot!(titled(cases));
}
