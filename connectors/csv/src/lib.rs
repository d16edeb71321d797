//! Reads CSV files, and their relatives with other separators, as a source.
//!
//! A file's way, in the order of these modules:
//!
//! 1. `settings` and `schema` say what a person may write; where the files are is the business of
//!    `chatferry_files`;
//! 2. `text` makes UTF-8 of a file's bytes; `window` holds the part that is in memory; `dialect`
//!    finds where records and fields end in it, and `skip` the end of one that is too long;
//!    `records` gives those of a file, and `pieces` those of all files of a table;
//! 3. `describe` reads a table once: `infer` finds out the `kind` of each column;
//! 4. `scan` reads it again, and makes each `column` of an Arrow batch;
//! 5. `source` is the source that does both.

mod column;
mod decode;
mod describe;
mod dialect;
mod infer;
mod kind;
mod look;
mod parcel;
mod pieces;
mod records;
mod scan;
mod schema;
mod settings;
mod skip;
mod source;
mod text;
mod window;

use chatferry_config::Registry;

/// Adds the `csv` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "csv",
        "CSV files and their relatives, in folders, archives and object stores",
        settings::plan,
    );
}
