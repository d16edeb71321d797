//! One column being filled.
//!
//! Arrow's own builders cannot be cut back, so these hold the same buffers and can.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float64Array,
    Int64Array, NullBufferBuilder, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use crate::dialect::{Dialect, How};
use crate::kind::{self, Kind};

/// One column being filled.
pub(crate) struct Column {
    kind: Kind,
    valid: NullBufferBuilder,
    values: Values,
    /// Room for a text that is not written as it is.
    room: Vec<u8>,
}

enum Values {
    Texts { bytes: Vec<u8>, ends: Vec<i32> },
    Bigints(Vec<i64>),
    Doubles(Vec<f64>),
    Decimals(Vec<i128>),
    Flags(BooleanBufferBuilder),
    Days(Vec<i32>),
}

impl Column {
    /// An empty column of that kind.
    pub(crate) fn new(kind: &Kind) -> Self {
        let values = match kind {
            Kind::Text | Kind::Json => Values::Texts {
                bytes: Vec::new(),
                ends: Vec::new(),
            },
            Kind::Bigint | Kind::Timestamp(_) | Kind::Instant(_) => Values::Bigints(Vec::new()),
            Kind::Double => Values::Doubles(Vec::new()),
            Kind::Decimal(..) => Values::Decimals(Vec::new()),
            Kind::Boolean(_) => Values::Flags(BooleanBufferBuilder::new(0)),
            Kind::Date(_) => Values::Days(Vec::new()),
        };
        Self {
            kind: kind.clone(),
            valid: NullBufferBuilder::new(0),
            values,
            room: Vec::new(),
        }
    }

    /// Appends what is written in a field, or nothing, when it is not of the column's kind.
    pub(crate) fn push(&mut self, written: &[u8], how: How, dialect: &Dialect) -> Result<(), ()> {
        if let (Values::Texts { bytes, ends }, Kind::Text) = (&mut self.values, &self.kind) {
            match how.is_plain() {
                true => bytes.extend_from_slice(written),
                false => dialect.unescape(written, how, bytes),
            }
            ends.push(offset(bytes.len()));
            self.valid.append_non_null();
            return Ok(());
        }
        let mut room = std::mem::take(&mut self.room);
        let text = match how.is_plain() {
            true => written,
            false => {
                room.clear();
                dialect.unescape(written, how, &mut room);
                &room
            }
        };
        let pushed = match text.is_empty() {
            // Nothing else can be meant.
            true => {
                self.push_null();
                Some(())
            }
            false => str::from_utf8(text)
                .ok()
                .and_then(|text| self.push_value(text)),
        };
        self.room = room;
        pushed.ok_or(())
    }

    fn push_value(&mut self, text: &str) -> Option<()> {
        match (&mut self.values, &self.kind) {
            (Values::Texts { bytes, ends }, _) => {
                if !kind::is_json(text.as_bytes()) {
                    return None;
                }
                bytes.extend_from_slice(text.as_bytes());
                ends.push(offset(bytes.len()));
            }
            (Values::Bigints(values), Kind::Timestamp(format)) => {
                values.push(kind::timestamp(text, format.as_deref())?);
            }
            (Values::Bigints(values), Kind::Instant(format)) => {
                values.push(kind::instant(text, format.as_deref())?);
            }
            (Values::Bigints(values), _) => values.push(kind::bigint(text)?),
            (Values::Doubles(values), _) => values.push(kind::double(text)?),
            (Values::Decimals(values), Kind::Decimal(precision, scale)) => {
                values.push(kind::decimal(text, *precision, *scale)?);
            }
            (Values::Flags(values), Kind::Boolean(words)) => {
                values.append(kind::boolean(text, words.as_ref())?);
            }
            (Values::Days(values), Kind::Date(format)) => {
                values.push(kind::date(text, format.as_deref())?);
            }
            (Values::Decimals(_) | Values::Flags(_) | Values::Days(_), _) => return None,
        }
        self.valid.append_non_null();
        Some(())
    }

    /// Appends a text to a column of texts.
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Values::Texts { bytes, ends } = &mut self.values {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(offset(bytes.len()));
            self.valid.append_non_null();
        }
    }

    /// Appends a null.
    pub(crate) fn push_null(&mut self) {
        self.valid.append_null();
        match &mut self.values {
            Values::Texts { bytes, ends } => ends.push(offset(bytes.len())),
            Values::Bigints(values) => values.push(0),
            Values::Doubles(values) => values.push(0.0),
            Values::Decimals(values) => values.push(0),
            Values::Flags(values) => values.append(false),
            Values::Days(values) => values.push(0),
        }
    }

    /// Cuts back to so many values.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
        match &mut self.values {
            Values::Texts { bytes, ends } => {
                ends.truncate(rows);
                let last = ends.last().copied().unwrap_or(0);
                bytes.truncate(usize::try_from(last).expect("an offset is not negative"));
            }
            Values::Bigints(values) => values.truncate(rows),
            Values::Doubles(values) => values.truncate(rows),
            Values::Decimals(values) => values.truncate(rows),
            Values::Flags(values) => values.truncate(rows),
            Values::Days(values) => values.truncate(rows),
        }
    }

    /// Gives the values and begins anew.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        let valid = self.valid.finish();
        match &mut self.values {
            Values::Texts { bytes, ends } => {
                let mut offsets = Vec::with_capacity(ends.len() + 1);
                offsets.push(0);
                offsets.append(ends);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let bytes = Buffer::from_vec(renew(bytes));
                Arc::new(StringArray::new(offsets, bytes, valid))
            }
            Values::Bigints(values) => {
                let values = renew(values).into();
                match &self.kind {
                    Kind::Timestamp(_) => Arc::new(TimestampMicrosecondArray::new(values, valid)),
                    Kind::Instant(_) => {
                        Arc::new(TimestampMicrosecondArray::new(values, valid).with_timezone("UTC"))
                    }
                    _ => Arc::new(Int64Array::new(values, valid)),
                }
            }
            Values::Doubles(values) => Arc::new(Float64Array::new(renew(values).into(), valid)),
            Values::Decimals(values) => {
                let array = Decimal128Array::new(renew(values).into(), valid);
                Arc::new(array.with_data_type(self.kind.data_type()))
            }
            Values::Flags(values) => Arc::new(BooleanArray::new(values.finish(), valid)),
            Values::Days(values) => Arc::new(Date32Array::new(renew(values).into(), valid)),
        }
    }
}

/// An empty vector in the place of one that is taken, with room for as much again.
fn renew<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = values.len();
    std::mem::replace(values, Vec::with_capacity(room))
}

fn offset(length: usize) -> i32 {
    i32::try_from(length).expect("a batch is cut long before two gigabytes")
}
