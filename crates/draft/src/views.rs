//! The views of a draft: who wrote where, each with what it refers to beside it.

use std::fmt::Write;

use crate::chat::{Chat, Direct, People, Rooms};
use crate::parts::Line;
use crate::seen::{Column, Kind};
use crate::sql::{name, of, table, text};
use crate::values::yes;
use crate::words;

/// A view: what it is called, what there is to say of it, and its SQL.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) about: &'static str,
    pub(crate) sql: String,
}

/// Whom or what others refer to: where it is, and the column.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// As a flow names it.
    pub(crate) table: String,
    /// As SQL names it.
    from: String,
    pub(crate) key: String,
    kind: Kind,
}

/// The views of a chat.
#[derive(Clone, Debug)]
pub(crate) struct Views<'c> {
    chat: &'c Chat<'c>,
    pub(crate) people: Known,
    pub(crate) rooms: Option<Known>,
}

impl<'c> Views<'c> {
    pub(crate) fn of(chat: &'c Chat<'c>) -> Self {
        let people = match &chat.people {
            People::Table(person) => Known {
                table: person.table.name.clone(),
                from: table(&person.table.name),
                key: person.key.name.clone(),
                kind: person.key.kind,
            },
            People::Writers => Known::made("people"),
        };
        let rooms = match &chat.rooms {
            Rooms::Table(room) => Some(Known {
                key: room.key.name.clone(),
                kind: room.key.kind,
                ..Known::made("rooms")
            }),
            Rooms::Named | Rooms::One => Some(Known::made("rooms")),
            Rooms::None => None,
        };
        Self {
            chat,
            people,
            rooms,
        }
    }

