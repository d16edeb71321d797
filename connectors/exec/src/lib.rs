//! Reads the JSON that a program prints as a source.
//!
//! `settings` says what a person may write; `chatferry_child` runs the program,
//! `chatferry_records` describes and reads what it prints; `source` brings the two together.

mod settings;
mod source;

use chatferry_config::Registry;

/// Adds the `exec` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "exec",
        "the JSON lines or the JSON document that a program prints",
        settings::plan,
    );
}
