//! What the records of a flow come from and what their ids are made of, and how that has changed.
//!
//! A record that was delivered is known by its id. A flow that makes other ids of the same rows
//! would have them delivered once more, beside those that are there; one that reads other tables,
//! or is gone, leaves records behind. That is told before anything is sent.

use std::collections::BTreeSet;

use crate::{Entity, FieldEntry, FieldValue, Flow};

/// What the records of a flow come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The flow's name.
    pub flow: String,
    /// What it makes.
    pub entity: Entity,
    /// The tables that it reads, views looked through: `source.table`.
    pub reads: BTreeSet<String>,
    /// The expression that makes the ids of its records.
    pub id: String,
}

/// How a flow has changed since the last run, so that rows might be delivered twice or be left
/// behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineageChange {
    /// There is no such flow any more.
    Removed {
        /// The one that was there.
        was: Lineage,
    },
    /// It has another name, and is the same in all else.
    Renamed {
        /// The name that it had.
        from: String,
        /// The name that it has.
        to: String,
        /// What it makes.
        entity: Entity,
    },
    /// It no longer reads tables that it read.
    ReadsOthers {
        /// The flow.
        flow: String,
        /// What it makes.
        entity: Entity,
        /// The tables that it no longer reads.
        no_more: BTreeSet<String>,
        /// Those that it reads instead.
        instead: BTreeSet<String>,
    },
    /// Its ids are made of something else.
    OtherIds {
        /// The flow.
        flow: String,
        /// What it makes.
        entity: Entity,
        /// The expression that they were made with.
        before: String,
        /// The expression that they are made with.
        now: String,
    },
}

impl Lineage {
    /// What the records of a flow come from, which reads these tables.
    #[must_use]
    pub fn of(flow: &Flow, reads: BTreeSet<String>) -> Self {
        let is_id = |entry: &&FieldEntry| entry.name == flow.entity.id_field();
        let id = match flow.fields.iter().find(is_id).map(|entry| &entry.value) {
            Some(FieldValue::Expression(sql)) => spaced(&sql.text),
            Some(FieldValue::Object(_)) | None => String::new(),
        };
        Self {
            flow: flow.name.clone(),
            entity: flow.entity,
            reads,
            id,
        }
    }
}

/// An expression with one space wherever it has any.
fn spaced(expression: &str) -> String {
    expression.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How the flows have changed, in the order in which they were.
#[must_use]
pub fn changes(before: &[Lineage], now: &[Lineage]) -> Vec<LineageChange> {
    let find = |of: &[Lineage], it: &Lineage| {
        let same = |other: &&Lineage| other.flow == it.flow && other.entity == it.entity;
        of.iter().find(same).cloned()
    };
    let mut changes = Vec::new();
    for was in before {
        let Some(is) = find(now, was) else {
            let is_it = |other: &&Lineage| {
                (other.entity, &other.reads, &other.id) == (was.entity, &was.reads, &was.id)
                    && find(before, other).is_none()
            };
            changes.push(match now.iter().find(is_it) {
                Some(renamed) => LineageChange::Renamed {
                    from: was.flow.clone(),
                    to: renamed.flow.clone(),
                    entity: was.entity,
                },
                None => LineageChange::Removed { was: was.clone() },
            });
            continue;
        };
        let no_more: BTreeSet<String> = was.reads.difference(&is.reads).cloned().collect();
        if !no_more.is_empty() {
            changes.push(LineageChange::ReadsOthers {
                flow: was.flow.clone(),
                entity: was.entity,
                no_more,
                instead: is.reads.difference(&was.reads).cloned().collect(),
            });
        }
        if was.id != is.id {
            changes.push(LineageChange::OtherIds {
                flow: was.flow.clone(),
                entity: was.entity,
                before: was.id.clone(),
                now: is.id,
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(flow: &str, entity: Entity, reads: &[&str], id: &str) -> Lineage {
        Lineage {
            flow: flow.into(),
            entity,
            reads: reads.iter().map(|table| (*table).to_owned()).collect(),
            id: id.into(),
        }
    }

    #[test]
    fn what_adds_to_a_pipeline_is_no_change() {
        let before = [lineage("users", Entity::Users, &["a.users"], "id")];
        let now = [
            lineage("users", Entity::Users, &["a.users", "a.roles"], "id"),
            lineage("bots", Entity::Users, &["a.bots"], "id"),
        ];
        assert_eq!(changes(&before, &now), []);
        assert_eq!(changes(&[], &now), []);
    }

    #[test]
    fn each_way_to_lose_or_double_rows_is_told() {
        let before = [
            lineage("users", Entity::Users, &["a.users"], "cometchat_id(id)"),
            lineage("groups", Entity::Groups, &["a.rooms"], "id"),
            lineage("direct", Entity::Messages, &["a.posts"], "id"),
            lineage("talk", Entity::Messages, &["a.talk"], "id"),
        ];
        let now = [
            lineage("users", Entity::Users, &["a.users"], "cometchat_id(email)"),
            lineage("groups", Entity::Groups, &["b.rooms"], "id"),
            lineage("said", Entity::Messages, &["a.talk"], "id"),
        ];
        let found = changes(&before, &now);
        assert!(
            matches!(
                &found[..],
                [
                    LineageChange::OtherIds { flow, .. },
                    LineageChange::ReadsOthers { no_more, instead, .. },
                    LineageChange::Removed { was },
                    LineageChange::Renamed { from, to, .. },
                ] if flow == "users" && no_more.contains("a.rooms") && instead.contains("b.rooms")
                    && was.flow == "direct" && from == "talk" && to == "said"
            ),
            "{found:#?}"
        );
    }
}
