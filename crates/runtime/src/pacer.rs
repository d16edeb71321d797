//! When the next request may be sent.
//!
//! Everything that is sent waits here first, retries included: only a [`Pacer`] makes permits.
//! The pace is steady, one request each 60 s / limit, without bursts, so that any 60 seconds,
//! fixed or sliding, see at most the limit.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatferry_core::Permit;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// How much longer than exactly 60 s / limit the interval is, in thousandths.
///
/// Requests take different times on their way. With half a percent, sixty seconds' worth of
/// requests may arrive 300 ms closer together than they left before a window sees one too many,
/// and 99.5 % of the slots are used.
const MARGIN_PER_MILLE: u32 = 5;

/// How late a permit may be given and still count as given on time.
///
/// The system wakes a sleeper a millisecond or so late. Counted from the late moment, each
/// interval would be that much longer; counted from the moment that was due, none is.
const GRACE: Duration = Duration::from_millis(5);

type Limiter = RateLimiter<NotKeyed, InMemoryState, Schedule, NoOpMiddleware<Duration>>;

/// Gives leave to send requests, one at a time, at the allowed pace.
#[derive(Debug)]
pub struct Pacer {
    limiter: Option<Limiter>,
    schedule: Schedule,
    interval: Duration,
    held_until: Option<Instant>,
}

impl Pacer {
    /// A pacer for so many requests in any minute; `None` for as many as the machine can.
    ///
    /// `since_last` is how long ago the last request was sent by an earlier run, if it is known:
    /// stopping and starting again does not exceed the limit.
    #[must_use]
    pub fn new(limit: Option<NonZeroU32>, since_last: Option<Duration>) -> Self {
        let schedule = Schedule::start();
        let interval = limit.map(interval).unwrap_or_default();
        let limiter = limit.map(|_| {
            let quota = Quota::with_period(interval).expect("an interval of a limit is not zero");
            let quota = quota.allow_burst(NonZeroU32::MIN);
            RateLimiter::direct_with_clock(quota, schedule.clone())
        });
        let mut pacer = Self {
            limiter,
            schedule,
            interval,
            held_until: None,
        };
        if let Some(rest) = since_last.and_then(|since| interval.checked_sub(since)) {
            pacer.hold(rest);
        }
        pacer
    }

    /// Waits until a request may be sent. Dropping the future takes nothing away.
    pub async fn permit(&self) -> Permit {
        if let Some(until) = self.held_until {
            tokio::time::sleep_until(until).await;
        }
        let Some(limiter) = &self.limiter else {
            return Permit::issue();
        };
        loop {
            match limiter.check() {
                Ok(()) => return Permit::issue(),
                Err(not_until) => {
                    let wait = not_until.wait_time_from(self.schedule.now());
                    self.schedule.due_after(wait);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Gives no permit for this long, whoever asks: the destination said so.
    pub fn hold(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        self.held_until = Some(self.held_until.map_or(until, |held| held.max(until)));
    }

    /// Until when no permit is given, if that is in the future.
    #[must_use]
    pub fn held_until(&self) -> Option<Instant> {
        self.held_until.filter(|until| *until > Instant::now())
    }

    /// The time from one request to the next; zero without a limit.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }
}

/// The time from one request to the next under a limit of so many in any minute.
#[must_use]
pub fn interval(limit: NonZeroU32) -> Duration {
    Duration::from_secs(60) * (1_000 + MARGIN_PER_MILLE) / 1_000 / limit.get()
}

/// Tokio's clock, which tests can hurry, except that a moment shortly after one that was due is
/// that moment.
#[derive(Clone, Debug)]
struct Schedule {
    start: Instant,
    due_nanos: Arc<AtomicU64>,
}

impl Schedule {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            due_nanos: Arc::default(),
        }
    }

    fn due_after(&self, wait: Duration) {
        let due = self.now() + wait;
        self.due_nanos.store(
            u64::try_from(due.as_nanos()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }
}

impl Clock for Schedule {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.start.elapsed();
        let due = Duration::from_nanos(self.due_nanos.load(Ordering::Relaxed));
        match now.checked_sub(due) {
            Some(late) if late < GRACE => due,
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paused<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(future)
    }

    /// The most permits in any 60 seconds.
    fn worst_minute(times: &[Instant]) -> usize {
        let minute = Duration::from_secs(60);
        let within = |start: &Instant| {
            times
                .iter()
                .filter(|time| **time >= *start && **time - *start < minute)
                .count()
        };
        times.iter().map(within).max().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn ten_minutes_use_all_but_the_margin() {
        let pacer = Pacer::new(NonZeroU32::new(60), None);
        let start = Instant::now();
        let mut sent = 0;
        while start.elapsed() < Duration::from_secs(600) {
            let _permit = pacer.permit().await;
            sent += 1;
        }
        assert!(
            (595..=600).contains(&sent),
            "{sent} requests in ten minutes"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_holds_everybody() {
        let mut pacer = Pacer::new(NonZeroU32::new(60), None);
        let start = Instant::now();
        let _first = pacer.permit().await;
        pacer.hold(Duration::from_secs(30));
        pacer.hold(Duration::from_secs(10));
        let _second = pacer.permit().await;
        assert!(start.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn starting_again_waits_out_the_last_requests_interval() {
        let start = Instant::now();
        let pacer = Pacer::new(NonZeroU32::new(60), Some(Duration::from_millis(400)));
        let _permit = pacer.permit().await;
        assert!(start.elapsed() >= Duration::from_millis(600));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_minute_sees_more_than_the_limit(
            limit in 1_u32..=1_200,
            pauses in prop::collection::vec((0_u64..400, 0_u64..3_000), 1..40),
        ) {
            let times = paused(async {
                let pacer = Pacer::new(NonZeroU32::new(limit), None);
                let mut times = Vec::new();
                for (burst, pause) in pauses {
                    for _ in 0..burst % 40 {
                        let _permit = pacer.permit().await;
                        times.push(Instant::now());
                    }
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                times
            });
            prop_assert!(worst_minute(&times) <= limit as usize);
        }
    }
}
