//! When a file is tried again that could not be copied, as a pure function.

use std::time::Duration;

use crate::reason::{Failure, Reason};

/// How long to try, and how long to wait in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often a file is asked for whose host fails, at most.
    pub tries: u32,
    /// The first pause. Each one that follows is twice as long.
    pub first: Duration,
    /// The longest pause that nobody asked for.
    pub longest: Duration,
    /// How often in a row a host may ask for fewer requests before it is left alone.
    pub throttles: u32,
    /// How many files in a row a host may fail on before it is left alone.
    pub failures: u32,
}

/// A service that is restarted is back within two minutes; whoever throttles may do so for hours.
impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 8,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5 * 60),
            throttles: 40,
            failures: 25,
        }
    }
}

/// How long a pause is believed that a host asks for.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// What follows when a file could not be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is tried again after a pause.
    Again(Duration),
    /// Nothing is asked of the host for so long; then it is tried again.
    Hold(Duration),
    /// It has failed.
    Fail,
}

impl Patience {
    /// What follows. `tries` counts the attempts so far, `throttles` those in a row that the host
    /// has answered with "too many requests"; `chance` is a number from 0 to 1.
    pub(crate) fn after(&self, failure: &Failure, tries: u32, throttles: u32, chance: f64) -> Step {
        match failure.reason {
            Reason::Throttled if throttles >= self.throttles => Step::Fail,
            Reason::Throttled => {
                let pause = self.pause(throttles, chance);
                Step::Hold(failure.wait.map_or(pause, |wait| {
                    // Not all at once at the very moment that the host has named.
                    wait.min(LONGEST_WISH) + self.first.mul_f64(chance)
                }))
            }
            _ if !passes(failure.reason) || tries >= self.tries => Step::Fail,
            _ => Step::Again(
                failure
                    .wait
                    .map_or_else(|| self.pause(tries, chance), |wait| wait.min(LONGEST_WISH)),
            ),
        }
    }

    /// Twice as long each time, and half of it left to chance, so that those who were refused
    /// together do not come back together.
    fn pause(&self, times: u32, chance: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(times.saturating_sub(1).min(20));
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// Whether another try may succeed.
fn passes(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Throttled
            | Reason::OutOfOrder
            | Reason::Unreachable
            | Reason::BrokenOff
            | Reason::Checksum
    )
}

/// Whether it says something of the host, and not of the one file.
pub(crate) fn is_of_the_host(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Denied
            | Reason::Page
            | Reason::Throttled
            | Reason::OutOfOrder
            | Reason::Unreachable
            | Reason::Inside
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        tries: 3,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(10),
        throttles: 5,
        failures: 2,
    };

    #[test]
    fn pauses_double_up_to_the_longest() {
        let failure = Failure::new(Reason::OutOfOrder, "503");
        let after = |tries| PATIENCE.after(&failure, tries, 0, 1.0);
        assert_eq!(after(1), Step::Again(Duration::from_secs(1)));
        assert_eq!(after(2), Step::Again(Duration::from_secs(2)));
        assert_eq!(after(3), Step::Fail);
        assert_eq!(PATIENCE.pause(9, 1.0), Duration::from_secs(10));
        assert_eq!(PATIENCE.pause(9, 0.0), Duration::from_secs(5));
    }

    #[test]
    fn a_host_is_held_for_as_long_as_it_asks_within_reason() {
        let mut failure = Failure::new(Reason::Throttled, "429");
        failure.wait = Some(Duration::from_secs(90));
        let after = |failure: &Failure, throttles| PATIENCE.after(failure, 1, throttles, 0.0);
        assert_eq!(after(&failure, 1), Step::Hold(Duration::from_secs(90)));
        failure.wait = Some(Duration::MAX);
        assert_eq!(after(&failure, 1), Step::Hold(LONGEST_WISH));
        failure.wait = None;
        assert_eq!(after(&failure, 3), Step::Hold(Duration::from_secs(2)));
        assert_eq!(after(&failure, 5), Step::Fail);
    }

    #[test]
    fn throttling_uses_up_no_tries() {
        let failure = Failure::new(Reason::Throttled, "429");
        assert!(matches!(
            PATIENCE.after(&failure, 99, 1, 0.5),
            Step::Hold(_)
        ));
    }

    #[test]
    fn what_will_not_change_is_not_tried_again() {
        for reason in Reason::all().filter(|reason| !passes(*reason)) {
            let failure = Failure::new(reason, "");
            assert_eq!(
                PATIENCE.after(&failure, 1, 0, 0.5),
                Step::Fail,
                "{reason:?}"
            );
        }
    }
}
