//! What it has come to: sums, and the first of each kind of finding.

use std::collections::BTreeMap;

use chatferry_core::{Entity, Key, Told};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::found::bits;
use super::{Reconciliation, state};
use crate::LedgerError;
use crate::write::stored;

/// How many of an entity are as they should be, and how many are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntitySums {
    /// How many should be there.
    pub expected: u64,
    /// How many are there as they should be.
    pub same: u64,
    /// How many are there and differ.
    pub different: u64,
    /// How many are only still there to say that they were deleted.
    pub deleted: u64,
    /// How many are not there.
    pub missing: u64,
    /// How many cannot be told: they have no number, and the pipeline does not make them any more.
    pub unknown: u64,
    /// How many are there and should not be.
    pub extra: u64,
    /// How many the pipeline makes that the ledger does not say were delivered.
    pub undelivered: u64,
}

/// How a conversation or another part stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSums {
    /// Its name.
    pub name: String,
    /// How many should be there.
    pub expected: u64,
    /// How many are missing or deleted.
    pub missing: u64,
    /// How many differ.
    pub different: u64,
    /// How many are there and should not be.
    pub extra: u64,
}

/// A difference as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The record id.
    pub id: String,
    /// The field.
    pub field: String,
    /// What was expected; `None` when that could not be looked up.
    pub expected: Option<Told>,
    /// What was found.
    pub found: Told,
}

fn count(row: &SqliteRow, column: usize) -> u64 {
    u64::try_from(row.get::<i64, _>(column)).unwrap_or_default()
}

fn entity(row: &SqliteRow) -> Option<Entity> {
    Entity::from_number(u8::try_from(row.get::<i64, _>(0)).ok()?)
}

