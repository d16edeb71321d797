//! A run at work: rows are taken in, requests sent, answers counted and written down, until nothing
//! is left or something ends it.

use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{
    Delivery, Destination, Entity, MessageOrder, Origin, Outcome, Permit, Record, Since,
    SourceError,
};
use chatferry_ledger::{Content, RequestRow, Settled};
use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::admission::key_of;
use crate::delivery::{Deliveries, Halt, Handled};
use crate::intake::{self, Chunk, FlowInput, Intake, Item};
use crate::limits::Limits;
use crate::pacer::Pacer;
use crate::reception::{Admitted, Reception};
use crate::run::{Ended, Observer, Progress, WaitsFor};
use crate::scribe::{Failed, Scribe};
use crate::ticket::Ticket;
use crate::window::{RECORDS, Window};

/// Rows that may gather before it is written down that they are undelivered or differ.
const UNWRITTEN: usize = 1_000;

/// A run at work.
pub(crate) struct Working<'a> {
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) flows: Vec<FlowInput>,
    pub(crate) scribe: Scribe,
    /// The flows that have been read and delivered to their ends, as places in the account.
    pub(crate) delivered_flows: Vec<usize>,
    pub(crate) delivery: Delivery,
    /// Flows in the order of delivery; places in the account are places in it.
    pub(crate) order: Vec<usize>,
    /// Which rows of each of these are read.
    pub(crate) since: Vec<Since>,
    /// What becomes of rows as they come.
    pub(crate) reception: Reception,
    pub(crate) pacer: Pacer,
    pub(crate) deliveries: Deliveries,
    pub(crate) limits: Limits,
    pub(crate) window: Window,
    pub(crate) waits_for: WaitsFor,
    pub(crate) now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    pub(crate) stopped: watch::Receiver<bool>,
    pub(crate) observer: &'a mut dyn Observer,
}

impl Working<'_> {
    /// Delivers everything, entity after entity.
    pub(crate) async fn all(&mut self) -> Result<(), End> {
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
                let taken = taken.map_err(End::Because)?;
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

/// What ends a run before its time.
pub(crate) enum End {
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
