//! ejabberd, out of its archive.

use std::collections::BTreeMap;
use std::fs::read_to_string;

use chatferry_testkit::servers;
use chatferry_tests::account::rows;

use crate::database::Legacy;
use crate::{real, rehearsed_with};

const SCHEMA: &str = include_str!("ejabberd/schema.sql");
/// For the server's own schema.
const MISSING: &str = include_str!("missing.sql");
const POPULATION: &str = include_str!("ejabberd/population.sql");
const ACCOUNT: &str = include_str!("ejabberd/account.sql");
/// What README.md asks for where hosts are kept apart.
const HOSTS: [&str; 4] = [
    "views.accounts=SELECT username, server_host AS host, min(created_at) AS since \
     FROM legacy.users GROUP BY username, host",
    "views.archived=SELECT *, server_host AS host FROM legacy.archive",
    "views.seen=SELECT username, server_host AS host, seconds FROM legacy.last",
    "views.called=SELECT lusername AS username, server_host AS host, fn, nickname \
     FROM legacy.vcard_search",
];

#[tokio::test]
async fn the_account_is_what_was_said() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let counted = legacy.counted(ACCOUNT, &[]).await;
    let account = legacy.rehearsed("ejabberd", &[]);
    assert_eq!(account, counted);
    let messages = &account["messages"];
    assert!(messages["imported"] > 1_500, "{messages:?}");
    assert_eq!(messages.len(), 13, "every outcome is there: {messages:?}");
}

#[tokio::test]
async fn the_schemas_of_the_server_itself_give_the_same() {
    let Some(folder) = real("sql-schemas") else {
        return;
    };
    let one: Vec<&str> = Vec::new();
    let several: Vec<&str> = HOSTS.iter().flat_map(|view| ["--set", *view]).collect();
    for (schema, set) in [("ejabberd-pg.sql", one), ("ejabberd-pg.new.sql", several)] {
        let schema = read_to_string(folder.join(schema)).unwrap();
        let legacy = Legacy::new(&[&schema, MISSING].join("\n"), POPULATION).await;
        let counted = legacy.counted(ACCOUNT, &[]).await;
        let account = rehearsed_with(&legacy.environment(), "ejabberd", &set);
        assert_eq!(account, counted);
    }
}

#[tokio::test]
async fn it_is_the_same_on_mysql() {
    let database = servers::mariadb().await.database().await;
    database.execute(include_str!("ejabberd/mysql.sql")).await;
    let account = rehearsed_with(
        &[("LEGACY_DATABASE_URL", database.url())],
        "ejabberd",
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
            rows(&[
                ("read", 4),
                ("imported", 2),
                ("skipped: second copy", 1),
                ("skipped: no text", 1),
            ]),
        ),
    ]);
    assert_eq!(account, expected);
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    assert_eq!(legacy.recognised(), "ejabberd");
    insta::assert_snapshot!(legacy.golden("ejabberd", &["-n", "24"]));
}
