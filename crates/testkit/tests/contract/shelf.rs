//! A source in memory that keeps every promise, except one at a time.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use chatferry_core::source::{
    Batch, BatchStream, Order, Rows, Scan, Source, SourceError, SourceErrorKind, Table,
};
use chatferry_core::{Comparison, Filter, Operand, Place, RejectedRow, json};
use futures::StreamExt;
use futures::stream;
use tokio::sync::OnceCell;
use tokio::task::yield_now;

/// What a shelf must not show.
pub(crate) const SECRET: &str = "hunter2";
/// Rows on a shelf: more than the suite takes before it looks how many were read.
const ROWS: i64 = 40;
/// Every so many rows one has no name.
const NAMELESS: i64 = 5;

/// The promise that a shelf breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    // Tables.
    TablesUnsorted,
    TableTwice,
    TableUnlisted,
    DescriptionLost,
    DescriptionBrokenOff,
    OtherName,
    ColumnTwice,
    OrderOfNothing,
    OrderOfUnknown,
    EmptyNote,
    KnowsEveryTable,
    ReadsEveryTable,
    RowsMiscounted,
    OrderNotKept,
    NullsFirst,
    NoJson,
    // Rows.
    NothingButAnError,
    EmptyBatch,
    BatchTooLong,
    OtherSchema,
    RowLostBetweenBatches,
    RejectedByBatch,
    EndsByBatch,
    RejectedWithoutReason,
    RejectedWithoutPlace,
    CountNeedsColumns,
    ValueDependsOnColumns,
    LimitTooLow,
    LimitMakesRows,
    FilterIgnored,
    FilterKeepsNulls,
    FilterNeedsItsColumn,
    FilterOnUnknownColumn,
    OrderIgnored,
    OrderLosesRow,
    GoesOnTooLate,
    // Pulling.
    NeedsRuntimeToBegin,
    BeginsTask,
    ReadsBeforePoll,
    RandomRows,
    RandomEnd,
    OneCursorForAll,
    LeavingLosesRow,
    ReadsAhead,
    ReadsOnWhenDropped,
    // Saying.
    GoesOnAfterError,
    SaysNothing,
    SecretInDebug,
    SecretInDescription,
    SecretInError,
    SecretInCause,
    SecretInRejected,
}

/// The source.
pub(crate) struct Shelf {
    flaw: Flaw,
    /// Rows that were read, for whomever.
    pub(crate) read: Arc<AtomicU64>,
    scans: AtomicU64,
    left: Arc<AtomicU64>,
    asked: AtomicBool,
    described: OnceCell<Arc<Table>>,
    cursor: Arc<Mutex<usize>>,
}

impl Shelf {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self {
            flaw,
            read: Arc::default(),
            scans: AtomicU64::new(0),
            left: Arc::default(),
            asked: AtomicBool::new(false),
            described: OnceCell::new(),
            cursor: Arc::default(),
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn table(&self) -> Table {
        let named = |flaw, other: &str, name: &str| if self.is(flaw) { other } else { name }.into();
        let mut orders = vec![Order::by(["id"])];
        match self.flaw {
            Flaw::OrderOfNothing => orders.push(Order { columns: vec![] }),
            Flaw::OrderOfUnknown => orders.push(Order::by(["age"])),
            Flaw::NullsFirst => orders = vec![Order::by(["name"])],
            _ => {}
        }
        let mut fields = vec![
            Field::new("id", DataType::Int64, false),
            Field::new("name", DataType::Utf8, true),
            json::column("extra"),
        ];
        if self.is(Flaw::ColumnTwice) {
            fields.push(fields[0].clone());
        }
        let rows = ROWS.unsigned_abs() + u64::from(self.is(Flaw::RowsMiscounted));
        Table {
            name: named(Flaw::OtherName, "persons", "people"),
            schema: Arc::new(Schema::new(fields)),
            orders,
            can_order: vec![Order::by(["name", "id"])],
            rows: match self.flaw {
                Flaw::RowLostBetweenBatches | Flaw::EndsByBatch => Rows::Unknown,
                _ => Rows::Exactly(rows),
            },
            notes: match self.flaw {
                Flaw::EmptyNote => vec![String::new()],
                Flaw::SecretInDescription => vec![format!("the password is {SECRET}")],
                _ => vec!["these people are made up".into()],
            },
        }
    }

