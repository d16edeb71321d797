//! Views: joins, unions, groups, lists, over sources and over each other.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::datatypes::Int64Type;

use crate::stage::{Stage, numbers, rows, texts};

fn stage() -> Stage {
    let lists = [Some(vec![Some(1), Some(2)]), None, Some(vec![Some(3)])];
    let members: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
    let rooms = rows(vec![
        ("id", texts(&[Some("a"), Some("b"), Some("c")])),
        ("members", members),
    ]);
    let people = rows(vec![
        ("id", numbers(&[Some(1), Some(2), Some(3), Some(2)])),
        (
            "Name",
            texts(&[Some("Ann"), Some("Bob"), Some("Cy"), Some("Bob II")]),
        ),
        ("version", numbers(&[Some(1), Some(1), Some(1), Some(2)])),
    ]);
    Stage::default()
        .table("chat", "rooms", rooms)
        .table("crm", "people", people)
}

async fn uids(stage: Stage) -> Vec<String> {
    let run = stage.field("uid", "uid").order_by("uid").run().await;
    run.column("uid")
}

#[tokio::test]
async fn a_view_joins_two_sources_and_unnests_lists() {
    let stage = stage()
        .view("joined", "SELECT m.room || ':' || p.Name AS uid FROM members m JOIN crm.people p ON p.id = m.member")
        .view("members", "SELECT id AS room, unnest(members) AS member FROM chat.rooms")
        .from("joined");
    assert_eq!(uids(stage).await, ["a:Ann", "a:Bob", "a:Bob II", "c:Cy"]);
}

#[tokio::test]
async fn a_view_puts_tables_together() {
    let stage = stage()
        .view("all_ids", "SELECT id AS uid FROM chat.rooms UNION ALL SELECT CAST(id AS TEXT) FROM crm.people WHERE version = 2")
        .from("all_ids");
    assert_eq!(uids(stage).await, ["2", "a", "b", "c"]);
}

#[tokio::test]
async fn all_of_a_union_is_read_without_an_order_too() {
    let run = stage()
        .view(
            "all_ids",
            "SELECT id AS uid FROM chat.rooms UNION ALL SELECT CAST(id AS TEXT) FROM crm.people",
        )
        .from("all_ids")
        .field("uid", "uid")
        .run()
        .await;
    assert_eq!(run.column("uid"), ["a", "b", "c", "1", "2", "3", "2"]);
}

#[tokio::test]
async fn branches_of_a_union_may_have_text_of_every_make() {
    let run = stage()
        .view(
            "all_ids",
            "SELECT id AS uid FROM chat.rooms UNION ALL SELECT md5(id) FROM chat.rooms WHERE id = 'a'",
        )
        .from("all_ids")
        .field("uid", "cometchat_id(uid)")
        .field("name", "uid || '-' || 1")
        .run()
        .await;
    let hash = "0cc175b9c0f1b6a831c399e269772661";
    assert_eq!(run.column("uid"), ["a", "b", "c", hash]);
}

#[tokio::test]
async fn a_view_groups_and_counts() {
    let stage = stage()
        .view(
            "counted",
            "SELECT id || 'x' || COUNT(*) AS uid FROM crm.people GROUP BY id HAVING count(*) > 0",
        )
        .from("counted");
    assert_eq!(uids(stage).await, ["1x1", "2x2", "3x1"]);
}

#[tokio::test]
async fn a_view_keeps_the_newest_of_each() {
    let stage = stage()
        .view(
            "newest",
            "SELECT Name AS uid FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY version DESC) AS n FROM crm.people) WHERE n = 1",
        )
        .from("newest");
    assert_eq!(uids(stage).await, ["Ann", "Bob II", "Cy"]);
}

#[tokio::test]
async fn two_flows_read_one_view_and_a_view_is_read_twice() {
    let stage = || {
        stage()
            .view(
                "pairs",
                "SELECT l.uid || '' || r.uid AS uid FROM ids l CROSS JOIN ids r WHERE l.uid <> r.uid",
            )
            .view(
                "ids",
                "SELECT DISTINCT id AS uid FROM crm.people WHERE id < 3",
            )
    };
    assert_eq!(uids(stage().from("pairs")).await, ["12", "21"]);
    assert_eq!(uids(stage().from("ids")).await, ["1", "2"]);
}

#[tokio::test]
async fn a_name_inside_a_query_is_no_view() {
    let stage = stage()
        .view("a", "WITH b AS (SELECT 1 AS uid) SELECT uid FROM b")
        .view("b", "SELECT uid + 1 AS uid FROM a")
        .from("b");
    assert_eq!(uids(stage).await, ["2"]);
}
