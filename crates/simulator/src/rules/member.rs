//! Whether a member keeps the rules.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Group, User, group_details, no_object, user_details};
use crate::record::{Reading, Str, each_field, lower_case};

/// A member that keeps the rules.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) guid: Cow<'a, str>,
    pub(crate) uid: Cow<'a, str>,
    pub(crate) scope: &'static str,
    pub(crate) is_banned: Option<bool>,
    pub(crate) joined_at: Option<i64>,
    /// The group, in case it does not exist.
    pub(crate) group_details: Option<Group<'a>>,
    /// The user, in case it does not exist.
    pub(crate) user_details: Option<User<'a>>,
}

impl Member<'_> {
    /// The owner of a group, as one of its members.
    pub(crate) fn owner(guid: &str, uid: &str) -> Member<'static> {
        Member {
            guid: Cow::Owned(guid.to_owned()),
            uid: Cow::Owned(uid.to_owned()),
            scope: "admin",
            is_banned: None,
            joined_at: None,
            group_details: None,
            user_details: None,
        }
    }
}

/// Reads a member, with the id as it was spelled. Without one, something was found.
pub(crate) fn member<'a>(
    reading: &mut Reading,
    raw: &'a RawValue,
) -> Option<(Member<'a>, Str<'a>)> {
    let (mut member_id, mut guid, mut uid, mut scope) = (None, None, None, None);
    let (mut is_banned, mut joined_at) = (None, None);
    let (mut group, mut user) = (None, None);
    let is_object = each_field(raw, |field, value| match field {
        "memberId" => member_id = Some(value),
        "guid" => guid = Some(value),
        "uid" => uid = Some(value),
        "scope" => scope = Some(value),
        "isBanned" => is_banned = Some(value),
        "joinedAt" => joined_at = Some(value),
        "groupDetails" => group = Some(value),
        "userDetails" => user = Some(value),
        other => reading.unknown("", other),
    });
    if !is_object {
        no_object(reading, "", "member");
        return None;
    }
    let member_id = reading.required("", "memberId", member_id, usize::MAX);
    let guid = reading.id("ERR_INVALID_GUID", "", "guid", guid);
    let guid = guid.map(|guid| lower_case(guid.value));
    let uid = reading.id("ERR_INVALID_UID", "", "uid", uid);
    let uid = uid.map(|uid| lower_case(uid.value));
    if let (Some(member_id), Some(guid), Some(uid)) = (&member_id, &guid, &uid)
        && !member_id
            .value
            .eq_ignore_ascii_case(&format!("{guid}_member_{uid}"))
    {
        reading.wrong("", "memberId", "must be the guid, _member_ and the uid");
    }
    let scope = scope_of(reading, scope);
    let is_banned = is_banned.and_then(|raw| match raw.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => {
            reading.wrong("", "isBanned", "must be true or false");
            None
        }
    });
    let joined_at = reading.time("", "joinedAt", joined_at);
    let group_details = group_details(reading, "groupDetails.", guid.as_deref(), group);
    let user_details = user_details(reading, "userDetails.", uid.as_deref(), user);
    let member = Member {
        guid: guid?,
        uid: uid?,
        scope: scope?,
        is_banned,
        joined_at,
        group_details,
        user_details,
    };
    Some((member, member_id?))
}

fn scope_of(reading: &mut Reading, raw: Option<&RawValue>) -> Option<&'static str> {
    if raw.is_none() {
        return Some("participant");
    }
    let scope = reading.string("", "scope", raw)?;
    match &*scope.value {
        "admin" => Some("admin"),
        "moderator" => Some("moderator"),
        "participant" => Some("participant"),
        _ => {
            reading.wrong("", "scope", "must be admin, moderator or participant");
            None
        }
    }
}
