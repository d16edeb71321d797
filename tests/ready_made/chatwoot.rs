//! Chatwoot, out of its database.

use crate::database::Legacy;

const SCHEMA: &str = include_str!("chatwoot/schema.sql");
const POPULATION: &str = include_str!("chatwoot/population.sql");
const ACCOUNT: &str = include_str!("chatwoot/account.sql");

#[tokio::test]
async fn the_account_is_what_the_database_says() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    for variables in [
        [("bots", "true"), ("notes", "skip"), ("files", "")],
        [
            ("bots", "false"),
            ("notes", "agents"),
            ("files", "https://files.example.org/"),
        ],
    ] {
        let counted = legacy.counted(ACCOUNT, &variables).await;
        let account = legacy.rehearsed("chatwoot", &variables);
        assert_eq!(account, counted);
        assert!(account["messages"]["imported"] > 1_000, "{account:?}");
    }
}

#[tokio::test]
async fn the_other_account_is_another() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let account = legacy.rehearsed("chatwoot", &[("account", "2")]);
    assert_eq!(account["contacts"]["imported"], 5);
    assert_eq!(account["conversations"]["imported"], 10);
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let files = "variables.files=https://files.example.org/";
    assert_eq!(legacy.recognised(), "chatwoot");
    insta::assert_snapshot!(legacy.golden("chatwoot", &["-n", "20", "--set", files]));
}
