//! Each switch away from its default.

use serde_json::{Value, json};

use super::{
    NOW, all_succeed, import, peopled, send_records, simulator, switched, text, verdict, with, word,
};

#[tokio::test]
async fn key_mismatch() {
    let eve = json!({"e": {"uid": "eve", "name": "Eve"}});
    let strict = peopled(|_| {}).await;
    let verdicts = import(&strict, "users", eve.clone()).await;
    assert_eq!(word(&verdicts["e"]), "ERR_BAD_REQUEST");
    assert!(verdicts["e"]["error"]["details"]["uid"].is_array());
    let lenient = switched("key-mismatch", "accept").await;
    all_succeed(&import(&lenient, "users", eve).await);
}

#[tokio::test]
async fn too_many() {
    let messages = || {
        Value::Object(
            (0..51)
                .map(|n| (format!("m{n}"), text(&format!("m{n}"))))
                .collect(),
        )
    };
    let format = switched("too-many", "format").await;
    let (status, answer) = send_records(&format, "messages", messages()).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["code"], "ERR_IMPORT_INVALID_MESSAGE_FORMAT");
    let accept = switched("too-many", "accept").await;
    all_succeed(&import(&accept, "messages", messages()).await);
}

#[tokio::test]
async fn empty_map() {
    let strict = simulator(|_| {});
    let (status, answer) = send_records(&strict, "members", json!({})).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["code"], "ERR_IMPORT_INVALID_MEMBER_FORMAT");
    let lenient = switched("empty-map", "accept").await;
    let answer = send_records(&lenient, "members", json!({})).await;
    assert_eq!(answer, (200, json!({"data": {}})));
}

#[tokio::test]
async fn duplicates() {
    let simulator = switched("duplicates", "overwrite").await;
    let ann = json!({"ann": {"uid": "ann", "name": "Anna"}});
    all_succeed(&import(&simulator, "users", ann).await);
    let team = json!({"team": {"guid": "team", "name": "New", "type": "private"}});
    all_succeed(&import(&simulator, "groups", team).await);
    let member = json!({"memberId": "team_member_ann", "guid": "team", "uid": "ann"});
    assert_eq!(verdict(&simulator, "members", member.clone()).await, "ok");
    assert_eq!(verdict(&simulator, "members", member).await, "ok");
    let verdicts = import(&simulator, "messages", json!({"m": text("m")})).await;
    assert_eq!(
        verdicts["m"]["data"]["data"]["entities"]["sender"]["entity"]["name"],
        "Anna"
    );
    let again = verdict(&simulator, "messages", text("m")).await;
    assert_eq!(again, "ERR_IMPORT_MUID_ALREADY_EXISTS");
    let counts = simulator.counts();
    assert_eq!((counts.users, counts.groups, counts.members), (2, 1, 1));
}

#[tokio::test]
async fn missing_reference() {
    let simulator = switched("missing-reference", "create").await;
    let message = with(
        text("m"),
        json!({"sender": "Eve", "receiverType": "group", "receiver": "club"}),
    );
    assert_eq!(verdict(&simulator, "messages", message).await, "ok");
    let counts = simulator.counts();
    assert_eq!((counts.users, counts.groups), (3, 2));
}

#[tokio::test]
async fn inline_missing() {
    let simulator = switched("inline-missing", "refuse").await;
    let details = json!({"uid": "eve", "name": "Eve"});
    let message = with(
        text("m"),
        json!({"sender": "eve", "senderUserDetails": details}),
    );
    assert_eq!(
        verdict(&simulator, "messages", message).await,
        "ERR_UID_NOT_FOUND"
    );
    let mentions = with(text("n"), json!({"mentionedUserDetails": {"eve": details}}));
    assert_eq!(verdict(&simulator, "messages", mentions).await, "ok");
    assert_eq!(simulator.counts().users, 2);
}

#[tokio::test]
async fn inline_existing() {
    for (value, expected) in [("ignore", "Ann"), ("overwrite", "Anna")] {
        let simulator = switched("inline-existing", value).await;
        let details = json!({"uid": "ann", "name": "Anna"});
        let message = with(text("m"), json!({"senderUserDetails": details}));
        let verdicts = import(&simulator, "messages", json!({"m": message})).await;
        let sender = &verdicts["m"]["data"]["data"]["entities"]["sender"]["entity"];
        assert_eq!(sender["name"], expected);
    }
}

