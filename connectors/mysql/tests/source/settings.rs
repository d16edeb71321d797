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
tls = "verify"
connections = 0
statement_timeout = "soon"
zero_dates = "keep"
tinyint1 = "bool"
reconnect = 5
pasword = "x"
[sources.legacy.tables]
recent = { query = "SELECT 1", table = "messages" }
old = { key = [] }
other = "messages""#
    ));
}

#[test]
fn a_url_and_its_parts_exclude_each_other() {
    insta::assert_snapshot!(mistakes("url = \"mysql://db/chat\"\nhost = \"db\""));
}

#[test]
fn something_has_to_say_where_the_database_is() {
    insta::assert_snapshot!(mistakes("tls = \"require\""));
}

#[test]
fn a_page_takes_some_time() {
    insta::assert_snapshot!(mistakes(
        "url = \"mysql://db/chat\"\nstatement_timeout = \"0 s\""
    ));
}

#[test]
fn a_url_that_cannot_be_one_is_a_mistake_that_gives_nothing_away() {
    let urls = [
        "postgres://root:swordfish@db/chat",
        "mysql://root:sword/fish@db/chat",
        "mysql://root:swordfish@db",
        "swordfish",
    ];
    let said: Vec<String> = urls
        .iter()
        .map(|url| {
            let said = mistakes(&format!("url = \"{url}\""));
            // The place is the person's own text, and the rest is ours.
            said.replace(url, "(the url)")
        })
        .collect();
    let said = said.join("\n");
    assert!(!said.contains("fish"));
    insta::assert_snapshot!(said);
}

#[test]
fn settings_that_are_printed_hide_the_password() {
    let url = "url = \"mysql://root:swordfish@db/chat\"";
    let parts = "host = \"db\"\ndatabase = \"chat\"\nuser = \"root\"\npassword = \"swordfish\"";
    for settings in [url, parts] {
        let (planned, mistakes) = planned(settings);
        assert_eq!(mistakes, "");
        let planned = planned.unwrap();
        assert!(!format!("{planned:?}").contains("swordfish"));
        assert!(!format!("{:?}", planned.open().unwrap()).contains("swordfish"));
    }
}

#[test]
fn settings_keep_their_promises() {
    let settings = r#"url = "mysql://ada:hunter2@db.example.org/chat"
tls = "verify-full"
connections = 2
statement_timeout = "5 s"
reconnect = "1 min"
snapshot = true
zero_dates = "null"
tinyint1 = "boolean"
tables = ["users"]"#;
    assert_settings(chatferry_mysql::register, settings, &["hunter2"]);
}