impl Reconciliation {
    /// The sums by entity.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn sums(&mut self) -> Result<BTreeMap<Entity, EntitySums>, LedgerError> {
        let result = self.try_sums().await;
        result.map_err(|error| self.failed(&error))
    }

    async fn try_sums(&mut self) -> Result<BTreeMap<Entity, EntitySums>, sqlx::Error> {
        let mut sums: BTreeMap<Entity, EntitySums> = BTreeMap::new();
        let query = format!(
            "SELECT entity, state, count(*), count(*) FILTER (WHERE state = {unmet} AND cannot) FROM \
             (SELECT entity, state, 0 AS cannot FROM expected UNION ALL \
             SELECT entity, state, likeness IS NULL FROM unnumbered) GROUP BY entity, state",
            unmet = state::UNMET
        );
        for row in self.rows(query).await? {
            let Some(entity) = entity(&row) else { continue };
            let sum = sums.entry(entity).or_default();
            let records = count(&row, 2);
            sum.expected += records;
            match row.get::<i64, _>(1) {
                state::SAME => sum.same += records,
                state::DIFFERENT => sum.different += records,
                state::DELETED => sum.deleted += records,
                _ => {
                    sum.unknown += count(&row, 3);
                    sum.missing += records - count(&row, 3);
                }
            }
        }
        let extras = "SELECT entity, count(*) FROM extras GROUP BY entity".to_owned();
        for row in self.rows(extras).await? {
            if let Some(entity) = entity(&row) {
                sums.entry(entity).or_default().extra = count(&row, 1);
            }
        }
        for row in self
            .rows("SELECT entity, rows FROM undelivered".to_owned())
            .await?
        {
            if let Some(entity) = entity(&row) {
                sums.entry(entity).or_default().undelivered = count(&row, 1);
            }
        }
        Ok(sums)
    }

    async fn rows(&mut self, query: String) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(sqlx::AssertSqlSafe(query))
            .fetch_all(&mut self.connection)
            .await
    }

    /// How many parts an entity has, and those among them that are not as they should be: at most
    /// so many, the worst first.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn parts(
        &mut self,
        entity: Entity,
        most: usize,
    ) -> Result<(u64, u64, Vec<PartSums>), LedgerError> {
        let result = self.try_parts(entity, most).await;
        result.map_err(|error| self.failed(&error))
    }

    async fn try_parts(
        &mut self,
        entity: Entity,
        most: usize,
    ) -> Result<(u64, u64, Vec<PartSums>), sqlx::Error> {
        let number = entity.number();
        let (unmet, different, deleted) = (state::UNMET, state::DIFFERENT, state::DELETED);
        let sums = format!(
            "CREATE TEMP TABLE sums AS SELECT part, sum(expected) AS expected, sum(missing) AS missing, \
             sum(different) AS different, sum(extra) AS extra FROM (\
             SELECT part, 1 AS expected, state IN ({unmet}, {deleted}) AS missing, \
             state = {different} AS different, 0 AS extra FROM expected WHERE entity = {number} \
             UNION ALL SELECT part, 1, state IN ({unmet}, {deleted}), state = {different}, 0 \
             FROM unnumbered WHERE entity = {number} \
             UNION ALL SELECT part, 0, 0, 0, 1 FROM extras WHERE entity = {number}) \
             WHERE part IS NOT NULL GROUP BY part"
        );
        let prepare = format!("DROP TABLE IF EXISTS temp.sums; {sums};");
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
            .execute(&mut self.connection)
            .await?;
        let wrong = "missing + different + extra";
        let row = self
            .rows(format!(
                "SELECT count(*), count(*) FILTER (WHERE {wrong} > 0) FROM temp.sums"
            ))
            .await?;
        let (all, differing) = row
            .first()
            .map_or((0, 0), |row| (count(row, 0), count(row, 1)));
        let rows = self
            .rows(format!(
                "SELECT coalesce(p.name, '?'), s.expected, s.missing, s.different, s.extra \
                 FROM temp.sums s LEFT JOIN parts p ON p.entity = {number} AND p.part = s.part \
                 WHERE {wrong} > 0 ORDER BY {wrong} DESC, 1 LIMIT {most}"
            ))
            .await?;
        let sums = |row: &SqliteRow| PartSums {
            name: row.get(0),
            expected: count(row, 1),
            missing: count(row, 2),
            different: count(row, 3),
            extra: count(row, 4),
        };
        Ok((all, differing, rows.iter().map(sums).collect()))
    }

    /// In which fields how many records of an entity differ.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn fields(&mut self, entity: Entity) -> Result<Vec<(String, u64)>, LedgerError> {
        let query = format!(
            "SELECT field, records FROM fields WHERE entity = {} ORDER BY records DESC, field",
            entity.number()
        );
        let rows = self
            .rows(query)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(rows.iter().map(|row| (row.get(0), count(row, 1))).collect())
    }

    /// The first records of an entity that are missing or deleted: their ids, what each belongs
    /// to, and whether it is known to have been deleted.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn first_missing(
        &mut self,
        entity: Entity,
        most: usize,
    ) -> Result<Vec<(String, Option<String>, bool)>, LedgerError> {
        let query = format!(
            "SELECT d.id, p.name, m.state FROM (\
             SELECT record, part, state FROM expected \
             WHERE entity = {number} AND state IN ({unmet}, {deleted}) UNION ALL \
             SELECT record, part, state FROM unnumbered WHERE entity = {number} \
             AND (state = {deleted} OR (state = {unmet} AND likeness IS NOT NULL)) \
             ORDER BY record LIMIT {most}) m \
             JOIN ledger.delivered d ON d.record = m.record \
             LEFT JOIN parts p ON p.entity = {number} AND p.part = m.part ORDER BY m.record",
            number = entity.number(),
            unmet = state::UNMET,
            deleted = state::DELETED,
        );
        let rows = self
            .rows(query)
            .await
            .map_err(|error| self.failed(&error))?;
        let missing = |row: &SqliteRow| {
            (
                row.get(0),
                row.get(1),
                row.get::<i64, _>(2) == state::DELETED,
            )
        };
        Ok(rows.iter().map(missing).collect())
    }

    /// The first things of an entity that should not be there, and what each belongs to.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn first_extras(
        &mut self,
        entity: Entity,
        most: usize,
    ) -> Result<Vec<(String, Option<String>)>, LedgerError> {
        let query = format!(
            "SELECT e.name, p.name FROM extras e \
             LEFT JOIN parts p ON p.entity = e.entity AND p.part = e.part \
             WHERE e.entity = {} ORDER BY e.name LIMIT {most}",
            entity.number()
        );
        let rows = self
            .rows(query)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// How many differences of an entity are kept with their values.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn differences_kept(&mut self, entity: Entity) -> Result<usize, LedgerError> {
        let query = format!(
            "SELECT count(*) FROM differences WHERE entity = {}",
            entity.number()
        );
        let rows = self
            .rows(query)
            .await
            .map_err(|error| self.failed(&error))?;
        let kept = rows.first().map_or(0, |row| count(row, 0));
        Ok(usize::try_from(kept).unwrap_or(usize::MAX))
    }

    /// The records of an entity that differ and whose expected values are not known yet.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn unexplained(&mut self, entity: Entity) -> Result<Vec<Key>, LedgerError> {
        let query = format!(
            "SELECT DISTINCT key FROM differences WHERE entity = {} AND expected IS NULL",
            entity.number()
        );
        let rows = self
            .rows(query)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(rows.iter().map(|row| Key(bits(row.get(0)))).collect())
    }

    /// Writes down what was expected of a field.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn explain(
        &mut self,
        key: Key,
        field: &str,
        expected: &Told,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE differences SET expected = ?, expected_shown = ? WHERE key = ? AND field = ?",
        )
        .bind(expected.value.clone())
        .bind(expected.shown.clone())
        .bind(stored(key.0))
        .bind(field.to_owned())
        .execute(&mut self.connection)
        .await
        .map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// The first differences of an entity, in the order of the ledger.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn first_differences(
        &mut self,
        entity: Entity,
        most: usize,
    ) -> Result<Vec<Explained>, LedgerError> {
        let query = format!(
            "SELECT d.id, x.field, x.expected, x.expected_shown, x.found, x.found_shown \
             FROM differences x JOIN ledger.delivered d ON d.record = x.record \
             WHERE x.entity = {} ORDER BY x.record, x.n LIMIT {most}",
            entity.number()
        );
        let rows = self
            .rows(query)
            .await
            .map_err(|error| self.failed(&error))?;
        let explained = |row: &SqliteRow| {
            let expected: Option<String> = row.get(2);
            Explained {
                id: row.get(0),
                field: row.get(1),
                expected: expected.map(|value| Told {
                    value,
                    shown: row.get(3),
                }),
                found: Told {
                    value: row.get(4),
                    shown: row.get(5),
                },
            }
        };
        Ok(rows.iter().map(explained).collect())
    }
}
