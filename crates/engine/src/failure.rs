//! What went wrong while rows were evaluated, in words that hold none of their contents.

use std::fmt;

use arrow::error::ArrowError;
use chatferry_core::{SourceError, SourceErrorKind};
use datafusion::common::DataFusionError;

use crate::sql::phrase;
use crate::table::source_error;

/// A value that one of our functions cannot read, in words that can be shown as they are.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// The function; empty until it is known.
    pub(crate) function: &'static str,
    /// Why it cannot.
    pub(crate) reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The same error, which knows the function that it comes from.
pub(crate) fn in_function(error: DataFusionError, function: &'static str) -> DataFusionError {
    match unreadable_value(&error) {
        Some(unreadable) => DataFusionError::External(Box::new(Unreadable {
            function,
            reason: unreadable.reason.clone(),
        })),
        None => error,
    }
}

fn unreadable_value(error: &DataFusionError) -> Option<&Unreadable> {
    match error.find_root() {
        DataFusionError::External(inner) => inner.downcast_ref(),
        _ => None,
    }
}

impl std::error::Error for Unreadable {}

/// Why an expression fails for a row.
pub(crate) fn reason(error: &DataFusionError) -> String {
    if let Some(unreadable) = unreadable_value(error) {
        return unreadable.reason.clone();
    }
    let root = error.find_root();
    match root {
        DataFusionError::External(_) => "a value cannot be read".into(),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::DivideByZero => "division by zero".into(),
            ArrowError::ArithmeticOverflow(_) => "a number is too large".into(),
            ArrowError::InvalidArgumentError(text) if text.contains("too large to store") => {
                "a number is too large".into()
            }
            ArrowError::CastError(text) | ArrowError::ParseError(text) => unreadable(text),
            other => without_contents(&phrase(&other.to_string())),
        },
        other => without_contents(&phrase(&other.strip_backtrace())),
    }
}

/// What was wanted of a value that cannot be cast, told by the end of the error's text. Only names
/// of types that we know are believed, since the value itself stands in the same text.
fn unreadable(text: &str) -> String {
    let wanted = text
        .rsplit_once(" to value of ")
        .map(|(_, wanted)| wanted.trim_end_matches(" type"))
        .or_else(|| text.rsplit_once(" to type ").map(|(_, wanted)| wanted));
    let wanted = match wanted {
        Some("Int8" | "Int16" | "Int32" | "Int64" | "UInt8" | "UInt16" | "UInt32" | "UInt64") => {
            "a whole number of this size"
        }
        Some("Float16" | "Float32" | "Float64") => "a number",
        Some("Boolean") => "true or false",
        Some("Date32" | "Date64") => "a date",
        None if text.starts_with("Error parsing timestamp") => "a time",
        _ => "the type it is cast to",
    };
    format!("a value cannot be read as {wanted}")
}

/// A message without what it quotes and without numbers, since those may be the contents of a
/// record. What is quoted may hold quotes, so all between the first and the last goes.
fn without_contents(message: &str) -> String {
    let quotes = ['\'', '"', '`'];
    let plain = match (message.find(quotes), message.rfind(quotes)) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", &message[..first], &message[last + 1..])
        }
        (Some(first), _) => format!("{}…", &message[..first]),
        _ => message.to_owned(),
    };
    let words = plain.split(' ').map(|word| {
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            "…"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether there was too little memory for the rows to be sorted or joined.
pub(crate) fn is_memory(error: &DataFusionError) -> bool {
    let root = error.find_root();
    matches!(root, DataFusionError::ResourcesExhausted(text) if !text.contains("disk"))
}

/// Why a flow's rows cannot be read: the source's own error, or trouble of the engine's own.
pub(crate) fn failure(error: &DataFusionError) -> SourceError {
    if let Some(error) = source_error(error) {
        return error;
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(text) if text.contains("disk") => SourceError::new(
            SourceErrorKind::Failed,
            "sort or join the rows",
            "the disk space for spilling is used up",
        )
        .help("`spill` under `[engine]` names a folder with more room"),
        DataFusionError::ResourcesExhausted(_) => SourceError::new(
            SourceErrorKind::Failed,
            "sort or join the rows",
            "memory is exhausted",
        )
        .help("raise `memory` under `[engine]`, such as memory = \"256 MiB\""),
        DataFusionError::IoError(cause) => SourceError::new(
            SourceErrorKind::Failed,
            "sort or join the rows",
            cause.to_string(),
        )
        .help("is the disk full? `spill` under `[engine]` names another folder"),
        _ => {
            let reason = match unreadable_value(error) {
                Some(unreadable) if !unreadable.function.is_empty() => {
                    format!("{}(...) fails: {}", unreadable.function, unreadable.reason)
                }
                _ => reason(error),
            };
            SourceError::new(
                SourceErrorKind::Pipeline,
                "evaluate the flow's view or condition",
                reason,
            )
            .help(
                "a value that cannot be read ends a view or a `where`, and rejects one row where a \
                       field of the flow reads it: move the expression there, or make it null with \
                       try_cast(... AS ...) or CASE WHEN ... THEN ... END",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_quoted_and_no_number_is_shown() {
        for (message, shown) in [
            ("cannot read 'it's a secret' as x", "cannot read … as x"),
            ("value 1234 is too large", "value … is too large"),
            ("unclosed 'secret", "unclosed …"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_contents(message), shown);
        }
    }

    #[test]
    fn a_cast_says_what_was_wanted_and_not_what_was_given() {
        let given = "Cannot cast string 'a to value of Date32 type' to value of Int64 type";
        let number = "a value cannot be read as a whole number of this size";
        assert_eq!(unreadable(given), number);
        let given = "Overflowing on secret to value of secret";
        let unknown = "a value cannot be read as the type it is cast to";
        assert_eq!(unreadable(given), unknown);
    }
}
