//! Delivers a pipeline's records: in order, at the allowed pace, once, with an account of every
//! row. Knows no TOML and no terminal.
//!
//! One record's walk: `intake` takes shaped rows in and has them prepared; [`admission`] leaves
//! out what is settled, doubled or blocked; the [`window`] holds the rest until a full request
//! can be made of it; the [`pacer`] gives leave to send; [`delivery`] sends, and asks the
//! [`decision`] what an answer means; the ledger writes down what became of it; and the books count
//! it.
//!
//! # What waits between source and destination
//!
//! At most two batches of the engine (4,096 rows each), the window
//! ([`window::RECORDS`], [`window::BYTES`]) and the requests in flight. Nothing more is read until
//! some of it is settled.

pub mod admission;
mod books;
pub mod decision;
pub mod delivery;
mod intake;
mod opening;
pub mod pacer;
mod run;
mod scribe;
mod seen;
pub mod window;

pub use delivery::Requests;
pub use intake::FlowInput;
pub use pacer::Pacer;
pub use run::{Ended, Finished, Observer, Progress, Run, Stop, stop};
