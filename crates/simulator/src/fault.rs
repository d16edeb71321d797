//! What goes wrong on demand.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::chance::Chance;

/// What goes wrong with one import request.
///
/// Faults are taken in order, one by each request that has a valid key and is within the limit.
/// Each has a text, for command lines: see [`FAULTS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing. It lets one request through, so that a later one is hit.
    Nothing,
    /// Nothing is stored, and the answer is this status with this body, or with CometChat's body
    /// for a failure when that is empty.
    Status(u16, String),
    /// Everything is stored, and the answer is this status without verdicts.
    StatusAfterStoring(u16),
    /// Only the first so many records are stored, and the answer is 500 without verdicts.
    StoreSomeThen500(usize),
    /// 429, though the limit is not reached. Nothing is stored and the limit is not used up.
    Throttle {
        /// The wait that is asked for.
        wait: Duration,
        /// Where the answer says so.
        told: Told,
    },
    /// Nothing is stored, and the answer is a gateway's page in HTML with status 502.
    HtmlBody,
    /// Everything is stored, and the answer stops in the middle.
    TruncatedJson,
    /// Everything is stored, and the answer lacks its first so many ids.
    MissingIds(usize),
    /// Everything is stored, and the answer has so many ids more, which nobody sent.
    ExtraIds(usize),
    /// Everything is stored, and the answer spells its ids in upper case.
    RecasedIds,
    /// Everything is stored, and the answer has its ids in the opposite order.
    ReorderedIds,
    /// Everything is stored, and the answer takes this long.
    Hang(Duration),
    /// Everything is stored, and the body of the answer comes in pieces over this long.
    SlowBody(Duration),
    /// Everything is stored, and the connection closes in the middle of the answer.
    BrokenBody,
    /// The connection closes without an answer.
    ConnectionReset {
        /// Whether everything was stored before.
        stored: bool,
    },
    /// The key is revoked for so many requests, this one included.
    Revoke(u64),
    /// The limit is another one from this request on, in requests a minute.
    Limit(Option<NonZeroU32>),
}

/// Where a 429 says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// In `Retry-After`, and in the message.
    RetryAfter,
    /// In `X-Rate-Limit-Reset` and `X-RateLimit-Reset`, and in the message.
    Reset,
    /// In `Retry-After`, as a date.
    Date,
    /// In `X-Rate-Limit-Reset` and `X-RateLimit-Reset`, as a moment that has passed, and nowhere else.
    Past,
    /// In the message alone.
    Message,
    /// Nowhere.
    Nowhere,
}

/// The text of each fault; upper-case words stand for a number or a text, brackets for what can be
/// left out. Durations are in seconds.
pub const FAULTS: &[&str] = &[
    "nothing",
    "status:STATUS[:BODY]",
    "stored:STATUS",
    "store-some:RECORDS",
    "throttle:SECONDS[:retry-after|date|reset|past|message|nowhere]",
    "html",
    "truncated",
    "missing:RECORDS",
    "extra:RECORDS",
    "recased",
    "reordered",
    "hang:SECONDS",
    "slow:SECONDS",
    "broken",
    "reset",
    "reset-stored",
    "revoke:REQUESTS",
    "limit:REQUESTS|off",
];

/// How many faults one text can stand for.
const MOST_AT_ONCE: usize = 100_000;

impl Fault {
    /// The faults of a text: one, or `N*FAULT` for a storm of them.
    ///
    /// # Errors
    ///
    /// When there is no such fault, or far too many of them.
    pub fn several(text: &str) -> Result<Vec<Self>, String> {
        let (times, fault) = match text.split_once('*') {
            Some((times, fault)) if times.bytes().all(|byte| byte.is_ascii_digit()) => {
                let times = times.parse().ok().filter(|times| *times <= MOST_AT_ONCE);
                let times =
                    times.ok_or_else(|| format!("`{text}` are more faults than can be kept"))?;
                (times, fault)
            }
            _ => (1, text),
        };
        Ok(vec![fault.parse()?; times])
    }

