//! The rules on a group.

use arrow::array::RecordBatch;
use chatferry_core::Entity;

use super::columns::{Anything, Seconds, Tags, Text};
use super::{Checked, reference};
use crate::policy::Policy;
use crate::rules::{self, Broken};

pub(crate) struct Group {
    guid: Text,
    name: Text,
    kind: Text,
    password: Text,
    icon: Text,
    owner: Text,
    owner_details: Anything,
    created_at: Seconds,
    tags: Tags,
}

impl Group {
    pub(super) fn new(rows: &RecordBatch) -> Self {
        let text = |name| Text::new(rows, name);
        Self {
            guid: text("guid"),
            name: text("name"),
            kind: text("type"),
            password: text("password"),
            icon: text("icon"),
            owner: text("owner"),
            owner_details: Anything::new(rows, "groupOwnerDetails"),
            created_at: Seconds::new(rows, "createdAt"),
            tags: Tags::new(rows),
        }
    }

    pub(super) fn check(&self, row: usize, policy: &Policy<'_>) -> Result<Checked, Broken> {
        self.guid.id(row)?;
        rules::name(self.name.required(row)?)?;
        if self.kind.one_of(row, &["public", "password", "private"])? == "password" {
            rules::group_password(self.password.get(row))?;
        }
        self.icon.picture(row, policy)?;
        self.created_at.get(row)?;
        self.tags.check(row)?;
        let owner = self.owner.optional_id(row)?;
        let owner = owner.filter(|_| !self.owner_details.stands(row));
        let references = owner.map(|owner| reference("owner", Entity::Users, owner));
        Ok(Checked {
            references: references.into_iter().collect(),
            ..Checked::default()
        })
    }
}
