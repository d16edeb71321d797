//! What is read back: lists and single things, as CometChat shows them.

use std::io;

use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::index::Entry;
use crate::messages::{unusable, write_party};
use crate::query::Query;
use crate::record::each_field;
use crate::request::Entity;
use crate::response::{Object, write_json};
use crate::shelf::hash;
use crate::state::{State, StoredGroup, StoredUser};
use crate::switches::{
    CursorPlace, ListData, ListStart, MuidShown, NextPage, NoMessage, Switches, Total,
};
use crate::walk::{Filter, Walk};

/// The users on a page.
pub(crate) fn users(
    state: &mut State,
    query: &Query,
    switches: &Switches,
) -> Result<Vec<u8>, Failure> {
    let (only, with) = (query.says("onlyDeactivated"), query.says("withDeactivated"));
    let State { users, recent, .. } = state;
    let listed = users.iter().filter(|user| match user.is_deactivated {
        true => only || with,
        false => !only,
    });
    let listed = listed.filter(|user| {
        recent.shows_all() || recent.shows(Entity::Users, id_of(&user.record, "uid"))
    });
    let page = Page::of(query, listed)?;
    let tags = query.says("withTags");
    let entries = page.things.iter().map(|user| user_entry(user, tags));
    let entries: Vec<_> = entries.collect();
    Ok(page.written(&entries, ListData::Array, switches))
}

/// One user.
pub(crate) fn user(state: &State, uid: &str) -> Result<Vec<u8>, Failure> {
    match state.users.get(uid).filter(|user| !user.is_deactivated) {
        Some(user) => Ok(alone(&user_entry(user, true))),
        None => Err(Failure::no_such_user(uid)),
    }
}

/// The groups on a page.
pub(crate) fn groups(
    state: &mut State,
    query: &Query,
    switches: &Switches,
) -> Result<Vec<u8>, Failure> {
    let State { groups, recent, .. } = state;
    let listed = groups.iter().filter(|group| {
        recent.shows_all() || recent.shows(Entity::Groups, id_of(&group.record, "guid"))
    });
    let page = Page::of(query, listed)?;
    let tags = query.says("withTags");
    let entries: Vec<_> = page
        .things
        .iter()
        .map(|group| group_entry(group, tags))
        .collect();
    Ok(page.written(&entries, switches.list_data, switches))
}

/// One group.
pub(crate) fn group(state: &State, guid: &str) -> Result<Vec<u8>, Failure> {
    match state.groups.get(guid) {
        Some(group) => Ok(alone(&group_entry(group, true))),
        None => Err(Failure::no_such_group(guid)),
    }
}

/// The members of a group on a page, or those who are banned from it.
pub(crate) fn members(
    state: &mut State,
    guid: &str,
    banned: bool,
    query: &Query,
    switches: &Switches,
) -> Result<Vec<u8>, Failure> {
    let State {
        users,
        groups,
        members,
        recent,
        ..
    } = state;
    let group = groups
        .get(guid)
        .ok_or_else(|| Failure::no_such_group(guid))?;
    let listed = group.roster.iter().filter_map(|place| members.at(*place));
    let listed = listed
        .filter(|member| member.banned == banned)
        .filter(|member| {
            recent.shows_all() || {
                let uid = text_of(&member.record, "uid").unwrap_or_default();
                let id = format!("{guid}_member_{uid}");
                recent.shows(Entity::Members, hash(id.as_bytes()))
            }
        });
    let page = Page::of(query, listed)?;
    let entry = |record: &[u8]| {
        let uid = text_of(record, "uid")?;
        let user = users.get(&uid)?;
        let mut out = Vec::new();
        let mut entry = Object::open(&mut out);
        copy(&user.record, &["tags"], &mut entry);
        if !banned {
            copy(record, &["guid", "uid", "isBanned"], &mut entry);
        }
        entry.close();
        Some(out)
    };
    let entries = page
        .things
        .iter()
        .filter_map(|member| entry(&member.record));
    let entries: Vec<_> = entries.collect();
    Ok(page.written(&entries, ListData::Array, switches))
}

