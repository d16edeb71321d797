//! Numbers that look random and are the same for the same seed, on every machine and for ever.

/// SplitMix64, by Guy Steele and others.
///
/// Written out here because a crate's generator may change with its version, and then yesterday's
/// measurement could not be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

/// How far the state moves at each step: 2⁶⁴ divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

impl Random {
    /// The numbers of one thing among many: `number` of the kind `kind`.
    ///
    /// Each thing has its own, so that it can be made without making those before it.
    #[must_use]
    pub const fn of(seed: u64, kind: u64, number: u64) -> Self {
        Self(mixed(
            mixed(seed.wrapping_add(kind)).wrapping_add(number.wrapping_mul(STEP)),
        ))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number from 0, less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        let scaled = u128::from(self.bits()) * u128::from(end);
        u64::try_from(scaled >> 64).expect("it is less than `end`")
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.place(things.len())]
    }

    /// A place in a list that is so long.
    pub fn place(&mut self, length: usize) -> usize {
        let end = u64::try_from(length).expect("memory is counted in 64 bits");
        usize::try_from(self.below(end)).expect("it is less than `length`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_algorithm() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn every_number_below_the_end_comes() {
        let mut random = Random::of(1, 2, 3);
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[random.place(7)] = true;
        }
        assert_eq!(seen, [true; 7]);
    }
}
