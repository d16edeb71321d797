//! Can what was not delivered be listed, corrected by hand and sent?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use chatferry_tests::{Chat, Folder, Served, account, page, unlimited};
use serde_json::Value;

/// A chat with five messages and a user that cannot be delivered as they are.
fn write(folder: &Folder, served: &Served) -> String {
    let pipeline = Chat::default().write(folder, served.url());
    let add = |file: &str, more: &str| {
        let path = folder.path().join("data").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + more).unwrap();
    };
    add(
        "users.jsonl",
        "{\"id\":\"Ann Lee\",\"name\":\"Ann, \\\"the\\\" first\"}\n",
    );
    add(
        "messages.jsonl",
        concat!(
            r#"{"id":"x-1","group":"g0","user":"nobody","at":1700009999,"body":"from nobody"}"#,
            "\n",
            r#"{"id":"x-2","group":"g0","user":"u0","at":1700009998,"body":"   "}"#,
            "\n",
            r#"{"id":"x-3","group":"g0","user":"u0","at":"#,
            "\n",
            r#"{"id":"m-000001","group":"g0","user":"u0","at":1700010000,"body":"a doubled id"}"#,
            "\n",
            r#"{"id":"x-4","group":"g0","user":"u0","at":1700010001000,"body":"in ms"}"#,
            "\n",
        ),
    );
    pipeline
}

/// The lines of an export.
fn lines(folder: &Folder, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Writes lines as a file, and gives its path.
fn rewrite(folder: &Folder, name: &str, lines: &[Value]) -> String {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    folder.write(name, text)
}

#[test]
fn what_a_person_sees() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = write(&folder, &served);
    let before = folder.run(&["failures", &pipeline]).expect(6);
    assert!(before.err.contains("nothing was run yet"), "{}", before.err);
    folder.run(&["run", &pipeline]).expect(7);
    let text = folder.run(&["failures", &pipeline]).expect(0);
    insta::assert_snapshot!("failures", page::of(&text.out, &folder));
    let csv = folder
        .run(&["failures", &pipeline, "--format", "csv"])
        .expect(0);
    assert_eq!(csv.out.matches("\r\n").count(), 7, "{}", csv.out);
    let first = csv.out.lines().nth(1).unwrap();
    assert!(
        first.starts_with("users,users,Ann Lee,rejected,id-alphabet,"),
        "{first}"
    );
    let json = folder
        .run(&["failures", &pipeline, "--format", "json"])
        .expect(0);
    let json = account::json(&json);
    let rows: u64 = json
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rows"].as_u64().unwrap())
        .sum();
    assert_eq!(rows, 6);
    assert_eq!(json[0]["reason"], "id-alphabet");
    assert_eq!(json[0]["remedy"], "wrap the expression: cometchat_id(...)");
    folder
        .run(&["status", &pipeline, "--format", "csv"])
        .expect(2);
}

#[test]
fn what_is_corrected_by_hand_is_delivered_once_and_in_order() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = write(&folder, &served);
    folder.run(&["run", &pipeline]).expect(7);
    let export = folder.file("failures.jsonl");
    folder
        .run(&["failures", &pipeline, "--export", &export])
        .expect(0);
    folder
        .run(&["failures", &pipeline, "--export", &export])
        .expect(2);

    let mut rows = lines(&folder, "failures.jsonl");
    let reasons: Vec<&str> = rows
        .iter()
        .map(|row| row["reason"].as_str().unwrap())
        .collect();
    let mut sorted = reasons.clone();
    sorted.sort_unstable();
    let expected = [
        "duplicate-id",
        "id-alphabet",
        "malformed",
        "text-empty",
        "time-not-seconds",
        "unknown-reference",
    ];
    assert_eq!(sorted, expected);
    for row in &mut rows {
        let reason = row["reason"].as_str().unwrap().to_owned();
        let record = &mut row["record"];
        match reason.as_str() {
            "id-alphabet" => record["uid"] = "ann-lee".into(),
            "text-empty" => record["data"]["text"] = "no longer blank".into(),
            "time-not-seconds" => record["sentAt"] = "1700010001".into(),
            "unknown-reference" => record["sender"] = "ann-lee".into(),
            "duplicate-id" => {
                assert_eq!(
                    record["data"]["text"], "a doubled id",
                    "not the one that was delivered"
                );
                record["muid"] = "m-000001-b".into();
                record["data"]["metadata"] = serde_json::json!({ "by": ["hand", 1] });
                record["tags"] = serde_json::json!(["corrected"]);
            }
            "malformed" => {
                assert!(record.is_null());
                assert!(row["place"].as_str().unwrap().contains("line 403"), "{row}");
            }
            other => panic!("{other}"),
        }
    }
    let corrected = rewrite(&folder, "corrected.jsonl", &rows);
    let ended = folder
        .run(&["retry", &pipeline, "--from", &corrected, "--format", "json"])
        .expect(0);
    let told = account::of(&ended);
    assert_eq!(
        told["users by hand"],
        account::rows(&[("read", 1), ("imported", 1)])
    );
    assert_eq!(
        told["messages by hand"],
        account::rows(&[
            ("read", 5),
            ("imported", 4),
            ("skipped: without a record", 1)
        ])
    );
    let stored = served.stored();
    assert_eq!(stored.messages.len(), 404);
    let last: Vec<&str> = stored.messages[400..]
        .iter()
        .map(|it| it["muid"].as_str().unwrap())
        .collect();
    assert_eq!(last, ["x-2", "x-1", "m-000001-b", "x-4"]);
    let doubled = &stored.messages[402];
    assert_eq!(doubled["data"]["metadata"]["by"][1], 1);
    assert_eq!(doubled["tags"][0], "corrected");
    assert_eq!(served.counts().order_violations, 0);

    let before = served.counts().messages;
    let again = folder
        .run(&["retry", &pipeline, "--from", &corrected, "--format", "json"])
        .expect(0);
    assert_eq!(account::of(&again)["messages by hand"]["earlier"], 4);
    assert_eq!(served.counts().messages, before);
    let left = folder
        .run(&["failures", &pipeline, "--format", "json"])
        .expect(0);
    let left = account::json(&left);
    let ids: Vec<&Value> = left
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["reason"])
        .collect();
    assert_eq!(
        ids,
        ["id-alphabet", "duplicate-id", "malformed"],
        "those whose ids stay wrong in the source"
    );
}

