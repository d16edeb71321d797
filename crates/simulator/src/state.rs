//! What is stored, and whether a record that keeps the rules can be added to it.
//!
//! A record is stored whole or not at all: what it refers to is checked first, and only then
//! created where details were sent for it.

use std::io;
use std::time::Duration;

use crate::failure::Failure;
use crate::messages::Messages;
use crate::recent::Recent;
use crate::request::Entity;
use crate::response::Object;
use crate::rules::{Group, Member, Message, ReceiverType, User};
use crate::settings::{Keep, Settings};
use crate::shelf::{Shelf, hash};
use crate::switches::{
    Duplicates, InlineExisting, InlineMissing, JoinedAt, MissingReference, OwnerJoins, UnknownRole,
};

/// What is stored.
pub(crate) struct State {
    pub(crate) users: Shelf<StoredUser>,
    pub(crate) groups: Shelf<StoredGroup>,
    pub(crate) members: Shelf<StoredMember>,
    pub(crate) messages: Messages,
    pub(crate) recent: Recent,
}

pub(crate) struct StoredUser {
    /// The entity, unless only ids are kept.
    pub(crate) record: Box<[u8]>,
    /// The entity as a message has it, open for more fields.
    pub(crate) brief: Box<[u8]>,
    /// The `createdAt` that was sent.
    created_at: Option<i64>,
    pub(crate) is_deactivated: bool,
}

pub(crate) struct StoredGroup {
    /// The entity, unless only ids are kept.
    pub(crate) record: Box<[u8]>,
    /// The entity as a message has it, open for more fields.
    pub(crate) brief: Box<[u8]>,
    /// The `createdAt` that was sent.
    created_at: Option<i64>,
    /// How many members it has, without those who are banned.
    pub(crate) members: u32,
    /// The places of its members, banned ones included, unless only ids are kept.
    pub(crate) roster: Vec<usize>,
}

pub(crate) struct StoredMember {
    /// The entity, unless only ids are kept.
    pub(crate) record: Box<[u8]>,
    pub(crate) banned: bool,
}

/// What decides about a request's records besides what is stored.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) now: i64,
}

impl Terms<'_> {
    fn kept(&self, record: &[u8]) -> Box<[u8]> {
        match self.settings.keep {
            Keep::Everything => record.into(),
            Keep::Ids => Box::default(),
        }
    }

    fn overwrites(&self) -> bool {
        self.settings.switches.duplicates == Duplicates::Overwrite
    }
}

impl State {
    pub(crate) fn new(keep: Keep, read_delay: Duration) -> io::Result<Self> {
        Ok(Self {
            users: Shelf::default(),
            groups: Shelf::default(),
            members: Shelf::default(),
            messages: Messages::new(keep)?,
            recent: Recent::new(read_delay),
        })
    }

    /// Stores a user and writes its entity to `out`.
    pub(crate) fn add_user(
        &mut self,
        user: &User<'_>,
        terms: Terms<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        if self.users.contains(&user.uid) && !terms.overwrites() {
            let uid = &user.uid;
            return Err(Failure::new(
                "ERR_UID_ALREADY_EXISTS",
                format!("The UID {uid} already exists, please use a different UID."),
            ));
        }
        check_role(user, terms)?;
        self.put_user(user, terms, out);
        Ok(())
    }

    /// Stores a group and writes its entity to `out`.
    pub(crate) fn add_group(
        &mut self,
        group: &Group<'_>,
        terms: Terms<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        if self.groups.contains(&group.guid) && !terms.overwrites() {
            let guid = &group.guid;
            return Err(Failure::new(
                "ERR_GUID_ALREADY_EXISTS",
                format!("The GUID {guid} already exists, please use a different GUID."),
            ));
        }
        self.check_owner(group, terms)?;
        self.settle_owner(group, terms);
        self.put_group(group, terms, out);
        Ok(())
    }

