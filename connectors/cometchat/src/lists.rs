//! How what the app holds is listed, page after page.
//!
//! Users, groups and members come in numbered pages; messages are walked from one to the next.
//! `total` is never believed: a list ends with an empty page, or, for the many lists of members,
//! with one that is not full. Data may be an array or an object, and what comes next may stand in
//! several places ("Chat APIs").

use std::fmt::Write;

use chatferry_core::{Cursor, Entity, Item, Page};
use serde_json::Value;

use crate::contents;

/// Entries asked for at once: the most that the API gives.
const ENTRIES: usize = 1_000;

/// Which page of which list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Users or groups, from page 1 on.
    Numbered(Entity, u64),
    /// Members of a group, or those who are banned from it, from page 1 on.
    Members {
        guid: String,
        banned: bool,
        page: u64,
    },
    /// Messages from the first one on, begun in one of several ways.
    Start(usize),
    /// Messages after one of them.
    After(String),
}

/// How a walk over all messages may begin. Which of these works is not documented; each is tried
/// until one gives a message.
const STARTS: [&str; 3] = ["&id=0", "&fromTimestamp=1", ""];

impl Place {
    /// Where a list begins, or goes on.
    pub(crate) fn of(entity: Entity, within: Option<&str>, from: Option<&Cursor>) -> Self {
        let cursor = from.map(|cursor| cursor.0.as_str());
        let number = |text: &str| text.parse().unwrap_or(1);
        match entity {
            Entity::Users | Entity::Groups => Self::Numbered(entity, cursor.map_or(1, number)),
            Entity::Members => {
                let (banned, page) = match cursor.and_then(|cursor| cursor.split_once(' ')) {
                    Some((list, page)) => (list == "banned", number(page)),
                    None => (false, 1),
                };
                Self::Members {
                    guid: within.unwrap_or_default().to_owned(),
                    banned,
                    page,
                }
            }
            Entity::Messages => {
                match cursor.map(|cursor| (cursor.strip_prefix("start "), cursor)) {
                    None => Self::Start(0),
                    Some((Some(start), _)) => Self::Start(start.parse().unwrap_or(0)),
                    Some((None, after)) => Self::After(after.to_owned()),
                }
            }
        }
    }

    fn cursor(&self) -> Cursor {
        Cursor(match self {
            Self::Numbered(_, page) => page.to_string(),
            Self::Members {
                banned: false,
                page,
                ..
            } => format!("members {page}"),
            Self::Members {
                banned: true, page, ..
            } => format!("banned {page}"),
            Self::Start(start) => format!("start {start}"),
            Self::After(after) => after.clone(),
        })
    }

    /// The path of the page below the base URL.
    pub(crate) fn path(&self) -> String {
        let messages = format!(
            "/messages?limit={ENTRIES}&affix=append&categories=message,custom&withTags=true"
        );
        match self {
            Self::Numbered(Entity::Groups, page) => {
                format!("/groups?perPage={ENTRIES}&page={page}&sortBy=guid&sortOrder=asc")
            }
            Self::Numbered(_, page) => {
                format!("/users?perPage={ENTRIES}&page={page}&withDeactivated=true&withTags=true")
            }
            Self::Members { guid, banned, page } => {
                let list = if *banned { "bannedusers" } else { "members" };
                format!(
                    "/groups/{}/{list}?perPage={ENTRIES}&page={page}",
                    escaped(guid)
                )
            }
            Self::Start(start) => {
                format!(
                    "{messages}{}",
                    STARTS.get(*start).copied().unwrap_or_default()
                )
            }
            Self::After(after) => format!("{messages}{after}"),
        }
    }

    /// What to ask for when this page is not there. A group that is not there has no members
    /// either; a walk over messages may begin otherwise.
    pub(crate) fn absent(&self) -> Page {
        Page {
            items: Vec::new(),
            next: self.begin_otherwise(),
        }
    }

    fn begin_otherwise(&self) -> Option<Cursor> {
        match self {
            Self::Start(start) if start + 1 < STARTS.len() => Some(Self::Start(start + 1).cursor()),
            _ => None,
        }
    }

    /// What is on the page, and where the list goes on.
    pub(crate) fn read(&self, answer: &Value) -> Page {
        let entries = entries(answer);
        let item = |json: &&Value| -> Option<Item> {
            match self {
                Self::Numbered(entity, _) => contents::item(*entity, json),
                Self::Members { guid, banned, .. } => contents::member(guid, *banned, json),
                Self::Start(_) | Self::After(_) => contents::item(Entity::Messages, json),
            }
        };
        Page {
            items: entries.iter().filter_map(item).collect(),
            next: self.next(answer, &entries),
        }
    }

    fn next(&self, answer: &Value, entries: &[&Value]) -> Option<Cursor> {
        match self {
            Self::Start(_) if entries.is_empty() => self.begin_otherwise(),
            Self::Members { guid, banned, page } => {
                let is_full = entries.len() >= most(answer);
                let (guid, page) = (guid.clone(), if is_full { page + 1 } else { 1 });
                let next = |banned| Self::Members { guid, banned, page };
                match (*banned, is_full) {
                    (banned, true) => Some(next(banned).cursor()),
                    (false, false) => Some(next(true).cursor()),
                    (true, false) => None,
                }
            }
            _ if entries.is_empty() => None,
            Self::Numbered(entity, page) => Some(Self::Numbered(*entity, page + 1).cursor()),
            Self::Start(_) | Self::After(_) => {
                Some(Self::After(after(answer, entries.last())).cursor())
            }
        }
    }
}

/// How many entries the page could have had.
fn most(answer: &Value) -> usize {
    let told = answer
        .pointer("/meta/pagination/per_page")
        .and_then(Value::as_u64);
    let told = told.and_then(|most| usize::try_from(most).ok());
    told.filter(|most| *most > 0)
        .map_or(ENTRIES, |most| most.min(ENTRIES))
}

/// The entries of a list. Groups come in an object at times; one sample of that has the last of
/// them spread out in it.
fn entries(answer: &Value) -> Vec<&Value> {
    match answer.get("data") {
        Some(Value::Array(entries)) => entries.iter().collect(),
        Some(data @ Value::Object(fields)) => {
            let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
            let mut entries: Vec<(u64, &Value)> = fields
                .iter()
                .filter(|(name, value)| is_number(name) && value.is_object())
                .map(|(name, value)| (name.parse().unwrap_or(u64::MAX), value))
                .collect();
            entries.sort_by_key(|(place, _)| *place);
            let is_entry = ["guid", "uid", "id"]
                .iter()
                .any(|id| fields.contains_key(*id));
            let entries = entries.into_iter().map(|(_, value)| value);
            entries.chain(is_entry.then_some(data)).collect()
        }
        _ => Vec::new(),
    }
}

/// The parameters that lead to the messages after those of this answer: as it says, in one of the
/// places where that was seen, or after its last message.
fn after(answer: &Value, last: Option<&&Value>) -> String {
    let told = ["/meta/next", "/meta/cursor", "/cursor"];
    let told = told.iter().filter_map(|place| answer.pointer(place));
    let from = told
        .chain(last.copied())
        .find(|from| from.get("id").is_some());
    let mut parameters = String::new();
    for name in ["id", "sentAt"] {
        match from.and_then(|from| from.get(name)) {
            Some(Value::String(text)) => {
                let _ = write!(parameters, "&{name}={}", escaped(text));
            }
            Some(Value::Number(number)) => {
                let _ = write!(parameters, "&{name}={number}");
            }
            _ => {}
        }
    }
    parameters
}

/// A text as a part of an address.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}
