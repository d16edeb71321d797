//! What a run would come to: everything up to the sending, and nothing sent or written down.
//!
//! Rows take the way that they take in a run, through the same intake, the same admission and the
//! same books, so a plan and the run that follows it cannot disagree but in what only the
//! destination knows.

mod need;
mod survey;
mod top;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Account, Delivery, Destination, Entity, Since};
use chatferry_ledger::{Ledger, LedgerError};
use tokio::sync::watch;
use tokio::time::Instant;

pub use need::{Need, time_for};
pub use survey::{Collisions, Example, Messages, Month, Why};
pub use top::{Frequent, Most};

use crate::delivery::Requests;
use crate::intake::{self, Chunk, FlowInput};
use crate::opening::{self, Opened};
use crate::reception::{Admitted, Reception};
use crate::run::{Again, Ended, Observer, Progress, WaitsFor};
use survey::Survey;

/// How many of what comes most often are told.
const TOP: usize = 20;

/// A plan that was not made yet.
pub struct Plan {
    /// Whose rules and limits are to be kept. Nothing is sent to it.
    pub destination: Arc<dyn Destination>,
    /// What would be delivered.
    pub flows: Vec<FlowInput>,
    /// The account of earlier runs, if there were any. It is only read.
    pub ledger: Option<Ledger>,
    /// Stands for the pipeline as it is, as for a run.
    pub pipeline: u64,
    /// What the run would do again although nothing has changed.
    pub again: Again,
    /// The folder for what does not fit into memory; `None` is the system's for temporary files.
    pub spill: Option<PathBuf>,
    /// The time, in UNIX milliseconds.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({:?} to {:?})", self.flows, self.destination)
    }
}

/// What a run would come to.
#[derive(Debug)]
pub struct Forecast {
    /// What would become of every row. Those that would be sent are counted as imported; which of
    /// them are present already, or are refused, only the destination knows.
    pub account: Account,
    /// What it takes, by entity; those of which nothing is sent are not there.
    pub needs: BTreeMap<Entity, Need>,
    /// A few rows of each reason.
    pub examples: BTreeMap<Why, Vec<Example>>,
    /// The messages of each month that has any.
    pub months: BTreeMap<Month, Messages>,
    /// The conversations with the most messages that are to be sent.
    pub conversations: Most,
    /// The users and groups that are referred to most often and that no flow delivers.
    pub unknown: Most,
    /// The users and groups that block most, since they could not be delivered.
    pub blocking: Most,
    /// The ids that come most often again.
    pub duplicates: Most,
    /// Ids of users and groups that differ in capitals alone.
    pub collisions: Collisions,
    /// How many rows of each flow, as its place in the account, are not read again, since an
    /// interrupted run has settled them.
    pub not_read_again: Vec<u64>,
    /// The flows, as places in the account, of which only what has changed was read.
    pub only_changes: Vec<usize>,
    /// How many messages earlier runs have delivered.
    pub messages_before: u64,
    /// Whether there was a ledger.
    pub has_ledger: bool,
    /// How it would be delivered.
    pub delivery: Delivery,
    /// How long it took to find out.
    pub took: Duration,
}

impl Forecast {
    /// How many requests it takes.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.needs.values().map(|need| need.requests).sum()
    }

    /// How many records are sent.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.needs.values().map(|need| need.records).sum()
    }

    /// How long it takes at least at the pace that is set, if one is.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        let limit = self.delivery.requests_per_minute?;
        Some(time_for(self.requests(), limit))
    }

    /// How many messages more than `message_allowance` allows there would be, if any.
    #[must_use]
    pub fn beyond_allowance(&self) -> Option<u64> {
        let allowance = self.delivery.message_allowance?;
        let due = self.needs.get(&Entity::Messages).map_or(0, |it| it.records);
        let beyond = (self.messages_before + due).saturating_sub(allowance);
        // What was delivered already is no reason to stop.
        Some(beyond.min(due)).filter(|beyond| *beyond > 0)
    }
}

impl Plan {
    /// Reads everything that a run would read.
    ///
    /// # Errors
    ///
    /// When a source or the ledger cannot be read, or it was asked to stop: what a run would have
    /// ended with.
    pub async fn go(
        self,
        mut stopped: watch::Receiver<bool>,
        observer: &mut dyn Observer,
    ) -> Result<Forecast, Ended> {
        let work = self.forecast(observer);
        tokio::select! {
            biased;
            Ok(_) = stopped.wait_for(|stopped| *stopped) => Err(Ended::Stopped),
            forecast = work => forecast,
        }
    }

