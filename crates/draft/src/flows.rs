//! The flows of a draft: which of CometChat's fields are made of which columns.

use crate::chat::{Chat, People, Rooms, is_gone};
use crate::parts::{Line, Person, Room};
use crate::seen::{Column, Kind};
use crate::sql::{name, text};
use crate::values::{Clock, addresses, yes};
use crate::views::{Views, open_sorts, view_of};
use crate::words;

/// A flow: what is skipped, and the fields.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) entity: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) from: String,
    pub(crate) order_by: Vec<String>,
    pub(crate) skip: Vec<(&'static str, String)>,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) data: Vec<(&'static str, String)>,
    pub(crate) legacy: Vec<(&'static str, String)>,
}

impl Flow {
    fn of(entity: &'static str, from: &str) -> Self {
        Self {
            entity,
            name: None,
            from: from.to_owned(),
            order_by: Vec::new(),
            skip: Vec::new(),
            fields: Vec::new(),
            data: Vec::new(),
            legacy: Vec::new(),
        }
    }

    fn field(&mut self, name: &'static str, sql: impl Into<String>) {
        self.fields.push((name, sql.into()));
    }

    fn some(&mut self, name: &'static str, sql: Option<String>) {
        self.fields.extend(sql.map(|sql| (name, sql)));
    }
}

/// All flows.
pub(crate) fn all(chat: &Chat<'_>, views: &Views<'_>) -> Vec<Flow> {
    let mut flows = vec![people(chat, views)];
    if chat.lines.iter().any(|line| !line.is_direct()) {
        let mut placeholder = Flow::of("users", "placeholder");
        placeholder.name = Some("placeholder".into());
        placeholder.field("uid", "uid");
        placeholder.field("name", "name");
        flows.push(placeholder);
    }
    if views.rooms.is_some() {
        flows.push(groups(chat, views));
        flows.push(members(chat, views));
    }
    let messages = chat.lines.iter().enumerate();
    flows.extend(messages.map(|(number, line)| self::messages(chat, views, number, line)));
    flows
}

fn people(chat: &Chat<'_>, views: &Views<'_>) -> Flow {
    let mut flow = Flow::of("users", &views.people.table);
    let key = name(&views.people.key);
    flow.field("uid", format!("cometchat_id({key})"));
    let People::Table(person) = &chat.people else {
        flow.field("name", format!("left({key}, 100)"));
        flow.legacy.push(("id", key));
        return flow;
    };
    flow.field("name", called(person));
    flow.some("avatar", person.picture.map(address));
    flow.some("createdAt", person.created.map(time));
    flow.some("lastActiveAt", person.seen.map(time));
    let gone = person.deleted.map(|deleted| (deleted, name(&deleted.name)));
    let mut tags = Vec::new();
    if let Some((deleted, sql)) = &gone {
        match Clock::of(deleted) {
            Some(_) => flow.field("deactivatedAt", time(deleted)),
            None => tags.push((is_gone(deleted, sql), "deleted")),
        }
    }
    let robot = person
        .robot
        .and_then(|robot| yes(robot, &name(&robot.name)));
    tags.extend(robot.map(|robot| (robot, "bot")));
    match tags.as_slice() {
        [] => {}
        [(is, tag)] => flow.field("tags", format!("CASE WHEN {is} THEN make_array('{tag}') END")),
        [(is, tag), (also, other), ..] => flow.field(
            "tags",
            format!(
                "CASE WHEN {is} AND {also} THEN make_array('{tag}', '{other}') WHEN {is} THEN make_array('{tag}') \
                 WHEN {also} THEN make_array('{other}') END"
            ),
        ),
    }
    flow.legacy.push(("id", key));
    flow
}

fn called(person: &Person<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some((first, last)) = person.halves {
        let (first, last) = (name(&first.name), name(&last.name));
        parts.push(format!(
            "nullif(trim(coalesce({first}, '') || ' ' || coalesce({last}, '')), '')"
        ));
    }
    let filled = |column: &&Column| format!("nullif(trim({}), '')", name(&column.name));
    parts.extend(person.names.iter().map(filled));
    parts.push(format!("'' || {}", name(&person.key.name)));
    format!("left(coalesce({}), 100)", parts.join(", "))
}

