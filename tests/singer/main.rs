//! Is what a Singer tap gives delivered, once, and does the tap go on from where that is settled?

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod chat;
mod database;
#[cfg(unix)]
mod meltano;
mod piped;
mod read_on;
