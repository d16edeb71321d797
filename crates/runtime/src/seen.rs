//! Which records have been met: settled by an earlier run, or read in this one.

use std::io;
use std::path::PathBuf;

use chatferry_core::{Entity, Key};
use chatferry_keys::{Keys, SpillingKeys};
use chatferry_ledger::{Content, Delivered};

/// How many of a key's leading bits choose its bucket.
const BUCKET_BITS: u32 = 12;

/// The keys of records that were delivered before or met in this run.
///
/// Of those that were delivered before and may be met, some twelve bytes a record, with what was sent: the
/// last bit of a key is spent on whether this run has met it. Of others one and a half, and ten for
/// users and groups.
#[derive(Debug)]
pub(crate) struct Seen {
    before: Vec<Before>,
    /// Users and groups that were not delivered before. All others refer to them, so they are kept
    /// apart, where they are few and close together.
    parties: Keys,
    /// Members and messages that were not delivered before, and those whose rows are not read again.
    others: SpillingKeys,
}

/// Keys that earlier runs have delivered, and at the same places what was sent of each.
#[derive(Clone, Debug, Default)]
struct Before {
    keys: Vec<u64>,
    contents: Vec<Option<Content>>,
}

/// What is known of a key that is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing: it is met for the first time.
    New,
    /// An earlier run has delivered it, with these contents, where that is known.
    SettledBefore(Option<Content>),
    /// This run has met it already.
    Again,
}

impl Seen {
    pub(crate) fn new(spill: Option<PathBuf>) -> Self {
        Self {
            before: vec![Before::default(); 1 << BUCKET_BITS],
            parties: Keys::default(),
            others: SpillingKeys::new(spill),
        }
    }

    /// Notes records that earlier runs have delivered; those of the stretch are met already. Of one
    /// that comes again its last contents are kept. [`seal`](Self::seal) ends it.
    pub(crate) fn settled_before(&mut self, records: &[Delivered]) {
        for record in records {
            if record.of_stretch {
                self.others.insert_new(entry(record.key));
                continue;
            }
            let Before { keys, contents } = &mut self.before[bucket_of(record.key)];
            let place = keys.len();
            insert(keys, place, entry(record.key));
            insert(contents, place, record.content);
        }
    }

    /// Sorts what was noted: once, since putting each in its place would move half a bucket for it.
    pub(crate) fn seal(&mut self) {
        let mut sorted: Vec<(u64, Option<Content>)> = Vec::new();
        for Before { keys, contents } in &mut self.before {
            sorted.clear();
            sorted.extend(keys.drain(..).zip(contents.drain(..)));
            sorted.sort_by_key(|(key, _)| *key);
            for (key, content) in &sorted {
                match keys.last_mut() {
                    Some(last) if last == key => {
                        if let Some(kept) = contents.last_mut() {
                            *kept = *content;
                        }
                    }
                    _ => {
                        keys.push(*key);
                        contents.push(*content);
                    }
                }
            }
        }
    }

    /// Meets a key. It fails when a temporary file cannot be read.
    pub(crate) fn meet(&mut self, entity: Entity, key: Key) -> io::Result<Sight> {
        let (bucket, entry) = (bucket_of(key), entry(key));
        let Before { keys, contents } = &mut self.before[bucket];
        if let Ok(place) = search(keys, entry) {
            if keys[place] & 1 == 1 || self.others.contains(entry)? {
                return Ok(Sight::Again);
            }
            keys[place] |= 1;
            return Ok(Sight::SettledBefore(contents[place]));
        }
        let is_new = match entity {
            Entity::Users | Entity::Groups => self.parties.insert(entry),
            Entity::Members | Entity::Messages => self.others.insert(entry)?,
        };
        Ok(match is_new {
            true => Sight::New,
            false => Sight::Again,
        })
    }

    /// Whether the key of a user or group was met or settled before.
    pub(crate) fn knows(&self, key: Key) -> bool {
        let before = &self.before[bucket_of(key)].keys;
        self.parties.contains(entry(key)) || search(before, entry(key)).is_ok()
    }
}

fn bucket_of(key: Key) -> usize {
    usize::try_from(key.0 >> (64 - BUCKET_BITS)).expect("twelve bits fit")
}

const fn entry(key: Key) -> u64 {
    key.0 & !1
}

fn search(bucket: &[u64], entry: u64) -> Result<usize, usize> {
    bucket.binary_search_by(|known| (known & !1).cmp(&entry))
}

fn insert<T>(bucket: &mut Vec<T>, place: usize, value: T) {
    if bucket.len() == bucket.capacity() {
        // An eighth more at a time: doubling would leave a third of the memory unused.
        bucket.reserve_exact(16.max(bucket.len() / 8));
    }
    bucket.insert(place, value);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn key(n: u64) -> Key {
        Key(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) & !1)
    }

    fn content(n: u64) -> Option<Content> {
        (!n.is_multiple_of(3)).then(|| Content::of(n))
    }

    fn delivered((n, of_stretch): (u64, bool)) -> Delivered {
        Delivered {
            key: key(n),
            content: content(n),
            of_stretch,
        }
    }

    proptest! {
        #[test]
        fn it_remembers_like_a_map(
            is_user in any::<bool>(),
            before in prop::collection::vec((0_u64..50, any::<bool>()), 0..30),
            met in prop::collection::vec(0_u64..60, 0..80),
        ) {
            // Users are always read from the first one on.
            let of_stretch = |(n, of_stretch)| (n, of_stretch && !is_user);
            let before: Vec<(u64, bool)> = before.into_iter().map(of_stretch).collect();
            let entity = if is_user { Entity::Users } else { Entity::Messages };
            let mut seen = Seen::new(None);
            seen.settled_before(&before.iter().copied().map(delivered).collect::<Vec<_>>());
            seen.seal();
            let mut map: HashMap<u64, bool> = HashMap::new();
            for (n, is_met) in before {
                *map.entry(n).or_default() |= is_met;
            }
            for n in met {
                let expected = match map.insert(n, true) {
                    None => Sight::New,
                    Some(false) => Sight::SettledBefore(content(n)),
                    Some(true) => Sight::Again,
                };
                if is_user {
                    prop_assert_eq!(seen.knows(key(n)), expected != Sight::New);
                }
                prop_assert_eq!(seen.meet(entity, key(n)).unwrap(), expected);
            }
        }
    }
}
