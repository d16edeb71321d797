//! Is the chat of a home-grown system carried over out of a real PostgreSQL server, with an account that
//! the database bears out?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use chatferry_benches::legacy::{Population, Target, fill};
use chatferry_testkit::servers::{self, PASSWORD};
use chatferry_tests::homegrown::{Homegrown, Message, Participant};
use sqlx::{Connection, PgConnection, Row};

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
async fn a_chat_in_postgres_is_accounted_for() {
    let database = servers::postgres().await.database().await;
    let target = Target::Postgres(database.url().to_owned());
    let filled = fill(&target, &Population::new(SEED, MESSAGES)).await;
    filled.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let mut chat = Homegrown::default();
    for row in rows!(connection, "SELECT id, username FROM users") {
        chat.users.insert(row.get(0), row.get(1));
    }
    for row in rows!(
        connection,
        "SELECT id::text, kind = 'direct' FROM conversations"
    ) {
        chat.conversations.insert(row.get(0), row.get(1));
    }
    for row in rows!(
        connection,
        "SELECT conversation_id::text, user_id, left_at IS NOT NULL FROM participants"
    ) {
        chat.participants.push(Participant {
            conversation: row.get(0),
            user: row.get(1),
            left: row.get(2),
        });
    }
    for row in rows!(
        connection,
        "SELECT id, conversation_id::text, author_id, kind::text, body, deleted_at IS NOT NULL,
                created_at = to_timestamp(0)
         FROM messages"
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
        "SELECT message_id, count(*) FROM attachments GROUP BY 1"
    ) {
        let count: i64 = row.get(1);
        chat.files
            .insert(row.get(0), usize::try_from(count).unwrap());
    }
    // The simulator blocks while it starts and ends.
    let run = move || {
        chat.is_carried_over("homegrown-postgres", database.url(), PASSWORD);
        Homegrown::previewed("homegrown-postgres", database.url())
    };
    let records = tokio::task::spawn_blocking(run).await.unwrap();
    insta::assert_snapshot!(records);
}