    /// All rows.
    fn rows(&self, schema: SchemaRef) -> RecordBatch {
        let mut ids: Vec<i64> = (0..ROWS).collect();
        if self.is(Flaw::OrderNotKept) {
            ids.swap(3, 4);
        }
        let name = |id: &i64| (id % NAMELESS > 0).then(|| format!("name {}", id % 7));
        let extra = |id: &i64| match self.is(Flaw::NoJson) && *id == 3 {
            true => "{".to_owned(),
            false => format!("{{\"n\":{id}}}"),
        };
        let names: StringArray = ids.iter().map(name).collect();
        let extras: StringArray = ids.iter().map(|id| Some(extra(id))).collect();
        let ids: ArrayRef = Arc::new(Int64Array::from(ids));
        let mut columns: Vec<ArrayRef> = vec![Arc::clone(&ids), Arc::new(names), Arc::new(extras)];
        columns.extend((schema.fields().len() > columns.len()).then_some(ids));
        RecordBatch::try_new(schema, columns).expect("columns of the schema")
    }
}

#[async_trait]
impl Source for Shelf {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        yield_now().await;
        let names: &[&str] = match self.flaw {
            Flaw::TablesUnsorted => &["rooms", "people"],
            Flaw::TableTwice => &["people", "people"],
            Flaw::TableUnlisted => &["rooms"],
            _ => &["people", "rooms"],
        };
        Ok(names.iter().map(|name| (*name).to_owned()).collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        if table != "people" && !self.is(Flaw::KnowsEveryTable) {
            return Err(unknown(self.flaw));
        }
        if self.is(Flaw::DescriptionLost) {
            return Ok(Arc::new(self.table()));
        }
        let first = !self.asked.swap(true, Ordering::SeqCst);
        if self.is(Flaw::DescriptionBrokenOff) && !first && self.described.get().is_none() {
            return Err(unknown(self.flaw));
        }
        let describe = || async {
            yield_now().await;
            Arc::new(self.table())
        };
        Ok(Arc::clone(self.described.get_or_init(describe).await))
    }

    fn honours(&self, _: &Table, filter: &Filter) -> bool {
        let known = |column: &str| column == "id" || column == "name";
        self.is(Flaw::FilterOnUnknownColumn) || filter.columns().into_iter().all(known)
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        match self.flaw {
            Flaw::NeedsRuntimeToBegin => drop(tokio::runtime::Handle::current()),
            Flaw::BeginsTask => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(std::future::pending::<()>());
                }
            }
            Flaw::ReadsBeforePoll => drop(self.read.fetch_add(1, Ordering::SeqCst)),
            _ => {}
        }
        let number = self.scans.fetch_add(1, Ordering::SeqCst);
        let rows = (scan.table.name == "people" || self.is(Flaw::ReadsEveryTable))
            .then(|| self.rows(Arc::clone(&scan.table.schema)));
        let mut reader = Reader {
            flaw: self.flaw,
            read: Arc::clone(&self.read),
            left: Arc::clone(&self.left),
            cursor: Arc::clone(&self.cursor),
            rows,
            wanted: Vec::new(),
            scan,
            given: 0,
            after_error: false,
            number,
        };
        match self.flaw {
            Flaw::ReadsAhead | Flaw::ReadsOnWhenDropped => reader.beside(),
            _ => {
                let begun = async move {
                    yield_now().await;
                    reader.begin();
                    stream::unfold(reader, |mut reader| async move {
                        yield_now().await;
                        let next = reader.next()?;
                        Some((next, reader))
                    })
                };
                stream::once(begun).flatten().boxed()
            }
        }
    }
}

/// One scan.
struct Reader {
    flaw: Flaw,
    read: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
    cursor: Arc<Mutex<usize>>,
    /// None when there is no such table.
    rows: Option<RecordBatch>,
    /// The rows that are wanted, in their order.
    wanted: Vec<u32>,
    scan: Scan,
    given: usize,
    after_error: bool,
    number: u64,
}