    async fn forecast(mut self, observer: &mut dyn Observer) -> Result<Forecast, Ended> {
        let started = Instant::now();
        let (messages_before, opened) = self.look().await.map_err(Ended::Ledger)?;
        let Opened {
            order,
            since,
            admission,
            books,
        } = opened;
        let mut reception = Reception::new(
            books,
            admission,
            &self.flows,
            &order,
            Arc::clone(&self.destination),
        );
        let flows = reception.books.account.flows.iter();
        let not_read_again = flows.map(|flow| flow.read).collect();
        let delivery = self.destination.delivery();
        let mut survey = Survey::new(delivery);
        for entity in Entity::ALL {
            self.read(
                entity,
                &order,
                &since,
                &mut reception,
                &mut survey,
                observer,
            )
            .await?;
            survey.packing.close();
        }
        let has_ledger = self.ledger.is_some();
        if let Some(ledger) = self.ledger.take() {
            ledger.close().await.map_err(Ended::Ledger)?;
        }
        let changed = since.iter().enumerate();
        Ok(Forecast {
            account: reception.books.account,
            needs: survey.packing.needs(),
            examples: survey.examples,
            months: survey.months,
            conversations: survey.conversations.most(TOP),
            unknown: survey.unknown.most(TOP),
            blocking: survey.blocking.most(TOP),
            duplicates: survey.duplicates.most(TOP),
            collisions: survey.collisions,
            not_read_again,
            only_changes: changed
                .filter(|(_, since)| since.changed.is_some())
                .map(|(place, _)| place)
                .collect(),
            messages_before,
            has_ledger,
            delivery,
            took: started.elapsed(),
        })
    }

    /// What earlier runs have left.
    async fn look(&mut self) -> Result<(u64, Opened), LedgerError> {
        let mut ledger = self.ledger.as_mut();
        let delivered = match &mut ledger {
            Some(ledger) => ledger.delivered(Entity::Messages).await?,
            None => 0,
        };
        let opened = opening::look(
            ledger,
            &self.flows,
            self.pipeline,
            self.again,
            self.spill.clone(),
        )
        .await?;
        Ok((delivered, opened))
    }

    /// Reads all flows of one entity.
    async fn read(
        &self,
        entity: Entity,
        order: &[usize],
        since: &[Since],
        reception: &mut Reception,
        survey: &mut Survey,
        observer: &mut dyn Observer,
    ) -> Result<(), Ended> {
        let of_entity = (0..order.len()).filter(|place| reception.books.entity(*place) == entity);
        let rows: Vec<_> = of_entity
            .map(|place| (place, self.flows[order[place]].since(&since[place])))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let now_ms = Arc::clone(&self.now_ms);
        let now = move || now_ms() / 1_000;
        let mut rows = intake::start(Arc::clone(&self.destination), rows, entity, now);
        while let Some(chunk) = rows.next().await {
            let Chunk {
                read,
                cuts,
                changes: _,
                items,
            } = chunk.map_err(Ended::Source)?;
            reception.books.read(&read, cuts);
            for (origin, item) in items {
                let Some(Admitted { record, .. }) = reception.take_in(origin, item, survey)? else {
                    continue;
                };
                while !reception.placeholders.is_empty() {
                    for placeholder in reception.placeholders.take(usize::MAX) {
                        reception.placeholders.settled(placeholder.key());
                        reception.books.placeholder(&placeholder);
                        survey.packing.add_aside(&placeholder);
                    }
                }
                survey.due(&record, &reception.admission);
                reception.books.delivered(origin, false);
                if matches!(entity, Entity::Users | Entity::Groups) {
                    reception.admission.delivered(record.key());
                }
            }
            // Of what is to be written down there is nothing to keep.
            drop(reception.books.entry(Vec::new()));
            observer.progress(&Progress {
                entity,
                account: &reception.books.account,
                requests: &Requests::default(),
                in_flight: 0,
                waiting: 0,
                held_for: None,
                waits_for: WaitsFor::Source,
            });
        }
        Ok(())
    }
}
