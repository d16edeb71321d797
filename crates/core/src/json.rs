//! Text that holds JSON, and how it is told from other text.
//!
//! Such a column is text with Arrow's canonical extension type `arrow.json`. It is written into a
//! request as it stands, without being parsed and printed on the way.

use arrow::datatypes::{DataType, Field};

/// The key under which Arrow keeps the name of an extension type.
const NAME: &str = "ARROW:extension:name";
/// The key under which Arrow keeps an extension type's parameters.
const PARAMETERS: &str = "ARROW:extension:metadata";

/// A nullable column of text that holds JSON.
#[must_use]
pub fn column(name: &str) -> Field {
    mark(Field::new(name, DataType::Utf8, true))
}

/// The same column of text, marked as holding JSON.
#[must_use]
pub fn mark(field: Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(NAME.into(), "arrow.json".into());
    metadata.insert(PARAMETERS.into(), String::new());
    field.with_metadata(metadata)
}

/// Whether a column is text that holds JSON.
#[must_use]
pub fn is_marked(field: &Field) -> bool {
    field
        .metadata()
        .get(NAME)
        .is_some_and(|name| name == "arrow.json")
}
