//! `verify`: what the app holds beside what was imported.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use chatferry_attachments::Copies;
use chatferry_cometchat::{CometChat, Retention, Settings};
use chatferry_config::Pipeline;
use chatferry_runtime::Verify;
use chatferry_runtime::verify::{EntityReport, Verified};
use chrono::Utc;
use serde_json::{Value, json};

use crate::account::{count, counted, duration};
use crate::args::{Shared, VerifyArgs};
use crate::commands::run::trouble_of;
use crate::pipeline;
use crate::progress::Steps;
use crate::signals::listen;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source, the ledger or the destination cannot be used, or it was
/// stopped before its end.
pub async fn run(args: &VerifyArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, false)?;
    let mut settings = opened.pipeline.destination.clone();
    // What was young enough when it was sent is verified whatever its age.
    settings.retention = Retention::Off;
    let copies = opened.copies(shared).await?;
    let destination = super::connect(&settings, copies.as_ref())?;
    let ledger = super::existing_ledger(&opened, shared).await?;
    let planned = opened.plan(terminal).await?;
    let destination: Arc<CometChat> = Arc::new(destination);
    let verify = Verify {
        inspection: Arc::clone(&destination) as _,
        destination,
        flows: planned.inputs(),
        ledger,
        of: subject(&opened.pipeline, copies.as_deref()),
        anew: args.anew,
        patience: Duration::from_secs(args.patience),
        shown: args.findings,
        now: Utc::now().timestamp(),
    };
    let mut steps = Steps::new(terminal);
    let (stop, stopped) = chatferry_runtime::stop();
    let listener = listen(stop, steps.voice());
    let verified = verify.go(stopped, &mut steps).await;
    drop(listener);
    steps.finish();
    let verified = verified?;
    let (exit, trouble) = ending(&verified);
    if trouble.is_none() {
        terminal.result(&if terminal.json() {
            format!("{}\n", as_json(&verified))
        } else {
            as_text(&verified, args.findings, terminal)
        });
    }
    verified.ledger.close().await?;
    trouble.map_or(Ok(exit), Err)
}

/// What is verified, in words that change with what the pipeline makes and where it goes, and not
/// with how fast it is asked. Secrets do not show in them.
fn subject(pipeline: &Pipeline<Settings>, copies: Option<&Copies>) -> String {
    let makes = format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?}",
        env!("CARGO_PKG_VERSION"),
        pipeline.sources,
        pipeline.views,
        pipeline.variables,
        pipeline.flows,
        pipeline.attachments,
        copies.map(Copies::edition),
    );
    let makes = twox_hash::XxHash3_64::oneshot(makes.as_bytes());
    format!("{makes:016x} {}", pipeline.destination.base_url)
}

/// How the program ends.
fn ending(verified: &Verified) -> (Exit, Option<Trouble>) {
    match trouble_of(&verified.ended) {
        Some(trouble) => (trouble.exit, Some(trouble)),
        None if verified.agrees() => (Exit::Done, None),
        None => (Exit::Different, None),
    }
}

