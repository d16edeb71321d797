//! Whether a record keeps the documented rules, one file for each entity.
//!
//! Here a record is judged by itself. What it refers to, and whether it is there already, is
//! [`state`](crate::state)'s question.

mod group;
mod member;
mod message;
mod user;

use serde_json::value::RawValue;

pub(crate) use group::{Group, group};
pub(crate) use member::{Member, member};
pub(crate) use message::{Message, ReceiverType, message};
pub(crate) use user::{User, user};

use crate::failure::Failure;
use crate::record::{Path, Reading, Str};
use crate::switches::{KeyMismatch, Switches};

/// Longest URL of an avatar, icon or link.
const URL: usize = 3_000;
/// Longest name, and longest password of a group.
const NAME: usize = 100;
/// Heaviest metadata of a user or group, in bytes.
const METADATA: usize = 5 * 1024;

/// What a record is, judged by itself.
pub(crate) enum Verdict<T> {
    /// It keeps the rules.
    Good(T),
    /// It does not.
    Bad(Failure),
    /// It does not, in one of the ways that CometChat does not survive.
    Poison(Failure),
}

/// Reads one record that was sent under `key` and has its id in `id_field`.
pub(crate) fn judge<'a, T>(
    key: &str,
    id_field: &str,
    raw: &'a RawValue,
    switches: &Switches,
    read: impl FnOnce(&mut Reading, &'a RawValue) -> Option<(T, Str<'a>)>,
) -> Verdict<T> {
    let mut reading = Reading::new(switches.unknown_keys);
    let record = read(&mut reading, raw);
    if let Some((_, id)) = &record
        && switches.key_mismatch == KeyMismatch::Refuse
        && id.value != key
    {
        reading.wrong("", id_field, "must be the key of the record");
    }
    match (reading.findings.into_failure(), record) {
        (None, Some((record, _))) => Verdict::Good(record),
        (Some(failure), _) => Verdict::Bad(failure),
        (None, None) => Verdict::Bad(Failure::exception()),
    }
}

/// A record that is no object.
fn no_object(reading: &mut Reading, at: Path<'_>, what: &str) {
    let at = at.strip_suffix('.').unwrap_or(what);
    reading.wrong("", at, "must be an object");
}

/// A user's details, sent along with what refers to `uid`.
fn user_details<'a>(
    reading: &mut Reading,
    at: Path<'_>,
    uid: Option<&str>,
    raw: Option<&'a RawValue>,
) -> Option<User<'a>> {
    let (user, _) = user(reading, at, raw?)?;
    if uid.is_some_and(|uid| uid != user.uid) {
        reading.wrong(at, "uid", "must be the one referred to");
    }
    Some(user)
}

/// A group's details, sent along with what refers to `guid`.
fn group_details<'a>(
    reading: &mut Reading,
    at: Path<'_>,
    guid: Option<&str>,
    raw: Option<&'a RawValue>,
) -> Option<Group<'a>> {
    let (group, _) = group(reading, at, raw?)?;
    if guid.is_some_and(|guid| guid != group.guid) {
        reading.wrong(at, "guid", "must be the one referred to");
    }
    Some(group)
}
