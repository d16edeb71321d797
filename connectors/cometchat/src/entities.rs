//! The fields that the import endpoints take ("Data Import APIs" reference).

use chatferry_core::{Entity, Field, Kind};

/// The fields of an entity.
#[must_use]
pub fn fields(entity: Entity) -> &'static [Field] {
    match entity {
        Entity::Users => USERS,
        Entity::Groups => GROUPS,
        Entity::Members => MEMBERS,
        Entity::Messages => MESSAGES,
    }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field {
        name,
        kind,
        required: true,
        about,
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field {
        name,
        kind,
        required: false,
        about,
    }
}

const USERS: &[Field] = &[
    required("uid", Kind::Text, "the id: at most 100 of a-z 0-9 - _"),
    required(
        "name",
        Kind::Text,
        "the display name: at most 100 characters",
    ),
    optional("avatar", Kind::Text, "the URL of a picture"),
    optional("link", Kind::Text, "the URL of a profile page"),
    optional(
        "role",
        Kind::Text,
        "the id of a role that exists in the app",
    ),
    optional("createdAt", Kind::Seconds, "when the user joined"),
    optional(
        "lastActiveAt",
        Kind::Seconds,
        "when the user was last online",
    ),
    optional(
        "deactivatedAt",
        Kind::Seconds,
        "when the user was deactivated",
    ),
    optional(
        "metadata",
        Kind::Object,
        "anything else, at most 5 KB of JSON",
    ),
    optional("tags", Kind::Texts, "at most 25 tags of 100 characters"),
];

const GROUPS: &[Field] = &[
    required("guid", Kind::Text, "the id: at most 100 of a-z 0-9 - _"),
    required(
        "name",
        Kind::Text,
        "the display name: at most 100 characters",
    ),
    required("type", Kind::Text, "public, password or private"),
    optional("password", Kind::Text, "the password of a password group"),
    optional("icon", Kind::Text, "the URL of a picture"),
    optional("owner", Kind::Text, "the uid of the owner"),
    optional("createdAt", Kind::Seconds, "when the group was made"),
    optional(
        "metadata",
        Kind::Object,
        "anything else, at most 5 KB of JSON",
    ),
    optional("tags", Kind::Texts, "at most 25 tags of 100 characters"),
    optional(
        "groupOwnerDetails",
        Kind::Fields(USERS),
        "the owner, if not imported before",
    ),
];

const MEMBERS: &[Field] = &[
    required(
        "memberId",
        Kind::Text,
        "the guid, _member_ and the uid: member_id(guid, uid)",
    ),
    required("guid", Kind::Text, "the group"),
    required("uid", Kind::Text, "the user"),
    optional("scope", Kind::Text, "admin, moderator or participant"),
    optional(
        "isBanned",
        Kind::Flag,
        "whether the user is banned from the group",
    ),
    optional(
        "joinedAt",
        Kind::Seconds,
        "when the user joined: after the group was made",
    ),
    optional(
        "groupDetails",
        Kind::Fields(GROUPS),
        "the group, if not imported before",
    ),
    optional(
        "userDetails",
        Kind::Fields(USERS),
        "the user, if not imported before",
    ),
];

const MESSAGES: &[Field] = &[
    required(
        "muid",
        Kind::Text,
        "the id of the message, unique in the app",
    ),
    required("sender", Kind::Text, "the uid of who sent it"),
    required("receiverType", Kind::Text, "user or group"),
    required("receiver", Kind::Text, "the uid or guid of who received it"),
    required("sentAt", Kind::Seconds, "when it was sent"),
    optional("category", Kind::Text, "message or custom"),
    optional(
        "type",
        Kind::Text,
        "text, image, audio, video or file; anything for custom",
    ),
    optional(
        "data",
        Kind::Fields(DATA),
        "what it says, at most 10 KB of JSON",
    ),
    optional("tags", Kind::Texts, "at most 25 tags of 100 characters"),
    optional("deliveredAt", Kind::Seconds, "when the receiver got it"),
    optional("readAt", Kind::Seconds, "when the receiver read it"),
    optional(
        "senderUserDetails",
        Kind::Fields(USERS),
        "the sender, if not imported before",
    ),
    optional(
        "receiverUserDetails",
        Kind::Fields(USERS),
        "the receiver, if not imported before",
    ),
    optional(
        "receiverGroupDetails",
        Kind::Fields(GROUPS),
        "the group, if not imported before",
    ),
    optional(
        "receiverGroupOwnerDetails",
        Kind::Fields(USERS),
        "the owner of that group",
    ),
    optional(
        "mentionedUserDetails",
        Kind::Object,
        "mentioned users by uid, if not imported before",
    ),
];

const DATA: &[Field] = &[
    optional(
        "text",
        Kind::Text,
        "the text, or the caption of attachments",
    ),
    optional(
        "attachments",
        Kind::Objects(ATTACHMENT),
        "files, by their public URLs",
    ),
    optional("customData", Kind::Object, "what a custom message says"),
    optional("metadata", Kind::Object, "anything else"),
];

const ATTACHMENT: &[Field] = &[
    required("url", Kind::Text, "where the file is, publicly"),
    required("name", Kind::Text, "its name"),
    required("mimeType", Kind::Text, "its media type"),
    required(
        "extension",
        Kind::Text,
        "the ending of its name, without the dot",
    ),
    optional("size", Kind::Text, "its size in bytes, as text"),
];
