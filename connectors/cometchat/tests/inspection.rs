//! What the app holds is read back and taken away, whichever way the API answers.
//!
//! The answers are those of CometChat's own samples ("Chat APIs"), shortened.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod support;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use chatferry_cometchat::{CometChat, Reply, Settings, Transport, TransportError};
use chatferry_core::{
    Cursor, Entity, Failure, Inspection, Item, Origin, Page, Permit, Record, RecordId, Removal,
    Removed,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// An API that answers as it is told, and remembers what it was asked.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Reply, TransportError> {
        let body = String::from_utf8_lossy(&body);
        let asked = format!("{method} {path} {body}").trim_end().to_owned();
        self.asked.lock().unwrap().push(asked);
        match self.answers.lock().unwrap().pop_front() {
            Some((status, body)) => Ok(Reply {
                status,
                headers: HeaderMap::new(),
                body: body.to_string().into(),
            }),
            None => Err(TransportError::Lost("no more answers".into())),
        }
    }
}

fn app(answers: impl IntoIterator<Item = (u16, Value)>) -> (CometChat, Arc<Scripted>) {
    let transport = Arc::new(Scripted {
        answers: Mutex::new(answers.into_iter().collect()),
        asked: Mutex::default(),
    });
    let settings = Settings {
        other_requests_per_minute: NonZeroU32::new(500),
        ..support::settings()
    };
    (
        CometChat::over(&settings, Arc::clone(&transport) as _),
        transport,
    )
}

fn error(code: &str) -> Value {
    json!({"error": {"code": code, "message": "no"}})
}

/// Lists to the end, and gives the items and what was asked.
async fn list(
    entity: Entity,
    within: Option<&str>,
    answers: Vec<(u16, Value)>,
) -> (Vec<Item>, Vec<String>) {
    let (app, transport) = app(answers);
    let (mut items, mut from) = (Vec::new(), None::<Cursor>);
    loop {
        let page = app
            .list(Permit::issue(), entity, within, from.as_ref())
            .await;
        let Page { items: more, next } = page.unwrap();
        items.extend(more);
        from = next;
        if from.is_none() {
            let asked = std::mem::take(&mut *transport.asked.lock().unwrap());
            return (items, asked);
        }
    }
}

fn ids(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item.id.as_ref().unwrap().as_str())
        .collect()
}

fn numbers(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item.number.as_deref().unwrap())
        .collect()
}

/// The value that is compared and shown of a field.
fn told(entity: Entity, item: &Item, name: &str) -> Option<String> {
    let (app, _) = app([]);
    let place = app
        .compared(entity)
        .iter()
        .position(|field| *field == name)
        .unwrap();
    item.contents.fields[place]
        .as_ref()
        .map(|told| told.shown().to_owned())
}

fn users(uids: &[&str]) -> Value {
    let user = |uid: &&str| json!({"uid": uid, "name": "A", "status": "offline", "role": "default", "createdAt": 1_629_869_270});
    let data: Vec<Value> = uids.iter().map(user).collect();
    json!({"data": data, "meta": {"pagination": {"total": 0, "count": 5, "per_page": 100, "current_page": 1, "total_pages": 1}},
        "cursor": {"updatedAt": 1_638_354_799, "affix": "prepend"}})
}

fn message(id: &str, changes: Value) -> Value {
    let mut message = json!({"id": id, "conversationId": "ann_user_bob", "sender": "bob", "receiverType": "user",
        "receiver": "ann", "category": "message", "type": "text",
        "data": {"text": "test", "entities": {"sender": {}}, "metadata": {"key1": "val1"}},
        "sentAt": 1_638_423_490, "updatedAt": 1_638_423_490});
    let Value::Object(changes) = changes else {
        panic!("changes are by name");
    };
    message.as_object_mut().unwrap().extend(changes);
    message
}

fn messages(messages: &[Value], next: Value) -> Value {
    let mut answer =
        json!({"data": messages, "meta": {"current": {"limit": 1000, "count": messages.len()}}});
    let Value::Object(next) = next else {
        panic!("what is next stands by name");
    };
    answer["meta"].as_object_mut().unwrap().extend(next);
    answer
}

