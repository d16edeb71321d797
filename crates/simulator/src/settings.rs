//! What the stand-in imitates: limits, keys, roles, and an answer for every undecided case.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::chance::Spread;
use crate::fault::Fault;
use crate::switches::Switches;

/// What the stand-in imitates. The default is CometChat as documented, empty, with any key.
///
/// They hold a key, so they cannot be printed.
#[derive(Clone)]
pub struct Settings {
    /// The only app there is. `None` takes any.
    ///
    /// A request names its app by an `appId` header or by a host such as
    /// `APP.api-eu.cometchat.io`. One that names none, as over loopback, is taken.
    pub app_id: Option<String>,
    /// The only key there is. `None` takes any that is not empty.
    pub api_key: Option<String>,
    /// Import requests allowed in a minute, all endpoints together. `None` allows any number.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How long the minute of import requests is: shorter for tests that are in a hurry.
    pub minute: Duration,
    /// Requests allowed in a minute that make or end a user, a group or a membership; imports are
    /// none of them. `None` allows any number.
    pub core_requests_per_minute: Option<NonZeroU32>,
    /// All other requests allowed in a minute, such as lists. `None` allows any number.
    pub other_requests_per_minute: Option<NonZeroU32>,
    /// How long it takes until lists show what was stored.
    pub read_delay: Duration,
    /// How long each answer takes at least. Requests overlap.
    pub latency: Duration,
    /// How much longer it takes, drawn by chance.
    pub spread: Spread,
    /// How far back `sentAt` may lie. `None` for extended storage.
    pub retention: Option<Duration>,
    /// What time it is for the service: for what it stores, the moment at which a limit is reset,
    /// and `Date`. Rate limiting does not ask it: that follows tokio's clock.
    pub clock: Clock,
    /// A longer body, in bytes, is answered with 413.
    pub max_body: usize,
    /// Records allowed in a request.
    pub records_per_request: NonZeroUsize,
    /// The roles that exist, in lower case.
    pub roles: BTreeSet<String>,
    /// Members a group may have. `None` for any number.
    pub members_per_group: Option<NonZeroU32>,
    /// A record that holds this text anywhere is poison, as one is that is too old: the others are
    /// stored, and the request fails.
    pub poison: Option<String>,
    /// What is remembered of what was stored.
    pub keep: Keep,
    /// Answers where the documentation has none.
    pub switches: Switches,
    /// What goes wrong with the first import requests, one for each.
    pub faults: VecDeque<Fault>,
    /// How many of a hundred import requests are struck by a fault that is drawn by chance, once
    /// [`faults`](Self::faults) is used up.
    pub fault_percent: u8,
    /// What is drawn by chance is drawn again with the same seed, request by request.
    pub seed: u64,
    /// What goes wrong with the first requests that are no imports, one for each.
    pub other_faults: VecDeque<Fault>,
}

/// What is remembered of what was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// All of it. Messages go to a temporary file without a name, and leave 8 bytes in memory.
    #[default]
    Everything,
    /// What later requests are judged by: users and groups without their extras, and a hash of each
    /// member and message. There is nothing to dump.
    Ids,
}

/// A clock: the seconds since 1970.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that stands still.
    pub fn stopped_at(seconds: i64) -> Self {
        Self::new(move || seconds)
    }

    /// The computer's clock, so many seconds fast, or slow if negative.
    pub fn off_by(seconds: i64) -> Self {
        let right = Self::default();
        Self::new(move || right.now().saturating_add(seconds))
    }

    /// The seconds since 1970.
    pub fn now(&self) -> i64 {
        (self.0)()
    }
}

impl Default for Clock {
    /// The computer's clock.
    fn default() -> Self {
        Self::new(|| {
            let since_1970 = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Clock({})", self.now())
    }
}

/// Six months, for a service that does not say how it counts them.
const SIX_MONTHS: Duration = Duration::from_secs(183 * 24 * 60 * 60);

/// Longest body taken, in bytes.
///
/// The true limit is not documented. Fifty messages of the greatest allowed size are 3.3 MB, so
/// this refuses no request that keeps the documented limits.
const MAX_BODY: usize = 4 * 1024 * 1024;

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_id: None,
            api_key: None,
            requests_per_minute: NonZeroU32::new(60),
            minute: Duration::from_secs(60),
            core_requests_per_minute: NonZeroU32::new(10_000),
            other_requests_per_minute: NonZeroU32::new(20_000),
            read_delay: Duration::ZERO,
            latency: Duration::ZERO,
            spread: Spread::None,
            retention: Some(SIX_MONTHS),
            clock: Clock::default(),
            max_body: MAX_BODY,
            records_per_request: NonZeroUsize::new(50).expect("fifty is not zero"),
            roles: BTreeSet::from(["default".to_owned()]),
            members_per_group: None,
            poison: None,
            keep: Keep::default(),
            switches: Switches::default(),
            faults: VecDeque::new(),
            fault_percent: 0,
            seed: 0,
            other_faults: VecDeque::new(),
        }
    }
}

impl Settings {
    /// Sets one switch by its name, both as written in [`SWITCHES`](crate::SWITCHES).
    ///
    /// # Errors
    ///
    /// When there is no such switch or it has no such value; the text lists what there is.
    pub fn switch(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.switches.set(name, value)
    }
}
