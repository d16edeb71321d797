//! What was taken away again, so that a later run imports it once more.

use std::collections::BTreeMap;

use chatferry_core::{Entity, RecordId};
use sqlx::{Connection, QueryBuilder, Row, Sqlite};

use crate::{Ledger, LedgerError};

/// A record that this pipeline imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its number in the ledger, by which [`Ledger::removed`] is told of it.
    pub record: i64,
    /// Which one.
    pub id: RecordId,
    /// The destination's own number of it, if it told.
    pub number: Option<Box<str>>,
}

/// What of an entity the ledger says is at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Records that were imported and can be taken away.
    pub imported: u64,
    /// Records that were imported, whose number the destination did not tell.
    pub unnumbered: u64,
    /// Records that were there before.
    pub present: u64,
}

/// How a record left the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It was taken away.
    Removed,
    /// It was not there any more.
    Absent,
}

/// Records that have left the ledger, and what was at their places.
const TABLE: &str = "
CREATE TABLE IF NOT EXISTS removed (
    left_ms INTEGER NOT NULL,
    how     TEXT NOT NULL,
    entity  INTEGER NOT NULL,
    id      TEXT NOT NULL,
    remote
);
";

impl Ledger {
    /// The number of the last delivered record, and how many there are.
    pub(crate) async fn extent(&mut self) -> Result<(i64, i64), LedgerError> {
        let row = sqlx::query("SELECT coalesce(max(record), 0), count(*) FROM delivered")
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok((row.get(0), row.get(1)))
    }

