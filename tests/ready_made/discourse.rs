//! The chat of Discourse, out of its database.

use crate::database::Legacy;

const SCHEMA: &str = include_str!("discourse/schema.sql");
const POPULATION: &str = include_str!("discourse/population.sql");
const ACCOUNT: &str = include_str!("discourse/account.sql");

#[tokio::test]
async fn the_account_is_what_the_database_says() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    for variables in [
        [("bots", "true"), ("deleted", "skip"), ("files", "")],
        [
            ("bots", "false"),
            ("deleted", "keep"),
            ("files", "https://forum.example.org"),
        ],
    ] {
        let counted = legacy.counted(ACCOUNT, &variables).await;
        let account = legacy.rehearsed("discourse-chat", &variables);
        assert_eq!(account, counted);
        assert!(account["messages"]["imported"] > 1_500, "{account:?}");
    }
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let files = "variables.files=https://forum.example.org";
    assert_eq!(legacy.recognised(), "discourse-chat");
    insta::assert_snapshot!(legacy.golden("discourse-chat", &["-n", "24", "--set", files]));
}
