//! The rows of a table, file by file and row group by row group.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array,
    new_null_array,
};
use arrow::compute::{and_kleene, concat, filter_record_batch, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, Scan, SourceError};
use chatferry_core::{Filter, Place, json};
use chatferry_files::{Found, Gone, Ranges, Root, changed};
use jiter::Jiter;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use crate::convert::converted;
use crate::describe::{Described, listed};
use crate::failure::{Part, damaged};
use crate::filter::{holds, is_true};
use crate::footer::{footer, with_pages};
use crate::input::Input;
use crate::prune::{Origin, Pruner, joined};
use crate::rows::Group;
use crate::settings::TableSettings;
use crate::types::columns;

/// Rows looked at together to find those that are wanted.
const LOOKED_AT: usize = 8_192;

/// Rows of a batch that cannot be rows of the table, each with why.
type Bad = BTreeMap<usize, String>;
/// Opens a file for reading any part of it.
pub(crate) type Open<'o> = &'o dyn Fn(&Found) -> Result<Arc<dyn Ranges>, SourceError>;
/// Takes the batches.
pub(crate) type Give<'g> = &'g dyn Fn(Batch) -> ControlFlow<Gone>;

/// Gives the rows of a table, until they end or nobody takes them.
pub(crate) fn read(
    open: Open<'_>,
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    scan: &Scan,
    give: Give<'_>,
) -> Result<ControlFlow<Gone>, SourceError> {
    // Listed again, so that what has changed is noticed before anything is read.
    let same = listed(root, settings).ok().as_ref() == Some(&described.listing);
    if !same || scan.table.schema != described.table.schema {
        return Err(changed(settings.template.written()));
    }
    let mut given = 0;
    for file in &described.listing.files {
        if scan.limit.is_some_and(|limit| given >= limit) {
            break;
        }
        let flow = File::open(open, described, scan, file)?
            .map_or(Ok(ControlFlow::Continue(())), |file| {
                file.read(&mut given, give)
            })?;
        if flow.is_break() {
            return Ok(flow);
        }
        if file.has_changed() {
            return Err(changed(&file.name));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// One file, and what is to be read of it.
struct File<'s> {
    name: &'s Arc<str>,
    scan: &'s Scan,
    schema: SchemaRef,
    ranges: Arc<dyn Ranges>,
    reader: ArrowReaderMetadata,
    /// Where each of the table's columns comes from.
    origins: Vec<Origin>,
    /// The conditions that not all of its rows fulfil.
    filters: Vec<Filter>,
}

impl<'s> File<'s> {
    /// Opens it; `None` when none of its rows can be wanted, as far as its path tells.
    fn open(
        open: Open<'_>,
        described: &Described,
        scan: &'s Scan,
        file: &'s Found,
    ) -> Result<Option<Self>, SourceError> {
        let fields = scan.table.schema.fields();
        let values: Vec<Option<ArrayRef>> = fields
            .iter()
            .map(|field| {
                let mut said = described.from_path.iter();
                let said = said.find(|column| column.name() == field.name());
                said.map(|column| column.column(file))
            })
            .collect();
        let by_path = |name: &str| {
            let at = scan.table.schema.index_of(name).ok()?;
            values[at].clone()
        };
        if !scan.filters.iter().all(|filter| may_hold(filter, &by_path)) {
            return Ok(None);
        }
        let ranges = open(file)?;
        let footer = footer(&file.name, &ranges)?;
        let metadata = match scan.filters.is_empty() {
            true => Arc::new(footer.metadata),
            false => with_pages(footer.metadata, &Input::of(Arc::clone(&ranges))),
        };
        let (reader, columns) = columns(&metadata, &footer.roles)
            .map_err(|what| damaged(&file.name, Part::Footer, &what))?;
        let origin = |(field, value): (&Arc<arrow::datatypes::Field>, Option<ArrayRef>)| {
            if let Some(value) = value {
                return Origin::Value(value);
            }
            match columns
                .iter()
                .position(|column| column.name == *field.name())
            {
                Some(at) => Origin::File(at),
                None => Origin::Value(new_null_array(field.data_type(), 1)),
            }
        };
        let origins: Vec<Origin> = fields.iter().zip(values).map(origin).collect();
        let known = |name: &str| match &origins[scan.table.schema.index_of(name).ok()?] {
            Origin::Value(value) => Some(Arc::clone(value)),
            Origin::File(_) => None,
        };
        if !scan.filters.iter().all(|filter| may_hold(filter, &known)) {
            return Ok(None);
        }
        let settled = |filter: &&Filter| {
            filter
                .columns()
                .into_iter()
                .all(|name| known(name).is_some())
        };
        let filters = scan.filters.iter().filter(|filter| !settled(filter));
        Ok(Some(Self {
            name: &file.name,
            scan,
            schema: scan.schema(),
            ranges,
            reader,
            filters: filters.cloned().collect(),
            origins,
        }))
    }

    fn read(&self, given: &mut usize, give: Give<'_>) -> Result<ControlFlow<Gone>, SourceError> {
        let mut first = 0;
        for at in 0..self.reader.metadata().num_row_groups() {
            if self.scan.limit.is_some_and(|limit| *given >= limit) {
                break;
            }
            let group = Group {
                name: self.name,
                ranges: &self.ranges,
                file: &self.reader,
                at,
            };
            let flow = self.read_group(group, first, given, give)?;
            if flow.is_break() {
                return Ok(flow);
            }
            first += rows_of(&self.reader, at);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads a row group, whose first row is that of the file.
    fn read_group(
        &self,
        group: Group<'_>,
        first: usize,
        given: &mut usize,
        give: Give<'_>,
    ) -> Result<ControlFlow<Gone>, SourceError> {
        let (wanted, failure) = match self.wanted(group, first, give) {
            ControlFlow::Continue(wanted) => wanted,
            ControlFlow::Break(gone) => return Ok(ControlFlow::Break(gone)),
        };
        let columns = self.roots(self.scan.columns.iter().copied());
        let flow = if columns.is_empty() {
            self.count(&wanted, given, give)
        } else {
            let most = self.scan.rows_per_batch.max(1);
            let flow = group.read(&columns, wanted, most, |rows, places| {
                let batch = self.batch(&rows, &columns, first, places);
                *given += batch.rows.num_rows();
                if give(batch).is_break() {
                    return ControlFlow::Break(Some(Gone));
                }
                match self.scan.limit {
                    Some(limit) if *given >= limit => ControlFlow::Break(None),
                    _ => ControlFlow::Continue(()),
                }
            })?;
            match flow {
                ControlFlow::Break(Some(gone)) => ControlFlow::Break(gone),
                _ => ControlFlow::Continue(()),
            }
        };
        match failure {
            Some(failure) if flow.is_continue() => Err(failure),
            _ => Ok(flow),
        }
    }

    /// Which rows of a group are wanted, and why that is not known of all of them. Gives those
    /// rows away of which it cannot be known, rejected.
    fn wanted(
        &self,
        group: Group<'_>,
        first: usize,
        give: Give<'_>,
    ) -> ControlFlow<Gone, (Vec<Range<usize>>, Option<SourceError>)> {
        let rows = rows_of(&self.reader, group.at);
        if self.filters.is_empty() {
            return ControlFlow::Continue((joined(std::iter::once(0..rows)), None));
        }
        let origin = |name: &str| self.origin(name);
        let pruner = Pruner {
            file: &self.reader,
            group: group.at,
            origin: &origin,
        };
        let input = Input::of(Arc::clone(&self.ranges));
        let rows = pruner.rows(&self.filters, &input);
        if let Some(failure) = input.failure() {
            return ControlFlow::Continue((Vec::new(), Some(failure)));
        }
        let named = self.filters.iter().flat_map(Filter::columns);
        let named = named.filter_map(|name| self.scan.table.schema.index_of(name).ok());
        let columns = self.roots(named);
        let mut wanted = Vec::new();
        let most = self.scan.rows_per_batch.max(LOOKED_AT);
        let read = group.read(&columns, rows, most, |rows, places| {
            let mut bad = BTreeMap::new();
            let flags = match self.hold(&rows, &columns, &mut bad) {
                Ok(flags) => flags,
                Err(error) => return ControlFlow::Break(Some(error)),
            };
            let each = places.iter().cloned().flatten().enumerate();
            let held = each.filter(|(row, _)| !bad.contains_key(row) && is_true(&flags, *row));
            wanted.extend(held.map(|(_, place)| place..place + 1));
            if bad.is_empty() {
                return ControlFlow::Continue(());
            }
            let batch = Batch {
                rows: RecordBatch::new_empty(Arc::clone(&self.schema)),
                rejected: self.rejected(bad, first, places),
            };
            match give(batch) {
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
                ControlFlow::Break(Gone) => ControlFlow::Break(None),
            }
        });
        let failure = match read {
            Ok(ControlFlow::Continue(())) => None,
            Ok(ControlFlow::Break(None)) => return ControlFlow::Break(Gone),
            Ok(ControlFlow::Break(Some(error))) => Some(group.damaged(&error.to_string(), None)),
            Err(error) => Some(error),
        };
        ControlFlow::Continue((joined(wanted.into_iter()), failure))
    }

    /// For which rows all conditions hold.
    fn hold(
        &self,
        rows: &RecordBatch,
        roots: &[usize],
        bad: &mut Bad,
    ) -> Result<BooleanArray, ArrowError> {
        let bad = RefCell::new(bad);
        let column = |name: &str| {
            let at = self.scan.table.schema.index_of(name)?;
            Ok(self.column(at, rows, roots, &mut bad.borrow_mut()))
        };
        let mut all: Option<BooleanArray> = None;
        for filter in &self.filters {
            let one = holds(filter, &column)?;
            all = Some(match all {
                Some(all) => and_kleene(&all, &one)?,
                None => one,
            });
        }
        Ok(all.unwrap_or_else(|| BooleanArray::from(vec![true; rows.num_rows()])))
    }

    /// The rows with the columns that are wanted, as the table has them, and those rejected that
    /// hold what it has no place for.
    fn batch(
        &self,
        rows: &RecordBatch,
        roots: &[usize],
        first: usize,
        places: &[Range<usize>],
    ) -> Batch {
        let mut bad = BTreeMap::new();
        let columns = self.scan.columns.iter();
        let columns = columns.map(|at| self.column(*at, rows, roots, &mut bad));
        let columns: Vec<ArrayRef> = columns.collect();
        for (field, column) in self.schema.fields().iter().zip(&columns) {
            if json::is_marked(field) {
                let texts = column.as_string::<i32>();
                let is_bad = |row: &usize| texts.is_valid(*row) && !is_json(texts.value(*row));
                for row in (0..texts.len()).filter(is_bad) {
                    bad.entry(row).or_insert_with(|| {
                        format!("`{}` is declared JSON, and is none", field.name())
                    });
                }
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = Arc::clone(&self.schema);
        let rows = RecordBatch::try_new_with_options(schema, columns, &options)
            .expect("the columns were made for the schema");
        if bad.is_empty() {
            return Batch {
                rows,
                rejected: Vec::new(),
            };
        }
        let keep = (0..rows.num_rows()).map(|row| !bad.contains_key(&row));
        let keep = BooleanArray::from(keep.collect::<Vec<bool>>());
        Batch {
            rows: filter_record_batch(&rows, &keep).expect("as many flags as rows"),
            rejected: self.rejected(bad, first, places),
        }
    }

    /// A column of the table, out of those of the file that were read. Values that it has no place
    /// for are null, and their rows are noted.
    fn column(&self, at: usize, rows: &RecordBatch, roots: &[usize], bad: &mut Bad) -> ArrayRef {
        let root = match &self.origins[at] {
            Origin::Value(value) => return repeated(value, rows.num_rows()),
            Origin::File(root) => root,
        };
        let read = rows.column(roots.binary_search(root).expect("it was asked for"));
        let field = self.scan.table.schema.field(at);
        let kind = field.data_type();
        converted(read, kind).unwrap_or_else(|_| {
            let one = |row| {
                converted(&read.slice(row, 1), kind).unwrap_or_else(|_| {
                    let name = field.name();
                    bad.entry(row).or_insert_with(|| match kind {
                        DataType::Utf8 => format!("`{name}` is not UTF-8"),
                        kind if kind.is_nested() => format!("`{name}` holds what is not UTF-8"),
                        kind => format!("`{name}` is beyond what {kind} holds"),
                    });
                    new_null_array(kind, 1)
                })
            };
            let each: Vec<ArrayRef> = (0..read.len()).map(one).collect();
            let each: Vec<&dyn Array> = each.iter().map(AsRef::as_ref).collect();
            concat(&each).expect("columns of one type")
        })
    }

    /// The rows of a batch that are rejected, each with where it stands.
    fn rejected(&self, bad: Bad, first: usize, places: &[Range<usize>]) -> Vec<RejectedRow> {
        let places: Vec<usize> = places.iter().cloned().flatten().collect();
        let rejected = |(row, what): (usize, String)| RejectedRow {
            rule: "unreadable-value".into(),
            detail: format!("row {}: {what}", first + places[row]),
            id: None,
            place: Some(Place {
                file: Arc::clone(self.name),
                line: None,
                byte: None,
            }),
        };
        bad.into_iter().map(rejected).collect()
    }

    /// Gives so many rows, of which nothing is wanted that stands in the file.
    fn count(
        &self,
        wanted: &[Range<usize>],
        given: &mut usize,
        give: Give<'_>,
    ) -> ControlFlow<Gone> {
        let mut left: usize = wanted.iter().map(Range::len).sum();
        while left > 0 {
            let rows = left.min(self.scan.rows_per_batch.max(1));
            let columns = self.scan.columns.iter().map(|at| match &self.origins[*at] {
                Origin::Value(value) => repeated(value, rows),
                Origin::File(_) => unreachable!("nothing of the file is wanted"),
            });
            let columns = columns.collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let schema = Arc::clone(&self.schema);
            let rows_given = RecordBatch::try_new_with_options(schema, columns, &options)
                .expect("the columns were made from the schema");
            left -= rows;
            *given += rows;
            give(Batch {
                rows: rows_given,
                rejected: Vec::new(),
            })?;
            if self.scan.limit.is_some_and(|limit| *given >= limit) {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// The columns of the file that these columns of the table come from, sorted.
    fn roots(&self, columns: impl Iterator<Item = usize>) -> Vec<usize> {
        let root = |at: usize| match &self.origins[at] {
            Origin::File(root) => Some(*root),
            Origin::Value(_) => None,
        };
        let mut roots: Vec<usize> = columns.filter_map(root).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    fn origin(&self, name: &str) -> Option<(Origin, DataType)> {
        let at = self.scan.table.schema.index_of(name).ok()?;
        let kind = self.scan.table.schema.field(at).data_type().clone();
        Some((self.origins[at].clone(), kind))
    }
}

fn rows_of(reader: &ArrowReaderMetadata, group: usize) -> usize {
    let rows = reader.metadata().row_group(group).num_rows();
    usize::try_from(rows).expect("the footer was checked")
}

/// Whether a condition may hold in a file of which some columns have one value.
fn may_hold(filter: &Filter, known: &dyn Fn(&str) -> Option<ArrayRef>) -> bool {
    match filter {
        Filter::Any(filters) => filters.iter().any(|filter| may_hold(filter, known)),
        filter => {
            let column = |name: &str| {
                known(name).ok_or_else(|| ArrowError::ComputeError("not known".into()))
            };
            holds(filter, &column).map_or(true, |flags| is_true(&flags, 0))
        }
    }
}

/// The one value of a column in so many rows.
fn repeated(value: &ArrayRef, rows: usize) -> ArrayRef {
    take(value, &UInt64Array::from(vec![0; rows]), None).expect("its only row")
}

fn is_json(text: &str) -> bool {
    let mut jiter = Jiter::new(text.as_bytes());
    jiter.next_skip().is_ok() && jiter.finish().is_ok()
}
