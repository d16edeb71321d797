//! How a run comes along, on a terminal as a line that is redrawn, elsewhere as plain lines now
//! and then.

use std::time::{Duration, Instant};

use chatferry_core::{Entity, FlowAccount, OutcomeKind};
use chatferry_report::pace::Pace;
use chatferry_runtime::{Observer, Progress, Watcher};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::account::{count, duration};
use crate::terminal::Terminal;

/// How often a plain line is written.
const PERIOD: Duration = Duration::from_secs(10);
/// How often a live line is redrawn.
const FRAME: Duration = Duration::from_millis(100);

/// Shows how a run comes along.
#[derive(Debug)]
pub struct Watch {
    live: Option<(MultiProgress, Vec<ProgressBar>)>,
    terminal: Terminal,
    /// How many rows each flow will read, in the order of the account, where that is known.
    totals: Vec<Option<u64>>,
    entity: Option<(Entity, Instant)>,
    drawn: Instant,
    latest_trouble: Option<String>,
    started: Instant,
    pace: Pace,
}

impl Watch {
    /// Shows the run of these flows, whose rows number so many where that is known.
    #[must_use]
    pub fn new(terminal: &Terminal, totals: Vec<Option<u64>>) -> Self {
        let live = terminal.is_live().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            (MultiProgress::with_draw_target(target), Vec::new())
        });
        Self {
            live,
            terminal: *terminal,
            totals,
            entity: None,
            drawn: Instant::now(),
            latest_trouble: None,
            started: Instant::now(),
            pace: Pace::default(),
        }
    }

    /// How fast requests were sent.
    #[must_use]
    pub fn pace(self) -> Pace {
        self.pace
    }

    /// A way to say something while lines are redrawn.
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice {
            live: self.live.as_ref().map(|(all, _)| all.clone()),
            terminal: self.terminal,
        }
    }

    /// Takes the live lines away, so that the account can follow.
    pub fn finish(&mut self) {
        if let Some((all, bars)) = &self.live {
            for bar in bars {
                bar.finish_and_clear();
            }
            // A terminal that cannot be written to is about to be noticed by whoever writes next.
            let _ = all.clear();
        }
    }

    fn draw(&mut self, progress: &Progress<'_>) {
        let since = self.entity.map_or(self.started, |(_, since)| since);
        let lines: Vec<(String, Option<u64>, u64)> = progress
            .account
            .flows
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.entity <= progress.entity)
            .map(|(place, flow)| {
                let total = self.totals.get(place).copied().flatten();
                let current = flow.entity == progress.entity;
                (
                    line(flow, total, current.then(|| since.elapsed()), progress),
                    total,
                    flow.accounted(),
                )
            })
            .collect();
        let Some((all, bars)) = &mut self.live else {
            if let Some((text, ..)) = lines.last() {
                self.terminal.say(text);
            }
            return;
        };
        while bars.len() < lines.len() {
            let bar = all.add(ProgressBar::no_length());
            bar.set_style(
                ProgressStyle::with_template("{wide_msg}").expect("the template is sound"),
            );
            bars.push(bar);
        }
        for (bar, (text, ..)) in bars.iter().zip(&lines) {
            bar.set_message(text.clone());
        }
        if let (Some(bar), Some(trouble)) = (bars.last(), &self.latest_trouble) {
            bar.set_message(format!(
                "{}  (latest trouble: {trouble})",
                lines.last().map_or("", |(text, ..)| text)
            ));
        }
    }
}

/// Says something above the lines that are redrawn.
#[derive(Debug)]
pub struct Voice {
    live: Option<MultiProgress>,
    terminal: Terminal,
}

impl Voice {
    /// Says it, unless it should be quiet.
    pub fn say(&self, text: &str) {
        match &self.live {
            Some(live) => drop(live.println(text)),
            None => self.terminal.say(text),
        }
    }
}

