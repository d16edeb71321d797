//! The account of a run, as a person reads it and as a program does.

use std::fmt::Write;
use std::time::Duration;

use chatferry_core::{Account, OutcomeKind};
use chatferry_report::account as report;
use chatferry_runtime::{Ended, Finished, Requests};
use serde_json::{Value, json};

pub use chatferry_report::words::{count, counted, duration};

pub use crate::reasons::advice;
use crate::{catalogue, reasons};

/// The account as a table, and under it every reason with its count.
#[must_use]
pub fn table(account: &Account, bold: impl Fn(&str) -> String) -> String {
    let mut text = report::table(account, "imported", &bold);
    text.push_str(&report::reasons(account, advice, &bold, |_, _, _| {
        String::new()
    }));
    if let Some(more) = more_on(account) {
        text.push('\n');
        text.push_str(&more);
    }
    text
}

/// What to type to have more said of the reasons in an account, in the order in which they are told.
#[must_use]
pub fn more_on(account: &Account) -> Option<String> {
    let of = |kind: OutcomeKind| {
        let flows = account.flows.iter();
        let outcomes = flows.flat_map(|flow| flow.outcomes.keys());
        let of_kind = outcomes.filter(move |(of, _)| *of == kind);
        of_kind.map(|(kind, reason)| (*kind, reason.as_str()))
    };
    reasons::more_on(report::TOLD.into_iter().flat_map(of))
}

/// What was sent, in a line or two.
#[must_use]
pub fn requests(requests: &Requests, took: Duration) -> String {
    if requests.sent == 0 {
        return "no requests were needed".into();
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let each = requests.records as f64 / requests.sent as f64;
    let mut text = format!(
        "{} in {}, {each:.1} records each",
        counted(requests.sent, "request"),
        duration(took)
    );
    if requests.throttled > 0 {
        let _ = write!(text, "; {} throttled", count(requests.throttled));
    }
    if requests.failed > 0 {
        let _ = write!(
            text,
            "; {} failed and were resolved or given up",
            count(requests.failed)
        );
    }
    text
}

/// The account as JSON, for programs.
#[must_use]
pub fn as_json(finished: &Finished) -> Value {
    let requests = &finished.requests;
    json!({
        "ended": finished.ended.name(),
        "addsUp": finished.account.adds_up(),
        "flows": report::flows(&finished.account, |_, _, _| None),
        "requests": {
            "sent": requests.sent, "records": requests.records, "bytes": requests.bytes,
            "throttled": requests.throttled, "failed": requests.failed,
        },
        "seconds": finished.took.as_secs_f64(),
    })
}

/// How a run ended in a phrase, and what to do next.
#[must_use]
pub fn ending(ended: &Ended) -> Option<(String, String)> {
    match ended {
        Ended::Complete => None,
        Ended::Stopped => Some(("stopped before the end".into(), "run the same command to go on".into())),
        Ended::Refused { code, message, remedy } => {
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            let mut help = remedy.clone();
            if catalogue::find(code).is_some() {
                help.push_str(&format!("; `chatferry explain {code}` says more"));
            }
            Some((format!("the destination refuses to work: {code}{message}"), help))
        }
        Ended::Silent { what } => Some((
            format!("the destination does not answer: {what}"),
            "check `base_url` (or `app_id` and `region`) and the network; run the same command to go on".into(),
        )),
        Ended::TooManyRefused { refused, of } => Some((
            format!("{refused} of the last {of} records were refused, which is more than `failure_budget` allows"),
            "`chatferry status` shows why; correct it and run the same command, or set another `failure_budget`".into(),
        )),
        Ended::AllowanceUsedUp => Some((
            "as many messages are delivered as `message_allowance` allows".into(),
            "have the allowance raised with CometChat, then set it and run the same command to go on".into(),
        )),
        Ended::Source(error) => Some((error.to_string(), error.help.clone().unwrap_or_default())),
        Ended::Ledger(error) => Some((error.to_string(), error.help.clone().unwrap_or_default())),
    }
}