    /// One of those that can strike at any time and leave nothing that a person has to mend.
    pub(crate) fn drawn(chance: &mut Chance) -> Self {
        let records = usize::try_from(chance.below(50)).unwrap_or_default();
        let wait = Duration::from_secs(chance.below(3));
        let moment = Duration::from_millis(20 + chance.below(200));
        let told = [Told::RetryAfter, Told::Date, Told::Reset, Told::Message];
        match chance.below(17) {
            0 => Self::Status(500, String::new()),
            1 => Self::Status(503, "busy".into()),
            2 => Self::Status(504, String::new()),
            3 => Self::StatusAfterStoring(500),
            4 => Self::StatusAfterStoring(502),
            5 => Self::StoreSomeThen500(records),
            6 => Self::Throttle {
                wait,
                told: told[records % told.len()],
            },
            7 => Self::HtmlBody,
            8 => Self::TruncatedJson,
            9 => Self::MissingIds(1 + records),
            10 => Self::ExtraIds(1 + records),
            11 => Self::RecasedIds,
            12 => Self::ReorderedIds,
            13 => Self::SlowBody(moment),
            14 => Self::BrokenBody,
            15 => Self::ConnectionReset { stored: false },
            _ => Self::ConnectionReset { stored: true },
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| format!("`{text}` is no fault; there are {}", FAULTS.join(", ")))
    }
}

fn read(text: &str) -> Option<Fault> {
    let (name, rest) = match text.split_once(':') {
        Some((name, rest)) => (name, Some(rest)),
        None => (text, None),
    };
    let fault = match (name, rest) {
        ("nothing", None) => Fault::Nothing,
        ("status", Some(rest)) => match rest.split_once(':') {
            Some((code, body)) => Fault::Status(status(code)?, body.to_owned()),
            None => Fault::Status(status(rest)?, String::new()),
        },
        ("stored", Some(code)) => Fault::StatusAfterStoring(status(code)?),
        ("store-some", Some(records)) => Fault::StoreSomeThen500(records.parse().ok()?),
        ("throttle", Some(rest)) => throttle(rest)?,
        ("html", None) => Fault::HtmlBody,
        ("truncated", None) => Fault::TruncatedJson,
        ("missing", Some(records)) => Fault::MissingIds(records.parse().ok()?),
        ("extra", Some(records)) => Fault::ExtraIds(records.parse().ok()?),
        ("recased", None) => Fault::RecasedIds,
        ("reordered", None) => Fault::ReorderedIds,
        ("hang", Some(wait)) => Fault::Hang(seconds(wait)?),
        ("slow", Some(time)) => Fault::SlowBody(seconds(time)?),
        ("broken", None) => Fault::BrokenBody,
        ("revoke", Some(requests)) => Fault::Revoke(requests.parse().ok()?),
        ("limit", Some("off")) => Fault::Limit(None),
        ("limit", Some(requests)) => Fault::Limit(Some(requests.parse().ok()?)),
        ("reset", None) => Fault::ConnectionReset { stored: false },
        ("reset-stored", None) => Fault::ConnectionReset { stored: true },
        _ => return None,
    };
    Some(fault)
}

fn throttle(text: &str) -> Option<Fault> {
    let (wait, told) = text.split_once(':').unwrap_or((text, "retry-after"));
    let told = match told {
        "retry-after" => Told::RetryAfter,
        "date" => Told::Date,
        "reset" => Told::Reset,
        "past" => Told::Past,
        "message" => Told::Message,
        "nowhere" => Told::Nowhere,
        _ => return None,
    };
    Some(Fault::Throttle {
        wait: seconds(wait)?,
        told,
    })
}

