//! `failures`: what was rejected, refused or blocked, according to the ledger.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use chatferry_cometchat::ShapedRows;
use chatferry_core::{Destination, Entity, Flow, Key, OutcomeKind, Prepared, RejectedRow};
use chatferry_ledger::{Failed, Failures, Ledger};
use chatferry_report::words::{WIDEST, indented, plain, shortened, wrapped};
use chatferry_runtime::admission::{DUPLICATE_ID, UNKNOWN_REFERENCE};
use chrono::Utc;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::account::{count, counted};
use crate::args::{FailuresArgs, Format, Shared};
use crate::pipeline::{self, Opened};
use crate::progress::Steps;
use crate::reasons::{advice, meaning, more_on};
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, there is no ledger yet, or the export cannot be written.
pub async fn run(
    args: &FailuresArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let mut ledger = Ledger::read(&opened.ledger(shared)).await?;
    if let Some(path) = &args.export {
        let exported = export(&opened, shared, &mut ledger, path, terminal).await?;
        terminal.say(&exported.in_words(path));
        return Ok(Exit::Done);
    }
    if args.changed {
        return super::changed::list(&mut ledger, args.examples, shared.format, terminal).await;
    }
    match shared.format {
        Format::Text => {
            let failures = ledger.failures(args.examples).await?;
            terminal.result(&as_text(&failures, args.examples, terminal));
        }
        Format::Json => {
            let failures = ledger.failures(args.examples).await?;
            terminal.result(&format!("{}\n", as_json(&failures, args.examples)));
        }
        Format::Csv => {
            terminal.result("flow,entity,id,outcome,reason,detail,place,remedy\r\n");
            ledger
                .each_failure(|row| terminal.result(&as_csv(&row)))
                .await?;
        }
    }
    Ok(Exit::Done)
}

fn as_text(failures: &[Failures], examples: u32, terminal: &Terminal) -> String {
    if failures.is_empty() {
        return "nothing was rejected, refused or blocked\n".into();
    }
    let mut text = String::new();
    let mut exportable = 0;
    for kind in [
        OutcomeKind::Rejected,
        OutcomeKind::Refused,
        OutcomeKind::Blocked,
    ] {
        let of_kind = failures.iter().filter(|it| it.examples[0].outcome == kind);
        let of_kind: Vec<&Failures> = of_kind.collect();
        if of_kind.is_empty() {
            continue;
        }
        let rows: u64 = of_kind.iter().map(|it| it.rows).sum();
        exportable += rows;
        let title = format!("{kind}: {}", counted(rows, "row"));
        let blank = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{blank}{}", terminal.bold(&title));
        for failures in of_kind {
            let first = &failures.examples[0];
            let line = format!("{}: {}", first.flow, first.reason);
            let line = shortened(&line, WIDEST - 13);
            let _ = writeln!(text, "  {:>9}  {line}", count(failures.rows));
            if let Some(meaning) = meaning(kind, &first.reason) {
                text.push_str(&indented(meaning, 13));
            }
            if let Some(advice) = advice(kind, &first.reason) {
                text.push_str(&indented(&format!("remedy: {advice}"), 13));
            }
            let shown = usize::try_from(examples).unwrap_or(usize::MAX);
            for failed in failures.examples.iter().take(shown) {
                let known = [failed.id.as_deref(), failed.place.as_deref()];
                let mut line = known.into_iter().flatten().collect::<Vec<_>>().join(", ");
                if !failed.detail.is_empty() {
                    line.push_str(if line.is_empty() { "" } else { ": " });
                    line.push_str(&failed.detail);
                }
                for (place, line) in wrapped(&plain(&line), WIDEST - 15).iter().enumerate() {
                    let mark = if place == 0 { "- " } else { "  " };
                    let _ = writeln!(text, "             {mark}{line}");
                }
            }
        }
    }
    let reasons = failures.iter().map(|it| &it.examples[0]);
    let more = more_on(reasons.map(|first| (first.outcome, first.reason.as_str())));
    if let Some(more) = more {
        text.push('\n');
        text.push_str(&more);
    }
    if exportable > 0 {
        text.push_str(
            "\ncorrect the pipeline or its sources and run again, or correct the records themselves:\n  \
             chatferry failures PIPELINE --export failures.jsonl\n  \
             chatferry retry PIPELINE --from failures.jsonl\n",
        );
    }
    text
}

