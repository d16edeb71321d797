//! What was expected beside what was found: in hashes, since there are millions, and for people.

use chatferry_core::Told;
use twox_hash::XxHash3_64;

/// Bytes of a field's digest. Two values that differ share one with a chance of one in four
/// thousand millions.
const DIGEST: usize = 4;

/// A digest of each field; zero for a field that says nothing.
pub(crate) fn digests(fields: &[Option<Told>]) -> Vec<u8> {
    let digest = |field: &Option<Told>| match field {
        None => [0; DIGEST],
        Some(told) => digest(told),
    };
    fields.iter().flat_map(digest).collect()
}

fn digest(told: &Told) -> [u8; DIGEST] {
    let hash = XxHash3_64::oneshot(told.value.as_bytes());
    let mut bytes = [0; DIGEST];
    bytes.copy_from_slice(&hash.to_le_bytes()[..DIGEST]);
    // Zero says nothing.
    if bytes == [0; DIGEST] {
        [1; DIGEST]
    } else {
        bytes
    }
}

/// The places of the fields that say something on both sides and do not say the same.
pub(crate) fn differing(expected: &[u8], found: &[Option<Told>]) -> Vec<usize> {
    let pairs = expected.chunks_exact(DIGEST).zip(found).enumerate();
    pairs
        .filter_map(|(place, (expected, found))| {
            let found = digest(found.as_ref()?);
            (expected != [0; DIGEST] && expected != found).then_some(place)
        })
        .collect()
}

/// Characters of a value that are shown.
const SHOWN: usize = 60;
/// Characters that are shown before the first that differs.
const BEFORE: usize = 20;

/// Two values, shortened to where they differ.
pub(crate) fn shortened(one: &str, other: &str) -> (String, String) {
    let same = one
        .chars()
        .zip(other.chars())
        .take_while(|(one, other)| one == other)
        .count();
    let longest = one.chars().count().max(other.chars().count());
    let start = if longest <= SHOWN {
        0
    } else {
        same.saturating_sub(BEFORE)
    };
    let part = |text: &str| {
        let rest: Vec<char> = text.chars().skip(start).collect();
        let mut shown = String::new();
        if start > 0 {
            shown.push('…');
        }
        shown.extend(rest.iter().take(SHOWN));
        if rest.len() > SHOWN {
            shown.push('…');
        }
        shown
    };
    (part(one), part(other))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(value: &str) -> Option<Told> {
        Some(Told::plain(value))
    }

    #[test]
    fn only_fields_that_say_something_on_both_sides_can_differ() {
        let expected = digests(&[told("a"), told("b"), None, told("d")]);
        let found = [told("a"), told("x"), told("c"), None];
        assert_eq!(differing(&expected, &found), [1]);
    }

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let (one, other) = ("a".repeat(200) + "b", "a".repeat(200) + "c");
        let expected = |last: &str| format!("…{}{last}", "a".repeat(20));
        assert_eq!(shortened(&one, &other), (expected("b"), expected("c")));
        assert_eq!(shortened("ä", "ö"), ("ä".into(), "ö".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_short_and_differs_when_the_values_do(one in ".{0,200}", other in ".{0,200}") {
            let (first, second) = shortened(&one, &other);
            prop_assert!(first.chars().count() <= SHOWN + 2 && second.chars().count() <= SHOWN + 2);
            prop_assert_eq!(first == second, one == other);
        }

        #[test]
        fn values_differ_in_digests_when_they_do(values in prop::collection::vec((".{0,9}", ".{0,9}"), 0..9)) {
            let expected: Vec<_> = values.iter().map(|(one, _)| told(one)).collect();
            let found: Vec<_> = values.iter().map(|(_, other)| told(other)).collect();
            let differ: Vec<usize> = (0..values.len()).filter(|n| values[*n].0 != values[*n].1).collect();
            prop_assert_eq!(differing(&digests(&expected), &found), differ);
        }
    }
}