    /// All of them, in an order in which they can be read.
    pub(crate) fn all(&self) -> Vec<View> {
        let mut views = Vec::new();
        let mut add = |name: &str, about: &'static str, sql: Option<String>| {
            let name = name.to_owned();
            views.extend(sql.map(|sql| View { name, about, sql }));
        };
        add("people", "Whoever wrote something.", self.writers());
        add("pairs", "The two people of a conversation.", self.pairs());
        add(
            "rooms",
            "Conversations, with what is between two told apart.",
            self.places(),
        );
        add("memberships", "Who is where.", self.memberships());
        add(
            "files",
            "What is attached, counted for each message.",
            self.files(),
        );
        for (number, line) in self.chat.lines.iter().enumerate() {
            let about =
                "Messages, with who wrote them, where, and to whom: as far as these are there.";
            add(&view_of(number), about, Some(self.lines(line)));
        }
        add(
            "placeholder",
            "Who stands in for writers of whom nothing is left.",
            self.placeholder(),
        );
        views
    }

    /// Whether some conversations are between two.
    pub(crate) fn has_pairs(&self) -> bool {
        self.chat.direct != Direct::Never
    }

    fn writers(&self) -> Option<String> {
        if let People::Table(_) = self.chat.people {
            return None;
        }
        let mut all = Vec::new();
        for line in &self.chat.lines {
            for column in line.sender.iter().chain(&line.receiver) {
                let (from, column) = (table(&line.table.name), as_text(column, name(&column.name)));
                all.push(format!(
                    "SELECT {column} AS id FROM {from} WHERE {column} <> ''"
                ));
            }
        }
        Some(match all.as_slice() {
            [] => "SELECT 'nobody' AS id".into(),
            [one] => one.replacen("SELECT", "SELECT DISTINCT", 1),
            all => all.join("\nUNION\n"),
        })
    }

    fn pairs(&self) -> Option<String> {
        if !self.has_pairs() {
            return None;
        }
        let (from, room, person) = match &self.chat.members {
            Some(members) => (members.table, members.room, members.person),
            None => {
                let mut lines = self.chat.lines.iter();
                let line = lines.find(|line| line.room.is_some() && line.sender.is_some())?;
                (line.table, line.room?, line.sender?)
            }
        };
        let (from, room, person) = (table(&from.name), name(&room.name), name(&person.name));
        let two = match self.chat.direct {
            Direct::ByNumber => format!(" HAVING count(DISTINCT {person}) = 2"),
            _ => String::new(),
        };
        Some(format!(
            "SELECT {room} AS room, min({person}) AS one, max({person}) AS another\nFROM {from} GROUP BY {room}{two}"
        ))
    }

    /// Whether the views of conversations have their two people.
    fn joins_pairs(&self) -> bool {
        self.pairs().is_some()
    }

    fn places(&self) -> Option<String> {
        let room = match &self.chat.rooms {
            Rooms::Table(room) => room,
            Rooms::Named => {
                let mut all = Vec::new();
                for line in &self.chat.lines {
                    if let Some(room) = line.room {
                        let (from, column) =
                            (table(&line.table.name), as_text(room, name(&room.name)));
                        all.push(format!(
                            "SELECT DISTINCT {column} AS id FROM {from} WHERE {column} <> ''"
                        ));
                    }
                }
                return Some(all.join("\nUNION\n"));
            }
            Rooms::One => return Some("SELECT 'everybody' AS id, 'Everybody' AS name".into()),
            Rooms::None => return None,
        };
        let mut select = "SELECT c.*".to_owned();
        let mut joins = String::new();
        let key = of("c", &room.key.name);
        if self.joins_pairs() {
            let pair = "p.one, p.another";
            let _ = write!(select, ", {pair}");
            let _ = write!(joins, "\nLEFT JOIN pairs p ON p.room = {key}");
        }
        let is_direct = match &self.chat.direct {
            Direct::Never => None,
            Direct::Sort(values) => room.sort.map(|sort| {
                let values: Vec<String> = values.iter().map(|value| text(value)).collect();
                let sort = of("c", &sort.name);
                format!("coalesce({sort} IN ({}), false)", values.join(", "))
            }),
            Direct::Switch => room
                .direct
                .and_then(|column| yes(column, &of("c", &column.name))),
            Direct::NoGroup => {
                let group = room
                    .group
                    .and_then(|column| yes(column, &of("c", &column.name)));
                group.map(|group| format!("NOT {group}"))
            }
            Direct::ByNumber => Some(match room.title {
                Some(title) => {
                    let title = of("c", &title.name);
                    format!("p.room IS NOT NULL AND coalesce(trim({title}), '') = ''")
                }
                None => "p.room IS NOT NULL".into(),
            }),
        };
        if let Some(is_direct) = is_direct {
            let _ = write!(select, ",\n       {is_direct} AS of_two");
        }
        if let Some(owner) = room.owner {
            let known = of("o", &self.people.key);
            let _ = write!(select, ", {known} AS owned_by");
            let same = self.is_person("o", "c", owner);
            let _ = write!(joins, "\nLEFT JOIN {} o ON {same}", self.people.from);
        }
        Some(format!(
            "{select}\nFROM {} c{joins}",
            table(&room.table.name)
        ))
    }

    fn memberships(&self) -> Option<String> {
        let rooms = self.rooms.as_ref()?;
        let Some(members) = &self.chat.members else {
            let of_two = if self.has_pairs() {
                " AND NOT of_two"
            } else {
                ""
            };
            let lines = self
                .chat
                .lines
                .iter()
                .enumerate()
                .filter(|(_, line)| !line.is_direct());
            let lines = lines.map(|(number, _)| {
                format!(
                    "SELECT DISTINCT in_room, who FROM {} WHERE in_room IS NOT NULL AND who IS NOT NULL{of_two}",
                    view_of(number)
                )
            });
            return Some(lines.collect::<Vec<_>>().join("\nUNION\n"));
        };
        let mut select = format!(
            "SELECT j.*, {} AS in_room, {} AS who",
            of("r", &rooms.key),
            of("u", &self.people.key)
        );
        if self.has_pairs() {
            select.push_str(", r.of_two");
        }
        if let Rooms::Table(room) = &self.chat.rooms
            && let Some(created) = room.created
        {
            let _ = write!(select, ",\n       {} AS room_made", of("r", &created.name));
        }
        if let People::Table(person) = &self.chat.people
            && let Some(created) = person.created
        {
            let _ = write!(select, ", {} AS person_made", of("u", &created.name));
        }
        Some(format!(
            "{select}\nFROM {} j\nLEFT JOIN rooms r ON {}\nLEFT JOIN {} u ON {}",
            table(&members.table.name),
            self.is_room("r", "j", members.room),
            self.people.from,
            self.is_person("u", "j", members.person)
        ))
    }

    fn files(&self) -> Option<String> {
        let files = self.chat.files.as_ref()?;
        let order = files.id.unwrap_or(files.url);
        Some(format!(
            "SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {}) AS part\nFROM {}",
            name(&files.message.name),
            name(&order.name),
            table(&files.table.name)
        ))
    }

    fn lines(&self, line: &Line<'_>) -> String {
        let mut select = "SELECT m.*".to_owned();
        let mut joins = String::new();
        let sender = line.sender.map(|sender| of("m", &sender.name));
        match line.sender {
            Some(sender) => {
                let _ = write!(select, ", {} AS who", of("s", &self.people.key));
                let same = self.is_person("s", "m", sender);
                let _ = write!(joins, "\nLEFT JOIN {} s ON {same}", self.people.from);
            }
            None => select.push_str(", CAST(NULL AS VARCHAR) AS who"),
        }
        let pairs = self.joins_pairs();
        if let (Some(rooms), Some(room)) = (&self.rooms, line.room) {
            let _ = write!(select, ", {} AS in_room", of("r", &rooms.key));
            let same = self.is_room("r", "m", room);
            let _ = write!(joins, "\nLEFT JOIN rooms r ON {same}");
        } else if let (Some(_), false) = (&self.rooms, line.is_direct()) {
            select.push_str(", 'everybody' AS in_room");
        }
        let other = match (&sender, line.room.is_some() && pairs) {
            (Some(sender), true) => {
                let sender = match line.sender {
                    Some(column) if self.pair_is_text(column) => {
                        format!("CAST({sender} AS VARCHAR)")
                    }
                    _ => sender.clone(),
                };
                Some(format!(
                    "CASE WHEN {sender} = r.one THEN r.another ELSE r.one END"
                ))
            }
            _ => None,
        };
        let receiver = line.receiver.map(|receiver| {
            let written = of("m", &receiver.name);
            match receiver.kind == Kind::Text {
                true => format!("nullif({written}, '')"),
                false => written,
            }
        });
        let to = match (&receiver, &other) {
            (Some(receiver), Some(other)) => Some(format!("coalesce({receiver}, {other})")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        };
        if let Some(to) = to {
            let known = of("o", &self.people.key);
            let _ = write!(select, ",\n       {known} AS to_whom");
            let kind = line.receiver.or(line.sender).map(|column| column.kind);
            let same = self.people.same("o", &to, kind.unwrap_or(Kind::Text));
            let _ = write!(joins, "\nLEFT JOIN {} o\n  ON {same}", self.people.from);
        }
        let of_two = match (self.has_pairs() && line.room.is_some(), &receiver) {
            (true, Some(receiver)) => Some(format!(
                "{receiver} IS NOT NULL OR coalesce(r.of_two, false)"
            )),
            (true, None) => Some("coalesce(r.of_two, false)".into()),
            (false, Some(receiver)) if line.room.is_some() => {
                Some(format!("{receiver} IS NOT NULL"))
            }
            _ => None,
        };
        if let Some(of_two) = of_two {
            let _ = write!(select, ",\n       {of_two} AS of_two");
        }
        if let (Some(files), Some(id)) = (&self.chat.files, line.id) {
            let column =
                |column: &Column, alias: &str| format!(", {} AS {alias}", of("f", &column.name));
            let _ = write!(select, ",\n       f.part{}", column(files.url, "file_url"));
            for (found, alias) in [
                (files.name, "file_name"),
                (files.media_type, "file_media_type"),
                (files.bytes, "file_bytes"),
            ] {
                select.extend(found.map(|found| column(found, alias)));
            }
            let message = of("f", &files.message.name);
            let same = equal(&message, files.message.kind, &of("m", &id.name), id.kind);
            let _ = write!(joins, "\nLEFT JOIN files f ON {same}");
        }
        format!("{select}\nFROM {} m{joins}", table(&line.table.name))
    }

    /// Whether the people of pairs are text where the senders are not.
    fn pair_is_text(&self, sender: &Column) -> bool {
        let members = self.chat.members.as_ref();
        members
            .is_some_and(|members| members.person.kind == Kind::Text && sender.kind != Kind::Text)
    }

    fn placeholder(&self) -> Option<String> {
        let lines = self
            .chat
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.is_direct());
        let lines = lines.map(|(number, line)| {
            let of_two = match self.is_of_two(line) {
                Some(of_two) => format!(" AND NOT {of_two}"),
                None => String::new(),
            };
            format!(
                "SELECT DISTINCT 'deleted-account' AS uid, 'Deleted account' AS name\nFROM {} WHERE who IS NULL{of_two}",
                view_of(number)
            )
        });
        let lines: Vec<String> = lines.collect();
        (!lines.is_empty()).then(|| lines.join("\nUNION\n"))
    }

    /// What says of a line that it is between two, where some are and some are not.
    pub(crate) fn is_of_two(&self, line: &Line<'_>) -> Option<&'static str> {
        let may = line.room.is_some() && (self.has_pairs() || line.receiver.is_some());
        may.then_some("of_two")
    }

    fn is_person(&self, people: &str, alias: &str, column: &Column) -> String {
        self.people
            .same(people, &of(alias, &column.name), column.kind)
    }

    fn is_room(&self, rooms: &str, alias: &str, column: &Column) -> String {
        let known = self.rooms.as_ref().expect("there are conversations");
        known.same(rooms, &of(alias, &column.name), column.kind)
    }
}

