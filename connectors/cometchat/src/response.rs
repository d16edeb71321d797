//! What an answer says of each record.
//!
//! An answer is judged by its codes and by its verdict on each id, never by the HTTP status
//! alone, and matched by id, never by place. Both published shapes are read: the entity under
//! `data.<id>.data`, and one level deeper.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use chatferry_core::{Entity, Failure, Receipt, Record, Verdict};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::client::Reply;
use crate::codes::{Meaning, meaning};

/// Longest wait that is believed ("Rate limits": back off up to five minutes).
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Reads an answer to a request of these records. `now` is in UNIX seconds.
///
/// # Errors
///
/// What the whole request's failure asks for, when there are no verdicts.
pub fn receipts(
    entity: Entity,
    records: &[Record],
    reply: &Reply,
    now: i64,
) -> Result<Vec<Receipt>, Failure> {
    // Checked once as a whole, which is several times faster than string by string.
    let text = std::str::from_utf8(&reply.body).unwrap_or_default();
    let envelope: Result<Envelope<'_>, _> = serde_json::from_str(text);
    match (reply.status, envelope) {
        (
            200..=299,
            Ok(Envelope {
                data: Some(entries),
                ..
            }),
        ) => Ok(verdicts(entity, records, &entries)),
        (
            status,
            Ok(Envelope {
                error: Some(error), ..
            }),
        ) => Err(failure(status, &error, &reply.headers, now)),
        (status, _) => Err(failure_by_status(status, reply, now)),
    }
}

/// An answer: verdicts, or an error.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<Entries<'a>>,
    #[serde(borrow, default)]
    error: Option<ApiError<'a>>,
}

/// The verdicts as they came, keyed by id.
struct Entries<'a>(Vec<(Cow<'a, str>, Entry<'a>)>);

/// One verdict.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    success: Option<bool>,
    #[serde(borrow, default)]
    data: Option<Stored<'a>>,
    #[serde(borrow, default)]
    error: Option<ApiError<'a>>,
}

/// The error body ("Error guide"): all of it may be missing.
#[derive(Deserialize)]
struct ApiError<'a> {
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of verdicts keyed by id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(50);
                while let Some(id) = map.next_key::<Text<'de>>()? {
                    entries.push((id.0, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

/// Text borrowed from the answer where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Matches verdicts to records: by the id as sent, then without regard to case, then by the id
/// inside the entity.
fn verdicts(entity: Entity, records: &[Record], entries: &Entries<'_>) -> Vec<Receipt> {
    let mut receipts = Vec::with_capacity(records.len());
    for (place, (id, entry)) in entries.0.iter().enumerate() {
        let is = |record: &&Record| record.id.as_str() == id.as_ref();
        // An answer mostly has the order of the request, which saves the search, and no more.
        let expected = records.get(place).filter(is);
        let record = expected.or_else(|| records.iter().find(is)).or_else(|| {
            let same = |record: &&Record| record.id.as_str().eq_ignore_ascii_case(id);
            records.iter().find(same).or_else(|| {
                let inner = inner(entity, entry)?;
                records
                    .iter()
                    .find(|record| record.id.as_str().eq_ignore_ascii_case(&inner))
            })
        });
        if let Some(record) = record
            && let Some(verdict) = verdict(entity, entry)
        {
            receipts.push(Receipt {
                id: record.id.clone(),
                verdict,
            });
        }
    }
    receipts
}

/// What an entry says; `None` when it says nothing that can be understood.
fn verdict(entity: Entity, entry: &Entry<'_>) -> Option<Verdict> {
    if entry.success == Some(true) {
        let remote = (entity == Entity::Messages)
            .then(|| remote(entry))
            .flatten();
        return Some(Verdict::Imported { remote });
    }
    let error = entry.error.as_ref();
    if error.is_none() && entry.success.is_none() {
        return None;
    }
    let code = error
        .and_then(|error| error.code.as_deref())
        .unwrap_or("UNKNOWN")
        .to_owned();
    let message = error.map(describe).unwrap_or_default();
    Some(match meaning(&code) {
        Meaning::Present => Verdict::Present,
        Meaning::Refused => Verdict::Refused { code, message },
        Meaning::Doubt | Meaning::Throttled => Verdict::Doubt { code },
        Meaning::Stop(remedy) => Verdict::Stop {
            code,
            message,
            remedy: remedy.into(),
        },
    })
}

/// The fields that tell which entity this is, or that it is wrapped once more. An answer repeats
/// all of a message, so it is read in one pass, and what is no object has none of the fields.
#[derive(Clone, Default)]
struct Stored<'a> {
    id: Option<&'a RawValue>,
    uid: Option<Cow<'a, str>>,
    guid: Option<Cow<'a, str>>,
    muid: Option<Cow<'a, str>>,
    sender: bool,
    data: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Stored<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyStored)
    }
}

