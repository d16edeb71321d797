//! Chance that can be repeated: the same seed draws the same.

/// Numbers drawn one after the other (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// All that follows from a seed.
    #[must_use]
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` up to `end`, which it never is.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub(crate) fn number_in(&mut self, from: usize, end: usize) -> usize {
        assert!(from < end, "there is no number from {from} to {end}");
        let span = u64::try_from(end - from).expect("a number fits");
        from + usize::try_from(self.number() % span).expect("a number fits")
    }

    /// Whether something happens that does so many times of a hundred.
    pub(crate) fn happens(&mut self, percent: usize) -> bool {
        self.number_in(0, 100) < percent
    }

    /// One of those.
    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.number_in(0, of.len())]
    }
}
