//! Takes away again what was imported: messages, members, groups, users.
//!
//! Only what the ledger says this pipeline imported is taken away, and each removal is written into
//! the ledger, so that an undoing that is stopped goes on where it was, and a later run imports
//! again. What was there before the import is left alone; but since removing a user or a group may
//! take other things along, the ledger forgets it, and a later run asks for it again.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Entity, Inspection, Removal, Removed};
use chatferry_ledger::{Holdings, Imported, Ledger, LedgerError, Left};
use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::errands::{Asked, Errands};
use crate::pacer;
use crate::run::Ended;
use crate::verify::Watcher;

/// An undoing that has not started yet.
pub struct Undo {
    /// From where.
    pub inspection: Arc<dyn Inspection>,
    /// What was imported.
    pub ledger: Ledger,
    /// The time, in UNIX milliseconds.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Undo({:?})", self.inspection)
    }
}

/// What an undoing would do.
#[derive(Clone, Debug, Default)]
pub struct UndoPlan {
    /// What the ledger holds, in the order in which it would be taken away.
    pub holdings: Vec<(Entity, Holdings)>,
    /// How many requests it takes at least.
    pub requests: u64,
    /// How long these take at the pace that is set.
    pub time: Duration,
}

/// What an undoing has come to.
#[derive(Debug)]
pub struct Undone {
    /// How many of each entity were taken away, and how many were not there any more.
    pub removed: BTreeMap<Entity, (u64, u64)>,
    /// How many records the ledger has forgotten that were left alone.
    pub forgotten: u64,
    /// How many of each entity could not be taken away.
    pub left: BTreeMap<Entity, u64>,
    /// The first of them, each with the reason.
    pub examples: Vec<(Entity, String, String)>,
    /// What was asked.
    pub asked: Asked,
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
    /// The ledger, with all of it written down.
    pub ledger: Ledger,
}

/// The order in which things are taken away: nothing before what refers to it.
const ORDER: [Entity; 4] = [
    Entity::Messages,
    Entity::Members,
    Entity::Groups,
    Entity::Users,
];
/// Records looked up in the ledger together.
const AHEAD: usize = 500;
/// Removals that are written down together. A crash before that asks for as many again.
const TOGETHER: usize = 50;
/// Records that could not be taken away and are shown.
const EXAMPLES: usize = 20;

fn numbered(inspection: &dyn Inspection) -> Vec<Entity> {
    let all = Entity::ALL.into_iter();
    all.filter(|entity| inspection.is_numbered(*entity))
        .collect()
}

/// What an undoing would do; nothing is changed.
///
/// # Errors
///
/// When the ledger cannot be read.
pub async fn plan(
    inspection: &dyn Inspection,
    ledger: &mut Ledger,
) -> Result<UndoPlan, LedgerError> {
    let holdings = ledger.holdings(&numbered(inspection)).await?;
    let of = |entity| (entity, holdings.get(&entity).copied().unwrap_or_default());
    let holdings: Vec<_> = ORDER.into_iter().map(of).collect();
    let requests = holdings.iter().map(|(_, holdings)| holdings.imported).sum();
    let interval = inspection.pace().requests_per_minute.map(pacer::interval);
    Ok(UndoPlan {
        holdings,
        requests,
        time: interval
            .unwrap_or_default()
            .saturating_mul(u32::try_from(requests).unwrap_or(u32::MAX)),
    })
}

impl Undo {
    /// Takes everything away, or goes on until it is stopped.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read or written. What was taken away since is asked for once more
    /// by the next undoing.
    pub async fn go(
        mut self,
        stopped: watch::Receiver<bool>,
        watcher: &mut dyn Watcher,
    ) -> Result<Undone, LedgerError> {
        let started = Instant::now();
        let planned = plan(self.inspection.as_ref(), &mut self.ledger).await?;
        let numbered = numbered(self.inspection.as_ref());
        self.ledger
            .begin_removal(&numbered, (self.now_ms)())
            .await?;
        let forgotten = planned.holdings.iter();
        let forgotten = forgotten
            .map(|(_, holdings)| holdings.present + holdings.unnumbered)
            .sum();
        let mut working = Working {
            inspection: self.inspection,
            ledger: self.ledger,
            now_ms: self.now_ms,
            stopped,
            watcher,
            removed: BTreeMap::new(),
            left: BTreeMap::new(),
            examples: Vec::new(),
            asked: Asked::default(),
        };
        let ended = working.all(&planned).await?;
        let Working {
            ledger,
            removed,
            left,
            examples,
            asked,
            ..
        } = working;
        Ok(Undone {
            removed,
            forgotten,
            left,
            examples,
            asked,
            ended,
            took: started.elapsed(),
            ledger,
        })
    }
}

