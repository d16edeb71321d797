//! What is written: runs, requests, and what became of records.

use chatferry_core::{Entity, Key, Outcome, OutcomeKind, Place, RecordId};
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Connection, QueryBuilder, Row, Sqlite};

use crate::differing::{self, Content, Differing};
use crate::{Ledger, LedgerError, Mark, RunId};

/// One request that was sent and answered, or given up.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// What it carried.
    pub entity: Entity,
    /// When it was sent, in UNIX milliseconds.
    pub sent_ms: i64,
    /// How long the answer took, in milliseconds.
    pub took_ms: i64,
    /// How many records it carried.
    pub records: usize,
    /// How many bytes its body had.
    pub bytes: usize,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// What came of it, in a word or a phrase: `answered`, `throttled`, `HTTP 500`.
    pub result: String,
}

/// A record that was delivered.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What it is.
    pub entity: Entity,
    /// Which one.
    pub id: RecordId,
    /// Whether it was there before.
    pub present: bool,
    /// The destination's own id, if it told.
    pub remote: Option<Box<str>>,
    /// A hash of what was sent, by which a row that has changed since is noticed.
    pub content: Content,
}

/// A row that was not delivered, and why.
#[derive(Clone, Debug)]
pub struct Undelivered {
    /// What it is known by: of its id, or of its place where it has none.
    pub key: Key,
    /// The flow that made it.
    pub flow: String,
    /// What it is.
    pub entity: Entity,
    /// Which one, as far as that is known.
    pub id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Where it stands in its source, as far as that is known.
    pub place: Option<Place>,
    /// A hash of what would have been sent, by which a corrected row is noticed.
    pub content: Option<u64>,
}

/// What is written down together.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Requests, and the records that each delivered.
    pub requests: Vec<(RequestRow, Vec<Settled>)>,
    /// Rows that were not delivered.
    pub undelivered: Vec<Undelivered>,
    /// Delivered records of which rows make something else now.
    pub differing: Vec<Differing>,
    /// How far all of this settles the flows.
    pub marks: Vec<Mark>,
}

impl Entry {
    /// Whether there is nothing to write down.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
            && self.undelivered.is_empty()
            && self.differing.is_empty()
            && self.marks.is_empty()
    }

    /// Adds what came later.
    pub fn extend(&mut self, later: Self) {
        self.requests.extend(later.requests);
        self.undelivered.extend(later.undelivered);
        self.differing.extend(later.differing);
        self.marks.extend(later.marks);
    }
}

/// Keys and hashes are 64 bits that SQLite keeps as signed numbers.
#[expect(clippy::cast_possible_wrap, reason = "all 64 bits are kept")]
pub(crate) const fn stored(bits: u64) -> i64 {
    bits as i64
}

/// Rows that one statement writes at most. A statement of another number of rows is another one
/// that is kept, and of a thousand rows it takes half a megabyte.
const TOGETHER: usize = 250;

/// The number that a text is, if it is written in the one way in which it would be read back.
fn number_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let is_plain = match digits {
        [b'0'] => text.len() == 1,
        [first, rest @ ..] => matches!(first, b'1'..=b'9') && rest.iter().all(u8::is_ascii_digit),
        [] => false,
    };
    is_plain.then(|| text.parse().ok()).flatten()
}

/// What is written of a delivered record.
const DELIVERED: [&str; 7] = [
    "key", "entity", "present", "request", "id", "remote", "content",
];

/// A statement that inserts so many delivered records.
fn insertion(rows: usize) -> String {
    let row = format!("({})", ["?"; DELIVERED.len()].join(", "));
    let others = format!(", {row}").repeat(rows.saturating_sub(1));
    let columns = DELIVERED.join(", ");
    format!("INSERT INTO delivered ({columns}) VALUES {row}{others}")
}

