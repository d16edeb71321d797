//! `preview`: the exact JSON that would be sent.

use chatferry_cometchat::{CometChat, request};
use chatferry_core::{Destination, Entity, Prepared, Record, RejectedRow};
use chatferry_engine::FlowPlan;
use chrono::Utc;
use futures::StreamExt;

use crate::account::advice;
use crate::args::{PreviewArgs, Shared};
use crate::pipeline;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source cannot be read, or there is no such flow.
pub async fn run(
    args: &PreviewArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let planned = opened.plan_in_place(terminal).await?;
    if let Some(name) = &args.flow
        && !planned.flows.iter().any(|(flow, _)| flow.name == *name)
    {
        let names: Vec<&str> = planned
            .flows
            .iter()
            .map(|(flow, _)| flow.name.as_str())
            .collect();
        return Err(
            Trouble::new(Exit::Usage, format!("there is no flow called `{name}`"))
                .help(format!("the flows are {}", names.join(", "))),
        );
    }
    let destination = CometChat::offline(&opened.pipeline.destination);
    for (flow, plan) in planned.in_order() {
        if args.flow.as_ref().is_some_and(|name| *name != flow.name) {
            continue;
        }
        let (records, rejected) = first(plan, &destination, flow.entity, args.records).await?;
        for row in rejected {
            terminal.say(&format!(
                "{}: a row would be rejected: {}",
                flow.name,
                in_words(&row)
            ));
            if let Some(advice) = advice(chatferry_core::OutcomeKind::Rejected, &row.rule) {
                terminal.say(&format!("  help: {advice}"));
            }
        }
        terminal.say(&format!(
            "{}: POST {}",
            flow.name,
            request::path(flow.entity)
        ));
        let body = request::body(flow.entity, &records);
        let body = std::str::from_utf8(&body).expect("a body is text");
        let body = if terminal.json() {
            body.to_owned()
        } else {
            indented(body)
        };
        terminal.result(&format!("{body}\n"));
    }
    Ok(Exit::Done)
}

/// The first records of a flow that could be sent, and the rows before them that could not.
async fn first(
    plan: &FlowPlan,
    destination: &CometChat,
    entity: Entity,
    count: usize,
) -> Result<(Vec<Record>, Vec<RejectedRow>), Trouble> {
    let (mut records, mut rejected) = (Vec::new(), Vec::new());
    let mut rows = plan.shape();
    while records.len() < count
        && let Some(shaped) = rows.next().await
    {
        let shaped = shaped?;
        rejected.extend(shaped.rejected.into_iter().take(3));
        for prepared in destination.prepare(entity, &shaped.rows, Utc::now().timestamp()) {
            match prepared {
                Prepared::Ready(record) if records.len() < count => records.push(record),
                Prepared::Rejected(row) if records.len() < count && rejected.len() < 3 => {
                    rejected.push(row);
                }
                _ => {}
            }
        }
    }
    Ok((records, rejected))
}

fn in_words(row: &RejectedRow) -> String {
    let mut words = format!("{}: {}", row.rule, row.detail);
    if let Some(id) = &row.id {
        words.push_str(&format!(" (id {id})"));
    }
    if let Some(place) = &row.place {
        words.push_str(&format!(" ({place})"));
    }
    words
}

/// The same JSON with a line for each value. Nothing but space between values is added.
fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            text.push(c);
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                while chars.peek().is_some_and(char::is_ascii_whitespace) {
                    chars.next();
                }
                if chars.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    text.extend(chars.next());
                } else {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_string = c == '"';
                text.push(c);
            }
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_otherwise_untouched() {
        let json = r#"{"a":{"b":[1,{"c":"x, \"{y}\" \\"}],"d":{},"e":[ ]}}"#;
        let shown = indented(json);
        assert!(shown.starts_with("{\n  \"a\": {\n    \"b\": [\n      1,\n      {"));
        let (before, after): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(json).unwrap(),
            serde_json::from_str(&shown).unwrap(),
        );
        assert_eq!(before, after);
    }
}
