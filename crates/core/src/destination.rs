//! The destination contract: how rows become records, and what an answer says of each.

use std::fmt;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;

use crate::delivery::Delivery;
use crate::entity::Entity;
use crate::record::{Record, RecordId};
use crate::shaped::RejectedRow;

/// Leave to send one request, retries included. Sending uses it up.
///
/// Only the pacer makes permits; a test over the sources keeps it so.
#[must_use = "a permit that is dropped is a request that was never sent"]
#[derive(Debug)]
pub struct Permit(());

impl Permit {
    /// For the pacer alone.
    pub const fn issue() -> Self {
        Self(())
    }
}

/// Where records are delivered to.
#[async_trait]
pub trait Destination: fmt::Debug + Send + Sync {
    /// How it wants to be delivered to.
    fn delivery(&self) -> Delivery;

    /// Validates shaped rows against every rule that can be checked without asking the
    /// destination, and encodes those that pass. One entry per row, in the order of the rows.
    ///
    /// `now` is in UNIX seconds. The same rows and the same `now` give the same answer.
    fn prepare(&self, entity: Entity, rows: &RecordBatch, now: i64) -> Vec<Prepared>;

    /// A record that stands for a user or a group of which nothing is known but the id, under that
    /// name; the same each time. `None` when there can be none.
    fn placeholder(&self, _entity: Entity, _id: &RecordId, _name: &str) -> Option<Record> {
        None
    }

    /// Sends one request of records of one entity, and tells what became of each.
    ///
    /// The future may take as long as the destination's timeout. Dropping it abandons the
    /// request: what became of its records is then unknown.
    async fn send(&self, permit: Permit, entity: Entity, records: &[Record]) -> Answer;
}

/// What became of a shaped row.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// It can be sent.
    Ready(Record),
    /// It is left out by a policy of the destination, such as a retention window.
    Skipped {
        /// The record's id.
        id: RecordId,
        /// The policy's name.
        reason: &'static str,
    },
    /// It breaks a rule, and could not succeed.
    Rejected(RejectedRow),
}

/// The answer to one request.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// How many bytes the request's body had.
    pub bytes: usize,
    /// A verdict on each record, matched by id; or why there are none.
    ///
    /// A record that was sent and has no receipt is in doubt.
    pub receipts: Result<Vec<Receipt>, Failure>,
}

/// What one answer says of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The record, by the id it was sent with.
    pub id: RecordId,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a record in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored, with the id the destination gave it, if it told.
    Imported {
        /// The destination's own id.
        remote: Option<Box<str>>,
    },
    /// It was there before.
    Present,
    /// Not stored, and sending the same again would not help.
    Refused {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
    },
    /// The destination does not know itself: a failure on its side.
    Doubt {
        /// The API's code.
        code: String,
    },
    /// Not stored, and nothing else will be until the operator acts: a plan's quota is reached.
    Stop {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
        /// What to do.
        remedy: String,
    },
}

/// Why a request got no verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Too many requests. Nothing was stored. Send nothing for this long, if it was told.
    Throttled {
        /// How long, where the answer told.
        wait: Option<Duration>,
    },
    /// The request never arrived: no connection could be made. Nothing was stored.
    Unreachable {
        /// What happened.
        what: String,
    },
    /// The answer was lost or makes no sense. Any of the records may have been stored.
    Doubt {
        /// What happened.
        what: String,
        /// Whether it does not look as if the API itself had answered: a gateway's page, say.
        foreign: bool,
    },
    /// The body was too large. Nothing was stored.
    TooLarge,
    /// Nothing will succeed until a person acts: a wrong key, an exhausted plan, a wrong URL.
    Stop {
        /// The API's code, or a short name where it has none.
        code: String,
        /// The API's words.
        message: String,
        /// What to do.
        remedy: String,
    },
}
