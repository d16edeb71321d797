//! The tables put together: who refers to whom, and what is between two people.

use std::collections::BTreeSet;

use crate::parts::{Files, Line, Membership, Person, Room};
use crate::seen::{Column, Kind, Seen};
use crate::tables::{Chosen, Role, candidates};
use crate::values::{Clock, addresses, yes};
use crate::words;

/// What a source is taken to hold, and why.
#[derive(Clone, Debug)]
pub struct Chat<'t> {
    pub(crate) people: People<'t>,
    pub(crate) rooms: Rooms<'t>,
    pub(crate) members: Option<Membership<'t>>,
    pub(crate) lines: Vec<Line<'t>>,
    pub(crate) files: Option<Files<'t>>,
    pub(crate) direct: Direct,
    /// Why each choice was made.
    pub reasons: Vec<Reason>,
    /// What a person has to decide, each a sentence.
    pub open: Vec<String>,
}

/// Why a choice was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What was chosen for.
    pub about: String,
    /// What was chosen.
    pub choice: String,
    /// Why.
    pub why: String,
}

/// Where people come from.
#[derive(Clone, Debug)]
pub(crate) enum People<'t> {
    Table(Box<Person<'t>>),
    /// There is no table of them: they are whoever wrote, or was written to.
    Writers,
}

/// Where conversations come from.
#[derive(Clone, Debug)]
pub(crate) enum Rooms<'t> {
    Table(Box<Room<'t>>),
    /// There is no table of them: they are what messages name.
    Named,
    /// Everybody writes to everybody.
    One,
    /// There are only messages from one person to another.
    None,
}

/// What tells conversations of two from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direct {
    /// Nothing: there are none.
    Never,
    /// The sort of conversation is one of these.
    Sort(Vec<String>),
    /// A column says so.
    Switch,
    /// A column says that it is a group, and this one is not.
    NoGroup,
    /// Two people are in it, and it has no title.
    ByNumber,
}

/// What these tables are taken to hold. `None` where no table has messages.
#[must_use]
pub fn propose<'t>(tables: &'t [Seen], chosen: &Chosen) -> Option<Chat<'t>> {
    let mut reasons = Vec::new();
    let mut find = |role: Role| -> Option<&'t Seen> {
        let found = candidates(role, tables);
        let why = |table: &str| {
            found
                .iter()
                .find(|one| one.table == table)
                .map(|one| one.why.clone())
        };
        let (table, why) = match chosen.of(role) {
            Some(None) => return None,
            Some(Some(table)) => (
                table.clone(),
                why(table).unwrap_or_else(|| "so it was said".into()),
            ),
            None => found
                .first()
                .map(|one| (one.table.clone(), one.why.clone()))?,
        };
        let table = tables.iter().find(|known| known.name == table)?;
        reasons.push(Reason {
            about: role.to_string(),
            choice: table.name.clone(),
            why,
        });
        Some(table)
    };
    let messages = find(Role::Messages)?;
    let users = find(Role::Users);
    let rooms = find(Role::Conversations);
    let members = find(Role::Members);
    let files = find(Role::Attachments);
    let mut lines = vec![Line::of(messages)?];
    lines.extend(others(tables, messages, &[users, rooms, members, files]));
    let people = match users.and_then(|table| person(table, &lines)) {
        Some(person) => People::Table(Box::new(person)),
        None => People::Writers,
    };
    let in_rooms = lines.iter().find_map(|line| line.room);
    let rooms = match (
        rooms.and_then(|table| key(table, in_rooms).map(|key| (table, key))),
        in_rooms,
    ) {
        (Some((table, key)), Some(_)) => Rooms::Table(Box::new(Room::of(table, key))),
        (_, Some(_)) => Rooms::Named,
        (_, None) if lines.iter().all(Line::is_direct) => Rooms::None,
        (_, None) => Rooms::One,
    };
    let members = members.and_then(Membership::of);
    let members = members.filter(|_| matches!(rooms, Rooms::Table(_) | Rooms::Named));
    let direct = direct(&rooms, members.is_some());
    let mut chat = Chat {
        people,
        rooms,
        members,
        lines,
        files: files.and_then(Files::of),
        direct,
        reasons,
        open: Vec::new(),
    };
    chat.explain(tables);
    Some(chat)
}

/// Tables of messages from one person to another, beside the main one.
fn others<'t>(tables: &'t [Seen], main: &Seen, used: &[Option<&Seen>]) -> Vec<Line<'t>> {
    let is_used = |table: &Seen| {
        let mut used = used.iter().flatten();
        table.name == main.name || used.any(|used| used.name == table.name)
    };
    let more = candidates(Role::Messages, tables);
    let more = more
        .iter()
        .filter_map(|one| tables.iter().find(|table| table.name == one.table));
    let lines = more.filter(|table| !is_used(table)).filter_map(Line::of);
    lines
        .filter(|line| line.is_direct() && line.sender.is_some())
        .collect()
}