fn groups(chat: &Chat<'_>, views: &Views<'_>) -> Flow {
    let mut flow = Flow::of("groups", "rooms");
    let rooms = views.rooms.as_ref().expect("there are conversations");
    let key = name(&rooms.key);
    if views.has_pairs() {
        flow.skip.push(("conversation of two", "of_two".into()));
    }
    flow.field("guid", format!("cometchat_id({key})"));
    match &chat.rooms {
        Rooms::Table(room) => of_table(&mut flow, room, &key),
        Rooms::One => {
            flow.field("name", "name");
            flow.field("type", "'public'");
        }
        Rooms::Named | Rooms::None => {
            flow.field("name", format!("left({key}, 100)"));
            flow.field("type", "'public'");
        }
    }
    flow.legacy.push(("id", key));
    flow
}

fn of_table(flow: &mut Flow, room: &Room<'_>, key: &str) {
    let title = room
        .title
        .map(|title| format!("nullif(trim({}), ''), ", name(&title.name)));
    let title = title.unwrap_or_default();
    flow.field(
        "name",
        format!("left(coalesce({title}'Conversation ' || {key}), 100)"),
    );
    let open = room
        .sort
        .map(|sort| (sort, open_sorts(sort)))
        .filter(|(_, open)| !open.is_empty());
    let hidden = room
        .hidden
        .and_then(|hidden| yes(hidden, &name(&hidden.name)));
    flow.field(
        "type",
        match (open, hidden) {
            (Some((sort, open)), _) => format!(
                "CASE WHEN {} IN ({}) THEN 'public' ELSE 'private' END",
                name(&sort.name),
                open.join(", ")
            ),
            (None, Some(hidden)) => format!("CASE WHEN {hidden} THEN 'private' ELSE 'public' END"),
            (None, None) => "'private'".into(),
        },
    );
    flow.some("owner", room.owner.map(|_| "cometchat_id(owned_by)".into()));
    flow.some("createdAt", room.created.map(time));
}

fn members(chat: &Chat<'_>, views: &Views<'_>) -> Flow {
    let mut flow = Flow::of("members", "memberships");
    flow.field(
        "memberId",
        "member_id(cometchat_id(in_room), cometchat_id(who))",
    );
    flow.field("guid", "cometchat_id(in_room)");
    flow.field("uid", "cometchat_id(who)");
    let Some(members) = &chat.members else {
        flow.field("scope", "'participant'");
        return flow;
    };
    flow.skip
        .push(("conversation is gone", "in_room IS NULL".into()));
    if views.has_pairs() {
        flow.skip.push(("conversation of two", "of_two".into()));
    }
    flow.skip.push(("account is gone", "who IS NULL".into()));
    if let Some(left) = members.left {
        flow.skip.push(("left", is_gone(left, &name(&left.name))));
    }
    flow.field("scope", scope(members.rank));
    if let Some(joined) = members.joined {
        // The API wants it after the group was made, and after the account was.
        let mut times = vec![time(joined)];
        if let Rooms::Table(room) = &chat.rooms {
            let made = room.created.filter(|created| Clock::of(created).is_some());
            times.extend(made.map(|made| format!("{} + 1", time_of(made, "room_made"))));
        }
        if let People::Table(person) = &chat.people {
            let made = person
                .created
                .filter(|created| Clock::of(created).is_some());
            times.extend(made.map(|made| format!("{} + 1", time_of(made, "person_made"))));
        }
        flow.field(
            "joinedAt",
            match times.as_slice() {
                [one] => one.clone(),
                times => format!("greatest({})", times.join(", ")),
            },
        );
    }
    flow
}

fn scope(rank: Option<&Column>) -> String {
    let Some(rank) = rank else {
        return "'participant'".into();
    };
    let sql = name(&rank.name);
    if let Some(yes) = yes(rank, &sql) {
        return format!("CASE WHEN {yes} THEN 'admin' ELSE 'participant' END");
    }
    format!(
        "CASE WHEN lower({sql}) IN ('owner', 'admin', 'administrator', 'creator') THEN 'admin' \
         WHEN lower({sql}) IN ('moderator', 'mod') THEN 'moderator' ELSE 'participant' END"
    )
}

