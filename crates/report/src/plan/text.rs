//! A plan as text, at most 100 columns wide.

use std::fmt::Write;

use chatferry_core::Entity;
use chatferry_runtime::plan::{Example, Frequent, Most};

use super::{Period, Plan};
use crate::Title;
use crate::account::{reasons, table};
use crate::words::{
    WIDEST, bytes, count, counted, duration, indented, moment, plain, shortened, wrapped,
};

/// Conversations, ids and references that are listed.
const LISTED: usize = 10;
/// Columns of the longest bar.
const BAR: usize = 60;
/// Columns before bars.
const BEFORE_BAR: usize = 24;

/// How the text may be written.
#[derive(Clone, Copy)]
pub struct Style<'a> {
    /// Writes a title.
    pub bold: Title<'a>,
    /// Whether bars may be drawn with Unicode.
    pub unicode: bool,
    /// Columns that bars may reach.
    pub width: usize,
}

impl Plan<'_> {
    /// The plan as text.
    #[must_use]
    pub fn as_text(&self, style: Style<'_>) -> String {
        let Style {
            bold,
            unicode,
            width,
        } = style;
        let forecast = self.forecast;
        let mut text = table(&forecast.account, "to import", bold);
        self.not_read(&mut text);
        text.push_str(&reasons(
            &forecast.account,
            self.advice,
            bold,
            |place, kind, reason| examples(self.examples(place, kind, reason)),
        ));
        for (title, most) in [
            (
                "rows that refer to whom no flow delivers: the first of",
                &forecast.unknown,
            ),
            (
                "rows that refer to what cannot be delivered: the first of",
                &forecast.blocking,
            ),
            (
                "rows whose id came before: the first of",
                &forecast.duplicates,
            ),
        ] {
            listed(title, most, &mut text, bold);
        }
        self.capitals(&mut text, bold);
        let periods = self.periods();
        let by = match periods.first() {
            Some(period) if period.name.len() == 4 => "messages by year",
            _ => "messages by month",
        };
        let longest = width.saturating_sub(BEFORE_BAR).clamp(8, BAR);
        bars(by, &periods, (unicode, longest), &mut text, bold);
        if self.too_old() > 0 && !periods.is_empty() {
            let line = format!(
                "{} skipped, being older than `retention` allows, and not among these",
                count(self.too_old())
            );
            text.push_str(&indented(&line, 2));
        }
        let title = "messages of the largest conversations: the first of";
        listed(title, &forecast.conversations, &mut text, bold);
        self.needs(&mut text, bold);
        for warning in self.warnings() {
            let _ = write!(text, "\n{}", bold("warning"));
            let lines = indented(&warning, 9);
            text.push_str(lines.strip_prefix("       ").unwrap_or(&lines));
        }
        text
    }

    /// What earlier runs have settled and is not looked at again.
    fn not_read(&self, text: &mut String) {
        let forecast = self.forecast;
        let flows = &forecast.account.flows;
        let mut notes = Vec::new();
        for (flow, rows) in flows.iter().zip(&forecast.not_read_again) {
            if *rows > 0 {
                notes.push(format!(
                    "{}: {} before the place where the last run was interrupted are counted as the \
                     ledger has them, and not read again",
                    flow.flow,
                    counted(*rows, "row"),
                ));
            }
        }
        for place in &forecast.only_changes {
            let flow = &flows[*place].flow;
            notes.push(format!(
                "{flow}: only what has changed since the last run was read"
            ));
        }
        if notes.is_empty() {
            return;
        }
        text.push('\n');
        for note in notes {
            text.push_str(&indented(&note, 0));
        }
        text.push_str("--everything reads all rows once more\n");
    }

    fn capitals(&self, text: &mut String, bold: Title<'_>) {
        let collisions = &self.forecast.collisions;
        if collisions.count == 0 {
            return;
        }
        let _ = writeln!(
            text,
            "\n{}",
            bold("ids that differ from another one in capitals alone")
        );
        let _ = writeln!(text, "  {:>9}  such as:", count(collisions.count));
        for (entity, id) in &collisions.examples {
            let line = format!("{} {id}", entity.singular());
            let _ = writeln!(text, "             {}", shortened(&line, WIDEST - 13));
        }
    }

    fn needs(&self, text: &mut String, bold: Title<'_>) {
        let forecast = self.forecast;
        let _ = writeln!(text, "\n{}", bold("what it takes"));
        if forecast.requests() == 0 {
            let _ = writeln!(text, "  nothing is left to be sent");
            return;
        }
        for entity in Entity::ALL {
            let Some(need) = forecast.needs.get(&entity) else {
                continue;
            };
            let requests = counted(need.requests, "request");
            let _ = writeln!(
                text,
                "  {:>9}  {entity} in {requests}, {}",
                count(need.records),
                bytes(need.bytes),
            );
        }
        let requests = counted(forecast.requests(), "request");
        let line = match (
            forecast.delivery.requests_per_minute,
            forecast.time(),
            self.ends(),
        ) {
            (Some(limit), Some(time), Some(ends)) => format!(
                "{requests}: at {limit} a minute {} at least; started now, it ends at {}",
                duration(time),
                moment(ends),
            ),
            _ => format!("{requests}, as fast as they are answered, since no limit is set"),
        };
        text.push_str(&indented(&line, 2));
        if let Some(oldest) = self.oldest {
            let line = format!(
                "messages sent before {} are older than `retention` allows: {} skipped",
                moment(oldest),
                count(self.too_old()),
            );
            text.push_str(&indented(&line, 2));
        }
    }
}

