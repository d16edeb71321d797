//! The chat in a data lake: what SQLite has as Parquet files, with times in UTC, booleans, and what
//! belongs to a message inside it; messages in a folder for each month.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use arrow::json::ReaderBuilder;
use chrono::Datelike;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use super::fill::stamp;
use super::message::Message;
use super::population::Population;
use super::sqlite::{role, setting, sort};

/// Rows that are written at once.
const ROWS: usize = 10_000;

/// Writes the files into a folder.
pub(super) fn write(folder: &Path, chat: &Population) -> io::Result<()> {
    let mut users = Table::new(folder.join("users.parquet"), users());
    for person in chat.people() {
        users.push(json!({
            "id": person.id,
            "nick": person.nickname,
            "name": person.name,
            "email": person.email,
            "avatar": person.avatar,
            "bot": person.is_bot,
            "settings": person.settings,
            "created_at": (person.created_at > 0).then(|| stamp(person.created_at)),
            "last_seen": person.last_seen_at.map(stamp),
            "deleted_at": person.deleted_at.map(stamp),
        }))?;
    }
    users.close()?;

    let mut conversations = Table::new(folder.join("conversations.parquet"), conversations());
    for conversation in chat.conversations() {
        conversations.push(json!({
            "id": conversation.number + 1,
            "kind": setting(conversation.setting),
            "title": conversation.title,
            "topic": conversation.topic,
            "owner_id": conversation.owner.map(|owner| owner + 1),
            "created_at": stamp(conversation.created_at),
            "archived_at": conversation.archived_at.map(stamp),
        }))?;
    }
    conversations.close()?;

    let mut participants = Table::new(folder.join("participants.parquet"), participants());
    for participant in chat.participants() {
        participants.push(json!({
            "conversation_id": participant.conversation + 1,
            "user_id": participant.user + 1,
            "role": role(participant.role),
            "joined_at": stamp(participant.joined_at),
            "left_at": participant.left_at.map(stamp),
            "muted": participant.is_muted,
        }))?;
    }
    participants.close()?;

    let mut months: BTreeMap<(i32, u32), Table> = BTreeMap::new();
    for message in chat.messages() {
        let time = i64::try_from(message.created_at).ok();
        let time = time.and_then(chrono::DateTime::from_timestamp_millis);
        let time = time.expect("generated times are of this century, or 1970");
        let (year, month) = (time.year(), time.month());
        let folder = folder.join(format!("messages/year={year}/month={month:02}"));
        let table = months
            .entry((year, month))
            .or_insert_with(|| Table::new(folder.join("part-0.parquet"), messages()));
        table.push(row(&message))?;
    }
    months.into_values().try_for_each(Table::close)
}

fn row(message: &Message) -> Value {
    let files = message.files.iter().map(
        |file| json!({"url": file.url, "name": file.name, "mime": file.mime, "size": file.bytes}),
    );
    let reactions = message.reactions.iter().map(|reaction| {
        json!({"user_id": reaction.user + 1, "emoji": reaction.emoji, "at": stamp(reaction.at)})
    });
    json!({
        "id": message.id,
        "conversation_id": message.conversation + 1,
        "user_id": message.author + 1,
        "kind": sort(message.sort),
        "body": message.body,
        "payload": message.payload,
        "parent_id": message.parent,
        "created_at": (message.created_at > 0).then(|| stamp(message.created_at)),
        "edited_at": message.edited_at.map(stamp),
        "deleted_at": message.deleted_at.map(stamp),
        "files": files.collect::<Vec<_>>(),
        "reactions": reactions.collect::<Vec<_>>(),
    })
}

fn field(name: &str, of: DataType) -> Field {
    Field::new(name, of, true)
}

fn text(name: &str) -> Field {
    field(name, DataType::Utf8)
}

fn number(name: &str) -> Field {
    field(name, DataType::Int64)
}

fn flag(name: &str) -> Field {
    field(name, DataType::Boolean)
}

fn time(name: &str) -> Field {
    let utc = Some("UTC".into());
    field(name, DataType::Timestamp(TimeUnit::Microsecond, utc))
}

fn list(name: &str, fields: Vec<Field>) -> Field {
    let item = field("item", DataType::Struct(Fields::from(fields)));
    field(name, DataType::List(Arc::new(item)))
}

fn users() -> Vec<Field> {
    vec![
        number("id"),
        text("nick"),
        text("name"),
        text("email"),
        text("avatar"),
        flag("bot"),
        text("settings"),
        time("created_at"),
        time("last_seen"),
        time("deleted_at"),
    ]
}

fn conversations() -> Vec<Field> {
    vec![
        number("id"),
        text("kind"),
        text("title"),
        text("topic"),
        number("owner_id"),
        time("created_at"),
        time("archived_at"),
    ]
}

fn participants() -> Vec<Field> {
    vec![
        number("conversation_id"),
        number("user_id"),
        text("role"),
        time("joined_at"),
        time("left_at"),
        flag("muted"),
    ]
}

fn messages() -> Vec<Field> {
    vec![
        number("id"),
        number("conversation_id"),
        number("user_id"),
        text("kind"),
        text("body"),
        text("payload"),
        number("parent_id"),
        time("created_at"),
        time("edited_at"),
        time("deleted_at"),
        list(
            "files",
            vec![text("url"), text("name"), text("mime"), number("size")],
        ),
        list(
            "reactions",
            vec![number("user_id"), text("emoji"), time("at")],
        ),
    ]
}

/// One file.
struct Table {
    path: PathBuf,
    schema: Arc<Schema>,
    rows: Vec<Value>,
    writer: Option<ArrowWriter<File>>,
}

impl Table {
    fn new(path: PathBuf, fields: Vec<Field>) -> Self {
        Self {
            path,
            schema: Arc::new(Schema::new(fields)),
            rows: Vec::new(),
            writer: None,
        }
    }

    fn push(&mut self, row: Value) -> io::Result<()> {
        self.rows.push(row);
        match self.rows.len() >= ROWS {
            true => self.write(),
            false => Ok(()),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let mut decoder = ReaderBuilder::new(Arc::clone(&self.schema))
            .with_batch_size(ROWS)
            .build_decoder()
            .map_err(io::Error::other)?;
        decoder.serialize(&self.rows).map_err(io::Error::other)?;
        self.rows.clear();
        if self.writer.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let zstd = Compression::ZSTD(ZstdLevel::default());
            let properties = WriterProperties::builder().set_compression(zstd).build();
            let file = File::create_new(&self.path)?;
            let writer = ArrowWriter::try_new(file, Arc::clone(&self.schema), Some(properties))?;
            self.writer = Some(writer);
        }
        if let (Some(writer), Some(batch)) =
            (&mut self.writer, decoder.flush().map_err(io::Error::other)?)
        {
            writer.write(&batch)?;
        }
        Ok(())
    }

    fn close(mut self) -> io::Result<()> {
        self.write()?;
        if let Some(writer) = self.writer {
            writer.close()?;
        }
        Ok(())
    }
}
