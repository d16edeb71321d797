//! Whether a message keeps the rules.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::{Group, User, Verdict, group_details, judge, no_object, user_details};
use crate::failure::Failure;
use crate::record::{Reading, Str, each_field, each_item, heavier_than, longer_than, lower_case};
use crate::switches::Switches;

/// Longest message, in characters of its JSON.
const MESSAGE: usize = 65_536;
/// Heaviest `data`, in bytes.
const DATA: usize = 10 * 1024;
/// The type `text`, as JSON.
const TEXT: Cow<'_, str> = Cow::Borrowed("\"text\"");
/// Most users mentioned in a message.
const MENTIONS: usize = 10;

/// A message that keeps the rules.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) muid: Str<'a>,
    pub(crate) sender: Cow<'a, str>,
    pub(crate) receiver_type: ReceiverType,
    pub(crate) receiver: Cow<'a, str>,
    pub(crate) category: &'static str,
    /// As JSON.
    pub(crate) kind: Cow<'a, str>,
    pub(crate) data: Data<'a>,
    pub(crate) tags: Option<&'a RawValue>,
    pub(crate) sent_at: i64,
    pub(crate) delivered_at: Option<i64>,
    pub(crate) read_at: Option<i64>,
    /// Users and groups it refers to, in case they do not exist.
    pub(crate) sender_details: Option<User<'a>>,
    pub(crate) receiver_user: Option<User<'a>>,
    pub(crate) receiver_group: Option<Group<'a>>,
    pub(crate) mentioned: Vec<User<'a>>,
    /// Whether it is a text without text.
    blank: bool,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReceiverType {
    User,
    Group,
}

/// A message's payload.
#[derive(Debug)]
pub(crate) struct Data<'a> {
    pub(crate) raw: &'a RawValue,
    /// Whether it has a key `entities`, which is the service's to write.
    pub(crate) has_entities: bool,
    pub(crate) has_attachments: bool,
}

/// Reads the message that was sent under `key`. One sent before `oldest` is too old.
pub(crate) fn message<'a>(
    key: &str,
    raw: &'a RawValue,
    oldest: Option<i64>,
    switches: &Switches,
) -> Verdict<Message<'a>> {
    let verdict = judge(key, "muid", raw, switches, read);
    let Verdict::Good(message) = verdict else {
        return verdict;
    };
    if message.blank {
        let text = "The text of the message is empty.";
        return Verdict::Poison(Failure::new("ERR_EMPTY_MESSAGE_TEXT", text));
    }
    if oldest.is_some_and(|oldest| message.sent_at < oldest) {
        // CometChat's words are known, its code is not.
        let text = "Messages older than 6 months cannot be imported";
        return Verdict::Poison(Failure::bad_request(text));
    }
    Verdict::Good(message)
}

