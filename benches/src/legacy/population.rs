//! Who there is and what they said.

use crate::generate::{DAY_MS, NOW_MS, Size};
use crate::popularity::Popularity;
use crate::random::Random;

/// A chat that a database can be filled with.
///
/// Nothing of it is kept in memory but how popular each conversation is: every person, conversation
/// and message is made of its own random numbers when it is asked for. All of them are numbered
/// from 0; ids count from 1, and those of messages from [`first_message_id`](Self::first_message_id).
#[derive(Clone, Debug)]
pub struct Population {
    seed: u64,
    pub(super) size: Size,
    pub(super) popularity: Popularity,
}

/// What random numbers are for; each kind has its own, and none that [`Chat`] uses.
///
/// [`Chat`]: crate::generate::Chat
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Person = 100,
    Erased,
    Taken,
    Nickname,
    Conversation,
    Began,
    Uuid,
    Seat,
    Participant,
    Time,
    Message,
    File,
}

impl Population {
    /// The chat of that seed with so many messages, at [`NOW_MS`].
    #[must_use]
    pub fn new(seed: u64, messages: u64) -> Self {
        // Enough people and conversations that a small chat has every kind of dirt, too.
        let size = Size {
            users: messages / 100 + 60,
            conversations: messages / 250 + 30,
            messages,
        };
        Self {
            seed,
            size,
            popularity: Popularity::of(size.conversations),
        }
    }

    /// The id of the first message. Those before it, to which others may still refer, were purged.
    #[must_use]
    pub const fn first_message_id(&self) -> u64 {
        self.size.messages / 20 + 1
    }

    pub(super) fn random(&self, kind: Kind, number: u64) -> Random {
        Random::of(self.seed, kind as u64, number)
    }
}

/// A time so many days before the end of the chat, in UNIX milliseconds.
pub(super) const fn days_ago(days: u64) -> u64 {
    NOW_MS - days * DAY_MS
}
