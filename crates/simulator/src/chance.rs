//! Chance that can be repeated: the same seed gives the same numbers.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Numbers drawn one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number (SplitMix64).
    pub(crate) const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// A number from 0 up to 1, which it never is.
    fn share(&mut self) -> f64 {
        let fine = u32::try_from(self.number() >> 32).unwrap_or_default();
        f64::from(fine) / (f64::from(u32::MAX) + 1.0)
    }

    /// One of those times.
    pub(crate) fn time(&mut self, spread: Spread) -> Duration {
        match spread {
            Spread::None => Duration::ZERO,
            Spread::Even(longest) => longest.mul_f64(self.share()),
            Spread::Tail { median, p99 } => {
                // Half of all times lie beyond 2^1 of the median's share, one in a hundred beyond
                // 2^6.64: a power law through both points, and no further than twice the latter.
                let slope = (p99.as_secs_f64() / median.as_secs_f64()).ln() / 50_f64.ln();
                let beyond = (1.0 - self.share()) * 2.0;
                median.mul_f64(beyond.powf(-slope)).min(2 * p99)
            }
        }
    }
}

/// How times are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// They are all zero.
    #[default]
    None,
    /// Evenly from zero up to this.
    Even(Duration),
    /// Half of them up to the median, one in a hundred beyond the other, as in a service that is
    /// mostly quick; the longest is twice as long.
    Tail {
        /// As long as this or longer is every second one.
        median: Duration,
        /// As long as this or longer is one in a hundred.
        p99: Duration,
    },
}

/// The texts of a [`Spread`]: milliseconds.
impl FromStr for Spread {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millis = |text: &str| text.parse().ok().map(Duration::from_millis);
        let read = || match text.split_once('/') {
            None => millis(text).map(Self::Even),
            Some((median, p99)) => {
                let (median, p99) = (millis(median)?, millis(p99)?);
                let sensible = !median.is_zero() && median <= p99;
                sensible.then_some(Self::Tail { median, p99 })
            }
        };
        read().ok_or_else(|| {
            format!(
                "`{text}` is no spread of times; write MS for even ones up to that, or MEDIAN/P99 for a long tail"
            )
        })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("0"),
            Self::Even(longest) => write!(f, "{}", longest.as_millis()),
            Self::Tail { median, p99 } => write!(f, "{}/{}", median.as_millis(), p99.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(spread: Spread) -> Vec<Duration> {
        let mut chance = Chance::of(7);
        let mut times: Vec<Duration> = (0..10_000).map(|_| chance.time(spread)).collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn times_are_spread_as_they_say() {
        let ms = Duration::from_millis;
        let even = times(Spread::Even(ms(100)));
        assert!((ms(48)..ms(52)).contains(&even[5_000]), "{:?}", even[5_000]);
        assert!(even[9_999] < ms(100));
        let tail = times("40/2000".parse().unwrap());
        assert!((ms(37)..ms(43)).contains(&tail[5_000]), "{:?}", tail[5_000]);
        assert!(
            (ms(1_500)..ms(2_600)).contains(&tail[9_900]),
            "{:?}",
            tail[9_900]
        );
        assert!(tail[9_999] <= ms(4_000));
    }

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let numbers = |seed| {
            let mut chance = Chance::of(seed);
            [(); 5].map(|()| chance.number())
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn what_is_no_spread_says_what_is() {
        for text in ["", "x", "5/", "9/3", "0/5"] {
            let advice = text.parse::<Spread>().expect_err("no spread");
            assert!(advice.contains("MEDIAN/P99"), "{advice}");
        }
        assert_eq!("9".parse::<Spread>().unwrap().to_string(), "9");
        assert_eq!("3/9".parse::<Spread>().unwrap().to_string(), "3/9");
    }
}