fn read<'a>(reading: &mut Reading, raw: &'a RawValue) -> Option<(Message<'a>, Str<'a>)> {
    let (mut muid, mut sender, mut receiver_type, mut receiver) = (None, None, None, None);
    let (mut category, mut kind, mut data, mut tags) = (None, None, None, None);
    let (mut sent_at, mut delivered_at, mut read_at) = (None, None, None);
    let (mut sender_details, mut receiver_user, mut mentioned) = (None, None, None);
    let (mut receiver_group, mut group_owner) = (None, None);
    let is_object = each_field(raw, |field, value| match field {
        "muid" => muid = Some(value),
        "sender" => sender = Some(value),
        "receiverType" => receiver_type = Some(value),
        "receiver" => receiver = Some(value),
        "category" => category = Some(value),
        "type" => kind = Some(value),
        "data" => data = Some(value),
        "tags" => tags = Some(value),
        "sentAt" => sent_at = Some(value),
        "deliveredAt" => delivered_at = Some(value),
        "readAt" => read_at = Some(value),
        "senderUserDetails" => sender_details = Some(value),
        "receiverUserDetails" => receiver_user = Some(value),
        "receiverGroupDetails" => receiver_group = Some(value),
        "receiverGroupOwnerDetails" => group_owner = Some(value),
        "mentionedUserDetails" => mentioned = Some(value),
        other => reading.unknown("", other),
    });
    if !is_object {
        no_object(reading, "", "message");
        return None;
    }
    if longer_than(raw.get(), MESSAGE) {
        let text = format!("The message may not be greater than {MESSAGE} characters.");
        reading.findings.add(Failure::bad_request(text));
    }
    let muid = reading.required("", "muid", muid, usize::MAX);
    let sender = reading.id("ERR_INVALID_UID", "", "sender", sender);
    let sender = sender.map(|sender| lower_case(sender.value));
    let receiver_type = receiver_type_of(reading, receiver_type);
    let receiver = receiver_of(reading, receiver_type, receiver);
    let category = category_of(reading, category);
    let kind = category.and_then(|category| type_of(reading, category, kind));
    let payload = payload(reading, category, kind.as_deref(), data);
    let tags = reading.tags("", tags);
    if sent_at.is_none() {
        reading.missing("", "sentAt");
    }
    let sent_at = reading.time("", "sentAt", sent_at);
    let delivered_at = reading.time("", "deliveredAt", delivered_at);
    let read_at = reading.time("", "readAt", read_at);

    let sender_details = user_details(
        reading,
        "senderUserDetails.",
        sender.as_deref(),
        sender_details,
    );
    let to_group = receiver_type == Some(ReceiverType::Group);
    let (for_user, for_group) = if to_group {
        (None, receiver.as_deref())
    } else {
        (receiver.as_deref(), None)
    };
    let receiver_user = user_details(reading, "receiverUserDetails.", for_user, receiver_user);
    let mut receiver_group =
        group_details(reading, "receiverGroupDetails.", for_group, receiver_group);
    let owner = receiver_group
        .as_ref()
        .and_then(|group| group.owner.as_deref());
    let group_owner = user_details(reading, "receiverGroupOwnerDetails.", owner, group_owner);
    if let (Some(group), Some(owner)) = (&mut receiver_group, group_owner) {
        group.owner_details = Some(owner);
    }
    let mentioned = mentioned_users(reading, mentioned);

    let submitted = muid?;
    let (data, blank) = payload?;
    let message = Message {
        muid: submitted.clone(),
        sender: sender?,
        receiver_type: receiver_type?,
        receiver: receiver?,
        category: category?,
        kind: kind?,
        data,
        tags,
        sent_at: sent_at?,
        delivered_at,
        read_at,
        sender_details,
        receiver_user,
        receiver_group,
        mentioned,
        blank,
    };
    Some((message, submitted))
}

fn receiver_type_of(reading: &mut Reading, raw: Option<&RawValue>) -> Option<ReceiverType> {
    if raw.is_none() {
        reading.missing("", "receiverType");
    }
    let text = reading.string("", "receiverType", raw)?;
    match &*text.value {
        "user" => Some(ReceiverType::User),
        "group" => Some(ReceiverType::Group),
        _ => {
            let advice = "The receiverType must be user or group.";
            reading.coded("ERR_INVALID_RECEIVER_TYPE", "", "receiverType", advice);
            None
        }
    }
}

fn receiver_of<'a>(
    reading: &mut Reading,
    receiver_type: Option<ReceiverType>,
    raw: Option<&'a RawValue>,
) -> Option<Cow<'a, str>> {
    if raw.is_none_or(|raw| raw.get() == r#""""#) {
        reading.coded(
            "ERR_EMPTY_RECEIVER",
            "",
            "receiver",
            "The receiver is empty.",
        );
        return None;
    }
    let code = match receiver_type? {
        ReceiverType::User => "ERR_INVALID_UID",
        ReceiverType::Group => "ERR_INVALID_GUID",
    };
    let receiver = reading.id(code, "", "receiver", raw)?;
    Some(lower_case(receiver.value))
}

