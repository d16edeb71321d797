//! Reads Parquet files as a source.
//!
//! A table's way, in the order of these modules:
//!
//! 1. `settings` says what a person may write; the files themselves are the business of
//!    `chatferry_files`, and `partitions` finds columns in the names of their folders;
//! 2. `describe` tells what a table has: `footer` reads what each file says of itself, `roles` and
//!    `types` say what its columns arrive as, and `merge` makes one type of those of several files;
//! 3. `scan` goes through the files again: `prune` finds what need not be read, `rows` reads the
//!    rest of a row group with the help of `input`, `filter` evaluates conditions, and `convert`,
//!    with the help of `interval`, makes the columns those of the table; `order` does so beforehand to
//!    find out which columns never descend;
//! 4. `source` is the source that does this, and `failure` says what is wrong with a file.
//!
//! [`snapshot`] writes tables of any sources as such files, and reads them as those sources again.

mod convert;
mod describe;
mod failure;
mod filter;
mod footer;
mod input;
mod interval;
mod merge;
#[cfg(test)]
mod observed;
mod order;
mod partitions;
mod prune;
mod roles;
mod rows;
mod scan;
mod settings;
pub mod snapshot;
mod source;
mod types;

use chatferry_config::Registry;

/// Adds the `parquet` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "parquet",
        "Parquet files, in folders, archives and object stores",
        settings::plan,
    );
}
