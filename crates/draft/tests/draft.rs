//! What is proposed for described tables.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use chatferry_draft::{Chosen, Column, Kind, Place, Role, Seen, candidates, propose, written};
use proptest::prelude::*;

fn column(name: &str, kind: Kind, values: &[&str]) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        values: values
            .iter()
            .map(|value| Some((*value).to_owned()))
            .collect(),
    }
}

fn table(name: &str, columns: Vec<Column>) -> Seen {
    let rows = columns
        .first()
        .map_or(0, |column| column.values.len() as u64);
    Seen {
        name: format!("legacy.{name}"),
        columns,
        rows: Some(rows),
        whole: true,
        key: Vec::new(),
    }
}

/// Tables of which only names and types are known: `name: column, column`, where a column that ends
/// in `#` has whole numbers and one in `?` says yes or no.
fn described(tables: &[&str]) -> Vec<Seen> {
    let column = |written: &str| {
        let written = written.trim();
        let (name, kind) = match written.strip_suffix('#') {
            Some(name) => (name, Kind::Whole),
            None => match written.strip_suffix('?') {
                Some(name) => (name, Kind::Flag),
                None => (written, Kind::Text),
            },
        };
        column(name, kind, &[])
    };
    let table = |written: &&str| {
        let (name, columns) = written.split_once(':').unwrap();
        table(name, columns.split(',').map(column).collect())
    };
    tables.iter().map(table).collect()
}

fn best(role: Role, tables: &[Seen]) -> Option<String> {
    let found = candidates(role, tables);
    found
        .first()
        .map(|one| one.table.trim_start_matches("legacy.").to_owned())
}

/// Each row: the tables, and which of them are users, conversations, members and messages.
#[test]
fn tables_are_told_by_their_names_and_columns() {
    let cases: &[(&[&str], [Option<&str>; 4])] = &[
        (
            &[
                "users: id#, username, email",
                "user_settings: user_id#, name, value",
                "rooms: id#, title",
                "messages: id#, room_id#, user_id#, body, created_at#",
                "message_reactions: message_id#, user_id#, emoji",
            ],
            [Some("users"), Some("rooms"), None, Some("messages")],
        ),
        (
            &[
                "wp_users: ID#, user_login, display_name",
                "chat_room: id#, name",
                "chat_message: id#, room_id#, sender_id#, message, sent#",
                "chat_room_participant: room_id#, user_id#",
            ],
            [
                Some("wp_users"),
                Some("chat_room"),
                Some("chat_room_participant"),
                Some("chat_message"),
            ],
        ),
        (
            &[
                "tblUser: UserId#, Nickname",
                "tblChat: ChatId#, Title",
                "tblChatUser: ChatId#, UserId#",
                "tblChatMessage: MessageId#, ChatId#, UserId#, Text, Timestamp#",
            ],
            [
                Some("tblUser"),
                Some("tblChat"),
                Some("tblChatUser"),
                Some("tblChatMessage"),
            ],
        ),
        (
            &[
                "users: id, username, deleteat#",
                "channels: id, displayname, createat#",
                "channelmembers: channelid, userid, roles",
                "posts: id, channelid, userid, rootid, message, createat#",
                "reactions: userid, postid, emojiname",
            ],
            [
                Some("users"),
                Some("channels"),
                Some("channelmembers"),
                Some("posts"),
            ],
        ),
        (
            &["log: channel, nick, message, time#", "bans: nick, reason"],
            [None, None, None, Some("log")],
        ),
        (
            &["products: id#, name, price#", "orders: id#, product_id#"],
            [None, None, None, None],
        ),
    ];
    for (tables, wanted) in cases {
        let seen = described(tables);
        for (role, wanted) in Role::ALL.into_iter().zip(wanted) {
            assert_eq!(
                best(role, &seen).as_deref(),
                *wanted,
                "{role} of {tables:?}"
            );
        }
    }
}