/// The messages on a page.
pub(crate) fn messages(
    state: &mut State,
    query: &Query,
    switches: &Switches,
) -> Result<Vec<u8>, Failure> {
    let limit = query.most("limit", 10)?;
    let after = query.number::<u64>("id")?;
    let starts = query.get("fromTimestamp").is_some() || after.is_some_and(|id| id > 0);
    if switches.list_start == ListStart::FromTimestamp && !starts {
        return Err(no_message("0", switches));
    }
    let filter = Filter::of(query)?;
    let backwards = query.get("affix") == Some("prepend");
    let failed = |error: io::Error| unusable(&error);
    let mut walk = Walk::new(state, query, after, backwards, switches).map_err(failed)?;
    let mut found = Vec::new();
    let mut last = None;
    'pages: while let Some(some) = walk.next(state).map_err(failed)? {
        for (number, entry) in some {
            if found.len() == limit {
                break 'pages;
            }
            if entry.len == 0 || !state.recent.shows(Entity::Messages, number) {
                continue;
            }
            let record = record(state, &entry).map_err(failed)?;
            if filter.keeps(&record, &entry) {
                found.push(message_entry(
                    state,
                    &record,
                    query.says("withTags"),
                    switches,
                ));
                last = Some((number, entry.sent_at));
            }
        }
    }
    if backwards {
        found.reverse();
    }
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    array(answer.field("data"), &found);
    let mut meta = Object::open(answer.field("meta"));
    let mut current = Object::open(meta.field("current"));
    current.number("limit", number(limit));
    current.number("count", number(found.len()));
    current.close();
    let place = match switches.next_page {
        NextPage::Next => Some("next"),
        NextPage::Cursor => Some("cursor"),
        NextPage::Nothing => None,
    };
    if let (Some(place), Some((id, sent_at))) = (place, last) {
        let mut next = Object::open(meta.field(place));
        next.plain("affix", if backwards { "prepend" } else { "append" });
        if place == "next" {
            next.number("sentAt", sent_at);
        }
        next.plain("id", &id.to_string());
        next.close();
    }
    meta.close();
    answer.close();
    Ok(out)
}

/// One message.
pub(crate) fn message(
    state: &mut State,
    id: &str,
    switches: &Switches,
) -> Result<Vec<u8>, Failure> {
    let (_, entry) = entry_of(state, id, switches)?;
    let record = record(state, &entry).map_err(|error| unusable(&error))?;
    Ok(alone(&message_entry(state, &record, true, switches)))
}

/// The number and the entry of a message that is there.
pub(crate) fn entry_of(
    state: &mut State,
    id: &str,
    switches: &Switches,
) -> Result<(u64, Entry), Failure> {
    let number = id.parse().unwrap_or(0);
    let entry = state
        .messages
        .entry(number)
        .map_err(|error| unusable(&error))?;
    entry
        .map(|entry| (number, entry))
        .ok_or_else(|| no_message(id, switches))
}

/// The record of a message that is there.
pub(crate) fn record(state: &mut State, entry: &Entry) -> io::Result<Vec<u8>> {
    match &mut state.messages.archive {
        Some(archive) => archive.record(entry),
        None => Ok(Vec::new()),
    }
}

/// Things on a page that is told by its number.
struct Page<T> {
    things: Vec<T>,
    total: usize,
    per_page: usize,
    number: usize,
}

impl<T> Page<T> {
    fn of(query: &Query, all: impl Iterator<Item = T>) -> Result<Self, Failure> {
        let per_page = query.most("perPage", 100)?;
        let number = query.number("page")?.unwrap_or(1).max(1);
        let (mut things, mut total) = (Vec::new(), 0);
        let before = per_page.saturating_mul(number - 1);
        for thing in all {
            if total >= before && things.len() < per_page {
                things.push(thing);
            }
            total += 1;
        }
        Ok(Self {
            things,
            total,
            per_page,
            number,
        })
    }

    /// The answer that shows them.
    fn written(&self, entries: &[Vec<u8>], data: ListData, switches: &Switches) -> Vec<u8> {
        let mut out = Vec::new();
        let mut answer = Object::open(&mut out);
        match data {
            ListData::Array => array(answer.field("data"), entries),
            ListData::Object => {
                let mut object = Object::open(answer.field("data"));
                for (place, entry) in entries.iter().enumerate() {
                    object.field(&place.to_string()).extend_from_slice(entry);
                }
                object.close();
            }
        }
        let total = match switches.total {
            Total::Zero => 0,
            Total::True => self.total,
        };
        let mut meta = Object::open(answer.field("meta"));
        let mut pagination = Object::open(meta.field("pagination"));
        pagination.number("total", number(total));
        pagination.number("count", number(entries.len()));
        pagination.number("per_page", number(self.per_page));
        pagination.number("current_page", number(self.number));
        pagination.number(
            "total_pages",
            number(self.total.div_ceil(self.per_page).max(1)),
        );
        pagination.close();
        let cursor = |object: &mut Object<'_>| {
            let mut cursor = Object::open(object.field("cursor"));
            cursor.number("updatedAt", 1_638_354_799);
            cursor.plain("affix", "prepend");
            cursor.close();
        };
        if switches.cursor_place == CursorPlace::Meta {
            cursor(&mut meta);
        }
        meta.close();
        if switches.cursor_place == CursorPlace::Top {
            cursor(&mut answer);
        }
        answer.close();
        out
    }
}

