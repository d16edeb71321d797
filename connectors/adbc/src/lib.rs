//! Reads whatever has an ADBC driver as a source.
//!
//! Arrow Database Connectivity is to Arrow what ODBC is to rows: a driver is a library that is loaded
//! when the program runs, and gives what a database answers as Arrow batches.
//!
//! 1. `settings` says what a person may write;
//! 2. `driver` loads a driver and connects; `catalog` lists the tables that it knows of;
//! 3. `query` runs one query, and breaks it off when nobody wants it any more; `spool` keeps what it
//!    gave until somebody takes it;
//! 4. `source` is the source that does all this, and `failure` says what to do when a driver refuses.

mod catalog;
mod driver;
mod failure;
mod query;
mod settings;
mod source;
mod spool;

use chatferry_config::Registry;

/// Adds the `adbc` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source("adbc", "Databases by way of an ADBC driver", settings::plan);
}
