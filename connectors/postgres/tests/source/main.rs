//! The `postgres` source through the door that users use: a pipeline file, and real servers.

#![allow(
    clippy::unwrap_used,
    reason = "in a test a panic with the value is the message"
)]

mod bad;
mod contract;
mod moment;
mod pages;
mod properties;
mod settings;
mod types;
mod workshop;
