//! One column being filled.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};

use crate::dialect::{Dialect, How};
use crate::kind::{self, Kind};

/// One column being filled.
pub(crate) struct Column {
    kind: Kind,
    values: Values,
    /// Room for a text that is not written as it is.
    room: String,
}

enum Values {
    Texts(StringBuilder),
    Bigints(Int64Builder),
    Moments(TimestampMicrosecondBuilder),
    Doubles(Float64Builder),
    Decimals(Decimal128Builder),
    Flags(BooleanBuilder),
    Days(Date32Builder),
}

impl Column {
    /// An empty column of that kind.
    pub(crate) fn new(kind: &Kind) -> Self {
        let values = match kind {
            Kind::Text | Kind::Json => Values::Texts(StringBuilder::new()),
            Kind::Bigint => Values::Bigints(Int64Builder::new()),
            Kind::Timestamp(_) | Kind::Instant(_) => {
                let moments = TimestampMicrosecondBuilder::new();
                Values::Moments(moments.with_data_type(kind.data_type()))
            }
            Kind::Double => Values::Doubles(Float64Builder::new()),
            Kind::Decimal(..) => {
                let decimals = Decimal128Builder::new();
                Values::Decimals(decimals.with_data_type(kind.data_type()))
            }
            Kind::Boolean(_) => Values::Flags(BooleanBuilder::new()),
            Kind::Date(_) => Values::Days(Date32Builder::new()),
        };
        Self {
            kind: kind.clone(),
            values,
            room: String::new(),
        }
    }

    /// Appends what is written in a field, or a null, when it is not of the column's kind.
    pub(crate) fn push(&mut self, written: &str, how: How, dialect: &Dialect) -> Result<(), ()> {
        let mut room = std::mem::take(&mut self.room);
        let text = match how.is_plain() {
            true => written,
            false => {
                room.clear();
                dialect.unescape(written, how, &mut room);
                &room
            }
        };
        let pushed = match text.is_empty() && self.kind != Kind::Text {
            // Nothing else can be meant.
            true => {
                self.push_null();
                Ok(())
            }
            false => self.push_value(text).ok_or_else(|| self.push_null()),
        };
        self.room = room;
        pushed
    }

    fn push_value(&mut self, text: &str) -> Option<()> {
        match (&mut self.values, &self.kind) {
            (Values::Texts(_), Kind::Json) if !kind::is_json(text.as_bytes()) => return None,
            (Values::Texts(texts), _) => texts.append_value(text),
            (Values::Bigints(values), _) => values.append_value(kind::bigint(text)?),
            (Values::Moments(values), Kind::Timestamp(format)) => {
                values.append_value(kind::timestamp(text, format.as_deref())?);
            }
            (Values::Moments(values), Kind::Instant(format)) => {
                values.append_value(kind::instant(text, format.as_deref())?);
            }
            (Values::Doubles(values), _) => values.append_value(kind::double(text)?),
            (Values::Decimals(values), Kind::Decimal(precision, scale)) => {
                values.append_value(kind::decimal(text, *precision, *scale)?);
            }
            (Values::Flags(values), Kind::Boolean(words)) => {
                values.append_value(kind::boolean(text, words.as_ref())?);
            }
            (Values::Days(values), Kind::Date(format)) => {
                values.append_value(kind::date(text, format.as_deref())?);
            }
            (Values::Moments(_) | Values::Decimals(_) | Values::Flags(_) | Values::Days(_), _) => {
                return None;
            }
        }
        Some(())
    }

    /// Appends a text to a column of texts.
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Values::Texts(texts) = &mut self.values {
            texts.append_value(text);
        }
    }

    /// Appends a null.
    pub(crate) fn push_null(&mut self) {
        match &mut self.values {
            Values::Texts(texts) => texts.append_null(),
            Values::Bigints(values) => values.append_null(),
            Values::Moments(values) => values.append_null(),
            Values::Doubles(values) => values.append_null(),
            Values::Decimals(values) => values.append_null(),
            Values::Flags(values) => values.append_null(),
            Values::Days(values) => values.append_null(),
        }
    }

    /// Gives the values and begins anew.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Texts(texts) => {
                let array = texts.finish();
                // As much again will come, most likely.
                *texts = StringBuilder::with_capacity(array.len(), array.value_data().len());
                Arc::new(array)
            }
            Values::Bigints(values) => Arc::new(values.finish()),
            Values::Moments(values) => Arc::new(values.finish()),
            Values::Doubles(values) => Arc::new(values.finish()),
            Values::Decimals(values) => Arc::new(values.finish()),
            Values::Flags(values) => Arc::new(values.finish()),
            Values::Days(values) => Arc::new(values.finish()),
        }
    }
}
