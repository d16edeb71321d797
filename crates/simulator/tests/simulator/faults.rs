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
    let (_, response) = throttled(Told::Date).await;
    let date = response.headers()["retry-after"].to_str().unwrap();
    assert!(date.ends_with(" GMT"), "{date}");
    let date = chrono::DateTime::parse_from_rfc2822(date).unwrap();
    assert_eq!(date.timestamp(), NOW + 58);
    let (_, response) = throttled(Told::Past).await;
    for name in ["x-rate-limit-reset", "x-ratelimit-reset"] {
        assert_eq!(response.headers()[name], (NOW - 58).to_string());
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

#[tokio::test]
async fn a_key_that_is_revoked_midway_is_one_that_does_not_exist() {
    let simulator = peopled(|_| {}).await;
    simulator.inject(Fault::Revoke(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let response = send(&simulator, "messages", batch()).await;
        if response.status() == 401 {
            assert_eq!(
                body(&response)["error"]["code"],
                "AUTH_ERR_APIKEY_NOT_FOUND"
            );
        }
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_midway_holds_for_what_was_let_in_before() {
    let simulator = peopled(|_| {}).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut statuses = Vec::new();
    for request in 0..8 {
        if request == 4 {
            simulator.inject("limit:2".parse().unwrap());
        }
        let response = send(&simulator, "messages", batch()).await;
        statuses.push(response.status().as_u16());
        if request == 5 {
            // The four of before leave the window one by one, a second apart.
            assert_eq!(response.headers()["retry-after"], "57");
            tokio::time::sleep(Duration::from_secs(57)).await;
        } else {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429, 200, 200]);
}

#[tokio::test]
async fn ids_that_nobody_sent_come_on_top() {
    let (simulator, response) = struck(Fault::ExtraIds(2)).await;
    let answer = body(&response);
    let ids: Vec<&String> = answer["data"].as_object().unwrap().keys().collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(answer["data"]["nobody-sent-1"]["success"], true);
    assert_eq!(simulator.counts().messages, 3);
}

#[tokio::test]
async fn a_seed_draws_the_same_faults_request_by_request() {
    let statuses = async |seed| {
        let simulator = super::simulator(|settings| {
            settings.fault_percent = 40;
            settings.seed = seed;
            settings.requests_per_minute = None;
        });
        let mut statuses = Vec::new();
        for user in 0..60 {
            let user = format!("u{user}");
            let body = json!({"users": {&user: {"uid": user, "name": "U"}}}).to_string();
            let answer = simulator.answer(request("users", body)).await;
            statuses.push(answer.map_or(0, |answer| answer.status().as_u16()));
        }
        statuses
    };
    let first = statuses(11).await;
    assert_eq!(first, statuses(11).await);
    assert_ne!(first, statuses(12).await);
    let failed = first.iter().filter(|status| **status != 200).count();
    assert!((5..30).contains(&failed), "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn times_of_answers_are_drawn_with_the_seed() {
    let times = async |seed| {
        let simulator = super::simulator(|settings| {
            settings.latency = Duration::from_millis(10);
            settings.spread = "20/400".parse().unwrap();
            settings.seed = seed;
        });
        let mut times = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            send(&simulator, "users", "{}".to_owned()).await;
            times.push(start.elapsed());
        }
        times
    };
    let first = times(1).await;
    assert_eq!(first, times(1).await);
    assert_ne!(first, times(2).await);
    assert!(first.iter().all(|time| *time >= Duration::from_millis(10)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_and_a_broken_one_are_stored_all_the_same() {
    let simulator = peopled(|_| {}).await;
    let start = Instant::now();
    simulator.inject(Fault::SlowBody(Duration::from_secs(7)));
    let response = send(&simulator, "messages", batch()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    let simulator = peopled(|_| {}).await;
    simulator.inject(Fault::BrokenBody);
    let answer = simulator.answer(request("messages", batch())).await;
    assert_eq!(answer.err(), Some(Dropped));
    assert_eq!(simulator.counts().messages, 3);
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

#[tokio::test]
async fn a_record_with_the_poisonous_text_fails_the_request_and_the_others_are_stored() {
    let simulator = peopled(|settings| settings.poison = Some("arsenic".into())).await;
    let mut poisonous = text("b");
    poisonous["data"]["text"] = json!("arsenic and old lace");
    let body = json!({"messages": {"a": text("a"), "b": poisonous, "c": text("c")}});
    let response = send(&simulator, "messages", body.to_string()).await;
    assert_eq!(response.status(), 500);
    assert_eq!(simulator.counts().messages, 2);
}
