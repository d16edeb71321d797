//! What becomes of rows that were delivered and have changed since, and of a pipeline that was?

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use chatferry_tests::{Chat, Folder, Served, account, page, unlimited};

/// Changes a file of the chat or its pipeline: each text for another one.
fn change(folder: &Folder, file: &str, changes: &[(&str, &str)]) {
    let path = folder.path().join(file);
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{file} has no {from}:\n{text}");
        text = text.replace(from, to);
    }
    std::fs::write(&path, text).unwrap();
}

#[test]
fn what_has_changed_since_it_was_delivered_is_told_and_not_sent_again() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = Chat::default().write(&folder, served.url());
    folder.run(&["run", &pipeline]).expect(0);
    let before = served.counts().requests;
    let stored = served.stored();

    let same = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(0);
    let flows = &account::json(&same)["flows"];
    assert_eq!(flows[0]["changed"], 0, "{flows}");

    change(
        &folder,
        "data/users.jsonl",
        &[("\"name\":\"User 1\"", "\"name\":\"User one\"")],
    );
    let plan = folder
        .run(&["plan", &pipeline, "--format", "json"])
        .expect(0);
    assert_eq!(account::json(&plan)["flows"][0]["changed"], 1);
    let told = folder.run(&["run", &pipeline]).expect(0);
    assert!(
        told.out.contains("changed since they were delivered"),
        "{}",
        told.out
    );
    let listed = folder.run(&["failures", &pipeline, "--changed"]).expect(0);
    insta::assert_snapshot!("changed", page::of(&listed.out, &folder));
    let listed = folder
        .run(&["failures", &pipeline, "--changed", "--format", "csv"])
        .expect(0);
    assert_eq!(listed.out, "flow,entity,id\r\nusers,users,u1\r\n");
    let status = folder
        .run(&["status", &pipeline, "--format", "json"])
        .expect(0);
    assert_eq!(account::json(&status)["changed"][0]["examples"][0], "u1");

    assert_eq!(served.counts().requests, before, "nothing is sent again");
    assert_eq!(served.stored().users, stored.users);

    change(&folder, "data/users.jsonl", &[("User one", "User 1")]);
    folder.run(&["run", &pipeline]).expect(0);
    let listed = folder.run(&["failures", &pipeline, "--changed"]).expect(0);
    assert!(
        listed.out.starts_with("nothing has changed"),
        "{}",
        listed.out
    );
}

#[test]
fn a_pipeline_that_would_deliver_twice_or_leave_rows_behind_asks_first() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = Chat::default().write(&folder, served.url());
    folder.run(&["run", &pipeline]).expect(0);
    let before = served.counts();

    change(
        &folder,
        "pipeline.toml",
        &[
            ("[sources.chat]", "[sources.old]"),
            ("\"chat.", "\"old."),
            ("uid = \"id\"", "uid = \"'x-' || id\""),
        ],
    );
    let refused = folder.run(&["run", &pipeline]).expect(3);
    insta::assert_snapshot!("pipeline_changed", page::of(&refused.err, &folder));
    let planned = folder.run(&["plan", &pipeline]);
    assert!(planned.err.contains("--accept-changes"), "{}", planned.err);
    assert_eq!(
        served.counts().requests,
        before.requests,
        "nothing was sent"
    );

    let accepted = folder.run(&["run", &pipeline, "--accept-changes"]);
    assert!(accepted.err.contains("makes ids of"), "{}", accepted.err);
    assert_eq!(served.counts().users, 2 * before.users);
    folder.run(&["run", &pipeline]);
    assert_eq!(served.counts().users, 2 * before.users, "accepted once");
}
