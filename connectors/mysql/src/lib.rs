//! Reads the tables of a MySQL or MariaDB database as a source.
//!
//! A table's way, in the order of these modules:
//!
//! 1. `settings` says what a person may write;
//! 2. `session` connects, read-only and with time limits, and connects again when a connection is
//!    lost; `failure` says what stood in the way, and what to do;
//! 3. `catalog` asks the database for its tables, columns and indexes, and `types` finds the Arrow
//!    type of each column and how it is asked for;
//! 4. `describe` makes a table of that, and `key` is what its pages are cut by;
//! 5. `scan` reads it page by page: `page` writes the statement in `sql`, `filter` the conditions
//!    in it, `rows` collects the answer, and `decode` makes Arrow columns of it, with the help of
//!    `calendar` for dates and `numeric` for decimals;
//! 6. `source` is the source that does all this.

mod calendar;
mod catalog;
mod decode;
mod describe;
mod failure;
mod filter;
mod key;
mod numeric;
mod page;
mod rows;
mod scan;
mod session;
mod settings;
mod source;
mod sql;
mod types;

use chatferry_config::Registry;

/// Adds the `mysql` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "mysql",
        "tables, views and queries of MySQL and MariaDB",
        settings::plan,
    );
}
