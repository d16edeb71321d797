//! Which records have been met: settled by an earlier run, or read in this one.

use chatferry_core::Key;

/// How many of a key's leading bits choose its bucket.
const BUCKET_BITS: u32 = 12;

/// The keys of records that were delivered before or met in this run.
///
/// Eight bytes a record, in sorted buckets: a few megabytes for a million records, and no
/// rehashing that would need twice as much for a moment. The last bit of a key is spent on
/// whether this run has met it.
#[derive(Debug)]
pub(crate) struct Seen(Vec<Vec<u64>>);

/// What is known of a key that is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing: it is met for the first time.
    New,
    /// An earlier run has delivered it.
    SettledBefore,
    /// This run has met it already.
    Again,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self(vec![Vec::new(); 1 << BUCKET_BITS])
    }

    /// Notes keys that earlier runs have delivered.
    pub(crate) fn settled_before(&mut self, keys: &[Key]) {
        for key in keys {
            let (bucket, entry) = self.place(*key);
            if let Err(place) = search(bucket, entry) {
                insert(bucket, place, entry);
            }
        }
    }

    /// Meets a key.
    pub(crate) fn meet(&mut self, key: Key) -> Sight {
        let (bucket, entry) = self.place(key);
        match search(bucket, entry) {
            Ok(place) if bucket[place] & 1 == 1 => Sight::Again,
            Ok(place) => {
                bucket[place] |= 1;
                Sight::SettledBefore
            }
            Err(place) => {
                insert(bucket, place, entry | 1);
                Sight::New
            }
        }
    }

    /// Whether a key was met or settled before.
    pub(crate) fn knows(&self, key: Key) -> bool {
        let bucket = &self.0[bucket_of(key)];
        search(bucket, key.0 & !1).is_ok()
    }

    fn place(&mut self, key: Key) -> (&mut Vec<u64>, u64) {
        (&mut self.0[bucket_of(key)], key.0 & !1)
    }
}

fn bucket_of(key: Key) -> usize {
    usize::try_from(key.0 >> (64 - BUCKET_BITS)).expect("twelve bits fit")
}

fn search(bucket: &[u64], entry: u64) -> Result<usize, usize> {
    bucket.binary_search_by(|known| (known & !1).cmp(&entry))
}

fn insert(bucket: &mut Vec<u64>, place: usize, entry: u64) {
    if bucket.len() == bucket.capacity() {
        // An eighth more at a time: doubling would leave a third of the memory unused.
        bucket.reserve_exact(16.max(bucket.len() / 8));
    }
    bucket.insert(place, entry);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_remembers_like_a_map(before in prop::collection::vec(0_u64..50, 0..30), met in prop::collection::vec(0_u64..60, 0..80)) {
            let key = |n: u64| Key(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) & !1);
            let mut seen = Seen::new();
            seen.settled_before(&before.iter().map(|n| key(*n)).collect::<Vec<_>>());
            let mut map: HashMap<u64, bool> = before.into_iter().map(|n| (n, false)).collect();
            for n in met {
                let expected = match map.insert(n, true) {
                    None => Sight::New,
                    Some(false) => Sight::SettledBefore,
                    Some(true) => Sight::Again,
                };
                prop_assert_eq!(seen.knows(key(n)), expected != Sight::New);
                prop_assert_eq!(seen.meet(key(n)), expected);
            }
        }
    }
}
