//! Which conversation the next message is in: a few are much busier than the rest.

use crate::random::Random;

/// How popular each of some things is.
#[derive(Clone, Debug)]
pub(crate) struct Popularity {
    /// The popularity of each added to that of all before it. The n-th has the n-th part of the
    /// first one's (Zipf).
    sums: Vec<u64>,
}

impl Popularity {
    /// The popularity of so many things; there is at least one.
    pub(crate) fn of(things: u64) -> Self {
        const FIRST: u64 = 1 << 40;
        let sums = (1..=things.max(1)).scan(0, |sum, rank| {
            *sum += FIRST / rank;
            Some(*sum)
        });
        Self {
            sums: sums.collect(),
        }
    }

    /// One of them, counted from 0.
    pub(crate) fn pick(&self, random: &mut Random) -> u64 {
        let all = self.sums.last().copied().expect("there is at least one");
        let chosen = random.below(all);
        let rank = self.sums.partition_point(|sum| *sum <= chosen);
        u64::try_from(rank).expect("memory is counted in 64 bits")
    }
}
