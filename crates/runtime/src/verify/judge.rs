//! What was read back beside what should be there.

use std::collections::{HashMap, HashSet};

use chatferry_core::{Entity, Inspection, Item, Key};
use chatferry_ledger::{Difference, Extra, Findings, Known, LedgerError, Reconciliation, Target};

use crate::compare::differing;

/// Differences of an entity that are kept with their values; all of them are counted.
const KEPT: usize = 1_000;

/// Judges what is on a page.
pub(super) async fn judge(
    inspection: &dyn Inspection,
    reconciliation: &mut Reconciliation,
    entity: Entity,
    items: &[Item],
) -> Result<Findings, LedgerError> {
    let handles: Vec<i64> = items
        .iter()
        .map(|item| handle(inspection, entity, item))
        .collect();
    let known = reconciliation.known(entity, &handles).await?;
    let mut alike = Alike::default();
    if inspection.is_numbered(entity) {
        let others = items
            .iter()
            .zip(&handles)
            .filter(|(_, handle)| !known.contains_key(handle));
        let others: Vec<&Item> = others.map(|(item, _)| item).collect();
        let likenesses: Vec<u64> = others
            .iter()
            .filter_map(|it| it.contents.likeness)
            .collect();
        let keys = others
            .iter()
            .filter_map(|item| key(entity, item))
            .collect::<Vec<_>>();
        alike = Alike::new(reconciliation.alike(&likenesses, &keys).await?);
    }
    let kept = reconciliation.differences_kept(entity).await?;
    let mut judging = Judging {
        names: inspection.compared(entity),
        room: KEPT.saturating_sub(kept),
        findings: Findings::default(),
        met: HashSet::new(),
    };
    for (item, handle) in items.iter().zip(handles) {
        match known
            .get(&handle)
            .cloned()
            .or_else(|| alike.take(entity, item))
        {
            Some(known) => judging.meet(&known, item),
            None if item.deleted => {}
            None => judging.findings.extras.push(Extra {
                handle,
                name: name(item),
                part_of: item.contents.part_of.clone(),
            }),
        }
    }
    Ok(judging.findings)
}

/// What has no number, by how it is recognised.
#[derive(Default)]
struct Alike {
    by_key: HashMap<Key, Known>,
    by_likeness: HashMap<u64, Vec<Known>>,
    taken: HashSet<Target>,
}

impl Alike {
    fn new(found: Vec<(Option<u64>, Known)>) -> Self {
        let mut alike = Self::default();
        for (likeness, known) in found {
            if let Some(likeness) = likeness {
                alike
                    .by_likeness
                    .entry(likeness)
                    .or_default()
                    .push(known.clone());
            }
            alike.by_key.insert(known.key, known);
        }
        alike
    }

    /// The one that this is, or is like; each is given once.
    fn take(&mut self, entity: Entity, item: &Item) -> Option<Known> {
        let by_key = key(entity, item)
            .and_then(|key| self.by_key.get(&key))
            .cloned();
        let by_key = by_key.filter(|known| !self.taken.contains(&known.target));
        let known = by_key.or_else(|| {
            let alike = self.by_likeness.get(&item.contents.likeness?)?;
            alike
                .iter()
                .find(|known| !self.taken.contains(&known.target))
                .cloned()
        })?;
        self.taken.insert(known.target);
        Some(known)
    }
}

struct Judging {
    names: &'static [&'static str],
    /// How many more differences are kept with their values.
    room: usize,
    findings: Findings,
    met: HashSet<Target>,
}

impl Judging {
    fn meet(&mut self, known: &Known, item: &Item) {
        if known.met || !self.met.insert(known.target) {
            return;
        }
        if item.deleted {
            self.findings.deleted.push(known.target);
            return;
        }
        let fields = &item.contents.fields;
        let expected = known.digests.as_deref().unwrap_or_default();
        let differing = differing(expected, fields);
        if differing.is_empty() {
            self.findings.same.push(known.target);
            return;
        }
        self.findings.different.push(known.target);
        for place in differing {
            let Some((field, Some(found))) = self.names.get(place).copied().zip(fields.get(place))
            else {
                continue;
            };
            *self.findings.fields.entry(field).or_default() += 1;
            if self.room > 0 {
                self.room -= 1;
                self.findings.differences.push(Difference {
                    record: known.record,
                    key: known.key,
                    field,
                    found: found.clone(),
                });
            }
        }
    }
}

/// The handle under which it should be written down.
fn handle(inspection: &dyn Inspection, entity: Entity, item: &Item) -> i64 {
    let number = item
        .number
        .as_deref()
        .filter(|_| inspection.is_numbered(entity));
    match number.map(str::parse) {
        Some(Ok(number)) => number,
        _ => match Target::from(Key::of(entity, &name(item))) {
            Target::Handle(handle) | Target::Unnumbered(handle) => handle,
        },
    }
}

fn key(entity: Entity, item: &Item) -> Option<Key> {
    item.id.as_ref().map(|id| Key::of(entity, id.as_str()))
}

/// How it is called: by its record id, else by the destination's number.
fn name(item: &Item) -> String {
    let id = item.id.as_ref().map(|id| id.as_str());
    id.or(item.number.as_deref()).unwrap_or_default().to_owned()
}
