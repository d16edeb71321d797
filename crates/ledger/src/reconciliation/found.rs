//! What was found: looked up, and written down with the place where its list goes on.

use std::collections::{HashMap, HashSet};

use chatferry_core::{Entity, Key, Told};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::expected::part;
use super::{Reconciliation, state};
use crate::LedgerError;
use crate::write::stored;

/// Something that should be there.
#[derive(Clone, Debug)]
pub struct Known {
    /// Where it is written down.
    pub target: Target,
    /// Its number in the ledger.
    pub record: i64,
    /// Its key.
    pub key: Key,
    /// A hash of each field that is compared; `None` when the pipeline does not make it any more.
    pub digests: Option<Vec<u8>>,
    /// Whether it was met before.
    pub met: bool,
}

/// Where something that should be there is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Under its handle: a key, or the destination's number.
    Handle(i64),
    /// Among those that the destination gave no number.
    Unnumbered(i64),
}

/// A field in which something that was found is not as it should be.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The record's number in the ledger.
    pub record: i64,
    /// Its key.
    pub key: Key,
    /// The field.
    pub field: &'static str,
    /// What was found.
    pub found: Told,
}

/// Something that was found and should not be there.
#[derive(Clone, Debug)]
pub struct Extra {
    /// Its handle.
    pub handle: i64,
    /// How it is called.
    pub name: String,
    /// What it belongs to.
    pub part_of: Option<String>,
}

/// What a page has come to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is there as it should be.
    pub same: Vec<Target>,
    /// What differs.
    pub different: Vec<Target>,
    /// In which fields, with what was found, of those whose values are to be shown.
    pub differences: Vec<Difference>,
    /// In which fields how many differ.
    pub fields: HashMap<&'static str, i64>,
    /// What is only still there to say that it was deleted.
    pub deleted: Vec<Target>,
    /// What should not be there.
    pub extras: Vec<Extra>,
}

/// How far a list was read with a page.
#[derive(Clone, Debug)]
pub struct Read {
    /// The list's number.
    pub listing: i64,
    /// Where it goes on; `None` at its end.
    pub next: Option<String>,
    /// By what the page is known when it comes again.
    pub marks: Vec<u64>,
}

/// The bits of a key as a handle.
impl From<Key> for Target {
    fn from(key: Key) -> Self {
        Self::Handle(stored(key.0))
    }
}

impl Reconciliation {
    /// What should be there under these handles.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn known(
        &mut self,
        entity: Entity,
        handles: &[i64],
    ) -> Result<HashMap<i64, Known>, LedgerError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT handle, record, key, digests, state FROM expected WHERE entity = ",
        );
        query
            .push_bind(i64::from(entity.number()))
            .push(" AND handle IN (");
        let rows = self.fetch(query, handles).await?;
        let known = rows.iter().map(|row| {
            let handle: i64 = row.get(0);
            (handle, known(row, Target::Handle(handle)))
        });
        Ok(known.collect())
    }

    /// What should be there, has no number, and is recognised by one of these: by likeness, or by
    /// key. None was met before.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn alike(
        &mut self,
        likenesses: &[u64],
        keys: &[Key],
    ) -> Result<Vec<(Option<u64>, Known)>, LedgerError> {
        let mut found = Vec::new();
        let likenesses: Vec<i64> = likenesses.iter().map(|bits| stored(*bits)).collect();
        let keys: Vec<i64> = keys.iter().map(|key| stored(key.0)).collect();
        for (column, values) in [("likeness", likenesses), ("key", keys)] {
            if values.is_empty() {
                continue;
            }
            let query: QueryBuilder<Sqlite> = QueryBuilder::new(format!(
                "SELECT n, record, key, digests, state, likeness FROM unnumbered \
                 WHERE state = {} AND {column} IN (",
                state::UNMET
            ));
            let rows = self.fetch(query, &values).await?;
            found.extend(rows.iter().map(|row| {
                let likeness: Option<i64> = row.get(5);
                (
                    likeness.map(bits),
                    known(row, Target::Unnumbered(row.get(0))),
                )
            }));
        }
        Ok(found)
    }

    async fn fetch(
        &mut self,
        mut query: QueryBuilder<Sqlite>,
        values: &[i64],
    ) -> Result<Vec<SqliteRow>, LedgerError> {
        let mut list = query.separated(", ");
        for value in values {
            list.push_bind(*value);
        }
        query.push(") ORDER BY 1");
        let rows = query.build().fetch_all(&mut self.connection).await;
        rows.map_err(|error| self.failed(&error))
    }

    /// Writes down what a page has come to, and where its list goes on; all of it or nothing.
    /// `read` is `None` for what was asked for by itself.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn found(
        &mut self,
        entity: Entity,
        findings: &Findings,
        read: Option<&Read>,
    ) -> Result<(), LedgerError> {
        let result = self.try_found(entity, findings, read).await;
        result.map_err(|error| self.failed(&error))
    }

    async fn try_found(
        &mut self,
        entity: Entity,
        findings: &Findings,
        read: Option<&Read>,
    ) -> Result<(), sqlx::Error> {
        let connection = &mut self.connection;
        let number = i64::from(entity.number());
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        for (targets, state) in [
            (&findings.same, state::SAME),
            (&findings.different, state::DIFFERENT),
            (&findings.deleted, state::DELETED),
        ] {
            mark(connection, number, targets, state).await?;
        }
        for (field, records) in &findings.fields {
            sqlx::query(
                "INSERT INTO fields (entity, field, records) VALUES (?, ?, ?) \
                 ON CONFLICT DO UPDATE SET records = records + excluded.records",
            )
            .bind(number)
            .bind(*field)
            .bind(*records)
            .execute(&mut *connection)
            .await?;
        }
        if !findings.differences.is_empty() {
            let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
                "INSERT INTO differences (entity, record, key, field, found, found_shown) ",
            );
            insert.push_values(&findings.differences, |mut row, difference| {
                row.push_bind(number)
                    .push_bind(difference.record)
                    .push_bind(stored(difference.key.0))
                    .push_bind(difference.field)
                    .push_bind(difference.found.value.as_str())
                    .push_bind(difference.found.shown.as_deref());
            });
            insert.build().execute(&mut *connection).await?;
        }
        add_extras(connection, number, &findings.extras).await?;
        if let Some(Read {
            listing,
            next,
            marks,
        }) = read
        {
            sqlx::query("UPDATE listings SET cursor = ?, done = ? WHERE n = ?")
                .bind(next.as_deref())
                .bind(next.is_none())
                .bind(*listing)
                .execute(&mut *connection)
                .await?;
            for what in marks {
                sqlx::query("INSERT OR IGNORE INTO visited (listing, what) VALUES (?, ?)")
                    .bind(*listing)
                    .bind(stored(*what))
                    .execute(&mut *connection)
                    .await?;
            }
        }
        sqlx::raw_sql("COMMIT").execute(connection).await?;
        Ok(())
    }
}

