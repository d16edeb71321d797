//! Which row groups and pages cannot have a row that is wanted.
//!
//! A writer keeps the least and the greatest value and the number of nulls of each column chunk,
//! and often of each page. What these rule out is never read. They are not asked anything else:
//! which rows of the others are wanted is found out from the rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use chatferry_core::{Comparison, Filter, Operand};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type as Physical;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::RowGroupMetaData;

use crate::convert::converted;
use crate::failure::guarded;
use crate::filter::{compared, is_true};
use crate::input::Input;

/// What is known of some stretches of rows, of one column.
#[derive(Debug)]
pub(crate) struct Known {
    /// At most the least value, null where nothing is known.
    least: ArrayRef,
    /// At least the greatest.
    greatest: ArrayRef,
    /// How many nulls.
    nulls: Vec<Option<u64>>,
    /// How many rows.
    rows: Vec<u64>,
}

/// Where a column of the table comes from in a file.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// From that column of the file.
    File(usize),
    /// It has this one value in all rows of the file.
    Value(ArrayRef),
}

impl Known {
    /// What is known of a column that has one value.
    fn of_value(value: &ArrayRef, rows: &[u64]) -> Option<Self> {
        let same = UInt64Array::from(vec![0; rows.len()]);
        let all = take(value, &same, None).ok()?;
        let nulls = rows
            .iter()
            .map(|rows| Some(if value.is_null(0) { *rows } else { 0 }));
        Some(Self {
            least: Arc::clone(&all),
            greatest: all,
            nulls: nulls.collect(),
            rows: rows.to_vec(),
        })
    }

    /// Whether a stretch may have a row for which the comparison holds.
    fn may(&self, at: usize, comparison: Comparison, value: &Operand) -> bool {
        if self.nulls[at] == Some(self.rows[at]) {
            return false;
        }
        let ask = |of: &ArrayRef, comparison| {
            let of = of.slice(at, 1);
            // What is not known may be anything.
            of.is_null(0)
                || compared(&of, comparison, value).map_or(true, |flags| is_true(&flags, 0))
        };
        match comparison {
            Comparison::Equal => {
                ask(&self.least, Comparison::LessOrEqual)
                    && ask(&self.greatest, Comparison::GreaterOrEqual)
            }
            Comparison::NotEqual => {
                ask(&self.least, Comparison::NotEqual) || ask(&self.greatest, Comparison::NotEqual)
            }
            Comparison::Less | Comparison::LessOrEqual => ask(&self.least, comparison),
            Comparison::Greater | Comparison::GreaterOrEqual => ask(&self.greatest, comparison),
        }
    }
}

/// Which of some stretches may have a row for which the condition holds. `known` says what is
/// known of a column; `None` when nothing is.
fn may_hold(filter: &Filter, stretches: usize, known: &dyn Fn(&str) -> Option<Known>) -> Vec<bool> {
    let ask = |column: &str, may: &dyn Fn(&Known, usize) -> bool| match known(column) {
        Some(known) => (0..stretches).map(|at| may(&known, at)).collect(),
        None => vec![true; stretches],
    };
    match filter {
        Filter::Compare {
            column,
            comparison,
            value,
        } => ask(column, &|known, at| known.may(at, *comparison, value)),
        Filter::Null { column } => ask(column, &|known, at| known.nulls[at] != Some(0)),
        Filter::NotNull { column } => {
            ask(column, &|known, at| known.nulls[at] != Some(known.rows[at]))
        }
        Filter::Any(filters) => {
            let mut any = vec![false; stretches];
            for filter in filters {
                let one = may_hold(filter, stretches, known);
                any.iter_mut().zip(one).for_each(|(any, one)| *any |= one);
            }
            any
        }
    }
}

/// Rules out parts of one row group.
pub(crate) struct Pruner<'f> {
    pub(crate) file: &'f ArrowReaderMetadata,
    pub(crate) group: usize,
    /// Where each column that a condition names comes from, and its type in the table.
    pub(crate) origin: &'f dyn Fn(&str) -> Option<(Origin, DataType)>,
}

