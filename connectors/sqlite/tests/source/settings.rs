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
        r#"path = "legacy.db"
busy_timeout = "30 d"
pth = "legacy.db"
[sources.legacy.tables]
a = { query = "SELECT 1", table = "b" }
b = { query = " ; ", key = "id" }
c = { key = [] }
d = { key = ["id", "id"] }
e = {}
f = { key = "id", qurey = "SELECT 1" }
g = 5"#
    ));
}

#[test]
fn the_path_must_be_there_and_a_list_must_name_something() {
    insta::assert_snapshot!(mistakes("tables = []"));
}

#[test]
fn settings_keep_their_promises() {
    let settings = r#"path = "legacy.db"
busy_timeout = "5 s"
snapshot = true
tables = ["users"]"#;
    assert_settings(chatferry_sqlite::register, settings, &[]);
}
