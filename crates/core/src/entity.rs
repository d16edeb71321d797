//! What kinds of things are imported, and in which order.

use std::fmt;

/// One of the four kinds of things that CometChat's Data Import API takes.
///
/// The order of the variants is the order of delivery: what a record refers to is always
/// delivered before it (API.md 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// People and bots; known by `uid`.
    Users,
    /// Group conversations; known by `guid`.
    Groups,
    /// Who is in which group; known by `memberId`.
    Members,
    /// What was said; known by `muid`.
    Messages,
}

impl Entity {
    /// All four, in the order of delivery.
    pub const ALL: [Self; 4] = [Self::Users, Self::Groups, Self::Members, Self::Messages];

    /// The plural name, as written in a pipeline file and in the API's paths: `users`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Members => "members",
            Self::Messages => "messages",
        }
    }

    /// One of them, for sentences: `user`.
    #[must_use]
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Groups => "group",
            Self::Members => "member",
            Self::Messages => "message",
        }
    }

    /// The field that holds the record id: `uid`, `guid`, `memberId` or `muid`.
    #[must_use]
    pub const fn id_field(self) -> &'static str {
        match self {
            Self::Users => "uid",
            Self::Groups => "guid",
            Self::Members => "memberId",
            Self::Messages => "muid",
        }
    }

    /// The entity of that plural name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.name() == name)
    }

    /// A number for it that never changes: 0 to 3 in the order of delivery.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The entity of that [number](Self::number).
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