/// Rows that ended so, each in a line.
fn examples(examples: &[Example]) -> String {
    let mut text = String::new();
    for Example { id, place, detail } in examples {
        let place = place.as_ref().map(ToString::to_string);
        let known = [id.clone(), place];
        let mut line = known.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if !detail.is_empty() {
            line.push_str(if line.is_empty() { "" } else { ": " });
            line.push_str(detail);
        }
        let lines = wrapped(&plain(&line), WIDEST - 15);
        for (number, line) in lines.iter().enumerate() {
            let mark = if number == 0 { "- " } else { "  " };
            let _ = writeln!(text, "             {mark}{line}");
        }
    }
    text
}

/// What comes most often, and how often.
fn listed(title: &str, most: &Most, text: &mut String, bold: Title<'_>) {
    if most.top.is_empty() {
        return;
    }
    let of = match most.exact {
        true => count(most.different),
        false => format!("more than {}", count(most.different)),
    };
    let title = match most.different {
        shown if shown <= LISTED as u64 => title.trim_end_matches(": the first of").to_owned(),
        _ => format!("{title} {of}"),
    };
    let _ = writeln!(text, "\n{}", bold(&title));
    let top = &most.top[..most.top.len().min(LISTED)];
    let at_least = |it: &Frequent| if it.unseen > 0 { "at least " } else { "" };
    let number = |it: &Frequent| format!("{}{}", at_least(it), count(it.count));
    let widths = top.iter().map(|it| number(it).len());
    let width = widths.max().unwrap_or(0).max(9);
    for it in top {
        let name = shortened(&it.name, WIDEST - width - 4);
        let _ = writeln!(text, "  {:>width$}  {name}", number(it));
    }
}

/// Messages of each period as bars: what is due, after it what was delivered earlier.
fn bars(
    title: &str,
    periods: &[Period],
    (unicode, longest): (bool, usize),
    text: &mut String,
    bold: Title<'_>,
) {
    let sum = |period: &Period| period.messages.due + period.messages.earlier;
    let Some(most) = periods.iter().map(sum).max().filter(|most| *most > 0) else {
        return;
    };
    let earlier = periods.iter().any(|period| period.messages.earlier > 0);
    let [due, before] = if unicode { ["█", "░"] } else { ["#", "."] };
    let legend = match earlier {
        true => format!("{title} ({due} to import, {before} earlier)"),
        false => title.to_owned(),
    };
    let _ = writeln!(text, "\n{}", bold(&legend));
    let width = |messages: u64| {
        let columns = u128::from(messages) * longest as u128;
        usize::try_from(columns.div_ceil(u128::from(most))).unwrap_or(longest)
    };
    for period in periods {
        let all = width(sum(period));
        let delivered = width(period.messages.earlier).min(all);
        let bar = format!(
            "{}{}",
            due.repeat(all - delivered),
            before.repeat(delivered)
        );
        let line = format!("  {:>7}  {:>11}  {bar}", period.name, count(sum(period)));
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
