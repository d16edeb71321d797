//! The `mysql` source through the door that users use: a pipeline file, and a server.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod bad;
mod conditions;
mod contract;
mod moment;
mod pages;
mod properties;
mod settings;
mod tables;
mod types;
mod workshop;
