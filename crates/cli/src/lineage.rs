//! Whether a run goes on with what the runs before have delivered: told before anything is sent.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chatferry_core::lineage::changes;
use chatferry_core::{Entity, LineageChange};
use chatferry_ledger::Ledger;
use chatferry_report::words::plain;

use crate::account::{count, counted};
use crate::pipeline::Opened;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Writes down what the flows come from, unless that has changed and is not accepted.
///
/// # Errors
///
/// When it has changed, or the ledger cannot be read or written.
pub(crate) async fn go_on(
    opened: &Opened,
    ledger: &mut Ledger,
    accepted: bool,
    terminal: &Terminal,
) -> Result<(), Trouble> {
    if let Some(told) = told(opened, ledger).await? {
        if !accepted {
            return Err(Trouble::new(Exit::Pipeline, told).help(
                "nothing was sent; change the pipeline back, or run it as it is with --accept-changes, \
                 once; another file for --ledger begins anew, and delivers everything again",
            ));
        }
        terminal.say(&told);
    }
    ledger.keep_lineages(&opened.pipeline.lineages()).await?;
    Ok(())
}

/// Says what has changed, if anything has.
///
/// # Errors
///
/// When the ledger cannot be read.
pub(crate) async fn warn(
    opened: &Opened,
    ledger: &mut Ledger,
    terminal: &Terminal,
) -> Result<(), Trouble> {
    if let Some(told) = told(opened, ledger).await? {
        terminal.say(&format!("{told}\n`run` asks for --accept-changes"));
    }
    Ok(())
}

/// What has changed since the last run, in words.
async fn told(opened: &Opened, ledger: &mut Ledger) -> Result<Option<String>, Trouble> {
    let mut changes = changes(&ledger.lineages().await?, &opened.pipeline.lineages());
    if changes.is_empty() {
        return Ok(None);
    }
    let mut delivered = Vec::with_capacity(Entity::ALL.len());
    for entity in Entity::ALL {
        delivered.push((entity, ledger.delivered(entity).await?));
    }
    let of = |entity: Entity| {
        let found = delivered.iter().find(|(of, _)| *of == entity);
        found.map_or(0, |(_, records)| *records)
    };
    // Where nothing was delivered nothing can be delivered twice.
    changes.retain(|change| of(entity(change)) > 0);
    if changes.is_empty() {
        return Ok(None);
    }
    let mut text = String::from("the pipeline has changed since its last run:");
    for change in &changes {
        let _ = write!(text, "\n- {}", words(change, of(entity(change))));
    }
    Ok(Some(text))
}

fn entity(change: &LineageChange) -> Entity {
    match change {
        LineageChange::Removed { was } => was.entity,
        LineageChange::Renamed { entity, .. }
        | LineageChange::ReadsOthers { entity, .. }
        | LineageChange::OtherIds { entity, .. } => *entity,
    }
}

fn words(change: &LineageChange, delivered: u64) -> String {
    let records = counted(delivered, entity(change).singular());
    match change {
        LineageChange::Removed { was } => format!(
            "there is no flow `{}` any more, which read {}: what it delivered of {records} stays in \
             the app, and what it did not is not delivered",
            was.flow,
            list(&was.reads)
        ),
        LineageChange::Renamed { from, to, .. } => format!(
            "the flow `{from}` is called `{to}` now: what it delivered is known by its ids and is not \
             sent again; its failures stay in the ledger under the old name"
        ),
        LineageChange::ReadsOthers {
            flow,
            no_more,
            instead,
            ..
        } => {
            let instead = match instead.is_empty() {
                true => String::new(),
                false => format!(", and reads {} instead", list(instead)),
            };
            format!(
                "the flow `{flow}` does not read {} any more{instead}: rows with the ids of the \
                 {records} that were delivered are not sent again, all others are",
                list(no_more)
            )
        }
        LineageChange::OtherIds {
            flow, before, now, ..
        } => format!(
            "the flow `{flow}` makes ids of `{}` and made them of `{}`: rows get other ids than the \
             {} {} that were delivered have, and are sent once more, beside those",
            plain(now),
            plain(before),
            count(delivered),
            entity(change).name(),
        ),
    }
}

fn list(tables: &BTreeSet<String>) -> String {
    let tables: Vec<String> = tables.iter().map(|it| format!("`{}`", plain(it))).collect();
    match tables.is_empty() {
        true => "nothing".into(),
        false => tables.join(", "),
    }
}
