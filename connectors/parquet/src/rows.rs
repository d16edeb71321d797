//! The rows of one row group, batch by batch, as far as they can be read.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use arrow::array::RecordBatch;
use chatferry_core::source::SourceError;
use chatferry_files::Ranges;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};

use crate::failure::{Part, damaged, guarded};
use crate::input::Input;
use crate::prune::joined;

/// Bytes that a batch holds, roughly, even when it could have more rows.
const BATCH_BYTES: u64 = 4 << 20;

/// A row group of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'f> {
    pub(crate) name: &'f str,
    pub(crate) ranges: &'f Arc<dyn Ranges>,
    pub(crate) file: &'f ArrowReaderMetadata,
    pub(crate) at: usize,
}

impl Group<'_> {
    /// Goes through some rows of some columns of the file, in batches of at most so many rows,
    /// until `visit` breaks off. `visit` is told where in the group the rows of a batch stand.
    ///
    /// When a part cannot be read, what stands before it is given first.
    pub(crate) fn read<B>(
        &self,
        columns: &[usize],
        rows: Vec<Range<usize>>,
        most: usize,
        mut visit: impl FnMut(RecordBatch, &[Range<usize>]) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, SourceError> {
        let mut most = self.fitting(columns, most);
        let mut open = Open(rows.into());
        // After a failure only so many rows are asked for at a time, and fewer with each.
        let mut careful = false;
        while !open.is_empty() {
            let wanted = match careful {
                true => open.first(most),
                false => open.0.iter().cloned().collect(),
            };
            let count: usize = wanted.iter().map(Range::len).sum();
            let mut given = 0;
            let from_the_first = !careful && wanted.first().is_some_and(|range| range.start == 0);
            let input = self.input(columns, from_the_first)?;
            let failure = match self.reader(&input, columns, &wanted, most) {
                Err(failure) => Some(failure),
                Ok(mut reader) => loop {
                    match guarded(|| reader.next().transpose()) {
                        Ok(Some(batch)) if given + batch.num_rows() <= count => {
                            given += batch.num_rows();
                            let places = open.take(batch.num_rows());
                            let flow = visit(batch, &places);
                            if flow.is_break() {
                                return Ok(flow);
                            }
                        }
                        Ok(None) if given == count => break None,
                        Ok(_) => break Some("it has not as many rows as it says".to_owned()),
                        Err(failure) => break Some(failure),
                    }
                },
            };
            if let Some(failure) = failure {
                if let Some(error) = input.failure() {
                    return Err(error);
                }
                if most <= 1 {
                    return Err(self.damaged(&failure, open.next()));
                }
                most = most.min(count - given).div_ceil(2).min(most - 1);
                careful = true;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The error for what is wrong with this row group from a row on.
    pub(crate) fn damaged(&self, failure: &str, row: Option<usize>) -> SourceError {
        let groups = self.file.metadata().num_row_groups();
        let row = row.map(|row| row as u64);
        damaged(self.name, Part::Group(self.at, groups, row), failure)
    }

    /// How many rows of those columns make a batch that is not too large.
    fn fitting(&self, columns: &[usize], most: usize) -> usize {
        let group = self.file.metadata().row_group(self.at);
        let bytes: u64 = self
            .leaves(columns)
            .map(|leaf| u64::try_from(group.column(leaf).uncompressed_size()).unwrap_or(0))
            .sum();
        let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
        let fitting = BATCH_BYTES / (bytes / rows).max(1);
        most.min(usize::try_from(fitting).unwrap_or(usize::MAX))
            .max(1)
    }

    /// The plain columns within some columns of the file.
    fn leaves(&self, columns: &[usize]) -> impl Iterator<Item = usize> {
        let parquet = self.file.parquet_schema();
        (0..parquet.num_columns())
            .filter(move |leaf| columns.contains(&parquet.get_column_root_idx(*leaf)))
    }

    /// The file with a window over each of these columns, at their beginnings if they are to be
    /// read from the first row on.
    fn input(&self, columns: &[usize], from_the_first: bool) -> Result<Input, SourceError> {
        let group = self.file.metadata().row_group(self.at);
        let chunk = |leaf| {
            let (start, length) = guarded(|| Ok::<_, String>(group.column(leaf).byte_range()))?;
            Ok(start..start.saturating_add(length))
        };
        let chunks: Result<Vec<Range<u64>>, String> = self.leaves(columns).map(chunk).collect();
        let chunks = chunks.map_err(|failure| self.damaged(&failure, None))?;
        let input = Input::with_windows(Arc::clone(self.ranges), chunks);
        if from_the_first {
            input.look_ahead()?;
        }
        Ok(input)
    }

    fn reader(
        &self,
        input: &Input,
        columns: &[usize],
        rows: &[Range<usize>],
        most: usize,
    ) -> Result<ParquetRecordBatchReader, String> {
        let group = self.file.metadata().row_group(self.at);
        let all = usize::try_from(group.num_rows()).unwrap_or(0);
        guarded(|| {
            let parquet = self.file.parquet_schema();
            let wanted = ProjectionMask::roots(parquet, columns.iter().copied());
            let input = input.clone();
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(input, self.file.clone())
                    .with_row_groups(vec![self.at])
                    .with_projection(wanted)
                    .with_batch_size(most);
            let reader = match rows {
                [whole] if *whole == (0..all) => reader,
                _ => {
                    let rows = rows.iter().cloned();
                    reader.with_row_selection(RowSelection::from_consecutive_ranges(rows, all))
                }
            };
            reader.build()
        })
    }
}

/// Rows that were not given yet.
struct Open(VecDeque<Range<usize>>);

impl Open {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of them.
    fn next(&self) -> Option<usize> {
        self.0.front().map(|range| range.start)
    }

    /// The first so many.
    fn first(&self, rows: usize) -> Vec<Range<usize>> {
        let mut left = rows;
        let mut first = Vec::new();
        for range in &self.0 {
            if left == 0 {
                break;
            }
            let length = range.len().min(left);
            first.push(range.start..range.start + length);
            left -= length;
        }
        first
    }

    /// Takes the first so many out.
    fn take(&mut self, rows: usize) -> Vec<Range<usize>> {
        let taken = self.first(rows);
        if let Some(last) = taken.last() {
            let end = last.end;
            self.0.retain_mut(|range| {
                range.start = range.start.max(end);
                range.start < range.end
            });
        }
        joined(taken.into_iter())
    }
}