    /// Stores a member and writes its entity to `out`.
    pub(crate) fn add_member(
        &mut self,
        member: &Member<'_>,
        terms: Terms<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let Member { guid, uid, .. } = member;
        let id = format!("{guid}_member_{uid}");
        let joined = self.members.contains(&id);
        if joined && !terms.overwrites() {
            return Err(Failure::new(
                "ERR_ALREADY_JOINED",
                format!("The user with UID {uid} has already joined the group with GUID {guid}."),
            ));
        }
        self.check_group(guid, member.group_details.as_ref(), terms)?;
        self.check_user(uid, member.user_details.as_ref(), terms)?;
        self.check_joined_at(member, terms)?;
        let counts = !joined && member.is_banned != Some(true);
        let vacant = terms.settings.members_per_group.is_none_or(|most| {
            self.groups
                .get(guid)
                .is_none_or(|group| group.members < most.get())
        });
        if counts && !vacant {
            let text = format!("The group with GUID {guid} has no vacancy.");
            return Err(Failure::new("ERR_NO_VACANCY", text));
        }
        self.settle_group(guid, member.group_details.as_ref(), terms);
        self.settle_user(uid, member.user_details.as_ref(), terms);
        if counts && let Some(group) = self.groups.get_mut(guid) {
            group.members += 1;
        }
        self.put_member(member, joined, terms, out);
        Ok(())
    }

    fn put_member(
        &mut self,
        member: &Member<'_>,
        joined: bool,
        terms: Terms<'_>,
        out: &mut Vec<u8>,
    ) {
        let Member { guid, uid, .. } = member;
        let id = format!("{guid}_member_{uid}");
        let start = out.len();
        let mut entity = Object::open(out);
        entity.plain("guid", guid);
        entity.plain("uid", uid);
        entity.plain("scope", member.scope);
        entity.json_if(
            "isBanned",
            member.is_banned.map(|is| if is { "true" } else { "false" }),
        );
        entity.number("joinedAt", member.joined_at.unwrap_or(terms.now));
        entity.close();
        let stored = StoredMember {
            record: terms.kept(&out[start..]),
            banned: member.is_banned == Some(true),
        };
        let place = self.members.put(&id, stored);
        if let Some(group) = self.groups.get_mut(guid)
            && !joined
            && terms.settings.keep == Keep::Everything
        {
            group.roster.push(place);
        }
        self.recent.note(Entity::Members, hash(id.as_bytes()));
    }

    /// Stores a message and writes its entity to `out`.
    pub(crate) fn add_message(
        &mut self,
        message: &Message<'_>,
        terms: Terms<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let muid = self.messages.unused(&message.muid.value)?;
        let sender_details = message.sender_details.as_ref();
        self.check_user(&message.sender, sender_details, terms)?;
        match message.receiver_type {
            ReceiverType::User => {
                self.check_user(&message.receiver, message.receiver_user.as_ref(), terms)?;
            }
            ReceiverType::Group => {
                self.check_group(&message.receiver, message.receiver_group.as_ref(), terms)?;
            }
        }
        let creates = terms.settings.switches.inline_missing == InlineMissing::Create;
        for user in &message.mentioned {
            if creates || self.users.contains(&user.uid) {
                self.check_user(&user.uid, Some(user), terms)?;
            }
        }
        self.settle_user(&message.sender, sender_details, terms);
        match message.receiver_type {
            ReceiverType::User => {
                self.settle_user(&message.receiver, message.receiver_user.as_ref(), terms);
            }
            ReceiverType::Group => {
                self.settle_group(&message.receiver, message.receiver_group.as_ref(), terms);
            }
        }
        for user in &message.mentioned {
            if creates || self.users.contains(&user.uid) {
                self.settle_user(&user.uid, Some(user), terms);
            }
        }
        let sender = self.users.get(&message.sender).map(|user| &*user.brief);
        let receiver = match message.receiver_type {
            ReceiverType::User => self.users.get(&message.receiver).map(|user| &*user.brief),
            ReceiverType::Group => self
                .groups
                .get(&message.receiver)
                .map(|group| &*group.brief),
        };
        let (Some(sender), Some(receiver)) = (sender, receiver) else {
            return Err(Failure::exception());
        };
        let switches = &terms.settings.switches;
        let number = self
            .messages
            .add(muid, message, (sender, receiver), switches, out)?;
        self.recent.note(Entity::Messages, number);
        Ok(())
    }

    /// Whether there is a user to refer to, or will be once it is settled.
    fn check_user(
        &self,
        uid: &str,
        details: Option<&User<'_>>,
        terms: Terms<'_>,
    ) -> Result<(), Failure> {
        let switches = &terms.settings.switches;
        let exists = self.users.contains(uid);
        match details {
            Some(user) if exists && switches.inline_existing == InlineExisting::Overwrite => {
                check_role(user, terms)
            }
            _ if exists => Ok(()),
            Some(user) if switches.inline_missing == InlineMissing::Create => {
                check_role(user, terms)
            }
            _ if switches.missing_reference == MissingReference::Create => Ok(()),
            _ => Err(Failure::no_such_user(uid)),
        }
    }

