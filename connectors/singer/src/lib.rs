//! Reads any Singer tap as a source.
//!
//! A tap is a program that says which streams it has and prints their records as messages. In the
//! order of these modules:
//!
//! 1. `settings` says what a person may write, and `config` what of that is for the tap;
//! 2. `origin` is where messages come from: `tap` runs one, through `chatferry_child`, with what it
//!    is to be told in private files, and [`messages`] has those that stand in a file, or came on
//!    standard input;
//! 3. `catalog` is what it says of its streams, and what is wanted of them; `schema` makes columns
//!    of that;
//! 4. `message` reads a line of what it prints, and `stream` takes the records of one stream out
//!    of all lines, for `chatferry_records` to make rows of;
//! 5. `source` does both for whoever reads a table.

mod catalog;
mod config;
mod message;
pub mod messages;
mod origin;
mod schema;
mod settings;
mod source;
mod stream;
mod tap;

use chatferry_config::Registry;

/// Adds the `singer` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source("singer", "the streams of any Singer tap", settings::plan);
}
