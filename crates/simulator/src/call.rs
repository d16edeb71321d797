//! What is asked of the part of the API that does not import: lists, single things, removals.

use http::Method;

use crate::query::plain;

/// What is asked, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Users,
    User(String),
    DeleteUser(String),
    DeactivateUsers,
    ActivateUsers,
    Groups,
    Group(String),
    DeleteGroup(String),
    Members(String),
    BannedUsers(String),
    Kick { guid: String, uid: String },
    Messages,
    Message(String),
    DeleteMessage(String),
}

impl Call {
    /// What this method at this path asks, whatever stands before the collection's name.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let collection = parts.find(|part| matches!(*part, "users" | "groups" | "messages"))?;
        // Ids are stored in lower case, and found whatever their case.
        let rest: Vec<String> = parts.map(|part| plain(part).to_ascii_lowercase()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let owned = |text: &&str| (*text).to_owned();
        let call = match (method.as_str(), collection, rest.as_slice()) {
            ("GET", "users", []) => Self::Users,
            ("GET", "users", [uid]) => Self::User(owned(uid)),
            ("DELETE", "users", []) => Self::DeactivateUsers,
            ("DELETE", "users", [uid]) => Self::DeleteUser(owned(uid)),
            ("PUT", "users", []) => Self::ActivateUsers,
            ("GET", "groups", []) => Self::Groups,
            ("GET", "groups", [guid]) => Self::Group(owned(guid)),
            ("DELETE", "groups", [guid]) => Self::DeleteGroup(owned(guid)),
            ("GET", "groups", [guid, "members"]) => Self::Members(owned(guid)),
            ("GET", "groups", [guid, "bannedusers"]) => Self::BannedUsers(owned(guid)),
            ("DELETE", "groups", [guid, "members", uid]) => Self::Kick {
                guid: owned(guid),
                uid: owned(uid),
            },
            ("GET", "messages", []) => Self::Messages,
            ("GET", "messages", [id]) => Self::Message(owned(id)),
            ("DELETE", "messages", [id]) => Self::DeleteMessage(owned(id)),
            _ => return None,
        };
        Some(call)
    }

    /// Whether it counts against the limit for making and ending users, groups and memberships.
    pub(crate) fn is_core(&self) -> bool {
        matches!(
            self,
            Self::DeleteUser(_) | Self::DeactivateUsers | Self::ActivateUsers | Self::Kick { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::Call;

    #[test]
    fn a_path_says_what_is_asked() {
        let call =
            |method: &str, path: &str| Call::of(&method.parse::<Method>().expect("a method"), path);
        assert_eq!(call("GET", "/v3/users"), Some(Call::Users));
        assert_eq!(call("GET", "/users/"), Some(Call::Users));
        assert_eq!(call("GET", "/v3/users/Ann"), Some(Call::User("ann".into())));
        let kick = Call::Kick {
            guid: "users".into(),
            uid: "members".into(),
        };
        assert_eq!(
            call("DELETE", "/v3/groups/users/members/members"),
            Some(kick)
        );
        assert_eq!(call("DELETE", "/groups"), None);
        assert_eq!(call("POST", "/v3/users"), None);
        assert_eq!(call("GET", "/v3/conversations"), None);
        assert_eq!(call("GET", "/v3/messages/1/thread"), None);
    }
}
