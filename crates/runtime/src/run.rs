//! One run of a pipeline: everything between the shaped rows and the account.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Account, Destination, Entity, SourceError};
use chatferry_ledger::{Entry, LastRun, Ledger, LedgerError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::delivery::{Deliveries, Requests};
use crate::intake::FlowInput;
use crate::limits::Limits;
use crate::opening;
use crate::pacer::Pacer;
use crate::reception::Reception;
use crate::scribe::Scribe;
use crate::window::Window;
use crate::working::{End, Working};

/// Answers that may wait to be written down.
///
/// A run that is killed loses what these say, and the next one asks again: at the API's pace none
/// waits. Beyond it nothing is sent, so that a disk that is slow for a moment costs no slot.
const UNWRITTEN_ANSWERS: usize = 32;

/// A run that has not started yet.
pub struct Run {
    /// Where to.
    pub destination: Arc<dyn Destination>,
    /// What.
    pub flows: Vec<FlowInput>,
    /// The account of earlier runs, which this one goes on with.
    pub ledger: Ledger,
    /// Stands for the pipeline as it is: an interrupted run is gone on with from where it was only
    /// when this is what it was.
    pub pipeline: u64,
    /// What is done again although nothing has changed.
    pub again: Again,
    /// The folder for what does not fit into memory; `None` is the system's for temporary files.
    pub spill: Option<PathBuf>,
    /// The time, in UNIX milliseconds.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run({:?} to {:?})", self.flows, self.destination)
    }
}

/// What a run does again although nothing has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// Nothing: what is settled is left out, and only what may have changed is read where a flow
    /// can tell.
    #[default]
    Nothing,
    /// Refused records are sent again; all rows are read.
    Refused,
    /// All rows are read.
    Everything,
    /// Nothing; all rows are read, and they are only those that have come: what is known of others
    /// stays as it is.
    Arrivals,
}

/// Asks a run to stop: no more is read or sent, answers under way are awaited and written down.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

/// A way to stop a run, and what the run listens to.
#[must_use]
pub fn stop() -> (Stop, watch::Receiver<bool>) {
    let (stop, stopped) = watch::channel(false);
    (Stop(Arc::new(stop)), stopped)
}

impl Stop {
    /// Asks.
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

/// Sees how a run comes along.
pub trait Observer: Send {
    /// Called after every answer and every chunk of rows, and twice a second while nothing comes;
    /// cheap to call and cheap to ignore.
    fn progress(&mut self, progress: &Progress<'_>);

    /// Something went wrong and is being dealt with.
    fn trouble(&mut self, what: &str);

    /// Requests that have their answers, and rows that are not delivered, as they go into the
    /// ledger; every one of them once.
    fn written(&mut self, _entry: &Entry) {}
}

/// How a run stands.
#[derive(Debug)]
pub struct Progress<'a> {
    /// What is being delivered.
    pub entity: Entity,
    /// The account so far.
    pub account: &'a Account,
    /// The requests so far.
    pub requests: &'a Requests,
    /// How many requests wait for their answers.
    pub in_flight: usize,
    /// How many records wait to be sent.
    pub waiting: usize,
    /// How much longer nobody may send, because the destination said so.
    pub held_for: Option<Duration>,
    /// What the next step waits for.
    pub waits_for: WaitsFor,
}

/// What the next step of a run waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitsFor {
    /// Rows, from the source.
    #[default]
    Source,
    /// Leave to send, from the pacer.
    Pace,
    /// Answers, from the destination.
    Answers,
}

/// What a run has come to.
#[derive(Debug)]
pub struct Finished {
    /// What became of every row that was read.
    pub account: Account,
    /// What was sent.
    pub requests: Requests,
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
    /// The ledger, with all of it written down.
    pub ledger: Ledger,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Every row was read and has its outcome.
    Complete,
    /// It was asked to stop.
    Stopped,
    /// The destination takes nothing until a person acts.
    Refused {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// The destination does not answer.
    Silent {
        /// What was seen last.
        what: String,
    },
    /// Too many of the records that were answered last were refused.
    TooManyRefused {
        /// How many.
        refused: usize,
        /// Of how many.
        of: usize,
    },
    /// As many messages as may be are delivered, and there are more.
    AllowanceUsedUp,
    /// A source could not be read on.
    Source(SourceError),
    /// The ledger could not be written on. Records that were answered since are resolved by
    /// "already exists" on the next run.
    Ledger(LedgerError),
}

impl Ended {
    /// A short name, for the ledger and for scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Stopped => "stopped",
            Self::Refused { .. } => "refused",
            Self::Silent { .. } => "silent",
            Self::TooManyRefused { .. } => "too many refused",
            Self::AllowanceUsedUp => "allowance used up",
            Self::Source(_) => "source failed",
            Self::Ledger(_) => "ledger failed",
        }
    }
}

