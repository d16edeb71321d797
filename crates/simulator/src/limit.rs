//! Whether a request is within the limit.
//!
//! Only requests that are let in count. One that is turned away uses nothing up.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::switches::Window;

/// A minute: what every limit is counted over, unless a test is in a hurry.
const MINUTE: Duration = Duration::from_secs(60);

/// Counts the requests of a minute.
pub(crate) struct Limit {
    per_minute: Option<NonZeroU32>,
    window: Window,
    /// How long the minute is.
    long: Duration,
    /// When the requests of the last sliding minute were let in, oldest first.
    recent: VecDeque<Instant>,
    /// The most requests let in during any sliding minute.
    worst_minute: usize,
    /// The fixed window that is open: since when, and how many it let in.
    minute: Option<(Instant, usize)>,
}

/// What is left, told in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Requests allowed in a minute.
    pub(crate) limit: u32,
    /// Requests left in this one.
    pub(crate) remaining: u32,
}

/// The limit is reached: come back after `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttled {
    pub(crate) limit: u32,
    pub(crate) wait: Duration,
}

impl Limit {
    pub(crate) fn new(per_minute: Option<NonZeroU32>, window: Window) -> Self {
        Self {
            per_minute,
            window,
            long: MINUTE,
            recent: VecDeque::new(),
            worst_minute: 0,
            minute: None,
        }
    }

    /// The same limit over another time than a minute.
    pub(crate) const fn over(mut self, long: Duration) -> Self {
        self.long = long;
        self
    }

    /// Lets one request in at `now`, which is never before an earlier one, or turns it away.
    pub(crate) fn enter(&mut self, now: Instant) -> Result<Option<Allowance>, Throttled> {
        while self
            .recent
            .front()
            .is_some_and(|entered| now - *entered >= self.long)
        {
            self.recent.pop_front();
        }
        let allowance = match self.per_minute {
            None => None,
            Some(limit) => Some(self.admit(limit.get(), now)?),
        };
        self.recent.push_back(now);
        self.worst_minute = self.worst_minute.max(self.recent.len());
        Ok(allowance)
    }

    /// Allows another number of requests from now on.
    pub(crate) fn set(&mut self, per_minute: Option<NonZeroU32>) {
        self.per_minute = per_minute;
    }

    /// The most requests let in during any sliding minute so far.
    pub(crate) fn worst_minute(&self) -> usize {
        self.worst_minute
    }

    /// The limit a 429 names: CometChat's own where there is none.
    pub(crate) fn told(&self) -> u32 {
        self.per_minute.map_or(60, NonZeroU32::get)
    }

    fn admit(&mut self, limit: u32, now: Instant) -> Result<Allowance, Throttled> {
        let (used, free_at) = match self.window {
            Window::Sliding => {
                // More than the limit may be in the window, if it was lowered.
                let too_many = self.recent.len().saturating_sub(limit as usize);
                let frees = self.recent.get(too_many).copied().unwrap_or(now);
                (self.recent.len(), frees + self.long)
            }
            Window::Fixed => {
                let (since, used) = self.open_minute(now);
                (used, since + self.long)
            }
        };
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        if used >= limit {
            return Err(Throttled {
                limit,
                wait: free_at - now,
            });
        }
        if let Some((_, used)) = &mut self.minute {
            *used += 1;
        }
        Ok(Allowance {
            limit,
            remaining: limit - used - 1,
        })
    }

