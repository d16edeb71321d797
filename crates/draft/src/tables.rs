//! What each table is for.

use std::fmt;

use crate::columns::{find, find_exactly, is_name, is_writing, may_be_time, refers};
use crate::seen::{Column, Seen};
use crate::words;

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The people.
    Users,
    /// Where they talk.
    Conversations,
    /// Who is where.
    Members,
    /// What they wrote.
    Messages,
    /// What belongs to messages.
    Attachments,
    /// What people thought of messages.
    Reactions,
}

impl Role {
    /// Those that a person may choose a table for.
    pub const ALL: [Self; 4] = [
        Self::Users,
        Self::Conversations,
        Self::Members,
        Self::Messages,
    ];

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Users => words::PERSON,
            Self::Conversations => words::ROOM,
            Self::Members => words::MEMBER,
            Self::Messages => words::MESSAGE,
            Self::Attachments => words::FILE,
            Self::Reactions => words::REACTION,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Users => "users",
            Self::Conversations => "conversations",
            Self::Members => "members",
            Self::Messages => "messages",
            Self::Attachments => "attachments",
            Self::Reactions => "reactions",
        })
    }
}

/// What a person said of the tables: the table for a role, or that there is none.
#[derive(Clone, Debug, Default)]
pub struct Chosen(Vec<(Role, Option<String>)>);

impl Chosen {
    /// With this table for the role, or with none.
    pub fn choose(&mut self, role: Role, table: Option<String>) {
        self.0.retain(|(known, _)| *known != role);
        self.0.push((role, table));
    }

    /// What was said of a role.
    #[must_use]
    pub fn of(&self, role: Role) -> Option<&Option<String>> {
        let mut said = self.0.iter();
        said.find_map(|(known, table)| (*known == role).then_some(table))
    }
}

/// A table that may be the one for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The table.
    pub table: String,
    /// How much speaks for it.
    pub score: i32,
    /// What speaks for it.
    pub why: String,
}

/// The tables that may be for a role, the best first.
#[must_use]
pub fn candidates(role: Role, tables: &[Seen]) -> Vec<Candidate> {
    let mut all: Vec<(Candidate, u64)> = tables
        .iter()
        .filter_map(|table| {
            let (score, why) = score(role, table)?;
            let table_name = table.name.clone();
            let candidate = Candidate {
                table: table_name,
                score,
                why,
            };
            Some((candidate, table.rows.unwrap_or(0)))
        })
        .collect();
    // Of two that are alike, the one that is used.
    all.sort_by(|(one, rows), (other, others)| {
        (other.score, others)
            .cmp(&(one.score, rows))
            .then(one.table.cmp(&other.table))
    });
    all.into_iter().map(|(candidate, _)| candidate).collect()
}

/// What a name says, and how plainly.
fn named(table: &Seen) -> Option<(Role, i32)> {
    let words = table.words();
    let is = |word: &str, role: Role| role.words().iter().any(|known| words::is(word, known));
    let all = |role: Role| words.iter().any(|word| is(word, role));
    let written = body(table).is_some() && sender(table).is_some();
    let others = [Role::Members, Role::Attachments, Role::Reactions];
    let is_written = words.last().is_some_and(|last| is(last, Role::Messages));
    let is_both = all(Role::Users) && all(Role::Conversations);
    let refers_to_both = room(table).is_some() && person(table).is_some();
    if is_both && refers_to_both && !is_written && !others.into_iter().any(all) {
        return Some((Role::Members, 5));
    }
    for (back, word) in words.iter().rev().enumerate() {
        let order = match written {
            true => [
                Role::Reactions,
                Role::Attachments,
                Role::Messages,
                Role::Members,
                Role::Conversations,
                Role::Users,
            ],
            false => [
                Role::Reactions,
                Role::Attachments,
                Role::Members,
                Role::Conversations,
                Role::Messages,
                Role::Users,
            ],
        };
        if let Some(role) = order.into_iter().find(|role| is(word, *role)) {
            return Some((role, if back == 0 { 5 } else { 2 }));
        }
    }
    None
}

