//! What is wrong with a text that is not TOML.

use chatferry_core::Mistake;
use toml::de::Error;

/// Whether the rest of the document can be trusted in spite of the error.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

/// The errors in a person's words; the first of each line, since the others follow from it.
pub(crate) fn mistakes(text: &str, errors: &[Error]) -> Vec<Mistake> {
    errors.iter().map(|error| mistake(text, error)).collect()
}

fn mistake(text: &str, error: &Error) -> Mistake {
    Mistake::error(
        "pipeline::syntax",
        error.message(),
        error
            .span()
            .map(|at| at.start.min(text.len())..at.end.min(text.len())),
    )
}