struct AnyStored;

impl<'de> Visitor<'de> for AnyStored {
    type Value = Stored<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was stored")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut stored = Stored::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let text = |raw: &'de RawValue| {
                let text: Option<Text<'de>> = serde_json::from_str(raw.get()).ok();
                text.map(|text| text.0)
            };
            match name.0.as_ref() {
                "id" => stored.id = Some(map.next_value()?),
                "uid" => stored.uid = text(map.next_value()?),
                "guid" => stored.guid = text(map.next_value()?),
                "muid" => stored.muid = text(map.next_value()?),
                "data" => stored.data = Some(map.next_value()?),
                "sender" => {
                    map.next_value::<IgnoredAny>()?;
                    stored.sender = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(stored)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Stored::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Stored::default())
    }
}

/// The stored entity in an entry, unwrapped. A message has a `data` of its own, so only what has
/// no id, muid or sender is taken as a wrapper.
fn stored<'a>(entry: &Entry<'a>) -> Option<Stored<'a>> {
    let outer = entry.data.clone()?;
    let wraps = outer.id.is_none()
        && outer.muid.is_none()
        && !outer.sender
        && outer.uid.is_none()
        && outer.guid.is_none();
    match outer.data {
        Some(inner) if wraps => serde_json::from_str(inner.get()).ok(),
        _ => Some(outer),
    }
}

fn remote(entry: &Entry<'_>) -> Option<Box<str>> {
    let id = stored(entry)?.id?.get().trim_matches('"');
    (!id.is_empty() && id != "null").then(|| id.into())
}

/// The record id inside the stored entity.
fn inner<'a>(entity: Entity, entry: &Entry<'a>) -> Option<Cow<'a, str>> {
    let stored = stored(entry)?;
    match entity {
        Entity::Users => stored.uid,
        Entity::Groups => stored.guid.or(stored.uid),
        Entity::Members => Some(format!("{}_member_{}", stored.guid?, stored.uid?).into()),
        Entity::Messages => stored.muid,
    }
}

