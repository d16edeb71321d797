//! Whether a database that serves people is left in peace.

use std::sync::Arc;

use chatferry_core::source::Scan;
use chatferry_testkit::servers::MongoDb;
use chatferry_testkit::source::Contract;
use futures::StreamExt;
use mongodb::bson::{Document, doc};

use crate::server::Workshop;
use crate::stand_in::{Fault, StandIn};

fn many(documents: i32) -> Vec<Document> {
    let text = "x".repeat(5_000);
    (0..documents)
        .map(|n| doc! {"_id": n, "n": n, "text": &text})
        .collect()
}

#[tokio::test]
async fn nothing_is_read_for_nobody_and_no_cursor_stays_open() {
    let server = StandIn::with(many(150)).await;
    // A page comes in several answers, as long documents make it come.
    server.state().fitting = Some(3);
    let source = server.source("");
    let given = server.shared();
    let given = move || given.lock().expect("nobody panics").given;
    Contract::of(Arc::clone(&source), "c")
        .watched(60, given)
        .check()
        .await;

    let table = source.describe("c").await.expect("a table");
    let mut batches = source.scan(Scan::of(table, vec![0, 1], 20));
    for _ in 0..3 {
        batches.next().await.expect("a batch").expect("rows");
        // Once everybody has come to rest.
        for _ in 0..200 {
            tokio::task::yield_now().await;
            if server.state().open_cursors() == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(server.state().open_cursors(), 0);
    }
}

#[tokio::test]
async fn pages_are_short_and_have_a_time_limit() {
    let server = StandIn::with(many(10)).await;
    let source = server.source("statement_timeout = \"7 s\"");
    let table = source.describe("c").await.expect("a table");
    server.state().asked.clear();
    let mut scan = Scan::of(table, vec![1], 4);
    scan.limit = Some(3);
    let read: Vec<_> = source.scan(scan).collect().await;
    assert!(read.iter().all(Result::is_ok));
    let finds = server.state().commands("find");
    assert!(finds.len() > 3, "{finds:?}");
    for find in finds {
        let limit = find
            .get_i64("limit")
            .or(find.get_i32("limit").map(i64::from));
        assert!(limit.is_ok_and(|limit| limit.abs() <= 4), "{find}");
        let time = find.get("maxTimeMS").map(ToString::to_string);
        assert_eq!(time.as_deref(), Some("7000"), "{find}");
        if let Ok(fields) = find.get_document("projection") {
            assert!(!fields.contains_key("text"), "{find}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_is_made_again() {
    let server = StandIn::with(many(500)).await;
    let source = server.source("");
    let table = source.describe("c").await.expect("a table");
    let mut batches = source.scan(Scan::of(table, vec![1], 20));
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        rows += batch.expect("rows").rows.num_rows();
        if rows % 100 == 0 {
            // The driver itself tries twice.
            let lost = [
                Fault::HangUp,
                Fault::HangUp,
                Fault::HangUp,
                Fault::Error(189, "PrimarySteppedDown"),
            ];
            server.state().faults.extend(lost);
        }
    }
    assert_eq!(rows, 500);
}

#[tokio::test]
async fn a_server_that_is_started_again_is_read_on() {
    let server = MongoDb::own().await;
    let workshop = Workshop::at(&server).await;
    workshop.insert("c", &many(1_000)).await;
    let source = workshop.source("");
    let table = source.describe("c").await.expect("a table");
    let mut batches = source.scan(Scan::of(table, vec![1], 10));
    let mut rows = batches
        .next()
        .await
        .expect("a batch")
        .expect("rows")
        .rows
        .num_rows();
    server.stop().await;
    let (_, rest) = futures::join!(server.start(), async {
        let mut rest = 0;
        while let Some(batch) = batches.next().await {
            rest += batch.expect("rows").rows.num_rows();
        }
        rest
    });
    rows += rest;
    assert_eq!(rows, 1_000);
}