#[tokio::test]
async fn users_are_listed_with_those_that_are_deactivated_until_a_page_is_empty() {
    let pages = vec![
        (200, users(&["ann", "app_system", "bob"])),
        (200, users(&["eve"])),
        (200, users(&[])),
    ];
    let (items, asked) = list(Entity::Users, None, pages).await;
    assert_eq!(ids(&items), ["ann", "bob", "eve"]);
    let page = |page: u64| {
        format!("GET /users?perPage=1000&page={page}&withDeactivated=true&withTags=true")
    };
    assert_eq!(asked, [page(1), page(2), page(3)]);
    assert_eq!(
        told(Entity::Users, &items[0], "name").as_deref(),
        Some("\"A\"")
    );
    assert_eq!(
        told(Entity::Users, &items[0], "avatar").as_deref(),
        Some("nothing")
    );
    assert_eq!(
        told(Entity::Users, &items[0], "tags"),
        None,
        "no sample shows tags"
    );
}

#[tokio::test]
async fn groups_come_as_an_array_as_an_object_and_as_the_odd_sample() {
    let group = |guid: &str| json!({"guid": guid, "name": "G", "type": "public", "owner": "ann", "createdAt": 1});
    let mut odd = json!({"0": group("b")});
    for (name, value) in group("a").as_object().unwrap() {
        odd[name] = value.clone();
    }
    for (data, expected) in [
        (json!([group("a"), group("b")]), vec!["a", "b"]),
        (
            json!({"0": group("a"), "10": group("c"), "2": group("b")}),
            vec!["a", "b", "c"],
        ),
        (odd, vec!["b", "a"]),
    ] {
        let pages = vec![(200, json!({"data": data})), (200, json!({"data": {}}))];
        let (items, asked) = list(Entity::Groups, None, pages).await;
        assert_eq!(ids(&items), expected);
        assert_eq!(
            asked[1],
            "GET /groups?perPage=1000&page=2&sortBy=guid&sortOrder=asc"
        );
    }
}

#[tokio::test]
async fn members_are_listed_before_the_banned_and_in_full_pages() {
    let member = json!({"uid": "ann", "name": "Ann", "scope": "admin", "joinedAt": 1_638_360_106});
    let full = json!({"data": [member], "meta": {"pagination": {"total": 0, "per_page": 1}}});
    let empty = json!({"data": [], "meta": {"pagination": {"total": 0, "per_page": 1}}});
    let banned = json!({"data": [{"uid": "eve", "name": "Eve"}]});
    let pages = vec![(200, full), (200, empty), (200, banned)];
    let (items, asked) = list(Entity::Members, Some("team"), pages).await;
    assert_eq!(ids(&items), ["team_member_ann", "team_member_eve"]);
    let list = |list: &str, page: u64| format!("GET /groups/team/{list}?perPage=1000&page={page}");
    assert_eq!(
        asked,
        [
            list("members", 1),
            list("members", 2),
            list("bannedusers", 1)
        ]
    );
    let of = |item: usize, name: &str| told(Entity::Members, &items[item], name);
    assert_eq!(
        (of(0, "scope").as_deref(), of(0, "isBanned").as_deref()),
        (Some("\"admin\""), Some("false"))
    );
    assert_eq!(
        (of(1, "scope"), of(1, "isBanned").as_deref()),
        (None, Some("true"))
    );
}

#[tokio::test]
async fn a_group_that_is_not_there_has_no_members() {
    let (items, asked) = list(
        Entity::Members,
        Some("gone"),
        vec![(404, error("ERR_GUID_NOT_FOUND"))],
    )
    .await;
    assert_eq!((items.len(), asked.len()), (0, 1));
}

#[tokio::test]
async fn messages_are_walked_wherever_the_answer_says_what_comes_next() {
    let base = "GET /messages?limit=1000&affix=append&categories=message,custom&withTags=true";
    for (next, expected) in [
        (
            json!({"next": {"affix": "append", "sentAt": 5, "id": "7"}}),
            "&id=7&sentAt=5",
        ),
        (json!({"cursor": {"affix": "append", "id": 7}}), "&id=7"),
        (json!({}), "&id=2&sentAt=1638423490"),
    ] {
        let first = messages(&[message("1", json!({})), message("2", json!({}))], next);
        let pages = vec![(200, first), (200, messages(&[], json!({})))];
        let (items, asked) = list(Entity::Messages, None, pages).await;
        assert_eq!(numbers(&items), ["1", "2"]);
        assert_eq!(asked, [format!("{base}&id=0"), format!("{base}{expected}")]);
    }
}

