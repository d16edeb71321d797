//! Zulip, out of its database.

use crate::database::Legacy;

const SCHEMA: &str = include_str!("zulip/schema.sql");
const POPULATION: &str = include_str!("zulip/population.sql");
const ACCOUNT: &str = include_str!("zulip/account.sql");

#[tokio::test]
async fn the_account_is_what_the_database_says() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    for variables in [
        [("bots", "true"), ("files", "")],
        [("bots", "false"), ("files", "https://files.example.org/")],
    ] {
        let counted = legacy.counted(ACCOUNT, &variables).await;
        let account = legacy.rehearsed("zulip", &variables);
        assert_eq!(account, counted);
        assert!(account["messages"]["imported"] > 1_500, "{account:?}");
    }
}

#[tokio::test]
async fn the_other_organisation_is_another() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let account = legacy.rehearsed("zulip", &[("realm", "other")]);
    assert_eq!(account["users"]["imported"], 3);
    assert_eq!(account["streams"]["imported"], 1);
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let files = "variables.files=https://files.example.org/";
    assert_eq!(legacy.recognised(), "zulip");
    insta::assert_snapshot!(legacy.golden("zulip", &["-n", "28", "--set", files]));
}
