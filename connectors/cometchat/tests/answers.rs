//! What every answer means, through the destination's door: each code of the error guide on a
//! record and on a request, and each way in which an answer can be something else than it should.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatferry_cometchat::{CometChat, Reply, Transport, TransportError};
use chatferry_core::{Destination, Entity, Failure, Origin, Permit, Record, RecordId, Verdict};
use http::{HeaderMap, Method};

/// An API with one answer.
#[derive(Debug)]
struct Saying(Mutex<Option<Result<Reply, TransportError>>>);

#[async_trait]
impl Transport for Saying {
    async fn ask(&self, _: Method, _: &str, _: Bytes) -> Result<Reply, TransportError> {
        self.0.lock().unwrap().take().expect("one request")
    }
}

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

type Verdicts = Vec<(String, Verdict)>;

/// Sends records with these ids to an API that answers so.
fn answered(
    entity: Entity,
    ids: &[&str],
    answer: Result<Reply, TransportError>,
) -> Result<Verdicts, Failure> {
    let settings = support::settings();
    let app = CometChat::over(&settings, Arc::new(Saying(Mutex::new(Some(answer)))));
    let records: Vec<Record> = ids.iter().map(|id| record(entity, id)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let answer = runtime.block_on(app.send(Permit::issue(), entity, &records));
    let receipts = answer.receipts?;
    Ok(receipts
        .into_iter()
        .map(|receipt| (receipt.id.as_str().to_owned(), receipt.verdict))
        .collect())
}

fn reply(status: u16, body: impl AsRef<[u8]>) -> Result<Reply, TransportError> {
    Ok(Reply {
        status,
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_ref()),
    })
}

fn users(ids: &[&str], status: u16, body: &str) -> Result<Verdicts, Failure> {
    answered(Entity::Users, ids, reply(status, body))
}

fn messages(ids: &[&str], body: &str) -> Verdicts {
    answered(Entity::Messages, ids, reply(200, body)).unwrap()
}

fn imported(remote: &str) -> Verdict {
    Verdict::Imported {
        remote: Some(remote.into()),
    }
}

const NEW: Verdict = Verdict::Imported { remote: None };

/// What a code asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Present,
    Refused,
    Doubt,
    Hold,
    /// Stop, with a remedy that has this word.
    Stop(&'static str),
}

use Class::{Doubt, Hold, Present, Refused, Stop};

