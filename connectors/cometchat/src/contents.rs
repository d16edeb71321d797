//! What can be compared of a record and of what the app holds.
//!
//! A value is written in one way only, so that two values are equal when their texts are: keys in
//! order, numbers without needless digits, and nothing for what is empty. The service may write an
//! empty object as an empty list, or leave it out.

use chatferry_core::{Contents, Entity, Expected, Item, Record, RecordId, Told};
use serde_json::Value;
use twox_hash::XxHash3_64;

/// What is not there.
const NOTHING: &str = "nothing";
/// The key under which metadata holds what only its user may see ("Users").
const PRIVATE: &str = "@private";

/// The fields that can be compared. What is read back has them, unless it is named in [`told`].
pub(crate) const fn compared(entity: Entity) -> &'static [&'static str] {
    match entity {
        Entity::Users => &[
            "name",
            "avatar",
            "link",
            "role",
            "createdAt",
            "metadata",
            "tags",
            "deactivated",
        ],
        Entity::Groups => &[
            "name",
            "type",
            "icon",
            "owner",
            "createdAt",
            "metadata",
            "tags",
        ],
        Entity::Members => &["scope", "joinedAt", "isBanned"],
        Entity::Messages => &[
            "sender",
            "receiverType",
            "receiver",
            "category",
            "type",
            "sentAt",
            "text",
            "attachments",
            "customData",
            "metadata",
            "tags",
        ],
    }
}

/// What the app should hold when it holds this record.
pub(crate) fn expected(record: &Record) -> Expected {
    // What was encoded for the API is an object.
    let json: Value = serde_json::from_slice(&record.json).unwrap_or_default();
    let fields = compared(record.entity).iter().map(|name| {
        let value = find(&json, record.entity, name);
        match *name {
            "deactivated" => Some(flag(json.get("deactivatedAt").is_some())),
            "isBanned" => Some(flag(json.get("isBanned") == Some(&Value::Bool(true)))),
            _ => value.map(|value| told(name, value)),
        }
    });
    Expected {
        contents: Contents {
            part_of: part_of(record.entity, &json),
            likeness: likeness(record.entity, &json),
            fields: fields.collect(),
        },
        brings: brings(record.entity, &json),
    }
}

/// Something that the app holds, as it was read back; `None` when it is nobody's record.
pub(crate) fn item(entity: Entity, json: &Value) -> Option<Item> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let id = match entity {
        Entity::Users => text("uid").filter(|uid| *uid != SYSTEM),
        Entity::Groups => text("guid").or_else(|| text("uid")),
        Entity::Members => return None,
        Entity::Messages => text("muid"),
    };
    let number = match (entity, json.get("id")) {
        (Entity::Messages, Some(Value::String(id))) => Some(id.as_str().into()),
        (Entity::Messages, Some(Value::Number(id))) => Some(id.to_string().into()),
        _ => None,
    };
    let is_ours = match entity {
        Entity::Messages => {
            number.is_some() && matches!(text("category"), Some("message" | "custom"))
        }
        _ => id.is_some(),
    };
    is_ours.then(|| Item {
        id: id.map(RecordId::new),
        number,
        contents: read_back(entity, json),
        deleted: entity == Entity::Messages
            && json.get("deletedAt").is_some_and(|at| !at.is_null()),
    })
}

/// A member of a group as it was read back, which is its user and little more.
pub(crate) fn member(guid: &str, banned: bool, json: &Value) -> Option<Item> {
    let uid = json.get("uid")?.as_str()?;
    let fields = compared(Entity::Members).iter().map(|name| match *name {
        "isBanned" => Some(flag(banned)),
        // Who is banned is listed without them.
        _ if banned => None,
        name => Some(
            json.get(name)
                .map_or_else(nothing, |value| told(name, value)),
        ),
    });
    Some(Item {
        id: Some(RecordId::new(&format!("{guid}_member_{uid}"))),
        number: None,
        contents: Contents {
            part_of: Some(guid.to_owned()),
            likeness: None,
            fields: fields.collect(),
        },
        deleted: false,
    })
}

/// The user that the service itself acts as ("Groups").
const SYSTEM: &str = "app_system";

fn read_back(entity: Entity, json: &Value) -> Contents {
    let fields = compared(entity).iter().map(|name| match *name {
        "deactivated" => Some(flag(
            json.get("deactivatedAt").is_some_and(|at| !at.is_null()),
        )),
        // No sample of a list shows them, so their absence says nothing.
        "tags" => json.get("tags").map(|tags| told("tags", tags)),
        name => Some(find(json, entity, name).map_or_else(nothing, |value| told(name, value))),
    });
    let conversation = json.get("conversationId").and_then(Value::as_str);
    Contents {
        part_of: match entity {
            Entity::Messages => {
                conversation.map_or_else(|| part_of(entity, json), |it| Some(it.into()))
            }
            _ => None,
        },
        likeness: likeness(entity, json),
        fields: fields.collect(),
    }
}

