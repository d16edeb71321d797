//! What a request passes before its body is looked at: the limit, and what goes wrong on demand.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::chance::Chance;
use crate::fault::{Fault, Told};
use crate::limit::{Allowance, Limit, Throttled};
use crate::switches::Window;

/// What one kind of requests passes. Each class of them has a limit of its own.
pub(crate) struct Door {
    /// What a 429 calls what is behind it.
    pub(crate) name: &'static str,
    limits: Vec<Limit>,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) requests: u64,
    pub(crate) throttled: u64,
    /// How many more requests meet a key that is revoked.
    revoked: u64,
    /// How many of a hundred requests a fault strikes that is drawn by chance.
    fault_percent: u8,
    chance: Chance,
}

/// Why a request is not let in.
pub(crate) enum TurnedAway {
    /// Its key is revoked.
    Revoked,
    /// It comes too early; a fault says where that is told.
    Throttled(Throttled, Option<Told>),
}

impl Door {
    /// A door with a limit for each class, in requests a minute.
    pub(crate) fn new(
        name: &'static str,
        limits: &[Option<NonZeroU32>],
        window: Window,
        faults: VecDeque<Fault>,
    ) -> Self {
        let limits = limits.iter().map(|limit| Limit::new(*limit, window));
        Self {
            name,
            limits: limits.collect(),
            faults,
            requests: 0,
            throttled: 0,
            revoked: 0,
            fault_percent: 0,
            chance: Chance::of(0),
        }
    }

    /// The same door, whose limits are counted over another time than a minute.
    pub(crate) fn over(mut self, long: Duration) -> Self {
        let limits = std::mem::take(&mut self.limits).into_iter();
        self.limits = limits.map(|limit| limit.over(long)).collect();
        self
    }

    /// The same door, where chance strikes so many of a hundred requests.
    pub(crate) fn with_chance(mut self, percent: u8, seed: u64) -> Self {
        self.fault_percent = percent;
        // Not the numbers that the times of answers are drawn from.
        self.chance = Chance::of(!seed);
        self
    }

    /// The most requests of a class let in during any 60 seconds.
    pub(crate) fn worst_minute(&self) -> usize {
        let worst = self.limits.iter().map(Limit::worst_minute);
        worst.max().unwrap_or_default()
    }

    /// Lets a request of a class in, with what is left of the limit and the fault that strikes it.
    pub(crate) fn enter(&mut self, class: usize) -> Result<(Option<Allowance>, Fault), TurnedAway> {
        self.draw();
        match self.faults.front() {
            Some(Fault::Throttle { wait, told }) => {
                let refusal = Throttled {
                    limit: self.limits[class].told(),
                    wait: *wait,
                };
                let told = Some(*told);
                self.faults.pop_front();
                self.throttled += 1;
                return Err(TurnedAway::Throttled(refusal, told));
            }
            Some(Fault::Revoke(requests)) => {
                self.revoked = *requests;
                self.faults.pop_front();
            }
            Some(Fault::Limit(limit)) => {
                self.limits[class].set(*limit);
                self.faults[0] = Fault::Nothing;
            }
            _ => {}
        }
        if self.revoked > 0 {
            self.revoked -= 1;
            return Err(TurnedAway::Revoked);
        }
        match self.limits[class].enter(Instant::now()) {
            Ok(allowance) => Ok((allowance, self.faults.pop_front().unwrap_or(Fault::Nothing))),
            Err(throttled) => {
                self.throttled += 1;
                Err(TurnedAway::Throttled(throttled, None))
            }
        }
    }

    /// Lets chance have its say where no fault waits.
    fn draw(&mut self) {
        let percent = u64::from(self.fault_percent);
        if percent > 0 && self.faults.is_empty() && self.chance.below(100) < percent {
            self.faults.push_back(Fault::drawn(&mut self.chance));
        }
    }
}
