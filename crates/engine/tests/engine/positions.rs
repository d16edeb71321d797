//! Where in its order a flow is, and reading on from there.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, TimestampMillisecondArray, UInt64Array};
use chatferry_core::Since;
use chatferry_engine::FlowPlan;
use futures::StreamExt;

use crate::stage::{Given, Rows, Stage, numbers, over, rows, run, texts, values};

/// Six rows in batches of two: the first five in order by `key`, the last without a value.
fn by(key: ArrayRef) -> Rows {
    let ids = (0..6).map(Some).collect::<Vec<_>>();
    rows(vec![("id", numbers(&ids)), ("key", key)])
        .ordered(&["key"])
        .in_batches_of(2)
}

fn messages(table: Rows, order: &str, sent_at: &str) -> Stage {
    over(table)
        .messages()
        .field("muid", "id")
        .field("sentAt", sent_at)
        .order_by(order)
}

/// The first and the last position of each batch.
async fn told(plan: &FlowPlan) -> Vec<Option<[String; 2]>> {
    let shaped = plan.shape().map(|shaped| shaped.unwrap().positions);
    shaped.collect().await
}

fn at(position: &str) -> Since {
    Since {
        position: Some(position.to_owned()),
        changed: None,
    }
}

/// The ids of the rows from a position on.
async fn from(plan: &FlowPlan, position: &str) -> Vec<String> {
    read(plan, &at(position)).await
}

