//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::assert_settings;

use crate::workshop::planned;

#[test]
fn every_mistake_is_noted() {
    let settings = r#"partitions = "perhaps"
[sources.legacy.tables]
a = "{x/a.parquet"
b = { path = "b.parquet", partitions = 3, colour = "red" }"#;
    insta::assert_snapshot!(planned(settings, Path::new("/")).1);
}

#[test]
fn settings_keep_their_promises() {
    let settings = r#"root = "archive.zip"
path = "a.parquet"
partitions = false
storage = { secret_access_key = "hunter2" }"#;
    assert_settings(chatferry_parquet::register, settings, &["hunter2"]);
}
