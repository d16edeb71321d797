//! Which columns of a table are what.

use crate::columns::{find, is_name, is_time, may_be_time, refers};
use crate::seen::{Column, Kind, Seen};
use crate::tables::{body, message, person, receiver, room, sender, sent};
use crate::values::{addresses, yes};
use crate::words;

/// People.
#[derive(Clone, Debug)]
pub(crate) struct Person<'t> {
    pub(crate) table: &'t Seen,
    /// What others refer to them by.
    pub(crate) key: &'t Column,
    /// What they are called; the first that is not empty.
    pub(crate) names: Vec<&'t Column>,
    /// First and last name, where that is two columns.
    pub(crate) halves: Option<(&'t Column, &'t Column)>,
    pub(crate) picture: Option<&'t Column>,
    pub(crate) created: Option<&'t Column>,
    pub(crate) seen: Option<&'t Column>,
    pub(crate) deleted: Option<&'t Column>,
    pub(crate) robot: Option<&'t Column>,
}

impl<'t> Person<'t> {
    pub(crate) fn of(table: &'t Seen, key: &'t Column) -> Self {
        let first = find(table, words::FIRST, is_name);
        let halves = first.zip(find(table, words::LAST, is_name));
        let is_half =
            |column: &Column| halves.is_some_and(|(one, other)| column == one || column == other);
        let shown = find(table, words::NAME, |column| {
            is_name(column) && !is_half(column)
        });
        let login = &[
            "username",
            "login",
            "nick",
            "nickname",
            "handle",
            "benutzername",
            "alias",
        ];
        let login = find(table, login, is_name).filter(|login| Some(*login) != shown);
        Self {
            table,
            key,
            names: shown.into_iter().chain(login).collect(),
            halves,
            picture: find(table, words::PICTURE, |column| column.kind == Kind::Text),
            created: find(table, words::CREATED, may_be_time),
            seen: find(table, words::SEEN, is_time),
            deleted: find(table, words::DELETED, |column| {
                is_switch(column) || is_time(column)
            }),
            robot: find(table, words::ROBOT, is_switch),
        }
    }
}

/// Conversations.
#[derive(Clone, Debug)]
pub(crate) struct Room<'t> {
    pub(crate) table: &'t Seen,
    pub(crate) key: &'t Column,
    pub(crate) title: Option<&'t Column>,
    pub(crate) owner: Option<&'t Column>,
    pub(crate) created: Option<&'t Column>,
    pub(crate) sort: Option<&'t Column>,
    /// Whether it is between two.
    pub(crate) direct: Option<&'t Column>,
    /// Whether it is of more.
    pub(crate) group: Option<&'t Column>,
    /// Whether not everybody may join.
    pub(crate) hidden: Option<&'t Column>,
}

impl<'t> Room<'t> {
    pub(crate) fn of(table: &'t Seen, key: &'t Column) -> Self {
        let is_sort = |column: &Column| {
            let few = column.distinct().len();
            matches!(column.kind, Kind::Text | Kind::Whole) && (1..=12).contains(&few)
        };
        Self {
            table,
            key,
            title: find(table, words::TITLE, is_name),
            owner: find(table, words::OWNER, |column| {
                refers(column) && column != key
            }),
            created: find(table, words::CREATED, may_be_time),
            sort: find(table, words::SORT, is_sort),
            direct: find(table, words::DIRECT, is_switch),
            group: find(table, words::IS_GROUP, is_switch),
            hidden: find(table, words::HIDDEN, is_switch),
        }
    }
}

/// Who is where.
#[derive(Clone, Debug)]
pub(crate) struct Membership<'t> {
    pub(crate) table: &'t Seen,
    pub(crate) room: &'t Column,
    pub(crate) person: &'t Column,
    pub(crate) rank: Option<&'t Column>,
    pub(crate) joined: Option<&'t Column>,
    pub(crate) left: Option<&'t Column>,
}

impl<'t> Membership<'t> {
    pub(crate) fn of(table: &'t Seen) -> Option<Self> {
        let (room, person) = room(table).zip(person(table))?;
        let is_own = |column: &Column| column == room || column == person;
        let is_rank = |column: &Column| !is_own(column) && (is_name(column) || is_switch(column));
        Some(Self {
            table,
            room,
            person,
            rank: find(table, words::RANK, is_rank),
            joined: find(table, words::JOINED, is_time),
            left: find(table, words::LEFT, |column| {
                is_switch(column) || may_be_time(column)
            }),
        })
    }
}

/// What people wrote.
#[derive(Clone, Debug)]
pub(crate) struct Line<'t> {
    pub(crate) table: &'t Seen,
    pub(crate) id: Option<&'t Column>,
    pub(crate) body: &'t Column,
    pub(crate) sender: Option<&'t Column>,
    pub(crate) room: Option<&'t Column>,
    pub(crate) receiver: Option<&'t Column>,
    pub(crate) sent: Option<&'t Column>,
    pub(crate) edited: Option<&'t Column>,
    pub(crate) deleted: Option<&'t Column>,
    pub(crate) sort: Option<&'t Column>,
    pub(crate) parent: Option<&'t Column>,
    /// The address of what is attached.
    pub(crate) url: Option<&'t Column>,
}

impl<'t> Line<'t> {
    pub(crate) fn of(table: &'t Seen) -> Option<Self> {
        let body = body(table)?;
        let (sender, receiver) = (sender(table), receiver(table));
        let room = room(table).filter(|room| Some(*room) != sender && Some(*room) != receiver);
        let used = [Some(body), sender, receiver, room, table.id()];
        let is_free = |column: &Column| !used.contains(&Some(column));
        let is_sort =
            |column: &Column| is_name(column) && is_free(column) && column.distinct().len() <= 20;
        Some(Self {
            table,
            id: table.id(),
            body,
            sender,
            room,
            receiver,
            sent: sent(table),
            edited: find(table, words::EDITED, is_time),
            deleted: find(table, words::DELETED, |column| {
                is_switch(column) || may_be_time(column)
            }),
            sort: find(table, words::SORT, is_sort),
            parent: find(table, words::PARENT, |column| {
                refers(column) && is_free(column)
            }),
            url: find(table, words::URL, |column| {
                is_free(column) && addresses(column).is_some()
            }),
        })
    }

    /// Whether each line goes to one person, and never to a conversation.
    pub(crate) fn is_direct(&self) -> bool {
        self.receiver.is_some() && self.room.is_none()
    }
}

/// What is attached to lines.
#[derive(Clone, Debug)]
pub(crate) struct Files<'t> {
    pub(crate) table: &'t Seen,
    pub(crate) message: &'t Column,
    pub(crate) id: Option<&'t Column>,
    pub(crate) url: &'t Column,
    pub(crate) name: Option<&'t Column>,
    pub(crate) media_type: Option<&'t Column>,
    pub(crate) bytes: Option<&'t Column>,
}

impl<'t> Files<'t> {
    pub(crate) fn of(table: &'t Seen) -> Option<Self> {
        let message = message(table)?;
        let url = find(table, words::URL, |column| addresses(column).is_some())?;
        Some(Self {
            table,
            message,
            id: table.id(),
            url,
            name: find(table, words::FILE_NAME, is_name).filter(|name| *name != url),
            media_type: find(table, words::MEDIA_TYPE, is_name),
            bytes: find(table, words::BYTES, |column| column.kind == Kind::Whole),
        })
    }
}

/// Whether a column says yes or no.
pub(crate) fn is_switch(column: &Column) -> bool {
    yes(column, "x").is_some()
}
