//! `check`: the file, then the sources. Sends nothing, and needs no key.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use chatferry_core::{Flow, Rows};
use chatferry_engine::FlowPlan;
use chatferry_report::words::{WIDEST, shortened};
use serde_json::{Value, json};

use crate::account::{counted, duration};
use crate::args::{CheckArgs, Shared};
use crate::examples::{self, Examples};
use crate::findings::{self, Finding};
use crate::pipeline::{self, Planned};
use crate::terminal::{Terminal, wrapped};
use crate::trouble::{Exit, Trouble};

/// How often a file that is watched is looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, or a source cannot be described.
pub async fn run(args: &CheckArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    if !args.watch {
        return check(args, shared, terminal).await;
    }
    let path = pipeline::file(&args.pipeline.pipeline);
    loop {
        // What it says of itself is read before the check, so that no change is missed.
        let checked = std::fs::read(&path).ok();
        terminal.clear();
        if let Err(trouble) = check(args, shared, terminal).await {
            terminal.trouble(&trouble);
        }
        terminal.say("\nwatching the file; Ctrl-C ends this");
        changed(&path, checked.as_deref()).await;
    }
}

/// Waits until the file is another one than this.
async fn changed(path: &Path, checked: Option<&[u8]>) {
    while std::fs::read(path).ok().as_deref() == checked {
        tokio::time::sleep(PERIOD).await;
    }
}

async fn check(args: &CheckArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let started = Instant::now();
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let planned = opened.plan_in_place(terminal).await?;
    let copies = opened.copies(shared).await?;
    let destination = super::offline(&opened.pipeline.destination, copies.as_ref());
    let flows = planned.in_order();
    let variables = &opened.pipeline.variables;
    let examples = examples::of(&flows, &destination, variables, args.patience).await?;
    let checked = Checked::new(&planned, examples).await?;
    if terminal.json() {
        let took = started.elapsed();
        terminal.result(&format!("{}\n", checked.as_json(took)));
        return Ok(Exit::Done);
    }
    terminal.told(&checked.as_text(shared.verbose > 0, terminal));
    let took = duration(started.elapsed());
    let path = opened.path.display();
    terminal.say(&match checked.warnings() {
        0 => format!("\n{path} is in order; that took {took}"),
        some => {
            let warnings = counted(some as u64, "warning");
            format!("\n{path} is in order, with {warnings}; that took {took}")
        }
    });
    terminal.say("`chatferry rehearse` shows what a run would do");
    Ok(Exit::Done)
}

/// What there is to say of a pipeline that has no mistakes.
struct Checked<'a> {
    planned: &'a Planned,
    flows: Vec<(&'a Flow, &'a FlowPlan, Examples, Vec<Finding>)>,
    tables: Vec<Finding>,
    notes: Vec<(String, String)>,
}

impl<'a> Checked<'a> {
    async fn new(planned: &'a Planned, examples: Vec<Examples>) -> Result<Self, Trouble> {
        let mut flows = Vec::new();
        let mut read = BTreeSet::new();
        let columns = planned.engine.columns().await?;
        for ((flow, plan), examples) in planned.in_order().into_iter().zip(examples) {
            let here = plan.reads()?;
            let knows_nulls = findings::knows_nulls(&columns, &here);
            let found = findings::of_flow(flow, plan, &examples, knows_nulls);
            read.extend(here);
            flows.push((flow, plan.as_ref(), examples, found));
        }
        Ok(Self {
            planned,
            flows,
            tables: findings::unused(&columns, &read),
            notes: planned.engine.notes().await?,
        })
    }

    fn warnings(&self) -> usize {
        let of_flows = self.flows.iter().map(|(.., found)| found.len());
        of_flows.sum::<usize>() + self.tables.len()
    }

    fn as_text(&self, explain: bool, terminal: &Terminal) -> String {
        let mut text = String::new();
        for (flow, plan, examples, found) in &self.flows {
            self.flow(flow, plan, examples, terminal, &mut text);
            for finding in found {
                text.push_str(&warning(&finding.what, finding.help.as_deref(), terminal));
            }
            if examples.late {
                let late = "no example, since its rows do not come at once; `chatferry preview` \
                            waits for them, and so does --patience";
                text.push_str(&note("note:", late));
            }
            if explain {
                for line in plan.explain().lines() {
                    let _ = writeln!(text, "  | {line}");
                }
            }
            text.push('\n');
        }
        for finding in &self.tables {
            let what = format!("{}: {}", finding.about, finding.what);
            text.push_str(&warning(&what, finding.help.as_deref(), terminal));
        }
        for (table, said) in &self.notes {
            text.push_str(&note("note on", &format!("{table}: {said}")));
        }
        if text.ends_with("\n\n") {
            text.pop();
        }
        text
    }

