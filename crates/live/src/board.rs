//! What is known of a run while it is under way, in a bounded number of numbers.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatferry_core::{Account, Entity, OutcomeKind};
use chatferry_ledger::{Entry, RequestRow};
use chatferry_report::Advice;
use chatferry_report::pace::Steps;
use chatferry_report::progress::{Rows, View};
use chatferry_runtime::{Finished, Progress, Requests};
use chrono::{DateTime, TimeDelta, Utc};

use crate::histogram::Histogram;

/// Requests that are kept, the latest of all.
const LATEST: usize = 120;
/// Rows that are kept of each reason.
const EXAMPLES: usize = 3;
/// Reasons of which rows are kept. The destination's codes are among them, so that there may be
/// any number.
const REASONS: usize = 200;
/// Seconds that answers take.
const SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Records in a request.
const RECORDS: &[f64] = &[1.0, 5.0, 10.0, 25.0, 40.0, 49.0, 50.0];

/// What a run is.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// What it is called: `Run`, `Rehearsal`.
    pub title: &'a str,
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// What can be done about a reason.
    pub advice: Advice,
}

/// How a run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// In a word or two: `complete`, `stopped`.
    pub how: String,
    /// What the program's exit code is, or would be.
    pub exit: u8,
    /// What was wrong, if anything was.
    pub message: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// When the next run begins, if one does.
    pub next: Option<DateTime<Utc>>,
}

/// What is known of a run. Copies are the same board.
#[derive(Clone)]
pub struct Board(Arc<Mutex<State>>);

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Board")
    }
}

/// What was counted in a step of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Requests that had verdicts, that came too early, and that failed.
    pub(crate) requests: [u64; 3],
    /// Records that were delivered.
    pub(crate) records: u64,
}

impl AddAssign for Step {
    fn add_assign(&mut self, more: Self) {
        for (sum, more) in self.requests.iter_mut().zip(more.requests) {
            *sum += more;
        }
        self.records += more.records;
    }
}

/// What an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Result {
    Answered,
    Throttled,
    Failed,
}

impl Result {
    pub(crate) fn of(row: &RequestRow) -> Self {
        match row.result.as_str() {
            "answered" => Self::Answered,
            "throttled" => Self::Throttled,
            _ => Self::Failed,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
        }
    }
}

/// A row that was not delivered, without what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) id: Option<String>,
    pub(crate) place: Option<String>,
}

/// Under which flow, outcome and reason rows are counted.
type Reason = (String, OutcomeKind, String);

/// What is known of a run.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) title: String,
    pub(crate) pipeline: String,
    pub(crate) advice: Advice,
    pub(crate) started: DateTime<Utc>,
    pub(crate) account: Account,
    pub(crate) requests: Requests,
    /// Records that wait to be sent.
    pub(crate) waiting: usize,
    pub(crate) view: Option<View>,
    /// Requests that are allowed in any minute, if there is a limit.
    pub(crate) limit: Option<u32>,
    pub(crate) results: BTreeMap<(Entity, Result, Option<u16>), u64>,
    pub(crate) took: Histogram,
    pub(crate) filled: Histogram,
    pub(crate) latest: VecDeque<RequestRow>,
    pub(crate) last_answer: Option<DateTime<Utc>>,
    pub(crate) steps: Steps<Step>,
    pub(crate) examples: BTreeMap<Reason, Vec<Example>>,
    pub(crate) ended: Option<(DateTime<Utc>, Ending)>,
}

impl State {
    fn new(about: About<'_>) -> Self {
        Self {
            title: about.title.to_owned(),
            pipeline: about.pipeline.to_owned(),
            advice: about.advice,
            started: Utc::now(),
            account: Account::default(),
            requests: Requests::default(),
            waiting: 0,
            view: None,
            limit: None,
            results: BTreeMap::new(),
            took: Histogram::new(SECONDS),
            filled: Histogram::new(RECORDS),
            latest: VecDeque::new(),
            last_answer: None,
            steps: Steps::default(),
            examples: BTreeMap::new(),
            ended: None,
        }
    }

