//! Rows into fields: names, types, objects, nulls, skipping, variables.

use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array};
use chatferry_core::Value;

use crate::stage::{Rows, Stage, numbers, over, rows, texts};

fn people() -> Rows {
    rows(vec![
        ("id", numbers(&[Some(1), Some(2), Some(3)])),
        ("createdAt", numbers(&[Some(10), None, Some(30)])),
        ("created_at", numbers(&[Some(11), Some(21), None])),
        ("name", texts(&[Some("Ann"), None, Some("Cy")])),
        ("username", texts(&[Some("ann"), Some("bob"), Some("cy")])),
        (
            "bot",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
    ])
}

fn users() -> Stage {
    over(people()).field("uid", "id")
}

#[tokio::test]
async fn fields_are_columns_and_whole_numbers_become_text() {
    let run = users()
        .field("name", "COALESCE(name, upper(username))")
        .field("createdAt", "coalesce(createdAt, created_at)")
        .field("isBanned", "bot")
        .field("tags", "make_array(username)")
        .run()
        .await;
    assert_eq!(run.column("uid"), ["1", "2", "3"]);
    assert_eq!(run.column("name"), ["Ann", "BOB", "Cy"]);
    assert_eq!(run.column("createdAt"), ["10", "21", "30"]);
    assert_eq!(run.column("isBanned"), ["true", "null", "false"]);
    assert_eq!(run.column("tags"), ["[ann]", "[bob]", "[cy]"]);
    assert_eq!(run.rows_read, 3);
}

#[tokio::test]
async fn names_are_case_sensitive_and_need_no_quotes() {
    let run = users()
        .field("createdAt", "createdAt")
        .field("metadata.snake", "created_at")
        .field("metadata.qualified", "legacy.rows.created_at")
        .field("metadata.short", "rows.created_at")
        .run()
        .await;
    assert_eq!(run.column("createdAt"), ["10", "null", "30"]);
    assert_eq!(
        run.column("metadata"),
        [
            "{snake: 11, qualified: 11, short: 11}",
            "{snake: 21, qualified: 21, short: 21}",
            "null"
        ]
    );
}

#[tokio::test]
async fn a_nested_table_is_an_object_and_null_where_all_of_it_is() {
    let run = users()
        .messages()
        .field("data.text", "name")
        .field("data.metadata.legacy.id", "nullif(id, 2)")
        .run()
        .await;
    assert_eq!(
        run.column("data"),
        [
            "{text: Ann, metadata: {legacy: {id: 1}}}",
            "null",
            "{text: Cy, metadata: {legacy: {id: 3}}}"
        ]
    );
}

#[tokio::test]
async fn an_object_without_fields_and_a_constant_null_are_null() {
    let run = users()
        .empty_object("metadata")
        .field("name", "NULL")
        .field("createdAt", "null")
        .field("isBanned", "NULL")
        .field("tags", "NULL")
        .run()
        .await;
    for name in ["metadata", "name", "createdAt", "isBanned", "tags"] {
        assert_eq!(run.column(name), ["null", "null", "null"], "{name}");
    }
}

#[tokio::test]
async fn constants_alone_give_one_value_a_row_and_read_no_column() {
    let stage = over(people()).field("uid", "'x'").field("createdAt", "7");
    let asked = stage.asked();
    let run = stage.run().await;
    assert_eq!(run.column("uid"), ["x", "x", "x"]);
    assert_eq!(*asked.lock().unwrap(), ["rows: "]);
}

#[tokio::test]
async fn casts_and_cases_have_the_type_that_they_end_with() {
    let run = users()
        .field("name", "CAST(id * 1.5 AS TEXT)")
        .field("metadata.n", "CASE WHEN id = 1 THEN 1 ELSE 2.5 END")
        .run()
        .await;
    assert_eq!(run.column("name"), ["1.5", "3.0", "4.5"]);
    assert_eq!(run.column("metadata"), ["{n: 1.0}", "{n: 2.5}", "{n: 2.5}"]);
}

#[tokio::test]
async fn only_what_is_needed_is_read() {
    let stage = users()
        .filter("createdAt IS NULL OR createdAt < 20")
        .skip("bots", "bot");
    let asked = stage.asked();
    let run = stage.run().await;
    assert_eq!(run.column("uid"), ["2"]);
    assert_eq!(*asked.lock().unwrap(), ["rows: id, createdAt, bot"]);
}

#[tokio::test]
async fn rows_that_are_not_the_flows_are_not_counted() {
    let run = users().filter("createdAt < 20").run().await;
    assert_eq!(
        (run.column("uid"), run.rows_read),
        (vec!["1".to_owned()], 1)
    );
}

#[tokio::test]
async fn the_first_reason_that_is_true_counts_and_null_is_not_true() {
    let run = users()
        .skip("bots", "bot")
        .skip("early", "created_at < 20")
        .skip("never", "NULL")
        .skip("nameless", "name IS NULL")
        .run()
        .await;
    assert_eq!(run.column("uid"), ["3"]);
    assert_eq!(
        run.skipped,
        [("bots".to_owned(), 1), ("nameless".to_owned(), 1)]
    );
    assert_eq!(run.rows_read, 3);
}

#[tokio::test]
async fn variables_of_each_type_stand_in_every_piece_of_sql() {
    let run = over(people())
        .view(
            "some",
            "SELECT * FROM legacy.rows WHERE id <= $most AND $yes",
        )
        .from("some")
        .variable("most", Value::Integer(2))
        .variable("yes", Value::Flag(true))
        .variable("who", Value::Text("it's bob".into()))
        .variable("half", Value::Float(0.5))
        .variable("minus", Value::Integer(-3))
        .filter("id > $most - 2")
        .skip("ann", "username = 'ann' AND $yes")
        .field("uid", "id")
        .field("name", "$who")
        .field("createdAt", "$minus")
        .field("isBanned", "$yes")
        .field("metadata.half", "id * $half")
        .run()
        .await;
    assert_eq!(run.column("uid"), ["2"]);
    assert_eq!(run.column("name"), ["it's bob"]);
    assert_eq!(run.column("createdAt"), ["-3"]);
    assert_eq!(run.column("isBanned"), ["true"]);
    assert_eq!(run.column("metadata"), ["{half: 1.0}"]);
    assert_eq!(run.skipped, [("ann".to_owned(), 1)]);
}

#[tokio::test]
async fn a_plan_tells_what_its_columns_are() {
    let plan = users()
        .field("metadata.legacy.at", "created_at")
        .field("metadata.half", "0.5")
        .plan()
        .await
        .unwrap();
    let columns = plan.columns().iter();
    let told: Vec<String> = columns
        .map(|column| format!("{} = {}: {}", column.field, column.expression, column.gives))
        .collect();
    assert_eq!(
        told,
        [
            "uid = id: text",
            "metadata.legacy.at = created_at: a whole number",
            "metadata.half = 0.5: a number with a fraction"
        ]
    );
}

#[tokio::test]
async fn an_empty_table_gives_nothing() {
    let mut table = people();
    table.batches.clear();
    let run = over(table).field("uid", "id").run().await;
    assert_eq!((run.rows.num_rows(), run.rows_read), (0, 0));
}

#[tokio::test]
async fn numbers_with_fractions_stay_numbers_in_objects() {
    let amounts = Arc::new(Float64Array::from(vec![0.25]));
    let run = over(rows(vec![("amount", amounts)]))
        .field("metadata.amount", "amount")
        .run()
        .await;
    assert_eq!(run.column("metadata"), ["{amount: 0.25}"]);
}
