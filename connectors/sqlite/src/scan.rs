//! A scan: which columns of which rows in which order, and the stream of their batches.

use std::sync::Arc;

use chatferry_core::source::{Batch, BatchStream, Order, Scan, SourceError, SourceErrorKind};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};

use crate::decode::Decoder;
use crate::describe::Described;
use crate::filter::condition;
use crate::key::{BINARY, KeyColumn, collated};
use crate::page::{Condition, Pages, Part, Sort, rows_of};
use crate::rows::{Keyed, Rows};
use crate::session::{Database, quoted};

/// Bytes that a value of a fixed length counts for.
const FIXED_BYTES: u64 = 8;

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
            beginning: Vec::new(),
            sorts: Vec::new(),
        };
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
        for filter in &scan.filters {
            let filter = filter.without_nulls(|name| described.is_never_null(name));
            let mut values = Vec::new();
            let sql = condition(&filter, &mut values);
            let leading = pages.sorts.first().map(|sort| sort.sql.as_str());
            let mut columns = filter.columns().into_iter();
            let is_leading = |name: &str| leading == Some(&quoted(name)) && filter.holds_on(name);
            let conditions = match columns.any(is_leading) {
                true => &mut pages.beginning,
                false => &mut pages.conditions,
            };
            conditions.push(Condition { sql, values });
        }
        let key = described.key.as_ref();
        let columns = key.map_or(&[][..], |key| &key.columns).iter();
        let keyed = Keyed {
            columns: columns
                .map(|column| (column.name.clone(), pages.select(quoted(&column.name))))
                .collect(),
            is_kept: key.is_some_and(|key| key.is_kept),
        };
        let decoder = Decoder::new(scan.schema(), &wanted);
        let rows_per_batch = scan.rows_per_batch.max(1);
        let page_rows = rows_of(average, longest).min(rows_per_batch);
        Ok(Rows::new(self, pages, part, keyed, decoder)
            .in_pages_of(page_rows)
            .in_batches_of(rows_per_batch, scan.limit))
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
    let key = described.key.as_ref();
    let key: &[KeyColumn] = key.map_or(&[], |key| &key.columns);
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
