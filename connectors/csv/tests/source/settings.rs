//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::assert_settings;

use crate::workshop::planned;

#[test]
fn every_mistake_is_shown_where_it_stands() {
    let settings = r#"delimiter = ";;"
quote = ""
escape = "é"
trim = "perhaps"
columns = ["a", "a"]
encoding = "utf-9"
short_rows = "ignore"
max_record = "2 GiB"
[sources.legacy.schema]
a = "integer"
b = "decimal(50, 2)"
c = { timestamp = "%d/%Q" }
d = { timestamp = "%H:%M %z" }
e = { timestamptz = "%d/%m/%Y %H:%M" }
f = { date = "%d.%m.%Y", boolean = ["a", "b"] }
g = { boolean = ["yes"] }
h = { date = "day" }"#;
    insta::assert_snapshot!(planned(settings, Path::new("/")).1);
}

#[test]
fn two_characters_with_a_meaning_cannot_be_one() {
    let settings = "path = \"a.csv\"\ndelimiter = \";\"\ncomment = \";\"";
    insta::assert_snapshot!(planned(settings, Path::new("/")).1);
    let settings = "path = \"a.csv\"\nquote = \"'\"\nescape = \"'\"";
    assert_eq!(planned(settings, Path::new("/")).1, "");
}

#[test]
fn settings_keep_their_promises() {
    let settings = r#"root = "archive.zip"
path = "a.csv"
max_unpacked = "1 GiB"
max_ratio = 100
delimiter = ";"
quote = "none"
escape = "\\"
escape_letters = true
trim = true
header = false
columns = ["id"]
nulls = ["NULL"]
encoding = "utf-8"
short_rows = "null"
max_record = "1 MiB""#;
    assert_settings(chatferry_csv::register, settings, &[]);
}
