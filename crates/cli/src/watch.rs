//! A run on a terminal: lines that are drawn again, or, elsewhere, a line now and then.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use chatferry_core::{Delivery, Entity};
use chatferry_ledger::Entry;
use chatferry_live::Board;
use chatferry_report::pace::Pace;
use chatferry_report::progress::{Rows, View, time_left};
use chatferry_runtime::plan::time_for;
use chatferry_runtime::{Finished, Observer, Progress, pacer};
use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::progress::Voice;
use crate::screen;
use crate::terminal::Terminal;

/// How often lines are drawn again.
const FRAME: Duration = Duration::from_millis(100);
/// How often a plain line is written at first, and after the first minutes: a run may take days.
const PERIODS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];
/// How often the status page's numbers are new.
const TOLD: Duration = Duration::from_millis(250);
/// The first minutes.
const AT_FIRST: Duration = Duration::from_secs(300);

/// Shows how a run comes along.
#[derive(Debug)]
pub struct Watch {
    live: Option<(MultiProgress, Vec<ProgressBar>)>,
    terminal: Terminal,
    /// How many rows each flow will read, in the order of the account, where that is known.
    totals: Vec<Option<u64>>,
    /// How it is delivered; `None` when nothing is sent.
    delivery: Option<Delivery>,
    entity: Option<Entity>,
    drawn: Instant,
    started: Instant,
    /// How many rows were settled when it was first looked at.
    settled_at_first: Option<u64>,
    problem: Option<(String, DateTime<Utc>, u64)>,
    pace: Pace,
    /// The status page, and when it was last told.
    board: Option<(Board, Option<Instant>)>,
}

impl Watch {
    /// Shows the run of these flows, whose rows number so many where that is known.
    #[must_use]
    pub fn new(terminal: &Terminal, totals: Vec<Option<u64>>, delivery: Option<Delivery>) -> Self {
        let live = terminal.is_live().then(|| {
            let all = MultiProgress::with_draw_target(screen::target());
            // What is said above the lines needs one below it, from the start.
            let first = line(&all);
            first.set_message("starting");
            (all, vec![first])
        });
        Self {
            live,
            terminal: *terminal,
            totals,
            delivery,
            entity: None,
            drawn: Instant::now(),
            started: Instant::now(),
            settled_at_first: None,
            problem: None,
            pace: Pace::default(),
            board: None,
        }
    }

    /// Tells a status page too.
    pub fn tell(&mut self, board: Board) {
        self.board = Some((board, None));
    }

    /// Tells the status page what the run has come to.
    pub fn finished(&self, finished: &Finished) {
        if let Some((board, _)) = &self.board {
            let rows = Rows::of(&finished.account, &self.totals, Entity::Messages);
            board.finished(finished, rows);
        }
    }

