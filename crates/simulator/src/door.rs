//! What a request passes before its body is looked at: the limit, and what goes wrong on demand.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use tokio::time::Instant;

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
        }
    }

    /// The most requests of a class let in during any 60 seconds.
    pub(crate) fn worst_minute(&self) -> usize {
        let worst = self.limits.iter().map(Limit::worst_minute);
        worst.max().unwrap_or_default()
    }

    /// Lets a request of a class in, with what is left of the limit and the fault that strikes it.
    pub(crate) fn enter(
        &mut self,
        class: usize,
    ) -> Result<(Option<Allowance>, Fault), (Throttled, Option<Told>)> {
        let limit = &mut self.limits[class];
        if let Some(Fault::Throttle { wait, told }) = self.faults.front() {
            let refusal = (
                Throttled {
                    limit: limit.told(),
                    wait: *wait,
                },
                Some(*told),
            );
            self.faults.pop_front();
            self.throttled += 1;
            return Err(refusal);
        }
        match limit.enter(Instant::now()) {
            Ok(allowance) => Ok((allowance, self.faults.pop_front().unwrap_or(Fault::Nothing))),
            Err(throttled) => {
                self.throttled += 1;
                Err((throttled, None))
            }
        }
    }
}
