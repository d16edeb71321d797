//! The rules on a user.

use arrow::array::RecordBatch;

use super::Checked;
use super::columns::{Seconds, Tags, Text};
use crate::policy::Policy;
use crate::rules::{self, Broken};

pub(crate) struct User {
    uid: Text,
    name: Text,
    avatar: Text,
    link: Text,
    role: Text,
    times: [Seconds; 3],
    tags: Tags,
}

impl User {
    pub(super) fn new(rows: &RecordBatch) -> Self {
        let text = |name| Text::new(rows, name);
        Self {
            uid: text("uid"),
            name: text("name"),
            avatar: text("avatar"),
            link: text("link"),
            role: text("role"),
            times: ["createdAt", "lastActiveAt", "deactivatedAt"]
                .map(|name| Seconds::new(rows, name)),
            tags: Tags::new(rows),
        }
    }

    pub(super) fn check(&self, row: usize, policy: &Policy<'_>) -> Result<Checked, Broken> {
        self.uid.id(row)?;
        rules::name(self.name.required(row)?)?;
        self.avatar.picture(row, policy)?;
        self.link.url(row)?;
        self.role.optional_id(row)?;
        for time in &self.times {
            time.get(row)?;
        }
        self.tags.check(row)?;
        Ok(Checked::default())
    }
}
