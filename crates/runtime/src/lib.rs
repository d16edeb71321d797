//! Delivers a pipeline's records: in order, at the allowed pace, once, with an account of every
//! row. Knows no TOML and no terminal.
//!
//! One record's walk: `intake` takes shaped rows in and has them prepared; [`admission`] leaves
//! out what is settled, doubled or blocked; the [`window`] holds the rest until a full request
//! can be made of it; the [`pacer`] gives leave to send; [`delivery`] sends, and asks the
//! [`decision`] what an answer means; the ledger writes down what became of it; and the books count
//! it.
//!
//! [`plan`] goes the same way up to the sending, and tells what a run would come to.
//!
//! [`verify`] and [`undo`] ask the destination what it holds, and take it away again; `errands`
//! sends their requests.
//!
//! # What waits between source and destination
//!
//! At most two batches of the engine (1,024 rows each), the window
//! ([`window::RECORDS`], [`window::BYTES`]) and the requests in flight. Nothing more is read until
//! some of it is settled.

pub mod admission;
mod books;
mod compare;
pub mod decision;
pub mod delivery;
mod errands;
mod health;
mod intake;
mod limits;
mod opening;
pub mod pacer;
mod placeholders;
pub mod plan;
mod reception;
mod run;
mod scribe;
mod seen;
mod ticket;
pub mod undo;
pub mod verify;
pub mod window;
mod working;

pub use books::waiting;
pub use delivery::Requests;
pub use errands::Asked;
pub use intake::{FlowInput, Open};
pub use pacer::Pacer;
pub use plan::{Forecast, Plan};
pub use run::{Again, Ended, Finished, Observer, Progress, Run, Stop, WaitsFor, stop};
pub use undo::Undo;
pub use verify::{Verify, Watcher};