fn as_json(failures: &[Failures], examples: u32) -> Value {
    let shown = usize::try_from(examples).unwrap_or(usize::MAX);
    let failures = failures.iter().map(|failures| {
        let first = &failures.examples[0];
        let examples = failures.examples.iter().take(shown);
        let examples =
            examples.map(|it| json!({ "id": it.id, "place": it.place, "detail": it.detail }));
        json!({
            "flow": first.flow, "entity": first.entity.name(), "outcome": first.outcome.name(),
            "reason": first.reason, "rows": failures.rows,
            "meaning": meaning(first.outcome, &first.reason),
            "remedy": advice(first.outcome, &first.reason),
            "examples": examples.collect::<Vec<_>>(),
        })
    });
    failures.collect()
}

/// A value as a line of CSV has it.
pub(super) fn cell(value: &str) -> String {
    match value.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

fn as_csv(row: &Failed) -> String {
    let values = [
        &row.flow,
        row.entity.name(),
        row.id.as_deref().unwrap_or_default(),
        row.outcome.name(),
        &row.reason,
        &row.detail,
        row.place.as_deref().unwrap_or_default(),
        advice(row.outcome, &row.reason).unwrap_or_default(),
    ];
    format!("{}\r\n", values.map(cell).join(","))
}

/// What an export has come to.
#[derive(Debug, Default)]
struct Exported {
    rows: u64,
    /// Those of them that never became a record.
    without_record: u64,
}

impl Exported {
    fn in_words(&self, path: &Path) -> String {
        let mut words = format!("{} in {}", counted(self.rows, "row"), path.display());
        if self.without_record > 0 {
            let _ = write!(
                words,
                ", {} of them without a record, since the source could not read them",
                count(self.without_record)
            );
        }
        words.push_str(
            "; correct `record` in each line, then `chatferry retry PIPELINE --from` that file. \
             It holds what people wrote: delete it when it is done",
        );
        wrapped(&words, WIDEST).join("\n")
    }
}

/// A row in an export.
struct Line<'a> {
    id: Option<&'a str>,
    outcome: OutcomeKind,
    reason: &'a str,
    detail: &'a str,
    place: Option<String>,
    /// The record as JSON, if there is one.
    record: Option<&'a str>,
}

/// Reads every row once more, and writes those that are not delivered.
async fn export(
    opened: &Opened,
    shared: &Shared,
    ledger: &mut Ledger,
    path: &Path,
    terminal: &Terminal,
) -> Result<Exported, Trouble> {
    let planned = opened.plan(terminal).await?;
    let copies = opened.copies(shared).await?;
    let destination = super::offline(&opened.pipeline.destination, copies.as_ref());
    let keys: HashSet<Key> = ledger.failed_keys().await?.into_iter().collect();
    let mut export = Export {
        out: BufWriter::new(create(path)?),
        exported: Exported::default(),
        keys,
        doubles: HashMap::new(),
    };
    let now = Utc::now().timestamp();
    let mut steps = Steps::new(terminal);
    let mut read = 0;
    for (flow, plan) in planned.in_order() {
        let mut rows = plan.shape();
        while let Some(shaped) = rows.next().await {
            let shaped = shaped?;
            read += shaped.rows_read();
            steps.show(&|| format!("reading {}: {}", flow.name, counted(read, "row")));
            for row in &shaped.rejected {
                export
                    .rejected(flow, row, None)
                    .map_err(|error| cannot(path, &error))?;
            }
            let prepared = destination.prepare(flow.entity, &shaped.rows, now);
            let mut shapes = None;
            for (place, prepared) in prepared.iter().enumerate() {
                let written = match prepared {
                    Prepared::Skipped { .. } => Ok(()),
                    Prepared::Rejected(row) => {
                        let shapes = shapes.get_or_insert_with(|| ShapedRows::new(&shaped.rows));
                        export.rejected(flow, row, Some(&shapes.json(place)))
                    }
                    Prepared::Ready(record) => {
                        let id = record.id.as_str();
                        match export.failed(flow.entity, id, ledger).await? {
                            Some(failed) => {
                                let json = String::from_utf8_lossy(&record.json);
                                export.write(
                                    flow,
                                    &Line {
                                        id: Some(id),
                                        outcome: failed.outcome,
                                        reason: &failed.reason,
                                        detail: &failed.detail,
                                        place: failed.place,
                                        record: Some(&json),
                                    },
                                )
                            }
                            None => Ok(()),
                        }
                    }
                };
                written.map_err(|error| cannot(path, &error))?;
            }
        }
    }
    steps.finish();
    export.out.flush().map_err(|error| cannot(path, &error))?;
    Ok(export.exported)
}

