//! The limit through the door, on a clock that tests may hurry.

use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_simulator::{Fault, Settings, Simulator};
use http::{Request, Response};
use serde_json::Value;
use tokio::time::{Instant, advance};

use super::{NOW, send, simulator};

fn limited(limit: u32, change: impl FnOnce(&mut Settings)) -> Simulator {
    simulator(|settings| {
        settings.requests_per_minute = NonZeroU32::new(limit);
        change(settings);
    })
}

async fn any(simulator: &Simulator) -> Response<bytes::Bytes> {
    send(simulator, "users", "[]").await
}

#[tokio::test(start_paused = true)]
async fn the_sixty_first_request_of_a_minute_is_turned_away_and_costs_nothing() {
    let simulator = limited(60, |_| {});
    for _ in 0..60 {
        assert_eq!(any(&simulator).await.status(), 400);
    }
    advance(Duration::from_millis(2_500)).await;
    let response = any(&simulator).await;
    assert_eq!(response.status(), 429);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["error"]["code"], "ERR_TOO_MANY_REQUESTS");
    assert_eq!(
        body["error"]["message"],
        "Too many requests for data import API. 60 per minute is the maximum request allowed. \
         Please retry for seconds after 58."
    );
    let headers = response.headers();
    assert_eq!(headers["retry-after"], "58");
    assert_eq!(headers["x-rate-limit-reset"], (NOW + 58).to_string());
    assert_eq!(headers["x-ratelimit-reset"], (NOW + 58).to_string());
    assert_eq!(headers["x-ratelimit-limit"], "60");
    assert_eq!(headers["x-ratelimit-remaining"], "0");
    advance(Duration::from_millis(57_500)).await;
    for _ in 0..60 {
        assert_eq!(any(&simulator).await.status(), 400);
    }
    let counts = simulator.counts();
    assert_eq!(
        (counts.requests, counts.throttled, counts.worst_minute),
        (121, 1, 60)
    );
}

#[tokio::test(start_paused = true)]
async fn a_normal_answer_tells_what_is_left() {
    let simulator = limited(2, |_| {});
    let response = any(&simulator).await;
    assert_eq!(response.headers()["x-rate-limit"], "2");
    assert_eq!(response.headers()["x-rate-limit-remaining"], "1");
    assert!(!response.headers().contains_key("x-ratelimit-limit"));
}

#[tokio::test(start_paused = true)]
async fn headers_are_told_in_the_family_that_is_set() {
    for (family, retry_after, expected) in [
        ("a", "omit", vec!["content-type", "x-rate-limit-reset"]),
        ("none", "send", vec!["content-type", "retry-after"]),
        ("none", "omit", vec!["content-type"]),
        (
            "b",
            "omit",
            vec![
                "content-type",
                "x-ratelimit-limit",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
            ],
        ),
    ] {
        let simulator = limited(1, |settings| {
            settings.switch("rate-headers", family).unwrap();
            settings.switch("retry-after", retry_after).unwrap();
        });
        any(&simulator).await;
        let response = any(&simulator).await;
        assert_eq!(response.status(), 429);
        let mut names: Vec<_> = response
            .headers()
            .keys()
            .map(|name| name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_window_opens_again_all_at_once() {
    let simulator = limited(2, |settings| settings.switch("window", "fixed").unwrap());
    any(&simulator).await;
    advance(Duration::from_secs(59)).await;
    any(&simulator).await;
    assert_eq!(any(&simulator).await.headers()["retry-after"], "1");
    advance(Duration::from_secs(1)).await;
    assert_eq!(any(&simulator).await.status(), 400);
    assert_eq!(any(&simulator).await.status(), 400);
    assert_eq!(simulator.counts().worst_minute, 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_key_and_a_scripted_429_use_nothing_up() {
    let simulator = limited(1, |_| {});
    let keyless = Request::post("/data_import/users")
        .body(bytes::Bytes::new())
        .unwrap();
    assert_eq!(simulator.answer(keyless).await.unwrap().status(), 401);
    simulator.inject("throttle:5".parse::<Fault>().unwrap());
    assert_eq!(any(&simulator).await.status(), 429);
    assert_eq!(any(&simulator).await.status(), 400);
    assert_eq!(any(&simulator).await.status(), 429);
}

#[tokio::test(start_paused = true)]
async fn answers_take_their_latency_and_overlap() {
    let simulator = limited(60, |settings| {
        settings.latency = Duration::from_millis(2_500);
    });
    let start = Instant::now();
    let (first, second) = tokio::join!(any(&simulator), any(&simulator));
    assert_eq!(
        (first.status(), second.status()),
        (second.status(), first.status())
    );
    assert_eq!(start.elapsed(), Duration::from_millis(2_500));
}
