//! Shaped rows into records: validated against every rule, encoded, with their lanes and
//! references.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use bytes::Bytes;
use chatferry_core::{
    Entity, Files, Origin, Prepared, Record, RecordId, Reference, RejectedRow, json,
};
use serde::Deserialize;
use twox_hash::XxHash3_64;

use crate::encode::{Encoder, quoted_name};
use crate::media::{self, Edited, Editor, Place};
use crate::rules::{self, Broken};
use crate::settings::Retention;

/// Bytes that a record has, about.
const ROW_BYTES: usize = 400;

/// What rules depend on besides the row.
pub(crate) struct Policy<'a> {
    pub(crate) retention: Retention,
    /// Who knows where files are by now, if they are anywhere else than where they were.
    pub(crate) files: Option<&'a dyn Files>,
    /// In UNIX seconds.
    pub(crate) now: i64,
}

/// Validates and encodes each row.
pub(crate) fn prepare(entity: Entity, rows: &RecordBatch, policy: &Policy<'_>) -> Vec<Prepared> {
    let columns = Columns::new(entity, rows, policy);
    let mut json = Vec::with_capacity(rows.num_rows() * ROW_BYTES);
    let mut drafts = Vec::with_capacity(rows.num_rows());
    for row in 0..rows.num_rows() {
        let start = json.len();
        let draft = columns.draft(entity, row, &mut json);
        if !matches!(draft, Draft::Ready { .. }) {
            json.truncate(start);
        }
        drafts.push((draft, start..json.len()));
    }
    // It is kept until the last of these records is delivered.
    json.shrink_to_fit();
    let json = Bytes::from(json);
    let finish = |(draft, at): (Draft, Range<usize>)| match draft {
        Draft::Ready {
            id,
            lane,
            sent_at,
            references,
            adjusted,
        } => Prepared::Ready(Record {
            entity,
            id,
            origin: Origin::default(),
            lane,
            sent_at,
            references,
            adjusted,
            json: json.slice(at),
        }),
        Draft::Skipped(id) => Prepared::Skipped {
            id,
            reason: "older-than-retention",
        },
        Draft::Rejected(id, broken) => Prepared::Rejected(RejectedRow {
            rule: broken.rule.into(),
            detail: broken.detail,
            id,
            place: None,
        }),
    };
    drafts.into_iter().map(finish).collect()
}

/// A row on its way to becoming a record.
enum Draft {
    Ready {
        id: RecordId,
        lane: u64,
        sent_at: Option<i64>,
        references: Vec<Reference>,
        adjusted: Vec<&'static str>,
    },
    Skipped(RecordId),
    Rejected(Option<String>, Broken),
}

/// The columns of a batch, looked at once.
struct Columns<'a> {
    policy: &'a Policy<'a>,
    names: Vec<String>,
    arrays: Vec<ArrayRef>,
    encoders: Vec<(Vec<u8>, Encoder)>,
    /// What stands in each column, if its files may be anywhere else than they say.
    places: Vec<Option<&'static Place>>,
    text: Option<StringArray>,
    attachments: Option<ArrayRef>,
    custom_data: Option<ArrayRef>,
    /// Whether `data`, or a field of it, is text that holds JSON.
    data_is_json: bool,
}

impl<'a> Columns<'a> {
    fn new(entity: Entity, rows: &RecordBatch, policy: &'a Policy<'a>) -> Self {
        let schema = rows.schema();
        let place = |field: &str| policy.files.and_then(|_| media::place(entity, field));
        let encoders = schema.fields().iter().zip(rows.columns());
        let data = rows
            .column_by_name("data")
            .and_then(|data| data.as_struct_opt().cloned());
        let in_data = |name: &str| {
            data.as_ref()
                .and_then(|data| data.column_by_name(name))
                .cloned()
        };
        Self {
            policy,
            names: schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
            arrays: rows.columns().to_vec(),
            encoders: encoders
                .map(|(field, array)| (quoted_name(field.name()), Encoder::new(field, array)))
                .collect(),
            places: schema
                .fields()
                .iter()
                .map(|field| place(field.name()))
                .collect(),
            text: in_data("text").and_then(|text| text.as_string_opt::<i32>().cloned()),
            attachments: in_data("attachments"),
            custom_data: in_data("customData"),
            data_is_json: match schema.field_with_name("data").map(Field::data_type) {
                Ok(DataType::Struct(fields)) => fields.iter().any(|field| json::is_marked(field)),
                Ok(_) => true,
                Err(_) => false,
            },
        }
    }

