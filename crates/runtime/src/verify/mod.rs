//! Whether the destination holds what was imported, and nothing else.
//!
//! What should be there is what the ledger says was delivered, with the contents that the pipeline
//! makes of it now. What is there is read back page by page. What is missing after that is asked
//! for again, since nobody knows how soon lists show what was stored. Whatever was found out is kept
//! beside the ledger, so that a verification that is stopped goes on where it was.

mod judge;
mod reading;
mod report;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Destination, Entity, Inspection, Key, Prepared, Record, Shaped};
use chatferry_ledger::{Ledger, LedgerError, Reconciliation, ShapedRecord, Stage};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::compare::digests;
use crate::errands::{Asked, Halt};
use crate::intake::FlowInput;
use crate::run::Ended;

pub use report::{Differs, EntityReport, Lost, PartsReport, Surplus};

/// A verification that has not started yet.
pub struct Verify {
    /// Where to look.
    pub inspection: Arc<dyn Inspection>,
    /// The same, to prepare records as they were sent.
    pub destination: Arc<dyn Destination>,
    /// What the pipeline makes.
    pub flows: Vec<FlowInput>,
    /// What was delivered.
    pub ledger: Ledger,
    /// What is verified, in words that change when it does.
    pub of: String,
    /// Whether to begin anew although an earlier verification was not finished.
    pub anew: bool,
    /// How long to ask again for what is missing.
    pub patience: Duration,
    /// How many findings of each kind are listed.
    pub shown: usize,
    /// The time, in UNIX seconds.
    pub now: i64,
}

impl fmt::Debug for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verify({:?})", self.flows)
    }
}

/// What a verification has come to.
#[derive(Debug)]
pub struct Verified {
    /// What each entity has come to; empty when it was not finished.
    pub entities: Vec<EntityReport>,
    /// How the conversations stand.
    pub conversations: PartsReport,
    /// What was asked.
    pub asked: Asked,
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
    /// Whether it went on where an earlier one was stopped.
    pub resumed: bool,
    /// The ledger, unchanged.
    pub ledger: Ledger,
}

impl Verified {
    /// Whether the destination holds what it should, and nothing else.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.entities.iter().all(|report| {
            let sums = &report.sums;
            sums.missing + sums.deleted + sums.different + sums.extra == 0
        })
    }
}

/// Sees how a verification or an undoing comes along.
pub trait Watcher: Send {
    /// So many of an entity are done, of so many where that is known.
    fn doing(&mut self, what: &'static str, entity: Entity, done: u64, of: Option<u64>);

    /// Something went wrong and is being dealt with.
    fn trouble(&mut self, what: &str);
}

/// What ends a verification before its time.
enum End {
    Because(Ended),
    Ledger(LedgerError),
}

impl From<LedgerError> for End {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<Halt> for End {
    fn from(halt: Halt) -> Self {
        Self::Because(halt.into())
    }
}

impl From<Halt> for Ended {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Stopped => Self::Stopped,
            Halt::Refused {
                code,
                message,
                remedy,
            } => Self::Refused {
                code,
                message,
                remedy,
            },
            Halt::Silent { what } => Self::Silent { what },
        }
    }
}

impl Verify {
    /// Verifies to the end, or until it is stopped.
    ///
    /// # Errors
    ///
    /// When the ledger or the file beside it cannot be used.
    pub async fn go(
        self,
        stopped: watch::Receiver<bool>,
        watcher: &mut dyn Watcher,
    ) -> Result<Verified, LedgerError> {
        let started = Instant::now();
        let Self {
            inspection,
            destination,
            flows,
            mut ledger,
            of,
            anew,
            patience,
            shown,
            now,
        } = self;
        let (reconciliation, resumed) = Reconciliation::open(&mut ledger, &of, anew).await?;
        let mut working = Working {
            inspection,
            destination,
            flows,
            reconciliation,
            patience,
            now,
            stopped,
            watcher,
            asked: Asked::default(),
        };
        let ended = match working.all().await {
            Ok(()) => Ended::Complete,
            Err(End::Because(ended)) => ended,
            Err(End::Ledger(error)) => return Err(error),
        };
        let Working {
            mut reconciliation,
            asked,
            ..
        } = working;
        let (mut entities, mut conversations) = (Vec::new(), PartsReport::default());
        if matches!(ended, Ended::Complete) {
            (entities, conversations) = report::of(&mut reconciliation, shown).await?;
            reconciliation.discard().await?;
        } else {
            reconciliation.keep().await?;
        }
        Ok(Verified {
            entities,
            conversations,
            asked,
            ended,
            took: started.elapsed(),
            resumed,
            ledger,
        })
    }
}