    /// Creates or overwrites a user that was checked, where that is called for.
    fn settle_user(&mut self, uid: &str, details: Option<&User<'_>>, terms: Terms<'_>) {
        let switches = &terms.settings.switches;
        let mut unseen = Vec::new();
        match details {
            Some(user) if self.users.contains(uid) => {
                if switches.inline_existing == InlineExisting::Overwrite {
                    self.put_user(user, terms, &mut unseen);
                }
            }
            _ if self.users.contains(uid) => {}
            Some(user) if switches.inline_missing == InlineMissing::Create => {
                self.put_user(user, terms, &mut unseen);
            }
            _ => self.put_user(&User::named_after(uid), terms, &mut unseen),
        }
    }

    /// Whether there is a group to refer to, or will be once it is settled.
    fn check_group(
        &self,
        guid: &str,
        details: Option<&Group<'_>>,
        terms: Terms<'_>,
    ) -> Result<(), Failure> {
        let switches = &terms.settings.switches;
        let exists = self.groups.contains(guid);
        match details {
            Some(group) if exists && switches.inline_existing == InlineExisting::Overwrite => {
                self.check_owner(group, terms)
            }
            _ if exists => Ok(()),
            Some(group) if switches.inline_missing == InlineMissing::Create => {
                self.check_owner(group, terms)
            }
            _ if switches.missing_reference == MissingReference::Create => Ok(()),
            _ => Err(Failure::no_such_group(guid)),
        }
    }

    /// Creates or overwrites a group that was checked, where that is called for.
    fn settle_group(&mut self, guid: &str, details: Option<&Group<'_>>, terms: Terms<'_>) {
        let switches = &terms.settings.switches;
        let exists = self.groups.contains(guid);
        let wanted = match exists {
            true => switches.inline_existing == InlineExisting::Overwrite,
            false => switches.inline_missing == InlineMissing::Create,
        };
        let mut unseen = Vec::new();
        match details {
            Some(group) if wanted => {
                self.settle_owner(group, terms);
                self.put_group(group, terms, &mut unseen);
            }
            _ if exists => {}
            _ => self.put_group(&Group::named_after(guid), terms, &mut unseen),
        }
    }

    fn check_owner(&self, group: &Group<'_>, terms: Terms<'_>) -> Result<(), Failure> {
        match &group.owner {
            Some(owner) => self.check_user(owner, group.owner_details.as_ref(), terms),
            None => Ok(()),
        }
    }

    fn settle_owner(&mut self, group: &Group<'_>, terms: Terms<'_>) {
        if let Some(owner) = &group.owner {
            self.settle_user(owner, group.owner_details.as_ref(), terms);
        }
    }

    /// Whether a member joined after group and user were created, and before now.
    ///
    /// Only a `createdAt` that was sent counts: an entity that got its own at the import would
    /// have had no member before.
    fn check_joined_at(&self, member: &Member<'_>, terms: Terms<'_>) -> Result<(), Failure> {
        let Some(joined_at) = member.joined_at else {
            return Ok(());
        };
        let group = match (self.groups.get(&member.guid), &member.group_details) {
            (Some(group), _) => group.created_at,
            (None, details) => details.as_ref().and_then(|group| group.created_at),
        };
        let user = match (self.users.get(&member.uid), &member.user_details) {
            (Some(user), _) => user.created_at,
            (None, details) => details.as_ref().and_then(|user| user.created_at),
        };
        let created = group.max(user);
        let late_enough = created.is_none_or(|created| match terms.settings.switches.joined_at {
            JoinedAt::NotBefore => joined_at >= created,
            JoinedAt::After => joined_at > created,
        });
        if late_enough && joined_at < terms.now {
            return Ok(());
        }
        Err(Failure::new(
            "ERR_IMPORT_INVALID_JOINEDAT",
            "The joinedAt should be greater than createdAt and less than the current time.",
        ))
    }