/// A record to take away.
#[derive(Clone, Debug)]
struct Job {
    record: i64,
    removal: Removal,
}

/// An undoing at work.
struct Working<'a> {
    inspection: Arc<dyn Inspection>,
    ledger: Ledger,
    now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    stopped: watch::Receiver<bool>,
    watcher: &'a mut dyn Watcher,
    removed: BTreeMap<Entity, (u64, u64)>,
    left: BTreeMap<Entity, u64>,
    examples: Vec<(Entity, String, String)>,
    asked: Asked,
}

impl Working<'_> {
    async fn all(&mut self, planned: &UndoPlan) -> Result<Ended, LedgerError> {
        for (entity, holdings) in &planned.holdings {
            if let Some(ended) = self.remove(*entity, holdings.imported).await? {
                return Ok(ended);
            }
        }
        // What could not be taken away may have gone along with something else since.
        let left = std::mem::take(&mut self.left);
        for entity in ORDER {
            let Some(left) = left.get(&entity).copied() else {
                continue;
            };
            self.examples.retain(|(of, ..)| *of != entity);
            if let Some(ended) = self.remove(entity, left).await? {
                return Ok(ended);
            }
        }
        Ok(Ended::Complete)
    }

    /// Takes away all of an entity; gives the reason when it ends before.
    async fn remove(&mut self, entity: Entity, of: u64) -> Result<Option<Ended>, LedgerError> {
        let inspection = Arc::clone(&self.inspection);
        let mut errands: Errands<Job, Removed> = Errands::new(
            self.inspection.pace(),
            self.stopped.clone(),
            move |permit, job: Job| {
                let inspection = Arc::clone(&inspection);
                async move { inspection.remove(permit, &job.removal).await }.boxed()
            },
        );
        let mut settled = Vec::new();
        let ended = self
            .remove_all(entity, of, &mut errands, &mut settled)
            .await;
        self.asked.sent += errands.asked.sent;
        self.asked.throttled += errands.asked.throttled;
        self.asked.failed += errands.asked.failed;
        self.ledger.removed(&settled, (self.now_ms)()).await?;
        ended
    }

    async fn remove_all(
        &mut self,
        entity: Entity,
        of: u64,
        errands: &mut Errands<Job, Removed>,
        settled: &mut Vec<(i64, Left)>,
    ) -> Result<Option<Ended>, LedgerError> {
        let mut after = 0;
        let mut records: VecDeque<Imported> = VecDeque::new();
        let mut done = 0;
        loop {
            while errands.has_room() {
                if records.is_empty() {
                    records.extend(self.ledger.imported(entity, after, AHEAD).await?);
                }
                let Some(imported) = records.pop_front() else {
                    break;
                };
                after = imported.record;
                errands.push(Job {
                    record: imported.record,
                    removal: Removal {
                        entity,
                        id: imported.id,
                        number: imported.number,
                        step: 0,
                    },
                });
            }
            let next = errands.next().await;
            if let Some(what) = errands.trouble.take() {
                self.watcher.trouble(&what);
            }
            let (mut job, came) = match next {
                Ok(Some(done)) => done,
                Ok(None) => return Ok(None),
                Err(halt) => return Ok(Some(halt.into())),
            };
            match came {
                Ok(Removed::NotYet) => {
                    job.removal.step += 1;
                    errands.push(job);
                    continue;
                }
                Ok(Removed::Gone) => {
                    self.removed.entry(entity).or_default().0 += 1;
                    settled.push((job.record, Left::Removed));
                }
                Ok(Removed::Absent) => {
                    self.removed.entry(entity).or_default().1 += 1;
                    settled.push((job.record, Left::Absent));
                }
                Ok(Removed::Refused { code, message }) => {
                    let reason = format!("{code}: {message}");
                    self.leave(&job, reason.trim_end_matches([':', ' ']).to_owned());
                }
                Err(what) => self.leave(&job, what),
            }
            done += 1;
            self.watcher.doing("removing", entity, done, Some(of));
            if settled.len() >= TOGETHER {
                self.ledger.removed(settled, (self.now_ms)()).await?;
                settled.clear();
            }
        }
    }

    /// Notes that something could not be taken away.
    fn leave(&mut self, job: &Job, reason: String) {
        let entity = job.removal.entity;
        *self.left.entry(entity).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            let id = job.removal.id.as_str().to_owned();
            self.examples.push((entity, id, reason));
        }
    }
}
