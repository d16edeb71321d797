//! The pace of all requests, and the troubles of each host.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::patience::{Patience, is_of_the_host};
use crate::reason::Reason;

/// The pace of all requests, and the troubles of each host.
#[derive(Debug)]
pub(crate) struct Hosts {
    patience: Patience,
    /// Between two requests.
    pause: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the next request may be made.
    next: Instant,
    hosts: HashMap<String, Host>,
}

#[derive(Debug, Default)]
struct Host {
    held_until: Option<Instant>,
    /// Answers in a row that asked for fewer requests.
    throttles: u32,
    /// Files in a row that failed because of the host.
    failures: u32,
    /// Why nothing is asked of it any more.
    given_up: Option<Reason>,
}

impl Hosts {
    pub(crate) fn new(patience: Patience, per_second: Option<NonZeroU64>, now: Instant) -> Self {
        let pause = |per_second: NonZeroU64| {
            let nanos = 1_000_000_000 / per_second.get();
            Duration::from_nanos(nanos)
        };
        Self {
            patience,
            pause: per_second.map(pause),
            state: Mutex::new(State {
                next: now,
                hosts: HashMap::new(),
            }),
        }
    }

    /// Why nothing is asked of a host any more, if that is so.
    pub(crate) fn given_up(&self, host: &str) -> Option<Reason> {
        self.of(host, |host| host.given_up)
    }

    /// When a host may be asked. Whoever asks for this has taken that moment, unless the host is held
    /// until then: then it is to be asked for again.
    pub(crate) fn turn(&self, host: &str, now: Instant) -> Result<Instant, Instant> {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        let held = state.hosts.get(host).and_then(|host| host.held_until);
        if let Some(until) = held.filter(|until| *until > now) {
            return Err(until);
        }
        let Some(pause) = self.pause else {
            return Ok(now);
        };
        let turn = state.next.max(now);
        state.next = turn + pause;
        Ok(turn)
    }

    /// Asks nothing of a host until then.
    pub(crate) fn hold(&self, host: &str, until: Instant) {
        self.of(host, |host| {
            host.held_until = Some(host.held_until.map_or(until, |held| held.max(until)));
        });
    }

    /// For how long nothing is asked of some host, if that is so.
    pub(crate) fn held_for(&self, now: Instant) -> Option<(String, Duration)> {
        let state = self.state.lock().expect("no holder of this lock panics");
        let held = state.hosts.iter().filter_map(|(name, host)| {
            let left = host.held_until?.checked_duration_since(now)?;
            Some((name.clone(), left))
        });
        held.max_by_key(|(_, left)| *left)
    }

    /// Notes that a host has asked for fewer requests; gives how often in a row.
    pub(crate) fn throttled(&self, host: &str) -> u32 {
        self.of(host, |host| {
            host.throttles += 1;
            host.throttles
        })
    }

    /// Notes that a host has given a file.
    pub(crate) fn gave(&self, host: &str) {
        self.of(host, |host| {
            host.throttles = 0;
            host.failures = 0;
        });
    }

    /// Notes that a file has failed for good. After too many in a row that say something of the host
    /// it is left alone.
    pub(crate) fn failed(&self, host: &str, reason: Reason) {
        let most = self.patience.failures;
        self.of(host, |host| {
            if !is_of_the_host(reason) {
                // It has answered, and what it has said is of the one file.
                host.failures = 0;
                return;
            }
            host.failures += 1;
            if host.failures >= most || reason == Reason::Throttled {
                host.given_up = Some(reason);
            }
        });
    }

    fn of<T>(&self, host: &str, look: impl FnOnce(&mut Host) -> T) -> T {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        look(state.hosts.entry(host.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn hosts(per_second: Option<u64>, now: Instant) -> Hosts {
        let patience = Patience {
            failures: 3,
            ..Patience::default()
        };
        Hosts::new(patience, per_second.and_then(NonZeroU64::new), now)
    }

    #[test]
    fn requests_are_made_at_the_pace_that_is_set() {
        let begun = Instant::now();
        let hosts = hosts(Some(4), begun);
        for number in 0..9 {
            let turn = hosts.turn("a", begun).expect("it is not held");
            assert_eq!(turn - begun, SECOND / 4 * number);
        }
        let later = begun + 60 * SECOND;
        let turns = ["a", "b"].map(|host| hosts.turn(host, later).expect("it is not held"));
        assert_eq!(turns[0], later, "what was not used is not saved up");
        assert_eq!(turns[1] - turns[0], SECOND / 4, "hosts share the pace");
    }

    #[test]
    fn a_host_that_is_held_does_not_hold_others() {
        let now = Instant::now();
        let hosts = hosts(None, now);
        hosts.hold("a", now + 30 * SECOND);
        hosts.hold("a", now + 10 * SECOND);
        let until = now + 30 * SECOND;
        assert_eq!(hosts.turn("a", now), Err(until), "the longer pause counts");
        assert!(hosts.turn("b", now).is_ok());
        assert_eq!(hosts.held_for(now), Some(("a".to_owned(), 30 * SECOND)));
        let later = now + 31 * SECOND;
        assert!(hosts.turn("a", later).is_ok());
        assert_eq!(hosts.held_for(later), None);
    }

    #[test]
    fn a_host_that_only_fails_is_left_alone() {
        let hosts = hosts(None, Instant::now());
        for reason in [
            Reason::Denied,
            Reason::Page,
            Reason::NotFound,
            Reason::Denied,
            Reason::Denied,
        ] {
            hosts.failed("a", reason);
            let given_up = hosts.given_up("a");
            assert_eq!(given_up, None, "what is not there is no fault of the host");
        }
        hosts.failed("a", Reason::Page);
        assert_eq!(hosts.given_up("a"), Some(Reason::Page));
        assert_eq!(hosts.given_up("b"), None);
    }
}
