//! Which column becomes what, and whether nothing is lost on the way.

use chatferry_testkit::source::assert_contract;

use crate::workshop::{Workshop, shown};

async fn read(lines: &str) -> String {
    let workshop = Workshop::with("records.jsonl", lines);
    let source = workshop.source("");
    assert_contract(source.clone(), "records").await;
    shown(&source, "records").await
}

#[tokio::test]
async fn every_plain_type_becomes_its_column() {
    insta::assert_snapshot!(
        read(
            r#"{"id":1,"ok":true,"share":0.5,"body":"a\n\"b\" \u00e9","tags":["x",null],"at":{"x":1,"y":null},"none":null}
{"body":"","id":2,"share":2,"at":{"y":[{"z":1}]},"tags":[]}
{"id":9223372036854775807,"late":-1}"#
        )
        .await
    );
}

#[tokio::test]
async fn what_would_be_rounded_is_kept_as_written() {
    insta::assert_snapshot!(
        read(
            r#"{"whole":9007199254740993,"mixed":9007199254740993,"huge":1,"fine":9007199254740992}
{"whole":1,"mixed":0.5,"huge":18446744073709551615,"fine":0.5}
{"whole":1,"mixed":1.0,"huge":1e999,"fine":1e3}"#
        )
        .await
    );
}

#[tokio::test]
async fn a_column_whose_type_changes_is_json() {
    insta::assert_snapshot!(
        read(
            r#"{"text":"plain","id":1,"deep":{"x":1}}
{"text":["a", {"type" : "link"}],"id":"one","deep":{"x":[1]}}
{"text":null,"id":false,"deep":{"x":null}}"#
        )
        .await
    );
}

#[tokio::test]
async fn maps_empty_objects_and_deep_nesting_are_json() {
    let map: Vec<String> = (0..300).map(|n| format!("\"u{n}\":{n}")).collect();
    let map = map.join(",");
    let deep = format!("{}1{}", "[".repeat(20), "]".repeat(20));
    let lines =
        format!("{{\"map\":{{{map}}},\"empty\":{{}},\"deep\":{deep}}}\n{{\"map\":{{\"x\":1}}}}");
    let text = read(&lines).await;
    let schema: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with('+'))
        .collect();
    insta::assert_snapshot!(schema.join("\n"));
}

#[tokio::test]
async fn an_order_is_noticed_over_the_whole_input() {
    insta::assert_snapshot!(
        read(
            r#"{"at":1,"name":"a","back":3,"gap":1,"end":"x"}
{"at":2,"name":"b","back":2,"end":"y"}
{"at":2,"name":"ba","back":4,"gap":2}"#
        )
        .await
    );
}

#[tokio::test]
async fn declared_types_replace_what_would_be_found() {
    let workshop = Workshop::with(
        "records.jsonl",
        r#"{"id":1,"name":12,"extra":[1],"meta":{"a":1,"b":2},"tags":["x"]}
{"id":"two","name":"b","extra":{"k":1}}
{"id":3,"name":true,"extra":null,"meta":{"a":"x"}}
{"id":4,"name":["x"]}
{"id":5.5}
{"id":6,"share":9007199254740993}
{"id":7,"share":2,"tags":["x",2]}"#,
    );
    let source = workshop.source(
        r#"path = "records.jsonl"
schema = { id = "bigint", name = "text", extra = "json", meta = { a = "bigint" }, tags = ["text"], share = "double", absent = "boolean" }"#,
    );
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}
