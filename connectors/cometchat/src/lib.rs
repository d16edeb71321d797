//! The destination: CometChat's Data Import API.
//!
//! What the API takes and how it answers is written down here once, and nowhere else:
//!
//! * [`entities`]: the fields of users, groups, members and messages;
//! * [`rules`]: every documented limit, as a rule with a stable name;
//! * [`prepare`](CometChat): shaped rows into validated and encoded records: `checks` apply the rules
//!   entity by entity, `encode` writes JSON, `media` and `data` look at parts of it;
//! * [`request`]: records into the body of a request;
//! * [`client`]: how a request travels;
//! * [`response`] and [`codes`]: what an answer says of each record (`stored`), and what one without
//!   verdicts asks for (`failure`, `wait`);
//! * `inspection`: what the app holds, page by page (`lists`), what of it can be compared
//!   (`contents`), and how it is taken away (`removal`).
//!
//! The facts come from CometChat's published reference and articles: "Data Import APIs",
//! "Properties and constraints", "Data migration: constraints, rate limits and errors", and the
//! "Error guide". Where these disagree the stricter reading is used for what is sent, and the
//! more tolerant one for what is received.

mod checks;
pub mod client;
pub mod codes;
mod contents;
mod data;
mod destination;
mod encode;
pub mod entities;
mod failure;
mod inspection;
mod lists;
mod media;
mod placeholder;
mod policy;
mod prepare;
mod removal;
pub mod request;
pub mod response;
pub mod rules;
mod settings;
mod shaped;
mod stored;
mod wait;

use chatferry_config::DestinationKind;

pub use client::{Http, Reply, Transport, TransportError};
pub use destination::CometChat;
pub use settings::{Retention, Settings};
pub use shaped::ShapedRows;

/// CometChat as the destination of a pipeline: the table `[cometchat]`.
#[must_use]
pub fn destination() -> DestinationKind<Settings> {
    DestinationKind {
        name: "cometchat",
        fields: entities::fields,
        plan: Settings::plan,
    }
}
