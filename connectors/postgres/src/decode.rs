//! Values in PostgreSQL's binary form into Arrow columns.
//!
//! Source: PostgreSQL's `*_send` functions, as named beside each. A value that cannot be read
//! takes a place in its column all the same, so that the columns of a row stay together; the row
//! is then left out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder,
    Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder,
    IntervalMonthDayNanoBuilder, ListArray, NullBufferBuilder, StringBuilder, StructArray,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, Decimal256Type, DecimalType, Fields as ArrowFields, IntervalMonthDayNano, i256,
};

use crate::copy::Fields;
use crate::numeric::{self, NotADecimal};
use crate::types::Kind;

/// From 1970-01-01, where Arrow's days and microseconds begin, to 2000-01-01, where PostgreSQL's
/// do.
const DAYS: i32 = 10_957;
const MICROSECONDS: i64 = 10_957 * 86_400 * 1_000_000;

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Its column cannot hold it, for this reason.
    Value(&'static str),
    /// It is of another type than its column had when it was described.
    Type,
}

/// One column that is being filled.
pub(crate) enum Decoder {
    Boolean(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Oid(UInt32Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Decimal128(Decimal128Builder, u8, i8),
    Decimal256(Decimal256Builder, u8, i8),
    Text(StringBuilder),
    Jsonb(StringBuilder),
    Uuid(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Interval(IntervalMonthDayNanoBuilder),
    List {
        items: Box<Decoder>,
        kind: Kind,
        depth: usize,
        ends: Vec<i32>,
        present: NullBufferBuilder,
    },
    Row {
        parts: Vec<Decoder>,
        fields: ArrowFields,
        present: NullBufferBuilder,
    },
}

impl Decoder {
    pub(crate) fn new(kind: &Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Int2 => Self::Int2(Int16Builder::new()),
            Kind::Int4 => Self::Int4(Int32Builder::new()),
            Kind::Int8 => Self::Int8(Int64Builder::new()),
            Kind::Oid => Self::Oid(UInt32Builder::new()),
            Kind::Float4 => Self::Float4(Float32Builder::new()),
            Kind::Float8 => Self::Float8(Float64Builder::new()),
            Kind::Decimal { precision, scale } => match kind.data_type() {
                DataType::Decimal128(..) => {
                    let builder = Decimal128Builder::new().with_data_type(kind.data_type());
                    Self::Decimal128(builder, *precision, *scale)
                }
                _ => {
                    let builder = Decimal256Builder::new().with_data_type(kind.data_type());
                    Self::Decimal256(builder, *precision, *scale)
                }
            },
            Kind::Text | Kind::Json => Self::Text(StringBuilder::new()),
            Kind::Jsonb => Self::Jsonb(StringBuilder::new()),
            Kind::Uuid => Self::Uuid(StringBuilder::new()),
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Time => Self::Time(Time64MicrosecondBuilder::new()),
            Kind::Timestamp { .. } => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(kind.data_type()))
            }
            Kind::Interval => Self::Interval(IntervalMonthDayNanoBuilder::new()),
            Kind::List(item) => Self::List {
                items: Box::new(Self::new(item)),
                kind: item.as_ref().clone(),
                depth: depth(kind),
                ends: vec![0],
                present: NullBufferBuilder::new(0),
            },
            Kind::Row(parts) => Self::Row {
                parts: parts.iter().map(|(_, kind)| Self::new(kind)).collect(),
                fields: match kind.data_type() {
                    DataType::Struct(fields) => fields,
                    _ => ArrowFields::empty(),
                },
                present: NullBufferBuilder::new(0),
            },
        }
    }

    /// Adds a value, or null.
    pub(crate) fn append(&mut self, value: Option<&[u8]>) -> Result<(), Unreadable> {
        let Some(bytes) = value else {
            self.append_null();
            return Ok(());
        };
        let appended = self.append_value(bytes);
        // Lists and rows have taken their place already.
        if appended.is_err() && !matches!(self, Self::List { .. } | Self::Row { .. }) {
            self.append_null();
        }
        appended
    }

    fn append_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Int2(builder) => builder.append_null(),
            Self::Int4(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Oid(builder) => builder.append_null(),
            Self::Float4(builder) => builder.append_null(),
            Self::Float8(builder) => builder.append_null(),
            Self::Decimal128(builder, ..) => builder.append_null(),
            Self::Decimal256(builder, ..) => builder.append_null(),
            Self::Text(builder) | Self::Jsonb(builder) | Self::Uuid(builder) => {
                builder.append_null();
            }
            Self::Bytes(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
            Self::Interval(builder) => builder.append_null(),
            Self::List { ends, present, .. } => {
                ends.push(ends.last().copied().unwrap_or_default());
                present.append_null();
            }
            Self::Row { parts, present, .. } => {
                parts.iter_mut().for_each(Self::append_null);
                present.append_null();
            }
        }
    }

