//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::assert_settings;

use crate::workshop::planned;

fn mistakes(settings: &str) -> String {
    planned(settings, Path::new("/")).1
}

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    insta::assert_snapshot!(mistakes(
        r#"[sources.legacy.tables]
a = "{channel/x.json"
b = { path = "{x}/{x}.json", format = "line" }
c = { records = "a..b" }
d = { path = "d.json", schema = { id = "integer", tags = [], at = {} } }
e = { path = "{id}.json", schema = { id = "text" }, max_record = "2 GiB" }
f = { path = "f.json", format = "lines", records = "x", recrods = "y" }
g = 5"#
    ));
}

#[test]
fn a_table_that_is_optional_says_its_columns() {
    insta::assert_snapshot!(mistakes("path = \"a.json\"\noptional = true"));
    assert_eq!(mistakes("path = \"a.json\"\noptional = false"), "");
}

#[test]
fn a_path_and_tables_exclude_each_other() {
    insta::assert_snapshot!(mistakes("path = \"a.json\"\ntables.b = \"b.json\""));
}

#[test]
fn options_need_a_table_that_they_are_about() {
    insta::assert_snapshot!(mistakes("format = \"lines\""));
}

#[test]
fn an_address_must_be_one_that_can_be_read() {
    insta::assert_snapshot!(mistakes(
        r#"root = "s3:///logs"
[sources.legacy.tables]
a = "ftp://host/a.json"
b = { path = "https://host/" }
c = "s3://bucket/{a}/{a}.json"
[sources.legacy.storage]
regoin = "eu-central-1"
secret_access_key = { file = "key" }"#
    ));
}

#[test]
fn what_is_around_the_records_must_be_on_their_way() {
    insta::assert_snapshot!(mistakes(
        r#"[sources.legacy.tables]
a = { path = "a.json", parents = { x = "name" } }
b = { path = "b.json", records = "c.m", parents = { x = "d.name", y = "c.m", z = "c.m.id", fine = "c.id", also = "c" } }"#
    ));
    insta::assert_snapshot!(
        "set_twice",
        mistakes(
            r#"[sources.legacy.tables]
c = { path = "{x}.json", records = "c.m", parents = { x = "c.id" } }
d = { path = "d.json", records = "c.m", parents = { x = "c.id" }, schema = { x = "text" } }"#
        )
    );
}

#[test]
fn settings_keep_their_promises() {
    let settings = r#"root = "archive.zip"
path = "a.json"
format = "document"
records = "messages"
max_record = "1 MiB"
storage = { secret_access_key = "hunter2" }"#;
    assert_settings(chatferry_json::register, settings, &["hunter2"]);
}
