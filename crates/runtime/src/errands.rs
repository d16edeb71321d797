//! Requests that are no deliveries: paced, several at once, and each sent again until it is answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Failure, Pace, Permit};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::decision::{Situation, Step, after_failure};
use crate::health::{Health, Stamp};
use crate::pacer::Pacer;

/// What was asked so far, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Requests sent, those included that were sent again.
    pub sent: u64,
    /// Requests answered with "too many requests".
    pub throttled: u64,
    /// Requests that failed in another way.
    pub failed: u64,
}

/// Why no more is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Someone asked to stop.
    Stopped,
    /// Nothing will succeed until a person acts.
    Refused {
        code: String,
        message: String,
        remedy: String,
    },
    /// There are no answers.
    Silent { what: String },
}

/// Does an errand with one request.
type Run<J, R> = dyn Fn(Permit, J) -> BoxFuture<'static, Result<R, Failure>> + Send + Sync;

/// An errand, and how often it was in vain.
struct Errand<J> {
    job: J,
    doubts: u32,
    since: Option<u64>,
    /// What was known when it was sent last.
    stamp: Stamp,
}

/// An errand whose request was answered, or not.
type Sent<J, R> = (Errand<J>, Result<R, Failure>);

/// Errands on their way.
pub(crate) struct Errands<J, R> {
    run: Arc<Run<J, R>>,
    pacer: Pacer,
    most: usize,
    queue: VecDeque<Errand<J>>,
    waiting: Vec<(Instant, Errand<J>)>,
    in_flight: FuturesUnordered<JoinHandle<Sent<J, R>>>,
    stopped: watch::Receiver<bool>,
    pub(crate) asked: Asked,
    health: Health,
    /// Why no more is sent, once there is a reason.
    halt: Option<Halt>,
    /// What went wrong last, for whoever watches.
    pub(crate) trouble: Option<String>,
}

/// What an errand has come to: its answer, or why the API fails on it while it answers others.
pub(crate) type Done<J, R> = (J, Result<R, String>);

enum Event<J, R> {
    Stop,
    Answer(Errand<J>, Result<R, Failure>),
    Permit(Permit),
    Due,
}

impl<J: Clone + Send + 'static, R: Send + 'static> Errands<J, R> {
    pub(crate) fn new(
        pace: Pace,
        stopped: watch::Receiver<bool>,
        run: impl Fn(Permit, J) -> BoxFuture<'static, Result<R, Failure>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            run: Arc::new(run),
            pacer: Pacer::new(pace.requests_per_minute, None),
            most: pace.in_flight.get(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            in_flight: FuturesUnordered::new(),
            stopped,
            asked: Asked::default(),
            health: Health::default(),
            halt: None,
            trouble: None,
        }
    }

    /// Adds an errand behind the others.
    pub(crate) fn push(&mut self, job: J) {
        self.queue.push_back(Errand {
            job,
            doubts: 0,
            since: None,
            stamp: Stamp::default(),
        });
    }

    /// How many are not done.
    pub(crate) fn len(&self) -> usize {
        self.queue.len() + self.waiting.len() + self.in_flight.len()
    }

    /// Whether another one would be sent soon.
    pub(crate) fn has_room(&self) -> bool {
        self.halt.is_none() && self.len() < 2 * self.most
    }

    /// Waits for the next one that is done; `None` when all are.
    ///
    /// When there is a reason to stop, no more is sent, and what is under way is brought home
    /// first: the error comes last.
    pub(crate) async fn next(&mut self) -> Result<Option<Done<J, R>>, Halt> {
        loop {
            if let Some(halt) = &self.halt
                && self.in_flight.is_empty()
            {
                return Err(halt.clone());
            }
            if self.len() == 0 {
                return Ok(None);
            }
            match self.event().await {
                Event::Stop => self.halt = Some(Halt::Stopped),
                Event::Due => {}
                Event::Permit(permit) => {
                    if let Some(errand) = self.take_due() {
                        self.send(permit, errand);
                    }
                }
                Event::Answer(errand, Ok(answer)) => {
                    self.health.answered();
                    return Ok(Some((errand.job, Ok(answer))));
                }
                Event::Answer(errand, Err(failure)) => {
                    if let Some(done) = self.recover(errand, &failure) {
                        return Ok(Some(done));
                    }
                }
            }
        }
    }

    async fn event(&mut self) -> Event<J, R> {
        let now = Instant::now();
        let next_due = self.waiting.iter().map(|(due, _)| *due).min();
        let due = next_due.is_some_and(|due| due <= now);
        let goes_on = self.halt.is_none();
        let may_send =
            goes_on && self.in_flight.len() < self.most && (due || !self.queue.is_empty());
        let wait = next_due.filter(|_| !due && goes_on);
        tokio::select! {
            biased;
            Ok(_) = self.stopped.wait_for(|stopped| *stopped), if goes_on => Event::Stop,
            Some(sent) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                let (errand, answer) = sent.expect("a request is neither cancelled nor panics");
                Event::Answer(errand, answer)
            }
            permit = self.pacer.permit(), if may_send => Event::Permit(permit),
            () = sleep_until(wait), if wait.is_some() => Event::Due,
        }
    }

    fn take_due(&mut self) -> Option<Errand<J>> {
        let now = Instant::now();
        match self.waiting.iter().position(|(due, _)| *due <= now) {
            Some(place) => Some(self.waiting.swap_remove(place).1),
            None => self.queue.pop_front(),
        }
    }

    fn send(&mut self, permit: Permit, mut errand: Errand<J>) {
        self.asked.sent += 1;
        errand.stamp = self.health.stamp();
        let request = (self.run)(permit, errand.job.clone());
        self.in_flight
            .push(tokio::spawn(async move { (errand, request.await) }));
    }

    /// What a failed request asks for; gives it back when it is done with.
    fn recover(&mut self, mut errand: Errand<J>, failure: &Failure) -> Option<Done<J, R>> {
        if let Failure::Throttled { .. } = failure {
            self.asked.throttled += 1;
            self.health.throttled(errand.stamp);
        } else {
            self.asked.failed += 1;
            self.health.failed(failure, errand.stamp);
        }
        if matches!(failure, Failure::Doubt { .. }) {
            errand.doubts += 1;
        }
        let since = *errand.since.get_or_insert(self.health.answers());
        let situation = Situation {
            records: 1,
            doubts: errand.doubts,
            answered_since: self.health.answers() > since,
            ever_heard: self.health.heard(),
            can_probe: false,
            failures_in_a_row: self.health.failures_in_a_row(),
            throttles_in_a_row: self.health.throttles_in_a_row(),
            silent_for: self.health.silent_for(),
        };
        self.trouble = Some(crate::delivery::words(failure));
        let now = Instant::now();
        match after_failure(failure, &situation) {
            Step::Again { after } | Step::Probe { after } => {
                self.waiting.push((now + after, errand));
            }
            Step::Hold { wait } => {
                self.pacer.hold(wait);
                self.waiting.push((now, errand));
            }
            Step::Halve => self.waiting.push((now + Duration::from_secs(1), errand)),
            Step::Blame { what } => return Some((errand.job, Err(what))),
            Step::GiveUp { what } => self.halt = Some(Halt::Silent { what }),
            Step::Stop {
                code,
                message,
                remedy,
            } => {
                self.halt = Some(Halt::Refused {
                    code,
                    message,
                    remedy,
                });
            }
        }
        None
    }
}

/// Waits until then, where there is a then.
async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