#[test]
fn people_are_referred_to_by_what_messages_hold() {
    let tables = [
        table(
            "users",
            vec![
                column("id", Kind::Whole, &["1", "2"]),
                column("login", Kind::Text, &["ada", "bob"]),
            ],
        ),
        table(
            "messages",
            vec![
                column("id", Kind::Whole, &["1", "2", "3"]),
                column("user", Kind::Text, &["ada", "bob", "ada"]),
                column("text", Kind::Text, &["a", "b", "c"]),
                column(
                    "ts",
                    Kind::Whole,
                    &["1700000000", "1700000001", "1700000002"],
                ),
            ],
        ),
    ];
    let chat = propose(&tables, &Chosen::default()).unwrap();
    let uid = chat
        .reasons
        .iter()
        .find(|reason| reason.about == "uid")
        .unwrap();
    assert_eq!(uid.choice, "login");
}

#[test]
fn what_cannot_be_decided_is_asked_and_the_file_is_whole_nevertheless() {
    let tables = described(&["notes: id#, body"]);
    let mut chosen = Chosen::default();
    chosen.choose(Role::Messages, Some("legacy.notes".into()));
    let chat = propose(&tables, &chosen).unwrap();
    let open = chat.open.join("\n");
    assert!(
        open.contains("says who wrote") && open.contains("says when"),
        "{open}"
    );
    let text = text_of(&tables, &chosen).unwrap();
    assert!(
        text.contains("# To look at") && text.contains("'deleted-account'"),
        "{text}"
    );
}

fn text_of(tables: &[Seen], chosen: &Chosen) -> Option<String> {
    let place = Place {
        name: "chat".into(),
        sections: "[sources.legacy]\nconnector = \"sqlite\"\npath = \"chat.db\"\n".into(),
    };
    propose(tables, chosen).map(|chat| written(&chat, &place))
}

/// Names as people and machines give them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "id", "user", "user_id", "users", "messages", "rooms", "members", "body", "text", "room_id",
            "createdAt", "sent_at", "type", "name", "to", "from", "deleted", "parent_id", "avatar", "url",
            "message_id", "attachments", "role", "is_group", "joined_at", "absender", "inhalt",
        ])
        .prop_map(str::to_owned),
        1 => "[ -~äß]{1,12}",
    ]
}

fn values() -> impl Strategy<Value = Vec<Option<String>>> {
    let value = prop_oneof![
        Just("1700000000".to_owned()),
        Just("1700000000000".to_owned()),
        Just("2024-05-01 10:00:00".to_owned()),
        Just("31.12.2023 10:00".to_owned()),
        Just("/img/a.png".to_owned()),
        Just("direct".to_owned()),
        Just("system".to_owned()),
        Just("0".to_owned()),
        "[ -~]{0,10}",
    ];
    prop::collection::vec(prop::option::of(value), 0..4)
}

fn any_table() -> impl Strategy<Value = Seen> {
    let kind = prop::sample::select(vec![
        Kind::Text,
        Kind::Whole,
        Kind::Number,
        Kind::Flag,
        Kind::Time,
        Kind::Nested,
        Kind::Other,
    ]);
    let column =
        (name(), kind, values()).prop_map(|(name, kind, values)| Column { name, kind, values });
    let columns = prop::collection::vec(column, 1..8);
    (name(), columns, any::<bool>()).prop_map(|(name, columns, whole)| Seen {
        name: format!("legacy.{name}"),
        rows: whole.then_some(3),
        whole,
        key: columns
            .first()
            .map(|column| column.name.clone())
            .into_iter()
            .collect(),
        columns,
    })
}

proptest! {
    /// Whatever the tables are, a draft is TOML, and has users and messages.
    #[test]
    fn a_draft_is_always_toml(tables in prop::collection::vec(any_table(), 1..6)) {
        if let Some(text) = text_of(&tables, &Chosen::default()) {
            let parsed: toml::Table = text.parse().map_err(|error| {
                TestCaseError::fail(format!("{error}\n{text}"))
            })?;
            let flows = parsed["flow"].as_array().unwrap();
            let entities: Vec<&str> =
                flows.iter().filter_map(|flow| flow["entity"].as_str()).collect();
            prop_assert!(entities.contains(&"users") && entities.contains(&"messages"));
        }
    }
}