    fn after(&self, time: DateTime<Utc>) -> Duration {
        let after = time.signed_duration_since(self.started);
        after.to_std().unwrap_or_default()
    }

    fn count(&mut self, row: &RequestRow, delivered: usize) {
        let result = Result::of(row);
        let key = (row.entity, result, row.status);
        *self.results.entry(key).or_default() += 1;
        let took = TimeDelta::milliseconds(row.took_ms.max(0));
        self.took
            .add(took.to_std().unwrap_or_default().as_secs_f64());
        self.filled
            .add(u32::try_from(row.records).unwrap_or(u32::MAX).into());
        if let Some(sent) = DateTime::from_timestamp_millis(row.sent_ms) {
            let mut step = Step {
                records: delivered as u64,
                ..Step::default()
            };
            step.requests[result as usize] = 1;
            let after = self.after(sent);
            *self.steps.at(after) += step;
            self.last_answer = self.last_answer.max(sent.checked_add_signed(took));
        }
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(row.clone());
    }
}

impl Board {
    pub(crate) fn new(about: About<'_>) -> Self {
        Self(Arc::new(Mutex::new(State::new(about))))
    }

    /// Begins anew, with a run that starts now.
    pub fn begin(&self, about: About<'_>) {
        self.with(|state| *state = State::new(about));
    }

    /// Notes how the run stands. The account is copied, so not after every answer.
    pub fn stands(&self, view: View, limit: Option<u32>, progress: &Progress<'_>) {
        self.with(|state| {
            let after = state.after(view.now);
            // Steps in which nothing happened are steps.
            state.steps.at(after);
            state.account.clone_from(progress.account);
            state.requests = progress.requests.clone();
            state.waiting = progress.waiting;
            state.limit = limit;
            state.view = Some(view);
        });
    }

    /// Notes requests that have their answers, and rows that are not delivered.
    pub fn written(&self, entry: &Entry) {
        self.with(|state| {
            for (row, delivered) in &entry.requests {
                state.count(row, delivered.len());
            }
            // What has come back was sent, although the run tells how it stands only now and then.
            let back = state.results.values().sum();
            state.requests.sent = state.requests.sent.max(back);
            for row in &entry.undelivered {
                let (kind, reason) = (row.outcome.kind(), row.outcome.reason());
                let key = (row.flow.clone(), kind, reason.to_owned());
                let room = state.examples.len() < REASONS;
                let examples = match state.examples.get_mut(&key) {
                    Some(examples) => examples,
                    None if room => state.examples.entry(key).or_default(),
                    None => continue,
                };
                if examples.len() < EXAMPLES {
                    examples.push(Example {
                        id: row.id.clone(),
                        place: row.place.as_ref().map(ToString::to_string),
                    });
                }
            }
        });
    }

    /// Notes what the run has come to; `entities` are the rows of it.
    pub fn finished(&self, finished: &Finished, entities: Vec<Rows>) {
        self.with(|state| {
            state.account.clone_from(&finished.account);
            state.requests = finished.requests.clone();
            state.waiting = 0;
            if let Some(view) = &mut state.view {
                view.entities = entities;
                view.requests.0 = finished.requests.sent;
                view.in_flight = 0;
                view.held_for = None;
                view.left = None;
            }
        });
    }

    /// Notes how the run has ended.
    pub fn ended(&self, ending: Ending) {
        self.with(|state| state.ended = Some((Utc::now(), ending)));
    }

    /// Whether it is known how the run has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.with(|state| state.ended.is_some())
    }

    /// What is known now.
    pub(crate) fn copy(&self) -> State {
        self.with(|state| state.clone())
    }

    fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        // Whatever was being noted when a thread panicked: numbers to look at, nothing to rely on.
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
