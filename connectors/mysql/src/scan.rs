//! A table's rows, page by page.
//!
//! A page is read to its end before any of it is given away, so that no statement is open while
//! the rows are taken. One page is read ahead, while those of the one before are used. Between two
//! pages the session is anybody's.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chatferry_core::Filter;
use chatferry_core::source::{Batch, BatchStream, Scan, SourceError, SourceErrorKind};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::mysql::MySqlRow;
use tokio::task::JoinHandle;

use crate::describe::Described;
use crate::filter;
use crate::key::{KeyValue, Shared};
use crate::page::Pages;
use crate::rows::{Arriving, Layout, Page, Trouble};
use crate::session::{Session, Sessions};
use crate::sql::{Sql, quoted};

/// Bytes that a page aims at: some 25,000 messages, which is enough that the pause between two
/// pages does not count, and little enough that it is a small part of the memory.
const PAGE_BYTES: usize = 8 << 20;
/// Bytes after which a page is cut, whatever it was to have.
const MOST_BYTES: usize = 64 << 20;
/// Rows of the first page, when nothing is known of their size.
const FIRST_ROWS: usize = 1_024;
/// Rows that a page has at most.
const MOST_ROWS: usize = 1 << 17;
/// How many times more rows a page may have than the one before.
const GROWTH: usize = 8;
/// Rows between two looks at the clock.
const ROWS_PER_LOOK: usize = 256;

/// The rows of a table that is described when the stream is first polled.
pub(crate) fn batches(
    described: BoxFuture<'static, Result<Arc<Described>, SourceError>>,
    sessions: Arc<Sessions>,
    scan: Scan,
) -> BatchStream {
    let start = async move {
        let described = described.await?;
        Ok(Reader::new(sessions, &described, &scan))
    };
    let batches = stream::once(start).map_ok(|reader| {
        stream::try_unfold(reader, |mut reader| async move {
            let batch = reader.next().await?;
            Ok(batch.map(|batch| (batch, reader)))
        })
    });
    batches.try_flatten().boxed()
}

/// A scan under way.
struct Reader {
    plan: Arc<Plan>,
    rows_per_batch: usize,
    ready: VecDeque<Batch>,
    /// The last key.
    after: Option<Vec<KeyValue>>,
    rows_per_page: usize,
    done: bool,
    /// The page after the one that is given away.
    ahead: Option<Asked>,
    /// Not when only a few rows are wanted.
    reads_ahead: bool,
}

/// How a scan's pages are read.
struct Plan {
    sessions: Arc<Sessions>,
    layout: Layout,
    pages: Pages,
}

/// A page that is being read. Nobody reads it any more once this is dropped.
///
/// In a transaction that others go on to read in it is read to its end nevertheless: the session
/// would be lost with what is left of an answer.
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

impl Reader {
    fn new(sessions: Arc<Sessions>, table: &Described, scan: &Scan) -> Self {
        let wanted = scan.columns.iter().map(|place| &table.columns[*place]);
        let mut columns: Vec<_> = wanted.collect();
        for name in filter::doubtful(&scan.filters, table) {
            let known = columns.iter().any(|column| column.name == name);
            columns.extend(table.column(name).filter(|_| !known));
        }
        let mut items: Vec<String> = columns
            .iter()
            .map(|column| column.type_.expression(&quoted(&column.name)))
            .collect();
        let key = match &scan.order {
            Some(order) => table.key_for(order),
            None => table.key.as_ref(),
        };
        // The key's columns are asked for as they are compared, if they are not there already.
        let mut key_items = Vec::new();
        for column in key.iter().flat_map(|key| &key.columns) {
            let sql = column.sql();
            let place = items.iter().position(|known| *known == sql);
            key_items.push(place.unwrap_or_else(|| {
                items.push(sql);
                items.len() - 1
            }));
        }
        let leading = key.and_then(|key| key.columns.first());
        let holds_on =
            |filter: &Filter| leading.is_some_and(|column| filter.holds_on(&column.name));
        let never_null = |name: &str| filter::is_never_null(table, name);
        let filters = scan.filters.iter().map(|one| one.without_nulls(never_null));
        let (beginning, conditions): (Vec<Filter>, Vec<Filter>) = filters.partition(holds_on);
        let sql = |filters: &[Filter]| {
            let filters = filters.iter();
            filters.filter_map(|one| filter::sql(one, table)).collect()
        };
        let first = scan.limit.unwrap_or(FIRST_ROWS);
        let plan = Plan {
            sessions,
            layout: Layout {
                table: scan.table.name.clone(),
                schema: scan.schema(),
                columns: columns
                    .iter()
                    .map(|column| (column.name.clone(), column.type_))
                    .collect(),
                key: key.cloned(),
                key_items,
                reading: table.reading,
            },
            pages: Pages {
                items,
                from: table.from.clone(),
                conditions: sql(&conditions),
                beginning: sql(&beginning),
                key: key.cloned(),
                ordered: scan.order.is_some(),
            },
        };
        Self {
            plan: Arc::new(plan),
            rows_per_batch: scan.rows_per_batch.max(1),
            ready: VecDeque::new(),
            after: None,
            rows_per_page: first.clamp(2, FIRST_ROWS),
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
        let (plan, after) = (Arc::clone(&self.plan), self.after.clone());
        let rows = self.rows_per_page as u64;
        let goes_on = plan.sessions.is_of_one_moment();
        let task = tokio::spawn(async move { plan.page(after.as_deref(), rows).await });
        Asked { task, goes_on }
    }

    /// Takes over what a page has, and decides what the next one is to be.
    fn take(&mut self, page: Page) -> Result<(), SourceError> {
        let mut rows = page.len();
        let Some(key) = &self.plan.layout.key else {
            if page.cut {
                return Err(self.plan.too_long());
            }
            self.done = true;
            self.ready = page.batches(rows, self.rows_per_batch);
            return Ok(());
        };
        let full = page.cut || page.arrived >= self.rows_per_page;
        self.done = !full;
        if full && key.shared == Shared::Seen {
            if page.last_key_from == 0 {
                return self.widen(&page);
            }
            rows = page.last_key_from;
        }
        if full {
            self.after = Some(page.last_key.clone());
        }
        let row_bytes = (page.bytes / page.len().max(1)).max(1);
        let grown = (PAGE_BYTES / row_bytes).min(self.rows_per_page.saturating_mul(GROWTH));
        self.rows_per_page = grown.clamp(2, MOST_ROWS);
        self.ready = page.batches(rows, self.rows_per_batch);
        Ok(())
    }

    /// A whole page of rows with one key: the next page must have more of them.
    fn widen(&mut self, page: &Page) -> Result<(), SourceError> {
        if page.cut || self.rows_per_page >= MOST_ROWS {
            let reason = format!("more than {} rows have the same key", page.len());
            return Err(self
                .plan
                .error(SourceErrorKind::Pipeline, reason)
                .help("choose a `key` that tells rows apart"));
        }
        self.rows_per_page = (self.rows_per_page * 4).min(MOST_ROWS);
        Ok(())
    }
}

impl Plan {
    /// Reads a page, by another session if one is lost on the way.
    async fn page(&self, after: Option<&[KeyValue]>, rows: u64) -> Result<Page, SourceError> {
        let again = self.pages.again(after);
        let limit = self.pages.key.is_some().then_some(rows);
        let statement = self.pages.statement(after, limit);
        let attempt = |session| self.attempt(session, &statement, again).boxed();
        let doing = format!("read {}", self.layout.table);
        let page = self.sessions.patiently(&doing, attempt).await?;
        page.map_err(|trouble| self.unusable(trouble))
    }