fn messages(chat: &Chat<'_>, views: &Views<'_>, number: usize, line: &Line<'_>) -> Flow {
    let mut flow = Flow::of("messages", &view_of(number));
    let is_one_of_many = chat.lines.len() > 1;
    flow.name = is_one_of_many.then(|| format!("messages-{}", plain(line.table.short())));
    let files = chat.files.as_ref().filter(|_| line.id.is_some());
    let url = match (files, line.url) {
        (Some(_), _) => Some((
            "file_url".to_owned(),
            chat.files.as_ref().map(|files| files.url),
        )),
        (None, Some(url)) => Some((name(&url.name), Some(url))),
        (None, None) => None,
    };
    let body = name(&line.body.name);
    let of_two = match line.is_direct() {
        true => Some("true"),
        false => views.is_of_two(line),
    };
    skip(
        &mut flow,
        line,
        of_two,
        url.as_ref().map(|(url, _)| url.as_str()),
    );

    let prefix = match number {
        0 => String::new(),
        _ => format!("'{}-' || ", plain(line.table.short())),
    };
    let muid = match line.id {
        Some(id) => format!("{prefix}{}", name(&id.name)),
        None => {
            let parts = [
                line.room,
                line.sender,
                line.receiver,
                line.sent,
                Some(line.body),
            ];
            let parts = parts
                .into_iter()
                .flatten()
                .map(|column| format!("'' || {}", name(&column.name)));
            format!(
                "{prefix}md5(concat_ws('|', {}))",
                parts.collect::<Vec<_>>().join(", ")
            )
        }
    };
    flow.field(
        "muid",
        match files {
            Some(_) => {
                format!("CASE WHEN part > 1 THEN {muid} || '-' || part ELSE '' || {muid} END")
            }
            None => muid,
        },
    );
    flow.field(
        "sender",
        match (line.is_direct(), line.sender) {
            (true, _) => "cometchat_id(who)",
            (false, Some(_)) => "coalesce(cometchat_id(who), 'deleted-account')",
            (false, None) => "'deleted-account'",
        },
    );
    let (kind, receiver) = match of_two {
        Some("true") => ("'user'".to_owned(), "cometchat_id(to_whom)".to_owned()),
        Some(of_two) => (
            format!("CASE WHEN {of_two} THEN 'user' ELSE 'group' END"),
            format!("CASE WHEN {of_two} THEN cometchat_id(to_whom) ELSE cometchat_id(in_room) END"),
        ),
        None => ("'group'".into(), "cometchat_id(in_room)".into()),
    };
    flow.field("receiverType", kind);
    flow.field("receiver", receiver);
    flow.field("category", "'message'");
    attach(&mut flow, chat, url.as_ref(), files.is_some());
    flow.field(
        "sentAt",
        line.sent.map_or("CAST(NULL AS BIGINT)".to_owned(), time),
    );
    let is_form = line
        .sent
        .and_then(Clock::of)
        .is_some_and(|clock| matches!(clock, Clock::Form(_)));
    let order = line.sent.zip(line.id).filter(|_| !is_form);
    if let Some((sent, id)) = order {
        flow.order_by = vec![sent.name.clone(), id.name.clone()];
    }
    flow.data.insert(
        0,
        (
            "text",
            match files {
                Some(_) => format!("CASE WHEN coalesce(part, 1) = 1 THEN nullif({body}, '') END"),
                None => format!("nullif({body}, '')"),
            },
        ),
    );
    flow.legacy.extend(line.id.map(|id| ("id", name(&id.name))));
    if let Some(sender) = line.sender.filter(|_| !line.is_direct()) {
        let sender = name(&sender.name);
        flow.legacy.push((
            "authorId",
            format!("CASE WHEN who IS NULL THEN {sender} END"),
        ));
    }
    flow.legacy
        .extend(line.parent.map(|parent| ("threadRoot", name(&parent.name))));
    flow.legacy
        .extend(line.edited.map(|edited| ("editedAt", time(edited))));
    flow
}

