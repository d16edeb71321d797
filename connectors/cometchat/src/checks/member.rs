//! The rules on a member of a group.

use arrow::array::RecordBatch;
use chatferry_core::Entity;

use super::columns::{Anything, Seconds, Text};
use super::{Checked, reference};
use crate::policy::Policy;
use crate::rules::Broken;

pub(crate) struct Member {
    id: Text,
    guid: Text,
    uid: Text,
    scope: Text,
    joined_at: Seconds,
    group_details: Anything,
    user_details: Anything,
}

impl Member {
    pub(super) fn new(rows: &RecordBatch) -> Self {
        let text = |name| Text::new(rows, name);
        Self {
            id: text("memberId"),
            guid: text("guid"),
            uid: text("uid"),
            scope: text("scope"),
            joined_at: Seconds::new(rows, "joinedAt"),
            group_details: Anything::new(rows, "groupDetails"),
            user_details: Anything::new(rows, "userDetails"),
        }
    }

    pub(super) fn check(&self, row: usize, policy: &Policy<'_>) -> Result<Checked, Broken> {
        let (guid, uid) = (self.guid.id(row)?, self.uid.id(row)?);
        let behind = self.id.required(row)?.strip_prefix(guid);
        if behind.and_then(|rest| rest.strip_prefix("_member_")) != Some(uid) {
            let detail = "`memberId` is not made of `guid` and `uid`";
            return Err(Broken::new("member-id", detail));
        }
        let scopes = ["admin", "moderator", "participant"];
        self.scope.optional_one_of(row, &scopes)?;
        if let Some(time) = self.joined_at.get(row)? {
            // "Less than the current time" (Data migration: errors): now is not.
            self.joined_at.past(time, policy.now - 1)?;
        }
        let mut references = Vec::new();
        if !self.group_details.stands(row) {
            references.push(reference("guid", Entity::Groups, guid));
        }
        if !self.user_details.stands(row) {
            references.push(reference("uid", Entity::Users, uid));
        }
        Ok(Checked {
            references,
            ..Checked::default()
        })
    }
}