    fn array(&self, name: &str) -> Option<&ArrayRef> {
        let place = self.names.iter().position(|known| known == name)?;
        Some(&self.arrays[place])
    }

    fn text(&self, name: &str, row: usize) -> Option<&str> {
        let column = self.array(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn seconds(&self, name: &str, row: usize) -> Option<i64> {
        let column: &Int64Array = self.array(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn has(&self, name: &str, row: usize) -> bool {
        self.array(name).is_some_and(|column| column.is_valid(row))
    }

    fn required(&self, name: &str, row: usize) -> Result<&str, Broken> {
        match self.text(name, row) {
            Some(value) if !value.trim().is_empty() => Ok(value),
            Some(_) => Err(Broken::new("missing-field", format!("`{name}` is empty"))),
            None => Err(Broken::new("missing-field", format!("`{name}` is missing"))),
        }
    }

    /// Validates a row and writes its JSON.
    fn draft(&self, entity: Entity, row: usize, json: &mut Vec<u8>) -> Draft {
        let id = match self.required(entity.id_field(), row) {
            Ok(id) => id,
            Err(broken) => return Draft::Rejected(None, broken),
        };
        let reject = |broken| Draft::Rejected(Some(id.to_owned()), broken);
        let checked = match entity {
            Entity::Users => self.user(row),
            Entity::Groups => self.group(row),
            Entity::Members => self.member(row),
            Entity::Messages => self.message(row),
        };
        let Checked {
            lane,
            sent_at,
            references,
            receipts,
        } = match checked {
            Ok(checked) => checked,
            Err(broken) => return reject(broken),
        };
        if let (Some(sent_at), Some(oldest)) =
            (sent_at, self.policy.retention.oldest(self.policy.now))
            && sent_at < oldest
        {
            return Draft::Skipped(RecordId::new(id));
        }
        let mut adjusted = match self.encode(entity, row, receipts.as_ref(), json) {
            Ok(adjusted) => adjusted,
            Err(broken) => return reject(broken),
        };
        if receipts.is_some_and(|receipts| receipts.adjusted) {
            adjusted.push("receipt-times");
        }
        Draft::Ready {
            id: RecordId::new(id),
            lane: lane.unwrap_or_else(|| XxHash3_64::oneshot(id.as_bytes())),
            sent_at,
            references,
            adjusted,
        }
    }

    fn user(&self, row: usize) -> Result<Checked, Broken> {
        rules::id("uid", self.required("uid", row)?)?;
        rules::name(self.required("name", row)?)?;
        self.picture("avatar", row)?;
        if let Some(url) = self.text("link", row) {
            rules::url("link", url)?;
        }
        if let Some(role) = self.text("role", row) {
            rules::id("role", role)?;
        }
        for field in ["createdAt", "lastActiveAt", "deactivatedAt"] {
            if let Some(time) = self.seconds(field, row) {
                rules::seconds(field, time)?;
            }
        }
        self.tags(row)?;
        Ok(Checked::default())
    }

    fn group(&self, row: usize) -> Result<Checked, Broken> {
        rules::id("guid", self.required("guid", row)?)?;
        rules::name(self.required("name", row)?)?;
        let kind = self.required("type", row)?;
        rules::one_of("type", kind, &["public", "password", "private"])?;
        if kind == "password" {
            rules::group_password(self.text("password", row))?;
        }
        self.picture("icon", row)?;
        if let Some(time) = self.seconds("createdAt", row) {
            rules::seconds("createdAt", time)?;
        }
        self.tags(row)?;
        let mut references = Vec::new();
        if let Some(owner) = self.text("owner", row) {
            rules::id("owner", owner)?;
            if !self.has("groupOwnerDetails", row) {
                references.push(reference("owner", Entity::Users, owner));
            }
        }
        Ok(Checked {
            references,
            ..Checked::default()
        })
    }

    /// Checks the URL of a picture, unless it may be replaced yet.
    fn picture(&self, field: &str, row: usize) -> Result<(), Broken> {
        match self.text(field, row) {
            Some(url) if self.policy.files.is_none() => rules::url(field, url),
            _ => Ok(()),
        }
    }

    fn member(&self, row: usize) -> Result<Checked, Broken> {
        let (guid, uid) = (self.required("guid", row)?, self.required("uid", row)?);
        rules::id("guid", guid)?;
        rules::id("uid", uid)?;
        let member_id = self.required("memberId", row)?;
        let matches = member_id
            .strip_prefix(guid)
            .and_then(|rest| rest.strip_prefix("_member_"))
            .is_some_and(|rest| rest == uid);
        if !matches {
            return Err(Broken::new(
                "member-id",
                "`memberId` is not made of `guid` and `uid`",
            ));
        }
        if let Some(scope) = self.text("scope", row) {
            rules::one_of("scope", scope, &["admin", "moderator", "participant"])?;
        }
        if let Some(time) = self.seconds("joinedAt", row) {
            rules::seconds("joinedAt", time)?;
            // "Less than the current time" (Data migration: errors): now is not.
            rules::past("joinedAt", time, self.policy.now - 1)?;
        }
        let mut references = Vec::new();
        if !self.has("groupDetails", row) {
            references.push(reference("guid", Entity::Groups, guid));
        }
        if !self.has("userDetails", row) {
            references.push(reference("uid", Entity::Users, uid));
        }
        Ok(Checked {
            references,
            ..Checked::default()
        })
    }

    fn message(&self, row: usize) -> Result<Checked, Broken> {
        let sender = self.required("sender", row)?;
        rules::id("sender", sender)?;
        let receiver_type = self.required("receiverType", row)?;
        rules::one_of("receiverType", receiver_type, &["user", "group"])?;
        let receiver = self.required("receiver", row)?;
        rules::id("receiver", receiver)?;
        let Some(sent_at) = self.seconds("sentAt", row) else {
            return Err(Broken::new("missing-field", "`sentAt` is missing"));
        };
        rules::seconds("sentAt", sent_at)?;
        rules::past("sentAt", sent_at, self.policy.now)?;
        self.content(row)?;
        self.tags(row)?;

        let to_group = receiver_type == "group";
        let mut references = Vec::with_capacity(2);
        if !self.has("senderUserDetails", row) {
            references.push(reference("sender", Entity::Users, sender));
        }
        let details = if to_group {
            "receiverGroupDetails"
        } else {
            "receiverUserDetails"
        };
        if !self.has(details, row) {
            let entity = if to_group {
                Entity::Groups
            } else {
                Entity::Users
            };
            references.push(reference("receiver", entity, receiver));
        }
        Ok(Checked {
            lane: Some(conversation(to_group, sender, receiver)),
            sent_at: Some(sent_at),
            references,
            receipts: self.receipts(row, sent_at)?,
        })
    }

    /// Whether what a message says fits its category and type.
    fn content(&self, row: usize) -> Result<(), Broken> {
        let category = self.text("category", row).unwrap_or("message");
        rules::one_of("category", category, &["message", "custom"])?;
        let text = self
            .text
            .as_ref()
            .filter(|text| text.is_valid(row))
            .map(|text| text.value(row));
        if let Some(text) = text {
            rules::mentions(text)?;
        }
        if category == "custom" {
            if !self
                .custom_data
                .as_ref()
                .is_some_and(|custom| custom.is_valid(row))
            {
                return Err(Broken::new("custom-data", "`data.customData` is missing"));
            }
            return Ok(());
        }
        let kind = self.text("type", row).unwrap_or("text");
        rules::one_of("type", kind, &["text", "image", "audio", "video", "file"])?;
        if kind == "text" {
            return rules::text(text.unwrap_or_default());
        }
        let attachments = self
            .attachments
            .as_ref()
            .filter(|column| column.is_valid(row));
        let Some(attachments) = attachments else {
            return Err(Broken::new(
                "attachments",
                format!("the message is of type {kind} and has none"),
            ));
        };
        match attachments.as_list_opt::<i32>() {
            Some(list) if list.value_length(row) == 0 => Err(Broken::new(
                "attachments",
                format!("the message is of type {kind} and has none"),
            )),
            _ => Ok(()),
        }
    }

    /// The receipt times of a message in the order that they must have had: sent, delivered,
    /// read, now. What the API does with others is not documented.
    fn receipts(&self, row: usize, sent_at: i64) -> Result<Option<Receipts>, Broken> {
        let written = (
            self.seconds("deliveredAt", row),
            self.seconds("readAt", row),
        );
        if written == (None, None) {
            return Ok(None);
        }
        for (field, time) in [("deliveredAt", written.0), ("readAt", written.1)] {
            if let Some(time) = time {
                rules::seconds(field, time)?;
            }
        }
        let in_order = |time: i64, least: i64| time.min(self.policy.now).max(least);
        let delivered = written.0.map(|time| in_order(time, sent_at));
        let read = written
            .1
            .map(|time| in_order(time, delivered.unwrap_or(sent_at)));
        Ok(Some(Receipts {
            delivered,
            read,
            adjusted: (delivered, read) != written,
        }))
    }

    fn tags(&self, row: usize) -> Result<(), Broken> {
        let Some(tags) = self
            .array("tags")
            .and_then(|tags| tags.as_list_opt::<i32>())
        else {
            return Ok(());
        };
        if tags.is_null(row) {
            return Ok(());
        }
        let tags = tags.value(row);
        match tags.as_string_opt::<i32>() {
            Some(tags) => rules::tags(tags.iter()),
            None => Ok(()),
        }
    }

    /// Writes the JSON of a row, and checks the limits on its size. Gives the rules by which a file
    /// was left where it was, or left out.
    fn encode(
        &self,
        entity: Entity,
        row: usize,
        receipts: Option<&Receipts>,
        json: &mut Vec<u8>,
    ) -> Result<Vec<&'static str>, Broken> {
        let mut editor = self.policy.files.map(Editor::new);
        let start = json.len();
        json.push(b'{');
        let columns = self.names.iter().zip(&self.encoders).zip(&self.places);
        for ((name, (quoted, encoder)), place) in columns {
            if encoder.is_null(row) {
                continue;
            }
            let before = json.len();
            if json.len() > start + 1 {
                json.push(b',');
            }
            json.extend_from_slice(quoted);
            let value = json.len();
            match (name.as_str(), receipts) {
                (
                    "deliveredAt",
                    Some(Receipts {
                        delivered: Some(time),
                        ..
                    }),
                )
                | (
                    "readAt",
                    Some(Receipts {
                        read: Some(time), ..
                    }),
                ) => {
                    json.extend_from_slice(time.to_string().as_bytes());
                }
                _ => encoder.write(row, json),
            }
            if let (Some(editor), Some(place)) = (&mut editor, place) {
                let written =
                    std::str::from_utf8(&json[value..]).expect("what was written is text");
                match editor.edit(written, place)? {
                    Edited::Same => {}
                    Edited::New(edited) => {
                        json.truncate(value);
                        json.extend_from_slice(edited.as_bytes());
                    }
                    Edited::Gone => {
                        json.truncate(before);
                        continue;
                    }
                }
                if let Place::Picture = place {
                    media::check_picture(name, &json[value..])?;
                }
            }
            self.check_value(entity, name, row, &json[value..])?;
        }
        json.push(b'}');
        let written = &json[start..];
        if entity == Entity::Messages && written.len() > rules::MESSAGE_CHARACTERS {
            let text = std::str::from_utf8(written).expect("what was written is text");
            let characters = text.encode_utf16().count();
            if characters > rules::MESSAGE_CHARACTERS {
                return Err(Broken::new(
                    "message-length",
                    format!("the message has {characters} characters"),
                ));
            }
        }
        Ok(editor.map(Editor::adjusted).unwrap_or_default())
    }

    /// The rules on what is only known once it is written.
    fn check_value(
        &self,
        entity: Entity,
        name: &str,
        row: usize,
        value: &[u8],
    ) -> Result<(), Broken> {
        match (entity, name) {
            (Entity::Users | Entity::Groups, "metadata") => {
                object("metadata", "metadata", value)?;
                if value.len() > rules::METADATA_BYTES {
                    return Err(Broken::new(
                        "metadata",
                        format!("`metadata` has {} bytes", value.len()),
                    ));
                }
            }
            (Entity::Messages, "data") => {
                if value.len() > rules::DATA_BYTES {
                    return Err(Broken::new(
                        "data-length",
                        format!("`data` has {} bytes", value.len()),
                    ));
                }
                if self.has_parts_of_their_own(row) {
                    data(value)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the row's `data` has parts with rules of their own, or JSON text whose insides
    /// were not seen yet.
    fn has_parts_of_their_own(&self, row: usize) -> bool {
        self.data_is_json
            || [&self.attachments, &self.custom_data]
                .into_iter()
                .flatten()
                .any(|column| column.is_valid(row))
    }
}

/// What the rules on a row have found out.
#[derive(Default)]
struct Checked {
    lane: Option<u64>,
    sent_at: Option<i64>,
    references: Vec<Reference>,
    receipts: Option<Receipts>,
}

/// When a message was delivered and read, in order.
struct Receipts {
    delivered: Option<i64>,
    read: Option<i64>,
    adjusted: bool,
}

fn reference(field: &'static str, entity: Entity, id: &str) -> Reference {
    Reference {
        field,
        entity,
        id: RecordId::new(id),
    }
}

/// The lane of a conversation: the same for both directions of a one-to-one conversation.
fn conversation(to_group: bool, sender: &str, receiver: &str) -> u64 {
    if to_group {
        return XxHash3_64::oneshot(receiver.as_bytes());
    }
    let (first, second) = if sender < receiver {
        (sender, receiver)
    } else {
        (receiver, sender)
    };
    let first = XxHash3_64::oneshot(first.as_bytes());
    XxHash3_64::oneshot_with_seed(first, second.as_bytes())
}

fn object(rule: &'static str, field: &str, value: &[u8]) -> Result<(), Broken> {
    if value.first() == Some(&b'{') {
        return Ok(());
    }
    Err(Broken::new(rule, format!("`{field}` is not a JSON object")))
}

/// The parts of a message's data that have rules of their own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow, default)]
    attachments: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow, default)]
    custom_data: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment<'a> {
    #[serde(borrow, default)]
    url: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    mime_type: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    extension: Option<std::borrow::Cow<'a, str>>,
}

fn data(value: &[u8]) -> Result<(), Broken> {
    let data: Data<'_> = serde_json::from_slice(value)
        .map_err(|_| Broken::new("metadata", "`data` is not a JSON object"))?;
    if let Some(metadata) = data.metadata {
        object("metadata", "data.metadata", metadata.get().as_bytes())?;
    }
    if let Some(custom) = data.custom_data {
        object("custom-data", "data.customData", custom.get().as_bytes())?;
        if custom
            .get()
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count()
            <= 2
        {
            return Err(Broken::new("custom-data", "`data.customData` is empty"));
        }
    }
    let Some(attachments) = data.attachments else {
        return Ok(());
    };
    let attachments: Vec<Attachment<'_>> =
        serde_json::from_str(attachments.get()).map_err(|_| {
            Broken::new(
                "attachments",
                "`data.attachments` is not a list of objects with texts",
            )
        })?;
    if attachments.is_empty() {
        return Err(Broken::new(
            "attachments",
            "`data.attachments` is an empty list",
        ));
    }
    for attachment in attachments {
        let required = [
            ("url", &attachment.url),
            ("name", &attachment.name),
            ("mimeType", &attachment.mime_type),
            ("extension", &attachment.extension),
        ];
        for (field, value) in required {
            if value.as_deref().is_none_or(str::is_empty) {
                return Err(Broken::new(
                    "attachments",
                    format!("an attachment has no `{field}`"),
                ));
            }
        }
        rules::url(
            "data.attachments.url",
            attachment.url.as_deref().unwrap_or_default(),
        )?;
    }
    Ok(())
}