/// A verification at work.
struct Working<'a> {
    inspection: Arc<dyn Inspection>,
    destination: Arc<dyn Destination>,
    flows: Vec<FlowInput>,
    reconciliation: Reconciliation,
    patience: Duration,
    now: i64,
    stopped: watch::Receiver<bool>,
    watcher: &'a mut dyn Watcher,
    asked: Asked,
}

impl Working<'_> {
    async fn all(&mut self) -> Result<(), End> {
        if self.reconciliation.stage().await? == Stage::Expecting {
            self.expect().await?;
        }
        if self.reconciliation.stage().await? == Stage::Reading {
            for entity in Entity::ALL {
                self.read(entity).await?;
            }
            self.reconciliation.enter(Stage::Asking).await?;
        }
        if self.reconciliation.stage().await? == Stage::Asking {
            self.ask_again().await?;
            self.reconciliation.enter(Stage::Explaining).await?;
        }
        self.explain().await
    }

    /// Writes down what should be there.
    async fn expect(&mut self) -> Result<(), End> {
        self.reconciliation.begin_expecting().await?;
        for entity in Entity::ALL {
            let mut records = 0;
            for flow in self.flows_of(entity) {
                let mut rows = self.flows[flow].all();
                while let Some(shaped) = rows.next().await {
                    self.check_stopped()?;
                    let shaped = shaped.map_err(|error| End::Because(Ended::Source(error)))?;
                    let shaped = self.shaped(entity, &shaped);
                    self.reconciliation.shaped(&shaped).await?;
                    records += shaped.len() as u64;
                    self.watcher.doing("shaping", entity, records, None);
                }
            }
        }
        let all = Entity::ALL.into_iter();
        let numbered: Vec<Entity> = all.filter(|it| self.inspection.is_numbered(*it)).collect();
        let listed = Entity::ALL.map(|entity| (entity, self.inspection.listed_in(entity)));
        Ok(self.reconciliation.expect(&numbered, &listed).await?)
    }

    fn shaped(&self, entity: Entity, shaped: &Shaped) -> Vec<ShapedRecord> {
        let in_hashes = |record: Record| {
            let expected = self.inspection.expected(&record);
            let brings = expected.brings.iter();
            ShapedRecord {
                entity,
                key: record.key(),
                part_of: expected.contents.part_of,
                likeness: expected.contents.likeness,
                digests: digests(&expected.contents.fields),
                brings: brings
                    .map(|(entity, id)| Key::of(*entity, id.as_str()))
                    .collect(),
            }
        };
        let prepared = self
            .destination
            .prepare(entity, &shaped.rows, self.now)
            .into_iter();
        let ready = prepared.filter_map(|prepared| match prepared {
            Prepared::Ready(record) => Some(record),
            Prepared::Skipped { .. } | Prepared::Rejected(_) => None,
        });
        ready.map(in_hashes).collect()
    }

    /// Looks up what was expected where something else was found.
    async fn explain(&mut self) -> Result<(), End> {
        for entity in Entity::ALL {
            let keys = self.reconciliation.unexplained(entity).await?;
            let mut keys: HashSet<Key> = keys.into_iter().collect();
            for flow in self.flows_of(entity) {
                let mut rows = self.flows[flow].all();
                while !keys.is_empty()
                    && let Some(shaped) = rows.next().await
                {
                    self.check_stopped()?;
                    let shaped = shaped.map_err(|error| End::Because(Ended::Source(error)))?;
                    for prepared in self.destination.prepare(entity, &shaped.rows, self.now) {
                        if let Prepared::Ready(record) = prepared
                            && keys.remove(&record.key())
                        {
                            self.explain_one(&record).await?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn explain_one(&mut self, record: &Record) -> Result<(), End> {
        let names = self.inspection.compared(record.entity);
        let expected = self.inspection.expected(record).contents.fields;
        for (name, told) in names.iter().zip(&expected) {
            if let Some(told) = told {
                self.reconciliation
                    .explain(record.key(), name, told)
                    .await?;
            }
        }
        Ok(())
    }

    fn flows_of(&self, entity: Entity) -> Vec<usize> {
        let all = 0..self.flows.len();
        all.filter(|flow| self.flows[*flow].entity == entity)
            .collect()
    }

    fn check_stopped(&self) -> Result<(), End> {
        match *self.stopped.borrow() {
            true => Err(End::Because(Ended::Stopped)),
            false => Ok(()),
        }
    }
}