    /// What of each entity the ledger says is at the destination. Records of a `numbered` entity
    /// can only be taken away by the destination's own number.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn holdings(
        &mut self,
        numbered: &[Entity],
    ) -> Result<BTreeMap<Entity, Holdings>, LedgerError> {
        let query = format!(
            "SELECT entity, count(*) FILTER (WHERE NOT present AND NOT ({0})), \
             count(*) FILTER (WHERE NOT present AND {0}), count(*) FILTER (WHERE present) \
             FROM delivered GROUP BY entity",
            unnumbered(numbered)
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        let count = |row: &sqlx::sqlite::SqliteRow, column: usize| {
            u64::try_from(row.get::<i64, _>(column)).unwrap_or_default()
        };
        let holdings = rows.iter().filter_map(|row| {
            let entity = Entity::from_number(u8::try_from(row.get::<i64, _>(0)).ok()?)?;
            let holdings = Holdings {
                imported: count(row, 1),
                unnumbered: count(row, 2),
                present: count(row, 3),
            };
            Some((entity, holdings))
        });
        Ok(holdings.collect())
    }

    /// Prepares the ledger for records to be taken away: a later run reads every row again, and
    /// sends those again that were there before or have no number. Whoever takes away a user or a
    /// group cannot know what goes along with it; "already exists" tells the later run.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written; then nothing has changed.
    pub async fn begin_removal(
        &mut self,
        numbered: &[Entity],
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let result = self.try_begin_removal(numbered, now_ms).await;
        result.map_err(|error| LedgerError::sqlite("write", &self.path, &error))
    }

    async fn try_begin_removal(
        &mut self,
        numbered: &[Entity],
        now_ms: i64,
    ) -> Result<(), sqlx::Error> {
        let which = format!("present OR ({})", unnumbered(numbered));
        let mut transaction = self.connection.begin().await?;
        sqlx::raw_sql(TABLE).execute(&mut *transaction).await?;
        // Whatever lets a run leave rows unread: they are to be sent again.
        let shortcuts =
            "SELECT name FROM sqlite_schema WHERE name IN ('marks', 'changes', 'differing')";
        for row in sqlx::query(shortcuts).fetch_all(&mut *transaction).await? {
            let forget = format!("DELETE FROM {}", row.get::<String, _>(0));
            sqlx::query(sqlx::AssertSqlSafe(forget))
                .execute(&mut *transaction)
                .await?;
        }
        let copy = format!(
            "INSERT INTO removed (left_ms, how, entity, id, remote) \
             SELECT ?, 'forgotten', entity, id, remote FROM delivered WHERE {which}"
        );
        sqlx::query(sqlx::AssertSqlSafe(copy))
            .bind(now_ms)
            .execute(&mut *transaction)
            .await?;
        let delete = format!("DELETE FROM delivered WHERE {which}");
        sqlx::query(sqlx::AssertSqlSafe(delete))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// At most `most` imported records of an entity with numbers above `after`, in their order.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn imported(
        &mut self,
        entity: Entity,
        after: i64,
        most: usize,
    ) -> Result<Vec<Imported>, LedgerError> {
        let query = "SELECT record, id, CAST(remote AS TEXT) FROM delivered \
                     WHERE record > ? AND entity = ? AND NOT present ORDER BY record LIMIT ?";
        let rows = sqlx::query(query)
            .bind(after)
            .bind(i64::from(entity.number()))
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        let imported = rows.iter().map(|row| Imported {
            record: row.get(0),
            id: RecordId::new(row.get(1)),
            number: row.get::<Option<String>, _>(2).map(Into::into),
        });
        Ok(imported.collect())
    }

    /// Writes down that records were taken away: all of them or none.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written; then none of it is.
    pub async fn removed(
        &mut self,
        records: &[(i64, Left)],
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let result = self.try_removed(records, now_ms).await;
        result.map_err(|error| LedgerError::sqlite("write", &self.path, &error))
    }

    /// How many records were taken away, by entity.
    pub(crate) async fn removed_so_far(&mut self) -> Result<BTreeMap<Entity, u64>, sqlx::Error> {
        let table = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'removed'")
            .fetch_optional(&mut self.connection)
            .await?;
        if table.is_none() {
            return Ok(BTreeMap::new());
        }
        let rows = sqlx::query(
            "SELECT entity, count(*) FROM removed WHERE how <> 'forgotten' GROUP BY entity",
        )
        .fetch_all(&mut self.connection)
        .await?;
        let removed = rows.iter().filter_map(|row| {
            let entity = Entity::from_number(u8::try_from(row.get::<i64, _>(0)).ok()?)?;
            let records = u64::try_from(row.get::<i64, _>(1)).unwrap_or_default();
            Some((entity, records))
        });
        Ok(removed.collect())
    }

    async fn try_removed(
        &mut self,
        records: &[(i64, Left)],
        now_ms: i64,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        for (how, name) in [(Left::Removed, "removed"), (Left::Absent, "absent")] {
            let numbers = records.iter().filter(|(_, left)| *left == how);
            let numbers: Vec<i64> = numbers.map(|(record, _)| *record).collect();
            for numbers in numbers.chunks(10_000) {
                let mut copy: QueryBuilder<Sqlite> = QueryBuilder::new(
                    "INSERT INTO removed (left_ms, how, entity, id, remote) SELECT ",
                );
                copy.push_bind(now_ms).push(", ").push_bind(name);
                copy.push(", entity, id, remote FROM delivered WHERE record IN (");
                listed(&mut copy, numbers);
                copy.build().execute(&mut *transaction).await?;
                let mut delete: QueryBuilder<Sqlite> =
                    QueryBuilder::new("DELETE FROM delivered WHERE record IN (");
                listed(&mut delete, numbers);
                delete.build().execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await
    }
}

/// The condition for records that can only be taken away by a number, and have none.
fn unnumbered(numbered: &[Entity]) -> String {
    let numbers: Vec<String> = numbered
        .iter()
        .map(|entity| entity.number().to_string())
        .collect();
    format!("(entity IN ({}) AND remote IS NULL)", numbers.join(", "))
}

/// Numbers and the bracket that closes their list.
fn listed(query: &mut QueryBuilder<Sqlite>, numbers: &[i64]) {
    let mut list = query.separated(", ");
    for number in numbers {
        list.push_bind(*number);
    }
    query.push(")");
}
