//! What is taken away, and what vanishes with it.
//!
//! Taking away a user for good takes away the messages of that user and those to that user; taking
//! away a group takes away its members and its messages.

use std::io;

use serde::Deserialize;

use crate::change;
use crate::failure::Failure;
use crate::listing::{copy, entry_of, record, text_of};
use crate::messages::unusable;
use crate::response::Object;
use crate::settings::Settings;
use crate::state::State;
use crate::switches::{Deactivation, DeleteDeactivated};

/// Messages looked at together.
const AT_A_TIME: u64 = 1_000;

/// What the body of a removal says.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    permanent: bool,
    uids_to_deactivate: Vec<String>,
    uids_to_activate: Vec<String>,
}

impl Body {
    /// Reads it; it may be left out.
    fn of(body: &[u8]) -> Result<Self, Failure> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        serde_json::from_slice(body)
            .map_err(|_| Failure::bad_request("Failed to validate the data sent with the request."))
    }
}

/// Deactivates a user, or deletes it for good.
pub(crate) fn delete_user(
    state: &mut State,
    settings: &Settings,
    uid: &str,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let permanent = Body::of(body)?.permanent;
    let user = state
        .users
        .get(uid)
        .ok_or_else(|| Failure::no_such_user(uid))?;
    let switches = &settings.switches;
    let found = switches.delete_deactivated == DeleteDeactivated::Delete && permanent;
    if user.is_deactivated && !found {
        return Err(Failure::no_such_user(uid));
    }
    if permanent {
        state.remove_user(uid).map_err(|error| unusable(&error))?;
        return Ok(done(&format!(
            "User with {uid} has been deleted successfully."
        )));
    }
    state.set_active(uid, Err(settings.clock.now()));
    Ok(match switches.deactivation {
        Deactivation::Success => done(&format!("User with {uid} has been deactivated.")),
        Deactivation::Uids => uids(&[("deactivatedUids", vec![uid.to_owned()])]),
    })
}

/// Deactivates users.
pub(crate) fn deactivate(
    state: &mut State,
    settings: &Settings,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let wanted = Body::of(body)?.uids_to_deactivate;
    let now = settings.clock.now();
    Ok(activation(
        state,
        &wanted,
        Err(now),
        ["deactivatedUids", "alreadyDeactivatedUids"],
    ))
}

/// Activates deactivated users again.
pub(crate) fn activate(state: &mut State, body: &[u8]) -> Result<Vec<u8>, Failure> {
    let wanted = Body::of(body)?.uids_to_activate;
    Ok(activation(
        state,
        &wanted,
        Ok(()),
        ["reactivatedUids", "nonDeactivatedUids"],
    ))
}

/// Deletes a group with its members and messages.
pub(crate) fn delete_group(state: &mut State, guid: &str) -> Result<Vec<u8>, Failure> {
    if !state.groups.contains(guid) {
        return Err(Failure::no_such_group(guid));
    }
    state.remove_group(guid).map_err(|error| unusable(&error))?;
    Ok(done(&format!(
        "Group with guid {guid} has been deleted successfully."
    )))
}

/// Takes a member out of a group.
pub(crate) fn kick(state: &mut State, guid: &str, uid: &str) -> Result<Vec<u8>, Failure> {
    if !state.groups.contains(guid) {
        return Err(Failure::no_such_group(guid));
    }
    if !state.users.contains(uid) {
        return Err(Failure::no_such_user(uid));
    }
    if !state.remove_member(&format!("{guid}_member_{uid}"), guid) {
        let text =
            format!("The user with UID {uid} is not a member of the group with GUID {guid}.");
        return Err(Failure::new("ERR_NOT_A_MEMBER", text));
    }
    Ok(done(&format!(
        "The member with {uid} has been kicked from the Group with {guid}."
    )))
}

/// Deletes a message: it stays and says so, or it is gone for good.
pub(crate) fn delete_message(
    state: &mut State,
    settings: &Settings,
    id: &str,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let permanent = Body::of(body)?.permanent;
    let (number, entry) = entry_of(state, id, &settings.switches)?;
    let old = record(state, &entry).map_err(|error| unusable(&error))?;
    let now = settings.clock.now();
    let mut deleted = Vec::new();
    let mut entity = Object::open(&mut deleted);
    copy(&old, &["updatedAt"], &mut entity);
    entity.number("deletedAt", now);
    entity.plain("deletedBy", "app_system");
    entity.number("updatedAt", now);
    entity.close();
    let stored = if permanent {
        let muid = text_of(&old, "muid");
        state.messages.remove(number, entry, muid.as_deref())
    } else {
        change::rewrite(state, number, entry, &deleted)
    };
    stored.map_err(|error| unusable(&error))?;
    let action = change::tell(state, "deleted", &deleted, now).map_err(|error| unusable(&error))?;
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    answer.field("data").extend_from_slice(&action);
    answer.close();
    Ok(out)
}

