//! How fast, how many at once, in which order.

use std::num::{NonZeroU32, NonZeroUsize};

/// How records are delivered: the destination's settings that the runtime acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How many requests may be sent in any minute; `None` for as many as the machine can.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How many records a request carries at most.
    pub records_per_request: NonZeroUsize,
    /// How many bytes a request's body has at most.
    pub bytes_per_request: NonZeroUsize,
    /// How many requests may be under way at once.
    pub in_flight: NonZeroUsize,
    /// What order messages keep.
    pub message_order: MessageOrder,
    /// How much may be refused before the run stops; `None` for everything.
    pub failure_budget: Option<FailureBudget>,
    /// How many messages may be delivered by all runs together.
    pub message_allowance: Option<u64>,
}

/// How many of the records that were answered last may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureBudget {
    /// The share, in percent.
    pub percent: u8,
    /// How many records are looked at.
    pub of: NonZeroUsize,
}

/// What order messages keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageOrder {
    /// Within each conversation: requests overlap, but never two that carry messages of the same
    /// conversation.
    #[default]
    Conversation,
    /// Over all conversations: one request at a time.
    Strict,
}
