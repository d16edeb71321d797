//! The rows of a table, page by page: each a statement of its own, and none while nobody pulls.

use std::sync::Arc;

use chatferry_core::Place;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, BatchStream, Order, Scan, SourceError, SourceErrorKind};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::decode::{Decoder, Kept};
use crate::describe::Described;
use crate::failure::failed_to_read;
use crate::filter::condition;
use crate::key::{BINARY, collated};
use crate::page::{Bound, Pages, Part, Sort, bind, rows_of};
use crate::session::{Database, quoted, sql};

/// Bytes that a value of a fixed length counts for.
const FIXED_BYTES: u64 = 8;
/// Characters of a key that are shown to say which row is meant.
const SHOWN: usize = 60;

/// A table and where to read it.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) database: Arc<Database>,
    pub(crate) described: Arc<Described>,
}

/// The batches of a scan. The reading is looked up when the stream is first polled.
pub(crate) fn batches(
    reading: BoxFuture<'static, Result<Reading, SourceError>>,
    scan: Scan,
) -> BatchStream {
    let opened = reading.map(
        move |reading| match reading.and_then(|it| it.begin(&scan)) {
            Ok(rows) => stream::unfold(Some(Box::new(rows)), pull).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        },
    );
    stream::once(opened).flatten().boxed()
}

type Pulled = (Result<Batch, SourceError>, Option<Box<Rows>>);

async fn pull(rows: Option<Box<Rows>>) -> Option<Pulled> {
    let mut rows = rows?;
    match rows.next().await {
        Ok(Some(batch)) => Some((Ok(batch), Some(rows))),
        Ok(None) => None,
        Err(error) => Some((Err(error), None)),
    }
}

impl Reading {
    fn begin(self, scan: &Scan) -> Result<Rows, SourceError> {
        let described = &self.described;
        let same = Arc::ptr_eq(&scan.table, &described.table)
            || scan.table.schema == described.table.schema;
        if !same {
            let (doing, reason) = (
                format!("read {}", scan.table.name),
                "its columns are not what they were",
            );
            return Err(SourceError::new(SourceErrorKind::Changed, doing, reason)
                .help("run the command again"));
        }
        let mut pages = Pages {
            from: described.relation.from.clone(),
            select: Vec::new(),
            conditions: Vec::new(),
            values: Vec::new(),
            sorts: Vec::new(),
        };
        for filter in &scan.filters {
            let condition = condition(filter, &mut pages.values);
            pages.conditions.push(condition);
        }
        let mut wanted = Vec::with_capacity(scan.columns.len());
        let (mut average, mut longest) = (0, 0);
        for column in &scan.columns {
            let (arrives, found) = &described.columns[*column];
            let name = &described.relation.columns[*column].name;
            wanted.push((*arrives, pages.select(quoted(name))));
            average += FIXED_BYTES + found.bytes / described.rows.max(1);
            longest += FIXED_BYTES + found.longest;
        }
        let part = sort(&mut pages, described, scan);
        let key = described.key.columns.iter();
        let key = key.map(|column| (column.name.clone(), pages.select(quoted(&column.name))));
        Ok(Rows {
            key: key.collect(),
            decoder: Decoder::new(scan.schema(), &wanted),
            part,
            after: None,
            page_rows: rows_of(average, longest).min(scan.rows_per_batch.max(1)),
            left: scan.limit,
            connection: None,
            has_ended: false,
            pages,
            reading: self,
        })
    }
}

/// Orders the pages by what is asked for, and then by the key.
fn sort(pages: &mut Pages, described: &Described, scan: &Scan) -> Part {
    // All of the order that an index keeps, even if only its beginning is asked for: in that order
    // the index has its rows.
    let starts = |known: &&Order| {
        let order = scan.order.as_ref();
        order.is_some_and(|order| known.columns.starts_with(&order.columns))
    };
    let known = described.table.can_order.iter().find(starts);
    let asked = known.map_or(&[][..], |order| &order.columns);
    let key = &described.key.columns;
    let mut add = |name: &str, collation: &str| {
        let is_collated = described.depends_on_collation(name, collation);
        let sql = match is_collated {
            true => collated(name, collation),
            false => quoted(name),
        };
        let place = pages.select(quoted(name));
        pages.sorts.push(Sort {
            sql,
            place,
            is_collated,
        });
    };
    for name in asked {
        add(name, BINARY);
    }
    for column in key.iter().filter(|column| !asked.contains(&column.name)) {
        add(&column.name, &column.collation);
    }
    let is_key = |name: &str| key.iter().any(|column| column.name == name);
    match asked.first() {
        Some(first) if !described.is_never_null(first) && !is_key(first) => Part::Values,
        _ => Part::All,
    }
}

