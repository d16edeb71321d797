//! `undo`: takes away again what was imported into a test app.

use std::fmt::Write;
use std::sync::Arc;

use chatferry_core::Entity;
use chatferry_runtime::Undo;
use chatferry_runtime::undo::{UndoPlan, Undone, plan};
use chrono::Utc;
use serde_json::{Value, json};

use crate::account::{count, counted, duration};
use crate::args::{Shared, UndoArgs};
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
/// When the file has mistakes, the ledger or the destination cannot be used, or it was stopped
/// before its end.
pub async fn run(args: &UndoArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, false)?;
    let settings = &opened.pipeline.destination;
    let inspection = Arc::new(super::connect(settings, None)?);
    let mut ledger = super::existing_ledger(&opened, shared).await?;
    let planned = plan(inspection.as_ref(), &mut ledger).await?;
    let app = settings.base_url.as_str();
    if !args.yes {
        terminal.result(&if terminal.json() {
            format!("{}\n", plan_as_json(&planned, app))
        } else {
            plan_as_text(&planned, app, terminal)
        });
        ledger.close().await?;
        return Ok(Exit::Done);
    }
    let undo = Undo {
        inspection,
        ledger,
        now_ms: Arc::new(|| Utc::now().timestamp_millis()),
    };
    let mut steps = Steps::new(terminal);
    let (stop, stopped) = chatferry_runtime::stop();
    let listener = listen(stop, steps.voice());
    let undone = undo.go(stopped, &mut steps).await;
    drop(listener);
    steps.finish();
    let undone = undone?;
    terminal.result(&if terminal.json() {
        format!("{}\n", as_json(&undone))
    } else {
        as_text(&undone, terminal)
    });
    let trouble = trouble_of(&undone.ended);
    let exit = match undone.left.is_empty() {
        true => Exit::Done,
        false => Exit::Undelivered,
    };
    undone.ledger.close().await?;
    trouble.map_or(Ok(exit), Err)
}

/// What goes along with users and groups that are taken away.
const WARNING: &str = "\
Deleting a user for good also deletes all messages and conversations of that user, and deleting a
group deletes its members and messages, whoever made them. There is no way back: this is for test apps.";

fn plan_as_text(planned: &UndoPlan, app: &str, terminal: &Terminal) -> String {
    let mut text = format!(
        "{}\n",
        terminal.bold(&format!("would be deleted for good from {app}"))
    );
    for (entity, holdings) in &planned.holdings {
        let _ = writeln!(text, "  {:>11}  {entity}", count(holdings.imported));
    }
    let left: u64 = planned
        .holdings
        .iter()
        .map(|(_, it)| it.present + it.unnumbered)
        .sum();
    if left > 0 {
        let _ = writeln!(
            text,
            "\n{} left alone: there before the import, or without a number by which to delete.\n\
             The ledger forgets them, and a later run asks for them again.",
            match left {
                1 => "1 record is".to_owned(),
                more => format!("{} records are", count(more)),
            }
        );
    }
    if planned.requests == 0 {
        text.push_str("\nnothing was imported, so there is nothing to undo\n");
        return text;
    }
    let pace = match planned.time.is_zero() {
        true => "as fast as they are answered".to_owned(),
        false => format!("{} at the pace that is set", duration(planned.time)),
    };
    let _ = writeln!(
        text,
        "\nat least {}, {pace}\n\n{WARNING}\n\nNothing was deleted. `--yes` does it.",
        counted(planned.requests, "request"),
    );
    text
}

fn plan_as_json(planned: &UndoPlan, app: &str) -> Value {
    let entities: Vec<Value> = planned
        .holdings
        .iter()
        .map(|(entity, it)| {
            json!({ "entity": entity.name(), "imported": it.imported, "present": it.present,
                    "unnumbered": it.unnumbered })
        })
        .collect();
    json!({ "done": false, "app": app, "entities": entities, "requests": planned.requests,
            "seconds": planned.time.as_secs_f64() })
}

/// The entities that something became of, in the order in which they were taken away.
fn touched(undone: &Undone) -> Vec<(Entity, u64, u64, u64)> {
    let of = |entity| {
        let (removed, absent) = undone.removed.get(&entity).copied().unwrap_or_default();
        let left = undone.left.get(&entity).copied().unwrap_or_default();
        (entity, removed, absent, left)
    };
    Entity::ALL.into_iter().rev().map(of).collect()
}

fn as_text(undone: &Undone, terminal: &Terminal) -> String {
    let mut text = format!("{}\n", terminal.bold("deleted for good"));
    for (entity, removed, absent, left) in touched(undone) {
        let _ = write!(text, "  {:>11}  {entity}", count(removed));
        if absent > 0 {
            let _ = write!(text, ", and {} that were not there any more", count(absent));
        }
        if left > 0 {
            let _ = write!(text, "; {} could not be deleted", count(left));
        }
        text.push('\n');
    }
    if undone.forgotten > 0 {
        let records = counted(undone.forgotten, "record");
        let _ = writeln!(
            text,
            "\n{records} left alone, which a later run asks for again"
        );
    }
    if !undone.examples.is_empty() {
        let _ = writeln!(text, "\n{}", terminal.bold("could not be deleted"));
        for (entity, id, reason) in &undone.examples {
            let _ = writeln!(text, "  {} {id}: {reason}", entity.singular());
        }
    }
    let _ = writeln!(
        text,
        "\n{} in {}",
        counted(undone.asked.sent, "request"),
        duration(undone.took)
    );
    text
}

fn as_json(undone: &Undone) -> Value {
    let entities: Vec<Value> = touched(undone)
        .into_iter()
        .map(|(entity, removed, absent, left)| {
            json!({ "entity": entity.name(), "removed": removed, "absent": absent, "left": left })
        })
        .collect();
    let left: Vec<Value> = undone
        .examples
        .iter()
        .map(|(entity, id, reason)| json!({ "entity": entity.name(), "id": id, "reason": reason }))
        .collect();
    json!({
        "done": true, "ended": undone.ended.name(), "entities": entities,
        "forgotten": undone.forgotten, "left": left,
        "requests": { "sent": undone.asked.sent, "throttled": undone.asked.throttled,
                      "failed": undone.asked.failed },
        "seconds": undone.took.as_secs_f64(),
    })
}
