//! What should be there: what the ledger says was delivered, with what the pipeline makes of it.

use std::collections::HashMap;

use chatferry_core::{Entity, Key};
use sqlx::{QueryBuilder, Sqlite};

use super::Reconciliation;
use crate::LedgerError;
use crate::write::stored;

/// A record as the pipeline makes it, in hashes.
#[derive(Clone, Debug)]
pub struct ShapedRecord {
    /// What it is.
    pub entity: Entity,
    /// Which one.
    pub key: Key,
    /// What it belongs to.
    pub part_of: Option<String>,
    /// By what it is recognised without a number.
    pub likeness: Option<u64>,
    /// A hash of each field that is compared.
    pub digests: Vec<u8>,
    /// What may be there because of it.
    pub brings: Vec<Key>,
}

/// Rows in one statement; SQLite binds at most 32,766 values.
const ROWS: usize = 4_000;

/// The key that a name has among the parts.
pub(crate) fn part(name: &str) -> i64 {
    stored(Key::of_words(&[name]).0)
}

impl Reconciliation {
    /// Forgets what was shaped so far, to begin again.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn begin_expecting(&mut self) -> Result<(), LedgerError> {
        let forget = "BEGIN; DELETE FROM shaped; DELETE FROM parts; DELETE FROM brought; COMMIT;";
        let forgotten = sqlx::raw_sql(forget).execute(&mut self.connection).await;
        forgotten.map(|_| ()).map_err(|error| self.failed(&error))
    }

    /// Writes down what the pipeline makes.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn shaped(&mut self, records: &[ShapedRecord]) -> Result<(), LedgerError> {
        let result = self.try_shaped(records).await;
        result.map_err(|error| self.failed(&error))
    }

    async fn try_shaped(&mut self, records: &[ShapedRecord]) -> Result<(), sqlx::Error> {
        let connection = &mut self.connection;
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        for records in records.chunks(ROWS) {
            let mut insert: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT INTO shaped (entity, key, part, likeness, digests) ");
            insert.push_values(records, |mut row, record| {
                row.push_bind(i64::from(record.entity.number()))
                    .push_bind(stored(record.key.0))
                    .push_bind(record.part_of.as_deref().map(part))
                    .push_bind(record.likeness.map(stored))
                    .push_bind(record.digests.as_slice());
            });
            insert.build().execute(&mut *connection).await?;
            let mut parts: HashMap<(i64, i64), &str> = HashMap::new();
            for record in records {
                if let Some(name) = &record.part_of {
                    parts.insert((i64::from(record.entity.number()), part(name)), name);
                }
            }
            if !parts.is_empty() {
                let mut insert: QueryBuilder<Sqlite> =
                    QueryBuilder::new("INSERT OR IGNORE INTO parts (entity, part, name) ");
                insert.push_values(parts, |mut row, ((entity, part), name)| {
                    row.push_bind(entity).push_bind(part).push_bind(name);
                });
                insert.build().execute(&mut *connection).await?;
            }
            let brought: Vec<i64> = records
                .iter()
                .flat_map(|record| record.brings.iter().map(|key| stored(key.0)))
                .collect();
            for keys in brought.chunks(ROWS) {
                let mut insert: QueryBuilder<Sqlite> =
                    QueryBuilder::new("INSERT OR IGNORE INTO brought (key) ");
                insert.push_values(keys, |mut row, key| {
                    row.push_bind(*key);
                });
                insert.build().execute(&mut *connection).await?;
            }
        }
        sqlx::raw_sql("COMMIT").execute(connection).await?;
        Ok(())
    }

    /// Joins what the ledger says was delivered with what was shaped, in the order in which it
    /// will be looked up, and plans the lists that have to be read. `numbered` are the entities
    /// that the destination knows by numbers; `listed` tells what is listed in what.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn expect(
        &mut self,
        numbered: &[Entity],
        listed: &[(Entity, Option<Entity>)],
    ) -> Result<(), LedgerError> {
        let result = self.try_expect(numbered, listed).await;
        result.map_err(|error| self.failed(&error))
    }

    async fn try_expect(
        &mut self,
        numbered: &[Entity],
        listed: &[(Entity, Option<Entity>)],
    ) -> Result<(), sqlx::Error> {
        let numbers: Vec<String> = numbered.iter().map(|it| it.number().to_string()).collect();
        let is_numbered = format!("d.entity IN ({})", numbers.join(", "));
        let has_number = "d.remote IS NOT NULL \
             AND CAST(CAST(d.remote AS INTEGER) AS TEXT) = CAST(d.remote AS TEXT)";
        // Of two rows with one id the first was sent.
        let joined = "FROM ledger.delivered d LEFT JOIN shaped s \
             ON s.n = (SELECT min(n) FROM shaped WHERE key = d.key)";
        let mut steps = vec![
            "BEGIN".to_owned(),
            "DELETE FROM expected; DELETE FROM unnumbered; DELETE FROM listings".to_owned(),
            "CREATE INDEX IF NOT EXISTS shaped_by_key ON shaped (key, n)".to_owned(),
            format!(
                "INSERT OR IGNORE INTO expected (entity, handle, record, key, part, digests) \
                 SELECT d.entity, d.key, d.record, d.key, s.part, s.digests {joined} \
                 WHERE NOT ({is_numbered}) ORDER BY d.entity, d.key"
            ),
            format!(
                "INSERT OR IGNORE INTO expected (entity, handle, record, key, part, digests) \
                 SELECT d.entity, CAST(d.remote AS INTEGER), d.record, d.key, s.part, s.digests \
                 {joined} WHERE {is_numbered} AND {has_number} ORDER BY 1, 2"
            ),
            format!(
                "INSERT INTO unnumbered (entity, record, key, likeness, part, digests) \
                 SELECT d.entity, d.record, d.key, s.likeness, s.part, s.digests {joined} \
                 WHERE {is_numbered} AND NOT ({has_number})"
            ),
            "CREATE INDEX IF NOT EXISTS unnumbered_by_likeness ON unnumbered (likeness)".to_owned(),
            "CREATE INDEX IF NOT EXISTS unnumbered_by_key ON unnumbered (key)".to_owned(),
            "INSERT OR REPLACE INTO undelivered \
             SELECT s.entity, s.rows - coalesce(e.rows, 0) FROM \
             (SELECT entity, count(*) AS rows FROM shaped GROUP BY entity) s LEFT JOIN \
             (SELECT entity, count(*) AS rows FROM (SELECT entity, digests FROM expected \
             UNION ALL SELECT entity, digests FROM unnumbered) WHERE digests IS NOT NULL \
             GROUP BY entity) e ON e.entity = s.entity"
                .to_owned(),
            "DROP INDEX shaped_by_key".to_owned(),
            "DELETE FROM shaped".to_owned(),
        ];
        for (entity, within) in listed {
            let entity = entity.number();
            steps.push(match within {
                None => format!("INSERT INTO listings (entity) VALUES ({entity})"),
                Some(container) => format!(
                    "INSERT INTO listings (entity, within) SELECT {entity}, id FROM ledger.delivered \
                     WHERE entity = {} UNION SELECT {entity}, name FROM parts WHERE entity = {entity}",
                    container.number()
                ),
            });
        }
        steps.push(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('stage', 'reading')".to_owned(),
        );
        steps.push("COMMIT".to_owned());
        for step in steps {
            let done = sqlx::raw_sql(sqlx::AssertSqlSafe(step))
                .execute(&mut self.connection)
                .await;
            if let Err(error) = done {
                let _ = sqlx::raw_sql("ROLLBACK")
                    .execute(&mut self.connection)
                    .await;
                return Err(error);
            }
        }
        Ok(())
    }
}
