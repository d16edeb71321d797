//! Reads MongoDB collections as a source.
//!
//! Documents become the text that `mongoexport` writes of them, and `chatferry_records` makes
//! tables of that text: one set of rules for a live database and for its exports. In the order of
//! these modules:
//!
//! 1. `settings` says what a person may write, and `tables` what of that is about collections;
//! 2. `session` is the connection, and who is patient with it; `failure` what stands in the way;
//! 3. `catalog` is which collections there are;
//! 4. `key` is how all values of `_id` are gone through without a cursor that stays open, and
//!    `page` reads the documents behind one of them;
//! 5. `document` writes one document as text, and `types` notes of what types its fields are;
//! 6. `text` is all pages of a scan as one text, and `filter` what the database leaves out of it;
//! 7. `source` describes and reads collections with all these; `described` is what it finds.

mod catalog;
mod described;
mod document;
mod failure;
mod filter;
mod key;
mod page;
mod session;
mod settings;
mod source;
mod tables;
mod text;
mod types;

use chatferry_config::Registry;

/// Adds the `mongodb` source.
pub fn register<D>(connectors: &mut Registry<D>) {
    connectors.source(
        "mongodb",
        "the collections of a MongoDB database",
        settings::plan,
    );
}
