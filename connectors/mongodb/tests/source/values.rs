//! How MongoDB compares values, by its manual, "Comparison/Sort Order".

use std::cmp::Ordering;

use mongodb::bson::{Bson, Document};

/// Where a type stands among the others. Types that are compared with each other stand together.
fn rank(value: &Bson) -> u8 {
    match value {
        Bson::MinKey => 0,
        Bson::Undefined | Bson::Null => 1,
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => 2,
        Bson::Symbol(_) | Bson::String(_) => 3,
        Bson::Document(_) => 4,
        Bson::Array(_) => 5,
        Bson::Binary(_) => 6,
        Bson::ObjectId(_) => 7,
        Bson::Boolean(_) => 8,
        Bson::DateTime(_) => 9,
        Bson::Timestamp(_) => 10,
        Bson::RegularExpression(_) => 11,
        Bson::DbPointer(_) => 12,
        Bson::JavaScriptCode(_) => 13,
        Bson::JavaScriptCodeWithScope(_) => 14,
        Bson::MaxKey => 15,
    }
}

fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(whole) => Some(f64::from(*whole)),
        #[expect(
            clippy::cast_precision_loss,
            reason = "whole numbers are compared as such"
        )]
        Bson::Int64(whole) => Some(*whole as f64),
        Bson::Double(number) => Some(*number),
        Bson::Decimal128(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(whole) => Some(i64::from(*whole)),
        Bson::Int64(whole) => Some(*whole),
        _ => None,
    }
}

fn text(value: &Bson) -> &str {
    match value {
        Bson::String(text) | Bson::Symbol(text) | Bson::JavaScriptCode(text) => text,
        _ => "",
    }
}

/// The order that MongoDB sorts by.
pub(crate) fn order(one: &Bson, other: &Bson) -> Ordering {
    let ranked = rank(one).cmp(&rank(other));
    if ranked.is_ne() {
        return ranked;
    }
    match (one, other) {
        (Bson::Document(one), Bson::Document(other)) => documents(one, other),
        (Bson::Array(one), Bson::Array(other)) => {
            let mut pairs = one.iter().zip(other).map(|(one, other)| order(one, other));
            let unequal = pairs.find(|order| order.is_ne());
            unequal.unwrap_or(one.len().cmp(&other.len()))
        }
        (Bson::Binary(one), Bson::Binary(other)) => {
            let key = |it: &mongodb::bson::Binary| {
                (it.bytes.len(), u8::from(it.subtype), it.bytes.clone())
            };
            key(one).cmp(&key(other))
        }
        (Bson::ObjectId(one), Bson::ObjectId(other)) => one.bytes().cmp(&other.bytes()),
        (Bson::Boolean(one), Bson::Boolean(other)) => one.cmp(other),
        (Bson::DateTime(one), Bson::DateTime(other)) => one.cmp(other),
        (Bson::Timestamp(one), Bson::Timestamp(other)) => {
            (one.time, one.increment).cmp(&(other.time, other.increment))
        }
        (Bson::JavaScriptCodeWithScope(one), Bson::JavaScriptCodeWithScope(other)) => {
            let codes = one.code.cmp(&other.code);
            codes.then_with(|| documents(&one.scope, &other.scope))
        }
        _ => match (whole(one), whole(other), number(one), number(other)) {
            (Some(one), Some(other), _, _) => one.cmp(&other),
            // What is no number is less than all numbers.
            (_, _, Some(one), Some(other)) => {
                let nan = other.is_nan().cmp(&one.is_nan());
                nan.then(one.partial_cmp(&other).unwrap_or(Ordering::Equal))
            }
            _ => text(one).as_bytes().cmp(text(other).as_bytes()),
        },
    }
}

fn documents(one: &Document, other: &Document) -> Ordering {
    for ((one_key, one), (other_key, other)) in one.iter().zip(other) {
        let order = rank(one)
            .cmp(&rank(other))
            .then_with(|| one_key.cmp(other_key))
            .then_with(|| order(one, other));
        if order.is_ne() {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

/// Whether a document is one that a condition asks for.
pub(crate) fn matches(condition: &Document, document: &Document) -> bool {
    let all = |list: &Bson| -> Vec<Document> {
        let list = list.as_array().expect("a list of conditions");
        let inner = list.iter().map(|one| one.as_document().cloned());
        inner.map(|one| one.expect("a condition")).collect()
    };
    condition.iter().all(|(key, value)| match key.as_str() {
        "$and" => all(value).iter().all(|one| matches(one, document)),
        "$or" => all(value).iter().any(|one| matches(one, document)),
        field => {
            let found = document.get(field);
            match value {
                Bson::Document(operators) if operators.keys().all(|key| key.starts_with('$')) => {
                    operators
                        .iter()
                        .all(|(key, value)| holds(found, key, value))
                }
                value => holds(found, "$eq", value),
            }
        }
    })
}

fn holds(found: Option<&Bson>, operator: &str, value: &Bson) -> bool {
    match operator {
        "$ne" => !holds(found, "$eq", value),
        "$nin" => {
            let values = value.as_array().expect("a list");
            !values.iter().any(|value| holds(found, "$eq", value))
        }
        _ => {
            // The items of a list are compared like the list itself.
            let items = found.and_then(Bson::as_array).into_iter().flatten();
            let found = found.unwrap_or(&Bson::Null);
            items
                .chain([found])
                .any(|one| compare(one, operator, value))
        }
    }
}

/// Only values of one kind are compared, and NaN is equal to itself and nothing else.
fn compare(found: &Bson, operator: &str, value: &Bson) -> bool {
    let is_nan = |value: &Bson| number(value).is_some_and(f64::is_nan);
    if rank(found) != rank(value) || is_nan(found) != is_nan(value) {
        return false;
    }
    let order = order(found, value);
    match operator {
        "$eq" => order.is_eq(),
        "$gt" => order.is_gt(),
        "$gte" => order.is_ge(),
        "$lt" => order.is_lt(),
        "$lte" => order.is_le(),
        other => panic!("the stand-in does not know {other}"),
    }
}
