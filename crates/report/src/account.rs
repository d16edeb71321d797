//! The account of a plan or a run, as a person reads it and as a program does.

use std::collections::BTreeMap;
use std::fmt::Write;

use chatferry_core::{Account, FlowAccount, OutcomeKind};
use serde_json::{Value, json};

use crate::words::{count, indented, shortened};
use crate::{Advice, Title};

/// A column of the table: its heading and what it counts.
#[derive(Clone, Copy)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// What it counts.
    pub of: fn(&FlowAccount) -> u64,
}

const COLUMNS: [Column; 9] = [
    column("read", |flow| flow.read),
    column("imported", |flow| flow.count(OutcomeKind::Imported)),
    column("present", |flow| flow.count(OutcomeKind::Present)),
    column("earlier", |flow| flow.settled_before),
    column("skipped", |flow| flow.count(OutcomeKind::Skipped)),
    column("rejected", |flow| flow.count(OutcomeKind::Rejected)),
    column("refused", |flow| flow.count(OutcomeKind::Refused)),
    column("blocked", |flow| flow.count(OutcomeKind::Blocked)),
    column("pending", |flow| flow.pending),
];

/// Columns that a flow's name has at most.
const NAME: usize = 24;

const fn column(heading: &'static str, of: fn(&FlowAccount) -> u64) -> Column {
    Column { heading, of }
}

/// The sum of all flows.
#[must_use]
pub fn total(account: &Account) -> FlowAccount {
    let mut total = FlowAccount::new("total", chatferry_core::Entity::Messages);
    for flow in &account.flows {
        total.read += flow.read;
        total.settled_before += flow.settled_before;
        total.differing += flow.differing;
        total.pending += flow.pending;
        for ((kind, reason), rows) in &flow.outcomes {
            total.add(*kind, reason, *rows);
        }
    }
    total
}

/// The columns that say anything but zero; the sums still agree without the others. `imported` is
/// what those are called that are, or would be, sent.
#[must_use]
pub fn columns(total: &FlowAccount, imported: &'static str) -> Vec<Column> {
    let named = |column: Column| Column {
        heading: match column.heading {
            "imported" => imported,
            heading => heading,
        },
        ..column
    };
    COLUMNS
        .into_iter()
        .enumerate()
        .filter(|(place, column)| *place < 2 || (column.of)(total) > 0)
        .map(|(_, column)| named(column))
        .collect()
}

/// The account as a table.
#[must_use]
pub fn table(account: &Account, imported: &'static str, bold: Title<'_>) -> String {
    let total = total(account);
    let told = columns(&total, imported);
    let names = account.flows.iter().map(|flow| flow.flow.chars().count());
    let name_width = names.max().unwrap_or(0).clamp(5, NAME);
    let widths: Vec<usize> = told
        .iter()
        .map(|column| column.heading.len().max(count((column.of)(&total)).len()))
        .collect();
    let mut text = String::new();
    let mut heading = " ".repeat(name_width);
    for (Column { heading: name, .. }, width) in told.iter().zip(&widths) {
        let _ = write!(heading, "  {name:>width$}");
    }
    text.push_str(&bold(&heading));
    text.push('\n');
    for flow in account.flows.iter().chain([&total]) {
        let mut line = format!("{:<name_width$}", shortened(&flow.flow, NAME));
        for (column, width) in told.iter().zip(&widths) {
            let _ = write!(line, "  {:>width$}", count((column.of)(flow)));
        }
        text.push_str(&if std::ptr::eq(flow, &total) {
            bold(&line)
        } else {
            line
        });
        text.push('\n');
    }
    text
}

/// The outcomes whose reasons are told.
pub const TOLD: [OutcomeKind; 4] = [
    OutcomeKind::Skipped,
    OutcomeKind::Rejected,
    OutcomeKind::Refused,
    OutcomeKind::Blocked,
];

/// Every reason for which rows are not at the destination, with its count, what `more` there is to
/// say of it, and what to do.
pub fn reasons(
    account: &Account,
    advice: Advice,
    bold: Title<'_>,
    more: impl Fn(usize, OutcomeKind, &str) -> String,
) -> String {
    let mut text = String::new();
    for kind in TOLD {
        if account.count(kind) == 0 {
            continue;
        }
        let _ = writeln!(text, "\n{}", bold(kind.name()));
        for (place, flow) in account.flows.iter().enumerate() {
            for ((_, reason), rows) in flow.outcomes.iter().filter(|((of, _), _)| *of == kind) {
                let line = format!("{}: {reason}", flow.flow);
                let _ = writeln!(text, "  {:>9}  {}", count(*rows), shortened(&line, 87));
                text.push_str(&more(place, kind, reason));
                if let Some(advice) = advice(kind, reason) {
                    text.push_str(&indented(advice, 13));
                }
            }
        }
    }
    let mended = account.flows.iter().flat_map(|flow| {
        let rules = flow.adjusted.iter();
        rules.map(move |(rule, rows)| (flow, rule, rows))
    });
    let mended: Vec<_> = mended.collect();
    if !mended.is_empty() {
        let _ = writeln!(text, "\n{}", bold("mended on the way"));
        for (flow, rule, rows) in mended {
            let line = format!("{}: {rule}", flow.flow);
            let _ = writeln!(text, "  {:>9}  {}", count(*rows), shortened(&line, 87));
        }
    }
    let made = account.flows.iter().flat_map(|flow| {
        let entities = flow.placeholders.iter();
        entities.map(move |(entity, made)| (flow, entity, made))
    });
    let made: Vec<_> = made.collect();
    if !made.is_empty() {
        let _ = writeln!(text, "\n{}", bold("placeholders for what no flow delivers"));
        for (flow, entity, made) in made {
            let line = format!("{}: {entity}", flow.flow);
            let _ = writeln!(text, "  {:>9}  {}", count(*made), shortened(&line, 87));
        }
    }
    let differing = account.flows.iter().filter(|flow| flow.differing > 0);
    let differing: Vec<_> = differing.collect();
    if !differing.is_empty() {
        let title = "changed since they were delivered, and not sent again";
        let _ = writeln!(text, "\n{}", bold(title));
        for flow in differing {
            let name = shortened(&flow.flow, 87);
            let _ = writeln!(text, "  {:>9}  {name}", count(flow.differing));
        }
        let advice =
            "`chatferry failures PIPELINE --changed` lists them; what is in the app stays as it is";
        text.push_str(&indented(advice, 13));
    }
    text
}

/// The flows of an account as JSON; `more` is what else there is to say of an outcome.
#[must_use]
pub fn flows(
    account: &Account,
    more: impl Fn(usize, OutcomeKind, &str) -> Option<(&'static str, Value)>,
) -> Value {
    let flows = account.flows.iter().enumerate().map(|(place, flow)| {
        let outcomes = flow.outcomes.iter().map(|((kind, reason), rows)| {
            let mut outcome = json!({ "outcome": kind.name(), "reason": reason, "rows": rows });
            if let Some((key, value)) = more(place, *kind, reason) {
                outcome[key] = value;
            }
            outcome
        });
        let placeholders = flow.placeholders.iter();
        let placeholders: BTreeMap<&str, u64> = placeholders
            .map(|(entity, made)| (entity.name(), *made))
            .collect();
        json!({
            "flow": flow.flow,
            "entity": flow.entity.name(),
            "read": flow.read,
            "earlier": flow.settled_before,
            "changed": flow.differing,
            "pending": flow.pending,
            "outcomes": outcomes.collect::<Vec<_>>(),
            "adjusted": flow.adjusted,
            "placeholders": placeholders,
        })
    });
    flows.collect()
}