    /// The fixed window `now` lies in. Windows follow one another without gaps.
    fn open_minute(&mut self, now: Instant) -> (Instant, usize) {
        let open = match self.minute {
            None => (now, 0),
            Some((since, used)) if now - since < self.long => (since, used),
            Some((since, _)) => {
                let into_this_minute = (now - since).as_nanos() % self.long.as_nanos();
                let into_this_minute =
                    u64::try_from(into_this_minute).expect("a minute is few nanoseconds");
                (now - Duration::from_nanos(into_this_minute), 0)
            }
        };
        self.minute = Some(open);
        open
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use proptest::prelude::{prop, proptest};
    use tokio::time::Instant;

    use super::{Allowance, Limit, MINUTE, Throttled};
    use crate::switches::Window;

    fn limit(per_minute: u32, window: Window) -> Limit {
        Limit::new(NonZeroU32::new(per_minute), window)
    }

    #[test]
    fn a_sliding_window_frees_a_place_sixty_seconds_after_it_was_taken() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut limit = limit(2, Window::Sliding);
        assert_eq!(
            limit.enter(start),
            Ok(Some(Allowance {
                limit: 2,
                remaining: 1
            }))
        );
        assert_eq!(
            limit.enter(start + second),
            Ok(Some(Allowance {
                limit: 2,
                remaining: 0
            }))
        );
        let throttled = Throttled {
            limit: 2,
            wait: 58 * second,
        };
        assert_eq!(limit.enter(start + 2 * second), Err(throttled));
        assert!(limit.enter(start + MINUTE).is_ok());
        assert_eq!(
            limit.enter(start + MINUTE),
            Err(Throttled {
                limit: 2,
                wait: second
            })
        );
        assert_eq!(limit.worst_minute(), 2);
    }

    #[test]
    fn a_fixed_window_lets_twice_the_limit_in_around_its_edge() {
        let start = Instant::now();
        let mut limit = limit(3, Window::Fixed);
        let second = Duration::from_secs(1);
        assert!(limit.enter(start).is_ok());
        assert!(limit.enter(start + 59 * second).is_ok());
        assert!(limit.enter(start + 59 * second).is_ok());
        let throttled = Throttled {
            limit: 3,
            wait: second,
        };
        assert_eq!(limit.enter(start + 59 * second), Err(throttled));
        for _ in 0..3 {
            assert!(limit.enter(start + 60 * second).is_ok());
        }
        assert_eq!(
            limit.enter(start + 61 * second),
            Err(Throttled {
                limit: 3,
                wait: 59 * second
            })
        );
        assert_eq!(limit.worst_minute(), 5);
    }

    #[test]
    fn without_a_limit_requests_are_only_counted() {
        let start = Instant::now();
        let mut limit = Limit::new(None, Window::Sliding);
        for _ in 0..500 {
            assert_eq!(limit.enter(start), Ok(None));
        }
        assert_eq!(limit.worst_minute(), 500);
    }

    proptest! {
        #[test]
        fn no_sliding_minute_lets_more_in_than_the_limit(
            per_minute in 1_u32..20,
            gaps in prop::collection::vec(0_u64..20_000, 1..200),
        ) {
            let mut now = Instant::now();
            let mut limit = limit(per_minute, Window::Sliding);
            let mut entered = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                match limit.enter(now) {
                    Ok(_) => entered.push(now),
                    Err(throttled) => {
                        let free = now + throttled.wait;
                        assert!(throttled.wait > Duration::ZERO && throttled.wait <= MINUTE);
                        // The wait is enough, and no shorter one is.
                        let still_in = |at: Instant| {
                            entered.iter().filter(|then| at - **then < MINUTE).count()
                        };
                        assert!(still_in(free) < per_minute as usize);
                        assert!(still_in(free - Duration::from_nanos(1)) >= per_minute as usize);
                    }
                }
            }
            for (first, start) in entered.iter().enumerate() {
                let within = entered[first..].iter().filter(|at| **at - *start < MINUTE).count();
                assert!(within <= per_minute as usize);
            }
            assert!(limit.worst_minute() <= per_minute as usize);
        }

        #[test]
        fn no_fixed_minute_lets_more_in_than_the_limit(
            per_minute in 1_u32..20,
            gaps in prop::collection::vec(0_u64..20_000, 1..200),
        ) {
            let start = Instant::now();
            let mut now = start;
            let mut limit = limit(per_minute, Window::Fixed);
            let mut minutes = std::collections::BTreeMap::new();
            for (turn, gap) in gaps.into_iter().enumerate() {
                if turn > 0 {
                    now += Duration::from_millis(gap);
                }
                if limit.enter(now).is_ok() {
                    *minutes.entry((now - start).as_secs() / 60).or_insert(0_u32) += 1;
                }
            }
            assert!(minutes.values().all(|count| *count <= per_minute));
        }
    }
}
