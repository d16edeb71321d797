//! A chat to move: JSON lines and their pipeline, as large as a test asks for.

use std::fmt::Write;

use crate::folder::Folder;

/// The key that the pipeline of a [`Chat`] sends.
pub const KEY: &str = "k3y-that-nobody-may-see";

/// A generated chat. Members and messages are dealt out evenly, and no two messages share a time.
#[derive(Clone, Debug)]
pub struct Chat {
    /// How many users.
    pub users: usize,
    /// How many groups, each a conversation. Half the users are members of each.
    pub groups: usize,
    /// How many messages.
    pub messages: usize,
    /// When the first message was sent, in UNIX seconds; one follows every second.
    pub from: i64,
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            users: 20,
            groups: 7,
            messages: 400,
            from: 1_700_000_000,
        }
    }
}

impl Chat {
    /// How many memberships it has.
    #[must_use]
    pub fn members(&self) -> usize {
        self.groups * (self.users / 2)
    }

    /// The muid of the message with this number, from 0.
    #[must_use]
    pub fn muid(number: usize) -> String {
        format!("m-{number:06}")
    }

    /// The muids of all messages, oldest first.
    #[must_use]
    pub fn muids(&self) -> Vec<String> {
        (0..self.messages).map(Self::muid).collect()
    }

    /// Writes its files and its pipeline, which sends to `url`; gives the pipeline as an argument.
    pub fn write(&self, folder: &Folder, url: &str) -> String {
        let mut files = [String::new(), String::new(), String::new(), String::new()];
        let [users, groups, members, messages] = &mut files;
        let (half, before) = (self.users / 2, self.from - 1_000);
        for user in 0..self.users {
            let _ = writeln!(users, r#"{{"id":"u{user}","name":"User {user}"}}"#);
        }
        for group in 0..self.groups {
            let _ = writeln!(
                groups,
                r#"{{"id":"g{group}","name":"Group {group}","at":{before}}}"#
            );
            for user in (0..half).map(|place| (group + 2 * place) % self.users) {
                let _ = writeln!(
                    members,
                    r#"{{"group":"g{group}","user":"u{user}","at":{}}}"#,
                    before + 1
                );
            }
        }
        for number in 0..self.messages {
            let muid = Self::muid(number);
            let (group, user) = (number * 7 % self.groups, number * 3 % self.users);
            let at = self.from + i64::try_from(number).expect("a small number");
            let _ = writeln!(
                messages,
                r#"{{"id":"{muid}","group":"g{group}","user":"u{user}","at":{at},"body":"message {number}"}}"#
            );
        }
        for (name, text) in ["users", "groups", "members", "messages"]
            .into_iter()
            .zip(files)
        {
            folder.write(&format!("data/{name}.jsonl"), text);
        }
        folder.write(
            "pipeline.toml",
            PIPELINE.replace("URL", url).replace("KEY", KEY),
        )
    }
}

const PIPELINE: &str = r#"
name = "generated"

[cometchat]
base_url = "URL"
api_key = "KEY"
requests_per_minute = "off"
retention = "off"

[sources.chat]
connector = "json"
root = "data"

[[flow]]
entity = "users"
from = "chat.users"
[flow.fields]
uid = "id"
name = "name"

[[flow]]
entity = "groups"
from = "chat.groups"
[flow.fields]
guid = "id"
name = "name"
type = "'public'"
createdAt = "at"

[[flow]]
entity = "members"
from = "chat.members"
[flow.fields]
memberId = "member_id(\"group\", \"user\")"
guid = "\"group\""
uid = "\"user\""
scope = "'participant'"
joinedAt = "at"

[[flow]]
entity = "messages"
from = "chat.messages"
[flow.fields]
muid = "id"
sender = "\"user\""
receiverType = "'group'"
receiver = "\"group\""
category = "'message'"
type = "'text'"
sentAt = "at"
data.text = "body"
"#;
