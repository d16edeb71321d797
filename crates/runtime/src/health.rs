//! How the destination has been answering.

use std::time::Duration;

use chatferry_core::Failure;
use tokio::time::Instant;

/// How the destination has been answering.
///
/// Requests under way together that fail together say no more than the first of them: only a
/// request that was sent after the last setback can be another one.
#[derive(Debug, Default)]
pub(crate) struct Health {
    answered: u64,
    /// Whether it was the destination itself that answered, if only with a failure of its own.
    heard: bool,
    /// Failures and throttles that counted.
    setbacks: u64,
    failures_in_a_row: u32,
    throttles_in_a_row: u32,
    /// When the first of the failures in a row was seen.
    failing_since: Option<Instant>,
}

/// What was known when a request was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stamp(u64);

impl Health {
    /// What a request that is sent now has to carry.
    pub(crate) const fn stamp(&self) -> Stamp {
        Stamp(self.setbacks)
    }

    /// An answer had what was asked for.
    pub(crate) const fn answered(&mut self) {
        self.answered += 1;
        self.heard = true;
        self.failures_in_a_row = 0;
        self.throttles_in_a_row = 0;
        self.failing_since = None;
    }

    /// A request failed.
    pub(crate) fn failed(&mut self, failure: &Failure, stamp: Stamp) {
        self.heard |= !matches!(
            failure,
            Failure::Unreachable { .. } | Failure::Doubt { foreign: true, .. }
        );
        self.failing_since.get_or_insert_with(Instant::now);
        if stamp.0 == self.setbacks {
            self.setbacks += 1;
            self.failures_in_a_row += 1;
        }
    }

    /// A request came too early, and was answered so.
    pub(crate) const fn throttled(&mut self, stamp: Stamp) {
        self.heard = true;
        self.failures_in_a_row = 0;
        self.failing_since = None;
        if stamp.0 == self.setbacks {
            self.setbacks += 1;
            self.throttles_in_a_row += 1;
        }
    }

    /// How many requests were answered.
    pub(crate) const fn answers(&self) -> u64 {
        self.answered
    }

    /// Whether the destination itself has ever answered.
    pub(crate) const fn heard(&self) -> bool {
        self.heard
    }

    /// How many failures there were since the last answer.
    pub(crate) const fn failures_in_a_row(&self) -> u32 {
        self.failures_in_a_row
    }

    /// How many throttles there were since the last answer.
    pub(crate) const fn throttles_in_a_row(&self) -> u32 {
        self.throttles_in_a_row
    }

    /// How long nothing but failures has been seen.
    pub(crate) fn silent_for(&self) -> Duration {
        self.failing_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(foreign: bool) -> Failure {
        Failure::Doubt {
            what: "HTTP 502".into(),
            foreign,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_fail_together_are_one_failure() {
        let mut health = Health::default();
        let together = health.stamp();
        for _ in 0..8 {
            health.failed(&doubt(true), together);
        }
        assert_eq!(health.failures_in_a_row(), 1);
        health.failed(&doubt(true), health.stamp());
        assert_eq!(health.failures_in_a_row(), 2);
        health.answered();
        assert_eq!((health.failures_in_a_row(), health.answers()), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_is_not_the_destination_and_a_failure_of_its_own_is() {
        let mut health = Health::default();
        health.failed(&doubt(true), health.stamp());
        assert!(!health.heard());
        health.failed(&doubt(false), health.stamp());
        assert!(health.heard());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_begins_with_a_failure_and_not_with_having_nothing_to_send() {
        let minute = Duration::from_secs(60);
        let mut health = Health::default();
        tokio::time::sleep(20 * minute).await;
        health.failed(&doubt(true), health.stamp());
        assert_eq!(health.silent_for(), Duration::ZERO);
        tokio::time::sleep(minute).await;
        health.failed(&doubt(true), health.stamp());
        assert_eq!(health.silent_for(), minute);
        health.throttled(health.stamp());
        assert_eq!(health.silent_for(), Duration::ZERO, "a 429 is an answer");
    }
}
