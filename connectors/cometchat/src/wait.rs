//! How long a 429 asks to wait ("Rate limits").

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// Longest wait that is believed ("Rate limits": back off up to five minutes).
const LONGEST: i64 = 300;

/// How long to wait: `Retry-After` in seconds or as a date, else the time of reset in either
/// spelling, else the number that ends the message.
///
/// A moment is held against the answer's own `Date`, since the clocks of the service and of this
/// machine may differ; against `now`, in UNIX seconds, where that makes no sense. A wait that makes
/// no sense either is as good as none.
pub(crate) fn wait(headers: &HeaderMap, message: &str, now: i64) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |text: &str| {
        let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
        Some(date.timestamp())
    };
    let there = text(DATE.as_str()).and_then(date);
    let until = |moment: i64| {
        let sensible = |wait: &i64| (1..=LONGEST).contains(wait);
        let clocks = there.into_iter().chain([now]);
        clocks.map(|clock| moment - clock).find(sensible)
    };
    let retry_after = || {
        let text = text(RETRY_AFTER.as_str())?;
        match text.parse::<f64>() {
            Ok(seconds) if seconds >= 0.0 => Some(whole(seconds)),
            Ok(_) => None,
            Err(_) => until(date(text)?),
        }
    };
    let reset = |name| until(text(name)?.parse().ok()?);
    let in_words = || {
        let (_, after) = message.rsplit_once("after ")?;
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().map(|seconds: i64| seconds.min(LONGEST))
    };
    let seconds = retry_after()
        .or_else(|| reset("x-rate-limit-reset"))
        .or_else(|| reset("x-ratelimit-reset"))
        .or_else(in_words)?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Seconds rounded up, and no more than are believed.
fn whole(seconds: f64) -> i64 {
    (0..LONGEST)
        .find(|whole| f64::from(i32::try_from(*whole).unwrap_or_default()) >= seconds)
        .unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Thu, 01 Jul 2021 12:40:00 GMT.
    const NOW: i64 = 1_625_143_200;

    fn told(headers: &[(&'static str, &'static str)], message: &str) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        wait(&headers.collect(), message, NOW).map(|wait| wait.as_secs())
    }

    #[test]
    fn every_way_of_telling_the_wait_is_understood() {
        let words =
            "60 per minute is the maximum request allowed. Please retry for seconds after 58.";
        for (headers, message, seconds) in [
            (&[("retry-after", "15")][..], "", Some(15)),
            (&[("retry-after", "0")], "", Some(0)),
            (&[("retry-after", "1.2")], "", Some(2)),
            (&[("retry-after", "86400")], "", Some(300)),
            (&[("retry-after", "inf")], "", Some(300)),
            (
                &[("retry-after", "Thu, 01 Jul 2021 12:40:30 GMT")],
                "",
                Some(30),
            ),
            (&[("x-rate-limit-reset", "1625143246")], "", Some(46)),
            (&[("x-ratelimit-reset", "1625143246")], "", Some(46)),
            (&[], words, Some(58)),
            (&[], "retry after 9999999", Some(300)),
            (
                &[("retry-after", "15"), ("x-rate-limit-reset", "1625143246")],
                words,
                Some(15),
            ),
            (&[("x-ratelimit-reset", "1625143246")], words, Some(46)),
        ] {
            assert_eq!(told(headers, message), seconds, "{headers:?} {message}");
        }
    }

    #[test]
    fn what_makes_no_sense_gives_way_to_what_does() {
        let words = "Please retry for seconds after 58.";
        for header in [
            ("retry-after", "-5"),
            ("retry-after", "soon"),
            ("retry-after", "NaN"),
            ("retry-after", "Thu, 01 Jul 2021 12:39:00 GMT"),
            ("x-rate-limit-reset", "9"),
            ("x-ratelimit-reset", "1625143246000"),
        ] {
            assert_eq!(told(&[header], words), Some(58), "{header:?}");
            assert_eq!(told(&[header], "slow down"), None, "{header:?}");
        }
    }

    #[test]
    fn a_moment_is_held_against_the_clock_of_who_told_it() {
        let date = ("date", "Thu, 01 Jul 2021 13:40:00 GMT");
        assert_eq!(
            told(&[date, ("x-rate-limit-reset", "1625146830")], ""),
            Some(30)
        );
        let retry = ("retry-after", "Thu, 01 Jul 2021 13:40:20 GMT");
        assert_eq!(told(&[date, retry], ""), Some(20));
        let reset = ("x-rate-limit-reset", "1625143246");
        assert_eq!(
            told(&[date, reset], ""),
            Some(46),
            "the date is the one that is wrong"
        );
    }
}
