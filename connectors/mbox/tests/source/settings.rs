//! What is said of settings that cannot be used.

use std::path::Path;

use chatferry_testkit::settings::assert_settings;

use crate::workshop::planned;

#[test]
fn settings_keep_their_promises() {
    let settings = "root = \"archive.zip\"\npath = \"{list}/*.mbox\"\nmax_message = \"1 MiB\"";
    assert_settings(chatferry_mbox::register, settings, &[]);
}

#[test]
fn every_mistake_is_shown_at_once_where_it_stands() {
    let written = r#"max_mesage = 5
[sources.legacy.tables]
a = "{subject}/x.mbox"
b = { path = "b.mbox", max_message = "2 GiB" }
c = { path = "c.mbox", max_message = 0 }
d = { path = "d.mbox", encoding = "latin1" }"#;
    insta::assert_snapshot!(planned(written, Path::new("/")).1);
}