fn skip(flow: &mut Flow, line: &Line<'_>, of_two: Option<&'static str>, url: Option<&str>) {
    let mut skip = |why: &'static str, when: String| flow.skip.push((why, when));
    match (of_two, line.room) {
        (None, Some(_)) => skip("conversation is gone", "in_room IS NULL".into()),
        (Some("true"), _) | (None, None) => {}
        (Some(of_two), _) => skip(
            "conversation is gone",
            format!("in_room IS NULL AND NOT {of_two}"),
        ),
    }
    if let Some(deleted) = line.deleted {
        skip("deleted", is_gone(deleted, &name(&deleted.name)));
    }
    if let Some(sort) = line.sort {
        let values = sort.distinct().into_iter();
        let mut values: Vec<String> = values
            .filter(|value| words::BY_ITSELF.contains(&value.to_lowercase().as_str()))
            .map(text)
            .collect();
        values.sort();
        if !values.is_empty() {
            skip(
                "system event",
                format!("{} IN ({})", name(&sort.name), values.join(", ")),
            );
        }
    }
    let body = name(&line.body.name);
    let is_empty = format!("coalesce(btrim({body}, ' \t\r\n'), '') = ''");
    skip(
        "nothing in it",
        match url {
            Some(url) => format!("{is_empty} AND coalesce({url}, '') = ''"),
            None => is_empty,
        },
    );
    if let Some(sent) = line.sent {
        let sql = name(&sent.name);
        let unknown = match sent.kind {
            Kind::Whole | Kind::Number => format!("coalesce({sql}, 0) = 0"),
            Kind::Text => format!("coalesce(trim({sql}), '') = ''"),
            _ => format!("{sql} IS NULL"),
        };
        skip("time is unknown", unknown);
        if sent.kind == Kind::Time {
            // The API takes seconds of ten digits. A clock that was not set says 1970.
            skip(
                "before September 2001",
                format!("{} < 1000000000", time(sent)),
            );
        }
    }
    match of_two {
        Some("true") => {
            skip("account is gone", "who IS NULL OR to_whom IS NULL".into());
            skip("one person alone", "who = to_whom".into());
        }
        Some(of_two) => {
            skip(
                "account is gone",
                format!("{of_two} AND (who IS NULL OR to_whom IS NULL)"),
            );
            skip("one person alone", format!("{of_two} AND who = to_whom"));
        }
        None => {}
    }
}

/// The type of a message, and the file that it carries.
fn attach(
    flow: &mut Flow,
    chat: &Chat<'_>,
    url: Option<&(String, Option<&Column>)>,
    of_table: bool,
) {
    let Some((url, column)) = url else {
        flow.field("type", "'text'");
        return;
    };
    let files = chat.files.as_ref().filter(|_| of_table);
    let called = match files.and_then(|files| files.name) {
        Some(_) => format!("coalesce(nullif(file_name, ''), {url})"),
        None => url.clone(),
    };
    let media = match files.and_then(|files| files.media_type) {
        Some(_) => format!("coalesce(nullif(file_media_type, ''), mime_type({called}))"),
        None => format!("mime_type({called})"),
    };
    let is_there = format!("coalesce({url}, '') <> ''");
    flow.field(
        "type",
        format!("CASE WHEN {is_there} THEN message_type({media}) ELSE 'text' END"),
    );
    let at = match column.and_then(addresses) {
        Some(true) => format!("CASE WHEN {url} LIKE '/%' THEN $web_server || {url} ELSE {url} END"),
        _ => url.clone(),
    };
    let bytes = match files.and_then(|files| files.bytes) {
        Some(_) => ", 'size', file_bytes",
        None => "",
    };
    // What stands behind the last `/` of an address is a file's name.
    let name = match files.and_then(|files| files.name) {
        Some(_) => called.clone(),
        None => format!("split_part({called}, '/', -1)"),
    };
    flow.data.push((
        "attachments",
        format!(
            "CASE WHEN {is_there} THEN make_array(named_struct('url', {at}, 'name', {name}, 'mimeType', {media}, \
             'extension', file_extension({called}){bytes})) END"
        ),
    ));
}

/// A picture's address; none where it is empty.
fn address(column: &Column) -> String {
    let sql = name(&column.name);
    match addresses(column) {
        Some(true) => {
            format!(
                "CASE WHEN {sql} LIKE '/%' THEN $web_server || {sql} ELSE nullif({sql}, '') END"
            )
        }
        Some(false) => format!("nullif({sql}, '')"),
        // The API takes nothing but addresses.
        None => format!("CASE WHEN {sql} LIKE 'http%' THEN {sql} END"),
    }
}

/// A time in seconds.
fn time(column: &Column) -> String {
    time_of(column, &name(&column.name))
}

fn time_of(column: &Column, sql: &str) -> String {
    match (Clock::of(column), column.kind) {
        (Some(Clock::Form(form)), _) => format!("unix_seconds(nullif(trim({sql}), ''), '{form}')"),
        (_, Kind::Text) => format!("unix_seconds(nullif(trim({sql}), ''))"),
        (_, Kind::Whole | Kind::Number) => format!("unix_seconds(nullif({sql}, 0))"),
        _ => format!("unix_seconds({sql})"),
    }
}

/// A name as ids take it.
fn plain(name: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}
