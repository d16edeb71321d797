//! The account of a run, as a person reads it and as a program does.

use std::fmt::Write;
use std::time::Duration;

use chatferry_cometchat::{codes, rules};
use chatferry_core::{Account, FlowAccount, OutcomeKind};
use chatferry_runtime::{Ended, Finished, Requests};
use serde_json::{Value, json};

use crate::terminal::indented;

/// A number with separators: 12,500.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: "1 row", "2 rows".
#[must_use]
pub fn counted(number: u64, one: &str) -> String {
    format!(
        "{} {one}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// A duration in its two largest units: 5 h 33 min.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, 0..10) => format!("{:.1} s", duration.as_secs_f64()),
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, ..) => format!("{d} d {h} h"),
    }
}

/// The columns of the table: each a heading and what it counts.
type Column = (&'static str, fn(&FlowAccount) -> u64);

const COLUMNS: [Column; 9] = [
    ("read", |flow| flow.read),
    ("imported", |flow| flow.count(OutcomeKind::Imported)),
    ("present", |flow| flow.count(OutcomeKind::Present)),
    ("earlier", |flow| flow.settled_before),
    ("skipped", |flow| flow.count(OutcomeKind::Skipped)),
    ("rejected", |flow| flow.count(OutcomeKind::Rejected)),
    ("refused", |flow| flow.count(OutcomeKind::Refused)),
    ("blocked", |flow| flow.count(OutcomeKind::Blocked)),
    ("pending", |flow| flow.pending),
];

/// The account as a table, and under it every reason with its count.
#[must_use]
pub fn table(account: &Account, bold: impl Fn(&str) -> String) -> String {
    let mut total = FlowAccount::new("total", chatferry_core::Entity::Messages);
    for flow in &account.flows {
        total.read += flow.read;
        total.settled_before += flow.settled_before;
        total.pending += flow.pending;
        for ((kind, reason), rows) in &flow.outcomes {
            total.add(*kind, reason, *rows);
        }
    }
    // Columns that say nothing but zero are left out; the sums still agree.
    let told: Vec<Column> = COLUMNS
        .into_iter()
        .enumerate()
        .filter(|(place, (_, of))| *place < 2 || of(&total) > 0)
        .map(|(_, column)| column)
        .collect();
    let name_width = account
        .flows
        .iter()
        .map(|flow| flow.flow.chars().count())
        .max()
        .unwrap_or(0)
        .max(5);
    let widths: Vec<usize> = told
        .iter()
        .map(|(heading, of)| heading.len().max(count(of(&total)).len()))
        .collect();
    let mut text = String::new();
    let mut heading = " ".repeat(name_width);
    for ((name, _), width) in told.iter().zip(&widths) {
        let _ = write!(heading, "  {name:>width$}");
    }
    text.push_str(&bold(&heading));
    text.push('\n');
    for flow in account.flows.iter().chain([&total]) {
        let mut line = format!("{:<name_width$}", flow.flow);
        for ((_, of), width) in told.iter().zip(&widths) {
            let _ = write!(line, "  {:>width$}", count(of(flow)));
        }
        text.push_str(&if flow.flow == "total" {
            bold(&line)
        } else {
            line
        });
        text.push('\n');
    }
    reasons(account, &mut text, bold);
    text
}

/// Every reason for which rows are not at the destination, with its count and what to do.
fn reasons(account: &Account, text: &mut String, bold: impl Fn(&str) -> String) {
    for kind in [
        OutcomeKind::Skipped,
        OutcomeKind::Rejected,
        OutcomeKind::Refused,
        OutcomeKind::Blocked,
    ] {
        if account.count(kind) == 0 {
            continue;
        }
        let _ = writeln!(text, "\n{}", bold(kind.name()));
        for flow in &account.flows {
            for ((_, reason), rows) in flow.outcomes.iter().filter(|((of, _), _)| *of == kind) {
                let _ = writeln!(text, "  {:>9}  {}: {reason}", count(*rows), flow.flow);
                if let Some(advice) = advice(kind, reason) {
                    text.push_str(&indented(advice, 13));
                }
            }
        }
    }
    let adjusted: Vec<_> = account
        .flows
        .iter()
        .flat_map(|flow| {
            flow.adjusted
                .iter()
                .map(move |(rule, rows)| (flow, rule, rows))
        })
        .collect();
    if !adjusted.is_empty() {
        let _ = writeln!(text, "\n{}", bold("mended on the way"));
        for (flow, rule, rows) in adjusted {
            let _ = writeln!(text, "  {:>9}  {}: {rule}", count(*rows), flow.flow);
        }
    }
}

/// What a person can do about rows that ended so.
#[must_use]
pub fn advice(kind: OutcomeKind, reason: &str) -> Option<&'static str> {
    match (kind, reason) {
        (
            OutcomeKind::Rejected,
            "malformed" | "truncated" | "duplicate-key" | "record-too-long" | "type-mismatch",
        ) => Some("`chatferry status` names the place; correct the file, or accept the loss"),
        (OutcomeKind::Rejected, "expression-failed") => {
            Some("`chatferry status` names the field; make the expression accept such values")
        }
        (OutcomeKind::Rejected, "duplicate-id") => {
            Some("two rows have one id; leave one out in a view")
        }
        (OutcomeKind::Rejected, "unknown-reference") => Some(
            "import what it refers to in a flow, or set references = \"trust\" if it is in the app",
        ),
        (OutcomeKind::Rejected | OutcomeKind::Skipped, rule) => rules::ALL
            .iter()
            .find(|known| known.name == rule)
            .map(|known| known.remedy),
        (OutcomeKind::Refused, code) => Some(codes::remedy(code)),
        (OutcomeKind::Blocked, _) => {
            Some("what it refers to was rejected or refused; settle that first")
        }
        _ => None,
    }
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
    let flows: Vec<Value> = finished
        .account
        .flows
        .iter()
        .map(|flow| {
            let outcomes: Vec<Value> = flow
                .outcomes
                .iter()
                .map(|((kind, reason), rows)| json!({ "outcome": kind.name(), "reason": reason, "rows": rows }))
                .collect();
            json!({
                "flow": flow.flow,
                "entity": flow.entity.name(),
                "read": flow.read,
                "earlier": flow.settled_before,
                "pending": flow.pending,
                "outcomes": outcomes,
                "adjusted": flow.adjusted,
            })
        })
        .collect();
    let requests = &finished.requests;
    json!({
        "ended": finished.ended.name(),
        "addsUp": finished.account.adds_up(),
        "flows": flows,
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
            Some((format!("the destination refuses to work: {code}{message}"), remedy.clone()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_durations_have_two_units() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(duration(Duration::from_millis(5_300)), "5.3 s");
        assert_eq!(duration(Duration::from_secs(19_980)), "5 h 33 min");
        assert_eq!(duration(Duration::from_secs(200_000)), "2 d 7 h");
    }
}
