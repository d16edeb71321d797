//! What is said of settings that cannot be used.

use chatferry_testkit::settings::assert_settings;

use crate::workshop::planned;

fn mistakes(settings: &str) -> String {
    planned(settings).1
}

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    insta::assert_snapshot!(mistakes(
        r#"host = "db"
port = 70000
tls = "on"
statement_timeout = "0 s"
conections = 3
[sources.legacy.tables]
recent = { query = " ; " }
old = { key = [] }
new = { key = ["id", "id"] }
other = { table = "a", query = "SELECT 1" }
more = { keys = ["id"] }"#
    ));
}

#[test]
fn something_has_to_say_where_the_database_is_and_only_once() {
    insta::assert_snapshot!(mistakes("tables = []"));
    insta::assert_snapshot!(mistakes("url = \"postgres://a/b\"\nhost = \"a\""));
}

#[test]
fn a_url_that_cannot_be_one_is_a_mistake_that_gives_nothing_away() {
    for url in ["mysql://root:swordfish@db/chat", "swordfish"] {
        // The place is the person's own text, and the rest is ours.
        let said = mistakes(&format!("url = \"{url}\"")).replace(url, "(the url)");
        assert!(said.contains("database::url"), "{said}");
        assert!(!said.contains("fish"), "{said}");
    }
}

#[test]
fn settings_keep_their_promises() {
    let settings = r#"host = "db.example.org"
port = 5432
user = "ada"
password = "hunter2"
database = "chat"
tls = "verify-full"
connections = 2
statement_timeout = "5 s"
reconnect = "1 min"
snapshot = true
schemas = ["public"]
tables = ["users"]"#;
    assert_settings(chatferry_postgres::register, settings, &["hunter2"]);
}
