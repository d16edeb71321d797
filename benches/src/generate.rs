//! A chat of any size, the same for the same seed.
//!
//! It is what a team might have built for itself: users, rooms with members, direct messages
//! beside the rooms, and messages of about 350 bytes with replies, reactions and attachments.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::popularity::Popularity;
use crate::random::Random;
use crate::vocabulary;

/// The pipeline that imports a generated chat, written beside it.
pub const PIPELINE: &str = include_str!("pipeline.toml");

/// The "now" of generated chats unless another is given: 2025-06-15, in UNIX milliseconds.
///
/// Not the clock's, so that the same seed gives the same bytes tomorrow.
pub const NOW_MS: u64 = 1_750_000_000_000;

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// How far back the first message lies: within the six months that CometChat takes.
pub(crate) const HISTORY_MS: u64 = 150 * DAY_MS;

/// How large a chat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// People.
    pub users: u64,
    /// Rooms, and pairs of people who write to each other: as many of one as of the other.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
}

impl Size {
    /// A usual size for so many messages: 500 in a conversation on average, 100 of a user.
    #[must_use]
    pub const fn of(messages: u64) -> Self {
        Self {
            users: messages / 100 + 20,
            conversations: messages / 500 + 10,
            messages,
        }
    }

    /// How many of the conversations are rooms.
    #[must_use]
    pub const fn rooms(self) -> u64 {
        self.conversations.div_ceil(2)
    }
}

/// In which order messages stand in their file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest first; ids ascend too.
    #[default]
    ByTime,
    /// Any.
    Shuffled,
}

/// A chat that can be written to a folder.
///
/// Nothing of it is kept in memory but how popular each conversation is: every user, room and
/// message is made of its own random numbers when its line is written.
#[derive(Clone, Debug)]
pub struct Chat {
    seed: u64,
    size: Size,
    now_ms: u64,
    popularity: Popularity,
}

/// What random numbers are for; each kind has its own.
#[derive(Clone, Copy)]
enum Kind {
    User,
    Room,
    Seat,
    Pair,
    Message,
    Order,
}

/// Who talks to whom. Everything is counted from 0; ids in the files count from 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conversation {
    Room(u64),
    Pair(u64, u64),
}

impl Chat {
    /// The chat of that seed and size, at [`NOW_MS`].
    #[must_use]
    pub fn new(seed: u64, size: Size) -> Self {
        Self {
            seed,
            size: Size {
                users: size.users.max(2),
                ..size
            },
            now_ms: NOW_MS,
            popularity: Popularity::of(size.conversations),
        }
    }

    /// The same chat at another time, in UNIX milliseconds.
    #[must_use]
    pub const fn at(mut self, now_ms: u64) -> Self {
        self.now_ms = now_ms;
        self
    }

