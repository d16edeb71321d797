//! Systems for which there are pipelines already.

use crate::seen::Seen;

/// A system that a ready-made pipeline carries over.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// The folder of its pipeline, below `pipelines/`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What tells it: tables, and columns that each of them has.
    tells: &'static [(&'static str, &'static [&'static str])],
    /// The pipeline.
    text: &'static str,
    /// The line of the pipeline that says where the sample is: its key.
    place: &'static str,
}

/// All of them: a new one is an entry here.
pub const KNOWN: [System; 4] = [
    System {
        name: "slack-export",
        about: "an export of a Slack workspace",
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
        name: "homegrown-sqlite",
        about: "the home-grown chat of the samples, in SQLite",
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

/// The system that these tables are of, if it is a known one.
#[must_use]
pub fn recognised(tables: &[Seen]) -> Option<&'static System> {
    KNOWN.iter().find(|system| system.is(tables))
}

impl System {
    fn is(&self, tables: &[Seen]) -> bool {
        let has = |(name, columns): &(&str, &[&str])| {
            let mut named = tables.iter().filter(|table| table.short() == *name);
            named.any(|table| columns.iter().all(|column| table.column(column).is_some()))
        };
        self.tells.iter().all(has)
    }

    /// Its pipeline, with the chat at this place instead of that of the sample.
    #[must_use]
    pub fn pipeline(&self, place: &str) -> String {
        let is_place = |line: &&str| {
            let key = line.split('=').next().unwrap_or_default();
            key.trim() == self.place
        };
        let old = self
            .text
            .lines()
            .find(is_place)
            .expect("each pipeline says where its sample is");
        let key = old.split('=').next().unwrap_or_default();
        let new = format!("{key}= {}", crate::sql::toml(place));
        self.text.replacen(old, &new, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pipeline_can_be_told_where_the_chat_is() {
        for system in KNOWN {
            let text = system.pipeline("/over/there");
            assert!(text.contains("= \"/over/there\""), "{}", system.name);
        }
    }
}
