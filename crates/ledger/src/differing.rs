//! Delivered records of which rows make something else now than what was sent.

use std::num::NonZeroI32;

use chatferry_core::{Entity, Key};
use futures::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::read::bits;
use crate::write::stored;
use crate::{Ledger, LedgerError, RunId};

/// A hash of what was sent of a delivered record.
///
/// Four bytes: of four thousand million records that have changed, one is taken for unchanged, and
/// nothing worse comes of it than that it is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content(NonZeroI32);

impl Content {
    /// Of a hash of what is sent.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "some of the bits are kept")]
    pub fn of(hash: u64) -> Self {
        // Without zero, one that may be unknown takes no more room.
        Self(NonZeroI32::new(hash as i32).unwrap_or(NonZeroI32::MIN))
    }

    /// SQLite keeps a number of this size in four bytes, with its sign.
    pub(crate) fn stored(self) -> i64 {
        i64::from(self.0.get())
    }

    pub(crate) fn read(stored: i64) -> Option<Self> {
        let stored = i32::try_from(stored).ok()?;
        NonZeroI32::new(stored).map(Self)
    }
}

/// A delivered record of which its row makes something else now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// By what it is known.
    pub key: Key,
    /// The flow that makes it.
    pub flow: String,
    /// What it is.
    pub entity: Entity,
    /// Its record id.
    pub id: String,
}

/// Delivered records of one flow of which rows make something else now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    /// The flow.
    pub flow: String,
    /// What it makes.
    pub entity: Entity,
    /// How many.
    pub records: u64,
    /// A few of their ids, at least one.
    pub examples: Vec<String>,
}

/// Rows in one statement; SQLite binds at most 32,766 values.
const ROWS: usize = 4_000;

pub(crate) async fn write(
    connection: &mut SqliteConnection,
    run: RunId,
    differing: &[Differing],
) -> Result<(), sqlx::Error> {
    for records in differing.chunks(ROWS) {
        let mut insert: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT OR REPLACE INTO differing (key, run, entity, flow, id) ");
        insert.push_values(records, |mut row, record| {
            row.push_bind(stored(record.key.0))
                .push_bind(run.number())
                .push_bind(i64::from(record.entity.number()))
                .push_bind(record.flow.as_str())
                .push_bind(record.id.as_str());
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

impl Differing {
    /// The record, unless it was written by a program that knows more than this one.
    fn read(row: &SqliteRow) -> Option<Self> {
        Some(Self {
            key: Key(bits(row.get("key"))),
            flow: row.get("flow"),
            entity: Entity::from_number(u8::try_from(row.get::<i64, _>("entity")).ok()?)?,
            id: row.get("id"),
        })
    }
}

impl Ledger {
    /// Gives every delivered record of which its row made something else when it was last read, by
    /// entity, flow and id.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn each_differing(
        &mut self,
        mut take: impl FnMut(Differing),
    ) -> Result<(), LedgerError> {
        if !self.has_table("differing").await? {
            return Ok(());
        }
        let mut rows = sqlx::query("SELECT * FROM differing ORDER BY entity, flow, id")
            .fetch(&mut self.connection);
        loop {
            match rows.try_next().await {
                Ok(Some(row)) => Differing::read(&row).into_iter().for_each(&mut take),
                Ok(None) => return Ok(()),
                Err(error) => return Err(LedgerError::sqlite("read", &self.path, &error)),
            }
        }
    }

    /// The same by flow, with so many examples of each.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn differences(&mut self, examples: usize) -> Result<Vec<Differences>, LedgerError> {
        let mut differences: Vec<Differences> = Vec::new();
        let add = |record: Differing| {
            let same = |last: &&mut Differences| {
                (&last.flow, last.entity) == (&record.flow, record.entity)
            };
            match differences.last_mut().filter(same) {
                Some(last) => {
                    last.records += 1;
                    if last.examples.len() < examples {
                        last.examples.push(record.id);
                    }
                }
                None => differences.push(Differences {
                    flow: record.flow,
                    entity: record.entity,
                    records: 1,
                    examples: vec![record.id],
                }),
            }
        };
        self.each_differing(add).await?;
        Ok(differences)
    }

    /// Whether there is such a table: an older program may have made the ledger.
    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool, LedgerError> {
        let table = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(table.is_some())
    }
}
