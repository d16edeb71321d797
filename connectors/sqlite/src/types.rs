//! What a column arrives as, out of what is declared of it and what is found in it.
//!
//! SQLite keeps a value of any kind in any column; a declared type is a wish. So what counts is
//! what is found, and what is declared decides only where that leaves a choice.

use std::fmt::Write;

use arrow::datatypes::{DataType, Field};

/// Whole numbers up to here, and down to its negative, are exact as doubles.
pub(crate) const EXACT: i64 = 1 << 53;

/// What a column arrives as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrives {
    /// 0 and 1, declared boolean.
    Flag,
    Whole,
    Real,
    Text,
    /// Text that holds JSON, declared so.
    Json,
    Bytes,
    /// Values of several kinds, as text.
    Mixed,
}

/// The values found in a column, by kind. Nulls do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) wholes: u64,
    pub(crate) reals: u64,
    pub(crate) texts: u64,
    pub(crate) blobs: u64,
    /// The least and the greatest whole number, where they matter.
    pub(crate) range: Option<(i64, i64)>,
    /// Texts that are no JSON, where that matters.
    pub(crate) no_json: u64,
    /// Bytes of all texts and blobs, and of the longest.
    pub(crate) bytes: u64,
    pub(crate) longest: u64,
}

/// What SQLite makes of values before it keeps or compares them, out of the declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    Whole,
    Real,
    Numeric,
    Text,
    None,
}

impl Affinity {
    /// By SQLite's rules: the first of these words that occurs decides.
    pub(crate) fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        match () {
            () if has(&["INT"]) => Self::Whole,
            () if has(&["CHAR", "CLOB", "TEXT"]) => Self::Text,
            () if declared.is_empty() || has(&["BLOB"]) => Self::None,
            () if has(&["REAL", "FLOA", "DOUB"]) => Self::Real,
            () => Self::Numeric,
        }
    }
}

/// Whether a column is declared to hold booleans, JSON.
pub(crate) fn is_boolean(declared: &str) -> bool {
    declared.to_ascii_uppercase().starts_with("BOOL")
}

pub(crate) fn is_json(declared: &str) -> bool {
    declared.eq_ignore_ascii_case("JSON")
}

impl Arrives {
    /// What a column arrives as, and what a person should know of it.
    pub(crate) fn decide(name: &str, declared: &str, found: &Found) -> (Self, Option<String>) {
        let kinds = [found.wholes, found.reals, found.texts, found.blobs];
        let exact = found
            .range
            .is_none_or(|(least, most)| least >= -EXACT && most <= EXACT);
        let only_flags = found
            .range
            .is_some_and(|(least, most)| least >= 0 && most <= 1);
        match kinds.map(|values| values > 0) {
            [false, false, false, false] => (Self::of_nothing(declared), None),
            [_, _, _, false] if is_json(declared) && found.no_json == 0 => (Self::Json, None),
            [true, false, false, false] if is_boolean(declared) && only_flags => (Self::Flag, None),
            [true, false, false, false] => (Self::Whole, None),
            [_, true, false, false] if exact => (Self::Real, None),
            [false, false, true, false] => (Self::Text, not_json(name, declared, found)),
            [false, false, false, true] => (Self::Bytes, None),
            _ => (Self::Mixed, Some(mixed(name, found))),
        }
    }

    /// What a column without values arrives as, since it may have some later.
    fn of_nothing(declared: &str) -> Self {
        match Affinity::of(declared) {
            _ if is_boolean(declared) => Self::Flag,
            _ if is_json(declared) => Self::Json,
            Affinity::Whole => Self::Whole,
            Affinity::Real => Self::Real,
            Affinity::None if !declared.is_empty() => Self::Bytes,
            Affinity::None | Affinity::Numeric | Affinity::Text => Self::Text,
        }
    }

    /// The column of that name.
    pub(crate) fn field(self, name: &str) -> Field {
        let field = |kind| Field::new(name, kind, true);
        match self {
            Self::Flag => field(DataType::Boolean),
            Self::Whole => field(DataType::Int64),
            Self::Real => field(DataType::Float64),
            Self::Text | Self::Mixed => field(DataType::Utf8),
            Self::Json => chatferry_core::json::column(name),
            Self::Bytes => field(DataType::Binary),
        }
    }

    /// What it holds, in words.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Flag => "0 and 1",
            Self::Whole => "whole numbers",
            Self::Real => "numbers",
            Self::Text => "text",
            Self::Json => "JSON",
            Self::Bytes => "blobs",
            Self::Mixed => "anything",
        }
    }
}

fn not_json(name: &str, declared: &str, found: &Found) -> Option<String> {
    let some = is_json(declared) && found.no_json > 0;
    some.then(|| {
        let values = found.no_json;
        let are = if values == 1 {
            "value is"
        } else {
            "values are"
        };
        format!("`{name}` is declared JSON, and {values} {are} not; it arrives as plain text")
    })
}

/// Says which kinds of values are in a column, and how many of each.
fn mixed(name: &str, found: &Found) -> String {
    let kinds = [
        (found.wholes, "whole number", "whole numbers"),
        (found.reals, "other number", "other numbers"),
        (found.texts, "text", "texts"),
        (found.blobs, "blob", "blobs"),
    ];
    let mut present = kinds.iter().filter(|(values, ..)| *values > 0).peekable();
    let mut note = format!("`{name}` holds ");
    let mut first = true;
    while let Some((values, one, many)) = present.next() {
        let between = match (first, present.peek()) {
            (true, _) => "",
            (false, Some(_)) => ", ",
            (false, None) => " and ",
        };
        let word = if *values == 1 { one } else { many };
        write!(note, "{between}{values} {word}").expect("memory is there");
        first = false;
    }
    note.push_str(match (found.blobs > 0, found.texts + found.blobs > 0) {
        (true, _) => "; it arrives as text, blobs as x'…' in hexadecimal",
        (false, true) => "; it arrives as text",
        (false, false) => ", some beyond what a double holds; it arrives as text",
    });
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_sqlite_knows_decides() {
        for (declared, affinity) in [
            ("INTEGER", Affinity::Whole),
            ("bigint unsigned", Affinity::Whole),
            ("CHARINT", Affinity::Whole),
            ("varchar(20)", Affinity::Text),
            ("", Affinity::None),
            ("blob", Affinity::None),
            ("double precision", Affinity::Real),
            ("DATETIME", Affinity::Numeric),
            ("BOOLEAN", Affinity::Numeric),
            ("JSON", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of(declared), affinity, "{declared}");
        }
    }

    #[test]
    fn whole_numbers_beside_others_are_doubles_only_where_those_are_exact() {
        let found = |most| Found {
            wholes: 1,
            reals: 1,
            range: Some((-EXACT, most)),
            ..Found::default()
        };
        let decided = |most| Arrives::decide("n", "", &found(most)).0;
        assert_eq!(decided(EXACT), Arrives::Real);
        assert_eq!(decided(EXACT + 1), Arrives::Mixed);
    }

    #[test]
    fn a_note_counts_what_is_mixed() {
        let found = Found {
            wholes: 3,
            texts: 1,
            blobs: 2,
            ..Found::default()
        };
        let (arrives, note) = Arrives::decide("size", "INTEGER", &found);
        assert_eq!(arrives, Arrives::Mixed);
        assert_eq!(
            note.unwrap(),
            "`size` holds 3 whole numbers, 1 text and 2 blobs; it arrives as text, blobs as x'…' \
             in hexadecimal"
        );
    }
}