impl Reader {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Finds out which rows are wanted.
    fn begin(&mut self) {
        let Some(rows) = &self.rows else { return };
        let ids = rows.column(0).as_primitive::<Int64Type>();
        let names = rows.column(1).as_string::<i32>();
        let name = |row: u32| (!names.is_null(row as usize)).then(|| names.value(row as usize));
        let all = 0..u32::try_from(rows.num_rows()).expect("few rows");
        let keeps = |filter: &Filter, row: u32| {
            let id = ids.value(row as usize);
            keeps(filter, id, name(row), self.flaw, self.scan.order.is_some())
        };
        let names_wanted = self.scan.columns.contains(&1);
        let looks = |filter: &Filter| match self.flaw {
            Flaw::FilterIgnored => false,
            Flaw::FilterNeedsItsColumn => names_wanted || filter.columns() != ["name"],
            _ => true,
        };
        let filters: Vec<&Filter> = self.scan.filters.iter().filter(|one| looks(one)).collect();
        let mut wanted: Vec<u32> = all
            .filter(|row| filters.iter().all(|filter| keeps(filter, *row)))
            .collect();
        if self.scan.order.is_some() && !self.is(Flaw::OrderIgnored) {
            wanted.sort_by_key(|row| (name(*row).is_none(), name(*row), *row));
            if self.is(Flaw::OrderLosesRow) {
                wanted.pop();
            }
        }
        match (self.flaw, self.scan.limit) {
            (Flaw::LimitTooLow, Some(limit)) => wanted.truncate(limit - 1),
            (Flaw::LimitMakesRows, Some(_)) => wanted.push(0),
            (_, Some(limit)) => wanted.truncate(limit),
            (_, None) => {}
        }
        if self.is(Flaw::RandomRows) && self.number % 2 == 1 {
            wanted.reverse();
        }
        if self.is(Flaw::LeavingLosesRow) && self.left.load(Ordering::SeqCst) > 0 {
            wanted.pop();
        }
        self.wanted = wanted;
    }

    fn next(&mut self) -> Option<Result<Batch, SourceError>> {
        if self.rows.is_none() || self.is(Flaw::NothingButAnError) {
            return self.fails(unknown(self.flaw));
        }
        let most = self.scan.rows_per_batch + usize::from(self.is(Flaw::BatchTooLong));
        let from = match self.flaw {
            Flaw::OneCursorForAll if self.scan.rows_per_batch == 1 => {
                *self.cursor.lock().expect("a cursor")
            }
            _ => self.given,
        };
        let to = (from + most).min(self.wanted.len());
        let again = self.is(Flaw::EmptyBatch) && from == to && !self.after_error;
        self.after_error |= again;
        if from == to && !again {
            *self.cursor.lock().expect("a cursor") = 0;
            let ends = self.is(Flaw::EndsByBatch) && most == 7
                || self.is(Flaw::RandomEnd) && self.number % 2 == 1;
            return match ends {
                true => self.fails(unknown(self.flaw)),
                false => None,
            };
        }
        let lost = usize::from(self.is(Flaw::RowLostBetweenBatches) && to < self.wanted.len());
        (self.given, *self.cursor.lock().expect("a cursor")) = (to + lost, to + lost);
        self.read.fetch_add((to - from) as u64, Ordering::SeqCst);
        Some(Ok(Batch {
            rows: self.batch(&self.wanted[from..to]),
            rejected: self.rejected(from),
        }))
    }

    /// Fails, once.
    fn fails(&mut self, error: SourceError) -> Option<Result<Batch, SourceError>> {
        let goes_on = self.is(Flaw::GoesOnAfterError) && self.rows.is_none();
        let first = !std::mem::replace(&mut self.after_error, true);
        (first || goes_on).then_some(Err(error))
    }