    /// Adds a value that is there. When it cannot be read, only lists and rows have grown.
    fn append_value(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        match self {
            Self::Boolean(builder) => builder.append_value(fixed::<1>(bytes)?[0] != 0),
            Self::Int2(builder) => builder.append_value(i16::from_be_bytes(fixed(bytes)?)),
            Self::Int4(builder) => builder.append_value(i32::from_be_bytes(fixed(bytes)?)),
            Self::Int8(builder) => builder.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Oid(builder) => builder.append_value(u32::from_be_bytes(fixed(bytes)?)),
            Self::Float4(builder) => builder.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float8(builder) => builder.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Self::Decimal128(builder, precision, scale) => {
                let value = decimal(bytes, *precision, *scale)?.to_i128();
                builder.append_value(value.ok_or(Unreadable::Type)?);
            }
            Self::Decimal256(builder, precision, scale) => {
                builder.append_value(decimal(bytes, *precision, *scale)?);
            }
            Self::Text(builder) => builder.append_value(text(bytes)?),
            // jsonb_send: a version, which is 1, and the text.
            Self::Jsonb(builder) => match bytes.split_first() {
                Some((1, json)) => builder.append_value(text(json)?),
                _ => return Err(Unreadable::Type),
            },
            Self::Uuid(builder) => builder.append_value(uuid(fixed(bytes)?, &mut [0; 36])),
            Self::Bytes(builder) => builder.append_value(bytes),
            Self::Date(builder) => builder.append_value(date(i32::from_be_bytes(fixed(bytes)?))?),
            Self::Time(builder) => match i64::from_be_bytes(fixed(bytes)?) {
                86_400_000_000 => return Err(Unreadable::Value("the time 24:00")),
                microseconds => builder.append_value(microseconds),
            },
            Self::Timestamp(builder) => {
                builder.append_value(timestamp(i64::from_be_bytes(fixed(bytes)?))?);
            }
            Self::Interval(builder) => builder.append_value(interval(fixed(bytes)?)?),
            Self::List { depth, .. } => {
                let depth = *depth;
                return self.append_array(bytes, depth);
            }
            Self::Row { parts, present, .. } => {
                present.append_non_null();
                return append_row(parts, bytes);
            }
        }
        Ok(())
    }

    /// array_send: the number of dimensions, whether there are nulls, the type of the elements, the
    /// length and the lower bound of each dimension, and the elements.
    fn append_array(&mut self, bytes: &[u8], depth: usize) -> Result<(), Unreadable> {
        let mut lengths = Vec::with_capacity(depth);
        let header = array_header(bytes, &mut lengths);
        let fits = lengths.is_empty() || lengths.len() == depth;
        match header {
            Some(elements) if fits => {
                if lengths.is_empty() {
                    lengths.push(0);
                }
                self.append_items(&lengths, &mut Fields::of(elements))
            }
            other => {
                self.append_null();
                Err(match other {
                    None => Unreadable::Type,
                    Some(_) => Unreadable::Value("an array of other dimensions than declared"),
                })
            }
        }
    }

    fn append_items(
        &mut self,
        lengths: &[usize],
        elements: &mut Fields<'_>,
    ) -> Result<(), Unreadable> {
        let Self::List {
            items,
            ends,
            present,
            ..
        } = self
        else {
            return Err(Unreadable::Type);
        };
        let mut result = Ok(());
        for _ in 0..lengths[0] {
            result = match lengths {
                [_] => match elements.next() {
                    Some(element) => items.append(element),
                    None => Err(Unreadable::Type),
                },
                _ => items.append_items(&lengths[1..], elements),
            };
            if result.is_err() {
                break;
            }
        }
        ends.push(i32::try_from(items.len()).map_err(|_| Unreadable::Value("too long a list"))?);
        present.append_non_null();
        result
    }

    /// How many values it has.
    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder;
        match self {
            Self::Boolean(builder) => builder.len(),
            Self::Int2(builder) => builder.len(),
            Self::Int4(builder) => builder.len(),
            Self::Int8(builder) => builder.len(),
            Self::Oid(builder) => builder.len(),
            Self::Float4(builder) => builder.len(),
            Self::Float8(builder) => builder.len(),
            Self::Decimal128(builder, ..) => builder.len(),
            Self::Decimal256(builder, ..) => builder.len(),
            Self::Text(builder) | Self::Jsonb(builder) | Self::Uuid(builder) => builder.len(),
            Self::Bytes(builder) => builder.len(),
            Self::Date(builder) => builder.len(),
            Self::Time(builder) => builder.len(),
            Self::Timestamp(builder) => builder.len(),
            Self::Interval(builder) => builder.len(),
            Self::List { present, .. } | Self::Row { present, .. } => present.len(),
        }
    }

    /// The column, and an empty one to go on with.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int2(builder) => Arc::new(builder.finish()),
            Self::Int4(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => Arc::new(builder.finish()),
            Self::Oid(builder) => Arc::new(builder.finish()),
            Self::Float4(builder) => Arc::new(builder.finish()),
            Self::Float8(builder) => Arc::new(builder.finish()),
            Self::Decimal128(builder, ..) => Arc::new(builder.finish()),
            Self::Decimal256(builder, ..) => Arc::new(builder.finish()),
            Self::Text(builder) | Self::Jsonb(builder) | Self::Uuid(builder) => {
                Arc::new(builder.finish())
            }
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::Interval(builder) => Arc::new(builder.finish()),
            Self::List {
                items,
                kind,
                ends,
                present,
                ..
            } => {
                let ends = std::mem::replace(ends, vec![0]);
                let field = Arc::new(kind.field("item"));
                let offsets = OffsetBuffer::new(ends.into());
                Arc::new(ListArray::new(
                    field,
                    offsets,
                    items.finish(),
                    present.finish(),
                ))
            }
            Self::Row {
                parts,
                fields,
                present,
            } => {
                let columns = parts.iter_mut().map(Self::finish).collect();
                Arc::new(StructArray::new(fields.clone(), columns, present.finish()))
            }
        }
    }
}

