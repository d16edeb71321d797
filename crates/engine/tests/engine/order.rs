//! The order of a flow's rows, and when nothing needs to be sorted for it.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMillisecondArray};

use crate::stage::{Rows, Stage, numbers, over, rows, run, texts};

fn sent(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from(values.to_vec()))
}

fn shuffled() -> Rows {
    rows(vec![
        ("id", numbers(&[Some(10), Some(9), Some(3), Some(4)])),
        ("at", sent(&[Some(2_000), Some(2_000), None, Some(1_000)])),
        ("name", texts(&[Some("b"), None, Some("a"), Some("c")])),
    ])
}

fn in_order() -> Rows {
    rows(vec![
        ("a", numbers(&[Some(1), Some(1), Some(2)])),
        ("b", numbers(&[Some(1), Some(2), Some(3)])),
        ("c", numbers(&[Some(3), Some(4), None])),
        ("at", sent(&[Some(1_000), Some(2_000), Some(3_000)])),
    ])
    .ordered(&["a", "b", "c", "at"])
}

fn messages(table: Rows) -> Stage {
    over(table).messages()
}

#[tokio::test]
async fn messages_come_by_time_then_id_and_those_without_a_time_last() {
    let stage = messages(shuffled())
        .field("muid", "id")
        .field("sentAt", "unix_seconds(at)");
    assert_eq!(stage.run().await.column("muid"), ["4", "9", "10", "3"]);
}

#[tokio::test]
async fn rows_come_in_the_order_asked_for() {
    let stage = messages(shuffled())
        .field("muid", "id")
        .field("sentAt", "unix_seconds(at)")
        .order_by("name")
        .order_by("id");
    assert_eq!(stage.run().await.column("muid"), ["3", "10", "4", "9"]);
}

#[tokio::test]
async fn other_entities_come_as_they_are_read() {
    let plan = over(shuffled()).field("uid", "id").plan().await.unwrap();
    assert!(!plan.explain().contains("SortExec"));
    assert_eq!(run(&plan).await.column("uid"), ["10", "9", "3", "4"]);
}

async fn sorts(stage: Stage) -> usize {
    let plan = stage.plan().await.unwrap();
    let explained = plan.explain();
    let sorts = explained.matches("SortExec").count();
    assert_eq!(run(&plan).await.column("muid"), ["1", "2", "3"]);
    sorts
}

#[tokio::test]
async fn an_order_that_the_source_promises_is_not_sorted_again() {
    let stage = || messages(in_order()).field("muid", "b");
    for keys in [&["a"][..], &["a", "b"], &["b", "a"], &["c", "a", "b"]] {
        let ordered = keys.iter().fold(stage(), |stage, key| stage.order_by(key));
        assert_eq!(sorts(ordered).await, 0, "{keys:?}");
    }
    let default = stage().field("sentAt", "unix_seconds(at)");
    assert_eq!(
        sorts(default).await,
        0,
        "seconds follow a timestamp that is in order"
    );
    let filtered = stage()
        .order_by("a")
        .order_by("b")
        .filter("c > 0 OR c IS NULL");
    assert_eq!(sorts(filtered).await, 0);
    assert_eq!(sorts(stage().order_by("b % 7")).await, 1);
}

#[tokio::test]
async fn a_view_of_one_table_keeps_its_order() {
    let stage = messages(in_order())
        .view("inner_view", "SELECT * FROM legacy.rows WHERE a > 0")
        .view(
            "outer_view",
            "SELECT a AS first, b, at, 'x' AS x FROM inner_view",
        )
        .from("outer_view")
        .field("muid", "b")
        .field("sentAt", "unix_seconds(at)");
    assert_eq!(sorts(stage).await, 0);
    let stage = messages(in_order())
        .view("renamed", "SELECT a AS first, b FROM legacy.rows")
        .from("renamed")
        .field("muid", "b")
        .order_by("first")
        .order_by("b");
    assert_eq!(sorts(stage).await, 0);
}

#[tokio::test]
async fn an_order_is_kept_when_its_column_is_no_field() {
    let stage = messages(shuffled()).field("muid", "id").order_by("name");
    assert_eq!(stage.run().await.column("muid"), ["3", "10", "4", "9"]);
}
