//! Files through the door that connectors use: an address, a path, and bytes.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod archives;
mod compressed;
mod folders;
mod limits;
mod proxy;
mod ranges;
mod stores;
mod web;
mod workshop;
