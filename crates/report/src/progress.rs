//! How a run comes along: a few lines that fit into any terminal, or one.

use std::time::Duration;

use chatferry_core::{Account, Entity, OutcomeKind};
use chatferry_runtime::WaitsFor;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::words::{count, counted, duration, plain};

/// Columns of the shortest and of the longest bar.
const BAR: [usize; 2] = [8, 20];
/// Columns that what stands beside a bar takes, about.
const BESIDE: usize = 70;
/// Columns below which there is no room for a bar.
const NARROW: usize = 70;

/// How a run stands, at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// What is delivered, and what was before it.
    pub entities: Vec<Rows>,
    /// Requests sent, and how many could have been sent by now at the limit, if there is one.
    pub requests: (u64, Option<u64>),
    /// Requests that wait for their answers.
    pub in_flight: usize,
    /// What the next step waits for.
    pub waits_for: WaitsFor,
    /// How much longer nobody may send, because the destination said so.
    pub held_for: Option<Duration>,
    /// How much longer it takes, at least and at most, where that can be told.
    pub left: Option<(Duration, Duration)>,
    /// The latest problem, when it was, and how many there were.
    pub problem: Option<(String, DateTime<Utc>, u64)>,
    /// The moment.
    pub now: DateTime<Utc>,
    /// Whether anything is sent at all.
    pub sends: bool,
}

/// What became of the rows of one entity so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The entity.
    pub entity: Entity,
    /// How many rows have an outcome.
    pub settled: u64,
    /// How many there are, if that is known.
    pub total: Option<u64>,
    /// How many ended how; what is zero is left out.
    pub outcomes: Vec<(&'static str, u64)>,
}

impl Rows {
    /// The rows of each entity up to that one; `totals` are those of the flows of the account.
    #[must_use]
    pub fn of(account: &Account, totals: &[Option<u64>], until: Entity) -> Vec<Self> {
        let entities = Entity::ALL.into_iter().filter(|entity| *entity <= until);
        let of_entity = |entity: Entity| {
            let flows = account.flows.iter().enumerate();
            let flows: Vec<_> = flows.filter(|(_, flow)| flow.entity == entity).collect();
            if flows.is_empty() {
                return None;
            }
            let sum = |kind| flows.iter().map(|(_, flow)| flow.count(kind)).sum::<u64>();
            let earlier = flows.iter().map(|(_, flow)| flow.settled_before).sum();
            let mut outcomes: Vec<(&'static str, u64)> = OutcomeKind::ALL
                .into_iter()
                .map(|kind| (kind.name(), sum(kind)))
                .collect();
            outcomes.insert(2, ("earlier", earlier));
            outcomes.retain(|(_, rows)| *rows > 0);
            let settled = flows.iter().map(|(_, flow)| flow.accounted()).sum();
            let total = flows
                .iter()
                .map(|(place, _)| totals.get(*place).copied().flatten());
            let total = total.sum::<Option<u64>>().map(|total| total.max(settled));
            Some(Self {
                entity,
                settled,
                total: total.filter(|total| *total > 0),
                outcomes,
            })
        };
        entities.filter_map(of_entity).collect()
    }

    fn numbers(&self) -> String {
        match self.total {
            Some(total) => format!("{} of {}", count(self.settled), count(total)),
            None => count(self.settled),
        }
    }

    fn outcomes(&self) -> String {
        let outcomes = self.outcomes.iter();
        let words = outcomes.map(|(name, rows)| format!("{name} {}", count(*rows)));
        words.collect::<Vec<_>>().join("  ")
    }
}

impl View {
    /// Lines of at most so many columns: one for each entity, one on the requests, and one on the
    /// latest problem if there was any.
    #[must_use]
    pub fn lines(&self, columns: usize, unicode: bool) -> Vec<String> {
        let widths = self.entities.iter().map(|rows| rows.numbers().len());
        let width = widths.max().unwrap_or(0);
        let mut lines: Vec<String> = Vec::new();
        for rows in &self.entities {
            let mut line = format!("{:<8}  ", rows.entity.name());
            if let Some(total) = rows.total.filter(|_| columns >= NARROW) {
                let width = columns.saturating_sub(BESIDE).clamp(BAR[0], BAR[1]);
                line.push_str(&bar(rows.settled, total, width, unicode));
                line.push_str("  ");
            }
            line.push_str(&format!("{:>width$}  {}", rows.numbers(), rows.outcomes()));
            lines.push(cut(line.trim_end(), columns));
        }
        let between = if unicode { " · " } else { ", " };
        let mut line = String::new();
        for part in self.doing() {
            let wider = line.chars().count() + between.chars().count() + part.chars().count();
            if !line.is_empty() && wider > columns {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push_str(between);
            }
            line.push_str(&part);
        }
        lines.push(line);
        if let Some(problem) = self.problem() {
            lines.push(cut(&plain(&problem), columns));
        }
        lines
    }

