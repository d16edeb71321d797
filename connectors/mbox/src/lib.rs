//! Reads mailboxes in the mbox format as a source.
//!
//! 1. `settings` says what a person may write;
//! 2. `mailbox` finds where the messages of a file begin, and `message` reads one of them;
//! 3. `columns` are what a table has, and the batches that are made of messages;
//! 4. `source` puts these together for `chatferry_files`, which makes a source of it.

mod columns;
mod mailbox;
mod message;
mod settings;
mod source;

use chatferry_config::Registry;

/// Adds the `mbox` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source("mbox", "Mailboxes in the mbox format", settings::plan);
}
