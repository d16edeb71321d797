//! What comes most often, in a bounded amount of memory.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts how often things come, and keeps those that come most often.
///
/// As long as no more different things have come than it keeps, every count is exact. Beyond
/// that, the less frequent half is dropped whenever there is no room (a variant of Space-Saving
/// by Metwally et al.): each count is then at least what it says, and at most `unseen` more.
#[derive(Debug)]
pub(crate) struct Top<K> {
    counters: HashMap<K, Counter>,
    /// How many things are kept at most.
    room: usize,
    /// How often something that is not kept may have come.
    dropped: u64,
}

/// How often one thing has come.
#[derive(Debug)]
struct Counter {
    name: String,
    count: u64,
    unseen: u64,
}

/// Something that came often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequent {
    /// What it is.
    pub name: String,
    /// How often it came, at least.
    pub count: u64,
    /// How much more often it may have come.
    pub unseen: u64,
}

/// What came most often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Most {
    /// How many different things came; only so many are known of when not exact.
    pub different: u64,
    /// Whether every one of them was counted all along.
    pub exact: bool,
    /// Those that came most often, the first of them first.
    pub top: Vec<Frequent>,
}

impl<K: Copy + Eq + Hash> Top<K> {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            counters: HashMap::new(),
            room: room.max(2),
            dropped: 0,
        }
    }

    /// Counts one.
    pub(crate) fn add(&mut self, key: K, name: impl FnOnce() -> String) {
        if let Some(counter) = self.counters.get_mut(&key) {
            counter.count += 1;
            return;
        }
        if self.counters.len() >= self.room {
            self.drop_half();
        }
        let counter = Counter {
            name: name(),
            count: 1,
            unseen: self.dropped,
        };
        self.counters.insert(key, counter);
    }

    fn drop_half(&mut self) {
        let mut most: Vec<u64> = self.counters.values().map(Counter::at_most).collect();
        let middle = most.len() / 2;
        let (_, middle, _) = most.select_nth_unstable(middle);
        let middle = *middle;
        self.dropped = self.dropped.max(middle);
        self.counters
            .retain(|_, counter| counter.at_most() > middle);
    }

    /// The first so many of those that came most often.
    pub(crate) fn most(self, shown: usize) -> Most {
        let (different, exact) = (self.counters.len() as u64, self.dropped == 0);
        let mut top: Vec<Frequent> = self
            .counters
            .into_values()
            .map(|counter| Frequent {
                name: counter.name,
                count: counter.count,
                unseen: counter.unseen,
            })
            .collect();
        top.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        top.truncate(shown);
        Most {
            different,
            exact,
            top,
        }
    }
}

impl Counter {
    const fn at_most(&self) -> u64 {
        self.count + self.unseen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_count_is_never_too_high_and_says_how_much_too_low_it_may_be(
            room in 2_usize..12,
            things in prop::collection::vec(0_u8..30, 0..400),
        ) {
            let mut exact: HashMap<u8, u64> = HashMap::new();
            let mut top = Top::new(room);
            for thing in &things {
                *exact.entry(*thing).or_default() += 1;
                top.add(*thing, || thing.to_string());
                prop_assert!(top.counters.len() <= room);
            }
            let most = top.most(usize::MAX);
            prop_assert_eq!(most.exact, most.top.iter().all(|it| it.unseen == 0) && most.exact);
            if exact.len() <= room {
                prop_assert!(most.exact);
                prop_assert_eq!(most.different, exact.len() as u64);
            }
            for it in &most.top {
                let count = exact[&it.name.parse::<u8>().unwrap()];
                prop_assert!(it.count <= count && count <= it.count + it.unseen, "{:?} of {}", it, count);
            }
            // What is more frequent than everything that was dropped is among them.
            if most.exact {
                prop_assert_eq!(most.top.iter().map(|it| it.count).sum::<u64>(), things.len() as u64);
            }
        }
    }

    #[test]
    fn what_comes_much_more_often_than_all_else_is_kept() {
        let mut top = Top::new(100);
        for number in 0..100_000_u32 {
            top.add(number, || number.to_string());
            if number % 10 == 0 {
                top.add(u32::MAX, || "often".into());
            }
        }
        let most = top.most(1);
        assert!(!most.exact);
        assert_eq!(most.top[0].name, "often");
        assert_eq!(most.top[0].count + most.top[0].unseen, 10_000);
    }
}
