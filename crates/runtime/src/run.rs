//! One run of a pipeline: everything between the shaped rows and the account.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{
    Account, Delivery, Destination, Entity, MessageOrder, Origin, Outcome, Permit, Record, Since,
    SourceError,
};
use chatferry_ledger::{Content, Entry, LastRun, Ledger, LedgerError, RequestRow, Settled};
use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::admission::key_of;
use crate::delivery::{Deliveries, Halt, Handled, Requests};
use crate::intake::{self, Chunk, FlowInput, Intake, Item};
use crate::limits::Limits;
use crate::opening;
use crate::pacer::Pacer;
use crate::reception::{Admitted, Reception};
use crate::scribe::{Failed, Scribe};
use crate::ticket::Ticket;
use crate::window::{RECORDS, Window};

/// Rows that may gather before it is written down that they are undelivered or differ.
const UNWRITTEN: usize = 1_000;
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
            now_ms,
        } = self;
        let started = Instant::now();
        let since_last = since_last(ledger.last_run().await?, now_ms());
        let (run, opened) = opening::open(&mut ledger, &flows, pipeline, again, now_ms()).await?;
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
        let changes = delivered_flows.iter().filter_map(|flow| {
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

/// What ends a run before its time.
enum End {
    /// The ledger cannot be written on, and says itself why.
    Ledger,
    /// Anything else.
    Because(Ended),
}

impl From<Failed> for End {
    fn from(_: Failed) -> Self {
        Self::Ledger
    }
}

/// What a run waits for.
enum Event {
    /// Someone asked to stop.
    Stop,
    /// An answer has come.
    Answer(Handled),
    /// Rows have come, or there are no more.
    Rows(Option<Result<Chunk, SourceError>>),
    /// A request may be sent.
    Permit(Permit),
    /// Something that was to wait before it is sent again has waited.
    Due,
    /// Nothing has happened for a moment.
    Quiet,
}

/// How long nothing may happen before that is told.
const QUIET: Duration = Duration::from_millis(500);

/// Waits until then, where there is a then.
async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
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

/// A run at work.
struct Working<'a> {
    destination: Arc<dyn Destination>,
    flows: Vec<FlowInput>,
    scribe: Scribe,
    /// The flows that have been read and delivered to their ends, as places in the account.
    delivered_flows: Vec<usize>,
    delivery: Delivery,
    /// Flows in the order of delivery; places in the account are places in it.
    order: Vec<usize>,
    /// Which rows of each of these are read.
    since: Vec<Since>,
    /// What becomes of rows as they come.
    reception: Reception,
    pacer: Pacer,
    deliveries: Deliveries,
    limits: Limits,
    window: Window,
    waits_for: WaitsFor,
    now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    stopped: watch::Receiver<bool>,
    observer: &'a mut dyn Observer,
}

impl Working<'_> {
    async fn all(&mut self) -> Result<(), End> {
        for entity in Entity::ALL {
            if let Err(end) = self.deliver(entity).await {
                self.wind_up().await?;
                return Err(end);
            }
        }
        Ok(self.write(Vec::new()).await?)
    }

    /// Delivers all records of one entity.
    async fn deliver(&mut self, entity: Entity) -> Result<(), End> {
        let places: Vec<usize> = (0..self.order.len())
            .filter(|place| self.reception.books.entity(*place) == entity)
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        self.deliveries.begin(entity);
        let rows = places
            .iter()
            .map(|place| {
                let flow = &self.flows[self.order[*place]];
                (*place, flow.since(&self.since[*place]))
            })
            .collect();
        let now_ms = Arc::clone(&self.now_ms);
        let mut rows = intake::start(Arc::clone(&self.destination), rows, entity, move || {
            now_ms() / 1_000
        });
        self.pump(entity, &mut rows).await?;
        self.delivered_flows.extend(places);
        Ok(())
    }

    /// Reads, sends and settles until nothing is left.
    async fn pump(&mut self, entity: Entity, rows: &mut Intake) -> Result<(), End> {
        let strict =
            entity == Entity::Messages && self.delivery.message_order == MessageOrder::Strict;
        let in_flight = if strict {
            1
        } else {
            self.delivery.in_flight.get()
        };
        let mut reading = true;
        let mut failure = None;
        let mut chunk: std::vec::IntoIter<(Origin, Item)> = Vec::new().into_iter();
        loop {
            while self.window.has_room() {
                let Some((origin, item)) = chunk.next() else {
                    break;
                };
                let taken = self.reception.take_in(origin, item, &mut self.deliveries);
                if let Some(Admitted { record, waits_for }) = taken {
                    for key in waits_for {
                        self.window.hold(record.lane);
                        self.reception.placeholders.wait(key, record.lane);
                    }
                    self.window.push(record);
                }
            }
            if self.reception.books.unwritten() >= UNWRITTEN {
                self.write(Vec::new()).await?;
            }
            if !reading
                && chunk.len() == 0
                && self.window.is_empty()
                && self.deliveries.under_way() == 0
            {
                self.write(Vec::new()).await?;
                return match failure {
                    Some(error) => Err(End::Because(Ended::Source(error))),
                    None => Ok(()),
                };
            }
            let left = self.limits.left(entity);
            if left == 0 && !self.window.is_empty() && self.deliveries.under_way() == 0 {
                return Err(End::Because(Ended::AllowanceUsedUp));
            }
            let may_read = reading && chunk.len() == 0 && self.window.has_room();
            let more_to_come = may_read || (chunk.len() > 0 && self.window.has_room());
            let next_due = self.deliveries.next_due();
            let retry = next_due.is_some_and(|due| due <= Instant::now());
            // What waits to be sent again is older than all that has not been sent.
            let may_begin = match strict {
                true => self.deliveries.under_way() == 0,
                false => self.deliveries.takes_more(in_flight),
            };
            let before_others = self.placeholders_go(left, more_to_come);
            let ready = before_others || (left > 0 && self.is_ready(more_to_come));
            let may_send =
                self.deliveries.in_flight() < in_flight && (retry || (may_begin && ready));
            self.waits_for = if may_send {
                WaitsFor::Pace
            } else if may_read && self.deliveries.in_flight() == 0 {
                WaitsFor::Source
            } else {
                WaitsFor::Answers
            };
            let event = tokio::select! {
                biased;
                Ok(_) = self.stopped.wait_for(|stopped| *stopped) => Event::Stop,
                Some(handled) = self.deliveries.next(), if self.deliveries.in_flight() > 0 => Event::Answer(handled),
                chunk = rows.next(), if may_read => Event::Rows(chunk),
                permit = self.pacer.permit(), if may_send => Event::Permit(permit),
                () = sleep_until(next_due), if next_due.is_some() && !retry => Event::Due,
                () = tokio::time::sleep(QUIET) => Event::Quiet,
            };
            match event {
                Event::Stop => return Err(End::Because(Ended::Stopped)),
                Event::Answer(handled) => {
                    self.settle(handled).await?;
                    self.report(entity);
                }
                Event::Rows(Some(Ok(Chunk {
                    read,
                    cuts,
                    changes,
                    items,
                }))) => {
                    self.reception.books.read(&read, cuts);
                    for (flow, changed) in changes {
                        self.reception.books.changed(flow, changed);
                    }
                    chunk = items.into_iter();
                    self.report(entity);
                }
                // What was read before is delivered before the run ends.
                Event::Rows(Some(Err(error))) => {
                    failure = Some(error);
                    reading = false;
                }
                Event::Rows(None) => reading = false,
                Event::Permit(permit) => {
                    let ticket = self.deliveries.take_due().unwrap_or_else(|| {
                        let records = self.delivery.records_per_request.get();
                        if before_others {
                            return Ticket::new(self.reception.placeholders.take(records));
                        }
                        let records = records.min(left);
                        let bytes = self.delivery.bytes_per_request.get();
                        let bytes = bytes.min(self.deliveries.longest_body());
                        let records = self.window.take(records, bytes, in_flight);
                        self.limits.sent(entity, records.len());
                        Ticket::new(records)
                    });
                    self.deliveries.send(permit, ticket, (self.now_ms)());
                }
                Event::Due => {}
                Event::Quiet => self.report(entity),
            }
        }
    }

    /// Whether what stands for what is not there goes next: when it makes a request full, when nothing
    /// else can leave, or when half of what waits is held up.
    fn placeholders_go(&self, left: usize, more_to_come: bool) -> bool {
        let placeholders = &self.reception.placeholders;
        if placeholders.is_empty() || left == 0 {
            return false;
        }
        let full = placeholders.most() >= self.delivery.records_per_request.get();
        let held = self.window.len() - self.window.free();
        full || held >= RECORDS / 2 || !(more_to_come || self.is_ready(more_to_come))
    }

    /// Whether a request can leave: a full one, or what there is when nothing more can join it.
    fn is_ready(&self, more_to_come: bool) -> bool {
        let free = self.window.free();
        if free == 0 || free >= self.delivery.records_per_request.get() {
            return free > 0;
        }
        let others_wait = self.window.len() > free && self.deliveries.under_way() > 0;
        !more_to_come && !others_wait
    }

    /// Counts an answer and all others that have come by now, and has them written down.
    async fn settle(&mut self, first: Handled) -> Result<(), End> {
        let mut requests = Vec::new();
        let mut halt = None;
        let mut next = Some(first);
        while let Some(handled) = next {
            halt = halt.or(self.count(handled, &mut requests));
            next = self.deliveries.next().now_or_never().flatten();
        }
        self.write(requests).await?;
        match halt {
            None => match self.limits.overdrawn() {
                Some((refused, of)) => Err(End::Because(Ended::TooManyRefused { refused, of })),
                None => Ok(()),
            },
            Some(Halt::Refused {
                code,
                message,
                remedy,
            }) => Err(End::Because(Ended::Refused {
                code,
                message,
                remedy,
            })),
            Some(Halt::Silent { what }) => Err(End::Because(Ended::Silent { what })),
        }
    }

    /// Counts what came of an answer and frees its lanes.
    fn count(
        &mut self,
        handled: Handled,
        requests: &mut Vec<(RequestRow, Vec<Settled>)>,
    ) -> Option<Halt> {
        if let Some(what) = &handled.trouble {
            tracing::debug!(what, "request failed");
            self.observer.trouble(what);
        }
        if let Some(wait) = handled.hold {
            self.pacer.hold(wait);
        }
        let mut delivered = Vec::with_capacity(handled.settled.len());
        for (record, outcome) in handled.settled {
            let waited = self.reception.placeholders.settled(record.key());
            if let Some(lanes) = waited {
                delivered.extend(self.count_placeholder(record, outcome, lanes));
                continue;
            }
            self.window.settled(record.lane);
            let key = record.key();
            let is_delivered = matches!(outcome, Outcome::Imported { .. } | Outcome::Present);
            self.limits.settled(record.entity, is_delivered);
            let (present, remote) = match outcome {
                Outcome::Imported { remote } => (false, remote),
                Outcome::Present => (true, None),
                outcome => {
                    self.reception.not_delivered(record.entity, key);
                    self.reception.books.write_off(key, &record, outcome);
                    continue;
                }
            };
            self.reception.books.delivered(record.origin, present);
            if matches!(record.entity, Entity::Users | Entity::Groups) {
                self.reception.admission.delivered(key);
            }
            delivered.push(Settled {
                content: Content::of(record.content()),
                entity: record.entity,
                id: record.id,
                present,
                remote,
            });
        }
        requests.extend(handled.row.map(|row| (row, delivered)));
        handled.stop
    }

    /// Counts what came of a placeholder, and frees the lanes that waited for it.
    fn count_placeholder(
        &mut self,
        record: Record,
        outcome: Outcome,
        lanes: Vec<u64>,
    ) -> Option<Settled> {
        let key = record.key();
        let is_delivered = outcome.kind().delivered();
        self.limits.settled(record.entity, is_delivered);
        if !is_delivered {
            self.reception.admission.failed(key);
            let refers = |other: &Record| other.references.iter().any(|it| key_of(it) == key);
            for lane in &lanes {
                for blocked in self.window.take_out(*lane, |other| !refers(other)) {
                    let field = blocked.references.iter().find(|it| key_of(it) == key);
                    let field = field.map_or("", |it| it.field);
                    let on = format!("{field} {}", record.id);
                    let outcome = Outcome::Blocked { on };
                    self.reception
                        .books
                        .write_off(blocked.key(), &blocked, outcome);
                }
            }
        }
        for lane in lanes {
            self.window.settled(lane);
        }
        let (present, remote) = match outcome {
            Outcome::Imported { remote } => (false, remote),
            Outcome::Present => (true, None),
            outcome => {
                self.reception.books.no_placeholder(&record, outcome);
                return None;
            }
        };
        self.reception.books.placeholder(&record);
        Some(Settled {
            content: Content::of(record.content()),
            entity: record.entity,
            id: record.id,
            present,
            remote,
        })
    }

    /// Has requests written down, and what has gathered beside them.
    async fn write(&mut self, requests: Vec<(RequestRow, Vec<Settled>)>) -> Result<(), Failed> {
        match self.reception.books.entry(requests) {
            Some(entry) => {
                self.observer.written(&entry);
                self.scribe.write(entry).await
            }
            None => Ok(()),
        }
    }

    /// Brings home what is under way after something has ended the run, and has it written down.
    async fn wind_up(&mut self) -> Result<(), End> {
        self.deliveries.abandon();
        while let Some(handled) = self.deliveries.next().await {
            // The run has its reason to end already.
            if let Err(End::Ledger) = self.settle(handled).await {
                return Err(End::Ledger);
            }
            self.deliveries.abandon();
        }
        Ok(self.write(Vec::new()).await?)
    }

    fn report(&mut self, entity: Entity) {
        let now = Instant::now();
        self.observer.progress(&Progress {
            entity,
            account: &self.reception.books.account,
            requests: &self.deliveries.requests,
            in_flight: self.deliveries.in_flight(),
            waiting: self.window.len(),
            held_for: self
                .pacer
                .held_until()
                .map(|until| until.duration_since(now)),
            waits_for: self.waits_for,
        });
    }
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