/// The columns of the table: each a heading and what it counts.
type Column = (&'static str, fn(&EntityReport) -> u64);

const COLUMNS: [Column; 7] = [
    ("expected", |report| report.sums.expected),
    ("same", |report| report.sums.same),
    ("different", |report| report.sums.different),
    ("missing", |report| report.sums.missing),
    ("deleted", |report| report.sums.deleted),
    ("unknown", |report| report.sums.unknown),
    ("extra", |report| report.sums.extra),
];

fn as_text(verified: &Verified, shown: usize, terminal: &Terminal) -> String {
    let bold = |text: &str| terminal.bold(text);
    let mut text = table(&verified.entities, bold);
    conversations(verified, &mut text, bold);
    findings(verified, shown, &mut text, bold);
    let undelivered: u64 = verified
        .entities
        .iter()
        .map(|report| report.sums.undelivered)
        .sum();
    if undelivered > 0 {
        let _ = writeln!(
            text,
            "\n{} of the pipeline not delivered by any run, and not looked for; `chatferry status` tells why",
            match undelivered {
                1 => "1 record is".to_owned(),
                more => format!("{} records are", count(more)),
            }
        );
    }
    let words = if verified.agrees() {
        "the app holds what was imported, and nothing else"
    } else {
        "the app does not hold what was imported"
    };
    let _ = writeln!(
        text,
        "\n{words}\n{} in {}",
        counted(verified.asked.sent, "request"),
        duration(verified.took)
    );
    text
}

fn table(entities: &[EntityReport], bold: impl Fn(&str) -> String) -> String {
    let told: Vec<Column> = COLUMNS
        .into_iter()
        .enumerate()
        .filter(|(place, (_, of))| *place < 2 || entities.iter().any(|report| of(report) > 0))
        .map(|(_, column)| column)
        .collect();
    let width = |(heading, of): &Column| {
        let numbers = entities.iter().map(|report| count(of(report)).len());
        numbers.max().unwrap_or(0).max(heading.len())
    };
    let widths: Vec<usize> = told.iter().map(width).collect();
    let mut heading = " ".repeat(8);
    for ((name, _), width) in told.iter().zip(&widths) {
        let _ = write!(heading, "  {name:>width$}");
    }
    let mut text = format!("{}\n", bold(&heading));
    for report in entities {
        let _ = write!(text, "{:<8}", report.entity);
        for ((_, of), width) in told.iter().zip(&widths) {
            let _ = write!(text, "  {:>width$}", count(of(report)));
        }
        text.push('\n');
    }
    text
}

fn conversations(verified: &Verified, text: &mut String, bold: impl Fn(&str) -> String) {
    let parts = &verified.conversations;
    if parts.all == 0 {
        return;
    }
    let agreeing = parts.all - parts.differing;
    let _ = writeln!(
        text,
        "\n{}: {} as expected, {} not",
        counted(parts.all, "conversation"),
        count(agreeing),
        count(parts.differing),
    );
    if parts.worst.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", bold("conversations"));
    for part in &parts.worst {
        let mut words = vec![format!("{} expected", count(part.expected))];
        for (number, what) in [
            (part.missing, "missing"),
            (part.different, "different"),
            (part.extra, "extra"),
        ] {
            if number > 0 {
                words.push(format!("{} {what}", count(number)));
            }
        }
        let _ = writeln!(text, "  {}: {}", part.name, words.join(", "));
    }
    more(parts.differing, parts.worst.len(), text);
}

fn findings(verified: &Verified, shown: usize, text: &mut String, bold: impl Fn(&str) -> String) {
    let within = |part: &Option<String>| match part {
        Some(part) => format!(" in {part}"),
        None => String::new(),
    };
    for report in &verified.entities {
        let (entity, one) = (report.entity, report.entity.singular());
        let lost = report.sums.missing + report.sums.deleted;
        if lost > 0 {
            let _ = writeln!(text, "\n{}", bold(&format!("missing {entity}")));
            for lost in &report.missing {
                let deleted = if lost.deleted {
                    ", deleted in the app"
                } else {
                    ""
                };
                let _ = writeln!(
                    text,
                    "  {one} {}{}{deleted}",
                    lost.id,
                    within(&lost.part_of)
                );
            }
            more(lost, report.missing.len(), text);
        }
        if report.sums.different > 0 {
            let _ = writeln!(text, "\n{}", bold(&format!("different {entity}")));
            for (field, records) in &report.fields {
                let _ = writeln!(text, "  {:>9}  {field}", count(*records));
            }
            for differs in &report.different {
                let expected = differs.expected.as_deref().unwrap_or("not made any more");
                let _ = writeln!(
                    text,
                    "  {one} {}: {}: expected {expected}, found {}",
                    differs.id, differs.field, differs.found
                );
            }
            let fields: u64 = report.fields.iter().map(|(_, records)| records).sum();
            more(fields, report.different.len(), text);
        }
        if report.sums.extra > 0 {
            let _ = writeln!(text, "\n{}", bold(&format!("extra {entity}")));
            for extra in &report.extra {
                let _ = writeln!(text, "  {one} {}{}", extra.id, within(&extra.part_of));
            }
            more(report.sums.extra, report.extra.len(), text);
        }
    }
    if shown == 0 && !verified.agrees() {
        let _ = writeln!(text, "\n--findings 20 names them");
    }
}

/// Says how many more there are than are listed.
fn more(all: u64, listed: usize, text: &mut String) {
    let rest = all.saturating_sub(listed as u64);
    if rest > 0 && listed > 0 {
        let _ = writeln!(text, "  and {} more", count(rest));
    }
}

fn as_json(verified: &Verified) -> Value {
    let entities: Vec<Value> = verified.entities.iter().map(entity_as_json).collect();
    let parts = &verified.conversations;
    let worst: Vec<Value> = parts
        .worst
        .iter()
        .map(|part| {
            json!({
                "conversation": part.name, "expected": part.expected, "missing": part.missing,
                "different": part.different, "extra": part.extra,
            })
        })
        .collect();
    json!({
        "agrees": verified.agrees(),
        "entities": entities,
        "conversations": { "all": parts.all, "differing": parts.differing, "worst": worst },
        "requests": {
            "sent": verified.asked.sent, "throttled": verified.asked.throttled,
            "failed": verified.asked.failed,
        },
        "resumed": verified.resumed,
        "seconds": verified.took.as_secs_f64(),
    })
}

fn entity_as_json(report: &EntityReport) -> Value {
    let sums = &report.sums;
    let missing: Vec<Value> = report
        .missing
        .iter()
        .map(|lost| json!({ "id": lost.id, "in": lost.part_of, "deleted": lost.deleted }))
        .collect();
    let extra: Vec<Value> = report
        .extra
        .iter()
        .map(|extra| json!({ "id": extra.id, "in": extra.part_of }))
        .collect();
    let different: Vec<Value> = report
        .different
        .iter()
        .map(|differs| {
            json!({
                "id": differs.id, "field": differs.field, "expected": differs.expected,
                "found": differs.found,
            })
        })
        .collect();
    let fields: serde_json::Map<String, Value> = report
        .fields
        .iter()
        .map(|(field, records)| (field.clone(), json!(records)))
        .collect();
    json!({
        "entity": report.entity.name(),
        "expected": sums.expected, "same": sums.same, "different": sums.different,
        "missing": sums.missing, "deleted": sums.deleted, "unknown": sums.unknown,
        "extra": sums.extra, "notDelivered": sums.undelivered,
        "fields": fields,
        "findings": { "missing": missing, "different": different, "extra": extra },
    })
}
