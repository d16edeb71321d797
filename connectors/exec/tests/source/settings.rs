//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::planned;

fn mistakes(settings: &str) -> String {
    planned(chatferry_exec::register, settings, Path::new("/")).1
}

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    insta::assert_snapshot!(mistakes(
        r#"comand = ["true"]
format = "lines"
columns = { id = "text" }
[sources.legacy.tables]
a = "sh users.sh"
b = { command = [] }
c = { command = ["sh", "c.sh"], schema = { id = "integer" } }
d = { command = ["sh", "d.sh"], columns = { id = "text" }, schema = { id = "text" } }
e = { comand = ["sh"] }
f = 5
[sources.legacy.env]
"A=B" = "c""#
    ));
}

#[test]
fn a_command_and_tables_exclude_each_other() {
    insta::assert_snapshot!(mistakes("command = [\"true\"]\ntables.b = [\"true\"]"));
}

#[test]
fn a_source_without_a_command_says_so() {
    insta::assert_snapshot!(mistakes(""));
}
