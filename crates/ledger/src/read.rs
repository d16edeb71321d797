//! What is read: what was delivered, what was refused, and the whole in a page.

use std::collections::BTreeMap;

use chatferry_core::{Entity, Key, OutcomeKind};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{Content, Ledger, LedgerError};

/// What an earlier run left behind that the pace has to respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// When the last request was sent that is written down, in UNIX milliseconds.
    pub last_sent_ms: Option<i64>,
    /// Whether the run wrote down its end. One that was killed may have sent more requests.
    pub ended: bool,
}

/// A record that an earlier run could not deliver, as far as a later run needs to know.
#[derive(Clone, Debug)]
pub struct Held {
    /// The record.
    pub key: Key,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// The API's code.
    pub reason: String,
    /// The API's words.
    pub detail: String,
    /// A hash of what was sent.
    pub content: Option<u64>,
}

/// A record that was delivered, as far as a later run needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The record.
    pub key: Key,
    /// A hash of what was sent, where it is known.
    pub content: Option<Content>,
    /// Whether it is of a stretch that was asked about.
    pub of_stretch: bool,
}

/// The ledger in a page.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many records were delivered by entity: imported, and present before.
    pub delivered: BTreeMap<Entity, (u64, u64)>,
    /// What was not delivered, by flow, outcome and reason.
    pub undelivered: Vec<Reason>,
    /// How many requests were sent, and how many of them were answered with verdicts.
    pub requests: (u64, u64),
    /// How many requests were throttled.
    pub throttled: u64,
    /// How many records were delivered and taken away again, by entity.
    pub removed: BTreeMap<Entity, u64>,
    /// The runs, the latest first; ten at most.
    pub runs: Vec<RunSummary>,
}

/// Rows that were not delivered for one reason.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The flow.
    pub flow: String,
    /// What became of them.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// One of them: its id or its place, and what was found.
    pub example: String,
}

/// One run.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Its number, from 1.
    pub run: i64,
    /// When it started, in UNIX milliseconds.
    pub started_ms: i64,
    /// When it ended, if it did.
    pub ended_ms: Option<i64>,
    /// How it ended, if it did.
    pub ended: Option<String>,
    /// Its account as JSON, if it ended.
    pub account: Option<String>,
}

/// Records read at a time: a text of some 300 KiB.
const RECORDS_PER_READ: i64 = 10_000;

fn count(row: &SqliteRow, column: usize) -> u64 {
    u64::try_from(row.get::<i64, _>(column)).unwrap_or_default()
}

#[expect(clippy::cast_sign_loss, reason = "all 64 bits were kept")]
pub(crate) const fn bits(stored: i64) -> u64 {
    stored as u64
}

