//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::{assert_settings, planned};

#[test]
fn settings_keep_their_promises() {
    let settings = r#"driver = "libadbc_driver_sqlite.so"
entrypoint = "AdbcDriverInit"
schema = "public"
quote = "`"
options = { uri = "postgresql://ada:hunter2@host/chat", password = "hunter2" }
tables = { messages = "SELECT 1 AS id" }"#;
    assert_settings(chatferry_adbc::register, settings, &["hunter2"]);
}

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    let written = r#"drivr = "sqlite"
quote = "'"
schema = 5
[sources.legacy.options]
uri = 7
[sources.legacy.tables]
a = " ; "
b = { query = "SELECT 1" }"#;
    insta::assert_snapshot!(planned(chatferry_adbc::register, written, Path::new("/")).1);
}