fn person<'t>(table: &'t Seen, lines: &[Line<'t>]) -> Option<Person<'t>> {
    let sender = lines.iter().find_map(|line| line.sender);
    Some(Person::of(table, key(table, sender)?))
}

/// The column that a reference is to: the id, unless its values are those of another column.
fn key<'t>(table: &'t Seen, reference: Option<&Column>) -> Option<&'t Column> {
    let named = reference.map(share);
    let is_unique = |column: &&Column| {
        column.is_unique() && !column.values.is_empty() && column.kind != Kind::Nested
    };
    let best = named.and_then(|share| {
        let others = table
            .columns
            .iter()
            .filter(is_unique)
            .filter(|column| share(column) >= 0.5);
        others.max_by(|one, other| share(one).total_cmp(&share(other)))
    });
    match (table.id(), best) {
        (Some(id), Some(best)) => {
            let share = share(reference?);
            Some(if share(id) >= share(best) { id } else { best })
        }
        (Some(id), None) => Some(id),
        (None, best) => best.or_else(|| table.columns.iter().find(is_unique)),
    }
}

/// How many of a reference's values a column has.
fn share(reference: &Column) -> impl Fn(&Column) -> f64 + use<> {
    let wanted: BTreeSet<String> = reference.present().map(str::to_owned).collect();
    move |column: &Column| {
        let has = column.distinct();
        let found = wanted
            .iter()
            .filter(|value| has.contains(value.as_str()))
            .count();
        found as f64 / wanted.len().max(1) as f64
    }
}

fn direct(rooms: &Rooms<'_>, has_members: bool) -> Direct {
    let Rooms::Table(room) = rooms else {
        return Direct::Never;
    };
    if let Some(sort) = room.sort {
        let found = |known: &[&str]| -> Vec<String> {
            let values = sort.distinct().into_iter();
            let mut found: Vec<String> = values
                .filter(|value| known.contains(&value.to_lowercase().as_str()))
                .map(str::to_owned)
                .collect();
            found.sort();
            found
        };
        let sure = found(&words::BETWEEN_TWO);
        let maybe = found(&words::MAYBE_BETWEEN_TWO);
        let for_all = !found(&words::FOR_ALL).is_empty();
        if !sure.is_empty() {
            return Direct::Sort(sure);
        }
        // Beside `public`, `private` says who may join.
        if !maybe.is_empty() && !for_all {
            return Direct::Sort(maybe);
        }
    }
    match (room.direct, room.group) {
        (Some(_), _) => Direct::Switch,
        (None, Some(_)) => Direct::NoGroup,
        (None, None) if has_members => Direct::ByNumber,
        (None, None) => Direct::Never,
    }
}

impl<'t> Chat<'t> {
    /// Writes down why columns were chosen, and what is left to decide.
    fn explain(&mut self, tables: &[Seen]) {
        let mut reasons = std::mem::take(&mut self.reasons);
        let mut say = |about: &str, choice: String, why: String| {
            reasons.push(Reason {
                about: about.to_owned(),
                choice,
                why,
            });
        };
        let first = &self.lines[0];
        match &self.people {
            People::Table(person) => {
                let why = match first.sender {
                    Some(sender) if person.table.id() == Some(person.key) => {
                        format!("`{}` of messages refers to it", sender.name)
                    }
                    Some(sender) => format!("it has the values of `{}` of messages", sender.name),
                    None => "it tells people apart".into(),
                };
                say("uid", person.key.name.clone(), why);
            }
            People::Writers => say(
                "users",
                "whoever wrote".into(),
                "no table has people".into(),
            ),
        }
        if self.members.is_none() && !matches!(self.rooms, Rooms::None | Rooms::One) {
            say(
                "members",
                "whoever wrote there".into(),
                "no table says who is where".into(),
            );
        }
        match &self.rooms {
            Rooms::Table(_) => {}
            Rooms::Named => {
                let column = first.room.map_or("", |room| &room.name);
                let why = "no table has conversations".into();
                say(
                    "conversations",
                    format!("what `{column}` of messages names"),
                    why,
                );
            }
            Rooms::One => say(
                "conversations",
                "one for everybody".into(),
                "messages name none".into(),
            ),
            Rooms::None => say(
                "conversations",
                "none".into(),
                "every message goes to one person".into(),
            ),
        }
        if let Rooms::Table(room) = &self.rooms {
            let (choice, why) = match &self.direct {
                Direct::Never => ("none".into(), "nothing tells them from others".into()),
                Direct::Sort(values) => {
                    let sort = room.sort.map_or("", |sort| &sort.name);
                    (values.join(", "), format!("values of `{sort}`"))
                }
                Direct::Switch => (column(room.direct), "it says so".into()),
                Direct::NoGroup => (format!("not `{}`", column(room.group)), "it says so".into()),
                Direct::ByNumber => (
                    "two people and no title".into(),
                    "no column tells sorts of conversations apart".into(),
                ),
            };
            say("conversations of two", choice, why);
        }
        for line in &self.lines {
            if line.is_direct() {
                let to = line.receiver.map_or("", |to| &to.name);
                let why = format!("each goes to one person, by `{to}`");
                say("messages of two", line.table.name.clone(), why);
            }
            if let Some(sent) = line.sent {
                let clock = Clock::of(sent).map_or("no values to tell by".into(), Clock::in_words);
                say(
                    "sentAt",
                    format!("{}.{}", line.table.short(), sent.name),
                    clock,
                );
            }
        }
        self.reasons = reasons;
        self.ask(tables);
    }

