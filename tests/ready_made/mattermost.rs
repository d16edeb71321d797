//! Mattermost, out of its database.

use std::fs::read_to_string;

use crate::database::Legacy;
use crate::real;

const SCHEMA: &str = include_str!("mattermost/schema.sql");
const POPULATION: &str = include_str!("mattermost/population.sql");
const ACCOUNT: &str = include_str!("mattermost/account.sql");

#[tokio::test]
async fn the_account_is_what_the_database_says() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let counted = legacy.counted(ACCOUNT, &[]).await;
    let account = legacy.rehearsed("mattermost", &[]);
    assert_eq!(account, counted);
    let messages = &account["messages"];
    assert!(messages["imported"] > 2_500, "{messages:?}");
    assert_eq!(messages.len(), 9, "every outcome is there: {messages:?}");
}

#[tokio::test]
async fn the_schema_of_the_server_itself_gives_the_same() {
    let Some(folder) = real("sql-schemas") else {
        return;
    };
    let schema = read_to_string(folder.join("mattermost-v11-core.sql")).unwrap();
    let legacy = Legacy::new(&schema, POPULATION).await;
    let counted = legacy.counted(ACCOUNT, &[]).await;
    assert_eq!(legacy.rehearsed("mattermost", &[]), counted);
}

#[tokio::test]
async fn what_people_differ_in_can_be_chosen() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    for variables in [
        [("bots", "false"), ("deleted", "skip")],
        [("bots", "true"), ("deleted", "keep")],
    ] {
        let counted = legacy.counted(ACCOUNT, &variables).await;
        assert_eq!(legacy.rehearsed("mattermost", &variables), counted);
    }
    let files = [("files", "https://files.example.org/")];
    let counted = legacy.counted(ACCOUNT, &[]).await;
    assert_eq!(legacy.rehearsed("mattermost", &files), counted);
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let files = "variables.files=https://files.example.org/";
    assert_eq!(legacy.recognised(), "mattermost");
    insta::assert_snapshot!(legacy.golden("mattermost", &["-n", "20", "--set", files]));
}