impl Pruner<'_> {
    /// The rows of the group that may be wanted, as far as statistics and Bloom filters tell.
    pub(crate) fn rows(&self, filters: &[Filter], input: &Input) -> Vec<Range<usize>> {
        let group = self.file.metadata().row_group(self.group);
        let rows = usize::try_from(group.num_rows()).expect("a count is not negative");
        let whole = joined(std::iter::once(0..rows));
        let may = |filter: &Filter| {
            let known = |column: &str| self.known_of_group(column);
            guarded(|| Ok::<_, String>(may_hold(filter, 1, &known)[0])).unwrap_or(true)
        };
        if rows == 0 || !filters.iter().all(may) {
            return Vec::new();
        }
        let absent = |filter: &Filter| {
            guarded(|| Ok::<_, String>(self.is_absent(filter, input))).unwrap_or(false)
        };
        if filters.iter().any(absent) {
            return Vec::new();
        }
        filters.iter().fold(whole, |rows, filter| {
            let pages = guarded(|| Ok::<_, String>(self.pages(filter)));
            match pages {
                Ok(Some(pages)) => both(&rows, &pages),
                _ => rows,
            }
        })
    }

    fn group(&self) -> &RowGroupMetaData {
        self.file.metadata().row_group(self.group)
    }

    fn known_of_group(&self, column: &str) -> Option<Known> {
        let rows = vec![u64::try_from(self.group().num_rows()).ok()?];
        let (leaf, field, kind) = match (self.origin)(column)? {
            (Origin::Value(value), _) => return Known::of_value(&value, &rows),
            (Origin::File(root), kind) => self.leaf(root, kind)?,
        };
        let statistics = self.group().column(leaf).statistics()?;
        let parquet = self.file.parquet_schema();
        let told = StatisticsConverter::from_column_index(leaf, field, parquet).ok()?;
        let told = told.with_missing_null_counts_as_zero(false);
        let group = || [self.group()];
        // Writers of old compared text by signed bytes, and numbers without a sign likewise.
        let usable = !statistics.is_min_max_deprecated() || is_signed(field.data_type());
        let bound = |found: Result<ArrayRef, _>| match found {
            Ok(found) if usable => converted(&found, &kind).ok(),
            _ => None,
        };
        let unknown = || arrow::array::new_null_array(&kind, 1);
        let nulls = told.row_group_null_counts(group()).ok()?;
        Some(Known {
            least: bound(told.row_group_mins(group())).unwrap_or_else(unknown),
            greatest: bound(told.row_group_maxes(group())).unwrap_or_else(unknown),
            nulls: nulls.iter().collect(),
            rows,
        })
    }

    /// The one plain column within a column of the file, its field there, and its type in the
    /// table; `None` when it has several, or none whose order is sure.
    fn leaf(&self, root: usize, kind: DataType) -> Option<(usize, &Field, DataType)> {
        let field = self.file.schema().fields().get(root)?;
        if field.data_type().is_nested() || kind.is_nested() {
            return None;
        }
        let parquet = self.file.parquet_schema();
        let of_root = |leaf: &usize| parquet.get_column_root_idx(*leaf) == root;
        let leaf = (0..parquet.num_columns()).find(of_root)?;
        let ordered = parquet.column(leaf).physical_type() != Physical::INT96;
        ordered.then_some((leaf, field.as_ref(), kind))
    }

    /// The rows of the pages that may have a row for which the condition holds; `None` when the
    /// pages have no index.
    fn pages(&self, filter: &Filter) -> Option<Vec<Range<usize>>> {
        // The pages of several columns lie across each other, so each condition must be of one.
        let columns = filter.columns();
        let (first, others) = columns.split_first()?;
        if others.iter().any(|other| other != first) {
            return None;
        }
        let (Origin::File(root), kind) = (self.origin)(first)? else {
            return None;
        };
        let (leaf, field, kind) = self.leaf(root, kind)?;
        let metadata = self.file.metadata();
        let (indices, offsets) = (metadata.column_index()?, metadata.offset_index()?);
        let locations = offsets.get(self.group)?.get(leaf)?.page_locations();
        let starts = locations
            .iter()
            .map(|page| usize::try_from(page.first_row_index).ok());
        let starts: Vec<usize> = starts.collect::<Option<_>>()?;
        let rows = usize::try_from(self.group().num_rows()).ok()?;
        if starts.first() != Some(&0) || !starts.is_sorted() || starts.last()? > &rows {
            return None;
        }
        let ends = starts.iter().skip(1).copied().chain([rows]);
        let pages: Vec<Range<usize>> = starts.iter().zip(ends).map(|(a, b)| *a..b).collect();
        let parquet = self.file.parquet_schema();
        let told = StatisticsConverter::from_column_index(leaf, field, parquet).ok()?;
        let told = told.with_missing_null_counts_as_zero(false);
        let group = || [&self.group];
        let least = told.data_page_mins(indices, offsets, group()).ok()?;
        let greatest = told.data_page_maxes(indices, offsets, group()).ok()?;
        let nulls = told.data_page_null_counts(indices, offsets, group()).ok()?;
        let as_many = [least.len(), greatest.len(), nulls.len()];
        if as_many.iter().any(|many| *many != pages.len()) {
            return None;
        }
        let (least, greatest) = (
            converted(&least, &kind).ok()?,
            converted(&greatest, &kind).ok()?,
        );
        let (nulls, rows): (Vec<_>, Vec<u64>) = nulls
            .iter()
            .zip(&pages)
            .map(|(nulls, page)| (nulls, page.len() as u64))
            .unzip();
        let known = |_: &str| {
            Some(Known {
                least: Arc::clone(&least),
                greatest: Arc::clone(&greatest),
                nulls: nulls.clone(),
                rows: rows.clone(),
            })
        };
        let may = may_hold(filter, pages.len(), &known);
        let kept = pages.into_iter().zip(may).filter(|(_, may)| *may);
        Some(joined(kept.map(|(page, _)| page)))
    }

    /// Whether Bloom filters tell that no row has any of the values that the condition asks for.
    fn is_absent(&self, filter: &Filter, input: &Input) -> bool {
        match filter {
            Filter::Compare {
                column,
                comparison: Comparison::Equal,
                value,
            } => self.lacks(column, value, input).unwrap_or(false),
            Filter::Any(filters) => filters.iter().all(|filter| self.is_absent(filter, input)),
            _ => false,
        }
    }

    fn lacks(&self, column: &str, value: &Operand, input: &Input) -> Option<bool> {
        let (Origin::File(root), kind) = (self.origin)(column)? else {
            return None;
        };
        let (leaf, field, _) = self.leaf(root, kind)?;
        let chunk = self.group().column(leaf);
        let within = |filter: Sbbf| match (value, field.data_type(), chunk.column_type()) {
            (Operand::Text(text), _, Physical::BYTE_ARRAY) => Some(filter.check(text.as_str())),
            (Operand::Whole(whole), kind, Physical::INT64) if kind.is_signed_integer() => {
                Some(i64::try_from(*whole).is_ok_and(|whole| filter.check(&whole)))
            }
            (Operand::Whole(whole), kind, Physical::INT32) if kind.is_signed_integer() => {
                Some(i32::try_from(*whole).is_ok_and(|whole| filter.check(&whole)))
            }
            _ => None,
        };
        chunk.bloom_filter_offset()?;
        let filter = Sbbf::read_from_column_chunk(chunk, input).ok()??;
        within(filter).map(|within| !within)
    }
}

