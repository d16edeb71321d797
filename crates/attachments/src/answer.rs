//! What an answer says: a file, somewhere else to ask, or why there is none. Pure functions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use url::Url;

use crate::found::Wanted;
use crate::reason::{Failure, Reason};

/// What an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The file follows.
    File,
    /// It is to be asked for there.
    Elsewhere(Url),
}

/// What an answer to the question for that URL says.
pub(crate) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<Answer, Failure> {
    let detail = format!("HTTP {}", status.as_u16());
    let failed = |reason| Err(Failure::new(reason, detail.clone()));
    match status.as_u16() {
        200 => {
            if is_page(media_type(headers)) && !wanted.may_be_page {
                return Err(page());
            }
            Ok(Answer::File)
        }
        301 | 302 | 303 | 307 | 308 => {
            let location = headers.get(LOCATION).and_then(|it| it.to_str().ok());
            let target = location.and_then(|location| url.join(location).ok());
            match target {
                Some(target) if matches!(target.scheme(), "http" | "https") => {
                    Ok(Answer::Elsewhere(target))
                }
                _ => failed(Reason::Redirects),
            }
        }
        401 | 403 | 407 => failed(Reason::Denied),
        404 | 410 => failed(Reason::NotFound),
        429 => Err(Failure {
            wait: wait(headers, now),
            ..Failure::new(Reason::Throttled, detail)
        }),
        // Who says when to come back is not out of order, but has too much to do.
        503 if headers.contains_key(RETRY_AFTER) => Err(Failure {
            wait: wait(headers, now),
            ..Failure::new(Reason::Throttled, detail)
        }),
        408 | 425 | 500..=599 => failed(Reason::OutOfOrder),
        _ => failed(Reason::Refused),
    }
}

/// The failure of whoever is shown a page instead of a file.
pub(crate) fn page() -> Failure {
    Failure::new(Reason::Page, "a page of HTML")
}

/// The media type of the answer.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn is_page(media_type: Option<&str>) -> bool {
    let media_type = media_type
        .unwrap_or_default()
        .trim_start()
        .to_ascii_lowercase();
    media_type.starts_with("text/html") || media_type.starts_with("application/xhtml")
}

/// Whether contents that begin so are a page, whatever they are called.
pub(crate) fn looks_like_a_page(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&beginning[..beginning.len().min(64)]);
    let text = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

/// How long a host asks us to wait: seconds, or a date.
fn wait(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = said.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = DateTime::parse_from_rfc2822(said).ok()?.with_timezone(&Utc);
    Some((then - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
    }

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Result<Answer, Failure> {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let url = Url::parse("https://host/a/b?c").expect("a URL");
        let status = StatusCode::from_u16(status).expect("a status");
        let wanted = Wanted::of("https://host/a/b", &chatferry_core::Declared::default());
        read(status, &headers.collect(), &url, &wanted, now())
    }

    fn reason(status: u16, headers: &[(&'static str, &'static str)]) -> Reason {
        answer(status, headers).expect_err("no file").reason
    }

    #[test]
    fn each_status_has_its_meaning() {
        assert_eq!(
            answer(200, &[("content-type", "image/png")]),
            Ok(Answer::File)
        );
        assert_eq!(answer(200, &[]), Ok(Answer::File));
        assert_eq!(
            reason(200, &[("content-type", "text/html; charset=utf-8")]),
            Reason::Page
        );
        assert_eq!(reason(204, &[]), Reason::Refused);
        assert_eq!(reason(403, &[]), Reason::Denied);
        assert_eq!(reason(410, &[]), Reason::NotFound);
        assert_eq!(reason(503, &[]), Reason::OutOfOrder);
        assert_eq!(reason(451, &[]), Reason::Refused);
        assert_eq!(reason(302, &[]), Reason::Redirects);
        assert_eq!(
            reason(302, &[("location", "file:///etc/passwd")]),
            Reason::Redirects
        );
        let elsewhere = answer(302, &[("location", "/d")]).expect("somewhere");
        assert_eq!(
            elsewhere,
            Answer::Elsewhere(Url::parse("https://host/d").expect("a URL"))
        );
    }

    #[test]
    fn a_host_says_when_to_come_back() {
        let wait = |said| {
            answer(429, &[("retry-after", said)])
                .expect_err("no file")
                .wait
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Tue, 14 Nov 2023 22:14:20 GMT"),
            Some(Duration::from_secs(60))
        );
        assert_eq!(wait("Tue, 14 Nov 2000 22:14:20 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        assert_eq!(reason(503, &[("retry-after", "7")]), Reason::Throttled);
    }

    #[test]
    fn a_page_is_known_by_its_beginning() {
        assert!(looks_like_a_page(b"\xef\xbb\xbf \n<!DOCTYPE HTML><html>"));
        assert!(!looks_like_a_page(b"\x89PNG<html>"));
        assert!(!looks_like_a_page(b""));
    }
}
