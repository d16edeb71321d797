//! CometChat's own samples, and the exact answers they show.

use serde_json::{Value, json};

use super::{all_succeed, import, send, simulator};

fn sample(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn the_user_sample_is_answered_as_shown() {
    let simulator = simulator(|_| {});
    let sent = r#"{ "users": { "uid1": { "uid": "uid1", "name": "uid1",
        "avatar": "https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-1.webp",
        "createdAt": 1673421419, "lastActiveAt": 1673421425, "metadata": { "key": "value" } } } }"#;
    let shown = r#"{ "data": { "uid1": { "success": true, "data": { "uid": "uid1", "name": "uid1",
        "avatar": "https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-1.webp",
        "metadata": { "key": "value" }, "status": "offline", "role": "default",
        "lastActiveAt": 1673421425, "createdAt": 1673421419 } } } }"#;
    let answer = send(&simulator, "users", sent).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        serde_json::from_slice::<Value>(answer.body()).unwrap(),
        sample(shown)
    );
}

#[tokio::test]
async fn the_group_sample_is_answered_as_shown() {
    let simulator = simulator(|_| {});
    let sent = r#"{ "groups": { "guid1": { "guid": "guid1", "name": "guid1", "type": "public",
        "createdAt": 1673421419, "owner": "cometchat-uid-1",
        "groupOwnerDetails": { "uid": "cometchat-uid-1", "name": "cometchat-uid-1" } } } }"#;
    let shown = r#"{ "data": { "guid1": { "success": true, "data": { "guid": "guid1",
        "name": "guid1", "type": "public", "conversationId": "group_guid1",
        "createdAt": 1673421419, "owner": "cometchat-uid-1" } } } }"#;
    let answer = send(&simulator, "groups", sent).await;
    assert_eq!(
        serde_json::from_slice::<Value>(answer.body()).unwrap(),
        sample(shown)
    );
    assert_eq!(simulator.counts().users, 1);
}

#[tokio::test]
async fn the_member_sample_is_answered_as_shown() {
    let simulator = simulator(|_| {});
    let owner = json!({"uid1": {"uid": "uid1", "name": "uid1"}});
    all_succeed(&import(&simulator, "users", owner).await);
    let sent = r#"{ "members": { "guid1_member_uid2": { "memberId": "guid1_member_uid2",
        "guid": "guid1", "uid": "uid2", "scope": "admin", "joinedAt": 1673421419,
        "groupDetails": { "guid": "guid1", "name": "guid1", "type": "public", "owner": "uid1",
            "createdAt": 1673421419 },
        "userDetails": { "uid": "uid2", "name": "uid2" } } } }"#;
    let shown = r#"{ "data": { "guid1_member_uid2": { "success": true,
        "data": { "guid": "guid1", "uid": "uid2", "scope": "admin", "joinedAt": 1673421419 } } } }"#;
    let answer = send(&simulator, "members", sent).await;
    assert_eq!(
        serde_json::from_slice::<Value>(answer.body()).unwrap(),
        sample(shown)
    );
    let counts = simulator.counts();
    assert_eq!((counts.users, counts.groups, counts.members), (2, 1, 1));
}

#[tokio::test]
async fn the_message_sample_is_answered_as_shown() {
    let simulator = simulator(|_| {});
    let users = json!({
        "s12": {"uid": "s12", "name": "user1", "createdAt": 1674228536},
        "r123": {"uid": "r123", "name": "Andrew Joseph", "createdAt": 1674228536},
    });
    all_succeed(&import(&simulator, "users", users).await);
    let sent = r#"{ "messages": { "m-1": { "muid": "m-1", "sender": "s12", "receiverType": "user",
        "receiver": "r123", "category": "message", "type": "text",
        "data": { "text": "Hi there", "metadata": { "key": "value" } },
        "sentAt": 1674104348, "deliveredAt": 1674224684, "readAt": 1674224684,
        "tags": ["tag1"] } } }"#;
    let shown = r#"{ "data": { "m-1": { "success": true, "data": { "id": "1", "muid": "m-1",
        "conversationId": "r123_user_s12", "sender": "s12", "receiverType": "user",
        "receiver": "r123", "category": "message", "type": "text",
        "data": { "text": "Hi there", "metadata": { "key": "value" }, "entities": {
            "sender": { "entity": { "uid": "s12", "name": "user1", "status": "offline",
                "role": "default", "createdAt": 1674228536, "updatedAt": 1680000000 },
                "entityType": "user" },
            "receiver": { "entity": { "uid": "r123", "name": "Andrew Joseph",
                "status": "offline", "role": "default", "createdAt": 1674228536,
                "updatedAt": 1680000000, "conversationId": "r123_user_s12" },
                "entityType": "user" } } },
        "sentAt": 1674104348, "deliveredAt": 1674224684, "readAt": 1674224684,
        "updatedAt": 1674104348, "tags": ["tag1"] } } } }"#;
    let answer = send(&simulator, "messages", sent).await;
    assert_eq!(
        serde_json::from_slice::<Value>(answer.body()).unwrap(),
        sample(shown)
    );
}

