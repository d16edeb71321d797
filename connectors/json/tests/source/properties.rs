//! What must hold for every input.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::workshop::{Workshop, rows};

/// Any value, with few keys, so that rows share them.
fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000_i64..1000).prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no others", |f| f.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    plain.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::from),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![8 => "[a-d]", 1 => any::<String>()];
    prop::collection::btree_map(key, value, 0..5).prop_map(|map| map.into_iter().collect())
}

/// The value at a row of a column; a time is its milliseconds.
pub(crate) fn at(field: &Field, column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match field.data_type() {
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(TimeUnit::Millisecond, _) => column
            .as_primitive::<TimestampMillisecondType>()
            .value(row)
            .into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::Utf8 => {
            let text = column.as_string::<i32>().value(row);
            if chatferry_core::json::is_marked(field) {
                serde_json::from_str(text).expect("what is marked as JSON is JSON")
            } else {
                text.into()
            }
        }
        DataType::List(item) => {
            let items = column.as_list::<i32>().value(row);
            (0..items.len())
                .map(|at_item| at(item, &items, at_item))
                .collect()
        }
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns().iter();
            let read = fields
                .iter()
                .zip(columns)
                .map(|(field, column)| (field.name().clone(), at(field, column, row)));
            read.collect::<Map<String, Value>>().into()
        }
        other => panic!("no column is {other}"),
    }
}

/// Whether two values are one: numbers by value, and text that holds a number as written too.
pub(crate) fn same(original: &Value, read: &Value) -> bool {
    match (original, read) {
        (Value::Number(original), Value::Number(read)) => {
            let again = serde_json::from_str(&original.to_string()).ok();
            // This parser reads some doubles one digit beside what was written.
            again.as_ref() == Some(read) || (original.as_f64() == read.as_f64() && exact(original))
        }
        (Value::Number(original), Value::String(read)) => original.to_string() == *read,
        (Value::Array(original), Value::Array(read)) => {
            original.len() == read.len() && original.iter().zip(read).all(|(a, b)| same(a, b))
        }
        (Value::Object(original), Value::Object(read)) => {
            let keys = original.keys().chain(read.keys());
            keys.into_iter().all(|key| {
                let value = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                same(&value(original), &value(read))
            })
        }
        (Value::Object(original), Value::Null) => {
            original.values().all(|value| same(value, &Value::Null))
        }
        _ => original == read,
    }
}

/// Whether a double can be the number.
fn exact(number: &serde_json::Number) -> bool {
    number
        .as_i64()
        .is_none_or(|whole| whole.unsigned_abs() <= 1 << 53)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_back(
        records in prop::collection::vec(object(value()), 1..12),
        document in any::<bool>(),
    ) {
        let records: Vec<Value> = records.into_iter().map(Value::from).collect();
        let text = if document {
            serde_json::to_string_pretty(&records).expect("JSON")
        } else {
            records.iter().map(|record| format!("{record}\n")).collect()
        };
        let workshop = Workshop::with("records.json", text);
        let source = workshop.source("");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(rows(&source, "records")).expect("rows");
        prop_assert!(read.failed.is_none());
        prop_assert!(read.rejected.is_empty(), "{:?}", read.rejected);
        prop_assert_eq!(read.table.rows, chatferry_core::source::Rows::Exactly(records.len() as u64));
        if read.table.schema.fields().is_empty() {
            return Ok(());
        }
        for (row, record) in records.iter().enumerate() {
            let fields = read.table.schema.fields().iter().zip(read.rows.columns());
            let again: Map<String, Value> = fields
                .map(|(field, column)| (field.name().clone(), at(field, column, row)))
                .collect();
            prop_assert!(same(record, &again.clone().into()), "{record} was read as {again:?}");
        }
    }
}
