//! The simulator through its two doors.
//!
//! Each module asks about one thing: CometChat's own samples, the rules for records, what refers to
//! what, the switches, the faults, the limit, reading back, removals, the dump, and HTTP.

mod dump;
mod faults;
mod http_door;
mod limits;
mod readback;
mod references;
mod removals;
mod requests;
mod rules;
mod samples;
mod switched;

use bytes::Bytes;
use chatferry_simulator::{Clock, Settings, Simulator};
use http::{Request, Response};
use serde_json::{Value, json};

/// The time it is in these tests: some months after most of CometChat's samples.
const NOW: i64 = 1_680_000_000;

/// A simulator at [`NOW`].
fn simulator(change: impl FnOnce(&mut Settings)) -> Simulator {
    let mut settings = Settings {
        clock: Clock::stopped_at(NOW),
        ..Settings::default()
    };
    settings.requests_per_minute = None;
    change(&mut settings);
    Simulator::new(settings).expect("a temporary file")
}

/// A simulator that has the users `ann` and `bob` and the group `team`.
async fn peopled(change: impl FnOnce(&mut Settings)) -> Simulator {
    let simulator = simulator(change);
    let users = json!({"ann": {"uid": "ann", "name": "Ann"}, "bob": {"uid": "bob", "name": "Bob"}});
    all_succeed(&import(&simulator, "users", users).await);
    let groups = json!({"team": {"guid": "team", "name": "Team", "type": "public"}});
    all_succeed(&import(&simulator, "groups", groups).await);
    simulator
}

/// A simulator as [`peopled`] with one switch set.
async fn switched(name: &str, value: &str) -> Simulator {
    peopled(|settings| settings.switch(name, value).expect("a switch")).await
}

fn request(entity: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(format!(
        "https://app.api-eu.cometchat.io/v3/data_import/{entity}"
    ))
    .header("apikey", "key")
    .body(body.into())
    .expect("a request")
}

/// Sends any body, and gives the whole answer.
async fn send(simulator: &Simulator, entity: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    simulator
        .answer(request(entity, body))
        .await
        .expect("an answer")
}

/// Sends records by id, and gives the status and what was answered.
async fn send_records(simulator: &Simulator, entity: &str, records: Value) -> (u16, Value) {
    let response = send(simulator, entity, json!({ entity: records }).to_string()).await;
    let answer = serde_json::from_slice(response.body()).expect("JSON");
    (response.status().as_u16(), answer)
}

/// Sends records by id, and gives the verdicts by id.
async fn import(simulator: &Simulator, entity: &str, records: Value) -> Value {
    let (status, mut answer) = send_records(simulator, entity, records).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].take()
}

/// Sends one record, and gives the verdict on it in a word: `ok`, or the code.
async fn verdict(simulator: &Simulator, entity: &str, record: Value) -> String {
    let id = ["uid", "guid", "memberId", "muid"][match entity {
        "users" => 0,
        "groups" => 1,
        "members" => 2,
        _ => 3,
    }];
    let key = record[id].as_str().unwrap_or("key").to_owned();
    let verdicts = import(simulator, entity, json!({ &*key: record })).await;
    word(&verdicts[&*key])
}

/// A verdict in a word: `ok`, or the code.
fn word(verdict: &Value) -> String {
    match verdict["success"].as_bool() {
        Some(true) => "ok".to_owned(),
        Some(false) => verdict["error"]["code"]
            .as_str()
            .expect("a code")
            .to_owned(),
        None => panic!("no verdict: {verdict}"),
    }
}

fn all_succeed(verdicts: &Value) {
    for (id, verdict) in verdicts.as_object().expect("verdicts by id") {
        assert_eq!(word(verdict), "ok", "{id}: {verdict}");
    }
}

/// A text from ann to bob.
fn text(muid: &str) -> Value {
    json!({"muid": muid, "sender": "ann", "receiverType": "user", "receiver": "bob",
           "category": "message", "type": "text", "data": {"text": "Hi"}, "sentAt": NOW - 60})
}

/// `record` with some fields changed; `null` takes one away.
fn with(mut record: Value, changes: Value) -> Value {
    let (Value::Object(fields), Value::Object(changes)) = (&mut record, changes) else {
        panic!("two objects")
    };
    for (field, value) in changes {
        if value.is_null() {
            fields.remove(&field);
        } else {
            fields.insert(field, value);
        }
    }
    record
}
