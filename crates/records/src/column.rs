//! One column being filled.
//!
//! Arrow's own builders cannot be cut back, so these hold the same buffers and can.

use std::sync::Arc;

use arrow::array::NullBufferBuilder;
use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float64Array,
    Int64Array, ListArray, StringArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{FieldRef, Fields as ArrowFields};

use crate::calendar::{day, microseconds};
use crate::decode::Fields;
use crate::extended::{Extended, milliseconds};
use crate::kind::{Kind, UTC};
use crate::number::{Number, decimal};
use crate::scanner::{Next, Scanner};
use crate::syntax::Malformed;

/// One column being filled.
pub(crate) struct Column {
    valid: NullBufferBuilder,
    values: Values,
}

enum Values {
    Boolean(BooleanBufferBuilder),
    Bigint(Vec<i64>),
    Double(Vec<f64>),
    Time(Vec<i64>),
    Moment(Vec<i64>),
    Date(Vec<i32>),
    Decimal(Vec<i128>, u8, i8),
    Text(Texts),
    Json(Texts),
    List {
        ends: Vec<i32>,
        items: Box<Column>,
        field: FieldRef,
    },
    Object {
        fields: Fields,
        arrow: ArrowFields,
    },
}

/// Texts one behind the other, and where each ends.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.end();
    }

    fn end(&mut self) {
        self.ends.push(offset(self.bytes.len()));
    }

    fn finish(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let bytes = renew(&mut self.bytes);
        (offsets(&mut self.ends), Buffer::from_vec(bytes))
    }
}

impl Column {
    /// An empty column of that kind.
    pub(crate) fn new(kind: &Kind) -> Self {
        let values = match kind {
            Kind::Boolean => Values::Boolean(BooleanBufferBuilder::new(0)),
            Kind::Bigint => Values::Bigint(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
            Kind::Time => Values::Time(Vec::new()),
            Kind::Moment => Values::Moment(Vec::new()),
            Kind::Date => Values::Date(Vec::new()),
            Kind::Decimal(precision, scale) => Values::Decimal(Vec::new(), *precision, *scale),
            Kind::Text => Values::Text(Texts::default()),
            Kind::Json => Values::Json(Texts::default()),
            Kind::List(items) => Values::List {
                ends: Vec::new(),
                items: Box::new(Self::new(items)),
                field: items.item(),
            },
            Kind::Object(fields) => Values::Object {
                arrow: Kind::fields(fields),
                fields: Fields::new(
                    fields
                        .iter()
                        .map(|(name, kind)| (name.as_str(), Some(Self::new(kind)))),
                ),
            },
        };
        Self {
            valid: NullBufferBuilder::new(0),
            values,
        }
    }

    /// How many values it has.
    pub(crate) fn len(&self) -> usize {
        self.valid.len()
    }

    /// Appends the value that stands next, which stands in `depth` others.
    pub(crate) fn push(
        &mut self,
        scanner: &mut Scanner<'_>,
        next: Next,
        depth: usize,
    ) -> Result<(), Malformed> {
        if next == Next::Null {
            scanner.null()?;
            self.push_null();
            return Ok(());
        }
        let rows = self.valid.len();
        if next == Next::Object && self.values.takes_extended(scanner) {
            scanner.pass(next, depth)?;
            self.valid.append_non_null();
            return Ok(());
        }
        let start = scanner.index();
        let mismatch = |what: String| Err(Malformed::new("type-mismatch", what, start));
        match (&mut self.values, next) {
            (Values::Text(texts), Next::Text) => texts.push(scanner.text()?.as_bytes()),
            (Values::Bigint(values), Next::Number) => match scanner.number()? {
                Number::Whole(value) => values.push(value),
                _ => return mismatch("another number instead of bigint".into()),
            },
            (Values::Boolean(values), Next::True | Next::False) => {
                values.append(scanner.boolean(next)?);
            }
            (Values::Double(values), Next::Number) => match scanner.number()?.double() {
                Some(value) => values.push(value),
                None => return mismatch("a number that would be rounded as double".into()),
            },
            (Values::Time(values), Next::Text) => match milliseconds(scanner.text()?) {
                Some(time) => values.push(time),
                None => {
                    let what = "text that is no time to the millisecond, such as \
                                2024-05-01T12:00:00.000Z, instead of timestamp";
                    return mismatch(what.into());
                }
            },
            (Values::Moment(values), Next::Text) => match microseconds(scanner.text()?) {
                Some(moment) => values.push(moment),
                None => return mismatch("text that is no time instead of timestamp".into()),
            },
            (Values::Date(values), Next::Text) => match day(scanner.text()?) {
                Some(day) => values.push(day),
                None => return mismatch("text that is no day instead of date".into()),
            },
            (Values::Decimal(values, precision, scale), Next::Number | Next::Text) => {
                let written = match next {
                    Next::Text => scanner.text()?,
                    _ => scanner.written_number()?,
                };
                match decimal(written, *precision, *scale) {
                    Some(value) => values.push(value),
                    None => {
                        let what = format!("something that is no decimal({precision}, {scale})");
                        return mismatch(what);
                    }
                }
            }
            (Values::List { ends, items, .. }, Next::List) => {
                scanner.allow(depth + 1)?;
                let mut more = scanner.enter_list()?;
                while more {
                    let next = scanner.next()?;
                    items.push(scanner, next, depth + 1)?;
                    more = scanner.next_item()?;
                }
                ends.push(offset(items.len()));
            }
            (Values::Object { fields, .. }, Next::Object) => {
                fields.push(scanner, depth + 1, rows)?;
            }
            (Values::Json(texts), _) => {
                scanner.pass(next, depth)?;
                texts.push(scanner.since(start).as_bytes());
            }
            (Values::Text(texts), _) if !matches!(next, Next::List | Next::Object) => {
                scanner.pass(next, depth)?;
                texts.push(scanner.since(start).as_bytes());
            }
            (values, _) => {
                let declared = values.name();
                scanner.pass(next, depth)?;
                return mismatch(format!("{} instead of {declared}", next.words()));
            }
        }
        self.valid.append_non_null();
        Ok(())
    }

    /// Appends a text to a column of texts.
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Values::Text(texts) = &mut self.values {
            texts.push(text.as_bytes());
            self.valid.append_non_null();
        }
    }

