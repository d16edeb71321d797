//! Shaped rows into records: validated against every rule, encoded, with their lanes and
//! references.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use chatferry_core::{Entity, Origin, Prepared, Record, RecordId, Reference, RejectedRow, json};
use twox_hash::XxHash3_64;

use crate::checks::{Checked, Checks, Receipts, Text};
use crate::data;
use crate::encode::{Encoder, quoted_name, whole};
use crate::media::{self, Edited, Editor, Place};
use crate::policy::Policy;
use crate::rules::{self, Broken};

/// Bytes that a record has, about.
const ROW_BYTES: usize = 400;

/// Validates and encodes each row.
pub(crate) fn prepare(entity: Entity, rows: &RecordBatch, policy: &Policy<'_>) -> Vec<Prepared> {
    let table = Table::new(entity, rows, policy);
    let mut json = Vec::with_capacity(rows.num_rows() * ROW_BYTES);
    let mut drafts = Vec::with_capacity(rows.num_rows());
    for row in 0..rows.num_rows() {
        let start = json.len();
        let draft = table.draft(row, &mut json);
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
struct Table<'a> {
    entity: Entity,
    policy: &'a Policy<'a>,
    id: Text,
    checks: Checks,
    columns: Vec<Column>,
}

/// A column, as it is written.
struct Column {
    name: String,
    /// The name as it stands before the value.
    quoted: Vec<u8>,
    encoder: Encoder,
    part: Part,
    /// What stands in it, if its files may be anywhere else than they say.
    files: Option<&'static Place>,
}

/// What a column is to the rules on what is written.
#[derive(Clone, Copy)]
enum Part {
    /// The metadata of a user or group.
    Metadata,
    /// What a message says.
    Data {
        /// Whether it, or a field of it, is text that holds JSON, into which nobody has seen yet.
        is_json: bool,
    },
    DeliveredAt,
    ReadAt,
    Other,
}

impl Part {
    fn of(entity: Entity, field: &Field) -> Self {
        match (entity, field.name().as_str()) {
            (Entity::Users | Entity::Groups, "metadata") => Self::Metadata,
            (Entity::Messages, "data") => Self::Data {
                is_json: match field.data_type() {
                    DataType::Struct(fields) => fields.iter().any(|field| json::is_marked(field)),
                    _ => true,
                },
            },
            (Entity::Messages, "deliveredAt") => Self::DeliveredAt,
            (Entity::Messages, "readAt") => Self::ReadAt,
            _ => Self::Other,
        }
    }
}

impl<'a> Table<'a> {
    fn new(entity: Entity, rows: &RecordBatch, policy: &'a Policy<'a>) -> Self {
        let schema = rows.schema();
        let column = |(field, array): (&std::sync::Arc<Field>, _)| Column {
            name: field.name().clone(),
            quoted: quoted_name(field.name()),
            encoder: Encoder::new(field, array),
            part: Part::of(entity, field),
            files: policy
                .files
                .and_then(|_| media::place(entity, field.name())),
        };
        Self {
            entity,
            policy,
            id: Text::new(rows, entity.id_field()),
            checks: Checks::new(entity, rows),
            columns: schema
                .fields()
                .iter()
                .zip(rows.columns())
                .map(column)
                .collect(),
        }
    }

    /// Validates a row and writes its JSON.
    fn draft(&self, row: usize, json: &mut Vec<u8>) -> Draft {
        let id = match self.id.required(row) {
            Ok(id) => id,
            Err(broken) => return Draft::Rejected(None, broken),
        };
        let reject = |broken| Draft::Rejected(Some(id.to_owned()), broken);
        let Checked {
            lane,
            sent_at,
            references,
            receipts,
        } = match self.checks.check(row, self.policy) {
            Ok(checked) => checked,
            Err(broken) => return reject(broken),
        };
        if let (Some(sent_at), Some(oldest)) =
            (sent_at, self.policy.retention.oldest(self.policy.now))
            && sent_at < oldest
        {
            return Draft::Skipped(RecordId::new(id));
        }
        let mut adjusted = match self.encode(row, receipts.as_ref(), json) {
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

    /// Writes the JSON of a row, and checks the limits on its size. Gives the rules by which a file
    /// was left where it was, or left out.
    fn encode(
        &self,
        row: usize,
        receipts: Option<&Receipts>,
        json: &mut Vec<u8>,
    ) -> Result<Vec<&'static str>, Broken> {
        let mut editor = self.policy.files.map(Editor::new);
        let start = json.len();
        json.push(b'{');
        for column in &self.columns {
            if column.encoder.is_null(row) {
                continue;
            }
            let before = json.len();
            if before > start + 1 {
                json.push(b',');
            }
            json.extend_from_slice(&column.quoted);
            let value = json.len();
            let adjusted = match column.part {
                Part::DeliveredAt => receipts.and_then(|receipts| receipts.delivered),
                Part::ReadAt => receipts.and_then(|receipts| receipts.read),
                _ => None,
            };
            match adjusted {
                Some(time) => whole(time, json),
                None => column.encoder.write(row, json),
            }
            if let (Some(editor), Some(place)) = (&mut editor, column.files) {
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
                    media::check_picture(&column.name, &json[value..])?;
                }
            }
            self.check_value(column.part, row, &json[value..])?;
        }
        json.push(b'}');
        let written = &json[start..];
        if self.entity == Entity::Messages && written.len() > rules::MESSAGE_CHARACTERS {
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
    fn check_value(&self, part: Part, row: usize, value: &[u8]) -> Result<(), Broken> {
        let too_long = |rule, name| {
            let detail = format!("`{name}` has {} bytes", value.len());
            Err(Broken::new(rule, detail))
        };
        match part {
            Part::Metadata => {
                data::object("metadata", "metadata", value)?;
                if value.len() > rules::METADATA_BYTES {
                    return too_long("metadata", "metadata");
                }
            }
            Part::Data { is_json } => {
                if value.len() > rules::DATA_BYTES {
                    return too_long("data-length", "data");
                }
                if is_json || self.checks.has_parts(row) {
                    data::check(value)?;
                }
            }
            Part::DeliveredAt | Part::ReadAt | Part::Other => {}
        }
        Ok(())
    }
}