    /// A way to say something while lines are drawn again.
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice::new(
            self.live.as_ref().map(|(all, _)| all.clone()),
            self.terminal,
        )
    }

    /// Takes the lines away, so that the account can follow.
    pub fn finish(&mut self) {
        if let Some((all, bars)) = &self.live {
            for bar in bars {
                bar.finish_and_clear();
            }
            // A terminal that cannot be written to is about to be noticed by whoever writes next.
            let _ = all.clear();
        }
    }

    /// How fast requests were sent.
    #[must_use]
    pub fn pace(self) -> Pace {
        self.pace
    }

    fn limit(&self) -> Option<NonZeroU32> {
        self.delivery?.requests_per_minute
    }

    fn view(&self, progress: &Progress<'_>) -> View {
        let flows = &progress.account.flows;
        let settled: u64 = flows.iter().map(|flow| flow.accounted()).sum();
        let rest = flows.iter().zip(&self.totals);
        let rest = rest.map(|(flow, total)| Some((*total)?.saturating_sub(flow.accounted())));
        let rest: Option<u64> = rest.sum();
        let allowed = self.limit().and_then(|limit| {
            let (first, _) = progress.requests.span?;
            let intervals = first.elapsed().as_nanos() / pacer::interval(limit).as_nanos().max(1);
            u64::try_from(intervals).ok()?.checked_add(1)
        });
        let left = rest.and_then(|rest| {
            let at_pace = self.limit().zip(self.delivery).map(|(limit, delivery)| {
                let each = delivery.records_per_request.get() as u64;
                time_for(rest.div_ceil(each), limit)
            });
            let new = settled.saturating_sub(self.settled_at_first.unwrap_or(settled));
            time_left(rest, at_pace, new, self.started.elapsed())
        });
        View {
            entities: Rows::of(progress.account, &self.totals, progress.entity),
            requests: (progress.requests.sent, allowed),
            in_flight: progress.in_flight,
            waits_for: progress.waits_for,
            held_for: progress.held_for,
            left,
            problem: self.problem.clone(),
            now: Utc::now(),
            sends: self.delivery.is_some(),
        }
    }

    fn draw(&mut self, view: &View) {
        let (width, unicode) = (self.terminal.width(), self.terminal.unicode());
        let Some((all, bars)) = &mut self.live else {
            self.terminal.log(view.as_json(), &view.line());
            return;
        };
        // The last column is left free: some terminals begin a new line when it is used.
        let lines = view.lines(width.saturating_sub(1), unicode);
        while bars.len() < lines.len() {
            bars.push(line(all));
        }
        while bars.len() > lines.len() {
            if let Some(bar) = bars.pop() {
                bar.finish_and_clear();
                all.remove(&bar);
            }
        }
        for (bar, line) in bars.iter().zip(lines) {
            bar.set_message(line);
        }
    }

    fn period(&self) -> Duration {
        match self.live {
            Some(_) => FRAME,
            None => PERIODS[usize::from(self.started.elapsed() > AT_FIRST)],
        }
    }
}

/// Another line below the others.
fn line(all: &MultiProgress) -> ProgressBar {
    let line = all.add(ProgressBar::no_length());
    line.set_style(ProgressStyle::with_template("{msg}").expect("the template is sound"));
    line
}

impl Observer for Watch {
    fn progress(&mut self, progress: &Progress<'_>) {
        let sent = progress.requests.sent;
        self.pace.note(self.started.elapsed(), sent);
        let settled = || {
            progress
                .account
                .flows
                .iter()
                .map(|flow| flow.accounted())
                .sum()
        };
        self.settled_at_first.get_or_insert_with(settled);
        let changed = self.entity != Some(progress.entity);
        self.entity = Some(progress.entity);
        let is_due = self.drawn.elapsed() >= self.period() || (changed && self.live.is_some());
        let is_drawn = is_due && !self.terminal.quiet();
        let is_told = self
            .board
            .as_ref()
            .is_some_and(|(_, told)| changed || told.is_none_or(|told| told.elapsed() >= TOLD));
        if !is_drawn && !is_told {
            return;
        }
        let view = self.view(progress);
        if is_drawn {
            self.drawn = Instant::now();
            self.draw(&view);
        }
        let limit = self.limit().map(NonZeroU32::get);
        if let Some((board, told)) = self.board.as_mut().filter(|_| is_told) {
            *told = Some(Instant::now());
            board.stands(view, limit, progress);
        }
    }

    fn written(&mut self, entry: &Entry) {
        if let Some((board, _)) = &self.board {
            board.written(entry);
        }
    }

    fn trouble(&mut self, what: &str) {
        let times = self.problem.as_ref().map_or(0, |(_, _, times)| *times);
        let is_new = self
            .problem
            .as_ref()
            .is_none_or(|(known, ..)| known != what);
        self.problem = Some((what.to_owned(), Utc::now(), times + 1));
        if is_new && self.live.is_none() {
            self.terminal
                .say(&format!("trouble: {what}; dealing with it"));
        }
    }
}