    /// All of it in one line, for where lines cannot be drawn again.
    #[must_use]
    pub fn line(&self) -> String {
        let Some(rows) = self.entities.last() else {
            return self.doing().join(", ");
        };
        let mut parts = vec![format!("{} {}", rows.entity, rows.numbers())];
        let outcomes = rows.outcomes.iter();
        parts.extend(outcomes.map(|(name, rows)| format!("{name} {}", count(*rows))));
        parts.extend(self.doing());
        parts.join(", ")
    }

    /// The same for programs.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let entities = self.entities.iter().map(|rows| {
            let outcomes = rows
                .outcomes
                .iter()
                .map(|(name, rows)| ((*name).to_owned(), json!(rows)));
            json!({
                "entity": rows.entity.name(), "settled": rows.settled, "total": rows.total,
                "outcomes": outcomes.collect::<serde_json::Map<_, _>>(),
            })
        });
        let left = self
            .left
            .map(|(least, most)| [least.as_secs(), most.as_secs()]);
        json!({
            "event": "progress",
            "entities": entities.collect::<Vec<_>>(),
            "requests": self.requests.0,
            "requestsAllowed": self.requests.1,
            "inFlight": self.in_flight,
            "waitsFor": match (self.held_for, self.waits_for) {
                (Some(_), _) => "hold",
                (None, WaitsFor::Pace) => "pace",
                (None, WaitsFor::Source) => "source",
                (None, WaitsFor::Answers) => "answers",
            },
            "heldSeconds": self.held_for.map(|held| held.as_secs()),
            "secondsLeft": left,
        })
    }

    /// The requests, what is waited for, and how long it takes.
    fn doing(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.sends {
            parts.push(match self.requests {
                (sent, Some(allowed)) => format!(
                    "{} of {} requests allowed so far",
                    count(sent),
                    count(allowed.max(sent))
                ),
                (sent, None) => counted(sent, "request"),
            });
        }
        parts.push(match (self.held_for, self.waits_for) {
            (Some(held), _) => {
                let until = TimeDelta::from_std(held).map(|held| self.now + held);
                let until = until.unwrap_or(self.now).format("%H:%M:%S UTC");
                format!("held by CometChat until {until}")
            }
            (None, WaitsFor::Pace) => "waiting for the rate limit".into(),
            (None, WaitsFor::Source) if !self.sends => "reading".into(),
            (None, WaitsFor::Source) => "waiting for the source".into(),
            (None, WaitsFor::Answers) if self.in_flight == 0 => {
                "waiting before it is sent again".into()
            }
            (None, WaitsFor::Answers) => {
                format!("waiting for {}", counted(self.in_flight as u64, "answer"))
            }
        });
        if let Some((least, most)) = self.left {
            let (least, most) = (duration(least), duration(most));
            parts.push(match least == most {
                true => format!("{least} left"),
                false => format!("{least} to {most} left"),
            });
        }
        parts
    }

    fn problem(&self) -> Option<String> {
        let (what, when, times) = self.problem.as_ref()?;
        let times = match times {
            1 => String::new(),
            times => format!(", the latest of {}", count(*times)),
        };
        // What it was comes first, where the end does not fit.
        Some(format!(
            "problem: {what}, at {}{times}",
            when.format("%H:%M:%S UTC")
        ))
    }
}

fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let kept = line.chars().take(columns.saturating_sub(1));
    kept.chain(['…']).collect()
}

fn bar(done: u64, of: u64, width: usize, unicode: bool) -> String {
    let full = u128::from(done) * width as u128 / u128::from(of.max(1));
    let full = usize::try_from(full).unwrap_or(width).min(width);
    let [done, rest] = if unicode { ["█", "░"] } else { ["#", "-"] };
    format!("{}{}", done.repeat(full), rest.repeat(width - full))
}

/// How much longer so many rows take, at least and at most: at the pace of so many requests of so
/// many records, and as fast as rows were settled so far.
#[must_use]
pub fn time_left(
    rows: u64,
    at_pace: Option<Duration>,
    settled: u64,
    within: Duration,
) -> Option<(Duration, Duration)> {
    if rows == 0 || settled == 0 || within < Duration::from_secs(3) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = within.as_secs_f64() * rows as f64 / settled as f64;
    let as_before = Duration::try_from_secs_f64(seconds).ok()?;
    let other = at_pace.unwrap_or(as_before);
    Some((as_before.min(other), as_before.max(other)))
}

#[cfg(test)]
mod tests {
    use chatferry_core::FlowAccount;

    use super::*;

    fn view() -> View {
        let mut users = FlowAccount::new("users", Entity::Users);
        users.read = 1_675;
        users.add(OutcomeKind::Imported, "", 1_600);
        users.add(OutcomeKind::Rejected, "id-length", 75);
        let mut messages = FlowAccount::new("messages", Entity::Messages);
        messages.read = 5_000;
        messages.settled_before = 300;
        messages.add(OutcomeKind::Imported, "", 4_000);
        messages.add(OutcomeKind::Skipped, "system event", 200);
        let account = Account {
            flows: vec![users, messages],
        };
        View {
            entities: Rows::of(&account, &[None, Some(12_500)], Entity::Messages),
            requests: (114, Some(116)),
            in_flight: 3,
            waits_for: WaitsFor::Pace,
            held_for: None,
            left: Some((Duration::from_secs(7_800), Duration::from_secs(9_000))),
            problem: Some((
                "HTTP 500 ERR_EXCEPTION: something that takes more words than there is room for"
                    .into(),
                DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
                12,
            )),
            now: DateTime::from_timestamp(1_700_000_060, 0).unwrap(),
            sends: true,
        }
    }

    fn shown(view: &View, columns: usize, unicode: bool) -> String {
        let lines = view.lines(columns, unicode);
        for line in &lines {
            assert!(line.chars().count() <= columns, "{line}");
        }
        lines.join("\n")
    }

    #[test]
    fn it_fits_into_any_terminal() {
        let mut view = view();
        insta::assert_snapshot!("wide", shown(&view, 100, true));
        insta::assert_snapshot!("usual", shown(&view, 80, false));
        insta::assert_snapshot!("narrow", shown(&view, 50, true));
        view.held_for = Some(Duration::from_secs(58));
        view.problem = None;
        insta::assert_snapshot!("held", shown(&view, 80, true));
        insta::assert_snapshot!("one_line", view.line());
        insta::assert_snapshot!(
            "for_programs",
            serde_json::to_string_pretty(&view.as_json()).unwrap()
        );
        for columns in 40..100 {
            shown(&view, columns, true);
        }
    }

    #[test]
    fn what_is_left_is_a_range_between_the_pace_and_what_was_seen() {
        let second = Duration::from_secs(1);
        assert_eq!(time_left(100, None, 0, second * 60), None);
        assert_eq!(
            time_left(100, None, 50, second * 60),
            Some((second * 120, second * 120))
        );
        let paced = time_left(100, Some(second * 90), 50, second * 60);
        assert_eq!(paced, Some((second * 90, second * 120)));
    }
}
