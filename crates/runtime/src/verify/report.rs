//! What a verification has come to: sums that agree, and the first findings of each kind.

use chatferry_core::Entity;
use chatferry_ledger::{EntitySums, LedgerError, PartSums, Reconciliation};

use crate::compare::shortened;

/// What one entity has come to.
#[derive(Clone, Debug)]
pub struct EntityReport {
    /// Which one.
    pub entity: Entity,
    /// How many of each.
    pub sums: EntitySums,
    /// In which fields how many records differ.
    pub fields: Vec<(String, u64)>,
    /// The first that are missing.
    pub missing: Vec<Lost>,
    /// The first that should not be there.
    pub extra: Vec<Surplus>,
    /// The first that differ, field by field.
    pub different: Vec<Differs>,
}

/// A record that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its id.
    pub id: String,
    /// What it belongs to.
    pub part_of: Option<String>,
    /// Whether the destination says that it was deleted.
    pub deleted: bool,
}

/// Something that is there and should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surplus {
    /// Its id, or the destination's number.
    pub id: String,
    /// What it belongs to.
    pub part_of: Option<String>,
}

/// A field of a record that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// The record's id.
    pub id: String,
    /// The field.
    pub field: String,
    /// What the pipeline makes, shortened; `None` when it does not make the record any more.
    pub expected: Option<String>,
    /// What the destination holds, shortened.
    pub found: String,
}

/// How the conversations stand.
#[derive(Clone, Debug, Default)]
pub struct PartsReport {
    /// How many there are, on either side.
    pub all: u64,
    /// How many of them do not agree.
    pub differing: u64,
    /// The worst of those.
    pub worst: Vec<PartSums>,
}

pub(super) async fn of(
    reconciliation: &mut Reconciliation,
    shown: usize,
) -> Result<(Vec<EntityReport>, PartsReport), LedgerError> {
    let sums = reconciliation.sums().await?;
    // Which ones are shown is the ledger's order, in which they were delivered. They stand by their
    // ids, so that two verifications of the same read alike.
    let mut reports = Vec::with_capacity(Entity::ALL.len());
    for entity in Entity::ALL {
        let mut missing = reconciliation.first_missing(entity, shown).await?;
        missing.sort();
        let missing = missing.into_iter();
        let extra = reconciliation
            .first_extras(entity, shown)
            .await?
            .into_iter();
        let mut different = reconciliation.first_differences(entity, shown).await?;
        different.sort_by(|one, other| one.id.cmp(&other.id));
        let different = different.into_iter();
        reports.push(EntityReport {
            entity,
            sums: sums.get(&entity).copied().unwrap_or_default(),
            fields: reconciliation.fields(entity).await?,
            missing: missing
                .map(|(id, part_of, deleted)| Lost {
                    id,
                    part_of,
                    deleted,
                })
                .collect(),
            extra: extra.map(|(id, part_of)| Surplus { id, part_of }).collect(),
            different: different
                .map(|difference| {
                    let expected = difference.expected.as_ref().map(|told| told.shown());
                    let found = difference.found.shown();
                    let (short, found) = shortened(expected.unwrap_or(found), found);
                    Differs {
                        id: difference.id,
                        field: difference.field,
                        expected: expected.map(|_| short),
                        found,
                    }
                })
                .collect(),
        });
    }
    let (all, differing, worst) = reconciliation.parts(Entity::Messages, shown).await?;
    let conversations = PartsReport {
        all,
        differing,
        worst,
    };
    Ok((reports, conversations))
}