/// A status that an answer can have: informational ones are not answers.
fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|code| (200..=599).contains(code))
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Chance, FAULTS, Fault, NonZeroU32, Told};

    #[test]
    fn every_fault_has_a_text() {
        let read = |text: &str| text.parse::<Fault>().expect("a fault");
        assert_eq!(read("nothing"), Fault::Nothing);
        assert_eq!(read("status:503"), Fault::Status(503, String::new()));
        assert_eq!(read("status:400:a:b"), Fault::Status(400, "a:b".to_owned()));
        assert_eq!(read("stored:502"), Fault::StatusAfterStoring(502));
        assert_eq!(read("store-some:3"), Fault::StoreSomeThen500(3));
        let wait = Duration::from_secs(7);
        assert_eq!(
            read("throttle:7"),
            Fault::Throttle {
                wait,
                told: Told::RetryAfter
            }
        );
        assert_eq!(
            read("throttle:7:nowhere"),
            Fault::Throttle {
                wait,
                told: Told::Nowhere
            }
        );
        assert_eq!(read("html"), Fault::HtmlBody);
        assert_eq!(read("truncated"), Fault::TruncatedJson);
        assert_eq!(read("missing:2"), Fault::MissingIds(2));
        assert_eq!(read("extra:2"), Fault::ExtraIds(2));
        assert_eq!(read("slow:7"), Fault::SlowBody(wait));
        assert_eq!(read("broken"), Fault::BrokenBody);
        assert_eq!(read("revoke:3"), Fault::Revoke(3));
        assert_eq!(read("limit:off"), Fault::Limit(None));
        assert_eq!(read("limit:30"), Fault::Limit(NonZeroU32::new(30)));
        let told = Told::Past;
        assert_eq!(read("throttle:7:past"), Fault::Throttle { wait, told });
        let told = Told::Date;
        assert_eq!(read("throttle:7:date"), Fault::Throttle { wait, told });
        assert_eq!(read("recased"), Fault::RecasedIds);
        assert_eq!(read("reordered"), Fault::ReorderedIds);
        assert_eq!(read("hang:7"), Fault::Hang(wait));
        assert_eq!(read("reset"), Fault::ConnectionReset { stored: false });
        assert_eq!(
            read("reset-stored"),
            Fault::ConnectionReset { stored: true }
        );
    }

    #[test]
    fn a_misspelt_fault_is_answered_with_what_there_is() {
        for text in [
            "",
            "status",
            "status:99",
            "status:x",
            "hang:-1",
            "throttle:1:x",
            "html:1",
            "limit:0",
            "revoke",
        ] {
            let advice = text.parse::<Fault>().expect_err("no fault");
            assert!(advice.ends_with(&FAULTS.join(", ")), "{advice}");
        }
    }

    #[test]
    fn a_storm_is_one_text() {
        let storm = Fault::several("3*throttle:1").unwrap();
        assert_eq!(storm, vec!["throttle:1".parse::<Fault>().unwrap(); 3]);
        assert_eq!(Fault::several("html").unwrap(), [Fault::HtmlBody]);
        assert!(Fault::several("99999999999*html").is_err());
        assert!(Fault::several("3*").is_err());
        // Only a number before it makes it one.
        let words = Fault::several("status:500:a*b").unwrap();
        assert_eq!(words, [Fault::Status(500, "a*b".into())]);
    }

    #[test]
    fn a_seed_draws_the_same_faults_and_all_kinds_of_them() {
        let draw = |seed| {
            let mut chance = Chance::of(seed);
            let drawn: Vec<Fault> = (0..500).map(|_| Fault::drawn(&mut chance)).collect();
            drawn
        };
        assert_eq!(draw(4), draw(4));
        let kinds: std::collections::HashSet<_> =
            draw(4).iter().map(std::mem::discriminant).collect();
        assert_eq!(kinds.len(), 13);
    }

    #[test]
    fn the_manual_lists_every_fault() {
        let manual = include_str!("../../../docs/simulator.md");
        for fault in FAULTS {
            let cell = format!("`{}`", fault.replace('|', "\\|"));
            assert!(manual.contains(&cell), "docs/simulator.md lacks {fault}");
        }
    }
}
