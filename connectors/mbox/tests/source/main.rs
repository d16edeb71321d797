//! The `mbox` source through the door that users use: a pipeline file, and mailboxes.

mod bad;
mod messages;
mod properties;
mod settings;
mod tutorial;
mod workshop;
