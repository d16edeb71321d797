//! A home-grown chat in a file of SQLite, in CSV and in Parquet. The three samples are one chat, made of
//! the same seed; it is counted with SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chatferry_tests::homegrown::{Homegrown, Message, Participant};
use chatferry_tests::id::cometchat_id;
use chatferry_tests::{Folder, Served, pipeline, repository, strict};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqliteConnection};

use crate::rehearsed;

const PIPELINES: [&str; 3] = ["homegrown-sqlite", "homegrown-csv", "homegrown-parquet"];

fn sample() -> PathBuf {
    repository().join("pipelines/homegrown-sqlite/data/chat.db")
}

/// The sample, as it lies there.
fn read() -> Homegrown {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(sample()).read_only(true);
        let mut database = options.connect().await.expect("the sample is there");
        let mut chat = Homegrown::default();
        for row in all(&mut database, "SELECT id, nick FROM users").await {
            chat.users.insert(row.get(0), row.get(1));
        }
        for row in all(&mut database, "SELECT id, kind = 'dm' FROM conversations").await {
            chat.conversations.insert(row.get::<i64, _>(0).to_string(), row.get(1));
        }
        let participants = "SELECT conversation_id, user_id, left_at IS NOT NULL FROM participants";
        for row in all(&mut database, participants).await {
            chat.participants.push(Participant {
                conversation: row.get::<i64, _>(0).to_string(),
                user: row.get(1),
                left: row.get(2),
            });
        }
        let messages = "SELECT id, conversation_id, user_id, kind, body, deleted = 'true', created_at = 0 \
                        FROM messages";
        for row in all(&mut database, messages).await {
            chat.messages.push(Message {
                id: row.get(0),
                conversation: row.get::<i64, _>(1).to_string(),
                user: row.get(2),
                kind: row.get(3),
                body: row.get(4),
                deleted: row.get(5),
                timeless: row.get(6),
            });
        }
        let files = "SELECT message_id, count(*) FROM attachments GROUP BY message_id";
        for row in all(&mut database, files).await {
            let count: i64 = row.get(1);
            chat.files.insert(row.get(0), usize::try_from(count).unwrap());
        }
        chat
    })
}

async fn all(database: &mut SqliteConnection, query: &'static str) -> Vec<sqlx::sqlite::SqliteRow> {
    sqlx::query(query)
        .fetch_all(database)
        .await
        .expect("the sample can be read")
}

/// The first of the files, or the message itself, and then the other files.
fn muids(chat: &Homegrown, message: &Message) -> Vec<String> {
    let parts = chat.files.get(&message.id).copied().unwrap_or(1);
    let muid = |part| match part {
        1 => message.id.to_string(),
        part => format!("{}-{part}", message.id),
    };
    (1..=parts).map(muid).collect()
}

#[test]
fn a_rehearsal_accounts_for_every_row() {
    let wanted = read().account();
    for name in PIPELINES {
        assert_eq!(rehearsed(name, &[]), wanted, "{name}");
    }
    // The sample has some of everything.
    for reason in [
        "conversation is gone",
        "deleted",
        "system event",
        "nothing in it",
        "time is unknown",
        "one person alone",
        "account is gone",
    ] {
        assert!(
            wanted["messages"].contains_key(&format!("skipped: {reason}")),
            "{reason}"
        );
    }
}

#[test]
fn a_run_stores_every_message_from_whom_it_was_to_whom_it_was() {
    let chat = read();
    for name in PIPELINES {
        every_message_is_stored(name, &chat);
    }
}

fn every_message_is_stored(name: &str, chat: &Homegrown) {
    let (folder, served) = (Folder::new(), Served::new(strict()));
    let mut arguments = vec!["run".to_owned(), pipeline(name)];
    arguments.extend(served.arguments());
    arguments.extend(["--ledger".into(), folder.file("ledger")]);
    folder
        .run_with(
            &[("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")],
            &arguments,
        )
        .expect(0);
    assert_eq!(served.counts().order_violations, 0);

    let stored = served.stored();
    let uids: BTreeMap<String, String> = stored
        .users
        .iter()
        .filter_map(|user| {
            let nick = user["metadata"]["legacy"]["nickname"].as_str()?;
            Some((nick.to_owned(), user["uid"].as_str()?.to_owned()))
        })
        .collect();
    let nicks: BTreeSet<&String> = chat.users.values().collect();
    assert_eq!(uids.keys().collect::<BTreeSet<_>>(), nicks);
    let different: BTreeSet<&String> = uids.values().collect();
    assert_eq!(different.len(), uids.len(), "two people became one");
    for (nick, uid) in uids.iter().filter(|(nick, _)| nick.is_ascii()) {
        assert_eq!(*uid, cometchat_id(nick));
    }
    let lower: BTreeSet<String> = chat
        .users
        .values()
        .map(|nick| nick.to_lowercase())
        .collect();
    assert!(
        lower.len() < chat.users.len(),
        "nobody's nickname differs only in case"
    );

    let uid = |user: i64| chat.users.get(&user).map(|nick| uids[nick].clone());
    let mut expected = BTreeMap::new();
    for message in chat
        .messages
        .iter()
        .filter(|message| chat.skipped(message).is_none())
    {
        let sender = message.user.and_then(uid);
        let receiver = match chat.conversations[&message.conversation] {
            false => message.conversation.clone(),
            true => {
                let mut others = chat.pair(&message.conversation);
                others.remove(&message.user.unwrap());
                uid(*others.first().unwrap()).unwrap()
            }
        };
        let sender = sender.unwrap_or_else(|| "deleted-account".into());
        for (place, muid) in muids(chat, message).into_iter().enumerate() {
            let text = message
                .body
                .clone()
                .filter(|body| place == 0 && !body.is_empty());
            expected.insert(muid, (sender.clone(), receiver.clone(), text));
        }
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let sent: BTreeMap<String, (String, String, Option<String>)> = stored
        .messages
        .iter()
        .map(|message| {
            let [muid, sender, receiver] =
                ["muid", "sender", "receiver"].map(|key| text(&message[key]).unwrap());
            (muid, (sender, receiver, text(&message["data"]["text"])))
        })
        .collect();
    assert_eq!(
        sent.len(),
        stored.messages.len(),
        "a message is there twice"
    );
    assert_eq!(sent, expected);
}

#[test]
fn their_readmes_tell_the_same_numbers() {
    for name in PIPELINES {
        numbers_are_told(&repository().join("pipelines").join(name).join("README.md"));
    }
}

fn numbers_are_told(readme: &Path) {
    let readme = std::fs::read_to_string(readme).unwrap().replace(',', "");
    for (flow, account) in read().account() {
        let (read, imported) = (account["read"], account["imported"]);
        let row = format!("| {flow} | {read} | {imported} |");
        assert!(readme.contains(&row), "it lacks {row}");
        for (outcome, count) in &account {
            let Some(reason) = outcome.strip_prefix("skipped: ") else {
                continue;
            };
            assert!(
                readme.contains(&format!("{count} {reason}")),
                "it lacks {count} {reason}"
            );
        }
    }
}

#[test]
fn records_are_as_they_are_written_down_here() {
    for name in PIPELINES {
        let shown = Folder::new().run(&["preview", &pipeline(name), "-n", "6"]);
        insta::assert_snapshot!(name, shown.expect(0).out);
    }
}
