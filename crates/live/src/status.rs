//! How a run stands, for programs and for the page.

use chatferry_core::OutcomeKind;
use chatferry_report::account;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::board::{Ending, Result, State};

/// How a run stands. `is_last` says that nothing follows.
pub(crate) fn of(state: &State, is_last: bool) -> Value {
    let mut progress = state
        .view
        .as_ref()
        .map_or(Value::Null, |view| view.as_json());
    if let Some(progress) = progress.as_object_mut() {
        progress.remove("event");
    }
    let requests = &state.requests;
    let problem = state.view.as_ref().and_then(|view| view.problem.as_ref());
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "title": state.title,
        "pipeline": state.pipeline,
        "state": match (&state.ended, &state.view) {
            (Some(_), _) => "ended",
            (None, Some(_)) => "running",
            (None, None) => "starting",
        },
        "last": is_last,
        "started": time(state.started),
        "now": time(Utc::now()),
        "ended": state.ended.as_ref().map(|(when, ending)| ended(*when, ending)),
        "progress": progress,
        "addsUp": state.ended.as_ref().map(|_| state.account.adds_up()),
        "flows": account::flows(&state.account, |_, _, _| None),
        "failures": failures(state),
        "requests": {
            "sent": requests.sent, "records": requests.records, "bytes": requests.bytes,
            "throttled": requests.throttled, "failed": requests.failed,
            "perMinute": state.limit, "recordsWaiting": state.waiting,
        },
        "problem": problem.map(|(what, when, times)| {
            json!({ "message": what, "time": time(*when), "times": times })
        }),
        "steps": steps(state),
        "latest": state.latest.iter().map(|row| json!({
            "sentMs": row.sent_ms, "tookMs": row.took_ms, "entity": row.entity.name(),
            "records": row.records, "status": row.status, "result": Result::of(row).name(),
        })).collect::<Vec<_>>(),
    })
}

fn ended(when: DateTime<Utc>, ending: &Ending) -> Value {
    json!({
        "time": time(when), "how": ending.how, "exit": ending.exit, "message": ending.message,
        "help": ending.help, "next": ending.next.map(time),
    })
}

/// The outcomes whose reasons are told, those that a person has to look at first.
const TOLD: [OutcomeKind; 4] = [
    OutcomeKind::Rejected,
    OutcomeKind::Refused,
    OutcomeKind::Blocked,
    OutcomeKind::Skipped,
];

/// What is not delivered, by flow and reason.
fn failures(state: &State) -> Value {
    let mut failures = Vec::new();
    for kind in TOLD {
        for flow in &state.account.flows {
            let of_kind = flow.outcomes.iter().filter(|((of, _), _)| *of == kind);
            for ((_, reason), rows) in of_kind {
                let key = (flow.flow.clone(), kind, reason.clone());
                let examples = state.examples.get(&key).into_iter().flatten();
                failures.push(json!({
                    "flow": flow.flow, "entity": flow.entity.name(), "outcome": kind.name(),
                    "reason": reason, "rows": rows, "remedy": (state.advice)(kind, reason),
                    "examples": examples.map(|it| json!({ "id": it.id, "place": it.place }))
                        .collect::<Vec<_>>(),
                }));
            }
        }
    }
    failures.into()
}

fn steps(state: &State) -> Value {
    let counts = state.steps.counts();
    let results = [Result::Answered, Result::Throttled, Result::Failed];
    let mut steps = json!({
        "seconds": state.steps.each().as_secs(),
        "records": counts.iter().map(|step| step.records).collect::<Vec<_>>(),
    });
    for result in results {
        let requests = counts.iter().map(|step| step.requests[result as usize]);
        steps[result.name()] = requests.collect();
    }
    steps
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
