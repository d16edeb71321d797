//! Reads JSON lines and JSON documents as a source.
//!
//! A file's way, in the order of these modules:
//!
//! 1. `settings` says what a person may write; `chatferry_files` finds the files and opens one as
//!    decompressed bytes;
//! 2. `input` makes sure that these are text; `window` holds the part that is in memory;
//!    `splitter` finds where records end, in `lines` or in a `document`, and what stands `around`
//!    them; `pieces` does so for all files of a table;
//! 3. `describe` reads a table once: on all processors, `parcel` by parcel, `infer` finds out the
//!    `kind` of each column, with the help of `seen`, `number` and `extended`, and whether it ever
//!    descends;
//! 4. `scan` reads it again: of each parcel `decode` makes Arrow columns, each a `column`; `syntax`
//!    says what is wrong with records that cannot be read;
//! 5. `source` does both for `chatferry_files`, which makes a source of it.

mod around;
mod column;
mod decode;
mod describe;
mod document;
mod extended;
mod infer;
mod input;
mod kind;
mod lines;
mod number;
mod parcel;
mod pieces;
mod scan;
mod seen;
mod settings;
mod source;
mod splitter;
mod syntax;
mod window;

use chatferry_config::Registry;

/// Adds the `json` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "json",
        "JSON lines and JSON documents, in folders and archives",
        settings::plan,
    );
}
