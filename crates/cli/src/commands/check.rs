//! `check`: the file, then the sources. Sends nothing, and needs no key.

use std::fmt::Write;

use chatferry_core::Rows;
use serde_json::{Value, json};

use crate::account::counted;
use crate::args::{PipelineArgs, Shared};
use crate::pipeline::{self, Planned};
use crate::terminal::{Terminal, indented};
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, or a source cannot be described.
pub async fn run(
    args: &PipelineArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline, shared, terminal, true)?;
    let planned = opened.plan_in_place(terminal).await?;
    let notes = planned.engine.notes().await?;
    if terminal.json() {
        terminal.result(&format!("{}\n", as_json(&planned, &notes)));
    } else {
        terminal.result(&as_text(&planned, &notes, shared.verbose > 0, terminal));
        terminal.say(&format!("\n{} is in order", opened.path.display()));
        terminal.say("`chatferry rehearse` shows what a run would do");
    }
    Ok(Exit::Done)
}

fn as_text(
    planned: &Planned,
    notes: &[(String, String)],
    explain: bool,
    terminal: &Terminal,
) -> String {
    let mut text = String::new();
    for (flow, plan) in planned.in_order() {
        let rows = match planned.rows(flow) {
            Rows::Exactly(rows) => format!(", {}", counted(rows, "row")),
            Rows::About(rows) => format!(", about {}", counted(rows, "row")),
            Rows::Unknown => String::new(),
        };
        let title = format!(
            "{}: {} from {}{rows}",
            flow.name, flow.entity, flow.from.text
        );
        let _ = writeln!(text, "{}", terminal.bold(&title));
        let columns = plan.columns();
        let field = columns
            .iter()
            .map(|column| column.field.len())
            .max()
            .unwrap_or(0);
        let gives = columns
            .iter()
            .map(|column| column.gives.to_string().len())
            .max()
            .unwrap_or(0);
        // What a page of 100 columns leaves between the other two and the spaces around.
        let room = 94_usize.saturating_sub(field + gives).clamp(12, EXPRESSION);
        for column in columns {
            let expression = one_line(&column.expression, room);
            let _ = writeln!(
                text,
                "  {:<field$}  {expression:<room$}  {}",
                column.field, column.gives
            );
        }
        for skip in &flow.skip {
            let _ = writeln!(
                text,
                "  skipped as \"{}\" where {}",
                skip.reason,
                one_line(&skip.when.text, EXPRESSION)
            );
        }
        if let Some(changed) = &flow.changed_since {
            let by = one_line(&changed.text, EXPRESSION);
            let _ = writeln!(
                text,
                "  once read to its end, only what has changed by {by}"
            );
        }
        if explain {
            for line in plan.explain().lines() {
                let _ = writeln!(text, "  | {line}");
            }
        }
        text.push('\n');
    }
    for (table, note) in notes {
        let note = indented(&format!("note on {table}: {note}"), 2);
        let _ = writeln!(text, "{}", note.trim());
    }
    if text.ends_with("\n\n") {
        text.pop();
    }
    text
}

/// Characters of an expression that are shown at most: enough to recognise it.
const EXPRESSION: usize = 44;

/// An expression in a line of at most so many characters.
fn one_line(sql: &str, most: usize) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let mut short: String = line.chars().take(most - 1).collect();
    short.push('…');
    short
}

fn as_json(planned: &Planned, notes: &[(String, String)]) -> Value {
    let flows: Vec<Value> = planned
        .in_order()
        .into_iter()
        .map(|(flow, plan)| {
            let fields: Vec<Value> = plan
                .columns()
                .iter()
                .map(|column| json!({ "field": column.field, "expression": column.expression, "gives": column.gives }))
                .collect();
            json!({
                "flow": flow.name, "entity": flow.entity.name(), "from": flow.from.text,
                "rows": planned.rows(flow).estimate(), "fields": fields,
            })
        })
        .collect();
    let notes: Vec<Value> = notes
        .iter()
        .map(|(table, note)| json!({ "table": table, "note": note }))
        .collect();
    json!({ "flows": flows, "notes": notes })
}