/// Every code that an import may be answered with ("Error guide", "Data migration: constraints, rate
/// limits and errors", and the friends of these that were seen elsewhere), and some that nobody has
/// heard of.
const CODES: &[(&str, Class)] = &[
    ("ERR_IMPORT_INVALID_USER_FORMAT", Stop("report")),
    ("ERR_IMPORT_INVALID_GROUP_FORMAT", Stop("report")),
    ("ERR_IMPORT_INVALID_MEMBER_FORMAT", Stop("report")),
    ("ERR_IMPORT_INVALID_MESSAGE_FORMAT", Stop("report")),
    ("ERR_IMPORT_MUID_ALREADY_EXISTS", Present),
    ("ERR_IMPORT_INVALID_JOINEDAT", Refused),
    ("ERR_TOO_MANY_REQUESTS", Hold),
    ("AUTH_ERR_EMPTY_APPID", Stop("app_id")),
    ("AUTH_ERR_INVALID_APPID", Stop("app_id")),
    ("AUTH_ERR_EMPTY_APIKEY", Stop("api_key")),
    ("AUTH_ERR_APIKEY_NOT_FOUND", Stop("api_key")),
    ("AUTH_ERR_NO_ACCESS", Stop("fullAccess")),
    ("ERR_SUBSCRIPTION_EXPIRED", Stop("plan")),
    ("ERR_PLAN_RESTRICTION", Stop("plan")),
    ("ERR_PLAN_QUOTA_RESTRICTION", Stop("quota")),
    ("ERR_PERMISSION_DENIED", Stop("plan")),
    ("ERR_BAD_REQUEST", Refused),
    ("ERR_UID_ALREADY_EXISTS", Present),
    ("ERR_GUID_ALREADY_EXISTS", Present),
    ("ERR_ALREADY_JOINED", Present),
    ("ERR_IMPORT_USER_ALREADY_EXISTS", Present),
    ("ERR_UID_NOT_FOUND", Refused),
    ("ERR_GUID_NOT_FOUND", Refused),
    ("ERR_ROLE_NOT_FOUND", Refused),
    ("ERR_INVALID_UID", Refused),
    ("ERR_INVALID_GUID", Refused),
    ("ERR_EMPTY_GROUP_PASS", Refused),
    ("ERR_NOT_A_MEMBER", Refused),
    ("ERR_GROUP_NOT_JOINED", Refused),
    ("ERR_NO_VACANCY", Refused),
    ("ERR_BANNED_GROUPMEMBER", Refused),
    ("ERR_ALREADY_BANNED", Refused),
    ("ERR_EMPTY_RECEIVER", Refused),
    ("ERR_INVALID_RECEIVER_TYPE", Refused),
    ("ERR_EMPTY_MESSAGE_TEXT", Refused),
    ("ERR_INVALID_MESSAGE_TEXT", Refused),
    ("ERR_EMPTY_MESSAGE_CATEGORY", Refused),
    ("ERR_INVALID_MESSAGE_CATEGORY", Refused),
    ("ERR_EMPTY_MESSAGE_TYPE", Refused),
    ("ERR_INVALID_MESSAGE_TYPE", Refused),
    ("ERR_INVALID_MESSAGE_DATA", Refused),
    ("ERR_INVALID_MEDIA_MESSAGE", Refused),
    ("ERR_EMPTY_MESSAGE_FILE", Refused),
    ("ERR_EMPTY_CUSTOM_DATA", Refused),
    ("ERR_INVALID_CUSTOM_DATA", Refused),
    ("ERR_INVALID_METADATA", Refused),
    ("ERR_BLOCKED_BY_EXTENSION", Refused),
    ("ERR_BLOCKED_BY_WEBHOOK", Refused),
    ("ERR_BLOCKED_RECEIVER", Refused),
    ("ERR_API_NOT_FOUND", Stop("base_url")),
    ("ERR_INVALID_API_VERSION", Stop("base_url")),
    ("ERR_OPERATION_FAILED", Doubt),
    ("ERR_MISSION_FAILED", Doubt),
    ("ERR_EXCEPTION", Doubt),
    ("ERR_BAD_ERROR_RESPONSE", Doubt),
    ("ERR_WS_USER_CREATION_FAILED", Doubt),
    ("ERR_WS_GROUP_JOIN_FAILED", Doubt),
    ("ERR_NEVER_HEARD_OF", Refused),
    ("", Refused),
];

fn class_of(verdict: Result<&Verdict, &Failure>) -> Class {
    let stop = |remedy: &str| {
        let words = ["base_url", "report", "app_id", "api_key", "plan", "quota"];
        let word = words.into_iter().find(|word| remedy.contains(word));
        Stop(word.expect("a remedy that can be followed"))
    };
    match verdict {
        Ok(Verdict::Present) => Present,
        Ok(Verdict::Refused { .. }) => Refused,
        Ok(Verdict::Doubt { .. }) | Err(Failure::Doubt { .. }) => Doubt,
        Ok(Verdict::Stop { remedy, .. }) | Err(Failure::Stop { remedy, .. }) => stop(remedy),
        Err(Failure::Throttled { .. }) => Hold,
        other => panic!("{other:?}"),
    }
}

/// The class by one of the words that a remedy is told by.
fn told(class: Class) -> Class {
    match class {
        Stop("fullAccess") => Stop("api_key"),
        class => class,
    }
}

#[test]
fn every_code_on_a_record_has_its_verdict_and_touches_no_other_record() {
    for (code, class) in CODES {
        let body = format!(
            r#"{{"data":{{"a":{{"success":false,"error":{{"code":"{code}","message":"words"}}}},"b":{{"success":true}}}}}}"#
        );
        let verdicts = users(&["a", "b"], 200, &body).unwrap();
        assert_eq!(verdicts[1], ("b".into(), NEW), "{code}");
        let expected = match class {
            // Others were taken, so it is worth another try.
            Hold => Doubt,
            class => told(*class),
        };
        assert_eq!(class_of(Ok(&verdicts[0].1)), expected, "{code}");
        if let Verdict::Refused {
            code: told,
            message,
        } = &verdicts[0].1
        {
            assert_eq!((told.as_str(), message.as_str()), (*code, "words"));
        }
    }
}

