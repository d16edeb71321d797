//! Ids that CometChat takes, made of legacy ids.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::StringBuilder;

use super::{Definition, map_text, one_text, text, texts, two_texts};

pub(super) const COMETCHAT_ID: Definition = Definition {
    name: "cometchat_id",
    usage: "cometchat_id(id)",
    about: "The id that CometChat's own migration recipes make of a legacy id: itself where it is \
            already valid, otherwise a readable part and a hash, so that two legacy ids never \
            become one.",
    example: ("cometchat_id('A.b')", "a_b_1ddh"),
    takes: one_text,
    gives: text,
    call: |columns| map_text(columns, |id| Ok(cometchat_id(id))),
};

pub(super) const MEMBER_ID: Definition = Definition {
    name: "member_id",
    usage: "member_id(guid, uid)",
    about: "The id of a membership, made of the ids of the group and of the user.",
    example: ("member_id('g1', 'u2')", "g1_member_u2"),
    takes: two_texts,
    gives: text,
    call: |columns| {
        let mut given = StringBuilder::with_capacity(columns[0].len(), 1024);
        for (guid, uid) in texts(&columns[0]).iter().zip(texts(&columns[1])) {
            if let (Some(guid), Some(uid)) = (guid, uid) {
                write!(given, "{guid}_member_{uid}").expect("writing to memory succeeds");
                given.append_value("");
            } else {
                given.append_null();
            }
        }
        Ok(Arc::new(given.finish()))
    },
};

/// The longest id that is kept as it is, in UTF-16 units.
const LONGEST: usize = 100;
/// How much of a longer or invalid id stays readable.
const READABLE: usize = 90;

/// The vendor's rule for making a valid id of a foreign one.
///
/// The id is lower-cased and each UTF-16 unit outside `a-z0-9_-` becomes `_`. When that changes
/// nothing and the id is at most 100 long, it is the id. Otherwise it is the first 90 characters
/// of that, `_`, and the 32-bit hash `h = 31 h + c` over the code points of the original, in
/// base 36. Source: API.md 8.4, the vendor's migration recipes.
#[must_use]
pub fn cometchat_id(id: &str) -> Cow<'_, str> {
    let is_valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if id.len() <= LONGEST && id.bytes().all(is_valid) {
        return id.into();
    }
    let readable = id.to_lowercase();
    let readable = readable.encode_utf16().take(READABLE);
    let mut made: String = readable
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if is_valid(byte) => char::from(byte),
            _ => '_',
        })
        .collect();
    let hash = id
        .chars()
        .fold(0_u32, |h, c| h.wrapping_mul(31).wrapping_add(u32::from(c)));
    made.push('_');
    made.push_str(&base_36(hash));
    made.into()
}

fn base_36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).expect("a remainder is below 36"));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_examples_come_out_as_the_vendor_says() {
        for (id, made) in [
            ("alice42", "alice42"),
            ("A.b", "a_b_1ddh"),
            ("USER-1", "user-1_15jqkrz"),
            ("messaging:general", "messaging_general_1o0t3ea"),
            ("José Núñez", "jos__n__ez_1v4utqt"),
        ] {
            assert_eq!(cometchat_id(id), made);
        }
        assert_eq!(
            cometchat_id(&"a".repeat(101)),
            format!("{}_1b5z19d", "a".repeat(90))
        );
        assert_eq!(cometchat_id(&"a".repeat(100)), "a".repeat(100));
    }

    #[test]
    fn a_character_beyond_sixteen_bits_leaves_two_underscores() {
        assert!(cometchat_id("a\u{1F600}b").starts_with("a__b_"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_in_a_valid_id_comes_out(id in ".{1,200}") {
            let made = cometchat_id(&id);
            assert!(made.len() <= LONGEST);
            assert!(made.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')));
            assert_eq!(cometchat_id(&made), made);
        }
    }
}