#[tokio::test]
async fn the_other_payloads_are_taken_and_given_back() {
    let simulator = super::peopled(|_| {}).await;
    let payloads = [
        r#"{ "category": "message", "type": "image", "data": { "text": "caption",
            "attachments": [ { "url": "https://files.example.org/a.png", "name": "a.png",
            "mimeType": "image/png", "extension": "png", "size": "35020" } ] } }"#,
        r#"{ "category": "custom", "type": "location",
            "data": { "customData": { "latitude": 48.1, "longitude": 11.6 } } }"#,
        r#"{ "category": "message", "type": "text", "data": { "text": "Ping <@uid:cid>" },
            "mentionedUserDetails": { "cid": { "uid": "cid", "name": "Cid" } } }"#,
        r#"{ "data": { "text": "Hi", "custodata": { "a": [1, 2.50, null] }, "metad2ata": {} } }"#,
    ];
    for (number, payload) in payloads.into_iter().enumerate() {
        let muid = number.to_string();
        let base = json!({"muid": muid, "sender": "ann", "receiverType": "group",
            "receiver": "team", "sentAt": "1679999999", "category": null, "type": null});
        let sent = super::with(base, sample(payload));
        let sent = super::with(
            sent.clone(),
            json!({
            "category": sent["category"], "type": sent["type"]}),
        );
        let verdicts = import(&simulator, "messages", json!({ &*muid: sent.clone() })).await;
        all_succeed(&verdicts);
        let entity = &verdicts[&*muid]["data"];
        assert_eq!(entity["conversationId"], "group_team");
        assert_eq!(entity["sentAt"], 1_679_999_999);
        for (key, value) in sent["data"].as_object().unwrap() {
            assert_eq!(&entity["data"][key], value);
        }
        let receiver = &entity["data"]["entities"]["receiver"];
        assert_eq!(receiver["entityType"], "group");
        assert_eq!(receiver["entity"]["conversationId"], "group_team");
    }
    // The mentioned one was created.
    assert_eq!(simulator.counts().users, 3);
}

#[tokio::test]
async fn whole_answers_read_like_this() {
    let simulator = super::peopled(|_| {}).await;
    let body = r#"{"messages":{
        "m1":{"muid":"m1","sender":"Ann","receiverType":"user","receiver":"bob","sentAt":"1679999999",
              "category":"message","type":"text","data":{"text":"Grüße \"1\"", "extra":[1,
              2]}},
        "m2":{"muid":"m2","sender":"eve","receiverType":"group","receiver":"team","sentAt":1679999999,
              "category":"custom","type":"poll","data":{"customData":{"q":1}},"tags":["",7]}}}"#;
    let answer = send(&simulator, "messages", body).await;
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    insta::assert_snapshot!("messages_half_taken", text);
    let answer = send(&simulator, "groups", r#"{"groups":[]}"#).await;
    insta::assert_snapshot!(
        "groups_wrong_format",
        String::from_utf8_lossy(answer.body())
    );
    let body = r#"{"users":{"EVE":{"uid":"EVE","name":"Eve","tags":["x"],"role":"Default","deactivatedAt":1673421425}}}"#;
    let answer = send(&simulator, "users", body).await;
    insta::assert_snapshot!("user_deactivated", String::from_utf8_lossy(answer.body()));
}
