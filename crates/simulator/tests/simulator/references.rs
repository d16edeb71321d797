//! What is there already, and what refers to what.

use serde_json::json;

use super::{NOW, all_succeed, import, peopled, simulator, text, verdict, with};

#[tokio::test]
async fn what_exists_is_refused_with_its_own_code_in_any_case() {
    let simulator = peopled(|_| {}).await;
    let ann = json!({"uid": "Ann", "name": "Other"});
    assert_eq!(
        verdict(&simulator, "users", ann).await,
        "ERR_UID_ALREADY_EXISTS"
    );
    let team = json!({"guid": "TEAM", "name": "Other", "type": "private"});
    assert_eq!(
        verdict(&simulator, "groups", team).await,
        "ERR_GUID_ALREADY_EXISTS"
    );
    assert_eq!(verdict(&simulator, "messages", text("m")).await, "ok");
    assert_eq!(verdict(&simulator, "messages", text("M")).await, "ok");
    let found = verdict(&simulator, "messages", text("m")).await;
    assert_eq!(found, "ERR_IMPORT_MUID_ALREADY_EXISTS");
    assert_eq!(simulator.counts().messages, 2);
}

#[tokio::test]
async fn ids_that_differ_in_case_collide_within_a_request() {
    let simulator = simulator(|_| {});
    let users = json!({"Eve": {"uid": "Eve", "name": "A"}, "eve": {"uid": "eve", "name": "B"}});
    let verdicts = import(&simulator, "users", users).await;
    assert_eq!(verdicts["Eve"]["data"]["uid"], "eve");
    assert_eq!(super::word(&verdicts["eve"]), "ERR_UID_ALREADY_EXISTS");
}

#[tokio::test]
async fn a_deactivated_user_sends_and_receives() {
    let simulator = peopled(|_| {}).await;
    let gone = json!({"gone": {"uid": "gone", "name": "Gone", "deactivatedAt": NOW - 9}});
    all_succeed(&import(&simulator, "users", gone).await);
    let from = with(text("m1"), json!({"sender": "gone"}));
    assert_eq!(verdict(&simulator, "messages", from).await, "ok");
    let to = with(text("m2"), json!({"receiver": "gone"}));
    assert_eq!(verdict(&simulator, "messages", to).await, "ok");
}

#[tokio::test]
async fn details_create_everything_a_message_needs() {
    let simulator = simulator(|_| {});
    let message = with(
        text("m"),
        json!({
            "sender": "eve", "senderUserDetails": {"uid": "eve", "name": "Eve"},
            "receiverType": "group", "receiver": "club",
            "receiverGroupDetails": {"guid": "club", "name": "Club", "type": "public", "owner": "own"},
            "receiverGroupOwnerDetails": {"uid": "own", "name": "Owner"},
        }),
    );
    assert_eq!(verdict(&simulator, "messages", message).await, "ok");
    let counts = simulator.counts();
    assert_eq!((counts.users, counts.groups, counts.messages), (2, 1, 1));
}

#[tokio::test]
async fn a_message_that_fails_creates_nothing() {
    let simulator = simulator(|_| {});
    let message = with(
        text("m"),
        json!({
            "sender": "eve", "senderUserDetails": {"uid": "eve", "name": "Eve"}, "receiver": "none",
        }),
    );
    assert_eq!(
        verdict(&simulator, "messages", message).await,
        "ERR_UID_NOT_FOUND"
    );
    assert_eq!(simulator.counts().users, 0);
}

#[tokio::test]
async fn roles_exist_only_if_they_were_set() {
    let simulator = simulator(|settings| {
        settings.roles.insert("admin".to_owned());
    });
    let user = |uid: &str, role: &str| json!({"uid": uid, "name": "Eve", "role": role});
    assert_eq!(verdict(&simulator, "users", user("a", "Admin")).await, "ok");
    assert_eq!(
        verdict(&simulator, "users", user("b", "boss")).await,
        "ERR_ROLE_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_full_group_has_no_vacancy() {
    let simulator = peopled(|settings| settings.members_per_group = 1.try_into().ok()).await;
    let member =
        |uid: &str| json!({"memberId": format!("team_member_{uid}"), "guid": "team", "uid": uid});
    assert_eq!(verdict(&simulator, "members", member("ann")).await, "ok");
    assert_eq!(
        verdict(&simulator, "members", member("bob")).await,
        "ERR_NO_VACANCY"
    );
    let banned = with(member("bob"), json!({"isBanned": true}));
    assert_eq!(verdict(&simulator, "members", banned).await, "ok");
}

#[tokio::test]
async fn messages_out_of_order_within_a_conversation_are_counted() {
    let simulator = peopled(|_| {}).await;
    for (muid, sender, receiver, sent_at) in [
        ("1", "ann", "bob", NOW - 50),
        ("2", "bob", "ann", NOW - 40),
        ("3", "ann", "ann", NOW - 90),
        ("4", "bob", "ann", NOW - 40),
        ("5", "ann", "bob", NOW - 45),
        ("6", "ann", "bob", NOW - 41),
    ] {
        let changes = json!({"sender": sender, "receiver": receiver, "sentAt": sent_at});
        let message = with(text(muid), changes);
        assert_eq!(verdict(&simulator, "messages", message).await, "ok");
    }
    assert_eq!(simulator.order_violations(), 2);
    assert_eq!(simulator.counts().order_violations, 2);
}
