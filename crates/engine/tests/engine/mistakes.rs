//! Every kind of mistake in a flow's SQL, as a person sees it.

use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field};
use chatferry_core::{Value, json};

use crate::stage::{Given, Rows, Stage, marked, numbers, over, texts};

fn table() -> Rows {
    marked(vec![
        (Field::new("id", DataType::Int64, true), numbers(&[Some(1)])),
        (
            Field::new("author_id", DataType::Int64, true),
            numbers(&[Some(1)]),
        ),
        (
            Field::new("body", DataType::Utf8, true),
            texts(&[Some("hi")]),
        ),
        (
            Field::new(
                "at",
                DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
                true,
            ),
            Arc::new(TimestampMicrosecondArray::from(vec![1])),
        ),
        (
            Field::new("amount", DataType::Float64, true),
            Arc::new(Float64Array::from(vec![1.0])),
        ),
        (
            Field::new("bot", DataType::Boolean, true),
            Arc::new(BooleanArray::from(vec![true])),
        ),
        (json::column("payload"), texts(&[Some("{}")])),
    ])
}

fn users() -> Stage {
    over(table())
}

#[tokio::test]
async fn types_that_do_not_fit_are_shown_at_their_fields_all_at_once() {
    let shown = users()
        .messages()
        .field("sentAt", "body")
        .field("muid", "amount")
        .field("sender", "bot")
        .field("tags", "body")
        .field("data.text", "payload")
        .field("data.metadata", "body")
        .field("data.attachments", "make_array(id)")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
    let shown = users()
        .field("createdAt", "at")
        .field("isBanned", "id")
        .field("name", "at")
        .field("tags", "make_array(bot)")
        .field("metadata", "id")
        .mistakes()
        .await;
    insta::assert_snapshot!("types_of_users", shown);
}

#[tokio::test]
async fn names_that_do_not_exist_are_underlined() {
    let shown = users()
        .variable("since", Value::Integer(1))
        .filter("author_di = 1")
        .field("uid", "upper(bdy)")
        .field("name", "uper(body)")
        .field("createdAt", "$sinc")
        .field("isBanned", "'body' = rows.nothing_like_it")
        .field("metadata.a", "frobnicate(id)")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn a_variable_without_any_says_where_variables_are_written() {
    insta::assert_snapshot!(users().field("uid", "id + $x").mistakes().await);
}

#[tokio::test]
async fn syntax_is_underlined_near_the_place() {
    let shown = users()
        .field("uid", "upper(body")
        .field("name", "CASE WHEN bot THEN 'a'")
        .field("createdAt", "id + + )")
        .field("isBanned", "bot AND")
        .field("metadata.two", "id,\n  body")
        .field("metadata.words", "hello world")
        .field("metadata.named", "body AS text")
        .field("metadata.quote", "'open")
        .field("metadata.empty", "  ")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn what_needs_more_than_a_row_belongs_in_a_view() {
    let shown = users()
        .field("uid", "max(id)")
        .field("name", "row_number() OVER (ORDER BY id)")
        .field("createdAt", "(SELECT 1)")
        .field("isBanned", "id IN (SELECT id FROM legacy.rows)")
        .field("tags", "unnest(make_array(body))")
        .field("metadata.all", "*")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn conditions_are_true_or_false() {
    let shown = users()
        .filter("id")
        .skip("empty", "body")
        .skip("fine", "bot")
        .field("uid", "id")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn arguments_that_do_not_fit_name_what_the_function_takes() {
    let shown = users()
        .field("uid", "cometchat_id(amount)")
        .field("name", "member_id(id)")
        .field("createdAt", "UNIX_SECONDS(bot)")
        .field("metadata.a", "json()")
        .field("metadata.b", "unix_seconds(at, 3)")
        .field("metadata.c", "upper(json(amount))")
        .field("metadata.d", "substr(bot)")
        .field("metadata.e", "body + bot")
        .field("metadata.f", "body = bot")
        .field("metadata.g", "id IN ('a', bot)")
        .field("metadata.h", "CAST(id AS STRNG)")
        .field("metadata.i", "coalesce(id, make_array(1))")
        .field("metadata.j", "bot['a']")
        .field("metadata.k", "range(1, id, bot, 2)")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn an_order_by_what_is_not_there_is_underlined() {
    let shown = users()
        .field("uid", "id")
        .order_by("created")
        .order_by("id DESC");
    insta::assert_snapshot!(shown.mistakes().await);
}

#[tokio::test]
async fn tables_that_do_not_exist_are_underlined() {
    insta::assert_snapshot!(
        users()
            .from("legacy.row")
            .field("uid", "id")
            .mistakes()
            .await
    );
    let shown = users()
        .from("elsewhere")
        .field("uid", "id")
        .mistakes()
        .await;
    insta::assert_snapshot!("no_such_view", shown);
    let shown = users()
        .from("other.rows")
        .field("uid", "id")
        .mistakes()
        .await;
    insta::assert_snapshot!("no_such_source", shown);
}

#[tokio::test]
async fn mistakes_in_views_are_underlined_and_what_reads_them_is_not_blamed() {
    let shown = users()
        .view("column", "SELECT id, bdy FROM legacy.rows")
        .view("table_", "SELECT id FROM legacy.rws")
        .view("view", "SELECT id FROM colum")
        .view("changes", "DELETE FROM legacy.rows")
        .view("several", "SELECT 1; SELECT 2")
        .view("syntax", "SELECT id FROM\n  legacy.rows WHERE")
        .view(
            "twice",
            "SELECT a.id, b.id FROM legacy.rows a JOIN legacy.rows b ON a.id = b.id",
        )
        .view(
            "which",
            "SELECT id FROM legacy.rows a JOIN legacy.rows b ON a.id = b.id",
        )
        .view("variable", "SELECT $x AS x")
        .view("function", "SELECT nothing(id) FROM legacy.rows")
        .view("arguments", "SELECT json(bot) FROM legacy.rows")
        .view("grouped", "SELECT id, count(*) FROM legacy.rows")
        .view("empty", "")
        .view("follows", "SELECT no_matter FROM column")
        .from("follows")
        .field("uid", "whatever")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn a_flow_that_reads_no_broken_view_is_checked_beside_it() {
    let shown = users()
        .view("broken", "SELECT bdy FROM legacy.rows")
        .from("legacy.rows")
        .field("uid", "idd")
        .mistakes()
        .await;
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn where_a_place_is_not_known_the_whole_is_underlined() {
    // Written with escapes: bytes of the SQL are not bytes of the file.
    let mut plan = users().field("uid", "idd + 1");
    plan.escaped();
    insta::assert_snapshot!(plan.mistakes().await);
}

#[tokio::test]
async fn an_error_of_the_source_is_no_mistake() {
    let table = table().then(Given::Error);
    let stage = over(table.clone()).table("legacy", "broken", table);
    let shown = stage
        .from("legacy.broken")
        .field("uid", "id")
        .mistakes()
        .await;
    assert_eq!(
        shown,
        "source: cannot read rows.jsonl: the disk is gone (rows.jsonl, line 7)"
    );
}
