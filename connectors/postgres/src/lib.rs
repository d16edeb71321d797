//! Reads PostgreSQL databases as a source.
//!
//! A table's way, in the order of these modules:
//!
//! 1. `settings` says what a person may write;
//! 2. `session` connects, read-only and with time limits, and connects again when a connection is
//!    lost; `moment` is the one transaction of whoever wants all of it as of one moment; `failure` says what stood in the way, and what to do;
//! 3. `catalog` asks the database for its relations, columns, types and indexes, and `types` finds
//!    the Arrow type of each column and how it is asked for;
//! 4. `describe` makes a table of that, and `key` chooses what its pages are cut by;
//! 5. `scan` reads it page by page: `page` writes the statement, `filter` the conditions in it,
//!    `copy` cuts the answer into rows, and `decode` makes Arrow columns of them, with the help of
//!    `numeric` for decimals;
//! 6. `source` is the source that does all this.

mod catalog;
mod copy;
mod decode;
mod describe;
mod failure;
mod filter;
mod key;
mod moment;
mod numeric;
mod page;
mod scan;
mod session;
mod settings;
mod source;
mod types;

use chatferry_config::Registry;

/// Adds the `postgres` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "postgres",
        "PostgreSQL databases, read in pages and without a cursor",
        settings::plan,
    );
}
