//! The `adbc` source through the door that users use: a pipeline file, and real drivers.

mod bad;
mod drivers;
mod postgres;
mod settings;
mod sqlite;
