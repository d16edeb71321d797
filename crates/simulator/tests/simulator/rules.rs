//! Each documented rule for a record by itself: what keeps it and what breaks it.

use serde_json::{Value, json};

use super::{NOW, import, peopled, text, verdict, with};

const BAD: &str = "ERR_BAD_REQUEST";

/// Sends `base` with each change, under an id of its own, and compares the verdicts.
async fn table(entity: &str, base: Value, cases: Vec<(Value, &str)>) {
    let simulator = peopled(|_| {}).await;
    let id = match entity {
        "users" => "uid",
        "groups" => "guid",
        _ => "muid",
    };
    for (number, (changes, expected)) in cases.into_iter().enumerate() {
        let fresh = with(base.clone(), json!({ id: format!("case-{number}") }));
        let record = with(fresh, changes.clone());
        let found = verdict(&simulator, entity, record).await;
        assert_eq!(found, expected, "{entity} with {changes}");
    }
}

#[tokio::test]
async fn users() {
    let base = json!({"uid": "", "name": "Eve"});
    let tags = |count: usize, length: usize| vec!["x".repeat(length); count];
    let metadata = |bytes: usize| json!({"k": "x".repeat(bytes - r#"{"k":""}"#.len())});
    let url = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
    table(
        "users",
        base,
        vec![
            (json!({}), "ok"),
            (json!({"uid": "With-Capitals_1"}), "ok"),
            (json!({"uid": "a".repeat(100)}), "ok"),
            (json!({"uid": "a".repeat(101)}), "ERR_INVALID_UID"),
            (json!({"uid": "a b"}), "ERR_INVALID_UID"),
            (json!({"uid": "josé"}), "ERR_INVALID_UID"),
            (json!({"uid": null}), BAD),
            (json!({"uid": 7}), BAD),
            (json!({"name": null}), BAD),
            (json!({"name": "  "}), BAD),
            (json!({"name": 7}), BAD),
            (json!({"name": "é".repeat(100)}), "ok"),
            (json!({"name": "é".repeat(101)}), BAD),
            (json!({"name": "😀".repeat(51)}), BAD),
            (json!({"avatar": url(3_000)}), "ok"),
            (json!({"avatar": url(3_001)}), BAD),
            (json!({"avatar": "a.png"}), BAD),
            (json!({"link": "https://a.example"}), "ok"),
            (json!({"link": ""}), BAD),
            (json!({"role": "default"}), "ok"),
            (json!({"role": "nobody"}), "ERR_ROLE_NOT_FOUND"),
            (json!({"role": "a role"}), BAD),
            (json!({"createdAt": "1673421419"}), "ok"),
            (json!({"createdAt": 1_673_421_419_000_i64}), BAD),
            (json!({"lastActiveAt": "yesterday"}), BAD),
            (json!({"deactivatedAt": 1_673_421_419}), "ok"),
            (json!({"deactivatedAt": true}), BAD),
            (json!({"metadata": metadata(5_120)}), "ok"),
            (json!({"metadata": metadata(5_121)}), BAD),
            (json!({"metadata": []}), BAD),
            (json!({"tags": []}), "ok"),
            (json!({"tags": tags(25, 100)}), "ok"),
            (json!({"tags": tags(26, 1)}), BAD),
            (json!({"tags": tags(1, 101)}), BAD),
            (json!({"tags": "x"}), BAD),
            (json!({"tags": [7]}), BAD),
            (json!({"shoeSize": 43}), "ok"),
        ],
    )
    .await;
}

#[tokio::test]
async fn groups() {
    let base = json!({"guid": "", "name": "Group", "type": "public"});
    table(
        "groups",
        base,
        vec![
            (json!({}), "ok"),
            (json!({"type": "private"}), "ok"),
            (json!({"type": "password", "password": "x"}), "ok"),
            (json!({"type": "password"}), "ERR_EMPTY_GROUP_PASS"),
            (
                json!({"type": "password", "password": ""}),
                "ERR_EMPTY_GROUP_PASS",
            ),
            (
                json!({"type": "password", "password": "x".repeat(101)}),
                BAD,
            ),
            (json!({"type": "secret"}), BAD),
            (json!({"type": null}), BAD),
            (json!({"guid": "a/b"}), "ERR_INVALID_GUID"),
            (json!({"name": "x".repeat(101)}), BAD),
            (json!({"icon": "no url"}), BAD),
            (json!({"owner": "ann"}), "ok"),
            (json!({"owner": "Ann"}), "ok"),
            (json!({"owner": "an n"}), "ERR_INVALID_UID"),
            (json!({"owner": "eve"}), "ERR_UID_NOT_FOUND"),
            (
                json!({"owner": "eve", "groupOwnerDetails": {"uid": "eve"}}),
                BAD,
            ),
            (
                json!({"owner": "eve", "groupOwnerDetails": {"uid": "bob", "name": "Bob"}}),
                BAD,
            ),
            (
                json!({"owner": "eve", "groupOwnerDetails": {"uid": "Eve", "name": "Eve"}}),
                "ok",
            ),
            (json!({"createdAt": "12"}), BAD),
        ],
    )
    .await;
}

#[tokio::test]
async fn members() {
    let simulator = peopled(|_| {}).await;
    let groups =
        json!({"old": {"guid": "old", "name": "Old", "type": "public", "createdAt": NOW - 100}});
    super::all_succeed(&import(&simulator, "groups", groups).await);
    let member = |guid: &str, uid: &str| json!({"memberId": format!("{guid}_member_{uid}"), "guid": guid, "uid": uid});
    let invalid = "ERR_IMPORT_INVALID_JOINEDAT";
    for (record, expected) in [
        (
            with(member("old", "ann"), json!({"joinedAt": NOW - 101})),
            invalid,
        ),
        (
            with(member("old", "ann"), json!({"joinedAt": NOW})),
            invalid,
        ),
        (
            with(member("old", "ann"), json!({"joinedAt": NOW - 100})),
            "ok",
        ),
        (member("old", "ann"), "ERR_ALREADY_JOINED"),
        (member("old", "Ann"), "ERR_ALREADY_JOINED"),
        (with(member("team", "ann"), json!({"scope": "owner"})), BAD),
        (
            with(
                member("team", "ann"),
                json!({"scope": "moderator", "joinedAt": 1_000_000_000}),
            ),
            "ok",
        ),
        (with(member("team", "bob"), json!({"isBanned": "yes"})), BAD),
        (
            with(
                member("team", "bob"),
                json!({"memberId": "team_member_ann"}),
            ),
            BAD,
        ),
        (
            with(member("team", "bob"), json!({"memberId": "team/bob"})),
            BAD,
        ),
        (with(member("team", "bob"), json!({"isBanned": true})), "ok"),
        (member("team", "eve"), "ERR_UID_NOT_FOUND"),
        (member("none", "ann"), "ERR_GUID_NOT_FOUND"),
        (with(member("team", "x"), json!({"uid": null})), BAD),
    ] {
        let found = verdict(&simulator, "members", record.clone()).await;
        assert_eq!(found, expected, "{record}");
    }
}

#[tokio::test]
async fn messages() {
    let image = json!({"url": "https://a.example/a.png", "name": "a.png", "mimeType": "image/png",
                       "extension": "png"});
    let media = |attachments: Value| json!({"type": "image", "data": {"attachments": attachments}});
    let custom = |data: Value| json!({"category": "custom", "type": "poll", "data": data});
    let mentions = |count: usize| -> String {
        (0..count)
            .map(|number| format!("<@uid:u{number}> <@uid:u0>"))
            .collect()
    };
    let heavy = |bytes: usize| json!({"text": "x".repeat(bytes - r#"{"text":""}"#.len())});
    let details =
        json!({"uid": "ann", "name": "x".repeat(100), "metadata": {"m": "x".repeat(5_000)}});
    let many: serde_json::Map<String, Value> = (0..14)
        .map(|number| {
            (
                format!("u{number}"),
                with(details.clone(), json!({"uid": format!("u{number}")})),
            )
        })
        .collect();
    table("messages", text(""), vec![
        (json!({}), "ok"),
        (json!({"muid": "Any text, ä 😀 \"quoted\""}), "ok"),
        (json!({"muid": ""}), BAD),
        (json!({"muid": 12}), BAD),
        (json!({"sender": null}), BAD),
        (json!({"sender": "a n"}), "ERR_INVALID_UID"),
        (json!({"sender": "eve"}), "ERR_UID_NOT_FOUND"),
        (json!({"receiver": null}), "ERR_EMPTY_RECEIVER"),
        (json!({"receiver": ""}), "ERR_EMPTY_RECEIVER"),
        (json!({"receiver": "team"}), "ERR_UID_NOT_FOUND"),
        (json!({"receiverType": "group"}), "ERR_GUID_NOT_FOUND"),
        (json!({"receiverType": "group", "receiver": "TEAM"}), "ok"),
        (json!({"receiverType": "room"}), "ERR_INVALID_RECEIVER_TYPE"),
        (json!({"receiverType": null}), BAD),
        (json!({"sentAt": null}), BAD),
        (json!({"sentAt": 1_673_421_419_000_i64}), BAD),
        (json!({"sentAt": "1679999999", "deliveredAt": "1679999999", "readAt": "1679999999"}), "ok"),
        (json!({"readAt": 5}), BAD),
        (json!({"category": null, "type": null}), "ok"),
        (json!({"category": ""}), "ERR_EMPTY_MESSAGE_CATEGORY"),
        (json!({"category": "action"}), "ERR_INVALID_MESSAGE_CATEGORY"),
        (json!({"type": ""}), "ERR_EMPTY_MESSAGE_TYPE"),
        (json!({"type": "poll"}), "ERR_INVALID_MESSAGE_TYPE"),
        (json!({"data": []}), "ERR_INVALID_MESSAGE_DATA"),
        (json!({"data": {"text": 7}}), "ERR_INVALID_MESSAGE_TEXT"),
        (json!({"data": {"text": "Hi", "metadata": "x"}}), "ERR_INVALID_METADATA"),
        (json!({"data": heavy(10_240)}), "ok"),
        (json!({"data": heavy(10_241)}), BAD),
        (json!({"mentionedUserDetails": many}), BAD),
        (json!({"data": {"text": mentions(10)}}), "ok"),
        (json!({"data": {"text": mentions(11)}}), BAD),
        (media(json!([image])), "ok"),
        (media(json!([with(image.clone(), json!({"size": 12}))])), "ok"),
        (media(json!([])), "ERR_EMPTY_MESSAGE_FILE"),
        (json!({"type": "video"}), "ERR_EMPTY_MESSAGE_FILE"),
        (media(json!("x")), "ERR_INVALID_MEDIA_MESSAGE"),
        (media(json!(["x"])), "ERR_INVALID_MEDIA_MESSAGE"),
        (media(json!([with(image.clone(), json!({"url": "a.png"}))])), "ERR_INVALID_MEDIA_MESSAGE"),
        (media(json!([with(image.clone(), json!({"mimeType": null}))])), "ERR_INVALID_MEDIA_MESSAGE"),
        (custom(json!({"customData": {"a": 1}})), "ok"),
        (custom(json!({"customData": {}})), "ERR_EMPTY_CUSTOM_DATA"),
        (custom(json!({})), "ERR_EMPTY_CUSTOM_DATA"),
        (custom(json!({"customData": "x"})), "ERR_INVALID_CUSTOM_DATA"),
        (json!({"category": "custom", "type": null}), "ERR_EMPTY_MESSAGE_TYPE"),
        (json!({"tags": tags_too_many()}), BAD),
        (json!({"parentId": "7"}), "ok"),
        (json!({"senderUserDetails": {"uid": "ann"}}), BAD),
        (json!({"senderUserDetails": {"uid": "bob", "name": "Bob"}}), BAD),
        (json!({"receiverUserDetails": "bob"}), BAD),
    ])
    .await;
}

fn tags_too_many() -> Vec<String> {
    (0..26).map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_by_field() {
    let simulator = peopled(|_| {}).await;
    let user = json!({"uid": "eve", "name": "", "createdAt": 1, "tags": ["ok", 7]});
    let verdicts = import(&simulator, "users", json!({"eve": user})).await;
    assert_eq!(
        verdicts["eve"]["error"],
        json!({
            "code": "ERR_BAD_REQUEST",
            "message": "Failed to validate the data sent with the request.",
            "details": {
                "name": ["The name field is required."],
                "createdAt": ["The createdAt must be 10 digits."],
                "tags.1": ["The tags.1 must be a string."],
            }
        })
    );
}

#[tokio::test]
async fn a_record_of_the_wrong_type_fails_alone() {
    let simulator = peopled(|_| {}).await;
    for entity in ["users", "groups", "members", "messages"] {
        for record in [json!(7), json!("x"), json!(null), json!([]), json!({})] {
            let verdicts = import(&simulator, entity, json!({"k": record})).await;
            let found = super::word(&verdicts["k"]);
            let coded = ["ERR_EMPTY_RECEIVER", BAD].contains(&&*found);
            assert!(coded, "{entity} {record}: {found}");
        }
    }
}
