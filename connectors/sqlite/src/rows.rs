//! The rows that are still to be read, page by page: each a statement of its own, and none while
//! nobody pulls.

use std::collections::VecDeque;

use chatferry_core::Place;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, SourceError, SourceErrorKind};
use futures::stream::TryStreamExt;
use sqlx::sqlite::SqliteRow;

use crate::decode::{Decoder, Kept};
use crate::failure::failed_to_read;
use crate::page::{Bound, MOST_ROWS, Pages, Part, are_alike, bind, rows_of};
use crate::scan::Reading;
use crate::session::{Connection, sql};

/// The columns of the key.
#[derive(Debug)]
pub(crate) struct Keyed {
    /// Their names, and where they stand in a row. None when all rows are one page.
    pub(crate) columns: Vec<(String, usize)>,
    /// Whether the database sees to it that they are different in every row.
    pub(crate) is_kept: bool,
}

/// The rows that are still to be read.
#[derive(Debug)]
pub(crate) struct Rows {
    reading: Reading,
    pages: Pages,
    key: Keyed,
    decoder: Decoder,
    rejected: Vec<RejectedRow>,
    /// What was read and not yet taken.
    ready: VecDeque<Batch>,
    part: Part,
    /// What the last row of the part that was read has in its sort columns.
    after: Option<Vec<Bound>>,
    page_rows: usize,
    rows_per_batch: usize,
    /// How many rows are still wanted.
    left: Option<usize>,
    /// How many have been read.
    read: u64,
    /// One of its own, kept from page to page.
    connection: Option<Connection>,
    has_ended: bool,
}

/// What one page gave.
struct Page {
    /// Rows that were read and need not be read again.
    taken: usize,
    /// The last of them.
    last: Option<SqliteRow>,
    /// Whether there may be more.
    is_full: bool,
    /// Bytes of the values in it.
    bytes: usize,
}

impl Rows {
    pub(crate) fn new(
        reading: Reading,
        pages: Pages,
        part: Part,
        key: Keyed,
        decoder: Decoder,
    ) -> Self {
        Self {
            reading,
            pages,
            key,
            decoder,
            rejected: Vec::new(),
            ready: VecDeque::new(),
            part,
            after: None,
            page_rows: MOST_ROWS,
            rows_per_batch: MOST_ROWS,
            left: None,
            read: 0,
            connection: None,
            has_ended: false,
        }
    }

    /// With so many rows in a page at most.
    pub(crate) const fn in_pages_of(mut self, rows: usize) -> Self {
        self.page_rows = rows;
        self
    }

    /// With so many rows in a batch at most, and no more than wanted, if that is known.
    pub(crate) const fn in_batches_of(mut self, rows: usize, wanted: Option<usize>) -> Self {
        (self.rows_per_batch, self.left) = (rows, wanted);
        self
    }

