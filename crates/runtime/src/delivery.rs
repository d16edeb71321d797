//! Requests on their way: sent, answered, sent again, halved.

use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Answer, Destination, Entity, Failure, Outcome, Permit, Receipt, Record};
use chatferry_ledger::RequestRow;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::decision::{RecordStep, Situation, Step, after_failure, after_verdict};
use crate::health::{Health, Stamp};
use crate::reception::Witness;
use crate::ticket::{Part, Ticket};

/// How many failures in a row mean that the destination fails on everything.
const FAILING: u32 = 2;

/// What was sent so far, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests sent, retries included.
    pub sent: u64,
    /// Records that they carried, repeated ones included.
    pub records: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Requests answered with "too many requests".
    pub throttled: u64,
    /// Requests that failed in another way.
    pub failed: u64,
    /// When the first and the last one were sent.
    pub span: Option<(Instant, Instant)>,
}

/// A request whose answer has come.
struct Sent {
    ticket: Ticket,
    part: Part,
    answer: Answer,
    stamp: Stamp,
    sent: Instant,
    sent_ms: i64,
}

/// What came of an answer.
#[derive(Debug, Default)]
pub(crate) struct Handled {
    /// The request, for the ledger.
    pub(crate) row: Option<RequestRow>,
    /// The records that have an outcome now.
    pub(crate) settled: Vec<(Record, Outcome)>,
    /// For how long nobody may send.
    pub(crate) hold: Option<Duration>,
    /// What went wrong, for whoever watches.
    pub(crate) trouble: Option<String>,
    /// Why the run must stop.
    pub(crate) stop: Option<Halt>,
}

/// Why no more is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Refused {
        code: String,
        message: String,
        remedy: String,
    },
    Silent {
        what: String,
    },
}

/// Requests on their way.
#[derive(Debug)]
pub(crate) struct Deliveries {
    destination: Arc<dyn Destination>,
    entity: Entity,
    in_flight: FuturesUnordered<JoinHandle<Sent>>,
    waiting: Vec<(Instant, Ticket)>,
    pub(crate) requests: Requests,
    health: Health,
    /// The longest body that is sent: half of the shortest that was too large.
    longest_body: usize,
    /// A record that is delivered, by this run or an earlier one, to ask for a sign of life with.
    last_delivered: Option<Record>,
    /// Whether a sign of life is being asked for.
    probing: bool,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sent({} records)", self.part.records.len())
    }
}

impl Witness for Deliveries {
    fn settled_before(&mut self, record: &Record) {
        if self.last_delivered.is_none() {
            self.last_delivered = Some(record.clone());
        }
    }
}

impl Deliveries {
    pub(crate) fn new(destination: Arc<dyn Destination>) -> Self {
        Self {
            destination,
            entity: Entity::Users,
            in_flight: FuturesUnordered::new(),
            waiting: Vec::new(),
            requests: Requests::default(),
            health: Health::default(),
            longest_body: usize::MAX,
            last_delivered: None,
            probing: false,
        }
    }

    /// What is sent from now on.
    pub(crate) const fn begin(&mut self, entity: Entity) {
        self.entity = entity;
    }

    /// How many requests wait for their answers.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How many requests are under way: they wait for their answers, or to be sent again.
    pub(crate) fn under_way(&self) -> usize {
        self.in_flight.len() + self.waiting.len()
    }

    /// Whether something that was not sent before may be: not while the destination fails on
    /// everything and enough waits to be sent again.
    pub(crate) fn takes_more(&self, most: usize) -> bool {
        let failing = self.health.failures_in_a_row() >= FAILING && !self.waiting.is_empty();
        !failing && self.waiting.len() <= most
    }

    /// The longest body that may be sent, as far as is known.
    pub(crate) const fn longest_body(&self) -> usize {
        self.longest_body
    }

