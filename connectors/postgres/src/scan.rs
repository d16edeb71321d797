//! A table's rows, page by page.
//!
//! A page is read to its end before any of it is given away, so that no statement is open while
//! the rows are taken. One page is read ahead, while those of the one before are used.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatchOptions;
use chatferry_core::Filter;
use chatferry_core::place::Place;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, BatchStream, Scan, SourceError, SourceErrorKind};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use tokio::task::JoinHandle;

use crate::copy::{Fields, NotCopy, Rows};
use crate::decode::{Decoder, Unreadable};
use crate::describe::Described;
use crate::filter;
use crate::page::{Pages, quoted};
use crate::session::Session;
use crate::types::Kind;

/// Bytes that a page aims at: some 25,000 messages, which is enough that the pause between two
/// pages does not count, and little enough that two of them are a small part of the memory.
const PAGE_BYTES: usize = 8 << 20;
/// Bytes after which a page is cut, whatever it was to have.
const MOST_BYTES: usize = 64 << 20;
/// Rows of the first page, when nothing is known of their size.
const FIRST_ROWS: usize = 1_024;
/// Rows that a page has at most.
const MOST_ROWS: usize = 1 << 17;

/// The rows of a table that is described when the stream is first polled.
pub(crate) fn batches(
    described: BoxFuture<'static, Result<Arc<Described>, SourceError>>,
    session: Session,
    scan: Scan,
) -> BatchStream {
    let start = async move {
        let described = described.await?;
        Ok(Reader::new(session, &described, &scan))
    };
    let batches = futures::stream::once(start).map_ok(|reader| {
        futures::stream::try_unfold(reader, |mut reader| async move {
            let batch = reader.next().await?;
            Ok(batch.map(|batch| (batch, reader)))
        })
    });
    batches.try_flatten().boxed()
}

/// A scan under way.
struct Reader {
    session: Session,
    /// What is being done, for errors.
    doing: String,
    layout: Arc<Layout>,
    ready: VecDeque<Batch>,
    /// The literals of the last key.
    after: Option<String>,
    rows_per_page: usize,
    done: bool,
    /// The page after the one that is given away.
    ahead: Option<Asked>,
    /// Not when only a few rows are wanted.
    reads_ahead: bool,
}

/// A page that is being read. Nobody reads it any more once this is dropped.
///
/// In a transaction that others go on to read in it is read to its end nevertheless: what is left
/// of an answer would stand in their way.
struct Asked {
    task: JoinHandle<Result<Page, SourceError>>,
    goes_on: bool,
}

impl Future for Asked {
    type Output = Result<Page, SourceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = std::task::ready!(self.task.poll_unpin(context));
        Poll::Ready(ended.unwrap_or_else(|fault| std::panic::resume_unwind(fault.into_panic())))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.goes_on {
            self.task.abort();
        }
    }
}

/// What the rows of a scan look like.
struct Layout {
    table: String,
    schema: SchemaRef,
    pages: Pages,
    kinds: Vec<Kind>,
    /// Where the fields of the key are in a row.
    key_fields: Vec<usize>,
    rows_per_batch: usize,
}