async fn read(plan: &FlowPlan, since: &Since) -> Vec<String> {
    let mut shaped = plan.shape_since(since).expect("something that it told");
    let mut ids = Vec::new();
    while let Some(shaped) = shaped.next().await {
        let rows = shaped.unwrap().rows;
        ids.extend(values(rows.column_by_name("muid").unwrap()));
    }
    ids
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_told_of_however_often_a_flow_is_read_on() {
    let keys = numbers(&[1, 2, 3, 4, 5, 6].map(Some));
    let table = by(keys).then(Given::Rejected(2));
    let plan = messages(table, "key", "0").plan().await.unwrap();
    for since in [
        at("Int64 3"),
        at("Int64 3"),
        Since::default(),
        at("Int64 5"),
    ] {
        let shaped = plan.shape_since(&since).expect("something that it told");
        let rejected = shaped.map(|shaped| shaped.unwrap().rejected.len());
        let rejected: Vec<usize> = rejected.collect().await;
        assert_eq!(rejected.iter().sum::<usize>(), 2, "{since:?}");
    }
}

#[tokio::test]
async fn a_flow_is_read_on_from_any_position_ties_and_all() {
    // The third and the fourth share a value, or a second.
    let whole = [Some(1), Some(2), Some(3), Some(3), Some(5), None];
    let times = [1_000, 2_000, 3_000, 3_900, 5_000].map(Some);
    let times: Vec<Option<i64>> = times.into_iter().chain([None]).collect();
    let times = TimestampMillisecondArray::from(times);
    let zoned: ArrayRef = Arc::new(times.clone().with_timezone("UTC"));
    let times: ArrayRef = Arc::new(times);
    let days = whole.map(|n| n.map(|n| i32::try_from(n).unwrap()));
    let large = whole.map(|n| n.map(|n: i64| u64::MAX - 9 + n.unsigned_abs()));
    let words = [
        Some("a b"),
        Some("b"),
        Some("é"),
        Some("é"),
        Some("ü"),
        None,
    ];
    let cases: Vec<(ArrayRef, &str, &str)> = vec![
        (numbers(&whole), "key", "Int64 3"),
        (numbers(&whole), "unix_seconds(key, 's')", "Int64 3"),
        (times, "unix_seconds(key)", "Int64 3"),
        (zoned, "unix_seconds(key)", "Int64 3"),
        (
            Arc::new(Date32Array::from(days.to_vec())),
            "key",
            "Date32 3",
        ),
        (
            Arc::new(UInt64Array::from(large.to_vec())),
            "key",
            "UInt64 18446744073709551609",
        ),
        (texts(&words), "key", "Utf8 é"),
        (
            texts(&["1", "2", "3", "3", "5", "never"].map(Some)),
            "unix_seconds(key, 's')",
            "Int64 3",
        ),
    ];
    for (key, order, third) in cases {
        let plan = messages(by(key), order, "0").plan().await.unwrap();
        let all = run(&plan).await.column("muid");
        assert_eq!(all, ["0", "1", "2", "3", "4", "5"], "{order}");
        assert_eq!(from(&plan, third).await, all[2..], "{order} {third}");
    }
}

#[tokio::test]
async fn a_time_is_a_position_to_its_last_digit() {
    let times = [1_000, 2_000, 3_000, 3_900, 3_901, 5_000].to_vec();
    let times = Arc::new(TimestampMillisecondArray::from(times));
    let plan = messages(by(times), "key", "0").plan().await.unwrap();
    let told: Vec<[String; 2]> = told(&plan).await.into_iter().flatten().collect();
    let kind = told[0][0]
        .strip_suffix(" 1000")
        .expect("the first one's time");
    assert_eq!(told[1], [format!("{kind} 3000"), format!("{kind} 3900")]);
    assert_eq!(from(&plan, &told[1][1]).await, ["3", "4", "5"]);
}

#[tokio::test]
async fn rows_without_a_position_are_told_apart_and_numbers_that_are_not_exact_are_none() {
    let whole = [Some(1), Some(2), Some(3), Some(3), Some(5), None];
    let plan = messages(by(numbers(&whole)), "key", "0");
    let told_of = told(&plan.plan().await.unwrap()).await;
    let ends = |first: &str, last: &str| Some([first.to_owned(), last.to_owned()]);
    assert_eq!(
        told_of,
        [ends("Int64 1", "Int64 2"), ends("Int64 3", "Int64 3"), None]
    );
    let floats = Arc::new(Float64Array::from(vec![1.5, 2.5, 3.5, 3.5, 5.5, 6.5]));
    let plan = messages(by(floats), "key", "0").plan().await.unwrap();
    assert!(told(&plan).await.iter().all(Option::is_none));
}

#[tokio::test]
async fn nothing_is_told_of_rows_that_stand_nobody_knows_where() {
    let table = rows(vec![
        ("id", numbers(&[Some(1)])),
        ("key", numbers(&[Some(1)])),
    ]);
    let more = table.batches[0].clone();
    let table = table.ordered(&["key"]).then(Given::Rejected(1)).then(more);
    let plan = messages(table, "key", "key").plan().await.unwrap();
    let told = told(&plan).await;
    assert!(told[0].is_some(), "{told:?}");
    assert!(told[1..].iter().all(Option::is_none), "{told:?}");
}

#[tokio::test]
async fn a_position_of_another_order_is_none() {
    let plan = messages(by(numbers(&[Some(1); 6])), "key", "key");
    let plan = plan.plan().await.unwrap();
    for position in ["", "Int64 ", "Int64 x", "Utf8 1", "1"] {
        assert!(plan.shape_since(&at(position)).is_none(), "{position}");
    }
    let unordered = over(by(numbers(&[Some(1); 6]))).field("uid", "id");
    let unordered = unordered.plan().await.unwrap();
    assert!(unordered.shape_since(&at("Int64 1")).is_none());
    assert!(told(&unordered).await.iter().all(Option::is_none));
}

#[tokio::test]
async fn a_flow_tells_the_last_change_and_is_asked_for_what_came_since() {
    let table = rows(vec![
        (
            "id",
            numbers(&[Some(1), Some(2), Some(3), Some(4), Some(5)]),
        ),
        ("key", numbers(&[Some(7), Some(9), None, Some(8), Some(9)])),
    ]);
    let stage = messages(table.ordered(&["id"]).in_batches_of(2), "id", "0");
    let plan = stage.changed_since("key").plan().await.unwrap();
    let shaped = plan.shape().map(|shaped| shaped.unwrap().changed.unwrap());
    let changed: Vec<String> = shaped.collect().await;
    assert_eq!(changed, ["Int64 9", "Int64 9", "Int64 9"]);
    let since = |position: Option<&str>, changed: &str| Since {
        position: position.map(str::to_owned),
        changed: Some(changed.to_owned()),
    };
    assert_eq!(read(&plan, &since(None, "Int64 9")).await, ["2", "3", "5"]);
    let both = since(Some("Int64 3"), "Int64 9");
    assert_eq!(read(&plan, &both).await, ["3", "5"]);
    assert!(plan.shape_since(&since(None, "Utf8 9")).is_none());
}

#[tokio::test]
async fn what_cannot_tell_changes_apart_is_underlined() {
    let stage = |changed: &'static str| {
        messages(by(numbers(&[Some(1); 6])), "key", "0").changed_since(changed)
    };
    let mut said = String::new();
    for changed in ["'never'", "key * 0.5", "kye"] {
        said.push_str(&stage(changed).mistakes().await);
        said.push('\n');
    }
    insta::assert_snapshot!(said);
}
