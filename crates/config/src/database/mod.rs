//! What the settings of databases have in common.

mod server;
mod tables;

pub use server::{Address, Kind, Server, Tls, some_time};
pub use tables::{TableSettings, Tables};
