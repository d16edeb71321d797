//! Are messages of people who are gone delivered, under a name that the pipeline gives them?

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use chatferry_tests::{Chat, Folder, Served, account, page, unlimited};
use serde_json::json;

/// Forgets some of the users and groups that others refer to.
fn forget(folder: &Folder, file: &str, ids: &[&str]) {
    let path = folder.path().join("data").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let gone = |line: &&str| {
        let id = |id: &&str| line.contains(&format!("\"id\":\"{id}\""));
        !ids.iter().any(id)
    };
    let kept: Vec<&str> = text.lines().filter(gone).collect();
    assert_eq!(text.lines().count(), kept.len() + ids.len());
    std::fs::write(&path, kept.join("\n") + "\n").unwrap();
}

fn write(folder: &Folder, served: &Served) -> String {
    let pipeline = Chat::default().write(folder, served.url());
    forget(folder, "users.jsonl", &["u1", "u2", "u3"]);
    forget(folder, "groups.jsonl", &["g2"]);
    let text = std::fs::read_to_string(&pipeline).unwrap();
    let policy = "references = \"placeholder\"\nplaceholder.user = \"Former member\"\n";
    let mut text = text.replace(
        "from = \"chat.members\"\n",
        &format!("from = \"chat.members\"\n{policy}"),
    );
    text = text.replace(
        "from = \"chat.messages\"\n",
        &format!("from = \"chat.messages\"\n{policy}"),
    );
    std::fs::write(&pipeline, text).unwrap();
    pipeline
}

#[test]
fn they_are_planned_rehearsed_and_made_once() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = write(&folder, &served);
    for command in ["plan", "rehearse", "run"] {
        let told = folder
            .run(&[command, &pipeline, "--format", "json"])
            .expect(0);
        let flows = &account::json(&told)["flows"];
        assert_eq!(
            flows[2]["placeholders"],
            json!({ "users": 3, "groups": 1 }),
            "{command}: {flows}"
        );
        assert_eq!(flows[3]["placeholders"], json!({}), "{command}: {flows}");
    }
    let stored = served.stored();
    let chat = Chat::default();
    assert_eq!(stored.users.len(), chat.users);
    assert_eq!(stored.groups.len(), chat.groups);
    assert_eq!(stored.members.len(), chat.members());
    assert_eq!(stored.messages.len(), chat.messages);
    let user = stored.users.iter().find(|it| it["uid"] == "u1").unwrap();
    assert_eq!(user["name"], "Former member");
    assert_eq!(user["deactivatedAt"], 1_000_000_000);
    let group = stored.groups.iter().find(|it| it["guid"] == "g2").unwrap();
    assert_eq!(
        (&group["name"], &group["type"]),
        (&json!("Former group"), &json!("private"))
    );

    let again = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(0);
    assert_eq!(account::json(&again)["requests"]["sent"], 0);
}

#[test]
fn what_a_person_sees() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = write(&folder, &served);
    let told = folder.run(&["run", &pipeline]).expect(0);
    insta::assert_snapshot!("placeholders", page::of(&told.out, &folder));
}