/// An export that is being written.
struct Export {
    out: BufWriter<File>,
    exported: Exported,
    /// The rows that the ledger has as not delivered.
    keys: HashSet<Key>,
    /// How often ids that come more than once have come.
    doubles: HashMap<Key, u64>,
}

impl Export {
    /// What the ledger says of a record that breaks no rule by itself, if it was not delivered for
    /// a reason that holds still.
    async fn failed(
        &mut self,
        entity: Entity,
        id: &str,
        ledger: &mut Ledger,
    ) -> Result<Option<Failed>, Trouble> {
        let double = |times: u64| Key::of_words(&[entity.name(), id, &times.to_string()]);
        let mut key = Key::of(entity, id);
        if self.keys.contains(&double(1)) {
            let times = self.doubles.entry(key).or_default();
            if *times > 0 {
                key = double(*times);
            }
            *times += 1;
        }
        if !self.keys.contains(&key) {
            return Ok(None);
        }
        let failed = ledger.failed(key).await?;
        let holds = |failed: &Failed| {
            let is_of_many = [DUPLICATE_ID, UNKNOWN_REFERENCE].contains(&failed.reason.as_str());
            is_of_many || failed.outcome != OutcomeKind::Rejected
        };
        Ok(failed.filter(holds))
    }

    fn rejected(
        &mut self,
        flow: &Flow,
        row: &RejectedRow,
        record: Option<&str>,
    ) -> std::io::Result<()> {
        self.write(
            flow,
            &Line {
                id: row.id.as_deref(),
                outcome: OutcomeKind::Rejected,
                reason: &row.rule,
                detail: &row.detail,
                place: row.place.as_ref().map(ToString::to_string),
                record,
            },
        )
    }

    fn write(&mut self, flow: &Flow, line: &Line<'_>) -> std::io::Result<()> {
        self.exported.rows += 1;
        self.exported.without_record += u64::from(line.record.is_none());
        // In this order, so that what is to be corrected stands last and together.
        writeln!(
            self.out,
            r#"{{"flow":{},"entity":{},"id":{},"outcome":{},"reason":{},"detail":{},"place":{},"record":{}}}"#,
            json!(flow.name),
            json!(flow.entity.name()),
            json!(line.id),
            json!(line.outcome.name()),
            json!(line.reason),
            json!(line.detail),
            json!(line.place),
            line.record.unwrap_or("null"),
        )
    }
}

/// Makes a file that nobody else may read, and that was not there: what was corrected by hand is
/// never written over.
fn create(path: &Path) -> Result<File, Trouble> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Trouble {
    let message = format!("cannot write the export {}: {error}", path.display());
    Trouble::new(Exit::Usage, message)
        .help("name a file that is not there yet, in a folder that you may write to")
}
