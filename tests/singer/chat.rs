//! A chat in Singer's messages, and the pipeline that delivers it.

use chatferry_tests::{Ended, Folder, Served};

/// The flows of a chat of users and messages.
pub(crate) const FLOWS: &str = r#"
[[flow]]
entity = "users"
from = "legacy.users"
[flow.fields]
uid = "CAST(id AS VARCHAR)"
name = "name"

[[flow]]
entity = "messages"
from = "legacy.messages"
[flow.fields]
muid = "CAST(id AS VARCHAR)"
sender = "CAST(author AS VARCHAR)"
receiverType = "'user'"
receiver = "'1'"
category = "'message'"
type = "'text'"
sentAt = "CAST(id AS BIGINT) + 1700000000"
[flow.fields.data]
text = "body"
"#;

/// Writes a pipeline of that chat with these settings of its source.
pub(crate) fn pipeline(folder: &Folder, served: &Served, source: &str) -> String {
    let url = served.url();
    folder.write(
        "pipeline.toml",
        format!(
            "name = \"acme\"\n[cometchat]\nbase_url = \"{url}\"\napi_key = \"any\"\nretention = \"off\"\n\
             requests_per_minute = \"off\"\n[sources.legacy]\nconnector = \"singer\"\n{source}\n{FLOWS}"
        ),
    )
}

/// What a tap says of the two streams.
pub(crate) const SCHEMAS: &str = r#"{"type":"SCHEMA","stream":"messages","schema":{"properties":{"id":{"type":"integer"},"author":{"type":"integer"},"body":{"type":["null","string"]}}},"key_properties":["id"]}
{"type":"SCHEMA","stream":"users","schema":{"properties":{"id":{"type":"integer"},"name":{"type":["null","string"]}}},"key_properties":["id"]}
"#;

/// A user as a message.
pub(crate) fn user(id: u32) -> String {
    let record = serde_json::json!({"id": id, "name": format!("User {id}")});
    message(&serde_json::json!({"type": "RECORD", "stream": "users", "record": record}))
}

/// A message as a message.
pub(crate) fn said(id: u32, author: u32, body: &str) -> String {
    let record = serde_json::json!({"id": id, "author": author, "body": body});
    message(&serde_json::json!({"type": "RECORD", "stream": "messages", "record": record}))
}

/// A state that knows of messages up to that one.
pub(crate) fn state(upto: u32) -> String {
    format!("{{\"type\":\"STATE\",\"value\":{{\"messages\": {upto}}}}}\n")
}

fn message(message: &serde_json::Value) -> String {
    format!("{message}\n")
}

/// Pipes this into the target.
pub(crate) fn pipe(folder: &Folder, messages: &str, arguments: &[&str]) -> Ended {
    folder.write("messages", messages);
    let input = std::fs::File::open(folder.path().join("messages")).unwrap();
    let target = ["singer-target"].iter().chain(arguments);
    let target: Vec<&str> = target.copied().collect();
    folder.start_fed(input, &target).ended()
}
