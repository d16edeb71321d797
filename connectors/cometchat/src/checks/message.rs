//! The rules on a message.

use arrow::array::{AsArray, RecordBatch};
use chatferry_core::Entity;
use twox_hash::XxHash3_64;

use super::columns::{Anything, Seconds, Tags, Text};
use super::{Checked, reference};
use crate::policy::Policy;
use crate::rules::{self, Broken};

pub(crate) struct Message {
    sender: Text,
    receiver_type: Text,
    receiver: Text,
    category: Text,
    kind: Text,
    sent_at: Seconds,
    delivered_at: Seconds,
    read_at: Seconds,
    tags: Tags,
    sender_details: Anything,
    receiver_user_details: Anything,
    receiver_group_details: Anything,
    text: Text,
    attachments: Anything,
    custom_data: Anything,
}

/// When a message was delivered and read, in order.
pub(crate) struct Receipts {
    pub(crate) delivered: Option<i64>,
    pub(crate) read: Option<i64>,
    /// Whether that is not what was written.
    pub(crate) adjusted: bool,
}

impl Message {
    pub(super) fn new(rows: &RecordBatch) -> Self {
        let text = |name| Text::new(rows, name);
        let seconds = |name| Seconds::new(rows, name);
        let anything = |name| Anything::new(rows, name);
        let data = rows.column_by_name("data");
        let data = data.and_then(|data| data.as_struct_opt());
        let in_data = |name| data.and_then(|data| data.column_by_name(name));
        Self {
            sender: text("sender"),
            receiver_type: text("receiverType"),
            receiver: text("receiver"),
            category: text("category"),
            kind: text("type"),
            sent_at: seconds("sentAt"),
            delivered_at: seconds("deliveredAt"),
            read_at: seconds("readAt"),
            tags: Tags::new(rows),
            sender_details: anything("senderUserDetails"),
            receiver_user_details: anything("receiverUserDetails"),
            receiver_group_details: anything("receiverGroupDetails"),
            text: Text::of("data.text", in_data("text")),
            attachments: Anything::of(in_data("attachments")),
            custom_data: Anything::of(in_data("customData")),
        }
    }

    pub(super) fn check(&self, row: usize, policy: &Policy<'_>) -> Result<Checked, Broken> {
        let sender = self.sender.id(row)?;
        let to_group = self.receiver_type.one_of(row, &["user", "group"])? == "group";
        let receiver = self.receiver.id(row)?;
        let Some(sent_at) = self.sent_at.get(row)? else {
            return Err(Broken::new("missing-field", "`sentAt` is missing"));
        };
        self.sent_at.past(sent_at, policy.now)?;
        self.content(row)?;
        self.tags.check(row)?;

        let mut references = Vec::with_capacity(2);
        if !self.sender_details.stands(row) {
            references.push(reference("sender", Entity::Users, sender));
        }
        let (entity, details) = match to_group {
            true => (Entity::Groups, &self.receiver_group_details),
            false => (Entity::Users, &self.receiver_user_details),
        };
        if !details.stands(row) {
            references.push(reference("receiver", entity, receiver));
        }
        Ok(Checked {
            lane: Some(conversation(to_group, sender, receiver)),
            sent_at: Some(sent_at),
            references,
            receipts: self.receipts(row, sent_at, policy.now)?,
        })
    }

    /// Whether the row's `data` has parts with rules of their own.
    pub(crate) fn has_parts(&self, row: usize) -> bool {
        self.attachments.stands(row) || self.custom_data.stands(row)
    }

    /// Whether what a message says fits its category and type.
    fn content(&self, row: usize) -> Result<(), Broken> {
        let category = self.category.optional_one_of(row, &["message", "custom"])?;
        let text = self.text.get(row);
        if let Some(text) = text {
            rules::mentions(text)?;
        }
        if category == Some("custom") {
            return match self.custom_data.stands(row) {
                true => Ok(()),
                false => Err(Broken::new("custom-data", "`data.customData` is missing")),
            };
        }
        let kinds = ["text", "image", "audio", "video", "file"];
        let kind = self.kind.optional_one_of(row, &kinds)?.unwrap_or("text");
        if kind == "text" {
            return rules::text(text.unwrap_or_default());
        }
        match self.attachments.is_empty(row) {
            false => Ok(()),
            true => Err(Broken::new(
                "attachments",
                format!("the message is of type {kind} and has none"),
            )),
        }
    }

    /// The receipt times of a message in the order that they must have had: sent, delivered,
    /// read, now. What the API does with others is not documented.
    fn receipts(&self, row: usize, sent_at: i64, now: i64) -> Result<Option<Receipts>, Broken> {
        let written = (self.delivered_at.get(row)?, self.read_at.get(row)?);
        if written == (None, None) {
            return Ok(None);
        }
        let in_order = |time: i64, least: i64| time.min(now).max(least);
        let delivered = written.0.map(|time| in_order(time, sent_at));
        let after = delivered.unwrap_or(sent_at);
        let read = written.1.map(|time| in_order(time, after));
        Ok(Some(Receipts {
            delivered,
            read,
            adjusted: (delivered, read) != written,
        }))
    }
}

/// The lane of a conversation: the same for both directions of a one-to-one conversation.
fn conversation(to_group: bool, sender: &str, receiver: &str) -> u64 {
    if to_group {
        return XxHash3_64::oneshot(receiver.as_bytes());
    }
    let (first, second) = match sender < receiver {
        true => (sender, receiver),
        false => (receiver, sender),
    };
    let first = XxHash3_64::oneshot(first.as_bytes());
    XxHash3_64::oneshot_with_seed(first, second.as_bytes())
}
