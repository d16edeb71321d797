//! Is the chat of a home-grown system carried over out of a real MariaDB server, with an account that
//! the database bears out?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use chatferry_benches::legacy::{Population, Target, fill};
use chatferry_testkit::servers::{self, PASSWORD};
use chatferry_tests::homegrown::{Homegrown, Message, Participant};
use sqlx::{Connection, MySqlConnection, Row};

/// Which chat: it has some of everything.
const SEED: u64 = 9;
const MESSAGES: u64 = 3_000;

/// All rows that a query gives.
macro_rules! rows {
    ($connection:ident, $query:literal) => {
        sqlx::query($query)
            .fetch_all(&mut $connection)
            .await
            .unwrap()
    };
}

#[tokio::test]
async fn a_chat_in_mariadb_is_accounted_for() {
    let database = servers::mariadb().await.database().await;
    let target = Target::MySql(database.url().to_owned());
    let filled = fill(&target, &Population::new(SEED, MESSAGES)).await;
    filled.unwrap();
    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    let mut chat = Homegrown::default();
    for row in rows!(
        connection,
        "SELECT CAST(id AS SIGNED), login FROM chat_users"
    ) {
        chat.users.insert(row.get(0), row.get(1));
    }
    for row in rows!(
        connection,
        "SELECT CAST(id AS CHAR), type = 'direct' FROM chat_conversations"
    ) {
        chat.conversations.insert(row.get(0), row.get(1));
    }
    for row in rows!(
        connection,
        "SELECT CAST(conversation_id AS CHAR), CAST(user_id AS SIGNED), left_at IS NOT NULL
         FROM chat_participants"
    ) {
        chat.participants.push(Participant {
            conversation: row.get(0),
            user: row.get(1),
            left: row.get(2),
        });
    }
    for row in rows!(
        connection,
        "SELECT CAST(id AS SIGNED), CAST(conversation_id AS CHAR), CAST(user_id AS SIGNED),
                CAST(type AS CHAR), CAST(body AS CHAR), is_deleted, created_at = '1970-01-01'
         FROM chat_messages"
    ) {
        chat.messages.push(Message {
            id: row.get(0),
            conversation: row.get(1),
            user: row.get(2),
            kind: row.get(3),
            body: row.get(4),
            deleted: row.get(5),
            timeless: row.get(6),
        });
    }
    for row in rows!(
        connection,
        "SELECT CAST(message_id AS SIGNED), count(*) FROM chat_attachments GROUP BY message_id"
    ) {
        let count: i64 = row.get(1);
        chat.files
            .insert(row.get(0), usize::try_from(count).unwrap());
    }
    // The simulator blocks while it starts and ends.
    let run = move || {
        chat.is_carried_over("homegrown-mysql", database.url(), PASSWORD);
        Homegrown::previewed("homegrown-mysql", database.url())
    };
    let records = tokio::task::spawn_blocking(run).await.unwrap();
    insta::assert_snapshot!(records);
}
