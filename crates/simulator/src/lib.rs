//! A stand-in for CometChat: the same endpoints, limits, errors and oddities.
//!
//! It is written from CometChat's documentation alone and shares nothing with the code that sends,
//! so that each checks the other. Where the documentation is silent, [`Switches`] say what is done;
//! what goes wrong on demand is a [`Fault`].
//!
//! A request is answered in process by [`Simulator::answer`], or over HTTP by
//! [`Simulator::serve`]: both give the same bytes.
//!
//! # Example: seeing what would be stored
//!
//! ```
//! # use chatferry_simulator::{Settings, Simulator};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::new(Settings::default())?;
//! let request = http::Request::post("https://app.api-eu.cometchat.io/v3/data_import/users")
//!     .header("apikey", "any")
//!     .body(r#"{"users":{"bob":{"uid":"bob","name":"Bob"}}}"#.into())?;
//! let answer = simulator.answer(request).await?;
//! assert_eq!(answer.status(), 200);
//! assert_eq!(simulator.counts().users, 1);
//! # Ok(())
//! # }
//! ```

mod archive;
mod call;
mod chance;
mod change;
mod door;
mod dump;
mod failure;
mod fault;
mod import;
mod index;
mod limit;
mod limit_headers;
mod listing;
mod messages;
mod query;
mod recent;
mod record;
mod removal;
mod request;
mod response;
mod rules;
mod server;
mod settings;
mod shelf;
mod simulator;
mod spool;
mod state;
mod strike;
mod switches;
mod walk;

pub use chance::Spread;
pub use fault::{FAULTS, Fault, Told};
pub use settings::{Clock, Keep, Settings};
pub use simulator::{Counts, Dropped, Simulator};
pub use switches::{
    AnswerKeys, AttachmentUrl, CursorPlace, Deactivation, DeleteDeactivated, Duplicates, EmptyMap,
    EntityDepth, InlineExisting, InlineMissing, JoinedAt, KeyMismatch, ListData, ListOrder,
    ListStart, MissingReference, MuidShown, NextPage, NoMessage, OwnerJoins, Poison, RateHeaders,
    RetryAfter, SWITCHES, Switches, TooMany, Total, UnknownKeys, UnknownRole, Window,
};
