//! What a destination tells of what it holds, and how it takes it away again.
//!
//! This is how an import is verified, and undone. A [`Destination`](crate::Destination) need not
//! have it.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};

use async_trait::async_trait;

use crate::destination::{Failure, Permit};
use crate::entity::Entity;
use crate::record::{Record, RecordId};

/// A destination whose contents can be read back and taken away.
#[async_trait]
pub trait Inspection: fmt::Debug + Send + Sync {
    /// How fast it may be asked. This has nothing to do with the pace of delivery.
    fn pace(&self) -> Pace;

    /// The names of the fields that can be compared, in the order of [`Contents::fields`].
    fn compared(&self, entity: Entity) -> &'static [&'static str];

    /// What it should hold when it holds this record.
    fn expected(&self, record: &Record) -> Expected;

    /// Whether it knows what it holds of this entity by numbers of its own, which
    /// [`Verdict::Imported`](crate::Verdict::Imported) tells, rather than by record ids.
    fn is_numbered(&self, entity: Entity) -> bool;

    /// The entity in each of which this one is listed, such as groups for members; `None` when
    /// there is one list of all.
    fn listed_in(&self, entity: Entity) -> Option<Entity>;

    /// A page of a list: the first one, or the one that `from` leads to. `within` is the id of
    /// what the list belongs to, where there is more than one. A list of something that is not
    /// there is empty.
    ///
    /// Asked for the same page again, it answers again. What was listed before may come again
    /// while others are added or taken away.
    ///
    /// # Errors
    ///
    /// When there was no answer that makes sense. Nothing was changed.
    async fn list(
        &self,
        permit: Permit,
        entity: Entity,
        within: Option<&str>,
        from: Option<&Cursor>,
    ) -> Result<Page, Failure>;

    /// One thing by its id: the number where it has one. Not for what is listed within something.
    ///
    /// # Errors
    ///
    /// When there was no answer that makes sense. Nothing was changed.
    async fn find(&self, permit: Permit, entity: Entity, id: &str)
    -> Result<Option<Item>, Failure>;

    /// Takes one thing away for good, or does the next step towards that.
    ///
    /// # Errors
    ///
    /// When it was not taken away, or nobody knows.
    async fn remove(&self, permit: Permit, removal: &Removal) -> Result<Removed, Failure>;
}

/// How fast a destination may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many requests may be sent in any minute; `None` for as many as the machine can.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How many requests may be under way at once.
    pub in_flight: NonZeroUsize,
}

/// Where a list goes on. Only the destination understands it; it can be kept as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What is on it.
    pub items: Vec<Item>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Cursor>,
}

/// Something that the destination holds.
#[derive(Clone, Debug)]
pub struct Item {
    /// The record id, as far as it is told.
    pub id: Option<RecordId>,
    /// The destination's own number of it, where it has one.
    pub number: Option<Box<str>>,
    /// What it holds.
    pub contents: Contents,
    /// Whether it is only still there to say that it was deleted.
    pub deleted: bool,
}

/// What can be compared: of a record, or of what a destination holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// What it belongs to: a message's conversation, a member's group.
    pub part_of: Option<String>,
    /// A hash by which it is recognised where no id or number tells which record it is.
    pub likeness: Option<u64>,
    /// The value of each field that can be compared. `None` says nothing: it was not sent, or is
    /// not told. A field that was told to be empty has a value too.
    pub fields: Vec<Option<Told>>,
}

/// A value as it is compared, and as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The value, written in one way only. Two are equal when these are.
    pub value: String,
    /// How it may be shown, when not all of the value may be.
    pub shown: Option<String>,
}

/// What a destination should hold when it holds a record.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The record itself.
    pub contents: Contents,
    /// What may be there because of it, such as a sender whose details it brought along.
    pub brings: Vec<(Entity, RecordId)>,
}

/// Something that is to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// What it is.
    pub entity: Entity,
    /// Which one.
    pub id: RecordId,
    /// The destination's own number of it, where it has one.
    pub number: Option<Box<str>>,
    /// How many steps were done before.
    pub step: u32,
}

/// What came of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone now.
    Gone,
    /// It was not there.
    Absent,
    /// That was a step; the next one is due.
    NotYet,
    /// It is still there, and asking again would not help.
    Refused {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
    },
}

impl Told {
    /// A value that may be shown as it is.
    #[must_use]
    pub fn plain(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            shown: None,
        }
    }

    /// How it may be shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.value)
    }
}
