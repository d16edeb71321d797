//! One conversation, and who takes part in it.

use std::collections::BTreeSet;

use super::population::{Kind, Population, days_ago};
use crate::generate::DAY_MS;
use crate::random::Random;
use crate::vocabulary;

/// What kind of conversation it is. All kinds are in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// Two people; or one who keeps notes.
    Direct,
    /// A few people, without a name.
    GroupDirect,
    /// A room for everybody.
    Public,
    /// A room for those invited.
    Private,
}

/// A conversation. All times are UNIX milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    /// Counted from 0.
    pub(super) number: u64,
    pub(super) setting: Setting,
    pub(super) title: Option<String>,
    pub(super) topic: Option<String>,
    /// The number of the user who made it; there may be no such account any more.
    pub(super) owner: Option<u64>,
    pub(super) created_at: u64,
    pub(super) archived_at: Option<u64>,
}

/// What somebody may do in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Owner,
    Moderator,
    Member,
    Banned,
}

/// Somebody in a conversation.
#[derive(Clone, Debug)]
pub(super) struct Participant {
    /// The conversation's number.
    pub(super) conversation: u64,
    /// The user's number; there may be no such account any more.
    pub(super) user: u64,
    pub(super) role: Role,
    /// Sometimes before there was a conversation.
    pub(super) joined_at: u64,
    pub(super) left_at: Option<u64>,
    pub(super) is_muted: bool,
}

impl Population {
    /// The conversations that are there.
    pub(super) fn conversations(&self) -> impl Iterator<Item = Conversation> {
        (0..self.size.conversations)
            .filter(|conversation| !has_vanished(*conversation))
            .map(|conversation| self.conversation(conversation))
    }

    /// Who takes part in each conversation, those that vanished included.
    pub(super) fn participants(&self) -> impl Iterator<Item = Participant> {
        (0..self.size.conversations).flat_map(move |conversation| {
            let seats = 0..self.seats(conversation);
            let users: BTreeSet<u64> = seats.map(|seat| self.seat(conversation, seat)).collect();
            users
                .into_iter()
                .map(move |user| self.participant(conversation, user))
        })
    }

    fn conversation(&self, number: u64) -> Conversation {
        let mut random = self.random(Kind::Conversation, number);
        let (setting, word) = (setting(number), vocabulary::topic(&mut random));
        let is_room = matches!(setting, Setting::Public | Setting::Private);
        let title = match random.below(10) {
            _ if !is_room => None,
            0 => Some(format!("{word} {}", random.pick(&vocabulary::EMOJI))),
            1 if random.once_in(2) => Some(format!("everything about {word}, ").repeat(6)),
            2 if random.once_in(2) => Some(String::new()),
            _ => Some(format!("{word} {}", number + 1)),
        };
        let topic = (is_room && random.once_in(3)).then(|| vocabulary::text(&mut random, number));
        Conversation {
            number,
            setting,
            title,
            topic,
            owner: is_room.then(|| self.seat(number, 0)),
            created_at: self.began(number),
            archived_at: random
                .once_in(12)
                .then(|| days_ago(60) + random.below(50 * DAY_MS)),
        }
    }

    fn began(&self, conversation: u64) -> u64 {
        days_ago(600) + self.random(Kind::Began, conversation).below(300 * DAY_MS)
    }

    /// How many seats a conversation has. Some may be taken by the same person.
    pub(super) fn seats(&self, conversation: u64) -> u64 {
        let mut random = self.random(Kind::Seat, conversation << 16 | 0xFFFF);
        match setting(conversation) {
            Setting::Direct if is_note(conversation) => 1,
            Setting::Direct => 2,
            Setting::GroupDirect => 3 + random.below(5),
            Setting::Public | Setting::Private => 3 + random.below(45),
        }
    }

    /// The number of the user who sits there.
    pub(super) fn seat(&self, conversation: u64, seat: u64) -> u64 {
        // The same two people once opened a second conversation.
        let like = match is_double(conversation) {
            true => conversation - 4,
            false => conversation,
        };
        let mut random = self.random(Kind::Seat, like << 16 | seat);
        match (setting(conversation), seat) {
            (Setting::Direct, 1) => {
                let other = 1 + random.below(self.size.users - 1);
                (self.seat(conversation, 0) + other) % self.size.users
            }
            _ => random.below(self.size.users),
        }
    }

    fn participant(&self, conversation: u64, user: u64) -> Participant {
        let mut random = self.random(Kind::Participant, conversation << 32 | user);
        let began = self.began(conversation);
        let is_room = matches!(setting(conversation), Setting::Public | Setting::Private);
        let role = match random.below(30) {
            _ if !is_room => Role::Member,
            _ if self.seat(conversation, 0) == user => Role::Owner,
            0..=2 => Role::Moderator,
            3 => Role::Banned,
            _ => Role::Member,
        };
        let joined_at = match random.once_in(15) {
            true => began - random.below(DAY_MS),
            false => began + random.below(100 * DAY_MS),
        };
        let left = role == Role::Member && is_room && random.once_in(8);
        Participant {
            conversation,
            user,
            role,
            joined_at,
            left_at: left.then(|| joined_at + random.below(200 * DAY_MS)),
            is_muted: random.once_in(10),
        }
    }

    /// The conversation's id in a system that uses random UUIDs.
    pub(super) fn uuid(&self, conversation: u64) -> String {
        uuid(&mut self.random(Kind::Uuid, conversation))
    }
}

/// A random UUID, of version 4.
pub(super) fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.bits(), random.bits());
    let version = (high & 0x0FFF) | 0x4000;
    let variant = (low >> 48 & 0x3FFF) | 0x8000;
    format!(
        "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        low & 0xFFFF_FFFF_FFFF
    )
}

pub(super) const fn setting(conversation: u64) -> Setting {
    match conversation % 10 {
        0 | 1 | 4 => Setting::Public,
        2 | 6 => Setting::Private,
        8 => Setting::GroupDirect,
        _ => Setting::Direct,
    }
}

/// Whether there is no conversation any more, though it has participants and messages.
pub(super) const fn has_vanished(conversation: u64) -> bool {
    conversation % 25 == 12
}

/// Whether a direct conversation has one participant only.
const fn is_note(conversation: u64) -> bool {
    conversation % 20 == 13
}

/// Whether a direct conversation is between the same two people as another.
const fn is_double(conversation: u64) -> bool {
    conversation % 20 == 19
}
