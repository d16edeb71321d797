//! Openfire, out of its database.

use std::collections::BTreeMap;
use std::fs::read_to_string;

use chatferry_testkit::servers;
use chatferry_tests::account::rows;

use crate::database::Legacy;
use crate::{real, rehearsed_with};

const SCHEMA: &str = include_str!("openfire/schema.sql");
const ARCHIVE: &str = include_str!("openfire/archive.sql");
/// For the server's own schema.
const MISSING: &str = include_str!("missing.sql");
const POPULATION: &str = include_str!("openfire/population.sql");
const ACCOUNT: &str = include_str!("openfire/account.sql");

#[tokio::test]
async fn the_account_is_what_the_database_says() {
    let legacy = Legacy::new(&[SCHEMA, ARCHIVE].join("\n"), POPULATION).await;
    for variables in [[("rooms", "log")], [("rooms", "archive")]] {
        let counted = legacy.counted(ACCOUNT, &variables).await;
        let account = legacy.rehearsed("openfire", &variables);
        assert_eq!(account, counted);
        assert!(account["messages"]["imported"] > 800, "{account:?}");
    }
    let open = legacy.rehearsed("openfire", &[("open", "true")]);
    assert_eq!(open, legacy.counted(ACCOUNT, &[]).await);
}

#[tokio::test]
async fn the_schema_of_the_server_itself_gives_the_same() {
    let Some(folder) = real("sql-schemas") else {
        return;
    };
    let schema = read_to_string(folder.join("openfire_postgresql.sql")).unwrap();
    let legacy = Legacy::new(&[&schema, ARCHIVE, MISSING].join("\n"), POPULATION).await;
    let counted = legacy.counted(ACCOUNT, &[]).await;
    assert_eq!(legacy.rehearsed("openfire", &[]), counted);
}

#[tokio::test]
async fn it_is_the_same_on_mysql() {
    let database = servers::mariadb().await.database().await;
    database.execute(include_str!("openfire/mysql.sql")).await;
    let account = rehearsed_with(
        &[("LEGACY_DATABASE_URL", database.url())],
        "openfire",
        &["--set", "sources.legacy.connector=mysql"],
    );
    let all = |count| rows(&[("read", count), ("imported", count)]);
    let expected = BTreeMap::from([
        ("users".into(), all(2)),
        ("others".into(), all(0)),
        ("groups".into(), all(1)),
        ("notes to self".into(), all(0)),
        ("members".into(), all(2)),
        ("oneself".into(), all(0)),
        (
            "messages".into(),
            rows(&[("read", 4), ("imported", 3), ("skipped: no text", 1)]),
        ),
    ]);
    assert_eq!(account, expected);
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(&[SCHEMA, ARCHIVE].join("\n"), POPULATION).await;
    assert_eq!(legacy.recognised(), "openfire");
    insta::assert_snapshot!(legacy.golden("openfire", &["-n", "24"]));
}
