//! What was stored can be read back, with the oddities of the documentation.

use std::time::Duration;

use bytes::Bytes;
use chatferry_simulator::{Keep, Settings, Simulator};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::advance;

use super::{NOW, all_succeed, import, peopled, text, with};

/// Asks for something over the API's other door; gives the status and the answer.
pub(crate) async fn ask(
    simulator: &Simulator,
    method: &str,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let body = match body {
        Value::Null => Bytes::new(),
        body => body.to_string().into(),
    };
    let request = Request::builder()
        .method(method.parse::<Method>().expect("a method"))
        .uri(format!("https://app.api-eu.cometchat.io/v3{path}"))
        .header("apikey", "key")
        .body(body)
        .expect("a request");
    let response = simulator.answer(request).await.expect("an answer");
    let answer = serde_json::from_slice(response.body()).expect("JSON");
    (response.status().as_u16(), answer)
}

pub(crate) async fn get(simulator: &Simulator, path: &str) -> Value {
    let (status, answer) = ask(simulator, "GET", path, Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The status and the code of a request that fails.
pub(crate) async fn code(simulator: &Simulator, method: &str, path: &str) -> (u16, String) {
    let (status, answer) = ask(simulator, method, path, Value::Null).await;
    (
        status,
        answer["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

/// The values under a key of each entry.
pub(crate) fn all(answer: &Value, key: &str) -> Vec<String> {
    let of = |entry: &Value| entry[key].as_str().expect("a text").to_owned();
    match &answer["data"] {
        Value::Array(entries) => entries.iter().map(of).collect(),
        Value::Object(entries) => entries.values().map(of).collect(),
        other => panic!("{other}"),
    }
}

/// A simulator with ann, bob and a deactivated eve, the group team with bob in it and eve banned
/// from it, and three messages.
pub(crate) async fn talking(change: impl FnOnce(&mut Settings)) -> Simulator {
    let simulator = peopled(change).await;
    let eve = json!({"eve": {"uid": "eve", "name": "Eve", "deactivatedAt": 1_670_000_000, "tags": ["x"]}});
    all_succeed(&import(&simulator, "users", eve).await);
    let members = json!({
        "team_member_bob": {"memberId": "team_member_bob", "guid": "team", "uid": "bob",
            "scope": "moderator", "joinedAt": 1_673_421_419},
        "team_member_eve": {"memberId": "team_member_eve", "guid": "team", "uid": "eve",
            "isBanned": true, "joinedAt": 1_673_421_420},
    });
    all_succeed(&import(&simulator, "members", members).await);
    let to_team = with(
        text("2"),
        json!({"receiverType": "group", "receiver": "team",
        "sentAt": NOW - 90, "tags": ["t"], "readAt": NOW - 1}),
    );
    let messages = json!({"1": text("1"), "2": to_team, "3": text("3")});
    all_succeed(&import(&simulator, "messages", messages).await);
    simulator
}

#[tokio::test]
async fn whole_lists_read_like_this() {
    let simulator = talking(|_| {}).await;
    let mut said = String::new();
    for path in [
        "/users?withDeactivated=true&withTags=true",
        "/groups",
        "/groups/team",
        "/groups/team/members",
        "/groups/team/bannedusers",
        "/messages?limit=1&affix=append&id=1",
        "/messages/1",
    ] {
        let answer = get(&simulator, path).await;
        said.push_str(&format!(
            "GET {path}\n{}\n",
            serde_json::to_string_pretty(&answer).unwrap()
        ));
    }
    insta::assert_snapshot!("lists", said);
}

#[tokio::test]
async fn deactivated_users_are_hidden_unless_asked_for() {
    let simulator = talking(|_| {}).await;
    assert_eq!(all(&get(&simulator, "/users").await, "uid"), ["ann", "bob"]);
    let with = get(&simulator, "/users?withDeactivated=true").await;
    assert_eq!(all(&with, "uid"), ["ann", "bob", "eve"]);
    let only = get(&simulator, "/users?onlyDeactivated=true").await;
    assert_eq!(all(&only, "uid"), ["eve"]);
    assert_eq!(get(&simulator, "/users/ANN").await["data"]["name"], "Ann");
    let missing = (404, "ERR_UID_NOT_FOUND".to_owned());
    assert_eq!(code(&simulator, "GET", "/users/eve").await, missing);
    assert_eq!(code(&simulator, "GET", "/users/nobody").await, missing);
}

#[tokio::test]
async fn pages_follow_one_another_and_the_total_is_never_told() {
    let simulator = talking(|_| {}).await;
    let first = get(&simulator, "/users?withDeactivated=true&perPage=2").await;
    let second = get(&simulator, "/users?withDeactivated=true&perPage=2&page=2").await;
    let third = get(&simulator, "/users?withDeactivated=true&perPage=2&page=3").await;
    assert_eq!(all(&first, "uid"), ["ann", "bob"]);
    assert_eq!(all(&second, "uid"), ["eve"]);
    assert_eq!(third["data"], json!([]));
    let pagination =
        json!({"total": 0, "count": 1, "per_page": 2, "current_page": 2, "total_pages": 2});
    assert_eq!(second["meta"]["pagination"], pagination);
    assert_eq!(code(&simulator, "GET", "/users?perPage=1001").await.0, 400);
    let simulator = talking(|settings| settings.switch("total", "true").unwrap()).await;
    assert_eq!(
        get(&simulator, "/users").await["meta"]["pagination"]["total"],
        2
    );
}

#[tokio::test]
async fn groups_can_come_as_an_object_and_cursors_stand_elsewhere() {
    let simulator = talking(|settings| settings.switch("list-data", "object").unwrap()).await;
    let groups = get(&simulator, "/groups").await;
    assert_eq!(groups["data"]["0"]["guid"], "team");
    assert_eq!(groups["cursor"]["affix"], "prepend");
    let simulator = talking(|settings| settings.switch("cursor-place", "meta").unwrap()).await;
    let users = get(&simulator, "/users").await;
    assert_eq!(
        (&users["cursor"], &users["meta"]["cursor"]["affix"]),
        (&Value::Null, &json!("prepend"))
    );
    let simulator = talking(|settings| settings.switch("cursor-place", "none").unwrap()).await;
    assert!(
        !get(&simulator, "/users")
            .await
            .to_string()
            .contains("cursor")
    );
}

#[tokio::test]
async fn members_are_users_and_the_banned_are_listed_apart() {
    let simulator = talking(|_| {}).await;
    let members = get(&simulator, "/groups/team/members").await;
    let bob = &members["data"][0];
    assert_eq!(all(&members, "uid"), ["bob"]);
    assert_eq!(
        (&bob["scope"], &bob["joinedAt"]),
        (&json!("moderator"), &json!(1_673_421_419))
    );
    let banned = get(&simulator, "/groups/team/bannedusers").await;
    assert_eq!(all(&banned, "uid"), ["eve"]);
    assert_eq!(banned["data"][0]["joinedAt"], Value::Null);
    let missing = (404, "ERR_GUID_NOT_FOUND".to_owned());
    assert_eq!(
        code(&simulator, "GET", "/groups/none/members").await,
        missing
    );
    assert_eq!(
        get(&simulator, "/groups/team").await["data"]["membersCount"],
        1
    );
}

#[tokio::test]
async fn messages_are_walked_by_what_the_answer_says_comes_next() {
    for (order, expected) in [("id", ["1", "2", "3"]), ("sent-at", ["2", "1", "3"])] {
        let simulator = talking(|settings| settings.switch("list-order", order).unwrap()).await;
        let mut seen = Vec::new();
        let mut path = "/messages?limit=1&affix=append&id=0".to_owned();
        loop {
            let answer = get(&simulator, &path).await;
            seen.extend(all(&answer, "id"));
            let next = &answer["meta"]["next"];
            if answer["meta"]["current"]["count"] == 0 {
                assert_eq!(next, &Value::Null);
                break;
            }
            let (id, sent_at) = (next["id"].as_str().unwrap(), &next["sentAt"]);
            path = format!("/messages?limit=1&affix=append&id={id}&sentAt={sent_at}");
        }
        assert_eq!(seen, expected, "{order}");
        let before = get(&simulator, "/messages?limit=2&affix=prepend").await;
        assert_eq!(all(&before, "id"), expected[1..], "{order}");
    }
}

#[tokio::test]
async fn messages_hide_what_no_sample_shows() {
    let simulator = talking(|_| {}).await;
    let messages = get(&simulator, "/messages?limit=10").await;
    let second = &messages["data"][1];
    for hidden in ["muid", "readAt", "tags"] {
        assert_eq!(second[hidden], Value::Null, "{hidden}");
    }
    assert_eq!(
        second["data"]["entities"]["receiver"]["entity"]["guid"],
        "team"
    );
    let tagged = get(&simulator, "/messages?limit=10&withTags=true").await;
    assert_eq!(tagged["data"][1]["tags"], json!(["t"]));
    let simulator = talking(|settings| settings.switch("muid-shown", "yes").unwrap()).await;
    assert_eq!(
        all(&get(&simulator, "/messages").await, "muid"),
        ["1", "2", "3"]
    );
}

#[tokio::test]
async fn messages_are_picked_by_filters() {
    let simulator = talking(|_| {}).await;
    for (filter, expected) in [
        ("conversationId=group_team", vec!["2"]),
        ("receiverType=user&sender=ann", vec!["1", "3"]),
        ("type=image", vec![]),
        ("types=text,image", vec!["1", "2", "3"]),
        (
            &format!("fromTimestamp={}&toTimestamp={}", NOW - 100, NOW - 70),
            vec!["2"],
        ),
        (&format!("toTimestamp={}", NOW - 70), vec!["1", "2", "3"]),
    ] {
        let found = get(&simulator, &format!("/messages?limit=100&{filter}")).await;
        assert_eq!(all(&found, "id"), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_walk_can_begin_and_go_on_otherwise() {
    let simulator =
        talking(|settings| settings.switch("list-start", "from-timestamp").unwrap()).await;
    let nothing = (404, "ERR_MESSAGE_ID_NOT_FOUND".to_owned());
    assert_eq!(
        code(&simulator, "GET", "/messages?affix=append&id=0").await,
        nothing
    );
    let from = get(&simulator, "/messages?affix=append&fromTimestamp=1").await;
    assert_eq!(all(&from, "id").len(), 3);
    let simulator = talking(|settings| settings.switch("next-page", "cursor").unwrap()).await;
    let cursor = json!({"affix": "append", "id": "3"});
    assert_eq!(get(&simulator, "/messages").await["meta"]["cursor"], cursor);
    let simulator = talking(|settings| settings.switch("next-page", "none").unwrap()).await;
    let meta = json!({"current": {"limit": 10, "count": 3}});
    assert_eq!(get(&simulator, "/messages").await["meta"], meta);
}

#[tokio::test]
async fn a_message_that_is_not_there_has_one_of_two_codes() {
    for (value, expected) in [
        ("message-id", "ERR_MESSAGE_ID_NOT_FOUND"),
        ("msg", "ERR_MSG_NOT_FOUND"),
    ] {
        let simulator = talking(|settings| settings.switch("no-message", value).unwrap()).await;
        for id in ["0", "4", "x"] {
            let found = code(&simulator, "GET", &format!("/messages/{id}")).await;
            assert_eq!(found, (404, expected.to_owned()));
        }
    }
}

#[tokio::test]
async fn an_edit_shows_in_the_message_and_as_one_more() {
    let simulator = talking(|_| {}).await;
    let (status, _) = ask(
        &simulator,
        "POST",
        "/__chatferry/edit",
        json!({"id": "1", "text": "Ho"}),
    )
    .await;
    assert_eq!(status, 200);
    let all_of_them = get(&simulator, "/messages").await;
    assert_eq!(
        all(&all_of_them, "category"),
        ["message", "message", "message", "action"]
    );
    let edited = &all_of_them["data"][0];
    assert_eq!(
        (&edited["data"]["text"], &edited["editedAt"]),
        (&json!("Ho"), &json!(NOW))
    );
    assert_eq!(all_of_them["data"][3]["data"]["action"], "edited");
    let own = get(&simulator, "/messages?categories=message,custom").await;
    assert_eq!(all(&own, "id"), ["1", "2", "3"]);
    assert_eq!(simulator.counts().messages, 3);
}

#[tokio::test(start_paused = true)]
async fn lists_may_show_what_was_stored_some_time_later() {
    let simulator = talking(|settings| settings.read_delay = Duration::from_secs(5)).await;
    for path in [
        "/users?withDeactivated=true",
        "/groups",
        "/groups/team/members",
        "/messages",
    ] {
        assert_eq!(get(&simulator, path).await["data"], json!([]), "{path}");
    }
    assert_eq!(get(&simulator, "/messages/1").await["data"]["id"], "1");
    advance(Duration::from_secs(5)).await;
    for path in [
        "/users?withDeactivated=true",
        "/groups",
        "/groups/team/members",
        "/messages",
    ] {
        assert_ne!(get(&simulator, path).await["data"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn the_owner_of_a_group_may_become_a_member_of_it() {
    for (value, expected) in [("no", vec![]), ("yes", vec!["ann"])] {
        let simulator = peopled(|settings| settings.switch("owner-joins", value).unwrap()).await;
        let group =
            json!({"own": {"guid": "own", "name": "Own", "type": "public", "owner": "ann"}});
        all_succeed(&import(&simulator, "groups", group).await);
        let members = get(&simulator, "/groups/own/members").await;
        assert_eq!(all(&members, "uid"), expected);
    }
}

#[tokio::test]
async fn with_ids_alone_there_is_nothing_to_read_back() {
    let simulator = talking(|settings| settings.keep = Keep::Ids).await;
    let nothing = (404, "ERR_API_NOT_FOUND".to_owned());
    assert_eq!(code(&simulator, "GET", "/users").await, nothing);
}
