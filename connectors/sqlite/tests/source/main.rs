//! The `sqlite` source through the door that users use: a pipeline file, and databases.

mod bad;
mod keys;
mod kind;
mod moment;
mod properties;
mod settings;
mod types;
mod workshop;
