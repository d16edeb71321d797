//! The id that CometChat's migration recipes make of a legacy id, worked out a second time.
//!
//! It shares nothing with the program's own `cometchat_id`, so that each checks the other.

/// The id of a legacy id of plain letters: ASCII, at most 90 characters.
///
/// # Panics
///
/// When the id is none of those; the data of the tests has no others.
#[must_use]
pub fn cometchat_id(legacy: &str) -> String {
    assert!(legacy.is_ascii() && legacy.len() <= 90, "{legacy}");
    let lower = legacy.to_lowercase();
    let made: String = lower
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    if made == legacy {
        return made;
    }
    let hash = legacy
        .chars()
        .fold(0_u64, |hash, c| (hash * 31 + u64::from(c)) % (1 << 32));
    let mut digits: Vec<char> = Vec::new();
    let mut rest = hash;
    while rest > 0 || digits.is_empty() {
        digits.push(
            char::from_digit(u32::try_from(rest % 36).expect("a digit"), 36).expect("a digit"),
        );
        rest /= 36;
    }
    digits.reverse();
    format!("{made}_{}", digits.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_vendors_examples_come_out() {
        for (legacy, id) in [
            ("alice42", "alice42"),
            ("A.b", "a_b_1ddh"),
            ("USER-1", "user-1_15jqkrz"),
            ("messaging:general", "messaging_general_1o0t3ea"),
        ] {
            assert_eq!(super::cometchat_id(legacy), id);
        }
    }
}
