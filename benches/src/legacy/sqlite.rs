//! The chat in SQLite: times in milliseconds, the earliest in seconds; booleans as words.

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use super::conversation::{Conversation, Participant, Role, Setting};
use super::fill::Dialect;
use super::message::{File, Message, Reaction, Sort};
use super::person::Person;
use super::population::Population;
use super::rows::{Cell, Format};

#[derive(Debug)]
pub(super) struct Sqlite(SqliteConnection);

impl Sqlite {
    /// Opens the file, which is made if there is none. All rows are one transaction.
    pub(super) async fn open(file: &str) -> sqlx::Result<Self> {
        // Nobody needs half of it after a crash.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off);
        let mut connection = options.connect().await?;
        sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Leaves a file that is complete.
    pub(super) async fn close(mut self) -> sqlx::Result<()> {
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
        self.0.close().await
    }
}

fn word(flag: bool) -> Cell<'static> {
    if flag { "true" } else { "false" }.into()
}

/// What the application calls a kind of conversation.
pub(super) const fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Direct => "dm",
        Setting::GroupDirect => "multi",
        Setting::Public => "open",
        Setting::Private => "closed",
    }
}

/// What it calls somebody who may do more than others, or less.
pub(super) const fn role(role: Role) -> Option<&'static str> {
    match role {
        Role::Owner => Some("owner"),
        Role::Moderator => Some("mod"),
        Role::Banned => Some("banned"),
        Role::Member => None,
    }
}

/// What it calls a sort of message.
pub(super) const fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::Text => "text",
        Sort::File => "file",
        Sort::System => "system",
        Sort::Call => "call",
    }
}

impl Dialect for Sqlite {
    const SCHEMA: &'static str = include_str!("sqlite.sql");
    const FORMAT: Format = Format::Insert;
    const TABLES: [&'static str; 6] = [
        "users (id, nick, name, email, avatar, bot, settings, created_at, last_seen, deleted_at)",
        "conversations (id, kind, title, topic, owner_id, created_at, archived)",
        "participants (conversation_id, user_id, role, joined_at, left_at, muted)",
        "messages (id, conversation_id, user_id, kind, body, payload, parent_id, created_at, \
         edited_at, deleted)",
        "attachments (id, message_id, url, name, mime, size)",
        "reactions (message_id, user_id, emoji, at)",
    ];

    async fn tables(&mut self) -> sqlx::Result<i64> {
        let tables = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema");
        tables.fetch_one(&mut self.0).await
    }

    async fn run(&mut self, statements: String) -> sqlx::Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements));
        statements.execute(&mut self.0).await?;
        Ok(())
    }

    async fn add(&mut self, _into: &'static str, rows: String) -> sqlx::Result<()> {
        self.run(rows).await
    }

    fn person(person: &Person) -> Vec<Cell<'_>> {
        vec![
            person.id.into(),
            (&person.nickname).into(),
            person.name.as_ref().into(),
            person.email.as_ref().into(),
            person.avatar.as_ref().into(),
            word(person.is_bot),
            (&person.settings).into(),
            person.created_at.into(),
            person.last_seen_at.into(),
            person.deleted_at.into(),
        ]
    }

    fn conversation<'a>(_: &Population, conversation: &'a Conversation) -> Vec<Cell<'a>> {
        vec![
            (conversation.number + 1).into(),
            setting(conversation.setting).into(),
            conversation.title.as_ref().into(),
            conversation.topic.as_ref().into(),
            conversation.owner.map(|owner| owner + 1).into(),
            conversation.created_at.into(),
            word(conversation.archived_at.is_some()),
        ]
    }

    fn participant<'a>(_: &Population, participant: &'a Participant) -> Option<Vec<Cell<'a>>> {
        Some(vec![
            (participant.conversation + 1).into(),
            (participant.user + 1).into(),
            role(participant.role).into(),
            participant.joined_at.into(),
            participant.left_at.into(),
            word(participant.is_muted),
        ])
    }

    fn message<'a>(chat: &Population, message: &'a Message) -> Vec<Cell<'a>> {
        let unit = if chat.is_early(message.number) {
            1_000
        } else {
            1
        };
        vec![
            message.id.into(),
            (message.conversation + 1).into(),
            (message.author + 1).into(),
            sort(message.sort).into(),
            message.body.as_ref().into(),
            message.payload.as_ref().into(),
            message.parent.into(),
            (message.created_at / unit).into(),
            message.edited_at.map(|at| at / unit).into(),
            word(message.deleted_at.is_some()),
        ]
    }

    fn file<'a>(message: &Message, file: &'a File, _place: u64, number: u64) -> Vec<Cell<'a>> {
        let size = match file.bytes % 10 {
            0 => format!("{} KB", file.bytes / 1_000).into(),
            _ => file.bytes.into(),
        };
        vec![
            number.into(),
            message.id.into(),
            (&file.url).into(),
            (&file.name).into(),
            file.mime.into(),
            size,
        ]
    }

    fn reaction<'a>(
        _: &Population,
        message: &Message,
        reaction: &'a Reaction,
    ) -> Option<Vec<Cell<'a>>> {
        Some(vec![
            message.id.into(),
            (reaction.user + 1).into(),
            reaction.emoji.into(),
            reaction.at.into(),
        ])
    }
}