#[tokio::test]
async fn a_walk_begins_in_whichever_way_works() {
    let base = "GET /messages?limit=1000&affix=append&categories=message,custom&withTags=true";
    let empty = || (200, messages(&[], json!({})));
    for first in [
        (404, error("ERR_MESSAGE_ID_NOT_FOUND")),
        (400, error("ERR_BAD_REQUEST")),
        empty(),
    ] {
        let pages = vec![
            first,
            (200, messages(&[message("1", json!({}))], json!({}))),
            empty(),
        ];
        let (items, asked) = list(Entity::Messages, None, pages).await;
        assert_eq!(numbers(&items), ["1"]);
        assert_eq!(
            asked[..2],
            [format!("{base}&id=0"), format!("{base}&fromTimestamp=1")]
        );
    }
    let (items, asked) = list(Entity::Messages, None, vec![empty(), empty(), empty()]).await;
    assert_eq!((items.len(), asked.len()), (0, 3));
}

#[tokio::test]
async fn what_the_service_says_itself_is_nobodys_message_and_the_deleted_say_so() {
    let action = message("3", json!({"category": "action", "type": "message"}));
    let deleted = message("2", json!({"deletedAt": 1_641_477_338}));
    let page = messages(&[message("1", json!({})), deleted, action], json!({}));
    let (items, _) = list(
        Entity::Messages,
        None,
        vec![(200, page), (200, messages(&[], json!({})))],
    )
    .await;
    let deleted: Vec<bool> = items.iter().map(|item| item.deleted).collect();
    assert_eq!(
        (numbers(&items), deleted),
        (vec!["1", "2"], vec![false, true])
    );
}

#[tokio::test]
async fn one_thing_is_found_or_not() {
    for code in ["ERR_MESSAGE_ID_NOT_FOUND", "ERR_MSG_NOT_FOUND"] {
        let (app, _) = app([(404, error(code))]);
        let found = app.find(Permit::issue(), Entity::Messages, "1/2").await;
        assert!(found.unwrap().is_none());
    }
    let (app, transport) = app([(200, json!({"data": message("12", json!({}))}))]);
    let found = app
        .find(Permit::issue(), Entity::Messages, "1/2")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(numbers(&[found]), ["12"]);
    assert_eq!(*transport.asked.lock().unwrap(), ["GET /messages/1%2F2"]);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let is = |expected: &str, failure: &Failure| {
        assert!(format!("{failure:?}").starts_with(expected), "{failure:?}");
    };
    for (status, body, expected) in [
        (429, error("ERR_TOO_MANY_REQUESTS"), "Throttled"),
        (401, error("AUTH_ERR_APIKEY_NOT_FOUND"), "Stop"),
        (404, error("ERR_API_NOT_FOUND"), "Stop"),
        (403, error("ERR_WHATEVER"), "Stop"),
        (400, error("ERR_BAD_REQUEST"), "Stop"),
        (500, error("ERR_EXCEPTION"), "Doubt"),
        (200, json!({"no": "data"}), "Doubt"),
        (502, json!(null), "Doubt"),
    ] {
        let (app, _) = app([(status, body)]);
        is(
            expected,
            &app.list(Permit::issue(), Entity::Users, None, None)
                .await
                .unwrap_err(),
        );
    }
}

fn record(entity: Entity, json: &Value) -> Record {
    Record {
        entity,
        id: RecordId::new("any"),
        origin: Origin::default(),
        lane: 0,
        sent_at: None,
        references: Vec::new(),
        adjusted: Vec::new(),
        json: json.to_string().into(),
    }
}

/// The fields in which what was sent differs from what was read back.
async fn differences(entity: Entity, sent: &Value, stored: &Value) -> Vec<&'static str> {
    let (app, _) = app([(200, json!({"data": stored}))]);
    let found = app
        .find(Permit::issue(), entity, "any")
        .await
        .unwrap()
        .unwrap();
    let expected = app.expected(&record(entity, sent)).contents;
    let names = app.compared(entity).iter();
    let pairs = names.zip(expected.fields.iter().zip(&found.contents.fields));
    pairs
        .filter(|(_, pair)| matches!(pair, (Some(one), Some(other)) if one.value != other.value))
        .map(|(name, _)| *name)
        .collect()
}