impl Reader {
    fn new(session: Session, table: &Described, scan: &Scan) -> Self {
        let wanted: Vec<_> = scan
            .columns
            .iter()
            .map(|place| &table.columns[*place])
            .collect();
        let mut columns: Vec<String> = wanted
            .iter()
            .map(|column| column.reading.asked.sql(&quoted(&column.name)))
            .collect();
        let key = match &scan.order {
            Some(order) => table.key_for(order),
            None => table.key.as_ref(),
        };
        // The key's columns are asked for as literals need them, if they are not there already.
        let mut key_fields = Vec::new();
        for column in key.iter().flat_map(|key| &key.columns) {
            let sql = column.sql();
            let place = columns.iter().position(|known| *known == sql);
            key_fields.push(place.unwrap_or_else(|| {
                columns.push(sql);
                columns.len() - 1
            }));
        }
        let leading = key.and_then(|key| key.columns.first());
        let holds_on =
            |filter: &Filter| leading.is_some_and(|column| filter.holds_on(&column.name));
        let never_null = |name: &str| table.column(name).is_some_and(|column| column.never_null);
        let filters = scan.filters.iter().map(|one| one.without_nulls(never_null));
        let (beginning, conditions): (Vec<Filter>, Vec<Filter>) = filters.partition(holds_on);
        let sql = |filters: &[Filter]| {
            let filters = filters.iter();
            filters.filter_map(|one| filter::sql(one, table)).collect()
        };
        let layout = Layout {
            table: scan.table.name.clone(),
            schema: scan.schema(),
            pages: Pages {
                columns,
                from: table.from.clone(),
                conditions: sql(&conditions),
                beginning: sql(&beginning),
                key: key.cloned(),
            },
            kinds: wanted
                .iter()
                .map(|column| column.reading.kind.clone())
                .collect(),
            key_fields,
            rows_per_batch: scan.rows_per_batch.max(1),
        };
        let first = scan
            .limit
            .map_or(FIRST_ROWS, |limit| limit.clamp(1, FIRST_ROWS));
        Self {
            session,
            doing: format!("read {}", scan.table.name),
            layout: Arc::new(layout),
            ready: VecDeque::new(),
            after: None,
            rows_per_page: first,
            done: false,
            ahead: None,
            reads_ahead: scan.limit.is_none(),
        }
    }

    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        while self.ready.is_empty() {
            let page = match self.ahead.take() {
                Some(page) => page,
                None if self.done => return Ok(None),
                None => self.ask(),
            };
            let page = page.await?;
            self.take(page)?;
            if self.reads_ahead && !self.done {
                self.ahead = Some(self.ask());
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Begins to read the next page, to its end.
    fn ask(&self) -> Asked {
        let layout = Arc::clone(&self.layout);
        let limit = layout.pages.key.is_some().then_some(self.rows_per_page);
        let statement = layout.pages.statement(self.after.as_deref(), limit);
        let (session, doing) = (self.session.clone(), self.doing.clone());
        let task = tokio::spawn(async move {
            let mut patience = session.patience(&doing);
            loop {
                match page(&session, &statement, &layout).await {
                    Ok(page) => return page.map_err(|trouble| trouble.error(&doing)),
                    Err(error) => patience.after(&error).await?,
                }
            }
        });
        Asked {
            task,
            goes_on: self.session.is_of_one_moment(),
        }
    }

    /// Takes over what a page has, and decides what the next one is to be.
    fn take(&mut self, page: Page) -> Result<(), SourceError> {
        let layout = Arc::clone(&self.layout);
        let Some(key) = &layout.pages.key else {
            self.done = true;
            self.ready = page.batches(&layout, usize::MAX);
            return Ok(());
        };
        let full = page.rows >= self.rows_per_page || page.cut;
        self.done = !full;
        let mut rows = page.rows;
        if full && !key.unique {
            if page.last_key_from == 0 {
                return self.widen(&page);
            }
            rows = page.last_key_from;
        }
        if full {
            let literals = key.literals(&page.last_key);
            self.after = Some(literals.ok_or_else(|| changed(&self.doing))?);
        }
        let row_bytes = (page.bytes / page.rows.max(1)).max(1);
        let grown = (PAGE_BYTES / row_bytes).min(self.rows_per_page * 8);
        self.rows_per_page = grown.clamp(16, MOST_ROWS);
        self.ready = page.batches(&layout, rows);
        Ok(())
    }

    /// A whole page of rows with one key: the next page must have more of them.
    fn widen(&mut self, page: &Page) -> Result<(), SourceError> {
        if page.cut || self.rows_per_page >= MOST_ROWS {
            let reason = format!("more than {} rows have the same key", page.rows);
            return Err(
                SourceError::new(SourceErrorKind::Pipeline, self.doing.clone(), reason)
                    .help("choose a `key` that tells rows apart"),
            );
        }
        self.rows_per_page = (self.rows_per_page * 4).min(MOST_ROWS);
        Ok(())
    }
}

/// One page, read to its end.
struct Page {
    columns: Vec<(RecordBatch, Vec<usize>)>,
    rejected: Vec<(usize, RejectedRow)>,
    /// How many rows it has, those that cannot be read included.
    rows: usize,
    bytes: usize,
    /// Whether it was cut because it grew too long.
    cut: bool,
    last_key: Vec<Vec<u8>>,
    /// The first of the rows at its end that share one key.
    last_key_from: usize,
}

impl Page {
    /// The batches of the first so many rows.
    fn batches(self, layout: &Layout, rows: usize) -> VecDeque<Batch> {
        let mut rejected = self.rejected.into_iter().peekable();
        let mut batches = VecDeque::with_capacity(self.columns.len());
        let mut end = 0;
        for (batch, bad) in self.columns {
            let start = end;
            end = (start + batch.num_rows()).min(rows);
            let kept = batch.slice(0, end - start);
            let good: BooleanArray = (0..kept.num_rows())
                .map(|row| Some(!bad.contains(&row)))
                .collect();
            let kept = match bad.is_empty() {
                true => kept,
                false => filter_record_batch(&kept, &good).expect("as many flags as rows"),
            };
            let mut here = Vec::new();
            while let Some((_, row)) = rejected.next_if(|(place, _)| *place < end) {
                here.push(row);
            }
            if kept.num_rows() > 0 || !here.is_empty() {
                batches.push_back(Batch {
                    rows: kept,
                    rejected: here,
                });
            }
        }
        debug_assert!(
            batches
                .iter()
                .all(|batch| batch.rows.num_rows() <= layout.rows_per_batch)
        );
        batches
    }
}

/// Why a page cannot be used, although the database gave it.
enum Trouble {
    /// Its bytes are not what was asked for.
    Changed,
    /// It has no key to be cut by, and is too long to be read at once.
    TooLong,
}

impl From<NotCopy> for Trouble {
    fn from(_: NotCopy) -> Self {
        Self::Changed
    }
}

impl Trouble {
    fn error(self, doing: &str) -> SourceError {
        match self {
            Self::Changed => changed(doing),
            Self::TooLong => SourceError::new(
                SourceErrorKind::Pipeline,
                doing,
                "it has no key to read it page by page by, and is too long to be read at once",
            )
            .help(
                "name columns that are never null and have an index: `tables.NAME = { key = \
                 [\"id\"] }` in the source's section",
            ),
        }
    }
}

fn changed(doing: &str) -> SourceError {
    let reason = "a column is of another type than when it was described";
    SourceError::new(SourceErrorKind::Changed, doing, reason)
        .help("run `chatferry check` again, and then the same command")
}

/// Reads a page.
async fn page(
    session: &Session,
    statement: &str,
    layout: &Layout,
) -> Result<Result<Page, Trouble>, sqlx::Error> {
    let mut connection = session.connection().await?;
    let mut filling = Filling::new(layout);
    let mut rows = Rows::default();
    let mut trouble = None;
    let mut cut = false;
    {
        let mut messages = connection.copy_out_raw(statement).await?;
        while let Some(message) = messages.try_next().await? {
            filling.bytes += message.len();
            trouble = rows.take(&message, |row| filling.row(row)).err();
            cut = filling.bytes >= MOST_BYTES && filling.rows > 0;
            if trouble.is_some() || cut {
                break;
            }
        }
        // What is left of the answer is not wanted, but stands in the way of the next one.
        if session.is_of_one_moment() {
            while messages.try_next().await?.is_some() {}
        }
    }
    let is_read = session.is_of_one_moment() || (trouble.is_none() && !cut);
    match is_read {
        true => connection.done(),
        false => connection.leave(),
    }
    session.gave_rows();
    Ok(match (trouble, cut, &layout.pages.key) {
        (Some(trouble), _, _) => Err(trouble),
        (None, true, None) => Err(Trouble::TooLong),
        (None, true, Some(_)) => Ok(filling.finish(true)),
        (None, false, _) if rows.ended() => Ok(filling.finish(false)),
        (None, false, _) => Err(Trouble::Changed),
    })
}

/// A page that is being read.
struct Filling<'a> {
    layout: &'a Layout,
    decoders: Vec<Decoder>,
    /// Rows in the decoders.
    here: usize,
    /// Those of them that cannot be read.
    bad: Vec<usize>,
    batches: Vec<(RecordBatch, Vec<usize>)>,
    rejected: Vec<(usize, RejectedRow)>,
    rows: usize,
    bytes: usize,
    last_key: Vec<Vec<u8>>,
    last_key_from: usize,
}

impl<'a> Filling<'a> {
    fn new(layout: &'a Layout) -> Self {
        Self {
            layout,
            decoders: layout.kinds.iter().map(Decoder::new).collect(),
            here: 0,
            bad: Vec::new(),
            batches: Vec::new(),
            rejected: Vec::new(),
            rows: 0,
            bytes: 0,
            last_key: vec![Vec::new(); layout.key_fields.len()],
            last_key_from: 0,
        }
    }