fn is_signed(kind: &DataType) -> bool {
    kind.is_signed_integer()
        || matches!(
            kind,
            DataType::Boolean | DataType::Date32 | DataType::Timestamp(..)
        )
}

/// Ranges that follow each other, those that touch as one.
pub(crate) fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges.filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// What is in both of two sorted lists of ranges.
fn both(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut here, mut there, mut both) = (0, 0, Vec::new());
    while let (Some(a), Some(b)) = (one.get(here), other.get(there)) {
        both.push(a.start.max(b.start)..a.end.min(b.end));
        match a.end <= b.end {
            true => here += 1,
            false => there += 1,
        }
    }
    joined(both.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_both_is_kept() {
        let both = |one: &[(usize, usize)], other: &[(usize, usize)]| -> Vec<(usize, usize)> {
            let ranges = |pairs: &[(usize, usize)]| -> Vec<Range<usize>> {
                pairs.iter().map(|(start, end)| *start..*end).collect()
            };
            let both = both(&ranges(one), &ranges(other)).into_iter();
            both.map(|range| (range.start, range.end)).collect()
        };
        assert_eq!(both(&[(0, 10), (20, 30)], &[(5, 25)]), [(5, 10), (20, 25)]);
        assert_eq!(both(&[(0, 10)], &[(0, 5), (5, 10)]), [(0, 10)]);
        assert!(both(&[(0, 10)], &[(10, 20)]).is_empty());
        assert!(both(&[], &[(0, 5)]).is_empty());
    }
}
