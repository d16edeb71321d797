//! `status`: the ledger in a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use chatferry_core::OutcomeKind;
use chatferry_ledger::{Differences, Ledger, RunSummary, Summary};
use chrono::DateTime;
use serde_json::{Value, json};

use crate::account::{advice, count, counted};
use crate::args::{PipelineArgs, Shared};
use crate::pipeline;
use crate::terminal::{Terminal, indented};
use crate::trouble::{Exit, Trouble};

/// Examples of records that have changed.
const EXAMPLES: usize = 3;

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, or there is no ledger yet.
pub async fn run(
    args: &PipelineArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline, shared, terminal, true)?;
    let mut ledger = Ledger::read(&opened.ledger(shared)).await?;
    let summary = ledger.summary().await?;
    let differences = ledger.differences(EXAMPLES).await?;
    if terminal.json() {
        terminal.result(&format!("{}\n", as_json(&summary, &differences)));
    } else {
        terminal.result(&as_text(&summary, &differences, terminal));
    }
    Ok(Exit::Done)
}

fn as_text(summary: &Summary, differences: &[Differences], terminal: &Terminal) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", terminal.bold("delivered"));
    for (entity, (imported, present)) in &summary.delivered {
        let _ = write!(text, "  {:>11}  {entity} imported", count(*imported));
        if *present > 0 {
            let _ = write!(text, ", and {} that were there already", count(*present));
        }
        text.push('\n');
    }
    if summary.delivered.is_empty() {
        let _ = writeln!(text, "  nothing yet");
    }
    if !summary.removed.is_empty() {
        let _ = writeln!(text, "\n{}", terminal.bold("deleted again by undo"));
        for (entity, records) in &summary.removed {
            let _ = writeln!(text, "  {:>11}  {entity}", count(*records));
        }
    }
    if !summary.undelivered.is_empty() {
        let _ = writeln!(text, "\n{}", terminal.bold("not delivered"));
        for reason in &summary.undelivered {
            let _ = writeln!(
                text,
                "  {:>11}  {}: {}: {}",
                count(reason.rows),
                reason.flow,
                reason.outcome,
                reason.reason
            );
            text.push_str(&indented(&format!("such as {}", reason.example), 15));
            let kind = OutcomeKind::from_name(&reason.outcome);
            if let Some(advice) = kind.and_then(|kind| advice(kind, &reason.reason)) {
                text.push_str(&indented(advice, 15));
            }
        }
    }
    if !differences.is_empty() {
        let title = terminal.bold("changed since delivered, and not sent again");
        let _ = writeln!(text, "\n{title}");
        for it in differences {
            let _ = writeln!(text, "  {:>11}  {}", count(it.records), it.flow);
            text.push_str(&indented(
                &format!("such as {}", it.examples.join(", ")),
                15,
            ));
        }
    }
    let (sent, answered) = summary.requests;
    let _ = write!(text, "\n{} sent", counted(sent, "request"));
    if sent > answered + summary.throttled {
        let _ = write!(
            text,
            ", {} of them without an answer that could be read",
            count(sent - answered - summary.throttled)
        );
    }
    if summary.throttled > 0 {
        let _ = write!(text, ", {} throttled", count(summary.throttled));
    }
    text.push('\n');
    for run in &summary.runs {
        let ended = run.ended.as_deref().unwrap_or("is running, or was killed");
        let _ = writeln!(
            text,
            "run {} started {}: {ended}{}",
            run.run,
            time(run.started_ms),
            numbers(run)
        );
    }
    text
}

/// What a run did, in a few words.
fn numbers(run: &RunSummary) -> String {
    let account: Option<Value> = run
        .account
        .as_deref()
        .and_then(|account| serde_json::from_str(account).ok());
    let Some(account) = account else {
        return String::new();
    };
    let sum = |key: &str| -> u64 {
        let flows = account["flows"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        flows.iter().filter_map(|flow| flow[key].as_u64()).sum()
    };
    format!(
        "; {} read, {} settled before, {}",
        counted(sum("read"), "row"),
        count(sum("settledBefore")),
        counted(account["requests"].as_u64().unwrap_or_default(), "request"),
    )
}

fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map(|time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}

fn as_json(summary: &Summary, differences: &[Differences]) -> Value {
    let delivered: Vec<Value> = summary
        .delivered
        .iter()
        .map(|(entity, (imported, present))| json!({ "entity": entity.name(), "imported": imported, "present": present }))
        .collect();
    let undelivered: Vec<Value> = summary
        .undelivered
        .iter()
        .map(|reason| {
            json!({ "flow": reason.flow, "outcome": reason.outcome, "reason": reason.reason, "rows": reason.rows,
                    "example": reason.example })
        })
        .collect();
    let runs: Vec<Value> = summary
        .runs
        .iter()
        .map(|run| {
            let account: Option<Value> = run.account.as_deref().and_then(|text| serde_json::from_str(text).ok());
            json!({ "run": run.run, "startedMs": run.started_ms, "endedMs": run.ended_ms, "ended": run.ended, "account": account })
        })
        .collect();
    let differences = differences.iter().map(|it| {
        json!({ "flow": it.flow, "entity": it.entity.name(), "records": it.records, "examples": it.examples })
    });
    let removed = summary.removed.iter();
    let removed: BTreeMap<&str, u64> = removed
        .map(|(entity, records)| (entity.name(), *records))
        .collect();
    json!({
        "delivered": delivered, "removed": removed, "undelivered": undelivered, "runs": runs,
        "changed": differences.collect::<Vec<_>>(),
        "requests": { "sent": summary.requests.0, "answered": summary.requests.1, "throttled": summary.throttled },
    })
}
