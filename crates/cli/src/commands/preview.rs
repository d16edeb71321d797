//! `preview`: the exact JSON that would be sent, below the rows that it is made of.
//!
//! The JSON is the result. The rows, and what would be rejected, are talk: they stand above it on
//! a terminal, and are out of the way where the result goes elsewhere.

use std::fmt::Write;

use chatferry_cometchat::{CometChat, ShapedRows, request};
use chatferry_core::{Destination, Flow, OutcomeKind, Prepared, Record, RejectedRow, Sql};
use chatferry_engine::{Choice, FlowPlan, Seen};
use chatferry_report::words::{WIDEST, shortened, wrapped};
use chrono::Utc;
use futures::TryStreamExt;
use serde_json::Value;

use crate::account::{advice, counted};
use crate::args::{PreviewArgs, Shared};
use crate::layout::{self, Colors};
use crate::pipeline::{self, Opened, Planned};
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Rows that would not be sent which are shown of each flow, unless rows were asked for.
const OTHERS: usize = 3;

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source cannot be read, or there is no such flow or record.
pub async fn run(
    args: &PreviewArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let planned = opened.plan_in_place(terminal).await?;
    let flows = chosen(&planned, args.flow.as_deref())?;
    let copies = opened.copies(shared).await?;
    let destination = super::offline(&opened.pipeline.destination, copies.as_ref());
    let filter = args.filter.as_ref().map(|text| Sql {
        text: text.clone(),
        at: Some(0..text.len()),
        verbatim: true,
    });
    let choice = Choice {
        filter: filter.as_ref(),
        id: args.id.as_deref(),
        any: None,
    };
    let is_choosy = choice.filter.is_some() || choice.id.is_some();
    let mut found = false;
    for (flow, plan) in flows {
        let shown = Shown::read(
            plan,
            flow,
            &choice,
            &opened,
            &destination,
            args.records,
            terminal,
        )
        .await?;
        if is_choosy && shown.rows == 0 {
            continue;
        }
        found = true;
        if !shown.talk.is_empty() {
            terminal.say(shown.talk.trim_end());
        }
        if is_choosy && shown.records.is_empty() {
            continue;
        }
        let path = request::path(flow.entity);
        terminal.say(&format!("{}: POST {path}", flow.name));
        let body = request::body(flow.entity, &shown.records);
        let body = std::str::from_utf8(&body).expect("a body is text");
        let body = if terminal.json() {
            body.to_owned()
        } else {
            layout::json(body, Colors::new(terminal.color_of_results()))
        };
        terminal.result(&format!("{body}\n"));
    }
    if is_choosy && !found {
        return Err(nothing(args));
    }
    Ok(Exit::Done)
}