impl Ledger {
    /// Gives every record that was delivered, some thousands at a time, and returns the number of
    /// the last. Those of an entity with numbers above the first of a stretch, up to its second, are
    /// told as of it.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn delivered_before(
        &mut self,
        stretches: &[(Entity, (i64, i64))],
        mut take: impl FnMut(&[Delivered]),
    ) -> Result<i64, LedgerError> {
        let last: Option<i64> = sqlx::query("SELECT max(record) FROM delivered")
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?
            .get(0);
        let last = last.unwrap_or_default();
        // A ledger that is only read is not brought up to date.
        let columns =
            sqlx::query("SELECT 1 FROM pragma_table_info('delivered') WHERE name = 'content'")
                .fetch_optional(&mut self.connection)
                .await
                .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        let content = columns.map_or("''", |_| "ifnull(content, '')");
        let of_stretch = stretches.iter().map(|(entity, (after, until))| {
            let entity = entity.number();
            format!("entity = {entity} AND record > {after} AND record <= {until}")
        });
        let of_stretch = of_stretch.collect::<Vec<_>>().join(" OR ");
        let of_stretch = match of_stretch.is_empty() {
            true => "' '".to_owned(),
            false => format!("CASE WHEN {of_stretch} THEN '+' ELSE ' ' END"),
        };
        let what = format!("key || {of_stretch} || {content}");
        let mut records = Vec::new();
        self.listed(&what, last, |texts| {
            records.clear();
            records.extend(texts.filter_map(|text| {
                let end = text.find(['+', ' '])?;
                let (key, rest) = text.split_at(end);
                Some(Delivered {
                    key: Key(bits(key.parse().ok()?)),
                    content: rest[1..].parse().ok().and_then(Content::read),
                    of_stretch: rest.starts_with('+'),
                })
            }));
            take(&records);
        })
        .await?;
        Ok(last)
    }

    /// Gives what is asked of delivered records up to that one as texts; one text of many costs
    /// far less than a row for each.
    async fn listed(
        &mut self,
        what: &str,
        last: i64,
        mut take: impl FnMut(std::str::Split<'_, char>),
    ) -> Result<(), LedgerError> {
        let query =
            format!("SELECT group_concat({what}) FROM delivered WHERE record > ? AND record <= ?");
        let mut after = 0;
        while after < last {
            let until = last.min(after.saturating_add(RECORDS_PER_READ));
            let text: Option<String> = sqlx::query(sqlx::AssertSqlSafe(query.as_str()))
                .bind(after)
                .bind(until)
                .fetch_one(&mut self.connection)
                .await
                .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?
                .get(0);
            take(text.as_deref().unwrap_or_default().split(','));
            after = until;
        }
        Ok(())
    }

    /// The records of a flow that were not delivered.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn undelivered_keys(&mut self, flow: &str) -> Result<Vec<Key>, LedgerError> {
        let keys = sqlx::query_scalar("SELECT key FROM undelivered WHERE flow = ?")
            .bind(flow)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(keys.into_iter().map(|key: i64| Key(bits(key))).collect())
    }

    /// How many records of that entity were delivered.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn delivered(&mut self, entity: Entity) -> Result<u64, LedgerError> {
        let row = sqlx::query("SELECT count(*) FROM delivered WHERE entity = ?")
            .bind(i64::from(entity.number()))
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(count(&row, 0))
    }

    /// The records that the destination refused.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn refused(&mut self) -> Result<Vec<Held>, LedgerError> {
        let rows =
            sqlx::query("SELECT key, reason, detail, content FROM undelivered WHERE outcome = ?")
                .bind(OutcomeKind::Refused.name())
                .fetch_all(&mut self.connection)
                .await
                .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        let held = |row: SqliteRow| Held {
            key: Key(bits(row.get(0))),
            outcome: OutcomeKind::Refused,
            reason: row.get(1),
            detail: row.get(2),
            content: row.get::<Option<i64>, _>(3).map(bits),
        };
        Ok(rows.into_iter().map(held).collect())
    }

    /// What an earlier run left behind that the pace has to respect.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn last_run(&mut self) -> Result<Option<LastRun>, LedgerError> {
        let row = sqlx::query(
            "SELECT (SELECT sent_ms FROM requests ORDER BY request DESC LIMIT 1), \
             ended_ms IS NOT NULL FROM runs ORDER BY run DESC LIMIT 1",
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(row.map(|row| LastRun {
            last_sent_ms: row.get(0),
            ended: row.get(1),
        }))
    }

    /// The ledger in a page.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn summary(&mut self) -> Result<Summary, LedgerError> {
        let result = self.try_summary().await;
        result.map_err(|error| LedgerError::sqlite("read", &self.path, &error))
    }

    async fn try_summary(&mut self) -> Result<Summary, sqlx::Error> {
        let mut summary = Summary::default();
        let rows =
            sqlx::query("SELECT entity, present, count(*) FROM delivered GROUP BY entity, present")
                .fetch_all(&mut self.connection)
                .await?;
        for row in rows {
            let number = u8::try_from(row.get::<i64, _>(0)).unwrap_or(u8::MAX);
            let Some(entity) = Entity::from_number(number) else {
                continue;
            };
            let sums = summary.delivered.entry(entity).or_default();
            let sum = if row.get::<bool, _>(1) {
                &mut sums.1
            } else {
                &mut sums.0
            };
            *sum += count(&row, 2);
        }
        let rows = sqlx::query(
            "SELECT flow, outcome, reason, count(*), coalesce(min(id), min(place), ''), min(detail) \
             FROM undelivered GROUP BY entity, flow, outcome, reason ORDER BY entity, flow, count(*) DESC",
        )
        .fetch_all(&mut self.connection)
        .await?;
        for row in rows {
            let (name, detail): (String, String) = (row.get(4), row.get(5));
            summary.undelivered.push(Reason {
                flow: row.get(0),
                outcome: row.get(1),
                reason: row.get(2),
                rows: count(&row, 3),
                example: if name.is_empty() {
                    detail
                } else {
                    format!("{name}: {detail}")
                },
            });
        }
        let row = sqlx::query(
            "SELECT count(*), count(*) FILTER (WHERE result = 'answered'), \
             count(*) FILTER (WHERE result = 'throttled') FROM requests",
        )
        .fetch_one(&mut self.connection)
        .await?;
        summary.requests = (count(&row, 0), count(&row, 1));
        summary.throttled = count(&row, 2);
        summary.removed = self.removed_so_far().await?;
        let rows = sqlx::query(
            "SELECT run, started_ms, ended_ms, ended, account FROM runs ORDER BY run DESC LIMIT 10",
        )
        .fetch_all(&mut self.connection)
        .await?;
        let run = |row: SqliteRow| RunSummary {
            run: row.get(0),
            started_ms: row.get(1),
            ended_ms: row.get(2),
            ended: row.get(3),
            account: row.get(4),
        };
        summary.runs = rows.into_iter().map(run).collect();
        Ok(summary)
    }
}