    /// Writes `users.jsonl`, `rooms.jsonl`, `memberships.jsonl`, `messages.jsonl`, and
    /// `pipeline.toml` to a folder, which is made if there is none.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, order: Order) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("pipeline.toml"), PIPELINE)?;
        let rooms = self.size.rooms();
        lines(folder, "users.jsonl", 0..self.size.users, |user, json| {
            self.user(user, json)
        })?;
        lines(folder, "rooms.jsonl", 0..rooms, |room, json| {
            self.room(room, json)
        })?;
        lines(folder, "memberships.jsonl", 0..rooms, |room, json| {
            self.memberships(room, json)
        })?;
        let messages = 0..self.size.messages;
        match order {
            Order::ByTime => lines(folder, "messages.jsonl", messages, |message, json| {
                self.message(message, json)
            }),
            Order::Shuffled => {
                let mut messages: Vec<u64> = messages.collect();
                let mut random = self.random(Kind::Order, 0);
                for place in (1..messages.len()).rev() {
                    messages.swap(place, random.place(place + 1));
                }
                lines(
                    folder,
                    "messages.jsonl",
                    messages.into_iter(),
                    |message, json| self.message(message, json),
                )
            }
        }
    }

    fn random(&self, kind: Kind, number: u64) -> Random {
        Random::of(self.seed, kind as u64, number)
    }

    fn days_ago(&self, days: u64) -> u64 {
        self.now_ms - days * DAY_MS
    }

    fn user(&self, user: u64, json: &mut Vec<u8>) -> io::Result<()> {
        let mut random = self.random(Kind::User, user);
        let id = user + 1;
        let (first, last) = vocabulary::name(&mut random);
        let (is_bot, has_picture) = (random.once_in(50), random.once_in(3));
        let created_at = self.days_ago(900) + random.below(300 * DAY_MS);
        write!(
            json,
            r#"{{"id":{id},"username":"{first}.{last}{id}","display_name":"{first} {last}","#
        )?;
        match has_picture {
            true => write!(
                json,
                r#""avatar_url":"https://files.example.org/avatars/{id}.png","#
            )?,
            false => write!(json, r#""avatar_url":null,"#)?,
        }
        writeln!(json, r#""is_bot":{is_bot},"created_at":{created_at}}}"#)
    }

    fn room(&self, room: u64, json: &mut Vec<u8>) -> io::Result<()> {
        let mut random = self.random(Kind::Room, room);
        let (id, owner) = (room + 1, self.seat(room, 0) + 1);
        let (topic, kind) = (
            vocabulary::topic(&mut random),
            random.pick(&["public", "private"]),
        );
        let created_at = self.days_ago(600) + random.below(300 * DAY_MS);
        writeln!(
            json,
            r#"{{"id":{id},"name":"{topic} {id}","kind":"{kind}","owner_id":{owner},"created_at":{created_at}}}"#
        )
    }

    fn memberships(&self, room: u64, json: &mut Vec<u8>) -> io::Result<()> {
        let owner = self.seat(room, 0);
        let members: BTreeSet<u64> = (0..self.seats(room))
            .map(|seat| self.seat(room, seat))
            .collect();
        for member in members {
            let role = if member == owner { "owner" } else { "member" };
            // After every room was made: the API takes no other time.
            let joined_at = self.days_ago(250) + member;
            let (room, user) = (room + 1, member + 1);
            writeln!(
                json,
                r#"{{"room_id":{room},"user_id":{user},"role":"{role}","joined_at":{joined_at}}}"#
            )?;
        }
        Ok(())
    }

    /// How many seats a room has. Some are taken by the same person.
    fn seats(&self, room: u64) -> u64 {
        3 + self.random(Kind::Room, room).below(45)
    }

    /// Who sits there.
    fn seat(&self, room: u64, seat: u64) -> u64 {
        self.random(Kind::Seat, room << 16 | seat)
            .below(self.size.users)
    }

    /// Where a message is said, and by whom, with the random numbers for the rest of it.
    fn said(&self, message: u64) -> (Conversation, u64, Random) {
        let mut random = self.random(Kind::Message, message);
        let rank = self.popularity.pick(&mut random);
        if rank.is_multiple_of(2) {
            let room = rank / 2;
            let author = self.seat(room, random.below(self.seats(room)));
            return (Conversation::Room(room), author, random);
        }
        let mut pair = self.random(Kind::Pair, rank / 2);
        let one = pair.below(self.size.users);
        let other = (one + 1 + pair.below(self.size.users - 1)) % self.size.users;
        let author = if random.once_in(2) { one } else { other };
        (Conversation::Pair(one, other), author, random)
    }

    fn message(&self, message: u64, json: &mut Vec<u8>) -> io::Result<()> {
        let (conversation, author, mut random) = self.said(message);
        let step = (HISTORY_MS / self.size.messages.max(1)).max(1);
        let created_at = self.now_ms - HISTORY_MS + message * step + random.below(step);
        write!(json, r#"{{"id":{},"#, message + 1)?;
        match conversation {
            Conversation::Room(room) => {
                write!(json, r#""room_id":{},"recipient_id":null,"#, room + 1)?;
            }
            Conversation::Pair(one, other) => {
                let recipient = if author == one { other } else { one };
                write!(json, r#""room_id":null,"recipient_id":{},"#, recipient + 1)?;
            }
        }
        write!(
            json,
            r#""author_id":{},"created_at":{created_at},"edited_at":"#,
            author + 1
        )?;
        match random.once_in(20) {
            true => write!(json, "{}", created_at + random.below(DAY_MS / 24))?,
            false => write!(json, "null")?,
        }
        let answers = (message.saturating_sub(40)..message)
            .rev()
            .filter(|_| random.once_in(8))
            .find(|earlier| self.said(*earlier).0 == conversation);
        match answers {
            Some(earlier) => write!(json, r#","reply_to":{}"#, earlier + 1)?,
            None => write!(json, r#","reply_to":null"#)?,
        }
        let attached = random.once_in(12);
        write!(json, r#","body":""#)?;
        if !attached || random.once_in(2) {
            vocabulary::json_text(&mut random, author, json);
        }
        write!(json, r#"","attachment":"#)?;
        match attached {
            true => attachment(&mut random, json)?,
            false => write!(json, "null")?,
        }
        if random.once_in(6) {
            self.reactions(&mut random, json)?;
        }
        writeln!(json, "}}")
    }

    fn reactions(&self, random: &mut Random, json: &mut Vec<u8>) -> io::Result<()> {
        write!(json, r#","reactions":["#)?;
        for place in 0..=random.below(3) {
            let comma = if place > 0 { "," } else { "" };
            let emoji = random.pick(&vocabulary::EMOJI);
            write!(json, r#"{comma}{{"emoji":"{emoji}","user_ids":["#)?;
            for place in 0..=random.below(4) {
                let comma = if place > 0 { "," } else { "" };
                write!(json, "{comma}{}", random.below(self.size.users) + 1)?;
            }
            write!(json, "]}}")?;
        }
        write!(json, "]")
    }
}

fn attachment(random: &mut Random, json: &mut Vec<u8>) -> io::Result<()> {
    let (name, extension, mime) = random.pick(&vocabulary::FILES);
    let file = format!("{name}_{}.{extension}", random.below(10_000));
    let (folder, bytes) = (random.bits(), random.below(20_000_000));
    write!(
        json,
        r#"{{"file":"{file}","url":"https://files.example.org/{folder:016x}/{file}","mime":"{mime}","bytes":{bytes}}}"#
    )
}

/// Writes a file of lines, for each number what `line` makes of it.
fn lines(
    folder: &Path,
    name: &str,
    numbers: impl Iterator<Item = u64>,
    line: impl Fn(u64, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(folder.join(name))?);
    let mut json = Vec::new();
    for number in numbers {
        json.clear();
        line(number, &mut json)?;
        file.write_all(&json)?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::Value;

    use super::*;

    const SIZE: Size = Size::of(5_000);

    fn written(seed: u64, order: Order) -> (Vec<Value>, Vec<Value>) {
        let folder = tempfile::tempdir().unwrap();
        Chat::new(seed, SIZE).write(folder.path(), order).unwrap();
        let read = |name| -> Vec<Value> {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        };
        (read("memberships.jsonl"), read("messages.jsonl"))
    }

    fn number(row: &Value, key: &str) -> u64 {
        row[key].as_u64().unwrap()
    }

    #[test]
    fn a_seed_gives_the_same_chat_and_another_one_another() {
        assert_eq!(written(7, Order::ByTime), written(7, Order::ByTime));
        assert_ne!(written(7, Order::ByTime), written(8, Order::ByTime));
    }

    #[test]
    fn ids_and_times_ascend_unless_shuffled_and_the_messages_are_the_same() {
        let ((_, ordered), (_, mut shuffled)) =
            (written(7, Order::ByTime), written(7, Order::Shuffled));
        let times = |rows: &[Value]| {
            rows.iter()
                .map(|row| number(row, "created_at"))
                .collect::<Vec<_>>()
        };
        assert!(times(&ordered).is_sorted() && !times(&shuffled).is_sorted());
        assert!(*times(&ordered).last().unwrap() < NOW_MS);
        shuffled.sort_by_key(|row| number(row, "id"));
        assert_eq!(ordered, shuffled);
    }

    #[test]
    fn messages_look_like_those_of_people() {
        let folder = tempfile::tempdir().unwrap();
        Chat::new(7, SIZE)
            .write(folder.path(), Order::ByTime)
            .unwrap();
        let bytes = std::fs::metadata(folder.path().join("messages.jsonl"))
            .unwrap()
            .len();
        assert!(
            (320..380).contains(&(bytes / SIZE.messages)),
            "{} bytes each",
            bytes / SIZE.messages
        );
        let (members, messages) = written(7, Order::ByTime);
        let share = |wanted: fn(&Value) -> bool| {
            100 * messages.iter().filter(|row| wanted(row)).count() / messages.len()
        };
        assert!((3..8).contains(&share(|row| row["edited_at"].is_u64())));
        assert!((5..12).contains(&share(|row| row["attachment"].is_object())));
        assert!((12..22).contains(&share(|row| row["reactions"].is_array())));
        assert!(share(|row| row["reply_to"].is_u64()) >= 5);
        assert!((20..60).contains(&share(|row| !row["body"].as_str().unwrap().is_ascii())));

        let seats: BTreeSet<(u64, u64)> = members
            .iter()
            .map(|row| (number(row, "room_id"), number(row, "user_id")))
            .collect();
        let mut rooms: HashMap<u64, usize> = HashMap::new();
        for row in messages.iter().filter(|row| row["room_id"].is_u64()) {
            let (room, author) = (number(row, "room_id"), number(row, "author_id"));
            assert!(
                seats.contains(&(room, author)),
                "only members write in a room"
            );
            *rooms.entry(room).or_default() += 1;
        }
        assert_eq!(
            rooms.values().max(),
            rooms.get(&1),
            "the first room is the busiest"
        );
    }
}