fn category_of(reading: &mut Reading, raw: Option<&RawValue>) -> Option<&'static str> {
    if raw.is_none() {
        return Some("message");
    }
    let (code, advice) = match &*reading.string("", "category", raw)?.value {
        "message" => return Some("message"),
        "custom" => return Some("custom"),
        "" => ("ERR_EMPTY_MESSAGE_CATEGORY", "The category is empty."),
        _ => (
            "ERR_INVALID_MESSAGE_CATEGORY",
            "The category must be message or custom.",
        ),
    };
    reading.coded(code, "", "category", advice);
    None
}

/// The message's type as JSON.
fn type_of<'a>(
    reading: &mut Reading,
    category: &str,
    raw: Option<&'a RawValue>,
) -> Option<Cow<'a, str>> {
    let kind = match raw {
        Some(_) => reading.string("", "type", raw)?,
        None if category == "message" => return Some(TEXT),
        None => Str::of_id(""),
    };
    // The plain spelling, even if it was sent with escapes.
    let (code, advice) = match (category, &*kind.value) {
        (_, "") => ("ERR_EMPTY_MESSAGE_TYPE", "The type is empty."),
        ("custom", _) => return Some(kind.json),
        (_, "text") => return Some(TEXT),
        (_, "image") => return Some(Cow::Borrowed("\"image\"")),
        (_, "file") => return Some(Cow::Borrowed("\"file\"")),
        (_, "audio") => return Some(Cow::Borrowed("\"audio\"")),
        (_, "video") => return Some(Cow::Borrowed("\"video\"")),
        _ => (
            "ERR_INVALID_MESSAGE_TYPE",
            "The type must be text, image, file, audio or video.",
        ),
    };
    reading.coded(code, "", "type", advice);
    None
}

/// The payload, and whether it is a text without text.
fn payload<'a>(
    reading: &mut Reading,
    category: Option<&str>,
    kind: Option<&str>,
    raw: Option<&'a RawValue>,
) -> Option<(Data<'a>, bool)> {
    let (mut text, mut attachments, mut custom, mut metadata) = (None, None, None, None);
    let mut has_entities = false;
    let take = |field: &str, value| match field {
        "text" => text = Some(value),
        "attachments" => attachments = Some(value),
        "customData" => custom = Some(value),
        "metadata" => metadata = Some(value),
        "entities" => has_entities = true,
        _ => {}
    };
    if !raw.is_none_or(|raw| each_field(raw, take)) {
        let advice = "The data must be an object.";
        reading.coded("ERR_INVALID_MESSAGE_DATA", "", "data", advice);
        return None;
    }
    if raw.is_some_and(|raw| heavier_than(raw, DATA)) {
        reading.wrong("", "data", &format!("may not be greater than {DATA} bytes"));
    }
    if metadata.is_some_and(|metadata| !metadata.get().starts_with('{')) {
        let advice = "The metadata must be an object.";
        reading.coded("ERR_INVALID_METADATA", "data.", "metadata", advice);
    }
    let mut blank = false;
    if category == Some("custom") {
        custom_data(reading, custom);
    } else {
        let text = text_of(reading, text);
        let is_text = kind == Some(&*TEXT);
        blank = is_text && text.is_none_or(|text| text.value.trim().is_empty());
        attachments_of(reading, attachments, kind.is_some() && !is_text);
    }
    // Without data a message is either blank or was found to lack something.
    let raw = raw.unwrap_or(RawValue::NULL);
    Some((
        Data {
            raw,
            has_entities,
            has_attachments: attachments.is_some(),
        },
        blank,
    ))
}

