//! A Matrix homeserver, out of the database of Synapse.

use std::fs::read_to_string;

use crate::database::Legacy;
use crate::real;

const SCHEMA: &str = include_str!("synapse/schema.sql");
const POPULATION: &str = include_str!("synapse/population.sql");
const ACCOUNT: &str = include_str!("synapse/account.sql");

#[tokio::test]
async fn the_account_is_what_the_database_says() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let counted = legacy.counted(ACCOUNT, &[]).await;
    let account = legacy.rehearsed("matrix-synapse", &[]);
    assert_eq!(account, counted);
    let messages = &account["messages"];
    assert!(messages["imported"] > 1_500, "{messages:?}");
    assert_eq!(
        messages.len(),
        15,
        "every outcome is there but that of bots: {messages:?}"
    );
}

#[tokio::test]
async fn the_schema_of_the_server_itself_gives_the_same() {
    let Some(folder) = real("sql-schemas") else {
        return;
    };
    let schema = ["common", "main", "state"].map(|part| {
        let file = format!("synapse-{part}-full-72.postgres.sql");
        read_to_string(folder.join(file)).unwrap()
    });
    let legacy = Legacy::new(&schema.join("\n"), POPULATION).await;
    let counted = legacy.counted(ACCOUNT, &[]).await;
    assert_eq!(legacy.rehearsed("matrix-synapse", &[]), counted);
}

#[tokio::test]
async fn what_people_differ_in_can_be_chosen() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let variables = [("bots", "false"), ("files", "https://files.example.org/")];
    let counted = legacy.counted(ACCOUNT, &variables).await;
    assert!(counted["messages"]["skipped: bot"] > 0);
    assert_eq!(legacy.rehearsed("matrix-synapse", &variables), counted);
}

#[tokio::test]
async fn records_are_as_they_are_written_down_here() {
    let legacy = Legacy::new(SCHEMA, POPULATION).await;
    let files = "variables.files=https://files.example.org/";
    assert_eq!(legacy.recognised(), "matrix-synapse");
    insta::assert_snapshot!(legacy.golden("matrix-synapse", &["-n", "24", "--set", files]));
}
