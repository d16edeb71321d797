//! The rules on a row, and what is found out about it on the way.
//!
//! Each entity has a file, which takes its columns out of a batch once and then looks at row after
//! row. What is known only once a row is written stands in [`prepare`](crate::prepare).

mod columns;
mod group;
mod member;
mod message;
mod user;

use arrow::array::RecordBatch;
use chatferry_core::{Entity, RecordId, Reference};

use crate::policy::Policy;
use crate::rules::Broken;

pub(crate) use columns::Text;
pub(crate) use message::Receipts;

/// The rules of one entity, with the columns of one batch.
#[expect(clippy::large_enum_variant, reason = "there is one a batch")]
pub(crate) enum Checks {
    User(user::User),
    Group(group::Group),
    Member(member::Member),
    Message(message::Message),
}

/// What the rules on a row have found out.
#[derive(Default)]
pub(crate) struct Checked {
    /// The conversation that it belongs to, if it does.
    pub(crate) lane: Option<u64>,
    pub(crate) sent_at: Option<i64>,
    pub(crate) references: Vec<Reference>,
    pub(crate) receipts: Option<Receipts>,
}

impl Checks {
    pub(crate) fn new(entity: Entity, rows: &RecordBatch) -> Self {
        match entity {
            Entity::Users => Self::User(user::User::new(rows)),
            Entity::Groups => Self::Group(group::Group::new(rows)),
            Entity::Members => Self::Member(member::Member::new(rows)),
            Entity::Messages => Self::Message(message::Message::new(rows)),
        }
    }

    /// Whether a row keeps the rules.
    pub(crate) fn check(&self, row: usize, policy: &Policy<'_>) -> Result<Checked, Broken> {
        match self {
            Self::User(user) => user.check(row, policy),
            Self::Group(group) => group.check(row, policy),
            Self::Member(member) => member.check(row, policy),
            Self::Message(message) => message.check(row, policy),
        }
    }

    /// Whether a message's data has parts with rules of their own.
    pub(crate) fn has_parts(&self, row: usize) -> bool {
        matches!(self, Self::Message(message) if message.has_parts(row))
    }
}

fn reference(field: &'static str, entity: Entity, id: &str) -> Reference {
    Reference {
        field,
        entity,
        id: RecordId::new(id),
    }
}