fn text_of<'a>(reading: &mut Reading, raw: Option<&'a RawValue>) -> Option<Str<'a>> {
    let mut apart = Reading::new(reading.unknown_keys);
    let text = apart.string("data.", "text", raw);
    if apart.findings.into_failure().is_some() {
        let advice = "The text must be a string.";
        reading.coded("ERR_INVALID_MESSAGE_TEXT", "data.", "text", advice);
    }
    let text = text?;
    let mentioned: BTreeSet<&str> = text
        .value
        .split("<@uid:")
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(uid, _)| uid))
        .collect();
    if mentioned.len() > MENTIONS {
        reading.wrong(
            "data.",
            "text",
            &format!("may not mention more than {MENTIONS} users"),
        );
    }
    Some(text)
}

fn custom_data(reading: &mut Reading, raw: Option<&RawValue>) {
    let (code, advice) = match raw {
        None => ("ERR_EMPTY_CUSTOM_DATA", "The customData is empty."),
        Some(raw) => {
            let mut empty = true;
            match each_field(raw, |_, _| empty = false) {
                false => (
                    "ERR_INVALID_CUSTOM_DATA",
                    "The customData must be an object.",
                ),
                true if empty => ("ERR_EMPTY_CUSTOM_DATA", "The customData is empty."),
                true => return,
            }
        }
    };
    reading.coded(code, "data.", "customData", advice);
}

fn attachments_of(reading: &mut Reading, raw: Option<&RawValue>, needed: bool) {
    let mut count = 0;
    let is_array = raw.is_none_or(|raw| {
        each_item(raw, |place, attachment| {
            count += 1;
            attachment_of(reading, place, attachment);
        })
    });
    if !is_array {
        let advice = "The attachments must be an array.";
        reading.coded("ERR_INVALID_MEDIA_MESSAGE", "data.", "attachments", advice);
    } else if count == 0 && needed {
        let advice = "The attachments are empty.";
        reading.coded("ERR_EMPTY_MESSAGE_FILE", "data.", "attachments", advice);
    }
}

fn attachment_of(reading: &mut Reading, place: usize, raw: &RawValue) {
    let (mut url, mut name, mut mime_type, mut extension) = (None, None, None, None);
    let mut size = None;
    let is_object = each_field(raw, |field, value| match field {
        "url" => url = Some(value),
        "name" => name = Some(value),
        "mimeType" => mime_type = Some(value),
        "extension" => extension = Some(value),
        "size" => size = Some(value),
        _ => {}
    });
    // Found apart, so that all of it counts as one bad attachment.
    let mut apart = Reading::new(reading.unknown_keys);
    let at = format!("data.attachments.{place}.");
    if is_object {
        if apart.required(&at, "url", url, usize::MAX).is_some() {
            apart.url(&at, "url", url, usize::MAX);
        }
        apart.required(&at, "name", name, usize::MAX);
        apart.required(&at, "mimeType", mime_type, usize::MAX);
        apart.required(&at, "extension", extension, usize::MAX);
        let is_size = |first: char| first == '"' || first.is_ascii_digit();
        if size.is_some_and(|size| !size.get().starts_with(is_size)) {
            apart.wrong(&at, "size", "must be a string");
        }
    } else {
        no_object(&mut apart, &at, "attachment");
    }
    if let Some(mut failure) = apart.findings.into_failure() {
        failure.code = "ERR_INVALID_MEDIA_MESSAGE";
        reading.findings.add(failure);
    }
}

fn mentioned_users<'a>(reading: &mut Reading, raw: Option<&'a RawValue>) -> Vec<User<'a>> {
    let mut users = Vec::new();
    let Some(raw) = raw else { return users };
    let is_object = each_field(raw, |uid, details| {
        let at = format!("mentionedUserDetails.{uid}.");
        let uid = lower_case(Cow::Borrowed(uid));
        users.extend(user_details(reading, &at, Some(&uid), Some(details)));
    });
    if !is_object {
        reading.wrong("", "mentionedUserDetails", "must be an object");
    }
    users
}
