//! Values that JSON has no way to write, as MongoDB writes them.

use chatferry_testkit::source::assert_contract;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::workshop::{Workshop, rows, shown};

#[tokio::test]
async fn both_forms_become_the_types_that_they_stand_for() {
    let workshop = Workshop::with(
        "messages.json",
        r#"{"_id":{"$oid":"60c5a1"},"at":{"$date":"2021-06-12T07:50:55.143Z"},"n":{"$numberLong":"5"},"share":0.5,"price":{"$numberDecimal":"1.10"},"u":{"seen":{"$date":"2021-01-01T00:00:00Z"}},"log":[{"$date":"1969-12-31T23:59:59.999Z"},null]}
{"_id":{"$oid":"60c5a2"},"at":{"$date":{"$numberLong":"1623484255144"}},"n":{"$numberInt":"6"},"share":{"$numberDouble":"1.5"},"price":{"$numberDecimal":"NaN"},"u":{"seen":null},"key":{"$uuid":"3b241101-e2bb-4255-8caf-4136c566a962"}}
{"_id":{"$oid":"60c5a3"},"at":{"$date":1623484255145},"n":7,"share":{"$numberDouble":"-Infinity"},"raw":{"$binary":{"base64":"AAEC","subType":"00"}}}"#,
    );
    let source = workshop.source("");
    assert_contract(source.clone(), "messages").await;
    insta::assert_snapshot!(shown(&source, "messages").await);
}

#[tokio::test]
async fn a_column_that_mixes_plain_and_extended_values_loses_nothing() {
    let workshop = Workshop::with(
        "messages.json",
        r#"{"_id":{"$oid":"60c5a1"},"at":{"$date":"2021-06-12T07:50:55.143Z"},"n":{"$numberLong":"9007199254740993"},"odd":{"$date":"soon"},"fine":{"$date":"2021-06-12T07:50:55.143001Z"}}
{"_id":"plain","at":"2021-06-12","n":0.5,"odd":{"$date":"2021-06-12T07:50:55Z"},"fine":null}
{"_id":"other","at":5,"n":{"$numberDouble":"0.25"},"odd":null,"fine":null}"#,
    );
    let source = workshop.source("");
    assert_contract(source.clone(), "messages").await;
    insta::assert_snapshot!(shown(&source, "messages").await);
}

#[tokio::test]
async fn a_declared_time_takes_text_that_is_one() {
    let workshop = Workshop::with(
        "messages.json",
        r#"{"at":"2021-06-12T09:50:55.143+02:00"}
{"at":{"$date":"2021-06-12T07:50:55.143Z"}}
{"at":"2021-06-12"}
{"at":5}
{"at":{"$oid":"60c5a1"}}
{"at":{"$date":{"$numberLong":"x"}}}"#,
    );
    let source = workshop.source("path = \"messages.json\"\nschema = { at = \"timestamp\" }");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}

/// A value of a column, how it is written, and its text.
fn value() -> impl Strategy<Value = (Value, String)> {
    let time = || -4_000_000_000_000_i64..4_000_000_000_000;
    let whole = any::<i64>();
    let text = "[a-f0-9]{0,12}";
    prop_oneof![
        time().prop_map(|ms| (
            json!({"$date": {"$numberLong": ms.to_string()}}),
            ms.to_string()
        )),
        time().prop_map(|ms| (json!({"$date": ms}), ms.to_string())),
        whole.prop_map(|n| (json!({"$numberLong": n.to_string()}), n.to_string())),
        whole.prop_map(|n| (json!(n), n.to_string())),
        text.prop_map(|text| (json!({"$oid": text}), text)),
        text.prop_map(|text| (json!(text), text)),
        Just((Value::Null, "-".to_owned())),
    ]
}

/// Which values share a column, or all do.
fn column() -> impl Strategy<Value = Vec<(Value, String)>> {
    let alike = |kind: fn(&Value) -> bool| {
        prop::collection::vec(
            value().prop_filter("alike", move |(v, _)| v.is_null() || kind(v)),
            1..8,
        )
    };
    prop_oneof![
        alike(|value| value.get("$date").is_some()),
        alike(|value| value.is_i64() || value.get("$numberLong").is_some()),
        alike(|value| value.is_string() || value.get("$oid").is_some()),
        prop::collection::vec(value(), 1..8),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_value_arrives_whatever_others_its_column_has(column in column()) {
        let lines: String = column.iter().map(|(value, _)| format!("{}\n", json!({"v": value}))).collect();
        let workshop = Workshop::with("records.json", lines);
        let source = workshop.source("");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let read = runtime.block_on(rows(&source, "records")).expect("rows");
        prop_assert!(read.failed.is_none());
        prop_assert!(read.rejected.is_empty(), "{:?}", read.rejected);
        let field = read.table.schema.field(0);
        let is_json = chatferry_core::json::is_marked(field);
        let times = matches!(field.data_type(), arrow::datatypes::DataType::Timestamp(..));
        let values = match times {
            true => arrow::compute::cast(read.rows.column(0), &arrow::datatypes::DataType::Int64).expect("times are numbers"),
            false => read.rows.column(0).clone(),
        };
        for (row, (value, text)) in column.iter().enumerate() {
            if values.is_null(row) {
                prop_assert!(value.is_null(), "{} is null", value);
                continue;
            }
            let shown = arrow::util::display::array_value_to_string(&values, row).expect("text");
            match is_json {
                true => prop_assert_eq!(&serde_json::from_str::<Value>(&shown).expect("JSON"), value),
                false => prop_assert_eq!(&shown, text),
            }
        }
    }
}