/// Changes whether users are active: `Err` holds since when they are not.
fn activation(
    state: &mut State,
    wanted: &[String],
    active: Result<(), i64>,
    [changed_name, already_name]: [&'static str; 2],
) -> Vec<u8> {
    let (mut changed, mut already, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for uid in wanted.iter().map(|uid| uid.to_ascii_lowercase()) {
        match state.users.get(&uid) {
            None => unknown.push(uid),
            Some(user) if user.is_deactivated == active.is_err() => already.push(uid),
            Some(_) => {
                state.set_active(&uid, active);
                changed.push(uid);
            }
        }
    }
    let mut lists = vec![(changed_name, changed)];
    let others = [(already_name, already), ("notFound", unknown)];
    lists.extend(others.into_iter().filter(|(_, uids)| !uids.is_empty()));
    uids(&lists)
}

impl State {
    /// Makes a user active, or inactive since then.
    fn set_active(&mut self, uid: &str, active: Result<(), i64>) {
        let Some(user) = self.users.get_mut(uid) else {
            return;
        };
        user.is_deactivated = active.is_err();
        let mut record = Vec::new();
        let mut entity = Object::open(&mut record);
        copy(&user.record, &["deactivatedAt"], &mut entity);
        if let Err(since) = active {
            entity.number("deactivatedAt", since);
        }
        entity.close();
        user.record = record.into();
    }

    fn remove_user(&mut self, uid: &str) -> io::Result<()> {
        let suffix = format!("_member_{uid}");
        let guids: Vec<String> = self
            .groups
            .iter()
            .filter_map(|group| text_of(&group.record, "guid"))
            .collect();
        for guid in guids {
            self.remove_member(&format!("{guid}{suffix}"), &guid);
        }
        self.remove_messages(|record| {
            let is = |name: &str| text_of(record, name).as_deref() == Some(uid);
            is("sender")
                || (is("receiver") && text_of(record, "receiverType").as_deref() == Some("user"))
        })?;
        self.users.take(uid);
        Ok(())
    }

    fn remove_group(&mut self, guid: &str) -> io::Result<()> {
        let roster = self
            .groups
            .take(guid)
            .map(|group| group.roster)
            .unwrap_or_default();
        for place in roster {
            let uid = self
                .members
                .at(place)
                .and_then(|member| text_of(&member.record, "uid"));
            if let Some(uid) = uid {
                self.members.take(&format!("{guid}_member_{uid}"));
            }
        }
        let conversation = format!("group_{guid}");
        self.remove_messages(|record| {
            text_of(record, "conversationId").as_deref() == Some(conversation.as_str())
        })
    }

    /// Takes a member away, and says whether there was one.
    fn remove_member(&mut self, id: &str, guid: &str) -> bool {
        let Some(place) = self.members.place(id) else {
            return false;
        };
        let Some(member) = self.members.take(id) else {
            return false;
        };
        if let Some(group) = self.groups.get_mut(guid) {
            group.roster.retain(|other| *other != place);
            group.members -= u32::from(!member.banned);
        }
        true
    }

    /// Takes the messages away for which it is true.
    fn remove_messages(&mut self, is_one: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        if self.messages.len() == 0 {
            return Ok(());
        }
        let mut from = 1;
        loop {
            let Some(archive) = &mut self.messages.archive else {
                return Ok(());
            };
            let entries = archive.index.read(from, AT_A_TIME)?;
            let Some((last, _)) = entries.last() else {
                return Ok(());
            };
            from = last + 1;
            for (number, entry) in entries.iter().filter(|(_, entry)| entry.len > 0) {
                let record = record(self, entry)?;
                if is_one(&record) {
                    let muid = text_of(&record, "muid");
                    self.messages.remove(*number, *entry, muid.as_deref())?;
                }
            }
        }
    }
}

/// `{"data":{"success":true,"message":"…"}}`
fn done(message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    let mut data = Object::open(answer.field("data"));
    data.json("success", "true");
    data.plain("message", message);
    data.close();
    answer.close();
    out
}

/// `{"data":{"deactivatedUids":["…"]}}`
fn uids(lists: &[(&str, Vec<String>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    let mut data = Object::open(answer.field("data"));
    for (name, uids) in lists {
        let list = serde_json::to_string(uids).expect("texts are always JSON");
        data.json(name, &list);
    }
    data.close();
    answer.close();
    out
}

#[cfg(test)]
mod tests {
    use super::Body;

    #[test]
    fn a_body_may_be_left_out_and_says_what_is_to_be_done() {
        assert!(!Body::of(b" ").unwrap().permanent);
        assert!(Body::of(br#"{"permanent":true}"#).unwrap().permanent);
        assert!(Body::of(b"[1]").is_err());
    }
}
