//! Systems for which there are pipelines already.

use crate::documents::Document;
use crate::seen::Seen;

/// A system that a ready-made pipeline carries over.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// The folder of its pipeline, below `pipelines/`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can read it.
    connectors: &'static [&'static str],
    /// What tells it: tables, `*` where it may be called anything, and columns that each of them has.
    /// Nothing where its files are no tables before a pipeline says how.
    tells: &'static [(&'static str, &'static [&'static str])],
    /// The pipeline.
    text: &'static str,
    /// The line of the pipeline that says where the sample is: its key.
    place: &'static str,
}

/// All of them: a new one is an entry here.
pub const KNOWN: [System; 21] = [
    System {
        name: "slack-export",
        about: "an export of a Slack workspace",
        connectors: &["json"],
        tells: &[
            (
                "channels",
                &["id", "name", "creator", "members", "is_archived"],
            ),
            ("users", &["id", "team_id", "name", "profile"]),
        ],
        text: include_str!("../../../pipelines/slack-export/pipeline.toml"),
        place: "root",
    },
    System {
        name: "mattermost",
        about: "a Mattermost server's database",
        connectors: &["postgres"],
        tells: &[
            ("posts", &["channelid", "userid", "rootid", "originalid"]),
            ("channelmembers", &["channelid", "schemeadmin"]),
        ],
        text: include_str!("../../../pipelines/mattermost/pipeline.toml"),
        place: "url",
    },
    System {
        name: "matrix-synapse",
        about: "a Matrix homeserver's database, of Synapse",
        connectors: &["postgres"],
        tells: &[
            ("event_json", &["event_id", "json"]),
            ("events", &["room_id", "origin_server_ts"]),
            ("room_memberships", &["membership"]),
        ],
        text: include_str!("../../../pipelines/matrix-synapse/pipeline.toml"),
        place: "url",
    },
    System {
        name: "ejabberd",
        about: "an ejabberd server's database",
        connectors: &["postgres", "mysql"],
        tells: &[("archive", &["username", "bare_peer", "xml", "nick"])],
        text: include_str!("../../../pipelines/ejabberd/pipeline.toml"),
        place: "url",
    },
    System {
        name: "zulip",
        about: "a Zulip server's database",
        connectors: &["postgres"],
        tells: &[
            ("zerver_message", &["sender_id", "recipient_id"]),
            ("zerver_userprofile", &["full_name"]),
        ],
        text: include_str!("../../../pipelines/zulip/pipeline.toml"),
        place: "url",
    },
    System {
        name: "discourse-chat",
        about: "the chat of a Discourse forum, in its database",
        connectors: &["postgres"],
        tells: &[
            ("chat_messages", &["chat_channel_id", "message"]),
            ("chat_channels", &["chatable_type"]),
        ],
        text: include_str!("../../../pipelines/discourse-chat/pipeline.toml"),
        place: "url",
    },
    System {
        name: "chatwoot",
        about: "a Chatwoot desk's database",
        connectors: &["postgres"],
        tells: &[
            (
                "messages",
                &["conversation_id", "sender_type", "content_attributes"],
            ),
            ("contacts", &["account_id"]),
        ],
        text: include_str!("../../../pipelines/chatwoot/pipeline.toml"),
        place: "url",
    },
    System {
        name: "openfire",
        about: "an Openfire server's database",
        connectors: &["postgres"],
        tells: &[
            ("ofuser", &["username"]),
            ("ofmucroom", &["roomid", "naturalname"]),
        ],
        text: include_str!("../../../pipelines/openfire/pipeline.toml"),
        place: "url",
    },
    System {
        name: "rocketchat",
        about: "a Rocket.Chat server's collections, exported as JSON lines",
        connectors: &["json"],
        tells: &[
            ("rocketchat_message", &["rid", "ts", "u"]),
            ("rocketchat_room", &["t"]),
        ],
        text: include_str!("../../../pipelines/rocketchat/pipeline.toml"),
        place: "root",
    },
    System {
        name: "rocketchat-mongodb",
        about: "a Rocket.Chat server's own database",
        connectors: &["mongodb"],
        tells: &[
            ("rocketchat_message", &["rid", "ts", "u"]),
            ("rocketchat_room", &["t"]),
        ],
        text: include_str!("../../../pipelines/rocketchat-mongodb/pipeline.toml"),
        place: "url",
    },
    System {
        name: "mattermost-bulk",
        about: "a bulk export of a Mattermost server",
        connectors: &["json"],
        tells: &[("*", &["type", "version", "team", "channel", "user", "post"])],
        text: include_str!("../../../pipelines/mattermost-bulk/pipeline.toml"),
        place: "root",
    },
    System {
        name: "discord",
        about: "channels of Discord, as DiscordChatExporter writes them",
        connectors: &["json"],
        tells: &[],
        text: include_str!("../../../pipelines/discord/pipeline.toml"),
        place: "root",
    },
    System {
        name: "telegram",
        about: "chats of Telegram Desktop",
        connectors: &["json"],
        tells: &[],
        text: include_str!("../../../pipelines/telegram/pipeline.toml"),
        place: "root",
    },
    System {
        name: "zulip-export",
        about: "an organisation as Zulip exports it",
        connectors: &["json"],
        tells: &[],
        text: include_str!("../../../pipelines/zulip-export/pipeline.toml"),
        place: "root",
    },
    System {
        name: "stream",
        about: "an import file of Stream Chat",
        connectors: &["json"],
        tells: &[("*", &["type", "item"])],
        text: include_str!("../../../pipelines/stream/pipeline.toml"),
        place: "root",
    },
    System {
        name: "stream-export",
        about: "channels as Stream Chat exports them",
        connectors: &["json"],
        tells: &[("*", &["channel", "members", "messages"])],
        text: include_str!("../../../pipelines/stream-export/pipeline.toml"),
        place: "root",
    },
    System {
        name: "sendbird",
        about: "answers of Sendbird's API",
        connectors: &["json"],
        tells: &[],
        text: include_str!("../../../pipelines/sendbird/pipeline.toml"),
        place: "root",
    },
    System {
        name: "twilio",
        about: "answers of the API of Twilio Conversations",
        connectors: &["json"],
        tells: &[],
        text: include_str!("../../../pipelines/twilio/pipeline.toml"),
        place: "root",
    },
    System {
        name: "homegrown-sqlite",
        about: "the home-grown chat of the samples, in SQLite",
        connectors: &["sqlite"],
        tells: &[
            (
                "users",
                &["nick", "bot", "settings", "last_seen", "deleted_at"],
            ),
            ("conversations", &["kind", "title", "archived"]),
            ("messages", &["payload", "parent_id", "deleted"]),
            ("participants", &["role", "left_at", "muted"]),
        ],
        text: include_str!("../../../pipelines/homegrown-sqlite/pipeline.toml"),
        place: "path",
    },
    System {
        name: "homegrown-postgres",
        about: "the home-grown chat of the samples, in PostgreSQL",
        connectors: &["postgres"],
        tells: &[
            (
                "users",
                &[
                    "username",
                    "display_name",
                    "avatar_url",
                    "is_bot",
                    "settings",
                ],
            ),
            ("conversations", &["kind", "archived_at", "topic"]),
            (
                "messages",
                &["author_id", "payload", "parent_id", "deleted_at"],
            ),
            ("participants", &["role", "left_at", "muted_until"]),
        ],
        text: include_str!("../../../pipelines/homegrown-postgres/pipeline.toml"),
        place: "url",
    },
    System {
        name: "homegrown-mysql",
        about: "the home-grown chat of the samples, in MySQL",
        connectors: &["mysql"],
        tells: &[
            (
                "chat_users",
                &["login", "full_name", "status", "preferences"],
            ),
            ("chat_conversations", &["type", "topic", "is_archived"]),
            ("chat_messages", &["meta", "is_edited", "is_deleted"]),
            ("chat_participants", &["role", "is_banned", "left_at"]),
        ],
        text: include_str!("../../../pipelines/homegrown-mysql/pipeline.toml"),
        place: "url",
    },
];

