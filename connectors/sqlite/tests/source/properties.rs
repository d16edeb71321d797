//! What must hold for every table.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use chatferry_testkit::source::assert_contract;
use proptest::prelude::*;
use sqlx::AssertSqlSafe;

use crate::workshop::{Workshop, rows_by, run};

/// A value as SQLite keeps it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// Any value, of a few kinds more often than of others.
fn value(kinds: u8) -> impl Strategy<Value = Value> {
    let whole = prop_oneof![any::<i64>(), -3_i64..3, Just((1 << 53) + 1)];
    let real = any::<f64>().prop_filter("SQLite keeps no NaN", |real| !real.is_nan());
    let text = prop_oneof![any::<String>(), "[a-c]{0,2}", "-?[0-9]{1,3}"];
    let weight = |bit: u8| if kinds & bit != 0 { 8 } else { 0 };
    prop_oneof![
        1 => Just(Value::Null),
        weight(1) => whole.prop_map(Value::Whole),
        weight(2) => real.prop_map(Value::Real),
        weight(4) => text.prop_map(Value::Text),
        weight(8) => prop::collection::vec(any::<u8>(), 0..6).prop_map(Value::Blob),
    ]
}

/// The kinds of each column, and rows of such values.
fn table() -> impl Strategy<Value = Vec<Vec<Value>>> {
    let kinds = prop_oneof![Just(1_u8), Just(4), Just(2), Just(8), Just(3), 0_u8..16];
    prop::collection::vec(kinds, 1..4).prop_flat_map(|kinds| {
        let row: Vec<_> = kinds.into_iter().map(value).collect();
        prop::collection::vec(row, 0..25)
    })
}

/// How a table is kept, with `{}` for its columns, and by which key it is read.
const TABLES: [(&str, &str); 4] = [
    ("CREATE TABLE t ({})", ""),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, {})", ""),
    (
        "CREATE TABLE t (id INT, {}, PRIMARY KEY (id, k)) WITHOUT ROWID",
        "",
    ),
    (
        "CREATE TABLE t (id INT, {}); CREATE INDEX t_c0 ON t (c0)",
        "tables.t.key = [\"k\", \"id\"]",
    ),
];

async fn filled(definition: &str, rows: &[Vec<Value>]) -> Workshop {
    let workshop = Workshop::new();
    let width = rows.first().map_or(1, Vec::len);
    let columns: Vec<String> = (0..width).map(|column| format!("c{column}")).collect();
    let columns = columns.join(", ");
    let mut application = workshop.application().await;
    let definition = definition.replace("{}", &format!("k TEXT, {columns}"));
    run(&mut application, &definition).await;
    let has_id = definition.contains("(id ");
    for (number, row) in (1_i64..).zip(rows) {
        let marks = vec!["?"; width].join(", ");
        let statement = match has_id {
            true => format!("INSERT INTO t (id, k, {columns}) VALUES (?, ?, {marks})"),
            false => format!("INSERT INTO t (k, {columns}) VALUES (?, {marks})"),
        };
        let mut query = sqlx::query(AssertSqlSafe(statement));
        if has_id {
            query = query.bind(number);
        }
        query = query.bind(format!("{}", number % 3));
        for value in row {
            query = match value {
                Value::Null => query.bind(None::<i64>),
                Value::Whole(whole) => query.bind(*whole),
                Value::Real(real) => query.bind(*real),
                Value::Text(text) => query.bind(text.clone()),
                Value::Blob(blob) => query.bind(blob.clone()),
            };
        }
        query
            .execute(&mut application)
            .await
            .expect("a row is kept");
    }
    workshop
}

/// Whether a value arrived as what it was.
fn arrived(value: &Value, column: &dyn Array, row: usize) -> bool {
    if column.is_null(row) || *value == Value::Null {
        return column.is_null(row) && *value == Value::Null;
    }
    match (value, column.data_type()) {
        (Value::Whole(whole), DataType::Int64) => {
            column.as_primitive::<Int64Type>().value(row) == *whole
        }
        (Value::Real(real), DataType::Float64) => {
            column.as_primitive::<Float64Type>().value(row).to_bits() == real.to_bits()
        }
        (Value::Whole(whole), DataType::Float64) => {
            let real = column.as_primitive::<Float64Type>().value(row);
            // Both ways, so that no other whole number is meant.
            format!("{real:.0}") == whole.to_string()
        }
        (Value::Blob(blob), DataType::Binary) => column.as_binary::<i32>().value(row) == blob,
        (value, DataType::Utf8) => {
            let text = column.as_string::<i32>().value(row);
            match value {
                Value::Text(kept) => text == kept,
                Value::Whole(whole) => text == whole.to_string(),
                Value::Real(real) => text.parse() == Ok(*real) && text.parse::<i64>().is_err(),
                Value::Blob(blob) => {
                    let digits: String = blob.iter().map(|byte| format!("{byte:02X}")).collect();
                    text == format!("x'{digits}'")
                }
                Value::Null => false,
            }
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_what_was_written(rows in table(), kept in 0..TABLES.len(), batch in 1_usize..9) {
        let (definition, settings) = TABLES[kept];
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let workshop = filled(definition, &rows).await;
            let source = workshop.source(settings);
            if !rows.is_empty() {
                assert_contract(Arc::clone(&source), "t").await;
            }
            let read = rows_by(&source, "t", batch).await.expect("a table");
            assert!(read.failed.is_none(), "{:?}", read.failed);
            assert_eq!(read.rejected, []);
            assert_eq!(read.rows.num_rows(), rows.len());
            let ids = read.rows.column_by_name("id").map(|ids| ids.as_primitive::<Int64Type>());
            for place in 0..rows.len() {
                // Without ids, rows come in the order in which they were written.
                let written = match ids {
                    Some(ids) => usize::try_from(ids.value(place) - 1).expect("an id"),
                    None => place,
                };
                for (number, value) in rows[written].iter().enumerate() {
                    let column = read.rows.column_by_name(&format!("c{number}")).expect("a column");
                    assert!(arrived(value, column, place), "{value:?} became {column:?} at {place}");
                }
            }
        });
    }
}
