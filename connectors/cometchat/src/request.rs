//! Records into the body of a request.
//!
//! A body is an object with one key, the entity's name, and under it the records keyed by their
//! ids: flat, not a list, and in the order in which they are to be stored ("Data Import APIs").

use bytes::Bytes;
use chatferry_core::{Entity, Record};

use crate::encode::text;

/// The path of an entity's endpoint below the base URL.
#[must_use]
pub fn path(entity: Entity) -> &'static str {
    match entity {
        Entity::Users => "/data_import/users",
        Entity::Groups => "/data_import/groups",
        Entity::Members => "/data_import/members",
        Entity::Messages => "/data_import/messages",
    }
}

/// The body that carries these records.
#[must_use]
pub fn body(entity: Entity, records: &[Record]) -> Bytes {
    let size: usize = records
        .iter()
        .map(|record| record.json.len() + record.id.as_str().len() + 4)
        .sum();
    let mut body = Vec::with_capacity(size + 32);
    body.extend_from_slice(b"{\"");
    body.extend_from_slice(entity.name().as_bytes());
    body.extend_from_slice(b"\":{");
    for (place, record) in records.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        text(record.id.as_str(), &mut body);
        body.push(b':');
        body.extend_from_slice(&record.json);
    }
    body.extend_from_slice(b"}}");
    body.into()
}
