//! Which lists are still to be read, and what is missing when all were.

use chatferry_core::Entity;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::{Reconciliation, state};
use crate::LedgerError;

/// A list that was not read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its number.
    pub number: i64,
    /// What it belongs to, where there is more than one.
    pub within: Option<String>,
    /// Where it goes on; `None` when it was not begun.
    pub cursor: Option<String>,
}

/// Something that should be there and was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its number in the ledger.
    pub record: i64,
    /// The record id.
    pub id: String,
    /// The destination's own number, where it has one.
    pub number: Option<String>,
}

impl Reconciliation {
    /// The next lists of an entity that were not read to their ends, after the one with that number.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn unread(
        &mut self,
        entity: Entity,
        after: i64,
        most: usize,
    ) -> Result<Vec<Listing>, LedgerError> {
        let rows = sqlx::query(
            "SELECT n, within, cursor FROM listings \
             WHERE entity = ? AND n > ? AND NOT done ORDER BY n LIMIT ?",
        )
        .bind(i64::from(entity.number()))
        .bind(after)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| self.failed(&error))?;
        let listing = |row: &sqlx::sqlite::SqliteRow| Listing {
            number: row.get(0),
            within: row.get(1),
            cursor: row.get(2),
        };
        Ok(rows.iter().map(listing).collect())
    }

    /// Whether a page of a list is known by one of these already.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn visited(&mut self, listing: i64, what: &[u64]) -> Result<bool, LedgerError> {
        let mut query: QueryBuilder<Sqlite> =
            QueryBuilder::new("SELECT 1 FROM visited WHERE listing = ");
        query.push_bind(listing).push(" AND what IN (");
        let mut list = query.separated(", ");
        for what in what {
            list.push_bind(crate::write::stored(*what));
        }
        query.push(") LIMIT 1");
        let row = query.build().fetch_optional(&mut self.connection).await;
        row.map(|row| row.is_some())
            .map_err(|error| self.failed(&error))
    }

    /// Gathers what was not met, and says how much of each entity it is.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn gather_missing(&mut self) -> Result<Vec<(Entity, u64)>, LedgerError> {
        let unmet = state::UNMET;
        let gather = format!(
            "BEGIN; DELETE FROM missing; \
             INSERT INTO missing SELECT record, entity, handle, NULL FROM expected \
             WHERE state = {unmet} ORDER BY record; \
             INSERT INTO missing SELECT record, entity, NULL, n FROM unnumbered \
             WHERE state = {unmet} AND likeness IS NOT NULL; COMMIT;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(gather))
            .execute(&mut self.connection)
            .await
            .map_err(|error| self.failed(&error))?;
        let rows = sqlx::query("SELECT entity, count(*) FROM missing GROUP BY entity")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| self.failed(&error))?;
        let count = |row: &sqlx::sqlite::SqliteRow| {
            let entity = Entity::from_number(u8::try_from(row.get::<i64, _>(0)).ok()?)?;
            Some((
                entity,
                u64::try_from(row.get::<i64, _>(1)).unwrap_or_default(),
            ))
        };
        Ok(rows.iter().filter_map(count).collect())
    }

    /// What is missing of an entity, the latest first, before the record with that number.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn missing(
        &mut self,
        entity: Entity,
        before: i64,
        most: usize,
    ) -> Result<Vec<Missing>, LedgerError> {
        let rows = sqlx::query(
            "SELECT m.record, d.id, CAST(d.remote AS TEXT) FROM missing m \
             JOIN ledger.delivered d ON d.record = m.record \
             WHERE m.entity = ? AND m.record < ? ORDER BY m.record DESC LIMIT ?",
        )
        .bind(i64::from(entity.number()))
        .bind(before)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| self.failed(&error))?;
        let missing = |row: &sqlx::sqlite::SqliteRow| Missing {
            record: row.get(0),
            id: row.get(1),
            number: row.get(2),
        };
        Ok(rows.iter().map(missing).collect())
    }

    /// Has the lists read again of which something is missing: at most so many. Says how many.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn read_again(&mut self, entity: Entity, most: usize) -> Result<u64, LedgerError> {
        let insert = "INSERT INTO listings (entity, within) SELECT DISTINCT p.entity, p.name \
             FROM missing m JOIN expected e ON e.entity = m.entity AND e.handle = m.handle \
             JOIN parts p ON p.entity = e.entity AND p.part = e.part WHERE m.entity = ? LIMIT ?";
        let inserted = sqlx::query(insert)
            .bind(i64::from(entity.number()))
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .execute(&mut self.connection)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(inserted.rows_affected())
    }
}
