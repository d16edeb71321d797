//! What goes wrong on demand, and what was stored all the same.

use std::time::Duration;

use chatferry_simulator::{Dropped, Fault, Simulator, Told};
use http::Response;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{NOW, peopled, request, send, text};

const BATCH: [&str; 3] = ["a", "b", "c"];

fn batch() -> String {
    let messages: serde_json::Map<String, Value> = BATCH
        .into_iter()
        .map(|muid| (muid.to_owned(), text(muid)))
        .collect();
    json!({ "messages": messages }).to_string()
}

/// Sends three messages to a simulator with this fault.
async fn struck(fault: Fault) -> (Simulator, Response<bytes::Bytes>) {
    let simulator = peopled(|_| {}).await;
    simulator.inject(fault);
    let response = send(&simulator, "messages", batch()).await;
    (simulator, response)
}

fn body(response: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}

#[tokio::test]
async fn a_status_before_or_after_storing() {
    let (simulator, response) = struck(Fault::Status(503, String::new())).await;
    assert_eq!(response.status(), 503);
    assert_eq!(body(&response)["error"]["code"], "ERR_EXCEPTION");
    assert_eq!(simulator.counts().messages, 0);
    let (simulator, response) = struck(Fault::Status(400, "busy".to_owned())).await;
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (400, &b"busy"[..])
    );
    assert_eq!(simulator.counts().messages, 0);
    let (simulator, response) = struck(Fault::StatusAfterStoring(502)).await;
    assert_eq!(response.status(), 502);
    assert_eq!(simulator.counts().messages, 3);
}

#[tokio::test]
async fn some_stored_before_a_500() {
    let (simulator, response) = struck(Fault::StoreSomeThen500(2)).await;
    assert_eq!(response.status(), 500);
    assert_eq!(simulator.counts().messages, 2);
}

#[tokio::test]
async fn a_scripted_429_tells_its_wait_where_it_is_asked_to() {
    let wait = Duration::from_secs(58);
    let throttled = async |told| struck(Fault::Throttle { wait, told }).await;
    let (simulator, response) = throttled(Told::RetryAfter).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "58");
    assert!(!response.headers().contains_key("x-rate-limit-reset"));
    assert_eq!(
        body(&response)["error"]["message"],
        "Too many requests for data import API. 60 per minute is the maximum request allowed. \
         Please retry for seconds after 58."
    );
    let counts = simulator.counts();
    assert_eq!((counts.messages, counts.throttled), (0, 1));
    let (_, response) = throttled(Told::Reset).await;
    assert!(!response.headers().contains_key("retry-after"));
    for name in ["x-rate-limit-reset", "x-ratelimit-reset"] {
        assert_eq!(response.headers()[name], (NOW + 58).to_string());
    }
    let (_, response) = throttled(Told::Message).await;
    assert_eq!(response.headers().len(), 1);
    assert!(
        body(&response)["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with("after 58.")
    );
    let (_, response) = throttled(Told::Nowhere).await;
    assert_eq!(response.headers().len(), 1);
    let message = &body(&response)["error"]["message"];
    assert_eq!(message, "Too many requests for data import API.");
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let (simulator, response) = struck(Fault::HtmlBody).await;
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(simulator.counts().messages, 0);
    let (simulator, response) = struck(Fault::TruncatedJson).await;
    assert_eq!(response.status(), 200);
    assert!(serde_json::from_slice::<Value>(response.body()).is_err());
    assert_eq!(simulator.counts().messages, 3);
}

#[tokio::test]
async fn ids_that_are_missing_respelled_or_turned_round() {
    let keys = |response: &Response<bytes::Bytes>| -> Vec<usize> {
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        ["a", "b", "c"]
            .map(|id| text.find(&format!("\"{id}\":{{")).unwrap_or(0))
            .to_vec()
    };
    let (simulator, response) = struck(Fault::MissingIds(2)).await;
    let data = &body(&response)["data"];
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["c"]);
    assert_eq!(simulator.counts().messages, 3);
    let (_, response) = struck(Fault::RecasedIds).await;
    assert_eq!(body(&response)["data"]["B"]["data"]["muid"], "b");
    let (_, response) = struck(Fault::ReorderedIds).await;
    let places = keys(&response);
    assert!(places[2] < places[1] && places[1] < places[0], "{places:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_answer_comes_late_and_its_records_are_there_at_once() {
    let simulator = peopled(|_| {}).await;
    simulator.inject(Fault::Hang(Duration::from_secs(90)));
    let start = Instant::now();
    let given_up = tokio::time::timeout(
        Duration::from_secs(30),
        simulator.answer(request("messages", batch())),
    )
    .await;
    assert!(given_up.is_err());
    assert_eq!(simulator.counts().messages, 3);
    simulator.inject(Fault::Hang(Duration::from_secs(90)));
    assert_eq!(send(&simulator, "messages", batch()).await.status(), 200);
    assert_eq!(start.elapsed(), Duration::from_secs(120));
}

#[tokio::test]
async fn a_reset_is_no_answer_whether_stored_or_not() {
    for (stored, expected) in [(false, 0), (true, 3)] {
        let simulator = peopled(|_| {}).await;
        simulator.inject(Fault::ConnectionReset { stored });
        let answer = simulator.answer(request("messages", batch())).await;
        assert_eq!(answer.err(), Some(Dropped));
        assert_eq!(simulator.counts().messages, expected);
    }
}

#[tokio::test]
async fn faults_strike_one_request_each_in_turn() {
    let simulator = super::simulator(|settings| {
        settings
            .faults
            .extend([Fault::Nothing, Fault::Status(503, String::new())]);
    });
    simulator.inject(Fault::HtmlBody);
    let mut statuses = Vec::new();
    for user in ["a", "b", "c", "d"] {
        let body = json!({"users": {user: {"uid": user, "name": "U"}}}).to_string();
        statuses.push(send(&simulator, "users", body).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 503, 502, 200]);
    assert_eq!(simulator.counts().users, 2);
}
