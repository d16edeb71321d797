//! A migration in which much goes wrong, drawn by chance: what is moved, what happens to it on the
//! way, and what must have become of it in the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_simulator::{Fault, Settings};

use crate::chance::Chance;
use crate::chat::KEY;
use crate::folder::Folder;
use crate::served::unlimited;

/// What a record holds on which the service fails.
const POISON: &str = "arsenic";

/// An author whom nobody delivers.
const GHOST: &str = "ghost";

/// A migration in which much goes wrong.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What all of it was drawn from.
    pub seed: u64,
    users: usize,
    groups: usize,
    messages: Vec<Message>,
    /// The account of the messages: how many rows are rejected, blocked and refused.
    pub not_delivered: usize,
    records_per_request: usize,
    in_flight: usize,
    strict: bool,
    /// Whether something stands for authors whom nobody delivers.
    placeholders: bool,
    /// Requests a minute, of the program as of the service.
    pub limit: Option<NonZeroU32>,
    fault_percent: u8,
    faults: Vec<Fault>,
    switches: Vec<(&'static str, &'static str)>,
    /// After how many more requests the program is killed, and how many milliseconds later.
    pub kills: Vec<(usize, usize)>,
}

/// A row of messages.
#[derive(Clone, Debug)]
struct Message {
    id: String,
    author: String,
    to: To,
    at: i64,
    body: String,
    arrives: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Group(usize),
    User(usize),
}

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let (users, groups) = (chance.number_in(3, 40), chance.number_in(1, 9));
        let shape = Shape {
            users,
            groups,
            direct: chance.one_of(&[0, 20, 60, 100]),
            bad: chance.one_of(&[0, 3, 15]),
            capitals: chance.happens(20),
            poison: chance.one_of(&[0, 0, 1, 2, 5]),
        };
        let count = chance.number_in(60, 500);
        let mut messages = shape.messages(count, &mut chance);
        let placeholders = seed % 3 == 1;
        for message in messages
            .iter_mut()
            .filter(|message| message.author == GHOST)
        {
            message.arrives = placeholders;
        }
        let records_per_request = chance.one_of(&[50, 50, 20, 7]);
        let kills = (0..chance.number_in(0, 5))
            .map(|_| (chance.number_in(1, 25), chance.number_in(0, 40)))
            .collect();
        let mut switches = Vec::new();
        for (switch, value) in [
            ("answer-keys", "lower-case"),
            ("entity", "wrapped"),
            ("poison", "record"),
            ("rate-headers", "none"),
            ("retry-after", "omit"),
            ("duplicates", "overwrite"),
        ] {
            if chance.happens(20) {
                switches.push((switch, value));
            }
        }
        Self {
            seed,
            users,
            groups,
            not_delivered: messages.iter().filter(|message| !message.arrives).count(),
            messages,
            records_per_request,
            in_flight: chance.one_of(&[1, 3, 8]),
            strict: chance.happens(15),
            placeholders,
            limit: NonZeroU32::new(2_400).filter(|_| chance.happens(50)),
            fault_percent: chance.one_of(&[0, 5, 10, 20]),
            faults: faults(&mut chance),
            switches,
            kills,
        }
    }

    /// The service.
    ///
    /// # Panics
    ///
    /// When it has no such switch.
    #[must_use]
    pub fn service(&self) -> Settings {
        let mut settings = Settings {
            api_key: Some(KEY.into()),
            requests_per_minute: self.limit,
            latency: Duration::from_millis(2),
            spread: "5/60".parse().expect("a spread"),
            poison: Some(POISON.into()),
            faults: VecDeque::from(self.faults.clone()),
            fault_percent: self.fault_percent,
            seed: self.seed,
            ..unlimited()
        };
        for (switch, value) in &self.switches {
            settings.switch(switch, value).expect("a switch");
        }
        settings
    }

    /// How many rows each flow reads.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<&'static str, u64> {
        let count = |number: usize| u64::try_from(number).expect("a small number");
        let of = |is: fn(&To) -> bool| self.messages.iter().filter(|row| is(&row.to)).count();
        BTreeMap::from([
            ("users", count(self.users + 1)),
            ("groups", count(self.groups)),
            ("members", count(self.groups * self.users)),
            ("rooms", count(of(|to| matches!(to, To::Group(_))))),
            ("direct", count(of(|to| matches!(to, To::User(_))))),
        ])
    }

    /// How many messages have the id of another one before them.
    #[must_use]
    pub fn doubles(&self) -> usize {
        let ids: BTreeSet<&str> = self.messages.iter().map(|row| row.id.as_str()).collect();
        self.messages.len() - ids.len()
    }

    /// The users, groups and members that must be there in the end.
    #[must_use]
    pub fn others(&self) -> [usize; 3] {
        let has_ghost = self.messages.iter().any(|message| message.author == GHOST);
        let ghosts = usize::from(self.placeholders && has_ghost);
        [self.users + ghosts, self.groups, self.groups * self.users]
    }

    /// The messages that must be there in the end, with their texts.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<&str, &str> {
        let arrive = self.messages.iter().filter(|message| message.arrives);
        arrive
            .map(|message| (message.id.as_str(), message.body.as_str()))
            .collect()
    }

    /// The ids of the messages that must be there, conversation by conversation, oldest first.
    #[must_use]
    pub fn conversations(&self) -> BTreeMap<String, Vec<&str>> {
        let mut all: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for message in self.messages.iter().filter(|message| message.arrives) {
            let conversation = match message.to {
                To::Group(group) => format!("group_g{group}"),
                To::User(user) => {
                    let mut pair = [message.author.clone(), format!("u{user}")];
                    pair.sort_unstable();
                    pair.join("_user_")
                }
            };
            all.entry(conversation).or_default().push(&message.id);
        }
        all
    }

    /// Writes its files and its pipeline, which sends to `url`; gives the pipeline as an argument.
    pub fn write(&self, folder: &Folder, url: &str) -> String {
        let mut files = [String::new(), String::new(), String::new(), String::new()];
        let [users, groups, members, messages] = &mut files;
        for user in 0..self.users {
            let _ = writeln!(users, r#"{{"id":"u{user}","name":"User {user}"}}"#);
        }
        // A user that the rules do not let through, whom some messages are from.
        let _ = writeln!(users, r#"{{"id":"banned","name":"{}"}}"#, "x".repeat(150));
        for group in 0..self.groups {
            let _ = writeln!(groups, r#"{{"id":"g{group}","name":"Group {group}"}}"#);
            for user in 0..self.users {
                let _ = writeln!(members, r#"{{"room":"g{group}","person":"u{user}"}}"#);
            }
        }
        for message in &self.messages {
            let (room, peer) = match message.to {
                To::Group(group) => (format!("\"g{group}\""), "null".to_owned()),
                To::User(user) => ("null".to_owned(), format!("\"u{user}\"")),
            };
            let Message {
                id,
                author,
                at,
                body,
                ..
            } = message;
            let _ = writeln!(
                messages,
                r#"{{"id":"{id}","author":"{author}","room":{room},"peer":{peer},"at":{at},"body":"{body}"}}"#
            );
        }
        let names = ["users", "groups", "members", "messages"];
        for (name, text) in names.into_iter().zip(files) {
            folder.write(&format!("data/{name}.jsonl"), text);
        }
        let limit = self
            .limit
            .map_or("\"off\"".into(), |limit| limit.to_string());
        let order = if self.strict {
            "strict"
        } else {
            "conversation"
        };
        let policy = if self.placeholders {
            "placeholder"
        } else {
            "require"
        };
        let pipeline = PIPELINE
            .replace("URL", url)
            .replace("KEY", KEY)
            .replace("LIMIT", &limit)
            .replace("RECORDS", &self.records_per_request.to_string())
            .replace("FLIGHT", &self.in_flight.to_string())
            .replace("ORDER", order)
            .replace("POLICY", policy);
        folder.write("pipeline.toml", pipeline)
    }
}

/// What messages are drawn from.
struct Shape {
    users: usize,
    groups: usize,
    /// How many of a hundred are between two people.
    direct: usize,
    /// How many of a hundred have something wrong with them.
    bad: usize,
    capitals: bool,
    /// How many are poison.
    poison: usize,
}

impl Shape {
    fn messages(&self, count: usize, chance: &mut Chance) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::with_capacity(count);
        for number in 0..count {
            messages.push(self.message(number, &messages, chance));
        }
        let good: Vec<usize> = (0..count).filter(|n| messages[*n].arrives).collect();
        // One that shares its id with a later row stays as it is: which of the two is the first
        // would be another question.
        let mut ids = BTreeMap::<String, usize>::new();
        for message in &messages {
            *ids.entry(message.id.clone()).or_default() += 1;
        }
        for _ in 0..self.poison.min(good.len()) {
            let poisoned = &mut messages[chance.one_of(&good)];
            if ids[&poisoned.id] == 1 {
                poisoned.body = format!("{POISON} {}", poisoned.id);
                poisoned.arrives = false;
            }
        }
        messages
    }

    fn message(&self, number: usize, before: &[Message], chance: &mut Chance) -> Message {
        let letter = if self.capitals { "M" } else { "m" };
        let author = chance.number_in(0, self.users);
        let to = if chance.happens(self.direct) {
            let other = (author + chance.number_in(1, self.users)) % self.users;
            To::User(other)
        } else {
            To::Group(chance.number_in(0, self.groups))
        };
        let at = 1_700_000_000 + i64::try_from(number).expect("a small number");
        let mut message = Message {
            id: format!("{letter}-{number:05}"),
            author: format!("u{author}"),
            to,
            at,
            body: format!("message {number}"),
            arrives: true,
        };
        if !chance.happens(self.bad) {
            return message;
        }
        message.arrives = false;
        match chance.number_in(0, 4) {
            0 => message.body = String::new(),
            1 => message.author = GHOST.into(),
            2 => message.author = "banned".into(),
            _ => match before.iter().find(|before| before.arrives) {
                // The id of one that comes before it.
                Some(_) => {
                    let good: BTreeSet<&str> = before
                        .iter()
                        .filter(|before| before.arrives)
                        .map(|before| before.id.as_str())
                        .collect();
                    let good: Vec<&str> = good.into_iter().collect();
                    message.id = chance.one_of(&good).to_owned();
                }
                None => message.author = GHOST.into(),
            },
        }
        message
    }
}

/// What goes wrong at a place of its own, besides what chance strikes with.
fn faults(chance: &mut Chance) -> Vec<Fault> {
    let mut faults = Vec::new();
    if chance.happens(30) {
        faults.extend(vec![Fault::Nothing; chance.number_in(0, 12)]);
        let one = [
            "revoke:1",
            "3*throttle:1",
            "2*throttle:1:date",
            "throttle:2:reset",
            "4*status:503",
            "3*html",
            "2*reset-stored",
            "2*broken",
            "2*missing:50",
            "store-some:3",
        ];
        faults.extend(Fault::several(chance.one_of(&one)).expect("a fault"));
    }
    faults
}

const PIPELINE: &str = r#"
name = "chaos"

[cometchat]
base_url = "URL"
api_key = "KEY"
requests_per_minute = LIMIT
records_per_request = RECORDS
in_flight = FLIGHT
message_order = "ORDER"
retention = "off"

[sources.chat]
connector = "json"
root = "data"

[[flow]]
entity = "users"
from = "chat.users"
[flow.fields]
uid = "id"
name = "name"

[[flow]]
entity = "groups"
from = "chat.groups"
[flow.fields]
guid = "id"
name = "name"
type = "'public'"

[[flow]]
entity = "members"
from = "chat.members"
[flow.fields]
memberId = "member_id(room, person)"
guid = "room"
uid = "person"
scope = "'participant'"

[[flow]]
entity = "messages"
name = "rooms"
from = "chat.messages"
where = "room IS NOT NULL"
references = "POLICY"
[flow.fields]
muid = "id"
sender = "author"
receiverType = "'group'"
receiver = "room"
category = "'message'"
type = "'text'"
sentAt = "at"
data.text = "body"

[[flow]]
entity = "messages"
name = "direct"
from = "chat.messages"
where = "peer IS NOT NULL"
references = "POLICY"
[flow.fields]
muid = "id"
sender = "author"
receiverType = "'user'"
receiver = "peer"
category = "'message'"
type = "'text'"
sentAt = "at"
data.text = "body"
"#;