    /// The next batch.
    pub(crate) async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        let mut enough = 0;
        while self.ready.is_empty() && !self.has_ended {
            let wanted = self.page_rows.min(self.left.unwrap_or(usize::MAX)).max(1);
            // One more than wanted where it has to be seen that a key ends.
            let asked = (wanted + usize::from(!self.key.is_kept)).max(enough);
            let page = self.page(asked).await?;
            if page.taken == 0 && page.is_full {
                enough = self.more_than(asked)?;
                continue;
            }
            self.go_on(&page)?;
        }
        Ok(self.ready.pop_front())
    }

    /// How many rows to ask for when so many have one key.
    fn more_than(&self, rows: usize) -> Result<usize, SourceError> {
        if rows < MOST_ROWS {
            return Ok((rows * 2).min(MOST_ROWS));
        }
        let reason = format!("its key ({}) is the same in {rows} rows", self.key_names());
        Err(self.unusable(&reason))
    }

    fn key_names(&self) -> String {
        let names: Vec<&str> = self
            .key
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.join(", ")
    }

    fn unusable(&self, reason: &str) -> SourceError {
        let doing = format!("read {}", self.reading.described.table.name);
        SourceError::new(SourceErrorKind::Pipeline, doing, reason)
            .help("choose columns that together are different in every row and never null")
    }

    /// Goes on after a page.
    fn go_on(&mut self, page: &Page) -> Result<(), SourceError> {
        if let Some(average) = page.bytes.checked_div(page.taken) {
            // The rows may have grown since they were counted.
            let average = u64::try_from(average).unwrap_or(u64::MAX);
            self.page_rows = self.page_rows.min(rows_of(average, 1));
        }
        self.flush();
        if let Some(last) = &page.last {
            let sorts = self.pages.sorts(self.part).iter();
            let after = sorts.map(|sort| Ok(Kept::of(last, sort.place)?.bound()));
            let after: Result<_, sqlx::Error> = after.collect();
            self.after = Some(after.map_err(|error| self.failed(error))?);
        }
        if !page.is_full {
            match self.part {
                Part::Values => (self.part, self.after) = (Part::Nulls, None),
                Part::All | Part::Nulls => self.has_ended = true,
            }
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(page.taken);
            self.has_ended |= *left == 0;
        }
        Ok(())
    }

    fn failed(&self, error: sqlx::Error) -> SourceError {
        let Reading {
            database,
            described,
        } = &self.reading;
        failed_to_read(&described.table.name, database, error)
    }

    /// Reads one page to its end.
    async fn page(&mut self, asked: usize) -> Result<Page, SourceError> {
        let limit = (!self.key.columns.is_empty()).then_some(asked);
        let after = self.after.as_deref();
        let (statement, values) = self.pages.statement(self.part, after, limit);
        let mut query = sqlx::query(sql(&statement));
        for value in values {
            query = bind(query, value);
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut rows = query.fetch(&mut *connection);
        let mut page = Page {
            taken: 0,
            last: None,
            is_full: false,
            bytes: 0,
        };
        let bytes_before = self.decoder.bytes();
        let (mut read, mut alike) = (0, Alike::default());
        while let Some(row) = rows.try_next().await.map_err(|error| self.failed(error))? {
            read += 1;
            match self.key.is_kept || limit.is_none() {
                true => self.take(row, &mut page)?,
                false => {
                    let key = self.values(&row)?;
                    for row in alike.add(key, row) {
                        self.take(row, &mut page)?;
                    }
                }
            }
        }
        drop(rows);
        self.connection = connection.kept();
        page.is_full = limit == Some(read);
        if !page.is_full {
            for row in alike.rows {
                self.take(row, &mut page)?;
            }
        }
        page.bytes = self.decoder.bytes() - bytes_before;
        Ok(page)
    }

    async fn connect(&self) -> Result<Connection, SourceError> {
        let Reading {
            database,
            described,
        } = &self.reading;
        let rows = match self.key.columns.is_empty() {
            true => usize::try_from(described.rows).unwrap_or(MOST_ROWS),
            false => MOST_ROWS + 1,
        };
        database.open(rows).await
    }

    /// What a row has in a key of the settings, which nobody but us sees to.
    fn values(&self, row: &SqliteRow) -> Result<Vec<Bound>, SourceError> {
        let columns = self.key.columns.iter();
        let values = columns.map(|(_, place)| Ok(Kept::of(row, *place)?.bound()));
        let values: Result<Vec<Bound>, sqlx::Error> = values.collect();
        let values = values.map_err(|error| self.failed(error))?;
        if values.contains(&Bound::Null) {
            let reason = format!("its key ({}) is null in some row", self.key_names());
            return Err(self.unusable(&reason));
        }
        Ok(values)
    }

    /// Takes a row into the batch.
    fn take(&mut self, row: SqliteRow, page: &mut Page) -> Result<(), SourceError> {
        self.read += 1;
        let pushed = self.decoder.push(&row);
        if let Some(detail) = pushed.map_err(|error| self.failed(error))? {
            let place = self.place(&row).map_err(|error| self.failed(error))?;
            self.rejected.push(RejectedRow {
                rule: "unreadable-value".into(),
                detail,
                id: None,
                place: Some(place),
            });
        }
        page.taken += 1;
        page.last = Some(row);
        if self.decoder.rows() >= self.rows_per_batch {
            self.flush();
        }
        Ok(())
    }

    /// Makes a batch of what was taken.
    fn flush(&mut self) {
        if self.decoder.rows() > 0 {
            let rows = self.decoder.finish();
            let rejected = std::mem::take(&mut self.rejected);
            self.ready.push_back(Batch { rows, rejected });
        }
    }

    /// Where a row stands: its table and its key.
    fn place(&self, row: &SqliteRow) -> Result<Place, sqlx::Error> {
        let table = &self.reading.described.table.name;
        let mut parts = Vec::with_capacity(self.key.columns.len());
        for (name, place) in &self.key.columns {
            parts.push(match Kept::of(row, *place)? {
                Kept::Whole(whole) => format!("{name} {whole}"),
                // It may be a name or an address, which is not for logs.
                _ => format!("{name} …"),
            });
        }
        let row = match parts.as_slice() {
            [] => format!("row {}", self.read),
            parts => parts.join(", "),
        };
        Ok(Place {
            file: format!("{table}, {row}").into(),
            line: None,
            byte: None,
        })
    }
}

/// Rows that have one key, at the end of what was read. If the page ends among them, the others
/// are not known yet.
#[derive(Default)]
struct Alike {
    key: Vec<Bound>,
    rows: Vec<SqliteRow>,
}

impl Alike {
    /// Adds a row; gives those whose key has ended with it.
    fn add(&mut self, key: Vec<Bound>, row: SqliteRow) -> Vec<SqliteRow> {
        let ended = match are_alike(&self.key, &key) {
            true => Vec::new(),
            false => std::mem::take(&mut self.rows),
        };
        self.key = key;
        self.rows.push(row);
        ended
    }
}
