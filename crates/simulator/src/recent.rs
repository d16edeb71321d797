//! What was stored so lately that lists do not show it yet.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::request::Entity;

/// What was stored so lately that lists do not show it yet.
pub(crate) struct Recent {
    delay: Duration,
    stored: VecDeque<(Instant, (Entity, u64))>,
    hidden: HashSet<(Entity, u64)>,
}

impl Recent {
    /// Lists show what was stored this long ago.
    pub(crate) fn new(delay: Duration) -> Self {
        Self {
            delay,
            stored: VecDeque::new(),
            hidden: HashSet::new(),
        }
    }

    /// Notes that something was stored now: the hash of its id, or a message's number.
    pub(crate) fn note(&mut self, entity: Entity, id: u64) {
        if !self.delay.is_zero() {
            self.stored.push_back((Instant::now(), (entity, id)));
            self.hidden.insert((entity, id));
        }
    }

    /// Whether lists show everything at once.
    pub(crate) fn shows_all(&self) -> bool {
        self.delay.is_zero()
    }

    /// Whether lists show it by now.
    pub(crate) fn shows(&mut self, entity: Entity, id: u64) -> bool {
        while let Some((stored, what)) = self.stored.front()
            && stored.elapsed() >= self.delay
        {
            self.hidden.remove(what);
            self.stored.pop_front();
        }
        !self.hidden.contains(&(entity, id))
    }
}
