//! The chat in PostgreSQL: times with a zone, enums, and nothing that refers to an erased account.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::conversation::{Conversation, Participant, Role, Setting};
use super::fill::{Dialect, stamp};
use super::message::{File, Message, Reaction, Sort};
use super::person::Person;
use super::population::Population;
use super::rows::{Cell, Format};

#[derive(Debug)]
pub(super) struct Postgres(PgConnection);

impl Postgres {
    pub(super) async fn open(url: &str) -> sqlx::Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        let settings = "SET TIME ZONE 'UTC'; SET synchronous_commit = off";
        sqlx::raw_sql(settings).execute(&mut connection).await?;
        Ok(Self(connection))
    }
}

fn letter(flag: bool) -> Cell<'static> {
    if flag { "t" } else { "f" }.into()
}

/// The id of a user, if there still is an account.
fn account(chat: &Population, user: u64) -> Option<u64> {
    (!chat.is_erased(user)).then_some(user + 1)
}

impl Dialect for Postgres {
    const SCHEMA: &'static str = include_str!("postgres.sql");
    const FORMAT: Format = Format::Copy;
    const TABLES: [&'static str; 6] = [
        "users (id, username, display_name, email, avatar_url, is_bot, settings, created_at, \
         last_seen_at, deleted_at)",
        "conversations (id, kind, name, topic, owner_id, created_at, archived_at)",
        "participants (conversation_id, user_id, role, joined_at, left_at, muted_until)",
        "messages (id, conversation_id, author_id, kind, body, payload, parent_id, created_at, \
         edited_at, deleted_at)",
        "attachments (id, message_id, position, url, file_name, content_type, bytes)",
        "reactions (message_id, user_id, emoji, created_at)",
    ];

    async fn tables(&mut self) -> sqlx::Result<i64> {
        let tables = sqlx::query_scalar(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()",
        );
        tables.fetch_one(&mut self.0).await
    }

    async fn run(&mut self, statements: String) -> sqlx::Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements));
        statements.execute(&mut self.0).await?;
        Ok(())
    }

    async fn add(&mut self, into: &'static str, rows: String) -> sqlx::Result<()> {
        let copy = format!("COPY {into} FROM STDIN");
        let mut copy = self.0.copy_in_raw(&copy).await?;
        copy.send(rows.as_bytes()).await?;
        copy.finish().await?;
        Ok(())
    }

    fn person(person: &Person) -> Vec<Cell<'_>> {
        vec![
            person.id.into(),
            (&person.nickname).into(),
            person.name.as_ref().into(),
            person.email.as_ref().into(),
            person.avatar.as_ref().into(),
            letter(person.is_bot),
            (&person.settings).into(),
            (person.created_at > 0)
                .then(|| stamp(person.created_at))
                .into(),
            person.last_seen_at.map(stamp).into(),
            person.deleted_at.map(stamp).into(),
        ]
    }

    fn conversation<'a>(chat: &Population, conversation: &'a Conversation) -> Vec<Cell<'a>> {
        let kind = match conversation.setting {
            Setting::Direct => "direct",
            Setting::GroupDirect => "group_direct",
            Setting::Public => "public",
            Setting::Private => "private",
        };
        vec![
            chat.uuid(conversation.number).into(),
            kind.into(),
            conversation.title.as_ref().into(),
            conversation.topic.as_ref().into(),
            conversation
                .owner
                .and_then(|owner| account(chat, owner))
                .into(),
            stamp(conversation.created_at).into(),
            conversation.archived_at.map(stamp).into(),
        ]
    }

    fn participant<'a>(chat: &Population, participant: &'a Participant) -> Option<Vec<Cell<'a>>> {
        let role = match participant.role {
            Role::Owner => "owner",
            Role::Moderator => "moderator",
            Role::Banned => "banned",
            Role::Member => "member",
        };
        Some(vec![
            chat.uuid(participant.conversation).into(),
            account(chat, participant.user)?.into(),
            role.into(),
            stamp(participant.joined_at).into(),
            participant.left_at.map(stamp).into(),
            participant.is_muted.then_some("infinity").into(),
        ])
    }

    fn message<'a>(chat: &Population, message: &'a Message) -> Vec<Cell<'a>> {
        let kind = match message.sort {
            Sort::Text => "text",
            Sort::File => "file",
            Sort::System => "system",
            Sort::Call => "call",
        };
        vec![
            message.id.into(),
            chat.uuid(message.conversation).into(),
            account(chat, message.author).into(),
            kind.into(),
            message.body.as_ref().into(),
            message.payload.as_ref().into(),
            message.parent.into(),
            stamp(message.created_at).into(),
            message.edited_at.map(stamp).into(),
            message.deleted_at.map(stamp).into(),
        ]
    }

    fn file<'a>(message: &Message, file: &'a File, place: u64, _number: u64) -> Vec<Cell<'a>> {
        vec![
            (&file.uuid).into(),
            message.id.into(),
            place.into(),
            (&file.url).into(),
            (&file.name).into(),
            file.mime.into(),
            file.bytes.into(),
        ]
    }

    fn reaction<'a>(
        chat: &Population,
        message: &Message,
        reaction: &'a Reaction,
    ) -> Option<Vec<Cell<'a>>> {
        Some(vec![
            message.id.into(),
            account(chat, reaction.user)?.into(),
            reaction.emoji.into(),
            stamp(reaction.at).into(),
        ])
    }
}