#[test]
fn what_is_still_wrong_is_rejected_again() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = write(&folder, &served);
    folder.run(&["run", &pipeline]).expect(7);
    let export = folder.file("failures.jsonl");
    folder
        .run(&["failures", &pipeline, "--export", &export])
        .expect(0);
    let ended = folder
        .run(&["retry", &pipeline, "--from", &export, "--format", "json"])
        .expect(7);
    let told = account::of(&ended);
    assert_eq!(told["users by hand"]["rejected: id-alphabet"], 1);
    let messages = &told["messages by hand"];
    for rule in ["text-empty", "time-not-seconds", "unknown-reference"] {
        assert_eq!(messages[&format!("rejected: {rule}")], 1, "{messages:?}");
    }
    assert_eq!(
        messages["earlier"], 1,
        "the doubled id was delivered with the first of them"
    );
    assert_eq!(served.counts().messages, 400);
}

#[test]
fn mistakes_in_a_corrected_file_are_told_all_at_once_and_nothing_is_sent() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = write(&folder, &served);
    let wrong = folder.write(
        "wrong.jsonl",
        concat!(
            "not JSON\n\n",
            r#"{"flow":"nobody","record":{}}"#,
            "\n",
            r#"{"flow":"users","record":{"uid":"a","nmae":"b"}}"#,
            "\n",
            r#"{"flow":"messages","record":{"muid":"a","sentAt":"yesterday"}}"#,
            "\n",
            r#"{"flow":"messages","record":{"muid":"a","data":{"text":["a"]}}}"#,
            "\n",
            r#"{"flow":"messages","record":7}"#,
            "\n",
        ),
    );
    let ended = folder
        .run(&["retry", &pipeline, "--from", &wrong])
        .expect(2);
    assert_eq!(served.counts().requests, 0);
    insta::assert_snapshot!(
        "mistakes_in_a_corrected_file",
        page::of(&ended.err, &folder)
    );
}

#[test]
fn without_a_file_what_was_refused_is_sent_again() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = Chat::default().write(&folder, served.url());
    let text = std::fs::read_to_string(folder.path().join("pipeline.toml")).unwrap();
    let with_role = text.replacen("name = \"name\"", "name = \"name\"\nrole = \"'editor'\"", 1);
    folder.write("pipeline.toml", with_role);
    let ended = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    assert_eq!(
        account::of(&ended)["users"]["refused: ERR_ROLE_NOT_FOUND"],
        20
    );
    let ended = folder
        .run(&["failures", &pipeline, "--format", "json"])
        .expect(0);
    let told = account::json(&ended);
    assert_eq!(told[0]["reason"], "ERR_ROLE_NOT_FOUND");
    assert_eq!(
        told[0]["meaning"],
        "the user's role was not made in the app"
    );

    let again = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    let refused = account::of(&again)["users"]["refused: ERR_ROLE_NOT_FOUND"];
    assert_eq!(refused, 20, "nothing has changed");
    assert_eq!(served.counts().users, 0);
    // The role is made in the meantime.
    let mut settings = unlimited();
    settings.roles.insert("editor".into());
    let with_role = Served::new(settings);
    let there = format!("cometchat.base_url={}", with_role.url());
    let ended = folder.run(&["retry", &pipeline, "--set", &there, "--format", "json"]);
    assert_eq!(account::of(&ended)["users"]["imported"], 20);
}
