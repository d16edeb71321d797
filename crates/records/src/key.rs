//! The keys of fields, told from each other fast.

use chatferry_core::json::plain;

/// Bytes that are compared at once.
const WORD: usize = size_of::<u64>();

/// A field's key and the colon behind it, as they are mostly written: without escapes and blanks.
#[derive(Debug)]
pub(crate) struct Key {
    written: Box<[u8]>,
    /// Its first bytes, as one number, and which of that number's bits they are.
    first: u64,
    mask: u64,
}

impl Key {
    /// The key of that name. One that cannot be written without escapes stands nowhere.
    pub(crate) fn new(name: &str) -> Self {
        let written = match plain(name) == name.len() {
            true => format!("\"{name}\":"),
            false => "\0".to_owned(),
        };
        let written = written.into_bytes();
        let (mut first, mut mask) = ([0; WORD], [0; WORD]);
        for (index, byte) in written.iter().take(WORD).enumerate() {
            (first[index], mask[index]) = (*byte, 0xff);
        }
        Self {
            written: written.into(),
            first: u64::from_le_bytes(first),
            mask: u64::from_le_bytes(mask),
        }
    }

    /// How many bytes it takes at the beginning of these; none if they begin with something else.
    #[inline]
    pub(crate) fn length_in(&self, json: &[u8]) -> Option<usize> {
        let length = self.written.len();
        let is_there = match (json.first_chunk(), json.get(..length)) {
            (Some(first), Some(key)) => {
                let first = u64::from_le_bytes(*first);
                first & self.mask == self.first && (length <= WORD || self.ends(key))
            }
            _ => json.starts_with(&self.written),
        };
        is_there.then_some(length)
    }

    /// Whether these, which are as many and begin alike, go on alike.
    #[inline]
    fn ends(&self, key: &[u8]) -> bool {
        match key.len() <= 2 * WORD {
            true => key.last_chunk::<WORD>() == self.written.last_chunk(),
            false => key == &*self.written,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_where_it_is_written(
            name in "[ab\\\\]{0,20}",
            other in "[ab]{0,20}",
            same in any::<bool>(),
            rest in "[ab\":]{0,9}",
        ) {
            let other = if same { &name } else { &other };
            let json = format!("\"{other}\":{rest}");
            let found = Key::new(&name).length_in(json.as_bytes());
            let plain = format!("\"{name}\":");
            let is_there = !name.contains('\\') && json.starts_with(&plain);
            prop_assert_eq!(found, is_there.then_some(plain.len()));
        }
    }
}