impl Run {
    /// Runs to the end, or until it is stopped.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read or written before anything is sent. Everything later ends
    /// the run with an [`Ended`] and an account.
    pub async fn go(
        self,
        stopped: watch::Receiver<bool>,
        observer: &mut dyn Observer,
    ) -> Result<Finished, LedgerError> {
        let Self {
            destination,
            flows,
            mut ledger,
            pipeline,
            again,
            spill,
            now_ms,
        } = self;
        let started = Instant::now();
        let since_last = since_last(ledger.last_run().await?, now_ms());
        let (run, opened) =
            opening::open(&mut ledger, &flows, pipeline, again, now_ms(), spill).await?;
        let reception = Reception::new(
            opened.books,
            opened.admission,
            &flows,
            &opened.order,
            Arc::clone(&destination),
        );
        let delivery = destination.delivery();
        let delivered = match delivery.message_allowance {
            Some(_) => ledger.delivered(Entity::Messages).await?,
            None => 0,
        };
        let mut working = Working {
            pacer: Pacer::new(delivery.requests_per_minute, since_last),
            deliveries: Deliveries::new(Arc::clone(&destination)),
            limits: Limits::new(&delivery, delivered),
            window: Window::default(),
            scribe: Scribe::start(ledger, run, UNWRITTEN_ANSWERS),
            delivered_flows: Vec::new(),
            destination,
            flows,
            delivery,
            order: opened.order,
            since: opened.since,
            reception,
            waits_for: WaitsFor::default(),
            now_ms,
            stopped,
            observer,
        };
        let end = working.all().await;
        let Working {
            scribe,
            delivered_flows,
            reception: Reception { books, .. },
            deliveries,
            since,
            now_ms,
            ..
        } = working;
        let (mut ledger, written) = scribe.finish().await;
        let ended = match (written, end) {
            (Err(error), _) => Ended::Ledger(error),
            (Ok(()), Err(End::Because(ended))) => ended,
            (Ok(()), Ok(()) | Err(End::Ledger)) => Ended::Complete,
        };
        let delivered = delivered_flows.iter();
        let delivered: Vec<(String, i64)> = delivered
            .map(|flow| (books.name(*flow).to_owned(), books.begun_in(*flow)))
            .collect();
        // What was before the position of a flow that was gone on with may have changed meanwhile.
        let from_their_firsts = delivered_flows
            .iter()
            .filter(|flow| since[**flow].position.is_none());
        let changes = from_their_firsts.filter_map(|flow| {
            let changed = books.settled_change(*flow)?;
            Some((books.name(*flow).to_owned(), changed.to_owned()))
        });
        let changes: Vec<(String, String)> = changes.collect();
        let mut account = books.account;
        if !matches!(ended, Ended::Complete) {
            for flow in &mut account.flows {
                flow.pending = flow.read.saturating_sub(flow.accounted());
            }
        }
        let summary = summary(&account, &deliveries.requests);
        let mut closing = Ok(());
        for (flow, begun_in) in &delivered {
            closing = closing.and(ledger.forget_unmet(flow, *begun_in).await);
        }
        closing = closing.and(ledger.keep_changes(pipeline, &changes).await);
        let ending = ledger.end_run(run, now_ms(), ended.name(), &summary).await;
        let closing = closing.and(ending);
        let ended = match closing {
            Err(error) if matches!(ended, Ended::Complete | Ended::Stopped) => Ended::Ledger(error),
            _ => ended,
        };
        Ok(Finished {
            account,
            requests: deliveries.requests,
            ended,
            took: started.elapsed(),
            ledger,
        })
    }
}

/// How long ago the last request was sent. A run that did not live to write down its end may have
/// sent one a moment ago.
fn since_last(last: Option<LastRun>, now_ms: i64) -> Option<Duration> {
    let last = last?;
    if !last.ended {
        return Some(Duration::ZERO);
    }
    let ago = now_ms - last.last_sent_ms?;
    Some(Duration::from_millis(
        u64::try_from(ago).unwrap_or_default(),
    ))
}

/// The account and the requests as JSON, as the ledger keeps them.
fn summary(account: &Account, requests: &Requests) -> String {
    let flows: Vec<serde_json::Value> = account
        .flows
        .iter()
        .map(|flow| {
            let outcomes: BTreeMap<String, u64> = flow
                .outcomes
                .iter()
                .map(|((kind, reason), rows)| {
                    (
                        if reason.is_empty() {
                            kind.name().to_owned()
                        } else {
                            format!("{kind}: {reason}")
                        },
                        *rows,
                    )
                })
                .collect();
            let placeholders = flow.placeholders.iter();
            let placeholders: BTreeMap<&str, u64> = placeholders
                .map(|(entity, made)| (entity.name(), *made))
                .collect();
            serde_json::json!({
                "flow": flow.flow, "entity": flow.entity.name(), "read": flow.read,
                "settledBefore": flow.settled_before, "differing": flow.differing, "placeholders": placeholders, "pending": flow.pending, "outcomes": outcomes,
            })
        })
        .collect();
    serde_json::json!({
        "flows": flows, "requests": requests.sent, "records": requests.records,
        "throttled": requests.throttled, "failed": requests.failed,
    })
    .to_string()
}