fn score(role: Role, table: &Seen) -> Option<(i32, String)> {
    let named = named(table);
    let mut why = Vec::new();
    let mut score = 0;
    if let Some((_, worth)) = named.filter(|(says, _)| *says == role) {
        score += worth;
        why.push("its name".to_owned());
    }
    let is_other = named.is_some_and(|(says, worth)| says != role && worth > 2);
    let mut has = |column: Option<&Column>, what: &str, worth: i32| {
        if let Some(column) = column {
            score += worth;
            why.push(format!("{what} `{}`", column.name));
        }
        column.is_some()
    };
    let least = match role {
        Role::Users => {
            let names = find(table, words::NAME, is_name);
            has(names, "the name", 2);
            has(find(table, words::PICTURE, |_| true), "the picture", 1);
            if has(
                body(table).filter(|_| sender(table).is_some()),
                "but the text",
                -6,
            ) || is_other
            {
                return None;
            }
            5
        }
        Role::Conversations => {
            has(table.id(), "the id", 1);
            has(find(table, words::TITLE, is_name), "the title", 1);
            if sender(table).is_some() && body(table).is_some() || is_other {
                return None;
            }
            5
        }
        Role::Members => {
            let both =
                has(person(table), "the person", 2) && has(room(table), "the conversation", 2);
            if !both || is_other || body(table).is_some_and(|body| body.name != "note") {
                return None;
            }
            4
        }
        Role::Messages => {
            let is_written = has(body(table), "the text", 3);
            has(sender(table), "the sender", 1);
            has(sent(table), "the time", 1);
            let (place, to) = (room(table), receiver(table));
            has(place.or(to), "where it was written", 1);
            if !is_written || is_other {
                return None;
            }
            5
        }
        Role::Attachments => {
            has(message(table), "the message", 2);
            has(find(table, words::URL, is_writing), "the address", 2);
            if message(table).is_none() || is_other {
                return None;
            }
            6
        }
        Role::Reactions => {
            has(message(table), "the message", 2);
            if message(table).is_none() || is_other {
                return None;
            }
            6
        }
    };
    if table.rows == Some(0) {
        score -= 1;
    }
    (score >= least).then(|| (score, why.join(", ")))
}

/// The column with what somebody wrote.
pub(crate) fn body(table: &Seen) -> Option<&Column> {
    find(table, words::BODY, is_writing)
}

/// The column with who wrote it.
pub(crate) fn sender(table: &Seen) -> Option<&Column> {
    let is_text = body(table).map(|body| body.name.clone());
    let receiver = find_exactly(table, words::RECEIVER, refers).map(|column| column.name.clone());
    let is_other = |column: &Column| {
        is_text.as_ref() == Some(&column.name) || receiver.as_ref() == Some(&column.name)
    };
    find(table, words::SENDER, |column| {
        refers(column) && !is_other(column)
    })
}

/// The column with whom it was written to.
pub(crate) fn receiver(table: &Seen) -> Option<&Column> {
    find_exactly(table, words::RECEIVER, refers)
}

/// The column with when it was written.
pub(crate) fn sent(table: &Seen) -> Option<&Column> {
    find(table, words::SENT, may_be_time)
}

/// The column with the conversation.
pub(crate) fn room(table: &Seen) -> Option<&Column> {
    let own = table.id().map(|id| id.name.clone());
    find(table, words::IN_ROOM, |column| {
        refers(column) && own.as_ref() != Some(&column.name)
    })
}

/// The column with a person.
pub(crate) fn person(table: &Seen) -> Option<&Column> {
    let room = room(table).map(|room| room.name.clone());
    let fits = |column: &Column| refers(column) && room.as_ref() != Some(&column.name);
    let words: Vec<&str> = words::PERSON.iter().chain(words::MEMBER).copied().collect();
    find(table, &words, fits)
}

/// The column with the message that something belongs to.
pub(crate) fn message(table: &Seen) -> Option<&Column> {
    let own = table.id().map(|id| id.name.clone());
    find(table, words::MESSAGE, |column| {
        refers(column) && own.as_ref() != Some(&column.name)
    })
}
