//! What is stored can be read, in the order in which it was stored.

use bytes::Bytes;
use chatferry_simulator::{Keep, Simulator};
use http::Request;
use serde_json::{Value, json};

use super::{all_succeed, import, peopled, text};

fn dump(simulator: &Simulator) -> String {
    let mut lines = Vec::new();
    simulator
        .dump(&mut lines)
        .expect("memory takes every write");
    String::from_utf8(lines).expect("UTF-8")
}

#[tokio::test]
async fn a_dump_has_a_line_for_every_record() {
    let simulator = peopled(|_| {}).await;
    let member = json!({"team_member_bob": {"memberId": "team_member_bob", "guid": "team",
                        "uid": "bob", "joinedAt": 1_673_421_419}});
    all_succeed(&import(&simulator, "members", member).await);
    for muid in ["z", "a"] {
        all_succeed(&import(&simulator, "messages", json!({ muid: text(muid) })).await);
    }
    insta::assert_snapshot!("a_whole_dump", dump(&simulator));
}

#[tokio::test]
async fn breaks_between_the_parts_of_a_record_do_not_break_its_line() {
    let simulator = peopled(|_| {}).await;
    let body = "{\"messages\":{\"m\":{\"muid\":\"m\",\"sender\":\"ann\",\"receiverType\":\"user\",
        \"receiver\":\"bob\",\"sentAt\":1679999999,\"tags\":[\n\"x\"\r\n],
        \"data\":{\"text\":\"a\\nb\",\n\"metadata\":{\n}}}}}";
    assert_eq!(
        super::send(&simulator, "messages", body).await.status(),
        200
    );
    let dump = dump(&simulator);
    assert_eq!(dump.lines().count(), 4);
    let last: Value = serde_json::from_str(dump.lines().last().unwrap()).unwrap();
    assert_eq!(last["record"]["data"]["text"], "a\nb");
    assert_eq!(last["record"]["tags"], json!(["x"]));
}

#[tokio::test]
async fn thousands_of_records_come_back_in_order() {
    let simulator = peopled(|_| {}).await;
    for batch in 0..60 {
        let range = batch * 50..(batch + 1) * 50;
        let users = range.clone().map(|n| {
            (
                format!("u{n}"),
                json!({"uid": format!("u{n}"), "name": "x".repeat(90)}),
            )
        });
        all_succeed(&import(&simulator, "users", Value::Object(users.collect())).await);
        let long = "x".repeat(500);
        let messages = range.map(|n| {
            let message = super::with(text(&format!("m{n:05}")), json!({"data": {"text": long}}));
            (format!("m{n:05}"), message)
        });
        all_succeed(&import(&simulator, "messages", Value::Object(messages.collect())).await);
    }
    let dump = dump(&simulator);
    let lines: Vec<Value> = dump
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2 + 3_000 + 1 + 3_000);
    for (number, line) in lines[3_003..].iter().enumerate() {
        assert_eq!(line["record"]["id"], (number + 1).to_string());
        assert_eq!(line["record"]["muid"], format!("m{number:05}"));
    }
}

#[tokio::test]
async fn with_ids_alone_there_is_nothing_to_dump_and_duplicates_are_known() {
    let simulator = peopled(|settings| settings.keep = Keep::Ids).await;
    all_succeed(&import(&simulator, "messages", json!({"m": text("m")})).await);
    let again = super::verdict(&simulator, "messages", text("m")).await;
    assert_eq!(again, "ERR_IMPORT_MUID_ALREADY_EXISTS");
    assert_eq!(dump(&simulator), "");
    let counts = simulator.counts();
    assert_eq!((counts.users, counts.groups, counts.messages), (2, 1, 1));
}

#[tokio::test]
async fn our_own_endpoints_ask_for_a_key_only_if_one_is_set() {
    let get = |path: &str, key: &str| {
        Request::get(path)
            .header("apikey", key)
            .body(Bytes::new())
            .unwrap()
    };
    let open = peopled(|_| {}).await;
    let answer = open.answer(get("/__chatferry/dump", "")).await.unwrap();
    assert_eq!(answer.body(), dump(&open).as_bytes());
    let answer = open.answer(get("/__chatferry/counts", "")).await.unwrap();
    insta::assert_snapshot!("counts", String::from_utf8_lossy(answer.body()));
    let closed = super::simulator(|settings| settings.api_key = Some("key".to_owned()));
    assert_eq!(
        closed
            .answer(get("/__chatferry/dump", ""))
            .await
            .unwrap()
            .status(),
        401
    );
    assert_eq!(
        closed
            .answer(get("/__chatferry/dump", "key"))
            .await
            .unwrap()
            .status(),
        200
    );
}
