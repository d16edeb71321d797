//! What goes wrong on demand.

use std::str::FromStr;
use std::time::Duration;

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
    /// Everything is stored, and the answer spells its ids in upper case.
    RecasedIds,
    /// Everything is stored, and the answer has its ids in the opposite order.
    ReorderedIds,
    /// Everything is stored, and the answer takes this long.
    Hang(Duration),
    /// The connection closes without an answer.
    ConnectionReset {
        /// Whether everything was stored before.
        stored: bool,
    },
}

/// Where a 429 says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// In `Retry-After`, and in the message.
    RetryAfter,
    /// In `X-Rate-Limit-Reset` and `X-RateLimit-Reset`, and in the message.
    Reset,
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
    "throttle:SECONDS[:retry-after|reset|message|nowhere]",
    "html",
    "truncated",
    "missing:RECORDS",
    "recased",
    "reordered",
    "hang:SECONDS",
    "reset",
    "reset-stored",
];

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
        ("recased", None) => Fault::RecasedIds,
        ("reordered", None) => Fault::ReorderedIds,
        ("hang", Some(wait)) => Fault::Hang(seconds(wait)?),
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
        "reset" => Told::Reset,
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

    use super::{FAULTS, Fault, Told};

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
        ] {
            let advice = text.parse::<Fault>().expect_err("no fault");
            assert!(advice.ends_with(&FAULTS.join(", ")), "{advice}");
        }
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
