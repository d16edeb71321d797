//! What stands for users and groups that records refer to and of which nothing else is known.

use chatferry_core::{Entity, Origin, Record, RecordId};
use serde_json::json;
use twox_hash::XxHash3_64;

use crate::rules;

/// When those who are not there any more left: not known, so the first second with ten digits,
/// which is the earliest that the API takes.
const LEFT: i64 = 1_000_000_000;

/// By what they are found in the app.
const TAG: &str = "placeholder";

/// A user who is deactivated, or a private group; `None` of anything else, or when the id or the
/// name breaks a rule.
pub(crate) fn placeholder(entity: Entity, id: &RecordId, name: &str) -> Option<Record> {
    rules::id(entity.id_field(), id.as_str()).ok()?;
    rules::name(name)
        .ok()
        .filter(|()| !name.trim().is_empty())?;
    let json = match entity {
        Entity::Users => {
            json!({ "uid": id.as_str(), "name": name, "deactivatedAt": LEFT, "tags": [TAG] })
        }
        Entity::Groups => {
            json!({ "guid": id.as_str(), "name": name, "type": "private", "tags": [TAG] })
        }
        Entity::Members | Entity::Messages => return None,
    };
    Some(Record {
        entity,
        id: id.clone(),
        origin: Origin::default(),
        lane: XxHash3_64::oneshot(id.as_str().as_bytes()),
        sent_at: None,
        references: Vec::new(),
        adjusted: Vec::new(),
        json: json.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_say_what_they_are() {
        let of = |entity, id: &str, name: &str| {
            let record = placeholder(entity, &RecordId::new(id), name)?;
            Some(String::from_utf8(record.json.to_vec()).unwrap())
        };
        assert_eq!(
            of(Entity::Users, "u-7", "Former \"member\"").unwrap(),
            r#"{"deactivatedAt":1000000000,"name":"Former \"member\"","tags":["placeholder"],"uid":"u-7"}"#
        );
        assert_eq!(
            of(Entity::Groups, "g-7", "Former group").unwrap(),
            r#"{"guid":"g-7","name":"Former group","tags":["placeholder"],"type":"private"}"#
        );
        for (entity, id, name) in [
            (Entity::Users, "U 7", "Former"),
            (Entity::Users, "u-7", " "),
            (Entity::Messages, "m-7", "Former"),
        ] {
            assert_eq!(of(entity, id, name), None, "{entity} {id} {name}");
        }
    }
}
