//! How columns are kept for whose types Parquet has no words.
//!
//! Such a type is replaced by another one that holds its values, and the field says so. Going back
//! is the business of [`converted`](crate::convert::converted), as is the way there.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, Schema};

/// The key under which a field says what it stands for.
const STANDS_FOR: &str = "chatferry:stands-for";
/// An interval of months, days and nanoseconds.
const INTERVAL: &str = "interval";
/// A struct without fields.
const EMPTY: &str = "empty-struct";
/// Bytes of an interval.
pub(crate) const INTERVAL_BYTES: i32 = 16;

/// The columns as they are kept.
pub(crate) fn kept(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(kept_field);
    Schema::new(fields.collect::<Vec<_>>())
}

/// The columns that are kept so.
pub(crate) fn original(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(original_field);
    Schema::new(fields.collect::<Vec<_>>())
}

fn kept_field(field: &FieldRef) -> FieldRef {
    let instead = |kind, what: &str| {
        let mut says = field.metadata().clone();
        says.insert(STANDS_FOR.into(), what.into());
        let field = field.as_ref().clone().with_data_type(kind);
        Arc::new(field.with_metadata(says))
    };
    match field.data_type() {
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            instead(DataType::FixedSizeBinary(INTERVAL_BYTES), INTERVAL)
        }
        DataType::Struct(fields) if fields.is_empty() => instead(DataType::Boolean, EMPTY),
        _ => within(field, kept_field),
    }
}

fn original_field(field: &FieldRef) -> FieldRef {
    let kind = match field.metadata().get(STANDS_FOR).map(String::as_str) {
        Some(INTERVAL) => DataType::Interval(IntervalUnit::MonthDayNano),
        Some(EMPTY) => DataType::Struct(Vec::<Field>::new().into()),
        _ => return within(field, original_field),
    };
    let mut says = field.metadata().clone();
    says.remove(STANDS_FOR);
    let field = field.as_ref().clone().with_data_type(kind);
    Arc::new(field.with_metadata(says))
}

/// The field with the same done to what is within it.
fn within(field: &FieldRef, each: impl Fn(&FieldRef) -> FieldRef) -> FieldRef {
    let kind = match field.data_type() {
        DataType::List(item) => DataType::List(each(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(each).collect()),
        _ => return Arc::clone(field),
    };
    Arc::new(field.as_ref().clone().with_data_type(kind))
}
