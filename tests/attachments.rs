//! Are the files of messages where the messages say, after the old system is gone?

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use std::path::Path;

use chatferry_testkit::host::{Asked, Host, answer, file, page as login, status};
use chatferry_tests::{Folder, Served, account, page, unlimited};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Under which URL the store is seen.
const PUBLIC: &str = "https://cdn.example.com/chat";

/// A private host: with the right token it gives files, with another one a page to sign in. Odd files
/// are hard to get.
fn private(asked: &Asked) -> Vec<u8> {
    if !asked
        .head
        .to_ascii_lowercase()
        .contains("authorization: bearer hunter2")
    {
        return login();
    }
    match (asked.path.as_str(), asked.before) {
        ("/gone.pdf", _) => status(404),
        ("/busy.txt", 0) => answer(429, &[("Retry-After", "0")], b""),
        (path, _) => {
            let name = path.split('?').next().unwrap_or_default();
            file(format!("contents of {name}").as_bytes())
        }
    }
}

/// A host, and where it is at work.
fn hosting(answer: fn(&Asked) -> Vec<u8>) -> (Runtime, Host) {
    let runtime = Runtime::new().unwrap();
    let host = runtime.block_on(Host::new(answer));
    (runtime, host)
}

fn messages(host: &Host) -> String {
    let message = |id: &str, url: &str, name: &str, mime: &str| {
        json!({ "id": id, "by": "ann", "url": url, "name": name, "mime": mime }).to_string()
    };
    let lines = [
        message("m1", &host.url("/a.png?t=sesame"), "a.png", "image/png"),
        message("m2", &host.url("/busy.txt"), "busy.txt", "text/plain"),
        message("m3", &host.url("/gone.pdf"), "gone.pdf", "application/pdf"),
        message("m4", "files/own.png", "own.png", "image/png"),
        // The same file once more.
        message("m5", &host.url("/a.png?t=sesame"), "a.png", "image/png"),
    ];
    lines.join("\n") + "\n"
}

/// A pipeline whose messages have files on a private host, and one beside it.
fn write(folder: &Folder, host: &Host, base_url: &str, attachments: &str) -> String {
    folder.write("data/messages.jsonl", messages(host));
    let picture = host.url("/ann.png");
    folder.write(
        "data/users.jsonl",
        format!(
            "{{\"id\":\"ann\",\"picture\":\"{picture}\"}}\n{{\"id\":\"bob\",\"picture\":\"\"}}\n"
        ),
    );
    folder.write("files/own.png", "contents of own.png");
    folder.write(
        "pipeline.toml",
        format!(
            r#"name = "acme"

[cometchat]
base_url = "{base_url}"
api_key = "key"
requests_per_minute = "off"
retention = "off"

[sources.chat]
connector = "json"
root = "data"

{attachments}

[[flow]]
entity = "users"
from = "chat.users"
[flow.fields]
uid = "id"
name = "id"
avatar = "nullif(picture, '')"

[[flow]]
entity = "messages"
from = "chat.messages"
[flow.fields]
muid = "id"
sender = "\"by\""
receiverType = "'user'"
receiver = "'bob'"
sentAt = "1700000000"
type = "CASE WHEN mime LIKE 'image/%' THEN 'image' ELSE 'file' END"
data.attachments = "make_array(named_struct('url', url, 'name', name, 'mimeType', mime, 'extension', file_extension(name)))"
"#
        ),
    )
}

fn table(host: &Host, store: &str) -> String {
    format!(
        "[attachments]\nto = \"{store}\"\npublic = \"{PUBLIC}\"\n\
         [attachments.hosts.\"{}\"]\nheaders = {{ Authorization = \"Bearer ${{OLD_TOKEN}}\" }}\n",
        host.name()
    )
}

/// A page as a person sees it, with a host that is called the same each time.
fn seen(text: &str, folder: &Folder, host: &Host) -> String {
    let name = host.name();
    let called = format!("{:<width$}", "old.example", width = name.len());
    // In a table what follows stands below other things.
    let text = text.replace(&format!("{name} "), &format!("{called} "));
    page::of(&text.replace(&name, "old.example"), folder)
}

/// The URL of the file of a message.
fn url_of<'m>(messages: &'m [Value], muid: &str) -> Option<&'m str> {
    let message = messages.iter().find(|it| it["muid"] == muid)?;
    message["data"]["attachments"][0]["url"].as_str()
}

/// The contents of the copy that has this URL.
fn copied(folder: &Folder, url: &str) -> String {
    let name = url.strip_prefix(PUBLIC).expect("it is a copy");
    let path = folder
        .path()
        .join("store")
        .join(name.trim_start_matches('/'));
    std::fs::read_to_string(path).expect("the copy is in the store")
}

/// Whether any file below the folder, but for those of the old system, holds these words.
fn holds(folder: &Path, words: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return path.file_name().unwrap() != "data" && holds(&path, words);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes
            .windows(words.len())
            .any(|window| window == words.as_bytes())
    })
}

const TOKEN: [(&str, &str); 1] = [("OLD_TOKEN", "hunter2")];

