//! What an answer repeats of a record that was stored: who it is, and the id it was given.

use std::borrow::Cow;
use std::fmt;

use chatferry_core::Entity;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::response::Text;

/// The fields that tell which entity this is, or that it is wrapped once more. An answer repeats
/// all of a message, so it is read in one pass, and what is no object has none of the fields.
#[derive(Clone, Default)]
pub(crate) struct Stored<'a> {
    id: Option<&'a RawValue>,
    uid: Option<Cow<'a, str>>,
    guid: Option<Cow<'a, str>>,
    muid: Option<Cow<'a, str>>,
    sender: bool,
    data: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Stored<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyStored)
    }
}

struct AnyStored;

impl<'de> Visitor<'de> for AnyStored {
    type Value = Stored<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was stored")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut stored = Stored::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let text = |raw: &'de RawValue| {
                let text: Option<Text<'de>> = serde_json::from_str(raw.get()).ok();
                text.map(|text| text.0)
            };
            match name.0.as_ref() {
                "id" => stored.id = Some(map.next_value()?),
                "uid" => stored.uid = text(map.next_value()?),
                "guid" => stored.guid = text(map.next_value()?),
                "muid" => stored.muid = text(map.next_value()?),
                "data" => stored.data = Some(map.next_value()?),
                "sender" => {
                    map.next_value::<IgnoredAny>()?;
                    stored.sender = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(stored)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Stored::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }
}

impl<'a> Stored<'a> {
    /// The entity without the object that may be around it. A message has a `data` of its own, so
    /// only what has no id, muid or sender is taken as a wrapper.
    pub(crate) fn unwrapped(self) -> Option<Self> {
        let wraps = self.id.is_none()
            && self.muid.is_none()
            && !self.sender
            && self.uid.is_none()
            && self.guid.is_none();
        match self.data {
            Some(inner) if wraps => serde_json::from_str(inner.get()).ok(),
            _ => Some(self),
        }
    }

    /// Whether it says who it is.
    pub(crate) const fn names_itself(&self) -> bool {
        self.uid.is_some() || self.guid.is_some() || self.muid.is_some()
    }

    /// The id that the service gave it.
    pub(crate) fn remote(&self) -> Option<Box<str>> {
        let id = self.id?.get().trim_matches('"');
        (!id.is_empty() && id != "null").then(|| id.into())
    }

    /// The record id in it.
    pub(crate) fn record_id(self, entity: Entity) -> Option<Cow<'a, str>> {
        match entity {
            Entity::Users => self.uid,
            Entity::Groups => self.guid.or(self.uid),
            Entity::Members => Some(format!("{}_member_{}", self.guid?, self.uid?).into()),
            Entity::Messages => self.muid,
        }
    }
}