/// The rows that are still to be read.
#[derive(Debug)]
struct Rows {
    reading: Reading,
    pages: Pages,
    /// The columns of the key: their names, and where they stand in a row.
    key: Vec<(String, usize)>,
    decoder: Decoder,
    part: Part,
    /// What the last row of the part that was read has in its sort columns.
    after: Option<Vec<Bound>>,
    page_rows: usize,
    /// How many rows are still wanted.
    left: Option<usize>,
    connection: Option<SqliteConnection>,
    has_ended: bool,
}

impl Rows {
    /// The next page that has anything, as a batch.
    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        while !self.has_ended {
            let wanted = self.page_rows.min(self.left.unwrap_or(usize::MAX)).max(1);
            let (read, rejected) = self.page(wanted).await?;
            if read < wanted {
                match self.part {
                    Part::Values => (self.part, self.after) = (Part::Nulls, None),
                    Part::All | Part::Nulls => self.has_ended = true,
                }
            }
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(read);
                self.has_ended |= *left == 0;
            }
            if let Some(average) = self.decoder.bytes().checked_div(read) {
                // The rows may have grown since they were counted.
                let average = u64::try_from(average).unwrap_or(u64::MAX);
                self.page_rows = self.page_rows.min(rows_of(average, 1));
                let rows = self.decoder.finish();
                return Ok(Some(Batch { rows, rejected }));
            }
        }
        Ok(None)
    }

    /// Reads at most so many rows; gives how many there were, and those that could not be read.
    async fn page(&mut self, wanted: usize) -> Result<(usize, Vec<RejectedRow>), SourceError> {
        let Reading {
            database,
            described,
        } = &self.reading;
        let table = &described.table.name;
        let failed = |error| failed_to_read(table, database, error);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(database.open().await?),
        };
        let (statement, values) = self.pages.statement(self.part, self.after.as_deref());
        // One more than wanted, to see whether the key tells it from the one before.
        let looked_at = wanted + usize::from(!described.key.is_kept);
        let mut query = sqlx::query(sql(&statement));
        for value in values {
            query = bind(query, value);
        }
        let limit = i64::try_from(looked_at).unwrap_or(i64::MAX);
        let mut rows = query.bind(limit).fetch(connection);
        let (mut read, mut rejected) = (0, Vec::new());
        let mut last: Option<SqliteRow> = None;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            if !described.key.is_kept {
                check_key(&self.key, last.as_ref(), &row, table, database)?;
            }
            if read == wanted {
                break;
            }
            if let Some(misfit) = self.decoder.push(&row).map_err(failed)? {
                rejected.push(RejectedRow {
                    rule: misfit.rule.into(),
                    detail: misfit.detail,
                    id: None,
                    place: Some(place(&self.key, &row, table).map_err(failed)?),
                });
            }
            read += 1;
            last = Some(row);
        }
        if let Some(last) = last {
            let sorts = self.pages.sorts(self.part).iter();
            let after = sorts.map(|sort| Ok(Kept::of(&last, sort.place)?.bound()));
            self.after = Some(after.collect::<Result<_, sqlx::Error>>().map_err(failed)?);
        }
        Ok((read, rejected))
    }
}

/// Sees to it that a key of the settings tells a row from the one before it. If it does not, rows
/// would be lost between pages.
fn check_key(
    key: &[(String, usize)],
    before: Option<&SqliteRow>,
    row: &SqliteRow,
    table: &str,
    database: &Database,
) -> Result<(), SourceError> {
    let values = |row: &SqliteRow| {
        let values = key
            .iter()
            .map(|(_, place)| Ok(Kept::of(row, *place)?.bound()));
        let values: Result<Vec<Bound>, sqlx::Error> = values.collect();
        values.map_err(|error| failed_to_read(table, database, error))
    };
    let these = values(row)?;
    let names: Vec<&str> = key.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let reason = if these.contains(&Bound::Null) {
        format!("its key ({names}) is null in some row")
    } else if before.map(values).transpose()?.as_ref() == Some(&these) {
        format!("its key ({names}) is the same in two rows")
    } else {
        return Ok(());
    };
    let doing = format!("read {table}");
    Err(SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help("choose columns that together are different in every row and never null"))
}

/// Where a row stands: its table and its key.
fn place(key: &[(String, usize)], row: &SqliteRow, table: &str) -> Result<Place, sqlx::Error> {
    let mut parts = Vec::with_capacity(key.len());
    for (name, place) in key {
        let value = match Kept::of(row, *place)? {
            Kept::Null => "null".to_owned(),
            Kept::Whole(whole) => whole.to_string(),
            Kept::Real(real) => format!("{real:?}"),
            Kept::Text(text) => {
                let text = String::from_utf8_lossy(text);
                format!("'{}'", text.chars().take(SHOWN).collect::<String>())
            }
            Kept::Bytes(bytes) => format!("a blob of {} bytes", bytes.len()),
        };
        parts.push(format!("{name} = {value}"));
    }
    Ok(Place {
        file: format!("{table}, {}", parts.join(", ")).into(),
        line: None,
        byte: None,
    })
}
