//! Is the allowed rate used, and never exceeded?
//!
//! This is the real thing: the program, a server that counts, sockets and the clock on the wall.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_simulator::Settings;
use chatferry_tests::{Chat, Folder, Served, account, unlimited};
use sqlx::{Connection, Row, SqliteConnection};

/// Requests a minute; ten times the real limit, so that it takes a third of a minute.
const LIMIT: u32 = 600;

/// A request as the ledger has it: its entity, when it was sent in milliseconds, its records.
type Request = (i64, i64, i64);

fn requests(ledger: &str) -> Vec<Request> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(ledger)
            .await
            .expect("the ledger is a database");
        let rows = sqlx::query("SELECT entity, sent_ms, records FROM requests ORDER BY sent_ms")
            .fetch_all(&mut connection)
            .await
            .expect("the ledger has requests");
        rows.iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    })
}

#[test]
fn every_slot_carries_a_full_request_and_none_is_taken_too_early() {
    let chat = Chat {
        users: 60,
        groups: 60,
        messages: 8_000,
        ..Chat::default()
    };
    let (folder, served) = (
        Folder::new(),
        Served::new(Settings {
            requests_per_minute: NonZeroU32::new(LIMIT),
            latency: Duration::from_millis(200),
            ..unlimited()
        }),
    );
    let pipeline = chat.write(&folder, served.url());
    let pace = format!("cometchat.requests_per_minute={LIMIT}");
    let ended = folder
        .run(&["run", &pipeline, "--set", &pace, "--format", "json"])
        .expect(0);

    let counts = served.counts();
    assert_eq!(account::of(&ended)["messages"]["imported"], 8_000);
    assert_eq!(counts.throttled, 0);
    assert!(counts.worst_minute <= u64::from(LIMIT), "{counts:?}");
    assert_eq!(counts.order_violations, 0);

    let sent = requests(&folder.file("pipeline.ledger"));
    assert_eq!(u64::try_from(sent.len()).ok(), Some(counts.requests));
    let entities: std::collections::BTreeSet<i64> =
        sent.iter().map(|(entity, ..)| *entity).collect();
    let (mut full, mut carried) = (0, 0);
    for entity in &entities {
        let of: Vec<&Request> = sent.iter().filter(|(other, ..)| other == entity).collect();
        let but_the_last = &of[..of.len() - 1];
        full += but_the_last.len();
        carried += but_the_last
            .iter()
            .map(|(.., records)| records)
            .sum::<i64>();
    }
    let records_per_request = ratio(carried, full);
    let messages: Vec<&Request> = sent
        .iter()
        .filter(|(entity, ..)| entities.last() == Some(entity))
        .collect();
    let slots_used = slots_used(&messages);
    let all: Vec<&Request> = sent.iter().collect();
    println!(
        "messages used {slots_used:.4} of the slots, everything {:.4}; {records_per_request:.2} records per request",
        self::slots_used(&all)
    );
    // 0.995 is what the pacer aims at. This clock is the real one, and a machine that is busy with
    // other things wakes sleepers late: what is printed above is the figure, this is a floor.
    assert!(slots_used >= 0.95, "{slots_used:.4} of the slots were used");
    assert!(
        records_per_request >= 49.5,
        "{records_per_request:.2} records per request"
    );
}

/// Which part of the slots between the first and the last of these requests carried one.
fn slots_used(requests: &[&Request]) -> f64 {
    let slot = 60_000 / i64::from(LIMIT);
    let (first, last) = (requests[0].1, requests[requests.len() - 1].1);
    let intervals = i64::try_from(requests.len() - 1).expect("a small number");
    ratio(
        intervals * slot,
        usize::try_from(last - first).expect("time goes on"),
    )
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn ratio(part: i64, whole: usize) -> f64 {
    part as f64 / whole as f64
}
