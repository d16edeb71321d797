//! Reading a table on from where it ended, and when that would leave rows out.

use chatferry_core::Since;
use chatferry_engine::FlowPlan;
use futures::StreamExt;

use crate::stage::{Given, Rows, Stage, numbers, over, rows, texts, values};

/// A table of users with these ids, one in a batch, that can be read on.
fn users(ids: std::ops::Range<i64>) -> Rows {
    let ids: Vec<Option<i64>> = ids.map(Some).collect();
    let names: Vec<Option<&str>> = ids.iter().map(|_| Some("Ann")).collect();
    rows(vec![("id", numbers(&ids)), ("name", texts(&names))])
        .in_batches_of(1)
        .read_on()
}

/// The flow of users from that.
fn flow(stage: Stage, from: &str) -> Stage {
    let stage = stage.from(from);
    stage
        .field("uid", "CAST(id AS VARCHAR)")
        .field("name", "name")
}

/// The ids that a flow gives since then, and what it tells at the end.
async fn read(plan: &FlowPlan, changed: Option<&str>) -> (Vec<String>, Option<String>) {
    let since = Since {
        position: None,
        changed: changed.map(str::to_owned),
    };
    let mut shaped = plan.shape_since(&since).expect("something that it told");
    let (mut ids, mut changed) = (Vec::new(), None);
    while let Some(shaped) = shaped.next().await {
        let shaped = shaped.unwrap();
        ids.extend(values(shaped.rows.column(0)));
        changed = shaped.changed.or(changed);
    }
    (ids, changed)
}

#[tokio::test]
async fn a_table_is_read_on_from_where_it_ended() {
    let plan = flow(over(users(0..2)), "legacy.rows").plan().await.unwrap();
    let (ids, told) = read(&plan, None).await;
    assert_eq!(ids, ["0", "1"]);
    let told = told.expect("it can be read on");
    assert_eq!(told, r#"{"bookmark":"2","table":"legacy.rows"}"#);
    let (ids, again) = read(&plan, Some(&told)).await;
    assert!(ids.is_empty(), "nothing has come: {ids:?}");
    assert_eq!(again.as_ref(), Some(&told));

    let plan = flow(over(users(0..4)), "legacy.rows").plan().await.unwrap();
    assert_eq!(read(&plan, Some(&told)).await.0, ["2", "3"]);
    assert_eq!(read(&plan, None).await.0, ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn what_has_changed_is_known_beside_where_the_table_ended() {
    let stage = flow(over(users(0..2)), "legacy.rows").changed_since("id");
    let plan = stage.plan().await.unwrap();
    let told = read(&plan, None).await.1.expect("something is known");
    assert_eq!(
        told,
        r#"{"bookmark":"2","changed":"Int64 1","table":"legacy.rows"}"#
    );
    // Nothing has come, and what was known is not forgotten.
    assert_eq!(read(&plan, Some(&told)).await, (vec![], Some(told)));
}

#[tokio::test]
async fn a_flow_is_read_on_where_what_is_made_of_a_row_needs_no_other_row() {
    let lookup = || {
        rows(vec![
            ("id", numbers(&[Some(0)])),
            ("x", texts(&[Some("a")])),
        ])
    };
    let failing = users(0..1).then(Given::Error);
    let mut told = Vec::new();
    for (title, stage) in [
        (
            "joined with a table that is always read whole",
            flow(over(users(0..2)).table("other", "rows", lookup()), "all").view(
                "all",
                "SELECT r.* FROM legacy.rows r LEFT JOIN other.rows o ON o.id = r.id",
            ),
        ),
        (
            "joined with another that is read on",
            flow(over(users(0..2)).table("other", "rows", users(0..2)), "all").view(
                "all",
                "SELECT r.* FROM legacy.rows r JOIN other.rows o ON o.id = r.id",
            ),
        ),
        (
            "read twice",
            flow(over(users(0..2)), "all").view(
                "all",
                "SELECT * FROM legacy.rows WHERE id = 0 UNION ALL SELECT * FROM legacy.rows WHERE id = 1",
            ),
        ),
        (
            "joined so that others come without it",
            flow(over(users(0..2)).table("other", "rows", lookup()), "all").view(
                "all",
                "SELECT o.id, o.x AS name FROM other.rows o LEFT JOIN legacy.rows r ON o.id = r.id",
            ),
        ),
        (
            "grouped",
            flow(over(users(0..2)), "all").view(
                "all",
                "SELECT id, max(name) AS name FROM legacy.rows GROUP BY id",
            ),
        ),
        (
            "not read to its end",
            flow(over(users(0..3)), "all").view("all", "SELECT * FROM legacy.rows LIMIT 1"),
        ),
    ] {
        let plan = stage.plan().await.unwrap();
        told.push((title, read(&plan, None).await.1.is_some()));
    }
    assert_eq!(
        told.iter().map(|(_, told)| *told).collect::<Vec<_>>(),
        [true, false, false, false, false, false],
        "{told:?}"
    );
    let plan = flow(over(failing), "legacy.rows").plan().await.unwrap();
    let told: Vec<_> = plan
        .shape()
        .map(|it| it.map(|it| it.changed))
        .collect()
        .await;
    assert!(matches!(told.as_slice(), [Ok(None), Err(_)]), "{told:?}");
}

#[tokio::test]
async fn nothing_is_read_on_where_another_table_ended() {
    let plan = flow(over(users(0..2)), "legacy.rows").plan().await.unwrap();
    let since = |changed: &str| Since {
        position: None,
        changed: Some(changed.to_owned()),
    };
    for other in [
        r#"{"bookmark":"2","table":"legacy.others"}"#,
        r#"{"table":"legacy.rows"}"#,
        "{",
    ] {
        assert!(plan.shape_since(&since(other)).is_none(), "{other}");
    }
}