    /// What each field of a flow is made of, and the like.
    fn flow(
        &self,
        flow: &Flow,
        plan: &FlowPlan,
        examples: &Examples,
        terminal: &Terminal,
        text: &mut String,
    ) {
        let rows = match self.planned.rows(flow) {
            Rows::Exactly(rows) => format!(", {}", counted(rows, "row")),
            Rows::About(rows) => format!(", about {}", counted(rows, "row")),
            Rows::Unknown => String::new(),
        };
        let title = format!(
            "{}: {} from {}{rows}",
            flow.name, flow.entity, flow.from.text
        );
        let _ = writeln!(text, "{}", terminal.bold(&title));
        let lines: Vec<[String; 4]> = plan
            .columns()
            .iter()
            .map(|column| {
                let example = examples.values(&column.field).next();
                [
                    column.field.clone(),
                    one_line(&column.expression),
                    column.gives.clone(),
                    example.map_or_else(String::new, in_words),
                ]
            })
            .collect();
        let widths = widths(&lines, terminal.width_of_results());
        for line in &lines {
            let cells = line.iter().zip(widths);
            let cells = cells.map(|(cell, width)| format!("  {:<width$}", cut(cell, width)));
            let _ = writeln!(text, "{}", cells.collect::<String>().trim_end());
        }
        for skip in &flow.skip {
            let when = cut(&one_line(&skip.when.text), EXPRESSION);
            let _ = writeln!(text, "  skipped as \"{}\" where {when}", skip.reason);
        }
        if let Some(changed) = &flow.changed_since {
            let by = cut(&one_line(&changed.text), EXPRESSION);
            let _ = writeln!(
                text,
                "  once read to its end, only what has changed by {by}"
            );
        }
    }

    fn as_json(&self, took: Duration) -> Value {
        let flows = self.flows.iter().map(|(flow, plan, examples, found)| {
            let fields = plan.columns().iter().map(|column| {
                json!({
                    "field": column.field, "expression": column.expression, "gives": column.gives,
                    "example": examples.values(&column.field).next(),
                })
            });
            json!({
                "flow": flow.name, "entity": flow.entity.name(), "from": flow.from.text,
                "rows": self.planned.rows(flow).estimate(),
                "fields": fields.collect::<Vec<_>>(),
                "warnings": found.iter().map(Finding::as_json).collect::<Vec<_>>(),
            })
        });
        let notes = self.notes.iter();
        let notes = notes.map(|(table, note)| json!({ "table": table, "note": note }));
        json!({
            "flows": flows.collect::<Vec<_>>(),
            "warnings": self.tables.iter().map(Finding::as_json).collect::<Vec<_>>(),
            "notes": notes.collect::<Vec<_>>(),
            "seconds": took.as_secs_f64(),
        })
    }
}

/// Characters of a condition that are shown at most: enough to recognise it.
const EXPRESSION: usize = 44;
/// Characters of a field's name that are shown at most.
const FIELD: usize = 34;
/// Characters of its type that are shown at most.
const GIVES: usize = 24;
/// Characters that are kept for its example at least.
const EXAMPLE: usize = 18;

/// The widths of the four columns, on a page so wide.
fn widths(lines: &[[String; 4]], page: usize) -> [usize; 4] {
    let longest = |column: usize| {
        let lengths = lines.iter().map(|line| line[column].chars().count());
        lengths.max().unwrap_or(0)
    };
    // Where there is little room, each has its share of it.
    let field = longest(0).min(FIELD.min(page / 3));
    let gives = longest(2).min(GIVES.min(page / 4));
    // Two spaces stand before each column.
    let room = page.saturating_sub(field + gives + 8);
    let kept = EXAMPLE.min(room / 2);
    let example = longest(3).min(kept.max(room.saturating_sub(longest(1))));
    [field, longest(1).min(room - example), gives, example]
}

/// SQL in one line.
fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text, in at most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A value as a person reads it, in one line.
fn in_words(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    shortened(&text, WIDEST)
}

/// A warning and its remedy below a flow.
fn warning(what: &str, help: Option<&str>, terminal: &Terminal) -> String {
    let text = note("warning:", what);
    let text = text.replacen("warning:", &terminal.yellow("warning:"), 1);
    match help {
        Some(help) => text + &note("   help:", help),
        None => text,
    }
}

fn note(title: &str, said: &str) -> String {
    let lines = wrapped(said, WIDEST - 3 - title.len());
    let below = " ".repeat(title.len() + 3);
    format!("  {title} {}\n", lines.join(&format!("\n{below}")))
}
