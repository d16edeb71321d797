//! What an answer without verdicts asks for.
//!
//! By the API's code first; by the HTTP status only where there is none.

use std::borrow::Cow;
use std::collections::HashMap;

use chatferry_core::Failure;
use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::client::Reply;
use crate::codes::{Meaning, meaning};
use crate::wait::wait;

/// The error body ("Error guide"): all of it may be missing.
#[derive(Default, Deserialize)]
pub(crate) struct ApiError<'a> {
    #[serde(borrow, default)]
    pub(crate) code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) details: Option<&'a RawValue>,
}

/// The API's words, with the field it complains about.
pub(crate) fn describe(error: &ApiError<'_>) -> String {
    let mut words = error
        .message
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let details: Option<HashMap<String, serde_json::Value>> = error
        .details
        .and_then(|details| serde_json::from_str(details.get()).ok());
    if let Some(mut fields) = details
        .map(|details| details.into_keys().collect::<Vec<_>>())
        .filter(|f| !f.is_empty())
    {
        fields.sort_unstable();
        words.push_str(&format!(" ({})", fields.join(", ")));
    }
    words.chars().take(300).collect()
}

/// An answer that tells of an error, and maybe nothing else.
#[derive(Deserialize)]
struct Complaint<'a> {
    #[serde(borrow)]
    error: ApiError<'a>,
}

/// The code and the words of an answer that is an error.
pub(crate) fn code_of(reply: &Reply) -> Option<(String, String)> {
    let Complaint { error } = serde_json::from_slice(&reply.body).ok()?;
    let code = error.code.as_deref()?.to_owned();
    Some((code, describe(&error)))
}

/// What an answer asks for that is not what was asked for. `now` is in UNIX seconds.
pub(crate) fn failure_of(reply: &Reply, now: i64) -> Failure {
    let complaint = serde_json::from_slice(&reply.body);
    let error = complaint.ok().map(|Complaint { error }| error);
    failure_with(error.as_ref(), reply, now)
}

/// The same, where the error has been read already. One without a code says less than the status.
pub(crate) fn failure_with(error: Option<&ApiError<'_>>, reply: &Reply, now: i64) -> Failure {
    let telling = |error: &&ApiError<'_>| {
        error.code.is_some() || !matches!(reply.status, 300..=399 | 401 | 403 | 404 | 405)
    };
    match error.filter(telling) {
        Some(error) => failure(reply.status, error, &reply.headers, now),
        None => failure_by_status(reply, now),
    }
}

/// What a request-level error asks for.
fn failure(status: u16, error: &ApiError<'_>, headers: &HeaderMap, now: i64) -> Failure {
    let code = error.code.as_deref().unwrap_or_default();
    let message = describe(error);
    if status == 429 || code == "ERR_TOO_MANY_REQUESTS" {
        return Failure::Throttled {
            wait: wait(headers, &message, now),
        };
    }
    let names_the_size = ["too large", "body size", "payload size"]
        .iter()
        .any(|words| message.to_lowercase().contains(words));
    if status == 413 || names_the_size {
        return Failure::TooLarge;
    }
    match meaning(code) {
        Meaning::Stop(remedy) => Failure::Stop {
            code: code.into(),
            message,
            remedy: remedy.into(),
        },
        _ if matches!(status, 401 | 403) => Failure::Stop {
            code: code.into(),
            message,
            remedy: match meaning("AUTH_ERR_NO_ACCESS") {
                Meaning::Stop(remedy) => remedy.into(),
                _ => String::new(),
            },
        },
        _ => Failure::Doubt {
            what: format!("HTTP {status} {code}").trim_end().to_owned(),
            foreign: false,
        },
    }
}

/// What an answer without a readable code asks for.
fn failure_by_status(reply: &Reply, now: i64) -> Failure {
    let status = reply.status;
    let stop = |message: String, code: &str| {
        let remedy = match meaning(code) {
            Meaning::Stop(remedy) => remedy.into(),
            _ => String::new(),
        };
        Failure::Stop {
            code: format!("HTTP {status}"),
            message,
            remedy,
        }
    };
    match status {
        429 => Failure::Throttled {
            wait: wait(&reply.headers, &String::from_utf8_lossy(&reply.body), now),
        },
        413 => Failure::TooLarge,
        300..=399 => stop("the API redirects elsewhere".into(), "ERR_API_NOT_FOUND"),
        // A firewall in front of the API may dislike what a single message says.
        403 if speaker(reply) == PAGE => Failure::Doubt {
            what: format!("HTTP {status} from {PAGE}"),
            foreign: true,
        },
        401 | 403 => stop(
            format!("access denied by {}", speaker(reply)),
            "AUTH_ERR_NO_ACCESS",
        ),
        404 | 405 | 410 => stop(
            format!("there is no import API here, but {}", speaker(reply)),
            "ERR_API_NOT_FOUND",
        ),
        200..=299 => Failure::Doubt {
            what: format!("HTTP {status} with {}", speaker(reply)),
            foreign: true,
        },
        _ => Failure::Doubt {
            what: format!("HTTP {status} from {}", speaker(reply)),
            foreign: true,
        },
    }
}

const PAGE: &str = "a web page";

/// Who seems to have answered instead of the API.
fn speaker(reply: &Reply) -> &'static str {
    let start = reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        None => "an empty answer",
        Some(b'<') => PAGE,
        Some(b'{' | b'[') if serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok() => {
            "JSON of another shape"
        }
        Some(b'{' | b'[') => "JSON that is cut short",
        Some(_) => "an answer that is not JSON",
    }
}