    async fn attempt(
        &self,
        mut session: Session,
        statement: &Sql,
        again: Option<usize>,
    ) -> Result<Result<Page, Trouble>, sqlx::Error> {
        let mut arriving = Arriving::new(&self.layout, again);
        let mut rows = statement.query().fetch(session.connection());
        let (mut complete, mut trouble) = (false, None);
        while !complete && trouble.is_none() && arriving.bytes() < MOST_BYTES {
            let some = some(&mut rows, &mut arriving);
            match self.sessions.in_time(some).await? {
                Ok(ended) => complete = ended,
                Err(found) => trouble = Some(found),
            }
        }
        // What is left of an answer is not wanted, and the session with it, if another can be had.
        let mut is_read = complete;
        while !is_read && self.sessions.is_of_one_moment() {
            is_read = self.sessions.in_time(none_of(&mut rows)).await?;
        }
        drop(rows);
        if is_read {
            self.sessions.give_back(session);
        }
        self.sessions.gave_rows();
        match trouble {
            Some(trouble) => Ok(Err(trouble)),
            None => Ok(arriving.finish(!complete)),
        }
    }

    fn unusable(&self, trouble: Trouble) -> SourceError {
        match trouble {
            Trouble::Changed(name) => self
                .error(
                    SourceErrorKind::Changed,
                    format!("`{name}` is of another type than when it was described"),
                )
                .help("run `chatferry check` again, and then the same command"),
            Trouble::NullInKey(name) => self
                .error(
                    SourceErrorKind::Pipeline,
                    format!("`{name}` of its key is null in some row, which no page would have"),
                )
                .help(
                    "choose columns that are never null, or leave those rows out with a `query` \
                     of the table",
                ),
            Trouble::Key(name) => self
                .error(
                    SourceErrorKind::Pipeline,
                    format!("`{name}` of its key cannot be read in some row"),
                )
                .help("choose another column as `key`"),
            Trouble::SameKey => self
                .error(SourceErrorKind::Pipeline, "two rows have the same key")
                .help("choose a `key` that tells rows apart; to the server, `a` may be `A`"),
        }
    }

    fn too_long(&self) -> SourceError {
        let reason = "it has no key to read it page by page by, and is too long to be read at once";
        self.error(SourceErrorKind::Pipeline, reason).help(
            "name columns that are never null and have an index: `tables.NAME = { key = [\"id\"] }` \
             in the source's section",
        )
    }

    fn error(&self, kind: SourceErrorKind, reason: impl Into<String>) -> SourceError {
        SourceError::new(kind, format!("read {}", self.layout.table), reason)
    }
}

/// Takes some of the rows, so that somebody looks at the clock between; whether there are no more.
async fn some(
    rows: &mut BoxStream<'_, Result<MySqlRow, sqlx::Error>>,
    arriving: &mut Arriving<'_>,
) -> Result<Result<bool, Trouble>, sqlx::Error> {
    for _ in 0..ROWS_PER_LOOK {
        match rows.try_next().await? {
            None => return Ok(Ok(true)),
            Some(row) => match arriving.take(row) {
                Ok(()) if arriving.bytes() >= MOST_BYTES => break,
                Ok(()) => {}
                Err(trouble) => return Ok(Err(trouble)),
            },
        }
    }
    Ok(Ok(false))
}

/// Leaves out some of the rows; whether there are no more.
async fn none_of(
    rows: &mut BoxStream<'_, Result<MySqlRow, sqlx::Error>>,
) -> Result<bool, sqlx::Error> {
    for _ in 0..ROWS_PER_LOOK {
        if rows.try_next().await?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}
