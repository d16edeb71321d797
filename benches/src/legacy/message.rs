//! One message with its files and reactions.

use std::collections::BTreeSet;

use super::population::{Kind, Population, days_ago};
use crate::generate::{DAY_MS, HISTORY_MS, NOW_MS};
use crate::random::Random;
use crate::vocabulary;

/// How many messages back an answer goes.
const MEMORY: u64 = 40;

/// A message. All times are UNIX milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Counted from 0.
    pub(super) number: u64,
    pub(super) id: u64,
    /// The conversation's number; it may have vanished.
    pub(super) conversation: u64,
    /// The user's number; there may be no such account any more.
    pub(super) author: u64,
    pub(super) sort: Sort,
    /// None, empty, or blank now and then.
    pub(super) body: Option<String>,
    /// What else the application knew of it, as JSON.
    pub(super) payload: Option<String>,
    /// The id of the message it answers, which may be gone.
    pub(super) parent: Option<u64>,
    /// 0 when the sender's clock was not set. Not always later than that of the message before.
    pub(super) created_at: u64,
    /// Sometimes before it was sent.
    pub(super) edited_at: Option<u64>,
    pub(super) deleted_at: Option<u64>,
    pub(super) files: Vec<File>,
    pub(super) reactions: Vec<Reaction>,
}

/// What sort of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Something that a person wrote.
    Text,
    /// Files, perhaps with a caption.
    File,
    /// A line that the application wrote.
    System,
    /// A call that took place.
    Call,
}

/// A file that was sent.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) uuid: String,
    pub(super) name: String,
    /// A URL, or a path of the old web server.
    pub(super) url: String,
    pub(super) mime: Option<&'static str>,
    pub(super) bytes: u64,
}

/// What somebody thinks of a message.
#[derive(Clone, Debug)]
pub(super) struct Reaction {
    /// The user's number; there may be no such account any more.
    pub(super) user: u64,
    pub(super) emoji: &'static str,
    pub(super) at: u64,
}

impl Population {
    /// The messages, in the order of their ids.
    pub(super) fn messages(&self) -> impl Iterator<Item = Message> {
        (0..self.size.messages).map(|number| self.message(number))
    }

    /// Whether the message is from the time when the application counted seconds.
    pub(super) const fn is_early(&self, number: u64) -> bool {
        number < self.size.messages / 50
    }

    fn message(&self, number: u64) -> Message {
        let (conversation, author, mut random) = self.said(number);
        let created_at = self.sent(number, &mut random);
        let files = match random.once_in(12) {
            true => self.files(number),
            false => Vec::new(),
        };
        let sort = match random.below(200) {
            0..=7 => Sort::System,
            8 => Sort::Call,
            _ if !files.is_empty() => Sort::File,
            _ => Sort::Text,
        };
        let (body, payload) = self.said_what(sort, author, &mut random);
        let reactions = match sort == Sort::Text && random.once_in(6) {
            true => self.reactions(created_at, &mut random),
            false => Vec::new(),
        };
        let is_file = sort == Sort::File;
        Message {
            number,
            id: self.first_message_id() + number,
            conversation,
            author,
            sort,
            body,
            payload,
            parent: self.parent(number, conversation, &mut random),
            created_at,
            edited_at: match random.below(400) {
                0 => Some(created_at.saturating_sub(DAY_MS)),
                1..=20 => Some(created_at + random.below(DAY_MS / 24)),
                _ => None,
            },
            deleted_at: random
                .once_in(30)
                .then(|| created_at + random.below(DAY_MS)),
            files: if is_file { files } else { Vec::new() },
            reactions,
        }
    }

    /// Where a message is said, and by whom, with the random numbers for the rest of it.
    fn said(&self, number: u64) -> (u64, u64, Random) {
        let mut random = self.random(Kind::Message, number);
        let conversation = self.popularity.pick(&mut random);
        let seat = random.below(self.seats(conversation));
        (conversation, self.seat(conversation, seat), random)
    }