/// Adds the values of [`DELIVERED`] for a record.
fn add(values: &mut SqliteArguments, request: i64, record: &Settled) -> Result<(), BoxDynError> {
    let id = record.id.as_str();
    values.add(stored(Key::of(record.entity, id).0))?;
    values.add(i64::from(record.entity.number()))?;
    values.add(record.present)?;
    values.add(request)?;
    values.add(id)?;
    // A number takes half the room of its digits.
    match record.remote.as_deref().map(|it| (it, number_of(it))) {
        Some((_, Some(number))) => values.add(number)?,
        Some((remote, None)) => values.add(remote)?,
        None => values.add(None::<i64>)?,
    }
    values.add(record.content.stored())
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Ledger {
    /// Writes down that a run of that pipeline has started.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written.
    pub async fn begin_run(
        &mut self,
        started_ms: i64,
        pipeline: u64,
    ) -> Result<RunId, LedgerError> {
        let insert = "INSERT INTO runs (started_ms, pipeline) VALUES (?, ?) RETURNING run";
        let inserted = sqlx::query(insert)
            .bind(started_ms)
            .bind(stored(pipeline))
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("write", &self.path, &error))?;
        Ok(RunId(inserted.get(0)))
    }

    /// Writes down how a run ended, with its account as JSON.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written.
    pub async fn end_run(
        &mut self,
        run: RunId,
        ended_ms: i64,
        ended: &str,
        account: &str,
    ) -> Result<(), LedgerError> {
        sqlx::query("UPDATE runs SET ended_ms = ?, ended = ?, account = ? WHERE run = ?")
            .bind(ended_ms)
            .bind(ended)
            .bind(account)
            .bind(run.0)
            .execute(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("write", &self.path, &error))?;
        Ok(())
    }

    /// Writes an entry down: all of it or nothing.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written; then none of it is.
    pub async fn settle(&mut self, run: RunId, entry: &Entry) -> Result<(), LedgerError> {
        let result = self.try_settle(run, entry).await;
        result.map_err(|error| LedgerError::sqlite("write", &self.path, &error))
    }

    async fn try_settle(&mut self, run: RunId, entry: &Entry) -> Result<(), sqlx::Error> {
        let Entry {
            requests,
            undelivered,
            differing,
            marks,
        } = entry;
        // Each statement costs a way to SQLite's thread and back, so there are few of them.
        let mut number = self.last_request(requests.is_empty()).await?;
        let mut transaction = self.connection.begin().await?;
        // SQLite binds at most 32,766 values in one statement.
        for requests in requests.chunks(1_000) {
            let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
                "INSERT INTO requests (request, run, entity, sent_ms, took_ms, records, bytes, status, result) ",
            );
            let first = number + 1;
            insert.push_values(requests, |mut row, (request, _)| {
                number += 1;
                row.push_bind(number)
                    .push_bind(run.0)
                    .push_bind(i64::from(request.entity.number()))
                    .push_bind(request.sent_ms)
                    .push_bind(request.took_ms)
                    .push_bind(length(request.records))
                    .push_bind(length(request.bytes))
                    .push_bind(request.status.map(i64::from))
                    .push_bind(request.result.as_str());
            });
            insert.build().execute(&mut *transaction).await?;
            let settled = (first..).zip(requests);
            let settled: Vec<(i64, &Settled)> = settled
                .flat_map(|(number, (_, settled))| settled.iter().map(move |one| (number, one)))
                .collect();
            for settled in settled.chunks(TOGETHER) {
                let insert = insertion(settled.len());
                let mut values = SqliteArguments::default();
                values.reserve(DELIVERED.len() * settled.len(), 0);
                for (number, record) in settled {
                    add(&mut values, *number, record).map_err(sqlx::Error::Encode)?;
                }
                sqlx::query_with(sqlx::AssertSqlSafe(insert), values)
                    .execute(&mut *transaction)
                    .await?;
                if !self.has_undelivered {
                    continue;
                }
                let mut forget: QueryBuilder<Sqlite> =
                    QueryBuilder::new("DELETE FROM undelivered WHERE key IN (");
                let mut keys = forget.separated(", ");
                for (_, record) in settled {
                    keys.push_bind(stored(Key::of(record.entity, record.id.as_str()).0));
                }
                forget.push(")");
                forget.build().execute(&mut *transaction).await?;
            }
        }
        for rows in undelivered.chunks(TOGETHER) {
            let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
                "INSERT INTO undelivered (key, run, entity, flow, id, outcome, reason, detail, place, content) ",
            );
            insert.push_values(rows, |mut row, record| {
                row.push_bind(stored(record.key.0))
                    .push_bind(run.0)
                    .push_bind(i64::from(record.entity.number()))
                    .push_bind(record.flow.as_str())
                    .push_bind(record.id.as_deref())
                    .push_bind(record.outcome.kind().name())
                    .push_bind(record.outcome.reason().to_owned())
                    .push_bind(record.outcome.detail().to_owned())
                    .push_bind(record.place.as_ref().map(ToString::to_string))
                    .push_bind(record.content.map(stored));
            });
            insert.push(
                " ON CONFLICT (key) DO UPDATE SET run = excluded.run, flow = excluded.flow, \
                 outcome = excluded.outcome, reason = excluded.reason, detail = excluded.detail, \
                 place = excluded.place, content = excluded.content",
            );
            insert.build().execute(&mut *transaction).await?;
        }
        differing::write(&mut transaction, run, differing).await?;
        for mark in marks {
            sqlx::query("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?, ?)")
                .bind(&mark.flow)
                .bind(run.0)
                .bind(mark.begun_in)
                .bind(&mark.position)
                .bind(mark.records.0)
                .bind(mark.records.1)
                .bind(mark.kept())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.last_request = Some(number)
            .filter(|_| !requests.is_empty())
            .or(self.last_request);
        self.has_undelivered |= !undelivered.is_empty();
        Ok(())
    }

    /// The number of the last request that was written down; looked up once.
    async fn last_request(&mut self, needless: bool) -> Result<i64, sqlx::Error> {
        match self.last_request {
            Some(number) => Ok(number),
            None if needless => Ok(0),
            None => {
                let row = sqlx::query(
                    "SELECT coalesce(max(request), 0), EXISTS (SELECT 1 FROM undelivered) FROM requests",
                )
                .fetch_one(&mut self.connection)
                .await?;
                self.has_undelivered |= row.get::<bool, _>(1);
                Ok(row.get(0))
            }
        }
    }

    /// Forgets rows that are no longer rejected, refused, blocked or different because they are no
    /// longer there, or no longer wrong: those of this flow that no run since that one has met.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written.
    pub async fn forget_unmet(&mut self, flow: &str, run: i64) -> Result<(), LedgerError> {
        let undelivered =
            sqlx::query("DELETE FROM undelivered WHERE flow = ? AND run < ? AND outcome <> ?")
                .bind(flow)
                .bind(run)
                .bind(OutcomeKind::Refused.name());
        let differing = sqlx::query("DELETE FROM differing WHERE flow = ? AND run < ?")
            .bind(flow)
            .bind(run);
        for forget in [undelivered, differing] {
            let written = forget.execute(&mut self.connection).await;
            written.map_err(|error| LedgerError::sqlite("write", &self.path, &error))?;
        }
        Ok(())
    }
}