/// A flow's progress in a line.
fn line(
    flow: &FlowAccount,
    total: Option<u64>,
    since: Option<Duration>,
    progress: &Progress<'_>,
) -> String {
    let settled = flow.accounted();
    let mut text = match total {
        Some(total) if total > 0 => format!(
            "{:<10} {} of {}",
            flow.flow,
            count(settled),
            count(total.max(settled))
        ),
        _ => format!("{:<10} {}", flow.flow, count(settled)),
    };
    for (name, rows) in [
        ("imported", flow.count(OutcomeKind::Imported)),
        ("present", flow.count(OutcomeKind::Present)),
        ("earlier", flow.settled_before),
        ("skipped", flow.count(OutcomeKind::Skipped)),
        ("rejected", flow.count(OutcomeKind::Rejected)),
        ("refused", flow.count(OutcomeKind::Refused)),
        ("blocked", flow.count(OutcomeKind::Blocked)),
    ] {
        if rows > 0 {
            text.push_str(&format!("  {name} {}", count(rows)));
        }
    }
    let Some(since) = since else { return text };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown in whole numbers"
    )]
    let rate = settled as f64 / since.as_secs_f64().max(0.001);
    if let Some(held) = progress.held_for {
        text.push_str(&format!("  held by the destination for {}", duration(held)));
    } else if settled > 0 && since > Duration::from_secs(1) {
        text.push_str(&format!("  {rate:.0}/s"));
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        if let Some(left) = total
            .and_then(|total| total.checked_sub(settled))
            .filter(|left| *left > 0)
        {
            text.push_str(&format!(
                "  {} left",
                duration(Duration::from_secs_f64(left as f64 / rate))
            ));
        }
    }
    text
}

impl Observer for Watch {
    fn progress(&mut self, progress: &Progress<'_>) {
        let sent = progress.requests.sent;
        self.pace.note(self.started.elapsed(), sent);
        let changed = self
            .entity
            .is_none_or(|(entity, _)| entity != progress.entity);
        if changed {
            self.entity = Some((progress.entity, Instant::now()));
        }
        let pause = if self.live.is_some() { FRAME } else { PERIOD };
        if self.terminal.quiet() || (!changed && self.drawn.elapsed() < pause) {
            return;
        }
        if changed && self.live.is_none() {
            return;
        }
        self.drawn = Instant::now();
        self.draw(progress);
    }

    fn trouble(&mut self, what: &str) {
        if self.latest_trouble.as_deref() != Some(what) {
            self.latest_trouble = Some(what.to_owned());
            if self.live.is_none() {
                self.terminal
                    .say(&format!("trouble: {what}; dealing with it"));
            }
        }
    }
}

/// Shows how something comes along that counts its steps.
#[derive(Debug)]
pub struct Steps {
    live: Option<(MultiProgress, ProgressBar)>,
    terminal: Terminal,
    drawn: Instant,
    latest_trouble: Option<String>,
}

impl Steps {
    /// Shows it there.
    #[must_use]
    pub fn new(terminal: &Terminal) -> Self {
        let live = terminal.is_live().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let all = MultiProgress::with_draw_target(target);
            let bar = all.add(ProgressBar::no_length());
            bar.set_style(
                ProgressStyle::with_template("{wide_msg}").expect("the template is sound"),
            );
            (all, bar)
        });
        Self {
            live,
            terminal: *terminal,
            drawn: Instant::now(),
            latest_trouble: None,
        }
    }

    /// A way to say something while the line is redrawn.
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice {
            live: self.live.as_ref().map(|(all, _)| all.clone()),
            terminal: self.terminal,
        }
    }

    /// Shows a line, unless another one was shown just now.
    pub fn show(&mut self, text: &dyn Fn() -> String) {
        let pause = if self.live.is_some() { FRAME } else { PERIOD };
        if self.drawn.elapsed() < pause {
            return;
        }
        self.drawn = Instant::now();
        match &self.live {
            Some((_, bar)) => bar.set_message(text()),
            None => self.terminal.say(&text()),
        }
    }

    /// Takes the live line away, so that the result can follow.
    pub fn finish(&mut self) {
        if let Some((all, bar)) = &self.live {
            bar.finish_and_clear();
            // A terminal that cannot be written to is about to be noticed by whoever writes next.
            let _ = all.clear();
        }
    }
}

impl Watcher for Steps {
    fn doing(&mut self, what: &'static str, entity: Entity, done: u64, of: Option<u64>) {
        self.show(&|| match of {
            Some(of) => format!(
                "{what} {entity}: {} of {}",
                count(done),
                count(of.max(done))
            ),
            None => format!("{what} {entity}: {}", count(done)),
        });
    }

    fn trouble(&mut self, what: &str) {
        if self.latest_trouble.as_deref() != Some(what) {
            self.latest_trouble = Some(what.to_owned());
            self.voice()
                .say(&format!("trouble: {what}; dealing with it"));
        }
    }
}
