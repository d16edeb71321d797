//! What was not delivered, and why: row by row, and by reason.

use chatferry_core::{Entity, Key, OutcomeKind};
use futures::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::read::bits;
use crate::{Ledger, LedgerError};

/// A row that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// By what it is known.
    pub key: Key,
    /// The flow that made it.
    pub flow: String,
    /// What it is.
    pub entity: Entity,
    /// Its record id, as far as it is known.
    pub id: Option<String>,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// The rule, the API's code, or the field by which it is blocked.
    pub reason: String,
    /// What was found, or the API's words.
    pub detail: String,
    /// Where it stands in its source, as far as that is known.
    pub place: Option<String>,
}

/// Rows of one flow that were not delivered for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub rows: u64,
    /// A few of them, at least one.
    pub examples: Vec<Failed>,
}

const COLUMNS: &str = "key, flow, entity, id, outcome, reason, detail, place";

impl Failed {
    /// The row, unless it was written by a program that knows more than this one.
    fn read(row: &SqliteRow) -> Option<Self> {
        Some(Self {
            key: Key(bits(row.get("key"))),
            flow: row.get("flow"),
            entity: Entity::from_number(u8::try_from(row.get::<i64, _>("entity")).ok()?)?,
            id: row.get("id"),
            outcome: OutcomeKind::from_name(row.get("outcome"))?,
            reason: row.get("reason"),
            detail: row.get("detail"),
            place: row.get("place"),
        })
    }
}

impl Ledger {
    /// What was not delivered by flow, outcome and reason, with so many examples of each.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn failures(&mut self, examples: u32) -> Result<Vec<Failures>, LedgerError> {
        let query = format!(
            "SELECT {COLUMNS}, rows FROM (SELECT *, \
             row_number() OVER (PARTITION BY entity, flow, outcome, reason ORDER BY id, place, key) AS place_in, \
             count(*) OVER (PARTITION BY entity, flow, outcome, reason) AS rows FROM undelivered) \
             WHERE place_in <= ? ORDER BY entity, flow, outcome, rows DESC, reason, place_in"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(examples.max(1))
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        let mut failures: Vec<Failures> = Vec::new();
        for row in &found {
            let Some(failed) = Failed::read(row) else {
                continue;
            };
            let same = |group: &&mut Failures| {
                let first = &group.examples[0];
                (&first.flow, first.entity, first.outcome, &first.reason)
                    == (&failed.flow, failed.entity, failed.outcome, &failed.reason)
            };
            match failures.last_mut().filter(same) {
                Some(group) => group.examples.push(failed),
                None => failures.push(Failures {
                    rows: u64::try_from(row.get::<i64, _>("rows")).unwrap_or_default(),
                    examples: vec![failed],
                }),
            }
        }
        Ok(failures)
    }

    /// Gives every row that was not delivered, by entity, flow, outcome and reason.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn each_failure(&mut self, mut take: impl FnMut(Failed)) -> Result<(), LedgerError> {
        let query = format!(
            "SELECT {COLUMNS} FROM undelivered ORDER BY entity, flow, outcome, reason, id, place, key"
        );
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch(&mut self.connection);
        loop {
            match rows.try_next().await {
                Ok(Some(row)) => Failed::read(&row).into_iter().for_each(&mut take),
                Ok(None) => return Ok(()),
                Err(error) => return Err(LedgerError::sqlite("read", &self.path, &error)),
            }
        }
    }

    /// The keys of all rows that were not delivered.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn failed_keys(&mut self) -> Result<Vec<Key>, LedgerError> {
        let keys = sqlx::query_scalar("SELECT key FROM undelivered")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(keys.into_iter().map(|key: i64| Key(bits(key))).collect())
    }

    /// The row with that key, if it was not delivered.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn failed(&mut self, key: Key) -> Result<Option<Failed>, LedgerError> {
        let query = format!("SELECT {COLUMNS} FROM undelivered WHERE key = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(crate::write::stored(key.0))
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(row.as_ref().and_then(Failed::read))
    }
}
