//! One row shaped as an entity, ready to be sent.

use std::fmt;

use bytes::Bytes;
use compact_str::CompactString;
use twox_hash::XxHash3_64;

use crate::entity::Entity;

/// The id by which the destination knows a record: a uid, guid, memberId or muid.
///
/// Most are of a few characters, which are kept in place: a million records have several million
/// ids between them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(CompactString);

impl RecordId {
    /// The id with this text.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A compact stand-in for an entity and a record id: 64 bits of XXH3.
///
/// Stable for ever, since the ledger keeps it. Among ten million ids two share a key with a
/// probability of about 3 in a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u64);

impl Key {
    /// The key of that record.
    #[must_use]
    pub fn of(entity: Entity, id: &str) -> Self {
        // Not the entity as a seed: for short texts XXH3 only adds the seed to the text, so that
        // the group 2 and the user 3 had one key.
        Self(XxHash3_64::oneshot(id.as_bytes()) ^ salt(entity))
    }

    /// The key of something that has no record id, such as a rejected row, known by other words.
    #[must_use]
    pub fn of_words(words: &[&str]) -> Self {
        Self(XxHash3_64::oneshot(words.join("\u{1f}").as_bytes()) ^ 0x3f8c_5e91_a2d7_046b)
    }
}

/// What keeps the keys of one entity apart from those of another: numbers drawn at random once.
const fn salt(entity: Entity) -> u64 {
    match entity {
        Entity::Users => 0x9d4f_11c3_6ea8_27b5,
        Entity::Groups => 0x52e6_d80b_f713_9c4a,
        Entity::Members => 0xe10a_7496_2d5c_b83f,
        Entity::Messages => 0x0b93_af6d_c84e_51f7,
    }
}

/// A user or group that a record refers to, and that must be there before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The field that refers: `sender`, `receiver`, `guid`, `uid`, `owner`.
    pub field: &'static str,
    /// What is referred to: users or groups.
    pub entity: Entity,
    /// Which one.
    pub id: RecordId,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The flow, as its place in the account.
    pub flow: usize,
    /// Which stretch of the flow's rows, counted from 0: rows of one stretch stand, in the order
    /// of the flow, before all rows of the next.
    pub stretch: u32,
}

/// One row shaped as an entity, valid by every rule that can be checked without asking the
/// destination, and encoded.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it is.
    pub entity: Entity,
    /// Which one.
    pub id: RecordId,
    /// Where it comes from. The runtime sets it.
    pub origin: Origin,
    /// Which conversation it belongs to. Two records of one lane are never in flight in two
    /// requests, and they leave in the order in which they came. A record without a conversation
    /// has a lane of its own.
    pub lane: u64,
    /// When it was sent, in UNIX seconds; messages only.
    pub sent_at: Option<i64>,
    /// The users and groups it refers to and that it does not bring along itself.
    pub references: Vec<Reference>,
    /// The names of the rules by which a value was mended on the way; nearly always none.
    pub adjusted: Vec<&'static str>,
    /// The record as the JSON object that is sent.
    pub json: Bytes,
}

impl Record {
    /// Its key in the ledger.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of(self.entity, self.id.as_str())
    }

    /// A hash of what would be sent, by which a corrected record is noticed.
    #[must_use]
    pub fn content(&self) -> u64 {
        XxHash3_64::oneshot(&self.json)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn short_ids_of_all_entities_have_keys_of_their_own() {
        let ids = (0..100_000).map(|number| number.to_string());
        let keys = ids.flat_map(|id| Entity::ALL.map(|entity| Key::of(entity, &id)));
        assert_eq!(keys.collect::<HashSet<_>>().len(), 400_000);
    }
}