fn depth(kind: &Kind) -> usize {
    match kind {
        Kind::List(item) => 1 + depth(item),
        _ => 0,
    }
}

/// record_send: the number of fields, and for each its type, its length and its bytes.
fn append_row(parts: &mut [Decoder], bytes: &[u8]) -> Result<(), Unreadable> {
    let count = bytes.first_chunk().map(|count| i32::from_be_bytes(*count));
    let mut rest = bytes.get(4..).unwrap_or_default();
    let mut result = match count.map(usize::try_from) {
        Some(Ok(count)) if count == parts.len() => Ok(()),
        _ => Err(Unreadable::Type),
    };
    for part in parts {
        // Behind the type, a field is written as in a row of a COPY.
        let mut fields = Fields::of(rest.get(4..).unwrap_or_default());
        match fields.next().filter(|_| result.is_ok()) {
            Some(field) => {
                rest = &rest[8 + field.map_or(0, <[u8]>::len)..];
                result = result.and(part.append(field));
            }
            None => {
                part.append_null();
                result = result.and(Err(Unreadable::Type));
            }
        }
    }
    result
}

/// The lengths of an array's dimensions, and its elements.
fn array_header<'a>(bytes: &'a [u8], lengths: &mut Vec<usize>) -> Option<&'a [u8]> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        usize::try_from(i32::from_be_bytes(bytes.try_into().ok()?)).ok()
    };
    let dimensions = number(0)?;
    for dimension in 0..dimensions {
        lengths.push(number(12 + 8 * dimension)?);
    }
    bytes.get(12 + 8 * dimensions..)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Unreadable> {
    bytes.try_into().map_err(|_| Unreadable::Type)
}

fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_| Unreadable::Value("text that is not UTF-8"))
}

fn decimal(bytes: &[u8], precision: u8, scale: i8) -> Result<i256, Unreadable> {
    let value = numeric::decimal(bytes, scale).map_err(|not| match not {
        NotADecimal::Special => Unreadable::Value("a number that is not finite"),
        NotADecimal::TooLong => Unreadable::Value("a number of more digits than declared"),
        NotADecimal::Malformed => Unreadable::Type,
    })?;
    let fits = Decimal256Type::validate_decimal_precision(value, precision, scale);
    fits.map(|()| value)
        .map_err(|_| Unreadable::Value("a number of more digits than declared"))
}

/// date_send: days from 2000-01-01; the least and the greatest number are the two infinities.
fn date(days: i32) -> Result<i32, Unreadable> {
    match days {
        i32::MIN | i32::MAX => Ok(days),
        _ => days
            .checked_add(DAYS)
            .ok_or(Unreadable::Value("a date beyond the calendar")),
    }
}

/// timestamp_send: microseconds from 2000-01-01; the least and the greatest are the infinities.
fn timestamp(microseconds: i64) -> Result<i64, Unreadable> {
    match microseconds {
        i64::MIN | i64::MAX => Ok(microseconds),
        _ => microseconds
            .checked_add(MICROSECONDS)
            .ok_or(Unreadable::Value("a time beyond the calendar")),
    }
}

/// interval_send: microseconds, days, months.
fn interval(bytes: [u8; 16]) -> Result<IntervalMonthDayNano, Unreadable> {
    let part = |from: usize| {
        let bytes = [
            bytes[from],
            bytes[from + 1],
            bytes[from + 2],
            bytes[from + 3],
        ];
        i32::from_be_bytes(bytes)
    };
    let (high, low) = (part(0), part(4));
    let microseconds = (i64::from(high) << 32) | i64::from(low.cast_unsigned());
    let nanoseconds = microseconds.checked_mul(1_000).ok_or(Unreadable::Value(
        "an interval of more than 292 years in seconds",
    ))?;
    Ok(IntervalMonthDayNano::new(part(12), part(8), nanoseconds))
}

/// The usual form of a UUID, in lower case.
pub(crate) fn uuid(bytes: [u8; 16], text: &mut [u8; 36]) -> &str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut at = 0;
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text[at] = b'-';
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    std::str::from_utf8(text).expect("digits and hyphens are text")
}