fn array(out: &mut Vec<u8>, entries: &[Vec<u8>]) {
    out.push(b'[');
    out.extend_from_slice(&entries.join(&b','));
    out.push(b']');
}

/// The answer that shows one thing.
fn alone(entry: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    answer.field("data").extend_from_slice(entry);
    answer.close();
    out
}

fn user_entry(user: &StoredUser, tags: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut entry = Object::open(&mut out);
    copy(&user.record, if tags { &[] } else { &["tags"] }, &mut entry);
    entry.close();
    out
}

fn group_entry(group: &StoredGroup, tags: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut entry = Object::open(&mut out);
    copy(
        &group.record,
        if tags { &[] } else { &["tags"] },
        &mut entry,
    );
    entry.number("membersCount", i64::from(group.members));
    entry.close();
    out
}

/// A message as lists show it: with both parties, and without what no sample of a list has.
fn message_entry(state: &State, record: &[u8], tags: bool, switches: &Switches) -> Vec<u8> {
    let mut hidden = vec!["data", "deliveredAt", "readAt"];
    if switches.muid_shown == MuidShown::No {
        hidden.push("muid");
    }
    if !tags {
        hidden.push("tags");
    }
    let mut out = Vec::new();
    let mut entry = Object::open(&mut out);
    copy(record, &hidden, &mut entry);
    let data = field(record, "data").map_or("{}", RawValue::get);
    let out_data = entry.field("data");
    if text_of(record, "category").as_deref() == Some("action") {
        write_json(out_data, data);
    } else {
        write_data(state, record, data, out_data);
    }
    entry.close();
    out
}

fn write_data(state: &State, record: &[u8], data: &str, out: &mut Vec<u8>) {
    let text = |name: &str| text_of(record, name).unwrap_or_default();
    let (receiver, kind) = (text("receiver"), text("receiverType"));
    let sender = state.users.get(&text("sender")).map(|user| &*user.brief);
    let party = match kind.as_str() {
        "group" => state.groups.get(&receiver).map(|group| &*group.brief),
        _ => state.users.get(&receiver).map(|user| &*user.brief),
    };
    let open = data.trim_end().strip_suffix('}').unwrap_or(data);
    write_json(out, open);
    let mut data = if open.trim_end().ends_with('{') {
        Object::reopen(out)
    } else {
        Object::resume(out)
    };
    let mut entities = Object::open(data.field("entities"));
    if let Some(sender) = sender {
        write_party(entities.field("sender"), sender, "user", None);
    }
    if let Some(party) = party {
        let conversation = text("conversationId");
        write_party(
            entities.field("receiver"),
            party,
            &kind,
            Some(&conversation),
        );
    }
    entities.close();
    data.close();
}

/// There is no such message.
fn no_message(id: &str, switches: &Switches) -> Failure {
    let code = match switches.no_message {
        NoMessage::MessageId => "ERR_MESSAGE_ID_NOT_FOUND",
        NoMessage::Msg => "ERR_MSG_NOT_FOUND",
    };
    Failure::new(code, format!("The message with id {id} does not exist."))
}

/// Copies the fields of a record but for some.
pub(crate) fn copy(record: &[u8], but: &[&str], to: &mut Object<'_>) {
    if let Ok(raw) = serde_json::from_slice::<&RawValue>(record) {
        each_field(raw, |name, value| {
            if !but.contains(&name) {
                to.json(name, value.get());
            }
        });
    }
}

/// A field of a record.
pub(crate) fn field<'a>(record: &'a [u8], wanted: &str) -> Option<&'a RawValue> {
    let mut found = None;
    let raw: &RawValue = serde_json::from_slice(record).ok()?;
    each_field(raw, |name, value| {
        if name == wanted {
            found = Some(value);
        }
    });
    found
}

/// A text in a record.
pub(crate) fn text_of(record: &[u8], name: &str) -> Option<String> {
    serde_json::from_str(field(record, name)?.get()).ok()
}

/// The hash of the id in a record.
fn id_of(record: &[u8], name: &str) -> u64 {
    hash(text_of(record, name).unwrap_or_default().as_bytes())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