    fn put_user(&mut self, user: &User<'_>, terms: Terms<'_>, out: &mut Vec<u8>) {
        let role = user.role.as_deref().unwrap_or("default");
        let created_at = user.created_at.unwrap_or(terms.now);
        let start = out.len();
        let mut entity = Object::open(out);
        entity.plain("uid", &user.uid);
        entity.json("name", &user.name.json);
        entity.json_if("avatar", user.avatar.as_ref().map(|avatar| &*avatar.json));
        entity.json_if("link", user.link.as_ref().map(|link| &*link.json));
        entity.json_if("metadata", user.metadata.map(|metadata| metadata.get()));
        entity.plain("status", "offline");
        entity.plain("role", role);
        entity.number_if("lastActiveAt", user.last_active_at);
        entity.number("createdAt", created_at);
        entity.number_if("deactivatedAt", user.deactivated_at);
        entity.json_if("tags", user.tags.map(|tags| tags.get()));
        entity.close();

        let mut brief = Vec::new();
        let mut entity = Object::open(&mut brief);
        entity.plain("uid", &user.uid);
        entity.json("name", &user.name.json);
        entity.json_if("avatar", user.avatar.as_ref().map(|avatar| &*avatar.json));
        entity.plain("status", "offline");
        entity.plain("role", role);
        entity.number("createdAt", created_at);
        entity.number("updatedAt", terms.now);
        let stored = StoredUser {
            record: terms.kept(&out[start..]),
            brief: brief.into(),
            created_at: user.created_at,
            is_deactivated: user.deactivated_at.is_some(),
        };
        self.users.put(&user.uid, stored);
        self.recent.note(Entity::Users, hash(user.uid.as_bytes()));
    }

    fn put_group(&mut self, group: &Group<'_>, terms: Terms<'_>, out: &mut Vec<u8>) {
        let created_at = group.created_at.unwrap_or(terms.now);
        let conversation = format!("group_{}", group.guid);
        let start = out.len();
        let mut entity = Object::open(out);
        entity.plain("guid", &group.guid);
        entity.json("name", &group.name.json);
        entity.plain("type", group.kind);
        entity.json_if("icon", group.icon.as_ref().map(|icon| &*icon.json));
        entity.json_if("metadata", group.metadata.map(|metadata| metadata.get()));
        entity.plain("conversationId", &conversation);
        entity.number("createdAt", created_at);
        if let Some(owner) = &group.owner {
            entity.plain("owner", owner);
        }
        entity.json_if("tags", group.tags.map(|tags| tags.get()));
        entity.close();

        let mut brief = Vec::new();
        let mut entity = Object::open(&mut brief);
        entity.plain("guid", &group.guid);
        entity.json("name", &group.name.json);
        entity.json_if("icon", group.icon.as_ref().map(|icon| &*icon.json));
        entity.plain("type", group.kind);
        if let Some(owner) = &group.owner {
            entity.plain("owner", owner);
        }
        entity.number("createdAt", created_at);
        entity.number("updatedAt", terms.now);
        let record = terms.kept(&out[start..]);
        let old = self.groups.get_mut(&group.guid);
        let (members, roster) = old.map_or((0, Vec::new()), |old| {
            (old.members, std::mem::take(&mut old.roster))
        });
        let stored = StoredGroup {
            record,
            brief: brief.into(),
            created_at: group.created_at,
            members,
            roster,
        };
        self.groups.put(&group.guid, stored);
        self.recent
            .note(Entity::Groups, hash(group.guid.as_bytes()));
        if let Some(owner) = &group.owner {
            self.join_owner(&group.guid, owner, terms);
        }
    }

    /// Makes the owner of a group a member of it, where the service does that by itself.
    fn join_owner(&mut self, guid: &str, owner: &str, terms: Terms<'_>) {
        let joined = self.members.contains(&format!("{guid}_member_{owner}"));
        if joined || terms.settings.switches.owner_joins == OwnerJoins::No {
            return;
        }
        if let Some(group) = self.groups.get_mut(guid) {
            group.members += 1;
        }
        self.put_member(&Member::owner(guid, owner), false, terms, &mut Vec::new());
    }
}

fn check_role(user: &User<'_>, terms: Terms<'_>) -> Result<(), Failure> {
    let Some(role) = user.role.as_deref() else {
        return Ok(());
    };
    if role == "default" || terms.settings.roles.contains(role) {
        return Ok(());
    }
    let text = format!("The role {role} does not exist, please make sure you have created it.");
    Err(match terms.settings.switches.unknown_role {
        UnknownRole::RoleNotFound => Failure::new("ERR_ROLE_NOT_FOUND", text),
        UnknownRole::BadRequest => Failure::at("role".to_owned(), text),
    })
}