    /// When a message came, if all went well: ascending.
    fn came(&self, number: u64) -> u64 {
        let step = (HISTORY_MS / self.size.messages.max(1)).max(1);
        NOW_MS - HISTORY_MS + number * step + self.random(Kind::Time, number).below(step)
    }

    fn sent(&self, number: u64, random: &mut Random) -> u64 {
        match random.below(2_000) {
            _ if self.is_early(number) => self.came(number),
            // A device whose clock was not set.
            0..=2 => 0,
            // Written without a connection, and sent later.
            3..=12 => {
                let earlier = self.came(number) - random.below(2 * DAY_MS);
                earlier.max(self.came(self.size.messages / 50))
            }
            // At the same time as the message before.
            13..=60 => self.came(number.saturating_sub(1)),
            _ => self.came(number),
        }
    }

    fn said_what(
        &self,
        sort: Sort,
        author: u64,
        random: &mut Random,
    ) -> (Option<String>, Option<String>) {
        match sort {
            Sort::Text => {
                let body = match random.below(600) {
                    0..=5 => Some(String::new()),
                    6..=8 => Some(" \n ".into()),
                    9 | 10 => None,
                    _ => Some(vocabulary::text(random, author)),
                };
                let client =
                    random.pick(&["ios/4.2", "android/4.1", "web", "desktop \\\"beta\\\""]);
                let payload = random
                    .once_in(5)
                    .then(|| format!(r#"{{"client": "{client}"}}"#));
                (body, payload)
            }
            Sort::File => {
                let caption = random.once_in(2).then(|| vocabulary::text(random, author));
                (caption, None)
            }
            Sort::System => {
                let event = random.pick(&["joined", "left", "renamed", "pinned"]);
                let payload = format!(r#"{{"event": "{event}", "user": {}}}"#, author + 1);
                (Some(format!("{event} the conversation")), Some(payload))
            }
            Sort::Call => {
                let seconds = random.below(4_000);
                let payload = format!(r#"{{"seconds": {seconds}, "missed": {}}}"#, seconds < 400);
                (Some(String::new()), Some(payload))
            }
        }
    }

    /// What a message answers: one before it in the conversation, or one that was purged.
    fn parent(&self, number: u64, conversation: u64, random: &mut Random) -> Option<u64> {
        if random.once_in(200) {
            return Some(1 + random.below(self.first_message_id() - 1));
        }
        if !random.once_in(4) {
            return None;
        }
        (number.saturating_sub(MEMORY)..number)
            .rev()
            .filter(|_| random.once_in(3))
            .find(|earlier| self.said(*earlier).0 == conversation)
            .map(|earlier| self.first_message_id() + earlier)
    }

    fn files(&self, number: u64) -> Vec<File> {
        let mut random = self.random(Kind::File, number);
        let count = match random.below(10) {
            0..=6 => 1,
            7 | 8 => 2,
            _ => 3,
        };
        let file = |_| {
            let (name, extension, mime) = random.pick(&vocabulary::FILES);
            let name = format!("{name} {}.{extension}", random.below(10_000));
            let path = format!("{:016x}.{extension}", random.bits());
            let url = match random.once_in(10) {
                true => format!("/uploads/{path}"),
                false => format!("https://files.example.org/{path}"),
            };
            File {
                uuid: super::conversation::uuid(&mut random),
                name,
                url,
                mime: (!random.once_in(12)).then_some(mime),
                bytes: random.below(20_000_000),
            }
        };
        (0..count).map(file).collect()
    }

    fn reactions(&self, after: u64, random: &mut Random) -> Vec<Reaction> {
        let mut given = BTreeSet::new();
        for _ in 0..=random.below(3) {
            let emoji = random.pick(&vocabulary::EMOJI);
            for _ in 0..=random.below(3) {
                given.insert((emoji, random.below(self.size.users)));
            }
        }
        let reaction = |(emoji, user)| Reaction {
            user,
            emoji,
            at: after.max(days_ago(300)) + random.below(DAY_MS),
        };
        given.into_iter().map(reaction).collect()
    }
}
