//! Text that holds JSON stays known as such on its way through.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use chatferry_core::json;

use crate::stage::{Rows, Stage, marked, numbers, over, texts};

fn table() -> Rows {
    let inner = Fields::from(vec![
        json::column("b"),
        Field::new("c", DataType::Utf8, true),
    ]);
    let object: ArrayRef = Arc::new(StructArray::new(
        inner.clone(),
        vec![texts(&[Some("[1]")]), texts(&[Some("c")])],
        None,
    ));
    marked(vec![
        (Field::new("id", DataType::Int64, true), numbers(&[Some(1)])),
        (json::column("payload"), texts(&[Some("{\"x\": 1}")])),
        (json::column("other"), texts(&[None])),
        (Field::new("a", DataType::Struct(inner), true), object),
    ])
}

fn messages() -> Stage {
    over(table()).messages().field("muid", "id")
}

fn data(rows: &RecordBatch) -> Field {
    let schema: Arc<Schema> = rows.schema();
    let DataType::Struct(fields) = schema.field_with_name("data").unwrap().data_type() else {
        panic!("data is an object");
    };
    fields[0].as_ref().clone()
}

#[tokio::test]
async fn a_column_of_json_stays_json() {
    for (expression, value) in [
        ("payload", "{\"x\": 1}"),
        ("a['b']", "[1]"),
        ("a.b", "[1]"),
        ("rows.a['b']", "[1]"),
        ("json('[true]')", "[true]"),
        ("json(a['c'] || '1')", ""),
        ("coalesce(other, payload)", "{\"x\": 1}"),
        ("COALESCE(NULL, payload)", "{\"x\": 1}"),
        ("nvl(other, a['b'])", "[1]"),
        ("nullif(payload, '{}')", "{\"x\": 1}"),
        (
            "CASE WHEN id = 1 THEN payload ELSE a['b'] END",
            "{\"x\": 1}",
        ),
        ("CASE WHEN id = 1 THEN payload END", "{\"x\": 1}"),
    ] {
        let run = messages().field("data.metadata", expression).run().await;
        assert!(json::is_marked(&data(&run.rows)), "{expression}");
        if !value.is_empty() {
            assert_eq!(run.column("data"), [format!("{{metadata: {value}}}")]);
        }
    }
}

#[tokio::test]
async fn json_inside_an_object_of_the_source_stays_json() {
    let run = messages().field("data.metadata", "a").run().await;
    let DataType::Struct(fields) = data(&run.rows).data_type().clone() else {
        panic!("an object");
    };
    assert!(json::is_marked(&fields[0]));
    assert!(!json::is_marked(&fields[1]));
}

/// DataFusion forgets the mark there; docs/functions.md says so.
#[tokio::test]
async fn json_inside_an_object_that_sql_makes_is_text() {
    for expression in [
        "named_struct('b', payload)",
        "{'b': payload}",
        "named_struct('b', json('{}'))",
    ] {
        let run = messages().field("data.metadata", expression).run().await;
        let DataType::Struct(fields) = data(&run.rows).data_type().clone() else {
            panic!("an object");
        };
        assert!(!json::is_marked(&fields[0]), "{expression}");
        assert_eq!(run.rows.num_rows(), 1);
    }
}

#[tokio::test]
async fn a_view_keeps_json() {
    for view in [
        "SELECT id, payload FROM legacy.rows",
        "SELECT *, 1 AS one FROM legacy.rows ORDER BY id LIMIT 5",
        "SELECT id, a['b'] AS payload FROM legacy.rows",
        "SELECT id, json(a['c']) AS payload FROM legacy.rows",
        "SELECT l.id, r.payload FROM legacy.rows l LEFT JOIN legacy.rows r ON l.id = r.id",
        "SELECT id, payload FROM legacy.rows UNION ALL SELECT id, other FROM legacy.rows",
        "SELECT id, payload FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY id) AS n FROM legacy.rows) WHERE n = 1",
        "SELECT DISTINCT id, payload FROM legacy.rows",
        "SELECT id, payload FROM legacy.rows GROUP BY id, payload",
    ] {
        let plan = messages()
            .view("some", view)
            .from("some")
            .field("data.metadata", "payload");
        let plan = plan.plan().await;
        assert!(plan.is_ok(), "{view}: {plan:#?}");
    }
}

#[tokio::test]
async fn who_casts_json_to_text_has_text() {
    let run = messages()
        .field("data.text", "CAST(payload AS TEXT)")
        .run()
        .await;
    assert_eq!(run.column("data"), ["{text: {\"x\": 1}}"]);
    assert!(!json::is_marked(&data(&run.rows)));
}
