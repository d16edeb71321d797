//! Who gets what.

use chatferry_live::{Ending, Hosts, Live};
use serde_json::Value;

use crate::guest::{ask, get};
use crate::run::{about, live, tell};

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let live = live().await;
    let answer = ask(live.address(), "GET", "/", "127.0.0.1").await;
    assert_eq!(answer.status, 200);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let page = answer.text().await;
    let (style, script) = (
        get(live.address(), "/page.css").await,
        get(live.address(), "/page.js").await,
    );
    for text in [&page, &style, &script] {
        let elsewhere = text.matches("://").count();
        let named = text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(elsewhere, named, "{text}");
    }
    assert!(!script.contains("innerHTML"));
    assert!(page.len() + style.len() + script.len() < 32 * 1024);
}

#[tokio::test]
async fn it_answers_by_no_name_that_somebody_else_could_have_lead_here() {
    let live = live().await;
    for path in ["/", "/api/status", "/api/events", "/metrics"] {
        let answer = ask(live.address(), "GET", path, "evil.example").await;
        assert_eq!(answer.status, 421, "{path}");
        assert!(!answer.text().await.contains("acme"));
    }
    let named = Hosts::and(vec!["status.internal".into()]);
    let live = Live::listen("127.0.0.1:0".parse().unwrap(), named, about());
    let live = live.await.unwrap();
    let answer = ask(live.address(), "GET", "/", "status.internal:80").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn nothing_can_be_changed() {
    let live = live().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = ask(live.address(), method, "/api/status", "localhost").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    let answer = ask(live.address(), "HEAD", "/api/status", "localhost").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text().await, "");
    let answer = ask(live.address(), "GET", "/../Cargo.toml", "localhost").await;
    assert_eq!(answer.status, 404);
}

/// The status without what differs from run to run.
fn steady(mut status: Value) -> Value {
    status["version"] = "VERSION".into();
    for time in ["started", "now"] {
        status[time] = "TIME".into();
    }
    status["problem"]["time"] = "TIME".into();
    for request in status["latest"].as_array_mut().unwrap() {
        request["sentMs"] = "TIME".into();
    }
    status
}

#[tokio::test]
async fn the_status_has_ids_and_places_and_nothing_else_of_records() {
    let live = live().await;
    tell(live.board());
    let text = get(live.address(), "/api/status").await;
    assert!(!text.contains("what is in it"));
    let status = steady(serde_json::from_str(&text).unwrap());
    insta::assert_snapshot!(serde_json::to_string_pretty(&status).unwrap());
}

#[tokio::test]
async fn whoever_looks_is_told_at_once_and_how_it_ended() {
    let live = live().await;
    let mut events = ask(live.address(), "GET", "/api/events", "localhost").await;
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert_eq!(events.event().await.unwrap()["state"], "starting");
    tell(live.board());
    let mut later = ask(live.address(), "GET", "/api/events", "localhost").await;
    assert_eq!(later.event().await.unwrap()["state"], "running");
    live.board().ended(Ending {
        how: "stopped".into(),
        exit: 130,
        message: Some("stopped before the end".into()),
        help: Some("run the same command to go on".into()),
        next: None,
    });
    live.close().await;
    let mut last = None;
    while let Some(event) = events.event().await {
        last = Some(event);
    }
    let last = last.unwrap();
    assert_eq!(last["last"], true);
    assert_eq!(last["state"], "ended");
    assert_eq!(last["ended"]["how"], "stopped");
    assert_eq!(last["ended"]["exit"], 130);
}

#[tokio::test]
async fn only_so_many_may_look_at_once() {
    let live = live().await;
    let mut lookers = Vec::new();
    let turned_away = loop {
        let mut answer = ask(live.address(), "GET", "/api/events", "localhost").await;
        if answer.status != 200 {
            break answer;
        }
        answer.event().await.unwrap();
        lookers.push(answer);
        assert!(lookers.len() <= 100, "everybody may look");
    };
    assert_eq!(turned_away.status, 503);
    get(live.address(), "/metrics").await;
    live.close().await;
}
