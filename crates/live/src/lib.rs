//! How a run stands, over HTTP: a page for people, JSON for programs, metrics for Prometheus.
//!
//! | path | gives |
//! |---|---|
//! | `/` | the page |
//! | `/api/status` | how the run stands, as JSON |
//! | `/api/events` | the same once a second, as server-sent events |
//! | `/metrics` | the same in Prometheus' text format |
//!
//! Nothing can be changed from there, and of records there are only ids and places. A [`Board`] is
//! told by the run how it stands, and `server` shows it; `guard` says to whom. The run waits
//! for nobody who looks: it writes a few numbers on the board, and whoever looks takes a copy.

mod board;
mod guard;
mod histogram;
mod metrics;
mod server;
mod status;

pub use board::{About, Board, Ending};
pub use guard::Hosts;
pub use server::Live;