async fn mark(
    connection: &mut SqliteConnection,
    entity: i64,
    targets: &[Target],
    state: i64,
) -> Result<(), sqlx::Error> {
    for targets in targets.chunks(10_000) {
        for (table, key) in [("expected", "handle"), ("unnumbered", "n")] {
            let of_table = targets.iter().filter_map(|target| match (target, table) {
                (Target::Handle(handle), "expected") => Some(*handle),
                (Target::Unnumbered(n), "unnumbered") => Some(*n),
                _ => None,
            });
            let of_table: Vec<i64> = of_table.collect();
            if of_table.is_empty() {
                continue;
            }
            let mut update: QueryBuilder<Sqlite> = QueryBuilder::new(format!(
                "UPDATE {table} SET state = {state} WHERE entity = {entity} AND {key} IN ("
            ));
            let mut list = update.separated(", ");
            for value in of_table {
                list.push_bind(value);
            }
            update.push(")");
            update.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Adds what should not be there, unless something brought it along.
async fn add_extras(
    connection: &mut SqliteConnection,
    entity: i64,
    extras: &[Extra],
) -> Result<(), sqlx::Error> {
    if extras.is_empty() {
        return Ok(());
    }
    let mut query: QueryBuilder<Sqlite> =
        QueryBuilder::new("SELECT key FROM brought WHERE key IN (");
    let mut list = query.separated(", ");
    for extra in extras {
        list.push_bind(extra.handle);
    }
    query.push(")");
    let rows = query.build().fetch_all(&mut *connection).await?;
    let brought: HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let extras: Vec<&Extra> = extras
        .iter()
        .filter(|extra| !brought.contains(&extra.handle))
        .collect();
    for extras in extras.chunks(4_000) {
        let mut insert: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT OR IGNORE INTO extras (entity, handle, part, name) ");
        insert.push_values(extras, |mut row, extra| {
            row.push_bind(entity)
                .push_bind(extra.handle)
                .push_bind(extra.part_of.as_deref().map(part))
                .push_bind(extra.name.as_str());
        });
        insert.build().execute(&mut *connection).await?;
        let named = extras.iter().filter_map(|extra| extra.part_of.as_deref());
        let named: HashSet<&str> = named.collect();
        if !named.is_empty() {
            let mut insert: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT OR IGNORE INTO parts (entity, part, name) ");
            insert.push_values(named, |mut row, name| {
                row.push_bind(entity).push_bind(part(name)).push_bind(name);
            });
            insert.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

fn known(row: &SqliteRow, target: Target) -> Known {
    Known {
        target,
        record: row.get(1),
        key: Key(bits(row.get(2))),
        digests: row.get(3),
        met: row.get::<i64, _>(4) != state::UNMET,
    }
}

#[expect(clippy::cast_sign_loss, reason = "all 64 bits were kept")]
pub(crate) const fn bits(stored: i64) -> u64 {
    stored as u64
}
