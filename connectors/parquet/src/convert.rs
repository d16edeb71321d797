//! Columns as they are read, made into the columns that the table has.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, ListArray, MapArray, StringArray,
    StructArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, IntervalUnit};
use arrow::error::ArrowError;

use crate::interval;
use crate::snapshot::INTERVAL_BYTES;

/// Bytes of a UUID.
const UUID: i32 = 16;

/// The column as one of that type, which is its own, or one that holds all of its values.
pub(crate) fn converted(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    Ok(match (column.data_type(), to) {
        (DataType::FixedSizeBinary(INTERVAL_BYTES), DataType::Interval(_)) => {
            Arc::new(interval::of_bytes(column.as_fixed_size_binary()))
        }
        (
            DataType::Interval(IntervalUnit::MonthDayNano),
            DataType::FixedSizeBinary(INTERVAL_BYTES),
        ) => Arc::new(interval::bytes(column.as_primitive())),
        (DataType::Boolean, DataType::Struct(fields)) if fields.is_empty() => Arc::new(
            StructArray::new_empty_fields(column.len(), column.logical_nulls()),
        ),
        (DataType::Struct(fields), DataType::Boolean) if fields.is_empty() => {
            let there = (0..column.len()).map(|row| column.is_valid(row).then_some(true));
            Arc::new(there.collect::<BooleanArray>())
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let (from, rows) = (column.as_struct(), column.len());
            let field = |field: &FieldRef| match from.column_by_name(field.name()) {
                Some(column) => converted(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), rows)),
            };
            let columns: Result<Vec<ArrayRef>, _> = fields.iter().map(field).collect();
            let nulls = from.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                columns?,
                nulls,
                rows,
            )?)
        }
        (DataType::List(_), DataType::List(item)) => {
            let (_, offsets, items, nulls) = column.as_list::<i32>().clone().into_parts();
            let (offsets, used) = from_the_first(offsets);
            let items = converted(&items.slice(used.start, used.len()), item.data_type())?;
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls)?)
        }
        (
            DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item)
            | DataType::FixedSizeList(item, _),
            DataType::List(_),
        ) => {
            let plain = cast(column, &DataType::List(Arc::clone(item)))?;
            converted(&plain, to)?
        }
        (DataType::Map(..), DataType::Map(entry, sorted)) => {
            let (_, offsets, entries, nulls, _) = column.as_map().clone().into_parts();
            let (offsets, used) = from_the_first(offsets);
            let entries = entries.slice(used.start, used.len());
            let DataType::Struct(fields) = entry.data_type() else {
                return cast(column, to);
            };
            let columns = entries.columns().iter().zip(fields);
            let columns: Result<Vec<ArrayRef>, _> = columns
                .map(|(column, field)| converted(column, field.data_type()))
                .collect();
            let entries = StructArray::try_new(fields.clone(), columns?, entries.nulls().cloned())?;
            Arc::new(MapArray::try_new(
                Arc::clone(entry),
                offsets,
                entries,
                nulls,
                *sorted,
            )?)
        }
        (DataType::Binary, DataType::Utf8) => {
            let (offsets, bytes, nulls) = column.as_binary::<i32>().clone().into_parts();
            let (offsets, used) = from_the_first(offsets);
            let bytes = bytes.slice_with_length(used.start, used.len());
            Arc::new(StringArray::try_new(offsets, bytes, nulls)?)
        }
        (DataType::FixedSizeBinary(UUID), DataType::Utf8) => {
            Arc::new(uuids(column.as_fixed_size_binary()))
        }
        (DataType::FixedSizeBinary(interval::LENGTH), DataType::Utf8) => {
            Arc::new(interval::texts(column.as_fixed_size_binary()))
        }
        _ => cast(column, to)?,
    })
}

/// The offsets of a column that may be a part of another, as if there were no other, and which of
/// what they lead to is its own.
fn from_the_first(offsets: OffsetBuffer<i32>) -> (OffsetBuffer<i32>, Range<usize>) {
    let place = |offset: i32| usize::try_from(offset).expect("an offset is not negative");
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let offsets = match first {
        0 => offsets,
        _ => OffsetBuffer::new(offsets.iter().map(|offset| offset - first).collect()),
    };
    (offsets, place(first)..place(last))
}

/// Every value, or an error: none becomes null on the way.
fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &options)
}

fn uuids(bytes: &FixedSizeBinaryArray) -> StringArray {
    let text = |row| {
        bytes.is_valid(row).then(|| {
            let mut text = String::with_capacity(36);
            for (at, byte) in bytes.value(row).iter().enumerate() {
                if matches!(at, 4 | 6 | 8 | 10) {
                    text.push('-');
                }
                write!(text, "{byte:02x}").expect("text");
            }
            text
        })
    };
    (0..bytes.len()).map(text).collect()
}
