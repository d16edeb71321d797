//! How fast something came along, in a bounded number of steps.

use std::ops::AddAssign;
use std::time::Duration;

/// Steps that are kept at most.
const STEPS: usize = 120;

/// What was counted in each step of time, from the start on.
///
/// When there is no room for another step, each two become one that is twice as long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps<T> {
    each: Duration,
    counts: Vec<T>,
}

impl<T> Default for Steps<T> {
    fn default() -> Self {
        Self {
            each: Duration::from_secs(1),
            counts: Vec::new(),
        }
    }
}

impl<T: Copy + Default + AddAssign> Steps<T> {
    /// What is counted in the step so long after the start; it and those before it are steps from
    /// now on.
    pub fn at(&mut self, after: Duration) -> &mut T {
        let mut place = self.place(after);
        while place >= STEPS {
            self.each *= 2;
            let halves = self.counts.chunks(2);
            self.counts = halves.map(sum).collect();
            place = self.place(after);
        }
        if self.counts.len() <= place {
            self.counts.resize(place + 1, T::default());
        }
        &mut self.counts[place]
    }

    fn place(&self, after: Duration) -> usize {
        let each = self.each.as_millis().max(1);
        usize::try_from(after.as_millis() / each).unwrap_or(usize::MAX)
    }

    /// How long a step is.
    #[must_use]
    pub const fn each(&self) -> Duration {
        self.each
    }

    /// What was counted in each step.
    #[must_use]
    pub fn counts(&self) -> &[T] {
        &self.counts
    }
}

fn sum<T: Copy + Default + AddAssign>(counts: &[T]) -> T {
    let mut sum = T::default();
    for count in counts {
        sum += *count;
    }
    sum
}

/// How many requests were sent in each step of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    steps: Steps<u64>,
    /// How many were noted in all.
    noted: u64,
}

impl Pace {
    /// Notes that so many requests were sent in all, so long after the start.
    pub fn note(&mut self, after: Duration, requests: u64) {
        let new = requests.saturating_sub(self.noted);
        self.noted = self.noted.max(requests);
        *self.steps.at(after) += new;
    }

    /// How long a step is.
    #[must_use]
    pub const fn step(&self) -> Duration {
        self.steps.each()
    }

    /// The requests of each step.
    #[must_use]
    pub fn requests(&self) -> &[u64] {
        self.steps.counts()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_request_is_in_one_step(waits in prop::collection::vec(0_u64..100_000, 0..300)) {
            let (mut pace, mut after) = (Pace::default(), Duration::ZERO);
            for (number, wait) in waits.iter().enumerate() {
                after += Duration::from_millis(*wait);
                pace.note(after, number as u64 + 1);
            }
            prop_assert_eq!(pace.requests().iter().sum::<u64>(), waits.len() as u64);
            prop_assert!(pace.requests().len() <= STEPS);
        }
    }
}
