//! What the database leaves out itself.
//!
//! Only what it compares as the engine does: fields that were of one type wherever they were there
//! at all, and never a list, of which MongoDB compares the items.

use arrow::datatypes::{DataType, Field};
use chatferry_core::filter::{Comparison, Filter, Operand};
use chatferry_core::json;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, Document, doc};

use crate::described::Described;
use crate::types::Types;

/// The condition as MongoDB has it; `None` where it would not leave out the same.
pub(crate) fn condition(described: &Described, filter: &Filter) -> Option<Document> {
    match filter {
        Filter::Compare {
            column,
            comparison,
            value,
        } => {
            let (types, field) = described.column(column)?;
            let value = operand(described, types, field, value)?;
            compared(column, *comparison, value)
        }
        Filter::Null { column } => {
            let (types, _) = described.column(column)?;
            let is_scalar = !types.meet(Types::LIST);
            is_scalar.then(|| doc! {column: {"$eq": null}})
        }
        Filter::NotNull { column } => {
            let (types, _) = described.column(column)?;
            let is_scalar = !types.meet(Types::LIST);
            is_scalar.then(|| doc! {column: {"$ne": null}})
        }
        Filter::Any(filters) => {
            let all = filters.iter().map(|filter| condition(described, filter));
            let all = all.collect::<Option<Vec<Document>>>()?;
            (!all.is_empty()).then(|| doc! {"$or": all})
        }
    }
}

fn compared(column: &str, comparison: Comparison, value: Bson) -> Option<Document> {
    Some(match comparison {
        Comparison::Equal => doc! {column: {"$eq": value}},
        // To MongoDB what is missing is unequal to everything, and to SQL to nothing.
        Comparison::NotEqual => doc! {column: {"$nin": [value, null]}},
        Comparison::Less => doc! {column: {"$lt": value}},
        Comparison::LessOrEqual => doc! {column: {"$lte": value}},
        Comparison::Greater => doc! {column: {"$gt": value}},
        Comparison::GreaterOrEqual => doc! {column: {"$gte": value}},
    })
}

/// The value as the field has it.
fn operand(described: &Described, types: Types, field: &Field, value: &Operand) -> Option<Bson> {
    match (value, field.data_type()) {
        (Operand::Text(text), DataType::Utf8) if !json::is_marked(field) => {
            if types.are(Types::ID) {
                return id(text).map(Bson::ObjectId);
            }
            let is_alike = types.are(Types::TEXT) && described.is_plain;
            is_alike.then(|| Bson::String(text.clone()))
        }
        (Operand::Whole(whole), DataType::Int64) if types.are(Types::WHOLE) => {
            i64::try_from(*whole).ok().map(Bson::Int64)
        }
        (Operand::Flag(flag), DataType::Boolean) if types.are(Types::FLAG) => {
            Some(Bson::Boolean(*flag))
        }
        (Operand::Time(microseconds), DataType::Timestamp(..)) if types.are(Types::TIME) => {
            let is_whole = microseconds % 1_000 == 0;
            is_whole.then(|| DateTime::from_millis(microseconds / 1_000).into())
        }
        _ => None,
    }
}

/// The id that is written so. Texts that are none cannot be compared with ids.
fn id(text: &str) -> Option<ObjectId> {
    let id = ObjectId::parse_str(text).ok()?;
    (id.to_hex() == text).then_some(id)
}
