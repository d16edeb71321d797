//! The chat in MySQL or MariaDB: ids count, flags are numbers, and zero dates stand for none.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use super::conversation::{Conversation, Participant, Role, Setting};
use super::fill::{Dialect, stamp};
use super::message::{File, Message, Reaction, Sort};
use super::person::Person;
use super::population::Population;
use super::rows::{Cell, Format};

const NEVER: &str = "0000-00-00 00:00:00";

#[derive(Debug)]
pub(super) struct MySql(MySqlConnection);

impl MySql {
    pub(super) async fn open(url: &str) -> sqlx::Result<Self> {
        let mut connection = MySqlConnection::connect(url).await?;
        // Strict, and yet with the zero dates that applications of that age have.
        let settings = "SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'";
        sqlx::raw_sql(settings).execute(&mut connection).await?;
        Ok(Self(connection))
    }
}

fn number(flag: bool) -> Cell<'static> {
    u64::from(flag).into()
}

impl Dialect for MySql {
    const SCHEMA: &'static str = include_str!("mysql.sql");
    const FORMAT: Format = Format::InsertWithEscapes;
    const TABLES: [&'static str; 6] = [
        "chat_users (id, login, full_name, email, avatar, is_bot, status, preferences, created_at, \
         last_seen_at, deleted_at)",
        "chat_conversations (id, type, name, topic, created_by, is_archived, created_at)",
        "chat_participants (conversation_id, user_id, role, is_banned, is_muted, joined_at, left_at)",
        "chat_messages (id, conversation_id, user_id, type, body, meta, parent_id, is_edited, \
         is_deleted, created_at, updated_at)",
        "chat_attachments (id, message_id, url, file_name, mime_type, file_size)",
        "chat_reactions (message_id, user_id, emoji, created_at)",
    ];

    async fn tables(&mut self) -> sqlx::Result<i64> {
        let tables = sqlx::query_scalar(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = database()",
        );
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
        let status = match person.deleted_at {
            Some(_) => "deleted",
            None if person.is_bot => "suspended",
            None => "active",
        };
        let created_at = match person.created_at {
            0 => NEVER.into(),
            at => stamp(at).into(),
        };
        vec![
            person.id.into(),
            (&person.nickname).into(),
            person.name.as_deref().unwrap_or_default().into(),
            person.email.as_ref().into(),
            person.avatar.as_deref().unwrap_or_default().into(),
            number(person.is_bot),
            status.into(),
            (&person.settings).into(),
            created_at,
            person
                .last_seen_at
                .map_or(NEVER.into(), |at| stamp(at).into()),
            person.deleted_at.map(stamp).into(),
        ]
    }

    fn conversation<'a>(_: &Population, conversation: &'a Conversation) -> Vec<Cell<'a>> {
        let kind = match conversation.setting {
            Setting::Direct => "direct",
            Setting::GroupDirect => "group_direct",
            Setting::Public => "public",
            Setting::Private => "private",
        };
        vec![
            (conversation.number + 1).into(),
            kind.into(),
            conversation.title.as_deref().unwrap_or_default().into(),
            conversation.topic.as_ref().into(),
            conversation.owner.map(|owner| owner + 1).into(),
            number(conversation.archived_at.is_some()),
            stamp(conversation.created_at).into(),
        ]
    }

    fn participant<'a>(_: &Population, participant: &'a Participant) -> Option<Vec<Cell<'a>>> {
        let role = match participant.role {
            Role::Owner => "owner",
            Role::Moderator => "moderator",
            Role::Banned | Role::Member => "member",
        };
        Some(vec![
            (participant.conversation + 1).into(),
            (participant.user + 1).into(),
            role.into(),
            number(participant.role == Role::Banned),
            number(participant.is_muted),
            stamp(participant.joined_at).into(),
            participant.left_at.map(stamp).into(),
        ])
    }

    fn message<'a>(_: &Population, message: &'a Message) -> Vec<Cell<'a>> {
        let kind = match message.sort {
            Sort::Text => "text",
            Sort::File => "file",
            Sort::System => "system",
            Sort::Call => "call",
        };
        let touched = message.deleted_at.or(message.edited_at);
        vec![
            message.id.into(),
            (message.conversation + 1).into(),
            (message.author + 1).into(),
            kind.into(),
            message.body.as_ref().into(),
            message.payload.as_ref().into(),
            message.parent.into(),
            number(message.edited_at.is_some()),
            number(message.deleted_at.is_some()),
            stamp(message.created_at).into(),
            stamp(touched.unwrap_or(message.created_at)).into(),
        ]
    }

    fn file<'a>(message: &Message, file: &'a File, _place: u64, number: u64) -> Vec<Cell<'a>> {
        vec![
            number.into(),
            message.id.into(),
            (&file.url).into(),
            (&file.name).into(),
            file.mime.into(),
            file.bytes.into(),
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
            stamp(reaction.at).into(),
        ])
    }
}
