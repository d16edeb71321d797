//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::{assert_settings, planned};

#[test]
fn settings_keep_their_promises() {
    let settings = r#"url = "mongodb://ada:hunter2@db.example.org/?replicaSet=rs0"
database = "chat"
statement_timeout = "5 min"
reconnect = "1 min"
tables = { messages = "rocketchat_message", users = { collection = "users", filter = '{"active": true}' } }"#;
    assert_settings(chatferry_mongodb::register, settings, &["hunter2"]);
}

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    let written = r#"ur = "mongodb://host/chat"
url = "mongodb://host"
statement_timeout = "0 s"
[sources.legacy.tables]
a = 5
b = { collection = "b", colums = {} }
c = { filter = "{t: 1}" }
d = { filter = "[1]" }
e = { columns = { _id = "text" }, schema = { t = "text" } }
f = { optional = true }
g = { schema = { _id = "objectid" } }"#;
    insta::assert_snapshot!(planned(chatferry_mongodb::register, written, Path::new("/")).1);
}

#[test]
fn a_url_must_be_one_and_something_names_the_database() {
    let mut shown = String::new();
    for written in [
        "",
        "url = \"postgres://host/chat\"",
        "url = \"mongodb://ada:hunter@2@host/chat\"",
        "url = \"mongodb://host\"",
        "url = \"mongodb://host/\"",
        "url = \"mongodb://host\"\ndatabase = \"a.b\"",
        "url = \"mongodb://host/chat\"\ntables = []",
    ] {
        shown += &format!("{written}\n");
        shown += &planned(chatferry_mongodb::register, written, Path::new("/")).1;
    }
    insta::assert_snapshot!(shown);
    for fine in [
        "url = \"mongodb+srv://ada:hunter2@cluster.example.org\"\ndatabase = \"chat\"",
        "url = { file = \"/run/secrets/url\" }",
    ] {
        let (settings, mistakes) = planned(chatferry_mongodb::register, fine, Path::new("/"));
        assert_eq!((settings.is_some(), mistakes.as_str()), (true, ""));
    }
}