    fn batch(&self, wanted: &[u32]) -> RecordBatch {
        let rows = self.rows.as_ref().expect("there are rows");
        let rows = take_record_batch(rows, &UInt32Array::from(wanted.to_vec())).expect("rows");
        let columns = &self.scan.columns;
        let schema = self.scan.schema();
        match self.flaw {
            Flaw::CountNeedsColumns if columns.is_empty() => RecordBatch::new_empty(schema),
            Flaw::OtherSchema => {
                let field = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
                let fields: Vec<Field> = schema.fields().iter().map(field).collect();
                let same = rows.project(columns).expect("columns").columns().to_vec();
                RecordBatch::try_new(Arc::new(Schema::new(fields)), same).expect("columns")
            }
            Flaw::ValueDependsOnColumns if columns == &[1] => {
                let none: StringArray = wanted.iter().map(|_| Some("nobody")).collect();
                RecordBatch::try_new(schema, vec![Arc::new(none)]).expect("a column")
            }
            _ => rows.project(columns).expect("columns of the table"),
        }
    }

    fn rejected(&self, from: usize) -> Vec<RejectedRow> {
        let row = RejectedRow {
            rule: "malformed".into(),
            detail: "it is torn".into(),
            id: None,
            place: Some(Place {
                file: "people".into(),
                line: None,
                byte: None,
            }),
        };
        match self.flaw {
            Flaw::RejectedByBatch if from > 0 => vec![row],
            Flaw::RejectedWithoutReason => vec![RejectedRow {
                detail: String::new(),
                ..row
            }],
            Flaw::RejectedWithoutPlace => vec![RejectedRow { place: None, ..row }],
            Flaw::SecretInRejected => vec![RejectedRow {
                detail: format!("{SECRET} is no name"),
                ..row
            }],
            _ => Vec::new(),
        }
    }

    /// Reads in a task of its own, which does not wait until rows are taken or ends too late.
    fn beside(mut self) -> BatchStream {
        let begun = async move {
            let (bounded, receiver) = tokio::sync::mpsc::channel(match self.flaw {
                Flaw::ReadsAhead => 1_000,
                _ => 1,
            });
            self.begin();
            tokio::spawn(async move {
                while let Some(next) = self.next() {
                    // Whether anybody is left to take it is no matter.
                    let _ = bounded.send(next).await;
                    yield_now().await;
                }
            });
            stream::unfold(receiver, |mut receiver| async move {
                let next = receiver.recv().await?;
                Some((next, receiver))
            })
        };
        stream::once(begun).flatten().boxed()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.given < self.wanted.len() {
            self.left.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn keeps(filter: &Filter, id: i64, name: Option<&str>, flaw: Flaw, ordered: bool) -> bool {
    match filter {
        Filter::Null { column } => column == "name" && name.is_none(),
        Filter::NotNull { column } => column == "id" || name.is_some(),
        Filter::Any(filters) => filters
            .iter()
            .any(|one| keeps(one, id, name, flaw, ordered)),
        Filter::Compare {
            comparison, value, ..
        } => {
            let ordering = match (value, name) {
                (Operand::Whole(whole), _) => i128::from(id).cmp(whole),
                (Operand::Text(text), Some(name)) => name.cmp(text),
                _ => return flaw == Flaw::FilterKeepsNulls,
            };
            match comparison {
                Comparison::Equal => ordering.is_eq(),
                Comparison::NotEqual => ordering.is_ne(),
                Comparison::Less => ordering.is_lt(),
                Comparison::LessOrEqual => ordering.is_le(),
                Comparison::Greater => ordering.is_gt(),
                Comparison::GreaterOrEqual if ordered && flaw == Flaw::GoesOnTooLate => {
                    ordering.is_gt()
                }
                Comparison::GreaterOrEqual => ordering.is_ge(),
            }
        }
    }
}

fn unknown(flaw: Flaw) -> SourceError {
    let reason = match flaw {
        Flaw::SaysNothing => String::new(),
        Flaw::SecretInError => format!("with the password {SECRET} there is no such table"),
        _ => "there is no such table".to_owned(),
    };
    let error = SourceError::new(SourceErrorKind::NotFound, "read the shelf", reason);
    match flaw {
        Flaw::SecretInCause => error.cause(format!("login with {SECRET}")),
        _ => error,
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shelf = f.debug_struct("Shelf");
        if self.is(Flaw::SecretInDebug) {
            shelf.field("password", &SECRET);
        }
        shelf.finish_non_exhaustive()
    }
}
