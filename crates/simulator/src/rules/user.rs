//! Whether a user keeps the rules.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{METADATA, NAME, URL, no_object};
use crate::record::{Path, Reading, Str, each_field, lower_case};

/// A user that keeps the rules.
#[derive(Debug)]
pub(crate) struct User<'a> {
    pub(crate) uid: Cow<'a, str>,
    pub(crate) name: Str<'a>,
    pub(crate) avatar: Option<Str<'a>>,
    pub(crate) link: Option<Str<'a>>,
    pub(crate) role: Option<Cow<'a, str>>,
    pub(crate) created_at: Option<i64>,
    pub(crate) last_active_at: Option<i64>,
    pub(crate) metadata: Option<&'a RawValue>,
    pub(crate) tags: Option<&'a RawValue>,
    pub(crate) deactivated_at: Option<i64>,
}

/// Reads a user, with the id as it was spelled. Without one, something was found.
pub(crate) fn user<'a>(
    reading: &mut Reading,
    at: Path<'_>,
    raw: &'a RawValue,
) -> Option<(User<'a>, Str<'a>)> {
    let (mut uid, mut name, mut avatar, mut link, mut role) = (None, None, None, None, None);
    let (mut created_at, mut last_active_at, mut deactivated_at) = (None, None, None);
    let (mut metadata, mut tags) = (None, None);
    let is_object = each_field(raw, |field, value| match field {
        "uid" => uid = Some(value),
        "name" => name = Some(value),
        "avatar" => avatar = Some(value),
        "link" => link = Some(value),
        "role" => role = Some(value),
        "createdAt" => created_at = Some(value),
        "lastActiveAt" => last_active_at = Some(value),
        "deactivatedAt" => deactivated_at = Some(value),
        "metadata" => metadata = Some(value),
        "tags" => tags = Some(value),
        other => reading.unknown(at, other),
    });
    if !is_object {
        no_object(reading, at, "user");
        return None;
    }
    let uid = reading.id("ERR_INVALID_UID", at, "uid", uid);
    let name = reading.required(at, "name", name, NAME);
    let avatar = reading.url(at, "avatar", avatar, URL);
    let link = reading.url(at, "link", link, URL);
    let role = role.and_then(|role| reading.id("ERR_BAD_REQUEST", at, "role", Some(role)));
    let created_at = reading.time(at, "createdAt", created_at);
    let last_active_at = reading.time(at, "lastActiveAt", last_active_at);
    let deactivated_at = reading.time(at, "deactivatedAt", deactivated_at);
    let metadata = reading.object(at, "metadata", metadata, METADATA);
    let tags = reading.tags(at, tags);
    let submitted = uid?;
    let user = User {
        uid: lower_case(submitted.value.clone()),
        name: name?,
        avatar,
        link,
        role: role.map(|role| lower_case(role.value)),
        created_at,
        last_active_at,
        metadata,
        tags,
        deactivated_at,
    };
    Some((user, submitted))
}

impl User<'_> {
    /// A user of whom nothing is known but the id, which needs no escapes.
    pub(crate) fn named_after(uid: &str) -> User<'static> {
        User {
            uid: Cow::Owned(uid.to_owned()),
            name: Str::of_id(uid),
            avatar: None,
            link: None,
            role: None,
            created_at: None,
            last_active_at: None,
            metadata: None,
            tags: None,
            deactivated_at: None,
        }
    }
}