    fn ask(&mut self, tables: &[Seen]) {
        let mut open = Vec::new();
        for line in &self.lines {
            let table = &line.table.name;
            if line.sender.is_none() {
                open.push(format!(
                    "no column of {table} says who wrote: all of it is by `deleted-account` until `sender` says"
                ));
            }
            if line.sent.is_none() {
                open.push(format!(
                    "no column of {table} says when it was written: `sentAt` is null until you say, and so \
                     every message is rejected"
                ));
            }
            if let Some(Clock::Form(form)) = line.sent.and_then(Clock::of)
                && form.contains('/')
                && !form.starts_with("%Y")
            {
                open.push(format!(
                    "times of {table} are read as {form}: is it the day or the month that comes first?"
                ));
            }
            if line.sent.and_then(Clock::of) == Some(Clock::Iso) {
                open.push(format!(
                    "times of {table} that have no offset are taken for UTC: \
                     `unix_seconds(..., 'Europe/Berlin')` reads them in another zone"
                ));
            }
            if let Some(sort) = line.sort {
                let mut values: Vec<&str> = sort.distinct().into_iter().collect();
                values.sort_unstable();
                let values = values.join(", ");
                if values.is_empty() {
                    continue;
                }
                open.push(format!(
                    "`{}` of {table} is {values}: all but what the application wrote by itself is carried over \
                     as text or as a file",
                    sort.name
                ));
            }
        }
        if self.paths() {
            open.push(
                "some addresses of files and pictures begin with `/`: `web_server` under [variables] is put \
                 before them; write yours"
                    .into(),
            );
        }
        for one in candidates(Role::Reactions, tables) {
            open.push(format!(
                "{} are left behind: the import API has no field for them",
                one.table
            ));
        }
        if let People::Table(person) = &self.people
            && person.names.is_empty()
            && person.halves.is_none()
        {
            open.push(format!(
                "no column of {} has names: people are called by `{}`",
                person.table.name, person.key.name
            ));
        }
        self.open = open;
    }

    /// Whether some addresses are paths of a server.
    pub(crate) fn paths(&self) -> bool {
        let person = match &self.people {
            People::Table(person) => person.picture,
            People::Writers => None,
        };
        let files = self.files.as_ref().map(|files| files.url);
        let urls = self.lines.iter().map(|line| line.url);
        let mut all = urls.chain([person, files]).flatten();
        all.any(|column| addresses(column) == Some(true))
    }

    /// The tables that are carried over.
    #[must_use]
    pub fn tables(&self) -> Vec<&str> {
        let mut tables: Vec<&str> = self
            .lines
            .iter()
            .map(|line| line.table.name.as_str())
            .collect();
        if let People::Table(person) = &self.people {
            tables.push(&person.table.name);
        }
        if let Rooms::Table(room) = &self.rooms {
            tables.push(&room.table.name);
        }
        tables.extend(
            self.members
                .iter()
                .map(|members| members.table.name.as_str()),
        );
        tables.extend(self.files.iter().map(|files| files.table.name.as_str()));
        tables
    }
}

fn column(column: Option<&Column>) -> String {
    column.map_or(String::new(), |column| column.name.clone())
}

/// What says that something is deleted, by a switch or by a time, in SQL.
pub(crate) fn is_gone(column: &Column, sql: &str) -> String {
    if let Some(yes) = yes(column, sql) {
        return yes;
    }
    match column.kind {
        Kind::Whole | Kind::Number => format!("coalesce({sql}, 0) <> 0"),
        Kind::Text => format!("coalesce(trim({sql}), '') <> ''"),
        _ => format!("{sql} IS NOT NULL"),
    }
}
