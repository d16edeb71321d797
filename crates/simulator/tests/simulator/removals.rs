//! What is taken away, and what vanishes with it.

use std::num::NonZeroU32;

use chatferry_simulator::Fault;
use serde_json::{Value, json};

use super::readback::{all, ask, code, get, talking};
use super::{NOW, import, text, with, word};

fn for_good() -> Value {
    json!({"permanent": true})
}

#[tokio::test]
async fn a_message_stays_and_says_that_it_is_deleted() {
    let simulator = talking(|_| {}).await;
    let (status, answer) = ask(&simulator, "DELETE", "/messages/1", Value::Null).await;
    assert_eq!(
        (status, &answer["data"]["category"]),
        (200, &json!("action"))
    );
    let listed = get(&simulator, "/messages").await;
    assert_eq!(listed["data"][0]["deletedAt"], NOW);
    assert_eq!(all(&listed, "category").last().unwrap(), "action");
    let shown = get(&simulator, "/messages?hideDeleted=true&category=message").await;
    assert_eq!(all(&shown, "id"), ["2", "3"]);
    let deleted = get(&simulator, "/messages?onlyDeleted=true").await;
    assert_eq!(all(&deleted, "id"), ["1"]);
    assert_eq!(simulator.counts().messages, 3);
}

#[tokio::test]
async fn a_message_deleted_for_good_is_gone_and_its_muid_is_free() {
    let simulator = talking(|_| {}).await;
    let (status, answer) = ask(&simulator, "DELETE", "/messages/3", for_good()).await;
    assert_eq!(
        (status, &answer["data"]["data"]["action"]),
        (200, &json!("deleted"))
    );
    let missing = (404, "ERR_MESSAGE_ID_NOT_FOUND".to_owned());
    assert_eq!(code(&simulator, "GET", "/messages/3").await, missing);
    assert_eq!(code(&simulator, "DELETE", "/messages/3").await, missing);
    let counts = simulator.counts();
    assert_eq!((counts.messages, counts.order_violations), (2, 0));
    let again = import(&simulator, "messages", json!({"3": text("3")})).await;
    assert_eq!(word(&again["3"]), "ok");
    assert_eq!(
        again["3"]["data"]["id"], "5",
        "numbers are never given twice"
    );
}

#[tokio::test]
async fn a_message_that_comes_again_is_in_order_when_the_newer_ones_are_gone() {
    let simulator = talking(|_| {}).await;
    let later = with(text("later"), json!({"sentAt": NOW - 5}));
    import(&simulator, "messages", json!({"later": later.clone()})).await;
    for id in ["3", "4"] {
        ask(&simulator, "DELETE", &format!("/messages/{id}"), for_good()).await;
    }
    import(&simulator, "messages", json!({"3": text("3")})).await;
    import(&simulator, "messages", json!({"later": later})).await;
    assert_eq!(simulator.counts().order_violations, 0);
    let old = with(text("old"), json!({"sentAt": NOW - 61}));
    import(&simulator, "messages", json!({"old": old})).await;
    assert_eq!(simulator.counts().order_violations, 1);
}

#[tokio::test]
async fn a_user_is_deactivated_and_still_blocks_its_uid() {
    for (value, answer) in [
        (
            "success",
            json!({"success": true, "message": "User with bob has been deactivated."}),
        ),
        ("uids", json!({"deactivatedUids": ["bob"]})),
    ] {
        let simulator = talking(|settings| settings.switch("deactivation", value).unwrap()).await;
        let (status, said) = ask(&simulator, "DELETE", "/users/bob", Value::Null).await;
        assert_eq!((status, &said["data"]), (200, &answer));
        assert_eq!(code(&simulator, "GET", "/users/bob").await.0, 404);
        let again = import(
            &simulator,
            "users",
            json!({"bob": {"uid": "bob", "name": "Bob"}}),
        )
        .await;
        assert_eq!(word(&again["bob"]), "ERR_UID_ALREADY_EXISTS");
    }
}

#[tokio::test]
async fn a_user_deleted_for_good_takes_its_messages_and_memberships_along() {
    let simulator = talking(|_| {}).await;
    let (status, answer) = ask(&simulator, "DELETE", "/users/bob", for_good()).await;
    assert_eq!((status, &answer["data"]["success"]), (200, &json!(true)));
    let counts = simulator.counts();
    assert_eq!((counts.users, counts.members, counts.messages), (2, 1, 1));
    assert_eq!(
        get(&simulator, "/groups/team").await["data"]["membersCount"],
        0
    );
    let again = import(
        &simulator,
        "users",
        json!({"bob": {"uid": "bob", "name": "Bob"}}),
    )
    .await;
    assert_eq!(word(&again["bob"]), "ok");
}