#[test]
fn files_are_copied_and_messages_say_where_they_are() {
    let (_runtime, host) = hosting(private);
    let served = Served::new(unlimited());
    let folder = Folder::new();
    let pipeline = write(&folder, &host, served.url(), &table(&host, "store"));

    // Nothing is sent with URLs that will soon be gone, and nobody needs the token to see that.
    let plan = folder.run(&["plan", &pipeline]).expect(7);
    assert!(plan.out.contains("file-not-copied"), "{}", plan.out);

    let counted = folder
        .run(&["attachments", &pipeline, "--dry-run"])
        .expect(0);
    assert!(host.asked().is_empty());
    let shown = seen(&counted.out, &folder, &host);
    insta::assert_snapshot!("attachments_dry_run", shown);

    // Without the token it is underlined what is missing.
    let unset = folder.run(&["attachments", &pipeline]).expect(3);
    assert!(
        unset
            .err
            .contains("the environment lacks a variable of this header"),
        "{}",
        unset.err
    );
    assert!(host.asked().is_empty());

    let ended = folder
        .run_with(&TOKEN, &["attachments", &pipeline])
        .expect(7);
    let shown = seen(&ended.out, &folder, &host);
    insta::assert_snapshot!("attachments", shown);

    let again = folder.run_with(&TOKEN, &["attachments", &pipeline, "--format", "json"]);
    let again = account::json(&again.expect(7));
    assert_eq!(
        (&again["copiedBefore"], &again["copied"]),
        (&json!(4), &json!(0)),
        "{again}"
    );
    assert_eq!(again["failed"][0]["reason"], "not-found");

    let run = folder
        .run(&["run", &pipeline, "--format", "json"])
        .expect(7);
    let flows = &account::json(&run)["flows"];
    assert_eq!(
        flows[1]["outcomes"][0],
        json!({ "outcome": "imported", "reason": "", "rows": 4 })
    );
    assert_eq!(
        flows[1]["outcomes"][1]["reason"], "file-not-copied",
        "{flows}"
    );
    let stored = served.stored();
    for (muid, contents) in [
        ("m1", "contents of /a.png"),
        ("m2", "contents of /busy.txt"),
        ("m4", "contents of own.png"),
        ("m5", "contents of /a.png"),
    ] {
        let url = url_of(&stored.messages, muid).unwrap();
        assert_eq!(copied(&folder, url), contents, "{muid}");
    }
    assert_eq!(url_of(&stored.messages, "m3"), None);
    let avatar = stored.users.iter().find(|it| it["uid"] == "ann").unwrap();
    assert_eq!(
        copied(&folder, avatar["avatar"].as_str().unwrap()),
        "contents of /ann.png"
    );
    folder.run(&["verify", &pipeline]).expect(0);

    // The one that is gone is sent with its old URL, when that is asked for.
    let kept = folder.run(&[
        "run",
        &pipeline,
        "--set",
        "attachments.missing=keep",
        "--format",
        "json",
    ]);
    let kept = account::json(&kept.expect(0));
    assert_eq!(kept["flows"][1]["adjusted"]["file-url-left"], 1, "{kept}");
    let stored = served.stored();
    assert_eq!(
        url_of(&stored.messages, "m3"),
        Some(host.url("/gone.pdf").as_str())
    );

    for secret in ["hunter2", "sesame"] {
        assert!(!holds(folder.path(), secret), "{secret}");
        for told in [&ended.out, &ended.err, &counted.out, &plan.out] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn a_wrong_token_is_told_with_what_to_do() {
    let (_runtime, host) = hosting(private);
    let folder = Folder::new();
    let pipeline = write(
        &folder,
        &host,
        "http://127.0.0.1:9/v3",
        &table(&host, "store"),
    );
    let wrong = [("OLD_TOKEN", "wrong")];
    let ended = folder
        .run_with(&wrong, &["attachments", &pipeline, "--at-once", "1"])
        .expect(7);
    let shown = seen(&ended.out, &folder, &host);
    insta::assert_snapshot!("attachments_wrong_token", shown);
    // Users do without their pictures, and that is counted.
    let plan = folder
        .run(&["plan", &pipeline, "--format", "json"])
        .expect(7);
    let flows = &account::json(&plan)["flows"];
    assert_eq!(flows[0]["adjusted"]["picture-left-out"], 1, "{flows}");
}

#[test]
fn a_pipeline_without_a_word_of_it_is_told_by_the_command_line() {
    let (_runtime, host) = hosting(|_| file(b"contents"));
    let folder = Folder::new();
    let hosts = format!("[attachments.hosts.\"{}\"]", host.name());
    let pipeline = write(&folder, &host, "http://127.0.0.1:9/v3", "");
    let unsaid = folder.run(&["attachments", &pipeline]).expect(2);
    assert!(
        unsaid.err.contains("nobody says where to"),
        "{}",
        unsaid.err
    );
    let to = ["--to", "store", "--public", PUBLIC];
    let mut arguments = vec!["attachments", &pipeline];
    arguments.extend(to);
    let ended = folder.run(&arguments).expect(7);
    // A host of one's own network has to be named.
    assert!(ended.out.contains("inside"), "{}", ended.out);
    assert!(host.asked().is_empty());

    let pipeline = write(&folder, &host, "http://127.0.0.1:9/v3", &hosts);
    let mut arguments = vec!["attachments", &pipeline];
    arguments.extend(to);
    folder.run(&arguments).expect(0);
    let preview = folder.run(&["preview", &pipeline, "--id", "m4"]).expect(0);
    assert!(preview.out.contains(PUBLIC), "{}", preview.out);
    assert!(
        preview.out.contains("\"name\": \"own.png\""),
        "{}",
        preview.out
    );
}