impl Known {
    fn made(view: &str) -> Self {
        Self {
            table: view.into(),
            from: view.into(),
            key: "id".into(),
            kind: Kind::Text,
        }
    }

    fn same(&self, alias: &str, sql: &str, kind: Kind) -> String {
        equal(&of(alias, &self.key), self.kind, sql, kind)
    }
}

/// What the view of a table of messages is called.
pub(crate) fn view_of(number: usize) -> String {
    match number {
        0 => "lines".into(),
        number => format!("lines_{}", number + 1),
    }
}

/// A column as text.
fn as_text(column: &Column, sql: String) -> String {
    match column.kind {
        Kind::Text => sql,
        _ => format!("CAST({sql} AS VARCHAR)"),
    }
}

/// Whether two values are one, whatever the tables keep them as.
fn equal(one: &str, kind: Kind, other: &str, of_kind: Kind) -> String {
    let text = |sql: &str, is_text: bool| match is_text {
        true => sql.to_owned(),
        false => format!("CAST({sql} AS VARCHAR)"),
    };
    match kind == of_kind {
        true => format!("{one} = {other}"),
        false => format!(
            "{} = {}",
            text(one, kind == Kind::Text),
            text(other, of_kind == Kind::Text)
        ),
    }
}

/// Values of a conversation's sort that say that anybody may join.
pub(crate) fn open_sorts(sort: &Column) -> Vec<String> {
    let values = sort.distinct().into_iter();
    let mut values: Vec<String> = values
        .filter(|value| words::FOR_ALL.contains(&value.to_lowercase().as_str()))
        .map(text)
        .collect();
    values.sort();
    values
}