/// The API's words, with the field it complains about.
fn describe(error: &ApiError<'_>) -> String {
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
    match serde_json::from_slice(&reply.body) {
        Ok(Complaint { error }) => failure(reply.status, &error, &reply.headers, now),
        Err(_) => failure_by_status(reply.status, reply, now),
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
            code: if code.is_empty() {
                format!("HTTP {status}")
            } else {
                code.into()
            },
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

/// What an answer without a readable error asks for.
fn failure_by_status(status: u16, reply: &Reply, now: i64) -> Failure {
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
        401 | 403 => stop(
            format!("access denied by {}", speaker(reply)),
            "AUTH_ERR_NO_ACCESS",
        ),
        404 | 405 => stop(
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

/// Who seems to have answered instead of the API.
fn speaker(reply: &Reply) -> &'static str {
    let start = reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        None => "an empty answer",
        Some(b'<') => "a web page",
        Some(b'{' | b'[') if serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok() => {
            "JSON of another shape"
        }
        Some(b'{' | b'[') => "JSON that is cut short",
        Some(_) => "an answer that is not JSON",
    }
}

/// How long to wait after a 429 ("Rate limits"): `Retry-After` in seconds or as a date, else the
/// time of reset in either spelling, else the number that ends the message.
fn wait(headers: &HeaderMap, message: &str, now: i64) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let number = |name: &str| text(name)?.parse::<i64>().ok();
    let seconds = |seconds: i64| u64::try_from(seconds).ok().map(Duration::from_secs);
    if let Some(after) = text(RETRY_AFTER.as_str()) {
        if let Ok(after) = after.parse::<i64>() {
            return seconds(after).map(|wait| wait.min(LONGEST_WAIT));
        }
        if let Ok(date) = chrono::DateTime::parse_from_rfc2822(after) {
            return Some(seconds((date.timestamp() - now).max(0))?.min(LONGEST_WAIT));
        }
    }
    let reset = number("x-rate-limit-reset").or_else(|| number("x-ratelimit-reset"));
    if let Some(wait) = reset
        .map(|reset| reset - now)
        .filter(|wait| (1..=300).contains(wait))
    {
        return seconds(wait);
    }
    let (_, after) = message.rsplit_once("after ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    seconds(digits.parse().ok()?).map(|wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chatferry_core::{Origin, RecordId};
    use http::HeaderValue;

    use super::*;

    fn record(entity: Entity, id: &str) -> Record {
        Record {
            entity,
            id: RecordId::new(id),
            origin: Origin::default(),
            lane: 0,
            sent_at: None,
            references: Vec::new(),
            adjusted: Vec::new(),
            json: Bytes::new(),
        }
    }

    fn read(
        entity: Entity,
        ids: &[&str],
        status: u16,
        body: &str,
    ) -> Result<Vec<(String, Verdict)>, Failure> {
        let records: Vec<Record> = ids.iter().map(|id| record(entity, id)).collect();
        let reply = Reply {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        let receipts = receipts(entity, &records, &reply, 0)?;
        Ok(receipts
            .into_iter()
            .map(|receipt| (receipt.id.as_str().to_owned(), receipt.verdict))
            .collect())
    }

    fn imported(remote: &str) -> Verdict {
        Verdict::Imported {
            remote: Some(remote.into()),
        }
    }

    #[test]
    fn both_shapes_of_a_stored_message_give_its_remote_id() {
        let flat = r#"{"data":{"m-1":{"success":true,"data":{"id":"1029","muid":"m-1","sender":"s","data":{"text":"x"}}}}}"#;
        let wrapped = r#"{"data":{"m-1":{"success":true,"data":{"data":{"id":1029,"muid":"m-1","sender":"s","data":{"text":"x"}}}}}}"#;
        for body in [flat, wrapped] {
            assert_eq!(
                read(Entity::Messages, &["m-1"], 200, body).unwrap(),
                [("m-1".into(), imported("1029"))]
            );
        }
    }

    #[test]
    fn verdicts_are_matched_by_id_whatever_its_case_or_order() {
        let body = r#"{"data":{"b":{"success":true},"A":{"success":false,"error":{"code":"ERR_UID_ALREADY_EXISTS"}}}}"#;
        let verdicts = read(Entity::Users, &["a", "b"], 200, body).unwrap();
        assert_eq!(
            verdicts[0],
            ("b".into(), Verdict::Imported { remote: None })
        );
        assert_eq!(verdicts[1], ("a".into(), Verdict::Present));
        let by_entity = r#"{"data":{"201":{"success":true,"data":{"id":"9","muid":"m-1"}}}}"#;
        assert_eq!(
            read(Entity::Messages, &["m-1"], 200, by_entity).unwrap(),
            [("m-1".into(), imported("9"))]
        );
    }

    #[test]
    fn a_refusal_names_its_code_and_field_but_no_content() {
        let body = r#"{"data":{"a":{"success":false,"error":{"code":"ERR_BAD_REQUEST","message":"Failed to validate.","details":{"avatar":["The avatar is not a URL."]}}}}}"#;
        let verdicts = read(Entity::Users, &["a"], 200, body).unwrap();
        let message = "Failed to validate. (avatar)".to_owned();
        assert_eq!(
            verdicts[0].1,
            Verdict::Refused {
                code: "ERR_BAD_REQUEST".into(),
                message
            }
        );
    }

    #[test]
    fn a_record_without_a_verdict_has_no_receipt() {
        assert_eq!(
            read(Entity::Users, &["a"], 200, r#"{"data":{}}"#).unwrap(),
            []
        );
        assert_eq!(
            read(Entity::Users, &["a"], 200, r#"{"data":{"a":{}}}"#).unwrap(),
            []
        );
        assert_eq!(
            read(
                Entity::Users,
                &["a"],
                200,
                r#"{"data":{"zz":{"success":true}}}"#
            )
            .unwrap(),
            []
        );
    }

    #[test]
    fn failures_are_told_apart() {
        let stop = |status, body: &str| match read(Entity::Users, &["a"], status, body) {
            Err(Failure::Stop { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            stop(
                401,
                r#"{"error":{"code":"AUTH_ERR_APIKEY_NOT_FOUND","message":"x"}}"#
            ),
            "AUTH_ERR_APIKEY_NOT_FOUND"
        );
        assert_eq!(
            stop(404, r#"{"error":{"code":"AUTH_ERR_APIKEY_NOT_FOUND"}}"#),
            "AUTH_ERR_APIKEY_NOT_FOUND"
        );
        assert_eq!(stop(404, "<html>not found</html>"), "HTTP 404");
        assert_eq!(stop(302, ""), "HTTP 302");
        assert_eq!(stop(403, "nope"), "HTTP 403");
        let doubt = |status, body: &str| {
            matches!(
                read(Entity::Users, &["a"], status, body),
                Err(Failure::Doubt { .. })
            )
        };
        assert!(doubt(500, r#"{"error":{"code":"ERR_EXCEPTION"}}"#));
        assert!(doubt(502, "<html>bad gateway</html>"));
        assert!(doubt(200, "<html>welcome</html>"));
        assert!(doubt(200, r#"{"data":{"a":{"succ"#));
        assert!(doubt(400, r#"{"error":{"code":"ERR_BAD_REQUEST"}}"#));
        assert_eq!(
            read(Entity::Users, &["a"], 413, "too large").unwrap_err(),
            Failure::TooLarge
        );
        assert_eq!(
            read(
                Entity::Users,
                &["a"],
                400,
                r#"{"error":{"code":"X","message":"request body size exceeded"}}"#
            )
            .unwrap_err(),
            Failure::TooLarge
        );
    }

    #[test]
    fn every_way_of_telling_the_wait_is_understood() {
        let told = |headers: &[(&'static str, &'static str)], message: &str| {
            let headers = headers.iter().map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            wait(&headers.collect(), message, 1_625_143_200).map(|wait| wait.as_secs())
        };
        assert_eq!(told(&[("retry-after", "15")], ""), Some(15));
        assert_eq!(
            told(&[("retry-after", "Thu, 01 Jul 2021 12:40:30 GMT")], ""),
            Some(30)
        );
        assert_eq!(told(&[("x-rate-limit-reset", "1625143246")], ""), Some(46));
        assert_eq!(told(&[("x-ratelimit-reset", "1625143246")], ""), Some(46));
        assert_eq!(
            told(
                &[],
                "60 per minute is the maximum request allowed. Please retry for seconds after 58."
            ),
            Some(58)
        );
        assert_eq!(told(&[("retry-after", "86400")], ""), Some(300));
        assert_eq!(told(&[("x-rate-limit-reset", "9")], "slow down"), None);
    }
}