    fn row(&mut self, mut fields: Fields<'_>) -> Result<(), Trouble> {
        let mut unreadable = None;
        let mut same_key = self.rows > 0;
        for place in 0..usize::from(fields.count) {
            let field = fields.next().ok_or(Trouble::Changed)?;
            if let Some(decoder) = self.decoders.get_mut(place)
                && let Err(reason) = decoder.append(field)
            {
                match reason {
                    Unreadable::Type => return Err(Trouble::Changed),
                    Unreadable::Value(what) => unreadable = unreadable.or(Some((place, what))),
                }
            }
            if let Some(part) = self
                .layout
                .key_fields
                .iter()
                .position(|known| *known == place)
            {
                let known = &mut self.last_key[part];
                let value = field.unwrap_or_default();
                if known != value {
                    same_key = false;
                    known.clear();
                    known.extend_from_slice(value);
                }
            }
        }
        if !same_key {
            self.last_key_from = self.rows;
        }
        if let Some((column, what)) = unreadable {
            self.reject(column, what);
        }
        self.rows += 1;
        self.here += 1;
        if self.here == self.layout.rows_per_batch {
            self.cut_batch();
        }
        Ok(())
    }

    fn reject(&mut self, column: usize, what: &str) {
        let layout = self.layout;
        let name = layout.schema.field(column).name();
        let place = match &layout.pages.key {
            Some(key) => key.place(&layout.table, &self.last_key),
            None => layout.table.clone(),
        };
        self.bad.push(self.here);
        let row = RejectedRow {
            rule: "unreadable-value".into(),
            detail: format!("`{name}` holds {what}"),
            id: None,
            place: Some(Place {
                file: place.into(),
                line: None,
                byte: None,
            }),
        };
        self.rejected.push((self.rows, row));
    }

    fn cut_batch(&mut self) {
        let columns = self.decoders.iter_mut().map(Decoder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.here));
        let schema = Arc::clone(&self.layout.schema);
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)
            .expect("each decoder makes a column of its kind");
        self.batches.push((batch, std::mem::take(&mut self.bad)));
        self.here = 0;
    }

    fn finish(mut self, cut: bool) -> Page {
        if self.here > 0 {
            self.cut_batch();
        }
        Page {
            columns: self.batches,
            rejected: self.rejected,
            rows: self.rows,
            bytes: self.bytes,
            cut,
            last_key: self.last_key,
            last_key_from: self.last_key_from,
        }
    }
}
