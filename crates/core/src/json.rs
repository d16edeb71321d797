//! Text that holds JSON, how it is told from other text, and how text stands in JSON.
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

/// How many bytes at the beginning of a text stand in a JSON string as they are: up to the first
/// quotation mark, backslash or control character, or to the end (RFC 8259, section 7).
#[must_use]
pub fn plain(text: &str) -> usize {
    let (words, rest) = text.as_bytes().as_chunks();
    for (place, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return place * size_of::<u64>() + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    let plain = rest.iter().position(is_special).unwrap_or(rest.len());
    size_of_val(words) + plain
}

/// A word whose lowest bit that is set is the highest of the first of these eight bytes that does
/// not stand in a JSON string as it is; zero when there is none.
const fn special(bytes: u64) -> u64 {
    const LOWEST: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
    // Borrowing for a byte reaches only those behind it, which do not matter any more.
    const fn below(bytes: u64, limit: u8) -> u64 {
        bytes.wrapping_sub(LOWEST * limit as u64) & !bytes
    }
    let quotation_mark = below(bytes ^ (LOWEST * b'"' as u64), 1);
    let backslash = below(bytes ^ (LOWEST * b'\\' as u64), 1);
    (below(bytes, 0x20) | quotation_mark | backslash) & HIGHEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_json_as_it_is_is_found_wherever_it_ends() {
        for before in [
            "",
            "a",
            "é",
            "abcdefg",
            "abcdefgh",
            "ÿ\u{7f}😀",
            "0123456789abcdef!",
        ] {
            for byte in 0..128_u8 {
                let text = format!("{before}{}\"\u{1}", char::from(byte));
                let is_plain = byte >= 0x20 && !br#""\"#.contains(&byte);
                assert_eq!(
                    plain(&text),
                    before.len() + usize::from(is_plain),
                    "{text:?}"
                );
            }
            assert_eq!(plain(before), before.len());
        }
    }
}