/// The flows that are wanted, in the order of delivery.
fn chosen<'a>(
    planned: &'a Planned,
    name: Option<&str>,
) -> Result<Vec<(&'a Flow, &'a FlowPlan)>, Trouble> {
    let flows = planned.in_order().into_iter();
    let flows = flows.filter(|(flow, _)| name.is_none_or(|name| flow.name == name));
    let flows: Vec<_> = flows.map(|(flow, plan)| (flow, plan.as_ref())).collect();
    if let (Some(name), true) = (name, flows.is_empty()) {
        let names = planned.flows.iter().map(|(flow, _)| flow.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        let message = format!("there is no flow called `{name}`");
        return Err(Trouble::new(Exit::Usage, message).help(format!("the flows are {names}")));
    }
    Ok(flows)
}

fn nothing(args: &PreviewArgs) -> Trouble {
    let of = match &args.flow {
        Some(flow) => format!("the flow `{flow}` has no"),
        None => "no flow has a".to_owned(),
    };
    let (message, help) = match &args.id {
        Some(id) if args.filter.is_none() => (
            format!("{of} record with the id `{id}`"),
            "an id is meant as the app gets it: a uid, guid, memberId or muid; \
             --where asks for it as the source has it",
        ),
        _ => (
            format!("{of} row that fits"),
            "`chatferry tables` shows what the columns hold; \
             rows that the flow's own `where` leaves out are not looked at",
        ),
    };
    Trouble::new(Exit::Usage, message).help(help)
}

/// Rows of a flow: those that could be sent, and what to say of all of them.
struct Shown {
    records: Vec<Record>,
    rows: usize,
    talk: String,
}

impl Shown {
    async fn read(
        plan: &FlowPlan,
        flow: &Flow,
        choice: &Choice<'_>,
        opened: &Opened,
        destination: &CometChat,
        most: usize,
        terminal: &Terminal,
    ) -> Result<Self, Trouble> {
        let looked = plan.look(choice, &opened.pipeline.variables);
        let mut rows = looked.map_err(|mistakes| {
            let text = choice.filter.map_or("", |sql| sql.text.as_str());
            pipeline::complain("--where", text, &mistakes, terminal);
            Trouble::shown(Exit::Usage)
        })?;
        let is_choosy = choice.filter.is_some() || choice.id.is_some();
        let mut shown = Self {
            records: Vec::new(),
            rows: 0,
            talk: String::new(),
        };
        let mut others = 0;
        let is_enough = |shown: &Self| match is_choosy {
            true => shown.rows >= most,
            false => shown.records.len() >= most,
        };
        while !is_enough(&shown)
            && let Some(seen) = rows.try_next().await?
        {
            let (records, fates) = fate(flow, &seen, destination);
            let is_sent = !records.is_empty();
            let is_rejected = fates.iter().any(|fate| fate.help.is_some());
            // Who asks for rows wants to see all that fit; others want to see some of each kind.
            if !is_sent && !is_choosy && (!is_rejected || others >= OTHERS) {
                continue;
            }
            others += usize::from(!is_sent);
            shown.rows += 1;
            shown.tell(flow, &seen, &fates, terminal);
            shown.records.extend(records);
        }
        Ok(shown)
    }

    /// Says what the row is and what becomes of it.
    fn tell(&mut self, flow: &Flow, seen: &Seen, fates: &[Fate], terminal: &Terminal) {
        let title = format!("{}: a row of {}", flow.name, flow.from.text);
        let _ = writeln!(self.talk, "{}", terminal.bold_talk(&title));
        if let Some(row) = &seen.row {
            let cells = cells(row);
            let name = cells.iter().map(|(name, _)| name.chars().count());
            let name = name.max().unwrap_or(0).min(40);
            for (column, value) in &cells {
                let column = shortened(column, name);
                let value = shortened(value, terminal.width() - name - 4);
                let _ = writeln!(self.talk, "  {column:<name$}  {value}");
            }
            let nulls = row.num_columns() - cells.len();
            if nulls > 0 {
                let _ = writeln!(
                    self.talk,
                    "  and {} without a value",
                    counted(nulls as u64, "column")
                );
            }
        }
        for fate in fates {
            let mut say = |title: &str, text: &str| {
                let lines = wrapped(text, WIDEST - 3 - title.len());
                let below = format!("\n{:width$}", "", width = title.len() + 3);
                let _ = writeln!(self.talk, "  {title} {}", lines.join(&below));
            };
            say(fate.title, &fate.what);
            if let Some(help) = fate.help.filter(|help| !help.is_empty()) {
                say("help:", help);
            }
        }
        self.talk.push('\n');
    }
}

/// What becomes of a row that is not simply sent.
struct Fate {
    title: &'static str,
    what: String,
    /// What to do about it, for rows that would be rejected; empty if nobody knows.
    help: Option<&'static str>,
}

/// The record that a row becomes, or what becomes of it instead.
fn fate(flow: &Flow, seen: &Seen, destination: &CometChat) -> (Vec<Record>, Vec<Fate>) {
    let (mut records, mut fates) = (Vec::new(), Vec::new());
    let skipped = |reason: &str| Fate {
        title: "skipped:",
        what: reason.to_owned(),
        help: None,
    };
    fates.extend(seen.shaped.skipped.iter().map(|skip| skipped(&skip.reason)));
    fates.extend(seen.shaped.rejected.iter().map(rejected));
    if seen.shaped.rows.num_rows() > 0 {
        let now = Utc::now().timestamp();
        for prepared in destination.prepare(flow.entity, &seen.shaped.rows, now) {
            match prepared {
                Prepared::Ready(record) => {
                    fates.extend(record.adjusted.iter().map(|what| Fate {
                        title: "adjusted:",
                        what: (*what).to_owned(),
                        help: None,
                    }));
                    records.push(record);
                }
                Prepared::Skipped { reason, .. } => fates.push(skipped(reason)),
                Prepared::Rejected(row) => fates.push(rejected(&row)),
            }
        }
    }
    (records, fates)
}

fn rejected(row: &RejectedRow) -> Fate {
    let mut what = format!("{}: {}", row.rule, row.detail);
    if let Some(id) = &row.id {
        what.push_str(&format!(" (id {id})"));
    }
    if let Some(place) = &row.place {
        what.push_str(&format!(" ({place})"));
    }
    Fate {
        title: "would be rejected:",
        what,
        help: Some(advice(OutcomeKind::Rejected, &row.rule).unwrap_or_default()),
    }
}

/// The columns of a row that have a value, each with it as JSON.
fn cells(row: &arrow::array::RecordBatch) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    for (place, field) in row.schema().fields().iter().enumerate() {
        let Ok(column) = row.project(&[place]) else {
            continue;
        };
        // An object of one field is as simple as it gets, and JSON writes every type.
        let json = ShapedRows::new(&column).json(0);
        let Ok(Value::Object(object)) = serde_json::from_str(&json) else {
            continue;
        };
        cells.extend(
            object
                .values()
                .map(|value| (field.name().clone(), value.to_string())),
        );
    }
    cells
}
