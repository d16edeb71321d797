//! A run that is told of.

use std::time::Duration;

use chatferry_core::{Account, Entity, FlowAccount, Key, Outcome, OutcomeKind, Place};
use chatferry_ledger::{Entry, RequestRow, Undelivered};
use chatferry_live::{About, Board, Hosts, Live};
use chatferry_report::progress::{Rows, View};
use chatferry_runtime::{Progress, Requests, WaitsFor};
use chrono::Utc;

/// A name that must not be taken for markup, or for a part of a metric.
pub(crate) const ODD: &str = "a\"b\\c\n<script>alert(1)</script>";

pub(crate) fn about() -> About<'static> {
    About {
        title: "Run",
        pipeline: "acme",
        advice: |kind, _| (kind == OutcomeKind::Rejected).then_some("correct it"),
    }
}

/// A page on a free port.
pub(crate) async fn live() -> Live {
    let address = "127.0.0.1:0".parse().unwrap();
    Live::listen(address, Hosts::default(), about())
        .await
        .unwrap()
}

pub(crate) fn request(took_ms: i64, status: Option<u16>, result: &str) -> RequestRow {
    RequestRow {
        entity: Entity::Messages,
        sent_ms: Utc::now().timestamp_millis(),
        took_ms,
        records: 50,
        bytes: 9_000,
        status,
        result: result.into(),
    }
}

fn rejected(number: usize) -> Undelivered {
    Undelivered {
        key: Key(number as u64),
        flow: ODD.into(),
        entity: Entity::Messages,
        id: Some(format!("m-{number}")),
        outcome: Outcome::Rejected {
            rule: "text-empty".into(),
            detail: "what is in it".into(),
        },
        place: Some(Place {
            file: "messages.jsonl".into(),
            line: Some(number as u64),
            byte: None,
        }),
        content: None,
    }
}

/// Tells of a run in the middle of its work.
pub(crate) fn tell(board: &Board) {
    let mut flow = FlowAccount::new(ODD, Entity::Messages);
    flow.read = 220;
    flow.settled_before = 10;
    flow.differing = 3;
    flow.placeholders.insert(Entity::Users, 2);
    flow.add(OutcomeKind::Imported, "", 100);
    flow.add(OutcomeKind::Rejected, "text-empty", 5);
    let account = Account { flows: vec![flow] };
    let requests = Requests {
        sent: 4,
        records: 200,
        bytes: 36_000,
        throttled: 1,
        failed: 1,
        span: None,
    };
    let view = View {
        entities: Rows::of(&account, &[Some(500)], Entity::Messages),
        requests: (4, Some(5)),
        in_flight: 1,
        waits_for: WaitsFor::Pace,
        held_for: None,
        left: Some((Duration::from_secs(60), Duration::from_secs(90))),
        problem: Some(("HTTP 500 ERR_EXCEPTION".into(), Utc::now(), 2)),
        now: Utc::now(),
        sends: true,
    };
    let progress = Progress {
        entity: Entity::Messages,
        account: &account,
        requests: &requests,
        in_flight: 1,
        waiting: 105,
        held_for: None,
        waits_for: WaitsFor::Pace,
    };
    let sent = [
        request(120, Some(200), "answered"),
        request(700, Some(200), "answered"),
        request(40, Some(429), "throttled"),
        request(60_500, None, "no answer"),
    ];
    let entry = Entry {
        requests: sent.into_iter().map(|row| (row, Vec::new())).collect(),
        undelivered: (1..=5).map(rejected).collect(),
        ..Entry::default()
    };
    board.written(&entry);
    board.stands(view, Some(60), &progress);
}
