//! Sorts, joins and groups that are larger than the memory they may use.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use chatferry_core::{Shaped, SourceErrorKind, Variables};
use chatferry_engine::{Choice, Seen};
use futures::{StreamExt, TryStreamExt};

use crate::stage::{Rows, Stage, over, rows, run};

const MIB: usize = 1 << 20;

/// Rows in an order that is no order, of about 300 bytes each, in batches of their own.
fn large(count: i64) -> Rows {
    let batch = |first: i64| {
        let range = first..count.min(first + 8_192);
        let numbers: Int64Array = range.clone().map(|row| row * 7_919 % count).collect();
        let texts: StringArray = range.map(|row| Some(format!("{row:0280}"))).collect();
        let columns: Vec<(&str, ArrayRef)> =
            vec![("n", Arc::new(numbers)), ("body", Arc::new(texts))];
        rows(columns)
    };
    let mut all = batch(0);
    for first in (8_192..count).step_by(8_192) {
        all.batches.extend(batch(first).batches);
    }
    all
}

fn files(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        count += if path.is_dir() { files(&path) } else { 1 };
    }
    count
}

/// Runs a flow of `n` that must come from 0 up, and tells whether it used files.
async fn in_order(stage: Stage, count: i64, folder: &Path) -> bool {
    let plan = stage.plan().await.unwrap();
    let mut next = 0;
    let mut spilled = false;
    let mut stream = plan.shape();
    while let Some(shaped) = stream.next().await {
        let Shaped { rows, .. } = shaped.unwrap_or_else(|error| panic!("{error:?}"));
        for number in rows
            .column_by_name("createdAt")
            .unwrap()
            .as_primitive::<Int64Type>()
        {
            assert_eq!(number, Some(next));
            next += 1;
        }
        spilled |= files(folder) > 0;
    }
    assert_eq!(next, count);
    drop((stream, plan));
    assert_eq!(files(folder), 0);
    spilled
}

#[tokio::test]
async fn a_sort_larger_than_memory_goes_on_in_files_and_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let stage = over(large(400_000))
        .memory(32 * MIB, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .order_by("n");
    assert!(in_order(stage, 400_000, folder.path()).await);
}

#[tokio::test]
async fn two_sorts_in_one_plan_share_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let stage = over(large(120_000))
        .view(
            "newest",
            "SELECT n, body FROM (SELECT *, row_number() OVER (PARTITION BY body ORDER BY n) AS r FROM legacy.rows) WHERE r = 1",
        )
        .from("newest")
        .memory(32 * MIB, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .order_by("n");
    assert!(in_order(stage, 120_000, folder.path()).await);
}

#[tokio::test]
async fn a_join_larger_than_memory() {
    let folder = tempfile::tempdir().unwrap();
    let stage = over(large(120_000))
        .view(
            "joined",
            "SELECT l.n, r.body FROM legacy.rows l JOIN legacy.rows r ON l.n = r.n",
        )
        .from("joined")
        .memory(32 * MIB, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .order_by("n");
    assert!(in_order(stage, 120_000, folder.path()).await);
}

#[tokio::test]
async fn a_join_of_which_no_side_fits_goes_on_in_files() {
    let rows = 120_000;
    for (join, read) in [
        ("JOIN legacy.rows r ON l.n = r.n AND l.body <= r.body", rows),
        (
            "LEFT JOIN legacy.rows r ON l.n = r.n + 60000 AND l.body <> r.body",
            rows,
        ),
        ("LEFT SEMI JOIN legacy.rows r ON l.body = r.body", rows),
        ("LEFT ANTI JOIN legacy.rows r ON l.body = r.body", 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let joined = format!("SELECT l.n, l.body FROM legacy.rows l {join}");
        let stage = over(large(rows))
            .view("joined", &joined)
            .from("joined")
            .memory(40 * MIB, folder.path().to_owned())
            .field("uid", "body")
            .field("createdAt", "n")
            .order_by("n");
        let spilled = in_order(stage, read, folder.path()).await;
        assert!(spilled || read == 0, "{join}");
    }
}

#[tokio::test]
async fn rows_of_a_join_of_which_no_side_fits_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let joined = "SELECT l.n, r.body FROM legacy.rows l JOIN legacy.rows r ON l.body = r.body";
    let plan = over(large(120_000))
        .view("joined", joined)
        .from("joined")
        .memory(24 * MIB, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .plan()
        .await
        .unwrap();
    let choice = Choice {
        any: Some(3),
        ..Choice::default()
    };
    let seen = plan.look(&choice, &Variables::new()).unwrap();
    let seen: Vec<Seen> = seen.try_collect().await.unwrap();
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn a_join_holds_the_side_with_fewer_rows_and_keeps_the_order_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let few: Int64Array = (0..100).collect();
    let few = rows(vec![("n", Arc::new(few) as ArrayRef)]);
    let mut many = large(60_000);
    many.orders = vec!["body"];
    let plan = over(many)
        .table("crm", "few", few)
        .view(
            "joined",
            "SELECT l.n, l.body FROM legacy.rows l JOIN crm.few r ON l.n = r.n",
        )
        .from("joined")
        .memory(2 * MIB, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .order_by("body")
        .plan()
        .await
        .unwrap();
    assert!(!plan.explain().contains("SortExec"), "{}", plan.explain());
    let run = run(&plan).await;
    assert_eq!((run.rows.num_rows(), run.error.is_none()), (100, true));
}

#[tokio::test]
async fn a_group_larger_than_memory() {
    let folder = tempfile::tempdir().unwrap();
    let stage = over(large(120_000))
        .view(
            "grouped",
            "SELECT body, max(n) AS n FROM legacy.rows GROUP BY body",
        )
        .from("grouped")
        .memory(32 * MIB, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .order_by("n");
    assert!(in_order(stage, 120_000, folder.path()).await);
}

#[tokio::test]
async fn memory_that_is_far_too_small_says_what_to_raise() {
    let folder = tempfile::tempdir().unwrap();
    let plan = over(large(100_000))
        .memory(64 * 1024, folder.path().to_owned())
        .field("uid", "body")
        .field("createdAt", "n")
        .order_by("n")
        .plan()
        .await
        .unwrap();
    let run = run(&plan).await;
    let error = run.error.expect("there is not enough");
    assert_eq!(error.kind, SourceErrorKind::Failed);
    assert_eq!(
        error.to_string(),
        "cannot sort or join the rows: memory is exhausted"
    );
    assert!(error.help.unwrap().contains("[engine]"));
    drop(plan);
    assert_eq!(files(folder.path()), 0);
}