    /// Appends a null.
    pub(crate) fn push_null(&mut self) {
        self.valid.append_null();
        let rows = self.valid.len();
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Bigint(values) => values.push(0),
            Values::Double(values) => values.push(0.0),
            Values::Time(values) | Values::Moment(values) => values.push(0),
            Values::Date(values) => values.push(0),
            Values::Decimal(values, ..) => values.push(0),
            Values::Text(texts) | Values::Json(texts) => texts.end(),
            Values::List { ends, items, .. } => ends.push(offset(items.len())),
            Values::Object { fields, .. } => fields.fill(rows),
        }
    }

    /// Cuts back to so many values, also what a value in the middle of being appended left.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
        match &mut self.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Bigint(values) => values.truncate(rows),
            Values::Double(values) => values.truncate(rows),
            Values::Time(values) | Values::Moment(values) => values.truncate(rows),
            Values::Date(values) => values.truncate(rows),
            Values::Decimal(values, ..) => values.truncate(rows),
            Values::Text(texts) | Values::Json(texts) => {
                texts.ends.truncate(rows);
                texts.bytes.truncate(last(&texts.ends));
            }
            Values::List { ends, items, .. } => {
                ends.truncate(rows);
                items.truncate(last(ends));
            }
            Values::Object { fields, .. } => fields.truncate(rows),
        }
    }

    /// Gives the values and begins anew.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        let rows = self.valid.len();
        let valid = self.valid.finish();
        match &mut self.values {
            Values::Boolean(values) => Arc::new(BooleanArray::new(values.finish(), valid)),
            Values::Bigint(values) => Arc::new(Int64Array::new(renew(values).into(), valid)),
            Values::Double(values) => Arc::new(Float64Array::new(renew(values).into(), valid)),
            Values::Time(values) => {
                let times = TimestampMillisecondArray::new(renew(values).into(), valid);
                Arc::new(times.with_timezone(UTC))
            }
            Values::Moment(values) => {
                let moments = TimestampMicrosecondArray::new(renew(values).into(), valid);
                Arc::new(moments.with_timezone(UTC))
            }
            Values::Date(values) => Arc::new(Date32Array::new(renew(values).into(), valid)),
            Values::Decimal(values, precision, scale) => {
                let decimals = Decimal128Array::new(renew(values).into(), valid);
                let decimals = decimals.with_precision_and_scale(*precision, *scale);
                Arc::new(decimals.expect("whoever made the kind has checked it"))
            }
            Values::Text(texts) | Values::Json(texts) => {
                let (offsets, bytes) = texts.finish();
                Arc::new(StringArray::new(offsets, bytes, valid))
            }
            Values::List { ends, items, field } => {
                let (offsets, items) = (offsets(ends), items.finish());
                Arc::new(ListArray::new(Arc::clone(field), offsets, items, valid))
            }
            Values::Object { fields, arrow } => {
                let columns = fields.finish().into_iter().flatten().collect();
                let array = StructArray::try_new_with_length(arrow.clone(), columns, valid, rows);
                Arc::new(array.expect("the columns were made from the fields"))
            }
        }
    }
}

impl Values {
    /// Appends the extended value that stands next, if there is one and this holds such values.
    fn takes_extended(&mut self, scanner: &Scanner<'_>) -> bool {
        if matches!(
            self,
            Self::Json(_) | Self::List { .. } | Self::Object { .. } | Self::Boolean(_)
        ) {
            return false;
        }
        match (self, Extended::read(scanner.rest())) {
            (Self::Time(values), Some(Extended::Time(time))) => values.push(time),
            (Self::Bigint(values), Some(Extended::Whole(whole, _))) => values.push(whole),
            (Self::Double(values), Some(Extended::Double(double, _))) => values.push(double),
            (Self::Double(values), Some(Extended::Whole(whole, _))) => {
                match Number::Whole(whole).double() {
                    Some(double) => values.push(double),
                    None => return false,
                }
            }
            (
                Self::Text(texts),
                Some(Extended::Text(text) | Extended::Whole(_, text) | Extended::Double(_, text)),
            ) => texts.push(text.as_bytes()),
            _ => return false,
        }
        true
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

/// An empty vector in the place of one that is taken, with room for as much again.
fn renew<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = values.len();
    std::mem::replace(values, Vec::with_capacity(room))
}

fn last(ends: &[i32]) -> usize {
    ends.last().map_or(0, |end| {
        usize::try_from(*end).expect("an offset is not negative")
    })
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
