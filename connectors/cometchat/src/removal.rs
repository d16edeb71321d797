//! How something is taken away for good, step after step ("Chat APIs": delete, kick, reactivate).

use bytes::Bytes;
use chatferry_core::{Entity, Removal, Removed};
use http::Method;
use serde_json::{Value, json};

use crate::lists::escaped;

/// One step of a removal: what is asked, and how it is gone on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    /// Whether this is the call that takes it away, rather than one that clears its way.
    removes: bool,
    /// What it comes to when it is not there.
    when_absent: Removed,
}

/// The next step; `None` when nothing leads to it.
pub(crate) fn step(removal: &Removal) -> Option<Step> {
    let for_good = || Bytes::from(json!({ "permanent": true }).to_string());
    let delete = |path: String, body: Bytes, when_absent: Removed| Step {
        method: Method::DELETE,
        path,
        body,
        removes: true,
        when_absent,
    };
    let id = removal.id.as_str();
    match removal.entity {
        Entity::Messages => {
            let number = removal.number.as_deref()?;
            let path = format!("/messages/{}", escaped(number));
            Some(delete(path, for_good(), Removed::Absent))
        }
        Entity::Members => {
            // Both ids may hold what stands between them, so that there may be several ways to
            // read it.
            let place = usize::try_from(removal.step).ok()?;
            let mut ways = id.match_indices(BETWEEN).skip(place);
            let (at, _) = ways.next()?;
            let (guid, uid) = (&id[..at], &id[at + BETWEEN.len()..]);
            let path = format!("/groups/{}/members/{}", escaped(guid), escaped(uid));
            let when_absent = match ways.next() {
                Some(_) => Removed::NotYet,
                None => Removed::Absent,
            };
            Some(delete(path, Bytes::new(), when_absent))
        }
        Entity::Groups => {
            let path = format!("/groups/{}", escaped(id));
            Some(delete(path, Bytes::new(), Removed::Absent))
        }
        // A deactivated user is not found, and still holds its uid: activate it, and try again.
        Entity::Users if removal.step == 1 => Some(Step {
            method: Method::PUT,
            path: "/users".into(),
            body: json!({ "uidsToActivate": [id] }).to_string().into(),
            removes: false,
            when_absent: Removed::Absent,
        }),
        Entity::Users => {
            let when_absent = match removal.step {
                0 => Removed::NotYet,
                _ => Removed::Absent,
            };
            let path = format!("/users/{}", escaped(id));
            Some(delete(path, for_good(), when_absent))
        }
    }
}

/// What stands between the guid and the uid of a member's id.
const BETWEEN: &str = "_member_";

impl Step {
    /// What the answer to the step comes to.
    pub(crate) fn taken(&self, removal: &Removal, answer: &Value) -> Removed {
        if self.removes {
            return Removed::Gone;
        }
        let lists = ["/data/reactivatedUids", "/data/nonDeactivatedUids"];
        let is_there = lists.iter().any(|list| match answer.pointer(list) {
            Some(Value::Array(uids)) => uids
                .iter()
                .any(|uid| uid.as_str() == Some(removal.id.as_str())),
            _ => false,
        });
        match is_there {
            true => Removed::NotYet,
            false => Removed::Absent,
        }
    }

    /// What it comes to when what it asks for is not there.
    pub(crate) fn absent(&self) -> Removed {
        self.when_absent.clone()
    }
}