#[tokio::test]
async fn values_that_mean_the_same_are_equal() {
    let sent = json!({"uid": "ann", "name": "Ann", "metadata": {"b": 1, "a": {"x": 1.0, "empty": {}}}, "tags": ["t"], "deactivatedAt": 1_670_000_000});
    let stored = json!({"uid": "ann", "name": "Ann", "avatar": "https://a.example", "role": "default",
        "metadata": {"a": {"x": 1, "empty": []}, "b": 1}, "deactivatedAt": 1_670_000_000});
    assert_eq!(differences(Entity::Users, &sent, &stored).await, [""; 0]);
    let file = |url: &str, size: Value| json!({"url": url, "name": "a.png", "mimeType": "image/png", "extension": "png", "size": size});
    let with = |file: Value| {
        message(
            "1",
            json!({"muid": "m", "type": "image", "data": {"attachments": [file]}}),
        )
    };
    let (sent, stored) = (
        with(file("https://a.example/a.png", json!("35"))),
        with(file("https://b.example/x", json!(35))),
    );
    assert_eq!(differences(Entity::Messages, &sent, &stored).await, [""; 0]);
}

#[tokio::test]
async fn values_that_differ_are_named() {
    let sent =
        json!({"uid": "ann", "name": "Ann", "metadata": {"a": 1}, "role": "admin", "createdAt": 1});
    let stored = json!({"uid": "ann", "name": "Anne", "role": "default", "createdAt": 1, "deactivatedAt": 1});
    let expected = ["name", "role", "metadata", "deactivated"];
    assert_eq!(differences(Entity::Users, &sent, &stored).await, expected);
    let sent = message(
        "1",
        json!({"tags": ["a"], "data": {"text": "a", "customData": {"x": 1}}}),
    );
    let stored = message(
        "1",
        json!({"tags": ["b"], "receiver": "eve", "sentAt": 7, "data": {"text": "A"}}),
    );
    let expected = ["receiver", "sentAt", "text", "customData", "tags"];
    assert_eq!(
        differences(Entity::Messages, &sent, &stored).await,
        expected
    );
}