#[tokio::test]
async fn a_deactivated_user_is_deleted_once_it_is_active() {
    let simulator = talking(|_| {}).await;
    let missing = (404, "ERR_UID_NOT_FOUND".to_owned());
    let (status, _) = ask(&simulator, "DELETE", "/users/eve", for_good()).await;
    assert_eq!((status, simulator.counts().users), (404, 3));
    let uids = json!({"uidsToActivate": ["eve", "bob", "nobody"]});
    let (_, answer) = ask(&simulator, "PUT", "/users", uids).await;
    let expected =
        json!({"reactivatedUids": ["eve"], "nonDeactivatedUids": ["bob"], "notFound": ["nobody"]});
    assert_eq!(answer["data"], expected);
    let (status, _) = ask(&simulator, "DELETE", "/users/eve", for_good()).await;
    assert_eq!((status, simulator.counts().users), (200, 2));
    assert_eq!(code(&simulator, "DELETE", "/users/eve").await, missing);
    let simulator =
        talking(|settings| settings.switch("delete-deactivated", "delete").unwrap()).await;
    let (status, _) = ask(&simulator, "DELETE", "/users/eve", for_good()).await;
    assert_eq!((status, simulator.counts().users), (200, 2));
}

#[tokio::test]
async fn several_users_are_deactivated_at_once() {
    let simulator = talking(|_| {}).await;
    let uids = json!({"uidsToDeactivate": ["ann", "eve", "nobody"]});
    let (_, answer) = ask(&simulator, "DELETE", "/users", uids).await;
    let expected = json!({"deactivatedUids": ["ann"], "alreadyDeactivatedUids": ["eve"], "notFound": ["nobody"]});
    assert_eq!(answer["data"], expected);
    assert_eq!(all(&get(&simulator, "/users").await, "uid"), ["bob"]);
}

#[tokio::test]
async fn a_group_takes_its_members_and_messages_along() {
    let simulator = talking(|_| {}).await;
    let (status, answer) = ask(&simulator, "DELETE", "/groups/team", Value::Null).await;
    assert_eq!((status, &answer["data"]["success"]), (200, &json!(true)));
    let counts = simulator.counts();
    assert_eq!((counts.groups, counts.members, counts.messages), (0, 0, 2));
    let missing = (404, "ERR_GUID_NOT_FOUND".to_owned());
    assert_eq!(code(&simulator, "DELETE", "/groups/team").await, missing);
}

#[tokio::test]
async fn a_member_is_kicked_once() {
    let simulator = talking(|_| {}).await;
    let path = "/groups/team/members/bob";
    let (status, answer) = ask(&simulator, "DELETE", path, Value::Null).await;
    assert_eq!((status, &answer["data"]["success"]), (200, &json!(true)));
    assert_eq!(
        code(&simulator, "DELETE", path).await,
        (404, "ERR_NOT_A_MEMBER".to_owned())
    );
    let (counts, group) = (simulator.counts(), get(&simulator, "/groups/team").await);
    assert_eq!(
        (counts.members, &group["data"]["membersCount"]),
        (1, &json!(0))
    );
}

#[tokio::test(start_paused = true)]
async fn lists_and_removals_have_limits_of_their_own() {
    let simulator = talking(|settings| {
        settings.core_requests_per_minute = NonZeroU32::new(1);
        settings.other_requests_per_minute = NonZeroU32::new(2);
    })
    .await;
    let kick = "/groups/team/members/nobody";
    assert_eq!(code(&simulator, "DELETE", kick).await.0, 404);
    assert_eq!(code(&simulator, "DELETE", kick).await.0, 429);
    get(&simulator, "/users").await;
    get(&simulator, "/users").await;
    let (status, answer) = ask(&simulator, "GET", "/users", Value::Null).await;
    let message = "Too many requests for this API. 2 per minute is the maximum request allowed. \
                   Please retry for seconds after 60.";
    assert_eq!(
        (status, &answer["error"]["message"]),
        (429, &json!(message))
    );
    let user = json!({"new": {"uid": "new", "name": "New"}});
    assert_eq!(word(&import(&simulator, "users", user).await["new"]), "ok");
    let counts = simulator.counts();
    assert_eq!(
        (
            counts.other_requests,
            counts.other_throttled,
            counts.throttled
        ),
        (5, 2, 0)
    );
}

#[tokio::test]
async fn faults_strike_other_requests_too() {
    let simulator = talking(|_| {}).await;
    let fault = |text: &str| text.parse::<Fault>().expect("a fault");
    simulator.inject_other(fault("status:500"));
    simulator.inject_other(fault("stored:502"));
    assert_eq!(code(&simulator, "DELETE", "/groups/team").await.0, 500);
    assert_eq!(simulator.counts().groups, 1);
    assert_eq!(code(&simulator, "DELETE", "/groups/team").await.0, 502);
    assert_eq!(simulator.counts().groups, 0);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_bad_request() {
    let simulator = talking(|_| {}).await;
    let (status, answer) = ask(&simulator, "DELETE", "/users/bob", json!([1])).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (400, &json!("ERR_BAD_REQUEST"))
    );
    let (_, answer) = ask(&simulator, "POST", "/__chatferry/edit", json!({})).await;
    assert_eq!(answer["error"]["code"], "ERR_BAD_REQUEST");
}
