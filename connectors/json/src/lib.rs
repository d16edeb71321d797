//! Reads JSON lines and JSON documents as a source.
//!
//! `settings` says what a person may write; `chatferry_files` finds the files and opens them,
//! `chatferry_records` describes and reads the JSON in them; `source` brings the two together.

mod settings;
mod source;

use chatferry_config::Registry;

/// Adds the `json` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "json",
        "JSON lines and JSON documents, in folders and archives",
        settings::plan,
    );
}