/// A field's value, wherever it lies.
fn find<'a>(json: &'a Value, entity: Entity, name: &str) -> Option<&'a Value> {
    match (entity, name) {
        (Entity::Messages, "text" | "attachments" | "customData" | "metadata") => {
            json.get("data")?.get(name)
        }
        _ => json.get(name),
    }
}

/// What a record belongs to: its conversation, named as the service does, or its group.
fn part_of(entity: Entity, json: &Value) -> Option<String> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    match entity {
        Entity::Users | Entity::Groups => None,
        Entity::Members => text("guid").map(str::to_owned),
        Entity::Messages => {
            let (sender, receiver) = (text("sender")?, text("receiver")?);
            Some(match text("receiverType")? {
                "group" => format!("group_{receiver}"),
                _ if sender <= receiver => format!("{sender}_user_{receiver}"),
                _ => format!("{receiver}_user_{sender}"),
            })
        }
    }
}

/// By what a message is recognised when nothing tells its number.
fn likeness(entity: Entity, json: &Value) -> Option<u64> {
    if entity != Entity::Messages {
        return None;
    }
    let part_of = part_of(entity, json)?;
    let field = |name| find(json, entity, name).map(one_way).unwrap_or_default();
    let words = [
        part_of,
        field("sender"),
        field("sentAt"),
        field("type"),
        field("text"),
    ];
    Some(XxHash3_64::oneshot(words.join("\u{1f}").as_bytes()))
}

/// What may be there because of a record: whose details it brings along, and a group's owner, whom
/// the service may make a member by itself.
fn brings(entity: Entity, json: &Value) -> Vec<(Entity, RecordId)> {
    let mut brought = Vec::new();
    let mut bring = |entity, id: Option<&Value>| {
        if let Some(id) = id.and_then(Value::as_str) {
            brought.push((entity, RecordId::new(id)));
        }
    };
    let owner = |group: &Value, bring: &mut dyn FnMut(Entity, Option<&Value>)| {
        if let (Some(Value::String(guid)), Some(Value::String(uid))) =
            (group.get("guid"), group.get("owner"))
        {
            let member = Value::String(format!("{guid}_member_{uid}"));
            bring(Entity::Members, Some(&member));
        }
    };
    if entity == Entity::Groups {
        owner(json, &mut bring);
    }
    for name in [
        "groupOwnerDetails",
        "userDetails",
        "senderUserDetails",
        "receiverUserDetails",
        "receiverGroupOwnerDetails",
    ] {
        bring(
            Entity::Users,
            json.get(name).and_then(|user| user.get("uid")),
        );
    }
    for name in ["groupDetails", "receiverGroupDetails"] {
        if let Some(group) = json.get(name) {
            bring(Entity::Groups, group.get("guid"));
            owner(group, &mut bring);
        }
    }
    if let Some(Value::Object(mentioned)) = json.get("mentionedUserDetails") {
        for user in mentioned.values() {
            bring(Entity::Users, user.get("uid"));
        }
    }
    brought
}

fn flag(is: bool) -> Told {
    Told::plain(if is { "true" } else { "false" })
}

fn nothing() -> Told {
    Told::plain(NOTHING)
}

/// A value as it is compared, and as it may be shown.
fn told(name: &str, value: &Value) -> Told {
    match (name, value) {
        ("attachments", Value::Array(attachments)) => {
            let attachments = attachments.iter().map(attachment).collect();
            Told::plain(one_way(&Value::Array(attachments)))
        }
        ("metadata", Value::Object(metadata)) if metadata.contains_key(PRIVATE) => {
            let mut open = metadata.clone();
            open.insert(PRIVATE.to_owned(), Value::String("***".to_owned()));
            Told {
                value: one_way(value),
                shown: Some(one_way(&Value::Object(open))),
            }
        }
        _ => Told::plain(one_way(value)),
    }
}

/// An attachment without its URL, which the service may change, and with its size as a text.
fn attachment(value: &Value) -> Value {
    let mut kept = serde_json::Map::new();
    for name in ["name", "mimeType", "extension", "size"] {
        match value.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Number(size)) => {
                kept.insert(name.to_owned(), Value::String(size.to_string()));
            }
            Some(other) => {
                kept.insert(name.to_owned(), other.clone());
            }
        }
    }
    Value::Object(kept)
}

/// A value in the one way in which it is written here.
fn one_way(value: &Value) -> String {
    match plain(value) {
        Value::Null => NOTHING.to_owned(),
        value => value.to_string(),
    }
}

/// A value without needless digits, and without what is empty.
fn plain(value: &Value) -> Value {
    /// Beyond this, not every whole number is one of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Number(number) if !number.is_i64() && !number.is_u64() => match number.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is whole and not too large"
            )]
            Some(whole) if whole.fract() == 0.0 && whole.abs() < EXACT => (whole as i64).into(),
            _ => value.clone(),
        },
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)));
            let fields: serde_json::Map<_, _> =
                fields.filter(|(_, value)| !value.is_null()).collect();
            if fields.is_empty() {
                Value::Null
            } else {
                Value::Object(fields)
            }
        }
        _ => value.clone(),
    }
}
