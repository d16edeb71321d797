//! Whether a group keeps the rules.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{METADATA, NAME, URL, User, no_object, user_details};
use crate::record::{Path, Reading, Str, each_field, lower_case};

/// A group that keeps the rules.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) guid: Cow<'a, str>,
    pub(crate) name: Str<'a>,
    pub(crate) kind: &'static str,
    pub(crate) icon: Option<Str<'a>>,
    pub(crate) owner: Option<Cow<'a, str>>,
    pub(crate) created_at: Option<i64>,
    pub(crate) metadata: Option<&'a RawValue>,
    pub(crate) tags: Option<&'a RawValue>,
    /// The owner, in case it does not exist.
    pub(crate) owner_details: Option<User<'a>>,
}

/// Reads a group, with the id as it was spelled. Without one, something was found.
pub(crate) fn group<'a>(
    reading: &mut Reading,
    at: Path<'_>,
    raw: &'a RawValue,
) -> Option<(Group<'a>, Str<'a>)> {
    let (mut guid, mut name, mut kind, mut icon, mut password) = (None, None, None, None, None);
    let (mut owner, mut created_at, mut metadata, mut tags) = (None, None, None, None);
    let mut owner_details = None;
    let is_object = each_field(raw, |field, value| match field {
        "guid" => guid = Some(value),
        "name" => name = Some(value),
        "type" => kind = Some(value),
        "icon" => icon = Some(value),
        "password" => password = Some(value),
        "owner" => owner = Some(value),
        "createdAt" => created_at = Some(value),
        "metadata" => metadata = Some(value),
        "tags" => tags = Some(value),
        "groupOwnerDetails" => owner_details = Some(value),
        other => reading.unknown(at, other),
    });
    if !is_object {
        no_object(reading, at, "group");
        return None;
    }
    let guid = reading.id("ERR_INVALID_GUID", at, "guid", guid);
    let name = reading.required(at, "name", name, NAME);
    let kind = group_type(reading, at, kind);
    let password = reading.optional(at, "password", password, NAME);
    if kind == Some("password") && password.is_none_or(|password| password.value.is_empty()) {
        reading.coded(
            "ERR_EMPTY_GROUP_PASS",
            at,
            "password",
            "The password is empty.",
        );
    }
    let icon = reading.url(at, "icon", icon, URL);
    let owner = owner.and_then(|owner| reading.id("ERR_INVALID_UID", at, "owner", Some(owner)));
    let owner = owner.map(|owner| lower_case(owner.value));
    let created_at = reading.time(at, "createdAt", created_at);
    let metadata = reading.object(at, "metadata", metadata, METADATA);
    let tags = reading.tags(at, tags);
    let inside = format!("{at}groupOwnerDetails.");
    let owner_details = user_details(reading, &inside, owner.as_deref(), owner_details);
    let submitted = guid?;
    let group = Group {
        guid: lower_case(submitted.value.clone()),
        name: name?,
        kind: kind?,
        icon,
        owner,
        created_at,
        metadata,
        tags,
        owner_details,
    };
    Some((group, submitted))
}

fn group_type(reading: &mut Reading, at: Path<'_>, raw: Option<&RawValue>) -> Option<&'static str> {
    let kind = reading.required(at, "type", raw, usize::MAX)?;
    match &*kind.value {
        "public" => Some("public"),
        "password" => Some("password"),
        "private" => Some("private"),
        _ => {
            reading.wrong(at, "type", "must be public, password or private");
            None
        }
    }
}

impl Group<'_> {
    /// A public group of which nothing is known but the id, which needs no escapes.
    pub(crate) fn named_after(guid: &str) -> Group<'static> {
        Group {
            guid: Cow::Owned(guid.to_owned()),
            name: Str::of_id(guid),
            kind: "public",
            icon: None,
            owner: None,
            created_at: None,
            metadata: None,
            tags: None,
            owner_details: None,
        }
    }
}