#[test]
fn every_code_of_a_request_has_its_failure_whatever_the_status() {
    for (code, class) in CODES {
        for status in [200, 400, 404, 409, 417, 422, 500] {
            let body = format!(r#"{{"error":{{"code":"{code}","message":"words"}}}}"#);
            let failure = users(&["a", "b"], status, &body).unwrap_err();
            let expected = match class {
                // It may be one record's fault or that of all: halving tells.
                Present | Refused => Doubt,
                class => told(*class),
            };
            let found = class_of(Err(&failure));
            assert_eq!(found, expected, "{code} with {status}: {failure:?}");
            if let Failure::Doubt { what, foreign } = failure {
                assert_eq!(what, format!("HTTP {status} {code}").trim_end());
                assert!(!foreign);
            }
        }
    }
}

#[test]
fn a_request_of_one_record_that_is_there_is_told_so_with_any_status() {
    for status in [400, 409, 417] {
        let body = r#"{"error":{"code":"ERR_ALREADY_JOINED","message":"x"}}"#;
        let verdicts = users(&["a"], status, body).unwrap();
        assert_eq!(verdicts, [("a".into(), Verdict::Present)]);
    }
}

#[test]
fn a_refusal_names_the_field_and_none_of_what_it_held() {
    for details in [
        r#"{"avatar":["secret is not a URL."]}"#,
        r#"{"avatar":"secret is not a URL."}"#,
    ] {
        let body = format!(
            r#"{{"data":{{"a":{{"success":false,"error":{{"code":"ERR_BAD_REQUEST","message":"Failed to validate.","details":{details}}}}}}}}}"#
        );
        let message = "Failed to validate. (avatar)".to_owned();
        let code = "ERR_BAD_REQUEST".to_owned();
        assert_eq!(
            users(&["a"], 200, &body).unwrap()[0].1,
            Verdict::Refused { code, message }
        );
    }
    let bare = r#"{"data":{"a":{"success":false}}}"#;
    let code = "UNKNOWN".to_owned();
    assert_eq!(
        users(&["a"], 200, bare).unwrap()[0].1,
        Verdict::Refused {
            code,
            message: String::new()
        }
    );
}

#[test]
fn every_shape_of_a_stored_message_gives_its_remote_id() {
    for body in [
        r#"{"data":{"m-1":{"success":true,"data":{"id":"1029","muid":"m-1","sender":"s","data":{"text":"x"}}}}}"#,
        r#"{"data":{"m-1":{"success":true,"data":{"data":{"id":1029,"muid":"m-1","sender":"s","data":{"text":"x"}}}}}}"#,
        r#"{"data":{"m-1":{"id":"1029","muid":"m-1","sender":"s","data":{"text":"x"}}}}"#,
    ] {
        assert_eq!(
            messages(&["m-1"], body),
            [("m-1".into(), imported("1029"))],
            "{body}"
        );
    }
}

#[test]
fn verdicts_are_matched_by_id_whatever_its_case_its_place_or_its_key() {
    let body = r#"{"data":{"b":{"success":true},"A":{"success":false,"error":{"code":"ERR_UID_ALREADY_EXISTS"}}}}"#;
    let verdicts = users(&["a", "b"], 200, body).unwrap();
    assert_eq!(
        verdicts,
        [("a".into(), Verdict::Present), ("b".into(), NEW)]
    );
    let by_entity = r#"{"data":{"201":{"success":true,"data":{"id":"9","muid":"m-1"}}}}"#;
    assert_eq!(
        messages(&["m-1"], by_entity),
        [("m-1".into(), imported("9"))]
    );
    let stranger = r#"{"data":{"zz":{"success":true},"b":{"success":true}}}"#;
    assert_eq!(
        users(&["a", "b"], 200, stranger).unwrap(),
        [("b".into(), NEW)]
    );
}

#[test]
fn two_verdicts_on_one_record_are_none_unless_they_agree() {
    let twice = r#"{"data":{"m":{"success":true,"data":{"id":"1"}},"M":{"success":true,"data":{"id":"2"}}}}"#;
    assert_eq!(messages(&["m"], twice), []);
    let agreeing = r#"{"data":{"a":{"success":true},"A":{"success":true}}}"#;
    assert_eq!(users(&["a"], 200, agreeing).unwrap(), [("a".into(), NEW)]);
}

#[test]
fn an_entry_that_makes_no_sense_puts_its_own_record_in_doubt_alone() {
    for entry in ["{}", "null", "7", "\"ok\"", "[]", r#"{"success":null}"#] {
        let body = format!(r#"{{"data":{{"a":{entry},"b":{{"success":true}}}}}}"#);
        assert_eq!(
            users(&["a", "b"], 200, &body).unwrap(),
            [("b".into(), NEW)],
            "{entry}"
        );
    }
    let refused = |code: &str, message: &str| Verdict::Refused {
        code: code.into(),
        message: message.into(),
    };
    for (entry, verdict) in [
        (r#"{"success":"true"}"#, NEW),
        (r#"{"success":1}"#, NEW),
        (r#"{"success":0}"#, refused("UNKNOWN", "")),
        (r#"{"error":"ERR_UID_ALREADY_EXISTS"}"#, Verdict::Present),
        (
            r#"{"success":false,"error":"no such luck"}"#,
            refused("UNKNOWN", "no such luck"),
        ),
        (
            r#"{"success":false,"error":{"code":17,"message":"no"}}"#,
            refused("17", "no"),
        ),
        (r#"{"uid":"a","name":"Ann"}"#, NEW),
    ] {
        let body = format!(r#"{{"data":{{"a":{entry}}}}}"#);
        assert_eq!(
            users(&["a"], 200, &body).unwrap(),
            [("a".into(), verdict)],
            "{entry}"
        );
    }
}

#[test]
fn what_is_said_of_each_record_is_worth_more_than_the_status() {
    let body = r#"{"data":{"a":{"success":true}},"error":{"code":"ERR_EXCEPTION"}}"#;
    for status in [200, 207, 400, 500] {
        let verdicts = users(&["a", "b"], status, body).unwrap();
        assert_eq!(verdicts, [("a".into(), NEW)], "{status}");
    }
    let body = r#"{"data":{},"error":{"code":"ERR_EXCEPTION"}}"#;
    assert!(matches!(
        users(&["a"], 500, body),
        Err(Failure::Doubt { foreign: false, .. })
    ));
}

#[test]
fn a_throttle_is_told_by_status_by_code_or_on_every_record() {
    let told = r#"{"error":{"code":"ERR_TOO_MANY_REQUESTS","message":"Please retry for seconds after 58."}}"#;
    let each = r#"{"data":{"a":{"success":false,"error":{"code":"ERR_TOO_MANY_REQUESTS","message":"after 58."}}}}"#;
    let wait = Some(Duration::from_secs(58));
    for (status, body, wait) in [
        (429, told, wait),
        (200, told, wait),
        (503, told, wait),
        (429, "retry after 58 seconds", wait),
        (200, each, wait),
        (429, "", None),
        (429, "<html>slow down</html>", None),
        (429, r#"{"data":{}}"#, None),
    ] {
        assert_eq!(
            users(&["a"], status, body),
            Err(Failure::Throttled { wait }),
            "{status} {body}"
        );
    }
}

#[test]
fn a_key_or_an_address_that_is_wrong_stops_with_what_to_do() {
    let named =
        r#"{"error":{"code":"AUTH_ERR_APIKEY_NOT_FOUND","message":"The API key does not exist."}}"#;
    let nameless = r#"{"error":{"message":"no"}}"#;
    for (status, body, code, remedy) in [
        (401, named, "AUTH_ERR_APIKEY_NOT_FOUND", "api_key"),
        (403, named, "AUTH_ERR_APIKEY_NOT_FOUND", "api_key"),
        (404, named, "AUTH_ERR_APIKEY_NOT_FOUND", "api_key"),
        (
            403,
            r#"{"error":{"code":"ERR_NEVER_HEARD_OF"}}"#,
            "ERR_NEVER_HEARD_OF",
            "api_key",
        ),
        (401, "", "HTTP 401", "api_key"),
        (401, nameless, "HTTP 401", "api_key"),
        (403, "nope", "HTTP 403", "api_key"),
        (404, "<html>not found</html>", "HTTP 404", "base_url"),
        (404, nameless, "HTTP 404", "base_url"),
        (
            404,
            r#"{"error":"Not Found","path":"/v3"}"#,
            "HTTP 404",
            "base_url",
        ),
        (405, "", "HTTP 405", "base_url"),
        (410, "", "HTTP 410", "base_url"),
        (302, "", "HTTP 302", "base_url"),
        (308, "<html>moved</html>", "HTTP 308", "base_url"),
    ] {
        let Err(Failure::Stop {
            code: found,
            remedy: advice,
            ..
        }) = users(&["a"], status, body)
        else {
            panic!("{status} {body} does not stop");
        };
        assert_eq!(found, code, "{status} {body}");
        assert!(advice.contains(remedy), "{status} {body}: {advice}");
    }
}

#[test]
fn what_may_or_may_not_have_been_stored_is_a_doubt() {
    for (status, body, what, foreign) in [
        (
            500,
            r#"{"error":{"code":"ERR_EXCEPTION"}}"#,
            "HTTP 500 ERR_EXCEPTION",
            false,
        ),
        (500, r#"{"error":{}}"#, "HTTP 500", false),
        (500, "", "HTTP 500 from an empty answer", true),
        (
            502,
            "<html>bad gateway</html>",
            "HTTP 502 from a web page",
            true,
        ),
        (
            503,
            "busy",
            "HTTP 503 from an answer that is not JSON",
            true,
        ),
        (
            504,
            r#"{"message":"Endpoint request timed out"}"#,
            "HTTP 504 from JSON of another shape",
            true,
        ),
        (408, "", "HTTP 408 from an empty answer", true),
        // A firewall in front of the API may dislike what one message says.
        (
            403,
            " <html>blocked</html>",
            "HTTP 403 from a web page",
            true,
        ),
        (
            200,
            "<html>welcome</html>",
            "HTTP 200 with a web page",
            true,
        ),
        (200, "", "HTTP 200 with an empty answer", true),
        (
            200,
            r#"{"data":{"a":{"succ"#,
            "HTTP 200 with JSON that is cut short",
            true,
        ),
        (
            200,
            r#"{"data":[]}"#,
            "HTTP 200 with JSON of another shape",
            true,
        ),
        (
            200,
            r#"{"data":null}"#,
            "HTTP 200 with JSON of another shape",
            true,
        ),
        (200, "[]", "HTTP 200 with JSON of another shape", true),
        (
            200,
            "true",
            "HTTP 200 with an answer that is not JSON",
            true,
        ),
    ] {
        let expected = Failure::Doubt {
            what: what.into(),
            foreign,
        };
        assert_eq!(users(&["a"], status, body), Err(expected), "{body}");
    }
    let unreadable = answered(Entity::Users, &["a"], reply(200, b"{\"data\":{\"a\":\xff"));
    assert!(matches!(unreadable, Err(Failure::Doubt { .. })));
    let lost = TransportError::Lost("no answer in time".into());
    let expected = Failure::Doubt {
        what: "no answer in time".into(),
        foreign: false,
    };
    assert_eq!(answered(Entity::Users, &["a"], Err(lost)), Err(expected));
    let unreachable = TransportError::Unreachable("connection refused".into());
    let expected = Failure::Unreachable {
        what: "connection refused".into(),
    };
    assert_eq!(
        answered(Entity::Users, &["a"], Err(unreachable)),
        Err(expected)
    );
}

#[test]
fn a_record_without_a_verdict_has_no_receipt() {
    for body in [r#"{"data":{}}"#, r#"{"data":{"zz":{"success":true}}}"#] {
        assert_eq!(users(&["a"], 200, body).unwrap(), [], "{body}");
    }
}

#[test]
fn a_body_that_is_too_large_is_told_by_status_or_in_words() {
    for (status, body) in [
        (413, "too large"),
        (413, r#"{"error":{"code":"ERR_BAD_REQUEST"}}"#),
        (
            400,
            r#"{"error":{"code":"X","message":"request body size exceeded"}}"#,
        ),
        (
            400,
            r#"{"error":{"code":"ERR_BAD_REQUEST","message":"Payload Too Large"}}"#,
        ),
    ] {
        assert_eq!(
            users(&["a", "b"], status, body),
            Err(Failure::TooLarge),
            "{status} {body}"
        );
    }
}
