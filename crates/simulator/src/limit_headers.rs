//! How an answer tells of the limit.

use bytes::Bytes;
use http::Response;
use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::failure::Failure;
use crate::fault::Told;
use crate::limit::{Allowance, Throttled};
use crate::simulator::failed;
use crate::switches::{RateHeaders, RetryAfter, Switches};

const LIMIT_A: HeaderName = HeaderName::from_static("x-rate-limit");
const REMAINING_A: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RESET_A: HeaderName = HeaderName::from_static("x-rate-limit-reset");
const LIMIT_B: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING_B: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET_B: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Tells in a normal answer what is left.
pub(crate) fn tell(allowance: Allowance, families: RateHeaders, headers: &mut HeaderMap) {
    if matches!(families, RateHeaders::A | RateHeaders::Both) {
        headers.insert(LIMIT_A, HeaderValue::from(allowance.limit));
        headers.insert(REMAINING_A, HeaderValue::from(allowance.remaining));
    }
}

/// The answer to a request for `what` that is turned away at `now`, in seconds since 1970.
///
/// A fault says where the wait is told; otherwise the switches do.
pub(crate) fn throttled(
    what: &str,
    Throttled { limit, wait }: Throttled,
    told: Option<Told>,
    switches: &Switches,
    now: i64,
) -> Response<Bytes> {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let message = match told {
        Some(Told::Nowhere | Told::Past) => format!("Too many requests for {what}."),
        _ => format!(
            "Too many requests for {what}. {limit} per minute is the maximum request \
             allowed. Please retry for seconds after {seconds}."
        ),
    };
    let mut response = failed(&Failure::new("ERR_TOO_MANY_REQUESTS", message));
    let headers = response.headers_mut();
    let (in_retry_after, families) = match told {
        None => (
            switches.retry_after == RetryAfter::Send,
            switches.rate_headers,
        ),
        Some(Told::RetryAfter) => (true, RateHeaders::Neither),
        Some(Told::Reset | Told::Past) => (false, RateHeaders::Both),
        Some(Told::Date | Told::Message | Told::Nowhere) => (false, RateHeaders::Neither),
    };
    if in_retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let mut reset = now.saturating_add_unsigned(seconds);
    if told == Some(Told::Date) {
        headers.insert(RETRY_AFTER, http_date(reset));
    }
    if told == Some(Told::Past) {
        reset = now.saturating_sub_unsigned(seconds);
    }
    if matches!(families, RateHeaders::A | RateHeaders::Both) {
        headers.insert(RESET_A, HeaderValue::from(reset));
    }
    if matches!(families, RateHeaders::B | RateHeaders::Both) {
        headers.insert(LIMIT_B, HeaderValue::from(limit));
        headers.insert(REMAINING_B, HeaderValue::from(0_u32));
        headers.insert(RESET_B, HeaderValue::from(reset));
    }
    response
}

/// A moment as HTTP writes it, in seconds since 1970.
pub(crate) fn http_date(seconds: i64) -> HeaderValue {
    let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let text = moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).expect("a date is ASCII")
}
