//! One column being filled.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float64Builder, Int64Builder, ListArray, NullBufferBuilder, StringBuilder, StructArray,
    TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{FieldRef, Fields as ArrowFields};

use crate::calendar::{day, microseconds};
use crate::decode::Fields;
use crate::extended::{Extended, milliseconds};
use crate::kind::Kind;
use crate::number::{Number, decimal};
use crate::scanner::{Next, Scanner};
use crate::syntax::Malformed;

/// One column being filled.
pub(crate) enum Column {
    Boolean(BooleanBuilder),
    Bigint(Int64Builder),
    Double(Float64Builder),
    Time(TimestampMillisecondBuilder),
    Moment(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringBuilder),
    Json(StringBuilder),
    List {
        valid: NullBufferBuilder,
        ends: Vec<i32>,
        items: Box<Column>,
        field: FieldRef,
    },
    Object {
        valid: NullBufferBuilder,
        fields: Fields,
        arrow: ArrowFields,
    },
}

impl Column {
    /// An empty column of that kind.
    pub(crate) fn new(kind: &Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Bigint => Self::Bigint(Int64Builder::new()),
            Kind::Double => Self::Double(Float64Builder::new()),
            Kind::Time => {
                Self::Time(TimestampMillisecondBuilder::new().with_data_type(kind.data_type()))
            }
            Kind::Moment => {
                Self::Moment(TimestampMicrosecondBuilder::new().with_data_type(kind.data_type()))
            }
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Decimal(precision, scale) => {
                let decimals = Decimal128Builder::new().with_data_type(kind.data_type());
                Self::Decimal(decimals, *precision, *scale)
            }
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Json => Self::Json(StringBuilder::new()),
            Kind::List(items) => Self::List {
                valid: NullBufferBuilder::new(0),
                ends: Vec::new(),
                items: Box::new(Self::new(items)),
                field: items.item(),
            },
            Kind::Object(fields) => Self::Object {
                valid: NullBufferBuilder::new(0),
                arrow: Kind::fields(fields),
                fields: Fields::new(
                    fields
                        .iter()
                        .map(|(name, kind)| (name.as_str(), Some(Self::new(kind)))),
                ),
            },
        }
    }

    /// Appends the value that stands next, which stands in `depth` others; a null when it is none that the
    /// column can hold.
    pub(crate) fn push(
        &mut self,
        scanner: &mut Scanner<'_>,
        next: Next,
        depth: usize,
    ) -> Result<(), Malformed> {
        if let (Self::Object { valid, fields, .. }, Next::Object) = (&mut *self, next) {
            let pushed = fields.push(scanner, depth + 1);
            valid.append(pushed.is_ok());
            return pushed;
        }
        let pushed = match next {
            Next::Null => {
                self.push_null();
                return scanner.null();
            }
            Next::Object if self.takes_extended(scanner) => return scanner.pass(next, depth),
            _ => self.take(scanner, next, depth),
        };
        if pushed.is_err() {
            self.push_null();
        }
        pushed
    }

    /// Appends the value that stands next, if the column can hold it.
    fn take(
        &mut self,
        scanner: &mut Scanner<'_>,
        next: Next,
        depth: usize,
    ) -> Result<(), Malformed> {
        let start = scanner.index();
        let mismatch = |what: String| Err(Malformed::new("type-mismatch", what, start));
        match (self, next) {
            (Self::Text(texts), Next::Text) => texts.append_value(scanner.text()?),
            (Self::Bigint(values), Next::Number) => match scanner.number()? {
                Number::Whole(value) => values.append_value(value),
                _ => return mismatch("another number instead of bigint".into()),
            },
            (Self::Boolean(values), Next::True | Next::False) => {
                values.append_value(scanner.boolean(next)?);
            }
            (Self::Double(values), Next::Number) => match scanner.number()?.double() {
                Some(value) => values.append_value(value),
                None => return mismatch("a number that would be rounded as double".into()),
            },
            (Self::Time(values), Next::Text) => match milliseconds(scanner.text()?) {
                Some(time) => values.append_value(time),
                None => {
                    let what = "text that is no time to the millisecond, such as \
                                2024-05-01T12:00:00.000Z, instead of timestamp";
                    return mismatch(what.into());
                }
            },
            (Self::Moment(values), Next::Text) => match microseconds(scanner.text()?) {
                Some(moment) => values.append_value(moment),
                None => return mismatch("text that is no time instead of timestamp".into()),
            },
            (Self::Date(values), Next::Text) => match day(scanner.text()?) {
                Some(day) => values.append_value(day),
                None => return mismatch("text that is no day instead of date".into()),
            },
            (Self::Decimal(values, precision, scale), Next::Number | Next::Text) => {
                let written = match next {
                    Next::Text => scanner.text()?,
                    _ => scanner.written_number()?,
                };
                match decimal(written, *precision, *scale) {
                    Some(value) => values.append_value(value),
                    None => {
                        let what = format!("something that is no decimal({precision}, {scale})");
                        return mismatch(what);
                    }
                }
            }
            (
                Self::List {
                    valid, ends, items, ..
                },
                Next::List,
            ) => {
                scanner.allow(depth + 1)?;
                let mut more = scanner.enter_list()?;
                while more {
                    let next = scanner.next()?;
                    items.push(scanner, next, depth + 1)?;
                    more = scanner.next_item()?;
                }
                ends.push(offset(items.len()));
                valid.append_non_null();
            }
            (Self::Json(texts), _) => {
                scanner.pass(next, depth)?;
                texts.append_value(scanner.since(start));
            }
            (Self::Text(texts), _) if !matches!(next, Next::List | Next::Object) => {
                scanner.pass(next, depth)?;
                texts.append_value(scanner.since(start));
            }
            (column, _) => {
                let declared = column.name();
                scanner.pass(next, depth)?;
                return mismatch(format!("{} instead of {declared}", next.words()));
            }
        }
        Ok(())
    }

    /// Appends the extended value that stands next, if there is one and this holds such values.
    fn takes_extended(&mut self, scanner: &Scanner<'_>) -> bool {
        if matches!(
            self,
            Self::Json(_) | Self::List { .. } | Self::Object { .. } | Self::Boolean(_)
        ) {
            return false;
        }
        match (self, Extended::read(scanner.rest())) {
            (Self::Time(values), Some(Extended::Time(time))) => values.append_value(time),
            (Self::Bigint(values), Some(Extended::Whole(whole, _))) => values.append_value(whole),
            (Self::Double(values), Some(Extended::Double(double, _))) => {
                values.append_value(double);
            }
            (Self::Double(values), Some(Extended::Whole(whole, _))) => {
                match Number::Whole(whole).double() {
                    Some(double) => values.append_value(double),
                    None => return false,
                }
            }
            (
                Self::Text(texts),
                Some(Extended::Text(text) | Extended::Whole(_, text) | Extended::Double(_, text)),
            ) => texts.append_value(text),
            _ => return false,
        }
        true
    }

    /// Appends a text to a column of texts.
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Self::Text(texts) = self {
            texts.append_value(text);
        }
    }

    /// Appends a null.
    pub(crate) fn push_null(&mut self) {
        match self {
            Self::Boolean(values) => values.append_null(),
            Self::Bigint(values) => values.append_null(),
            Self::Double(values) => values.append_null(),
            Self::Time(values) => values.append_null(),
            Self::Moment(values) => values.append_null(),
            Self::Date(values) => values.append_null(),
            Self::Decimal(values, ..) => values.append_null(),
            Self::Text(texts) | Self::Json(texts) => texts.append_null(),
            Self::List {
                valid, ends, items, ..
            } => {
                // Behind what was appended of a list that could not be read to its end.
                ends.push(offset(items.len()));
                valid.append_null();
            }
            Self::Object { valid, fields, .. } => {
                fields.push_null();
                valid.append_null();
            }
        }
    }

    /// How many values it has.
    fn len(&self) -> usize {
        match self {
            Self::Boolean(values) => values.len(),
            Self::Bigint(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Time(values) => values.len(),
            Self::Moment(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Decimal(values, ..) => values.len(),
            Self::Text(texts) | Self::Json(texts) => texts.len(),
            Self::List { valid, .. } | Self::Object { valid, .. } => valid.len(),
        }
    }

    /// Gives the values and begins anew.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Bigint(values) => Arc::new(values.finish()),
            Self::Double(values) => Arc::new(values.finish()),
            Self::Time(values) => Arc::new(values.finish()),
            Self::Moment(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Decimal(values, ..) => Arc::new(values.finish()),
            Self::Text(texts) | Self::Json(texts) => {
                let array = texts.finish();
                // As much again will come, most likely.
                *texts = StringBuilder::with_capacity(array.len(), array.value_data().len());
                Arc::new(array)
            }
            Self::List {
                valid,
                ends,
                items,
                field,
            } => {
                let (offsets, items) = (offsets(ends), items.finish());
                let array = ListArray::new(Arc::clone(field), offsets, items, valid.finish());
                Arc::new(array)
            }
            Self::Object {
                valid,
                fields,
                arrow,
            } => {
                let (rows, valid) = (valid.len(), valid.finish());
                let columns = fields.finish().into_iter().flatten().collect();
                let array = StructArray::try_new_with_length(arrow.clone(), columns, valid, rows);
                Arc::new(array.expect("the columns were made from the fields"))
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "true or false",
            Self::Bigint(_) => "bigint",
            Self::Double(_) => "double",
            Self::Time(_) | Self::Moment(_) => "timestamp",
            Self::Date(_) => "date",
            Self::Decimal(..) => "decimal",
            Self::Text(_) => "text",
            Self::Json(_) => "JSON",
            Self::List { .. } => "a list",
            Self::Object { .. } => "an object",
        }
    }
}

fn offset(length: usize) -> i32 {
    i32::try_from(length).expect("a batch is cut long before two gigabytes")
}

/// Where each value begins, from where each ends.
fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.append(ends);
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}
