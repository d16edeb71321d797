//! What was found out about a file is kept.

use chatferry_testkit::kept::assert_kept;

use crate::workshop::Workshop;

#[tokio::test]
async fn types_are_looked_for_once() {
    let workshop = Workshop::new();
    let rows = |value: &str| format!("id,body\n{}", format!("{value},a body\n").repeat(120_000));
    let open = || workshop.source("path = \"a.csv\"");
    let (numbers, texts) = (rows("100"), rows("abc"));
    assert_kept(
        open,
        &workshop.path("a.csv"),
        [numbers.as_bytes(), texts.as_bytes()],
    )
    .await;
}
