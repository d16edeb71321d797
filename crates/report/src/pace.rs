//! How fast something came along, in a bounded number of steps.

use std::time::Duration;

/// Steps that are kept at most.
const STEPS: usize = 120;

/// How many requests were sent in each step of time, from the start on.
///
/// When there is no room for another step, each two become one that is twice as long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    step: Duration,
    requests: Vec<u64>,
    /// How many were noted in all.
    noted: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(1),
            requests: Vec::new(),
            noted: 0,
        }
    }
}

impl Pace {
    /// Notes that so many requests were sent in all, so long after the start.
    pub fn note(&mut self, after: Duration, requests: u64) {
        let new = requests.saturating_sub(self.noted);
        self.noted = self.noted.max(requests);
        let mut place = self.place(after);
        while place >= STEPS {
            self.step *= 2;
            let halves = self.requests.chunks(2);
            self.requests = halves.map(|both| both.iter().sum()).collect();
            place = self.place(after);
        }
        if self.requests.len() <= place {
            self.requests.resize(place + 1, 0);
        }
        self.requests[place] += new;
    }

    fn place(&self, after: Duration) -> usize {
        let step = self.step.as_millis().max(1);
        usize::try_from(after.as_millis() / step).unwrap_or(usize::MAX)
    }

    /// How long a step is.
    #[must_use]
    pub const fn step(&self) -> Duration {
        self.step
    }

    /// The requests of each step.
    #[must_use]
    pub fn requests(&self) -> &[u64] {
        &self.requests
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
