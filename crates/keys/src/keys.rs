//! A set of ids in memory.

/// A set of ids, each a hash of 64 bits: about ten bytes for each of them.
///
/// It is kept in parts that grow by a quarter, each at a time of its own. One large table doubles
/// at once, which takes long, for that moment half as much memory again, and leaves half of it
/// unused.
#[derive(Clone, Debug)]
pub struct Keys {
    parts: Vec<Part>,
    len: u64,
}

/// Keys in ascending order with gaps between them: each at its home or, where that was taken, in
/// the run of neighbours behind it. A search ends at the first gap or greater key.
#[derive(Clone, Debug, Default)]
struct Part {
    slots: Vec<u64>,
    /// How many of the slots are homes; the others take what overflows at the end.
    homes: usize,
    len: usize,
}

/// How many of a key's leading bits choose its part.
const PART_BITS: u32 = 10;

/// How many homes a part has at first, at least.
const FIRST_HOMES: usize = 64;

/// What an empty slot holds. The key zero is kept as one.
const EMPTY: u64 = 0;

impl Default for Keys {
    fn default() -> Self {
        Self {
            parts: vec![Part::default(); 1 << PART_BITS],
            len: 0,
        }
    }
}

impl Keys {
    /// Whether a key is in it.
    #[must_use]
    pub fn contains(&self, key: u64) -> bool {
        self.parts[part(key)].find(kept(key)).is_ok()
    }

    /// Adds a key; says whether it was not in it.
    pub fn insert(&mut self, key: u64) -> bool {
        let part = part(key);
        // All have about as many keys: with other sizes at first, they are never full together.
        let first_homes = FIRST_HOMES + part % (FIRST_HOMES / 4);
        let is_new = self.parts[part].insert(kept(key), first_homes);
        self.len += u64::from(is_new);
        is_new
    }

    /// Takes a key out; says whether it was in it.
    pub fn remove(&mut self, key: u64) -> bool {
        let was_there = self.parts[part(key)].remove(kept(key));
        self.len -= u64::from(was_there);
        was_there
    }

    /// How many keys are in it.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All keys, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        let slots = self.parts.iter().flat_map(|part| &part.slots);
        slots.copied().filter(|slot| *slot != EMPTY)
    }

    /// Takes all keys out, and keeps their place for others.
    pub(crate) fn clear(&mut self) {
        for part in &mut self.parts {
            part.slots.truncate(part.homes);
            part.slots.fill(EMPTY);
            part.len = 0;
        }
        self.len = 0;
    }
}

impl Part {
    fn home(&self, key: u64) -> usize {
        let share = (u128::from(key << PART_BITS) * self.homes as u128) >> 64;
        usize::try_from(share).expect("a home is less than their number")
    }

    /// The place of a key, or else the one where it belongs.
    fn find(&self, key: u64) -> Result<usize, usize> {
        let mut place = self.home(key);
        while let Some(slot) = self.slots.get(place) {
            match *slot {
                EMPTY => return Err(place),
                slot if slot == key => return Ok(place),
                slot if slot > key => return Err(place),
                _ => place += 1,
            }
        }
        Err(place)
    }

    fn insert(&mut self, key: u64, first_homes: usize) -> bool {
        let Err(mut place) = self.find(key) else {
            return false;
        };
        if self.len >= self.homes / 8 * 7 {
            self.grow((self.homes + self.homes / 4).max(first_homes));
            place = self.find(key).expect_err("growing adds no key");
        }
        let gap = self.slots[place..].iter().position(|slot| *slot == EMPTY);
        let gap = gap.map_or(self.slots.len(), |gap| place + gap);
        if gap == self.slots.len() {
            self.slots.push(EMPTY);
        }
        self.slots.copy_within(place..gap, place + 1);
        self.slots[place] = key;
        self.len += 1;
        true
    }

    fn remove(&mut self, key: u64) -> bool {
        let Ok(mut place) = self.find(key) else {
            return false;
        };
        // Those behind it that are not at home come one closer.
        while let Some(next) = self.slots.get(place + 1).copied()
            && next != EMPTY
            && self.home(next) <= place
        {
            self.slots[place] = next;
            place += 1;
        }
        self.slots[place] = EMPTY;
        self.len -= 1;
        true
    }

    fn grow(&mut self, homes: usize) {
        self.homes = homes;
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; self.homes]);
        let mut next = 0;
        for key in old.into_iter().filter(|slot| *slot != EMPTY) {
            let place = self.home(key).max(next);
            if place == self.slots.len() {
                self.slots.push(EMPTY);
            }
            self.slots[place] = key;
            next = place + 1;
        }
    }
}

fn part(key: u64) -> usize {
    usize::try_from(key >> (64 - PART_BITS)).expect("ten bits fit")
}

/// A key as it is kept.
pub(crate) fn kept(key: u64) -> u64 {
    key.max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Keys that crowd in few homes, at both ends of a part, and far apart.
    fn key() -> impl Strategy<Value = u64> {
        prop_oneof![
            0..200_u64,
            u64::MAX - 200..=u64::MAX,
            (1_u64 << 54) - 100..(1_u64 << 54) + 100,
            (0..300_u64).prop_map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        ]
    }

    proptest! {
        #[test]
        fn they_are_a_set(steps in prop::collection::vec((key(), 0..4_u8), 0..1_500)) {
            let (mut keys, mut set) = (Keys::default(), BTreeSet::new());
            for (key, step) in steps {
                let held = key.max(1);
                match step {
                    0 => prop_assert_eq!(keys.remove(key), set.remove(&held)),
                    _ => prop_assert_eq!(keys.insert(key), set.insert(held)),
                }
                prop_assert_eq!(keys.contains(key), set.contains(&held));
                prop_assert_eq!(keys.len(), set.len() as u64);
            }
            prop_assert!(keys.iter().eq(set.iter().copied()));
            keys.clear();
            for key in set {
                prop_assert!(!keys.contains(key));
                prop_assert!(keys.insert(key));
            }
        }
    }

    #[test]
    fn a_million_take_about_ten_bytes_each() {
        let mut keys = Keys::default();
        for number in 1..=1_000_000_u64 {
            keys.insert(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        let slots: usize = keys.parts.iter().map(|part| part.slots.capacity()).sum();
        assert!(
            (8_000_000..12_500_000).contains(&(slots * 8)),
            "{slots} slots"
        );
    }
}
