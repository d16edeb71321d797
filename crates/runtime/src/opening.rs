//! What a run begins with: what earlier runs left in the ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chatferry_core::{Entity, FlowAccount, Since};
use chatferry_ledger::{Ledger, LedgerError, Mark, RunId};

use crate::admission::Admission;
use crate::books::{Begun, Books, gone_on_with};
use crate::intake::FlowInput;
use crate::run::Again;

/// What a run begins with.
pub(crate) struct Opened {
    /// The flows by entity, in the order of the file within one entity.
    pub(crate) order: Vec<usize>,
    /// Which rows of each of these are read.
    pub(crate) since: Vec<Since>,
    pub(crate) admission: Admission,
    pub(crate) books: Books,
}

/// Begins a run: reads what earlier ones have delivered, and where the last one was interrupted.
pub(crate) async fn open(
    ledger: &mut Ledger,
    flows: &[FlowInput],
    pipeline: u64,
    again: Again,
    now_ms: i64,
    spill: Option<PathBuf>,
) -> Result<(RunId, Opened), LedgerError> {
    let found = Found::read(ledger, flows, pipeline, again, spill).await?;
    let run = ledger.begin_run(now_ms, pipeline).await?;
    let kept: Vec<String> = found.marks.iter().map(|mark| mark.flow.clone()).collect();
    ledger.keep_marks(run, &kept).await?;
    Ok((run, found.opened(flows, run.number())))
}

/// What a run would begin with; nothing is written down.
pub(crate) async fn look(
    ledger: Option<&mut Ledger>,
    flows: &[FlowInput],
    pipeline: u64,
    again: Again,
    spill: Option<PathBuf>,
) -> Result<Opened, LedgerError> {
    let found = match ledger {
        Some(ledger) => Found::read(ledger, flows, pipeline, again, spill).await?,
        None => Found::nothing(spill),
    };
    Ok(found.opened(flows, 0))
}

/// What earlier runs left in the ledger.
struct Found {
    admission: Admission,
    /// The number of the last delivered record.
    last_record: i64,
    /// Where flows are gone on with.
    marks: Vec<Mark>,
    /// By what flows know rows that have changed since.
    changes: BTreeMap<String, String>,
    /// Whether rows that are not met are not there any more.
    all: bool,
}

impl Found {
    fn nothing(spill: Option<PathBuf>) -> Self {
        Self {
            admission: Admission::new(Vec::new(), false, spill),
            last_record: 0,
            marks: Vec::new(),
            changes: BTreeMap::new(),
            all: true,
        }
    }

    async fn read(
        ledger: &mut Ledger,
        flows: &[FlowInput],
        pipeline: u64,
        again: Again,
        spill: Option<PathBuf>,
    ) -> Result<Self, LedgerError> {
        let retry_refused = again == Again::Refused;
        let mut admission = Admission::new(ledger.refused().await?, retry_refused, spill);
        // Refused records may stand anywhere.
        let (mut marks, mut changes) = match again {
            Again::Nothing => (
                ledger.marks(pipeline).await?,
                ledger.changes(pipeline).await?,
            ),
            Again::Refused | Again::Everything | Again::Arrivals => (Vec::new(), BTreeMap::new()),
        };
        changes.retain(|name, changed| can_be_asked(name, changed, flows));
        marks.retain(|mark| can_go_on(mark, flows));
        let stretches = Entity::ALL.into_iter();
        let stretches = stretches.filter_map(|it| Some((it, surely_met(it, flows, &marks)?)));
        let stretches: Vec<_> = stretches.collect();
        let last_record = ledger
            .delivered_before(&stretches, |records| admission.settled_before(records))
            .await?;
        admission.seal();
        // What refers to them has to know of those that are not read again, too.
        for flow in flows {
            let is_referred_to = matches!(flow.entity, Entity::Users | Entity::Groups);
            if is_referred_to && (changes.contains_key(&flow.name) || again == Again::Arrivals) {
                let undelivered = ledger.undelivered_keys(&flow.name).await?;
                undelivered
                    .into_iter()
                    .for_each(|key| admission.failed(key));
            }
        }
        Ok(Self {
            admission,
            last_record,
            marks,
            changes,
            all: again != Again::Arrivals,
        })
    }

    /// What the run of that number begins with.
    fn opened(mut self, flows: &[FlowInput], run: i64) -> Opened {
        let last_record = self.last_record;
        let mut order: Vec<usize> = (0..flows.len()).collect();
        order.sort_by_key(|flow| flows[*flow].entity);
        let mut books = Books::new(last_record);
        let mut since = Vec::with_capacity(order.len());
        for flow in &order {
            let flow = &flows[*flow];
            let mark = self.marks.iter().find(|mark| mark.flow == flow.name);
            let changed = self.changes.remove(&flow.name);
            // Rows that are not met again are as they were.
            let begun_in = if changed.is_some() || !self.all {
                0
            } else {
                run
            };
            since.push(Since {
                position: mark.map(|mark| mark.position.clone()),
                changed,
            });
            match mark {
                Some(mark) => books.add_flow(
                    gone_on_with(&mark.before),
                    Begun {
                        run: mark.begun_in,
                        record: mark.records.0,
                        known: Some(mark.records.1),
                    },
                ),
                None => books.add_flow(
                    FlowAccount::new(&flow.name, flow.entity),
                    Begun {
                        run: begun_in,
                        record: last_record,
                        known: None,
                    },
                ),
            }
        }
        Opened {
            order,
            since,
            admission: self.admission,
            books,
        }
    }
}

/// Whether a flow can be gone on with from that mark. Users and groups are always read from the
/// first one on, since what refers to them depends on what became of each.
fn can_go_on(mark: &Mark, flows: &[FlowInput]) -> bool {
    let flow = flows.iter().find(|flow| flow.name == mark.flow);
    flow.is_some_and(|flow| {
        flow.entity == mark.before.entity
            && matches!(flow.entity, Entity::Members | Entity::Messages)
            && can_be_read(flow, Some(&mark.position), None)
    })
}

/// Whether a flow can be asked for what has changed since.
fn can_be_asked(name: &str, changed: &str, flows: &[FlowInput]) -> bool {
    let flow = flows.iter().find(|flow| flow.name == name);
    flow.is_some_and(|flow| can_be_read(flow, None, Some(changed)))
}

fn can_be_read(flow: &FlowInput, position: Option<&str>, changed: Option<&str>) -> bool {
    let since = Since {
        position: position.map(str::to_owned),
        changed: changed.map(str::to_owned),
    };
    (flow.open)(&since).is_some()
}

/// The delivered records of an entity that are surely of rows which will not be read again: a row
/// with the id of one of them has it twice. Doubles of what was under way when the run was
/// interrupted are counted as delivered before.
fn surely_met(entity: Entity, flows: &[FlowInput], marks: &[Mark]) -> Option<(i64, i64)> {
    let mut records: Option<(i64, i64)> = None;
    for flow in flows.iter().filter(|flow| flow.entity == entity) {
        let mark = marks.iter().find(|mark| mark.flow == flow.name)?;
        let (first, last) = records.unwrap_or((i64::MIN, i64::MAX));
        records = Some((first.max(mark.records.0), last.min(mark.records.1)));
    }
    records
}
