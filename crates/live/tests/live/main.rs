//! The page, the JSON and the metrics, asked for over a socket.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod guest;
mod metrics;
mod page;
mod run;
