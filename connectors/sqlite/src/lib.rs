//! Reads SQLite databases as a source.
//!
//! A table's way, in the order of these modules:
//!
//! 1. `settings` says what a person may write; `session` opens the file; `catalog` lists its
//!    tables, and of each its columns; `key` says by which of them it can be read piece by piece;
//! 2. `describe` tells what a table has; for that `survey` reads it once, to count what kinds of
//!    values each column really holds, and `types` says what Arrow type that is;
//! 3. `page` is the SQL of one page, from the key of the last row on; `filter` says which conditions
//!    SQLite evaluates as the engine does, and puts them into that SQL;
//! 4. `scan` begins to read, `rows` goes on page by page, and `decode` makes Arrow columns of values;
//! 5. `source` is the source that does all this, and `failure` says what to do when SQLite refuses.

mod catalog;
mod decode;
mod describe;
mod failure;
mod filter;
mod key;
mod page;
mod rows;
mod scan;
mod session;
mod settings;
mod source;
mod survey;
mod types;

use chatferry_config::Registry;

/// Adds the `sqlite` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "sqlite",
        "Tables and views of a SQLite database",
        settings::plan,
    );
}
