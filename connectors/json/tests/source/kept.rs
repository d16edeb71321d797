//! What was found out about a file is kept.

use chatferry_testkit::kept::assert_kept;

use crate::workshop::Workshop;

fn lines(value: &str) -> Vec<u8> {
    format!("{{\"id\":{value},\"tags\":[{{\"of\":{value}}}]}}\n")
        .repeat(40_000)
        .into_bytes()
}

#[tokio::test]
async fn types_are_looked_for_once() {
    let workshop = Workshop::new();
    let file = workshop.path().join("a.jsonl");
    let open = || workshop.source("path = \"a.jsonl\"");
    assert_kept(open, &file, [&lines("100"), &lines("\"a\"")]).await;
}

#[tokio::test]
async fn what_the_settings_and_the_path_say_of_a_table_makes_a_difference() {
    let workshop = Workshop::new();
    let file = workshop.path().join("2024.jsonl");
    let open = || workshop.source("path = \"{year}.jsonl\"\nschema = { id = \"double\" }");
    assert_kept(open, &file, [&lines("100"), &lines("1.5")]).await;
}