/// Files that are one document each, by their names, `*` where one may be called anything, and keys that
/// each of them has.
type Documents = &'static [(&'static str, &'static [&'static str])];

/// What tells systems whose files are one document each.
const BY_DOCUMENTS: [(&str, Documents); 5] = [
    (
        "discord",
        &[("*", &["guild.id", "channel.id", "dateRange", "messages"])],
    ),
    (
        "zulip-export",
        &[
            ("realm.json", &["zerver_realm.id"]),
            (
                "messages-000001.json",
                &["zerver_message.sender", "zerver_message.recipient"],
            ),
        ],
    ),
    (
        "telegram",
        &[("result.json", &["type", "id", "messages.from_id"])],
    ),
    (
        "sendbird",
        &[
            ("users.json", &["users.user_id", "users.nickname"]),
            (
                "messages.json",
                &["messages.message_id", "messages.channel_url"],
            ),
        ],
    ),
    (
        "twilio",
        &[
            ("conversations.json", &["conversations.sid"]),
            (
                "messages.json",
                &["messages.conversation_sid", "messages.author"],
            ),
        ],
    ),
];

/// The system that has such documents, if it is a known one.
#[must_use]
pub fn recognised_by(documents: &[Document]) -> Option<&'static System> {
    let is = |wanted: &Documents| {
        let is_there = |(name, keys): &(&str, &[&str])| {
            documents.iter().any(|document| document.is(name, keys))
        };
        wanted.iter().all(is_there)
    };
    let (name, _) = BY_DOCUMENTS.iter().find(|(_, wanted)| is(wanted))?;
    KNOWN.iter().find(|system| system.name == *name)
}