#[tokio::test]
async fn unknown_role() {
    let simulator = switched("unknown-role", "bad-request").await;
    let eve = json!({"uid": "eve", "name": "Eve", "role": "boss"});
    assert_eq!(verdict(&simulator, "users", eve).await, "ERR_BAD_REQUEST");
}

#[tokio::test]
async fn poison() {
    let simulator = switched("poison", "record").await;
    let old = json!({"sentAt": NOW - 200 * 24 * 60 * 60});
    let blank = json!({"data": {"text": ""}});
    let batch = json!({"a": with(text("a"), old), "b": with(text("b"), blank), "c": text("c")});
    let verdicts = import(&simulator, "messages", batch).await;
    let message = &verdicts["a"]["error"]["message"];
    assert_eq!(message, "Messages older than 6 months cannot be imported");
    assert_eq!(word(&verdicts["b"]), "ERR_EMPTY_MESSAGE_TEXT");
    assert_eq!(word(&verdicts["c"]), "ok");
}

#[tokio::test]
async fn entity() {
    let simulator = switched("entity", "wrapped").await;
    let verdicts = import(&simulator, "messages", json!({"m": text("m")})).await;
    assert_eq!(verdicts["m"]["data"]["data"]["muid"], "m");
}

#[tokio::test]
async fn answer_keys() {
    let eve = json!({"Eve": {"uid": "Eve", "name": "Eve"}});
    let plain = peopled(|_| {}).await;
    assert_eq!(
        import(&plain, "users", eve.clone()).await["Eve"]["data"]["uid"],
        "eve"
    );
    let lower = switched("answer-keys", "lower-case").await;
    assert_eq!(
        import(&lower, "users", eve).await["eve"]["data"]["uid"],
        "eve"
    );
}

#[tokio::test]
async fn unknown_keys() {
    let simulator = switched("unknown-keys", "refuse").await;
    let body = json!({"users": {"eve": {"uid": "eve", "name": "Eve"}}, "guid": "x"}).to_string();
    let answer = super::send(&simulator, "users", body).await;
    assert_eq!(answer.status(), 400);
    let message = with(text("m"), json!({"parentId": 7}));
    assert_eq!(
        verdict(&simulator, "messages", message).await,
        "ERR_BAD_REQUEST"
    );
    let details = json!({"senderUserDetails": {"uid": "ann", "name": "Ann", "age": 7}});
    assert_eq!(
        verdict(&simulator, "messages", with(text("m"), details)).await,
        "ERR_BAD_REQUEST"
    );
    let extra = with(text("m"), json!({"data": {"text": "Hi", "extra": 7}}));
    assert_eq!(verdict(&simulator, "messages", extra).await, "ok");
}

#[tokio::test]
async fn attachment_url() {
    let image = json!({"url": "https://a.example/x/a.png?s=1", "name": "a.png",
                       "mimeType": "image/png", "extension": "png"});
    let message = with(
        text("m"),
        json!({"type": "image", "data": {"attachments": [image]}}),
    );
    for (value, expected) in [
        ("keep", "https://a.example/x/a.png?s=1"),
        ("rewrite", "https://files.simulator.invalid/a.png?s=1"),
    ] {
        let simulator = switched("attachment-url", value).await;
        let verdicts = import(&simulator, "messages", json!({"m": message.clone()})).await;
        assert_eq!(
            verdicts["m"]["data"]["data"]["attachments"][0]["url"],
            expected
        );
    }
}

#[tokio::test]
async fn joined_at() {
    for (value, expected) in [
        ("not-before", "ok"),
        ("after", "ERR_IMPORT_INVALID_JOINEDAT"),
    ] {
        let simulator = switched("joined-at", value).await;
        let member = json!({"memberId": "g_member_ann", "guid": "g", "uid": "ann",
            "joinedAt": NOW - 9,
            "groupDetails": {"guid": "g", "name": "G", "type": "public", "createdAt": NOW - 9}});
        assert_eq!(verdict(&simulator, "members", member).await, expected);
    }
}

#[tokio::test]
async fn entities_that_were_sent_give_way_to_the_services_own() {
    let simulator = peopled(|_| {}).await;
    let message = with(
        text("m"),
        json!({"data": {"text": "Hi", "entities": 7, "x": 1}}),
    );
    let verdicts = import(&simulator, "messages", json!({"m": message})).await;
    let data = &verdicts["m"]["data"]["data"];
    assert_eq!(data["entities"]["sender"]["entity"]["uid"], "ann");
    assert_eq!((&data["text"], &data["x"]), (&json!("Hi"), &json!(1)));
}