#[test]
fn what_only_the_user_may_see_is_compared_and_not_shown() {
    let (app, _) = app([]);
    let metadata = |private: &str| json!({"uid": "ann", "name": "A", "metadata": {"open": 1, "@private": {"phone": private}}});
    let told = |private| {
        let expected = app.expected(&record(Entity::Users, &metadata(private)));
        expected.contents.fields[5].clone().unwrap()
    };
    assert_ne!(told("1234").value, told("5678").value);
    assert_eq!(told("1234").shown(), r#"{"@private":"***","open":1}"#);
}

#[test]
fn a_message_is_recognised_by_its_conversation_sender_time_type_and_text() {
    let (app, _) = app([]);
    let likeness = |changes| {
        app.expected(&record(Entity::Messages, &message("1", changes)))
            .contents
            .likeness
    };
    let same = likeness(json!({"muid": "m", "tags": ["t"]}));
    assert_eq!(same, likeness(json!({})));
    for changes in [
        json!({"sender": "ann", "receiver": "bob"}),
        json!({"sentAt": 1}),
        json!({"data": {"text": "x"}}),
    ] {
        assert_ne!(same, likeness(changes));
    }
    let part_of = |changes| {
        app.expected(&record(Entity::Messages, &message("1", changes)))
            .contents
            .part_of
    };
    assert_eq!(part_of(json!({})).as_deref(), Some("ann_user_bob"));
    assert_eq!(
        part_of(json!({"receiverType": "group", "receiver": "g"})).as_deref(),
        Some("group_g")
    );
}

#[test]
fn what_a_record_brings_along_may_be_there_too() {
    let (app, _) = app([]);
    let brought = |entity, json: Value| {
        let brings = app.expected(&record(entity, &json)).brings;
        brings
            .iter()
            .map(|(entity, id)| format!("{} {id}", entity.singular()))
            .collect::<Vec<_>>()
    };
    let group = json!({"guid": "g", "owner": "o", "groupOwnerDetails": {"uid": "o"}});
    assert_eq!(
        brought(Entity::Groups, group.clone()),
        ["member g_member_o", "user o"]
    );
    let details = json!({"senderUserDetails": {"uid": "s"}, "receiverGroupDetails": group,
        "mentionedUserDetails": {"x": {"uid": "x"}}});
    let expected = ["user s", "group g", "member g_member_o", "user x"];
    assert_eq!(brought(Entity::Messages, message("1", details)), expected);
}

/// Removes something to the end, and gives what came of it and what was asked.
async fn remove(entity: Entity, id: &str, answers: Vec<(u16, Value)>) -> (Removed, Vec<String>) {
    let (app, transport) = app(answers);
    let mut removal = Removal {
        entity,
        id: RecordId::new(id),
        number: (entity == Entity::Messages).then(|| "17".into()),
        step: 0,
    };
    loop {
        match app.remove(Permit::issue(), &removal).await.unwrap() {
            Removed::NotYet => removal.step += 1,
            removed => {
                return (
                    removed,
                    std::mem::take(&mut *transport.asked.lock().unwrap()),
                );
            }
        }
    }
}

#[tokio::test]
async fn each_entity_is_taken_away_for_good() {
    let done = || vec![(200, json!({"data": {"success": true, "message": "done"}}))];
    for (entity, id, call) in [
        (
            Entity::Messages,
            "m",
            r#"DELETE /messages/17 {"permanent":true}"#,
        ),
        (Entity::Members, "g_member_u", "DELETE /groups/g/members/u"),
        (Entity::Groups, "g", "DELETE /groups/g"),
        (Entity::Users, "u", r#"DELETE /users/u {"permanent":true}"#),
    ] {
        assert_eq!(
            remove(entity, id, done()).await,
            (Removed::Gone, vec![call.to_owned()])
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_absent_and_what_is_refused_stays() {
    for (entity, code) in [
        (Entity::Messages, "ERR_MSG_NOT_FOUND"),
        (Entity::Members, "ERR_NOT_A_MEMBER"),
        (Entity::Groups, "ERR_GUID_NOT_FOUND"),
    ] {
        let (removed, _) = remove(entity, "g_member_u", vec![(404, error(code))]).await;
        assert_eq!(removed, Removed::Absent);
    }
    let refused = vec![(400, error("ERR_MEMBER_DELETE_FAILED"))];
    let (removed, _) = remove(Entity::Members, "g_member_u", refused).await;
    let expected = Removed::Refused {
        code: "ERR_MEMBER_DELETE_FAILED".into(),
        message: "no".into(),
    };
    assert_eq!(removed, expected);
}

#[tokio::test]
async fn a_deactivated_user_is_activated_before_it_can_go() {
    let missing = || (404, error("ERR_UID_NOT_FOUND"));
    let activated = (200, json!({"data": {"reactivatedUids": ["u"]}}));
    let gone = (200, json!({"data": {"success": true}}));
    let (removed, asked) = remove(Entity::Users, "u", vec![missing(), activated, gone]).await;
    assert_eq!(removed, Removed::Gone);
    assert_eq!(asked[1], r#"PUT /users {"uidsToActivate":["u"]}"#);
    let nobody = (
        200,
        json!({"data": {"reactivatedUids": [], "notFound": ["u"]}}),
    );
    let (removed, asked) = remove(Entity::Users, "u", vec![missing(), nobody]).await;
    assert_eq!((removed, asked.len()), (Removed::Absent, 2));
}

#[tokio::test]
async fn an_id_of_a_member_that_can_be_read_in_two_ways_is_tried_in_both() {
    let answers = vec![
        (404, error("ERR_GUID_NOT_FOUND")),
        (200, json!({"data": {"success": true}})),
    ];
    let (removed, asked) = remove(Entity::Members, "a_member_b_member_c", answers).await;
    assert_eq!(removed, Removed::Gone);
    let expected = [
        "DELETE /groups/a/members/b_member_c",
        "DELETE /groups/a_member_b/members/c",
    ];
    assert_eq!(asked, expected);
}