/// The system that these tables are of, which these connectors have read, if it is a known one.
#[must_use]
pub fn recognised(tables: &[Seen], connectors: &[&str]) -> Option<&'static System> {
    let systems = KNOWN.iter();
    let mut read_by = systems.filter(|system| system.connector(connectors).is_some());
    read_by.find(|system| system.is(tables))
}

impl System {
    fn is(&self, tables: &[Seen]) -> bool {
        let has = |(name, columns): &(&str, &[&str])| {
            let mut named = tables
                .iter()
                .filter(|table| *name == "*" || table.short() == *name);
            named.any(|table| columns.iter().all(|column| table.column(column).is_some()))
        };
        !self.tells.is_empty() && self.tells.iter().all(has)
    }

    /// The first of these connectors that can read it.
    fn connector<'a>(&self, of: &[&'a str]) -> Option<&'a str> {
        let mut of = of.iter();
        of.find(|connector| self.connectors.contains(connector))
            .copied()
    }

    /// Its pipeline, with the chat at this place instead of that of the sample, read by one of these
    /// connectors if one of them can.
    #[must_use]
    pub fn pipeline(&self, place: &str, connectors: &[&str]) -> String {
        let text = told(self.text, self.place, place);
        match self.connector(connectors) {
            Some(connector) => told(&text, "connector", connector),
            None => text,
        }
    }
}

/// A pipeline with another value on the first line of that key.
fn told(pipeline: &str, key: &str, value: &str) -> String {
    let of_line = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let mut lines = pipeline.lines();
    let old = lines
        .find(|line| of_line(line).trim() == key)
        .expect("each pipeline says what reads its sample, and where that is");
    let new = format!("{}= {}", of_line(old), crate::sql::toml(value));
    pipeline.replacen(old, &new, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_tell_only_of_systems_that_there_are() {
        for (name, _) in BY_DOCUMENTS {
            assert!(KNOWN.iter().any(|system| system.name == name), "{name}");
        }
    }

    #[test]
    fn every_pipeline_can_be_told_where_the_chat_is() {
        for system in KNOWN {
            for connector in system.connectors {
                let text = system.pipeline("/over/there", &[connector]);
                assert!(text.contains("= \"/over/there\""), "{}", system.name);
                let said = format!("= \"{connector}\"\n");
                let mut lines = text.split_inclusive('\n');
                let said = lines.any(|line| line.starts_with("connector") && line.ends_with(&said));
                assert!(said, "{}", system.name);
            }
        }
    }
}
