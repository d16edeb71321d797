//! What is answered to a request as a whole.

use bytes::Bytes;
use http::{Method, Request};
use proptest::prelude::{any, prop, prop_assert, proptest};
use serde_json::{Value, json};

use super::{NOW, peopled, request, send, send_records, simulator, text, with};

#[tokio::test]
async fn what_is_no_endpoint_is_not_found() {
    let simulator = simulator(|_| {});
    for (method, path) in [
        (Method::GET, "/v3/data_import/users"),
        (Method::PUT, "/v3/data_import/users"),
        (Method::POST, "/v3/users"),
        (Method::POST, "/"),
        (Method::POST, "/__chatferry/counts"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Bytes::new())
            .unwrap();
        let answer = simulator.answer(request).await.unwrap();
        assert_eq!(answer.status(), 404);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error"]["code"], "ERR_API_NOT_FOUND");
    }
    assert_eq!(simulator.counts().requests, 0);
}

#[tokio::test]
async fn the_key_and_the_app_must_be_right() {
    let simulator = simulator(|settings| {
        settings.api_key = Some("right".to_owned());
        settings.app_id = Some("app".to_owned());
    });
    let app = "https://app.api-eu.cometchat.io/v3";
    let shared = "https://api-eu.cometchat.io/v3";
    for (base, headers, expected) in [
        (app, vec![], "AUTH_ERR_EMPTY_APIKEY"),
        (app, vec![("apikey", "")], "AUTH_ERR_EMPTY_APIKEY"),
        (app, vec![("apikey", "wrong")], "AUTH_ERR_APIKEY_NOT_FOUND"),
        (
            "https://ppa.api-eu.cometchat.io",
            vec![("apikey", "right")],
            "AUTH_ERR_INVALID_APPID",
        ),
        (shared, vec![("apikey", "right")], "AUTH_ERR_EMPTY_APPID"),
        (
            shared,
            vec![("apikey", "right"), ("appId", "ppa")],
            "AUTH_ERR_INVALID_APPID",
        ),
    ] {
        let mut request = Request::post(format!("{base}/data_import/users"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = simulator
            .answer(request.body(Bytes::new()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error"]["code"], expected);
    }
    for (base, app) in [
        (app, None),
        (shared, Some("app")),
        ("http://127.0.0.1:8080", None),
    ] {
        let mut request = Request::post(format!("{base}/data_import/users"));
        request = request.header("apikey", "right");
        if let Some(app) = app {
            request = request.header("appId", app);
        }
        let user = r#"{"users":{"a":{"uid":"a","name":"A"}}}"#;
        let answer = simulator
            .answer(request.body(user.into()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_looked_at() {
    let simulator = simulator(|settings| settings.max_body = 10);
    assert_eq!(send(&simulator, "users", "[         ").await.status(), 400);
    let answer = send(&simulator, "users", "[          ").await;
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn fifty_records_are_taken_and_fifty_one_are_not() {
    let simulator = simulator(|_| {});
    let users = |count: usize| -> Value {
        let user = |number: usize| {
            (
                format!("u{number}"),
                json!({"uid": format!("u{number}"), "name": "U"}),
            )
        };
        Value::Object((0..count).map(user).collect())
    };
    let (status, answer) = send_records(&simulator, "users", users(51)).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (400, &json!("ERR_BAD_REQUEST"))
    );
    assert_eq!(simulator.counts().users, 0);
    assert_eq!(send_records(&simulator, "users", users(50)).await.0, 200);
    assert_eq!(simulator.counts().users, 50);
}

#[tokio::test]
async fn poison_lets_the_others_be_stored_and_fails_the_request() {
    let too_old = json!({"sentAt": NOW - 184 * 24 * 60 * 60});
    let poisons = [
        json!({"data": {"text": " \n"}}),
        json!({"data": {}}),
        json!({"data": null}),
        too_old,
    ];
    for poison in poisons {
        let simulator = peopled(|_| {}).await;
        let batch = json!({"a": text("a"), "b": with(text("b"), poison), "c": text("c")});
        let (status, answer) = send_records(&simulator, "messages", batch.clone()).await;
        assert_eq!(status, 500);
        assert_eq!(answer["error"]["code"], "ERR_EXCEPTION");
        assert!(answer.get("data").is_none());
        assert_eq!(simulator.counts().messages, 2);
        // Sent again, the good ones are there already, and the bad one is as bad as before.
        assert_eq!(send_records(&simulator, "messages", batch).await.0, 500);
        let (status, answer) = send_records(&simulator, "messages", json!({"a": text("a")})).await;
        assert_eq!(status, 200);
        assert_eq!(
            super::word(&answer["data"]["a"]),
            "ERR_IMPORT_MUID_ALREADY_EXISTS"
        );
    }
}

#[tokio::test]
async fn retention_can_be_extended_without_end() {
    let simulator = peopled(|settings| settings.retention = None).await;
    let ancient = with(text("a"), json!({"sentAt": 1_000_000_000}));
    assert_eq!(super::verdict(&simulator, "messages", ancient).await, "ok");
}

proptest! {
    #[test]
    fn any_bytes_are_answered_with_an_error_in_json(
        entity in prop::sample::select(vec!["users", "groups", "members", "messages", "x"]),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let answer = answer_to(entity, body);
        prop_assert!(answer["error"]["code"].is_string());
    }

    #[test]
    fn any_tokens_are_answered_in_json(
        entity in prop::sample::select(vec!["users", "groups", "members", "messages"]),
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ":", ",", "\"users\"", "\"messages\"", "\"uid\"", "\"muid\"",
            "\"data\"", "\"text\"", "\"\\ud800\"", "1e999", "-1", "null", "\"\"", "true", " ",
        ]), 0..30),
    ) {
        let answer = answer_to(entity, tokens.concat().into_bytes());
        prop_assert!(answer["error"].is_object() || answer["data"].is_object());
    }

    #[test]
    fn any_record_has_a_verdict(
        entity in prop::sample::select(vec!["users", "groups", "members", "messages"]),
        fields in prop::collection::vec((
            prop::sample::select(vec![
                "uid", "guid", "muid", "memberId", "name", "type", "sender", "receiver", "data",
                "receiverType", "sentAt", "tags", "metadata", "category", "userDetails", "scope",
                "mentionedUserDetails", "receiverGroupDetails", "groupOwnerDetails", "joinedAt",
            ]),
            prop::sample::select(vec![
                "1", "\"a\"", "\"user\"", "\"custom\"", "\"image\"", "{}", "[]", "null", "[{}]",
                "1680000000", "{\"text\":\"<@uid:\"}", "{\"attachments\":[{}]}", "\"\\ud800\"",
                "{\"uid\":\"a\",\"name\":\"A\"}", "{\"a\":{\"uid\":\"a\",\"name\":\"A\"}}",
                "{\"\\ud800\":1}", "\"\\u0061\"",
            ]),
        ), 0..12),
    ) {
        let fields: Vec<String> =
            fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let body = format!(r#"{{"{entity}":{{"a":{{{}}}}}}}"#, fields.join(","));
        let answer = answer_to(entity, body.into_bytes());
        let judged = answer["data"]["a"]["success"].is_boolean();
        prop_assert!(judged || answer["error"]["code"] == "ERR_EXCEPTION", "{answer}");
    }
}

fn answer_to(entity: &str, body: Vec<u8>) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let simulator = simulator(|_| {});
        let answer = simulator
            .answer(request(entity, body))
            .await
            .expect("an answer");
        serde_json::from_slice(answer.body()).expect("JSON")
    })
}