    /// When the next one that is to be sent again may be.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.waiting.iter().map(|(due, _)| *due).min()
    }

    /// One that is to be sent again, if its time has come.
    pub(crate) fn take_due(&mut self) -> Option<Ticket> {
        let now = Instant::now();
        let place = self.waiting.iter().position(|(due, _)| *due <= now)?;
        Some(self.waiting.swap_remove(place).1)
    }

    /// Sends the next part of a ticket.
    pub(crate) fn send(&mut self, permit: Permit, mut ticket: Ticket, now_ms: i64) {
        let Some(part) = ticket.pop() else {
            return;
        };
        let now = Instant::now();
        self.requests.sent += 1;
        self.requests.records += part.records.len() as u64;
        self.requests.span = Some((self.requests.span.map_or(now, |(first, _)| first), now));
        let destination = Arc::clone(&self.destination);
        let stamp = self.health.stamp();
        let entity = part
            .records
            .first()
            .map_or(self.entity, |record| record.entity);
        self.in_flight.push(tokio::spawn(async move {
            let answer = destination.send(permit, entity, &part.records).await;
            Sent {
                ticket,
                part,
                answer,
                stamp,
                sent: now,
                sent_ms: now_ms,
            }
        }));
    }

    /// Waits for the next answer and says what comes of it; `None` when none is awaited.
    pub(crate) async fn next(&mut self) -> Option<Handled> {
        let sent = self.in_flight.next().await?;
        Some(self.handle(sent.expect("a request is neither cancelled nor panics")))
    }

    /// Gives up what waits to be sent again. Its records stay without an outcome.
    pub(crate) fn abandon(&mut self) {
        self.waiting.clear();
    }

    fn handle(&mut self, sent: Sent) -> Handled {
        let Sent {
            ticket,
            part,
            answer,
            stamp,
            sent,
            sent_ms,
        } = sent;
        self.requests.bytes += answer.bytes as u64;
        let mut handled = Handled {
            row: Some(RequestRow {
                entity: part
                    .records
                    .first()
                    .map_or(self.entity, |record| record.entity),
                sent_ms,
                took_ms: i64::try_from(sent.elapsed().as_millis()).unwrap_or(i64::MAX),
                records: part.records.len(),
                bytes: answer.bytes,
                status: answer.status,
                result: result(&answer),
            }),
            ..Handled::default()
        };
        if part.probe {
            self.probing = false;
        }
        match answer.receipts {
            Ok(receipts) => self.judge(ticket, part, receipts, stamp, &mut handled),
            Err(failure) => {
                if matches!(failure, Failure::TooLarge) {
                    self.longest_body = self.longest_body.min(answer.bytes / 2);
                }
                self.recover(ticket, part, &failure, stamp, &mut handled);
            }
        }
        handled
    }

    /// Each record by its verdict, and those in doubt once more.
    fn judge(
        &mut self,
        mut ticket: Ticket,
        mut part: Part,
        mut receipts: Vec<Receipt>,
        stamp: Stamp,
        handled: &mut Handled,
    ) {
        // The last one is the first record's, if the answer has the order of the request.
        receipts.reverse();
        let (mut doubtful, mut doubt) = (Vec::new(), None);
        let sent = part.records.len();
        handled.settled.reserve(sent);
        for record in std::mem::take(&mut part.records) {
            let of_record = |receipt: &Receipt| receipt.id == record.id;
            let place = receipts.iter().rposition(of_record);
            let verdict = place.map(|place| receipts.remove(place).verdict);
            match after_verdict(verdict) {
                RecordStep::Settle(_) if part.probe => {}
                RecordStep::Settle(outcome) => handled.settled.push((record, outcome)),
                RecordStep::Doubt(what) => {
                    doubt = Some(what);
                    doubtful.push(record);
                }
                RecordStep::Stop {
                    code,
                    message,
                    remedy,
                } => {
                    handled.stop = Some(Halt::Refused {
                        code,
                        message,
                        remedy,
                    });
                }
            }
        }
        let mut settled = handled.settled.iter().rev();
        if let Some((record, _)) = settled.find(|(_, outcome)| outcome.kind().delivered()) {
            self.last_delivered = Some(record.clone());
        }
        if doubtful.len() < sent {
            self.health.answered();
        }
        let Some(what) = doubt else {
            ticket.answered(&part);
            return self.wait(ticket, Duration::ZERO);
        };
        if doubtful.len() == sent {
            part.records = doubtful;
            let nothing = Failure::Doubt {
                what,
                foreign: false,
            };
            return self.recover(ticket, part, &nothing, stamp, handled);
        }
        handled.trouble = Some(what);
        ticket.again(part.narrowed(doubtful, self.health.answers()));
        self.wait(ticket, Duration::ZERO);
    }

    /// What a failed request asks for.
    fn recover(
        &mut self,
        mut ticket: Ticket,
        mut part: Part,
        failure: &Failure,
        stamp: Stamp,
        handled: &mut Handled,
    ) {
        if let Failure::Throttled { .. } = failure {
            self.requests.throttled += 1;
            self.health.throttled(stamp);
        } else {
            self.requests.failed += 1;
            self.health.failed(failure, stamp);
        }
        if matches!(failure, Failure::Doubt { .. }) {
            part.doubts += 1;
        }
        let since = *part.since.get_or_insert(self.health.answers());
        let situation = Situation {
            records: part.records.len(),
            doubts: part.doubts,
            answered_since: self.health.answers() > since,
            ever_heard: self.health.heard(),
            can_probe: self.last_delivered.is_some(),
            failures_in_a_row: self.health.failures_in_a_row(),
            throttles_in_a_row: self.health.throttles_in_a_row(),
            silent_for: self.health.silent_for(),
        };
        handled.trouble = Some(words(failure));
        match after_failure(failure, &situation) {
            // What it asked on behalf of is sent again anyway.
            Step::Again { .. } | Step::Probe { .. } | Step::Halve | Step::Blame { .. }
                if part.probe => {}
            Step::Again { after } => {
                ticket.again(part);
                self.wait(ticket, after);
            }
            Step::Probe { after } => {
                ticket.again(part);
                self.wait(ticket, after);
                self.probe();
            }
            Step::Hold { wait } => {
                handled.hold = Some(wait);
                if !part.probe {
                    ticket.again(part);
                    self.wait(ticket, Duration::ZERO);
                }
            }
            Step::Halve => {
                ticket.halve(part);
                self.wait(ticket, Duration::ZERO);
            }
            Step::Blame { what } => {
                let message =
                    "the API fails on this record, or says nothing of it, and takes others"
                        .to_owned();
                let blame = |record| {
                    (
                        record,
                        Outcome::Refused {
                            code: what.clone(),
                            message: message.clone(),
                        },
                    )
                };
                handled.settled.extend(part.records.into_iter().map(blame));
                ticket.found();
                self.wait(ticket, Duration::ZERO);
            }
            Step::GiveUp { what } => {
                handled.stop = Some(Halt::Silent { what });
            }
            Step::Stop {
                code,
                message,
                remedy,
            } => {
                handled.stop = Some(Halt::Refused {
                    code,
                    message,
                    remedy,
                });
            }
        }
    }

    /// Asks for a sign of life, unless that is being done.
    fn probe(&mut self) {
        let Some(record) = self.last_delivered.clone().filter(|_| !self.probing) else {
            return;
        };
        self.probing = true;
        self.wait(Ticket::probe(record), Duration::ZERO);
    }

    /// Keeps what is left of a ticket until it may be sent.
    fn wait(&mut self, ticket: Ticket, wait: Duration) {
        if !ticket.is_empty() {
            self.waiting.push((Instant::now() + wait, ticket));
        }
    }
}

/// What came of a request, for the ledger.
fn result(answer: &Answer) -> String {
    match &answer.receipts {
        Ok(_) => "answered".into(),
        Err(failure) => words(failure),
    }
}

/// A failure in a few words.
pub(crate) fn words(failure: &Failure) -> String {
    match failure {
        Failure::Throttled { .. } => "throttled".into(),
        Failure::Unreachable { what } => format!("unreachable: {what}"),
        Failure::Doubt { what, .. } => what.clone(),
        Failure::TooLarge => "too large".into(),
        Failure::Stop { code, .. } => code.clone(),
    }
}
