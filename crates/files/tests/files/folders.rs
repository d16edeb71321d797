//! Files in folders.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use crate::workshop::{Workshop, shown, template};

#[test]
fn links_are_followed_unless_they_may_lead_in_circles() {
    let workshop = Workshop::with("real/a.json", "one");
    symlink(workshop.path().join("real"), workshop.path().join("link")).unwrap();
    symlink(workshop.path(), workshop.path().join("real/circle")).unwrap();
    let root = workshop.root(".");
    assert_eq!(
        shown(&root, "*/a.json"),
        "link/a.json: \"one\"\nreal/a.json: \"one\"\n"
    );
    assert_eq!(shown(&root, "**/a.json"), "real/a.json: \"one\"\n");
}

#[test]
fn a_file_that_grows_is_read_as_far_as_it_was_and_noticed() {
    let workshop = Workshop::with("a.jsonl", "one\n");
    let root = workshop.root(".");
    let listing = root.list(&template("a.jsonl")).unwrap();
    let mut opener = root.opener().unwrap();
    let mut input = opener.open(&listing.files[0]).unwrap();
    workshop.write("a.jsonl", "one\ntwo\n");
    let mut text = String::new();
    input.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one\n");
    assert!(listing.files[0].has_changed());
}

#[test]
fn a_file_that_vanishes_is_noticed() {
    let workshop = Workshop::with("a.jsonl", "one\n");
    let root = workshop.root(".");
    let listing = root.list(&template("a.jsonl")).unwrap();
    fs::remove_file(workshop.path().join("a.jsonl")).unwrap();
    assert!(listing.files[0].has_changed());
    let mut opener = root.opener().unwrap();
    let error = opener.open(&listing.files[0]).err().unwrap();
    insta::assert_snapshot!(chatferry_testkit::reading::error_shown(&error));
}
