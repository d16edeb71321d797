//! What the API's error codes mean for a record and for a run ("Error guide", "Data migration:
//! constraints, rate limits and errors").

/// What a code asks of whoever sent the record or the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The record was there before.
    Present,
    /// This record will not be taken as it is; others may.
    Refused,
    /// A failure on the other side: it may have been stored or not.
    Doubt,
    /// Too many requests.
    Throttled,
    /// Nothing will be taken until a person acts.
    Stop(&'static str),
}

const KEY: &str =
    "check `api_key` under [cometchat]: it must be the REST API key (scope fullAccess) of this app";
const APP: &str = "check `app_id` and `region` under [cometchat]";
const PLAN: &str =
    "the app's plan does not allow it; arrange it with CometChat, then run the same command again";
const QUOTA: &str =
    "the app's quota is reached; raise it with CometChat, then run the same command again";
const URL: &str = "check `base_url` (or `app_id` and `region`) under [cometchat]";
const BUG: &str = "the API does not understand the request; please report this with the output of `chatferry preview`";

const SEE: &str =
    "see the code in CometChat's error guide; correct the rows and run the same command again";

/// A code of the API, for documentation and for advice.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The code itself.
    pub code: &'static str,
    /// What it asks for.
    pub meaning: Meaning,
    /// What it says of a record or a request.
    pub about: &'static str,
    /// What a person can do about a record that was refused with it.
    pub remedy: &'static str,
}

const fn code(code: &'static str, meaning: Meaning, about: &'static str) -> Code {
    Code {
        code,
        meaning,
        about,
        remedy: SEE,
    }
}

/// Every code that is known to come from the endpoints that are used.
pub const ALL: &[Code] = &[
    code(
        "ERR_TOO_MANY_REQUESTS",
        Meaning::Throttled,
        "more requests came than the limit allows",
    ),
    code(
        "AUTH_ERR_EMPTY_APPID",
        Meaning::Stop(APP),
        "the request names no app",
    ),
    code(
        "AUTH_ERR_INVALID_APPID",
        Meaning::Stop(APP),
        "there is no such app in this region",
    ),
    code(
        "AUTH_ERR_EMPTY_APIKEY",
        Meaning::Stop(KEY),
        "the request has no key",
    ),
    code(
        "AUTH_ERR_APIKEY_NOT_FOUND",
        Meaning::Stop(KEY),
        "the app has no such key",
    ),
    code(
        "AUTH_ERR_NO_ACCESS",
        Meaning::Stop(KEY),
        "the key may not do this: its scope is not fullAccess",
    ),
    code(
        "ERR_SUBSCRIPTION_EXPIRED",
        Meaning::Stop(PLAN),
        "the subscription of the app has expired",
    ),
    code(
        "ERR_PLAN_RESTRICTION",
        Meaning::Stop(PLAN),
        "the app's plan does not have this",
    ),
    code(
        "ERR_PERMISSION_DENIED",
        Meaning::Stop(PLAN),
        "this is not permitted to the key",
    ),
    code(
        "ERR_PLAN_QUOTA_RESTRICTION",
        Meaning::Stop(QUOTA),
        "the plan's quota of users, members or messages is reached",
    ),
    code(
        "ERR_API_NOT_FOUND",
        Meaning::Stop(URL),
        "the API has no such path",
    ),
    code(
        "ERR_INVALID_API_VERSION",
        Meaning::Stop(URL),
        "the API has no such version",
    ),
    code(
        "ERR_IMPORT_INVALID_USER_FORMAT",
        Meaning::Stop(BUG),
        "the users of the request are not in the form that the API takes",
    ),
    code(
        "ERR_IMPORT_INVALID_GROUP_FORMAT",
        Meaning::Stop(BUG),
        "the groups of the request are not in the form that the API takes",
    ),
    code(
        "ERR_IMPORT_INVALID_MEMBER_FORMAT",
        Meaning::Stop(BUG),
        "the members of the request are not in the form that the API takes",
    ),
    code(
        "ERR_IMPORT_INVALID_MESSAGE_FORMAT",
        Meaning::Stop(BUG),
        "the messages of the request are not in the form that the API takes",
    ),
    code(
        "ERR_OPERATION_FAILED",
        Meaning::Doubt,
        "something failed within the service",
    ),
    code(
        "ERR_MISSION_FAILED",
        Meaning::Doubt,
        "something failed within the service",
    ),
    code(
        "ERR_EXCEPTION",
        Meaning::Doubt,
        "something failed within the service, perhaps after the other records of the request were stored",
    ),
    code(
        "ERR_BAD_ERROR_RESPONSE",
        Meaning::Doubt,
        "something failed within the service, which has no words for it",
    ),
    code(
        "ERR_IMPORT_MUID_ALREADY_EXISTS",
        Meaning::Present,
        "the app has a message with this muid",
    ),
    code(
        "ERR_UID_ALREADY_EXISTS",
        Meaning::Present,
        "the app has a user with this uid",
    ),
    code(
        "ERR_GUID_ALREADY_EXISTS",
        Meaning::Present,
        "the app has a group with this guid",
    ),
    code(
        "ERR_ALREADY_JOINED",
        Meaning::Present,
        "the user is a member of the group already",
    ),
    code(
        "ERR_BAD_REQUEST",
        Meaning::Refused,
        "the record did not pass the API's validation",
    ),
    Code {
        remedy: "the user is not in the app: import users first, or let the record bring its details",
        ..code(
            "ERR_UID_NOT_FOUND",
            Meaning::Refused,
            "a user that it refers to is not in the app, or is deactivated",
        )
    },
    Code {
        remedy: "the group is not in the app: import groups first, or let the record bring its details",
        ..code(
            "ERR_GUID_NOT_FOUND",
            Meaning::Refused,
            "the group that it refers to is not in the app",
        )
    },
    Code {
        remedy: "create the role in the dashboard, or leave `role` out",
        ..code(
            "ERR_ROLE_NOT_FOUND",
            Meaning::Refused,
            "the user's role was not made in the app",
        )
    },
    code(
        "ERR_INVALID_UID",
        Meaning::Refused,
        "the uid has characters or a length that the API does not take",
    ),
    code(
        "ERR_INVALID_GUID",
        Meaning::Refused,
        "the guid has characters or a length that the API does not take",
    ),
    Code {
        remedy: "joinedAt must lie after the group was made and before now",
        ..code(
            "ERR_IMPORT_INVALID_JOINEDAT",
            Meaning::Refused,
            "joinedAt is not after createdAt, or not in the past",
        )
    },
    code(
        "ERR_EMPTY_GROUP_PASS",
        Meaning::Refused,
        "the group is protected by a password and has none",
    ),
    Code {
        remedy: "import the membership first",
        ..code(
            "ERR_NOT_A_MEMBER",
            Meaning::Refused,
            "the user is not a member of the group",
        )
    },
    Code {
        remedy: "import the membership first",
        ..code(
            "ERR_GROUP_NOT_JOINED",
            Meaning::Refused,
            "the user is not a member of the group",
        )
    },
    Code {
        remedy: "the group is full",
        ..code(
            "ERR_NO_VACANCY",
            Meaning::Refused,
            "the group has as many members as it may have",
        )
    },
    code(
        "ERR_BANNED_GROUPMEMBER",
        Meaning::Refused,
        "the user is banned from the group",
    ),
    code(
        "ERR_ALREADY_BANNED",
        Meaning::Refused,
        "the user is banned from the group already",
    ),
    code(
        "ERR_EMPTY_RECEIVER",
        Meaning::Refused,
        "the message has no receiver",
    ),
    code(
        "ERR_INVALID_RECEIVER_TYPE",
        Meaning::Refused,
        "receiverType is neither user nor group",
    ),
    code(
        "ERR_EMPTY_MESSAGE_TEXT",
        Meaning::Refused,
        "the text is empty",
    ),
    code(
        "ERR_INVALID_MESSAGE_TEXT",
        Meaning::Refused,
        "the text is not text",
    ),
    code(
        "ERR_EMPTY_MESSAGE_CATEGORY",
        Meaning::Refused,
        "the category is missing, or is none that the API knows",
    ),
    code(
        "ERR_INVALID_MESSAGE_CATEGORY",
        Meaning::Refused,
        "the category is missing, or is none that the API knows",
    ),
    code(
        "ERR_EMPTY_MESSAGE_TYPE",
        Meaning::Refused,
        "the type is missing, or is none that the API knows",
    ),
    code(
        "ERR_INVALID_MESSAGE_TYPE",
        Meaning::Refused,
        "the type is missing, or is none that the API knows",
    ),
    code(
        "ERR_INVALID_MESSAGE_DATA",
        Meaning::Refused,
        "the message's data or files are not as its type demands",
    ),
    code(
        "ERR_INVALID_MEDIA_MESSAGE",
        Meaning::Refused,
        "the message's data or files are not as its type demands",
    ),
    code(
        "ERR_EMPTY_MESSAGE_FILE",
        Meaning::Refused,
        "the message's data or files are not as its type demands",
    ),
    code(
        "ERR_EMPTY_CUSTOM_DATA",
        Meaning::Refused,
        "customData is empty or no JSON object",
    ),
    code(
        "ERR_INVALID_CUSTOM_DATA",
        Meaning::Refused,
        "customData is empty or no JSON object",
    ),
    code(
        "ERR_INVALID_METADATA",
        Meaning::Refused,
        "metadata is no JSON object",
    ),
    code(
        "ERR_BLOCKED_BY_EXTENSION",
        Meaning::Refused,
        "the app itself is set up to block it",
    ),
    code(
        "ERR_BLOCKED_BY_WEBHOOK",
        Meaning::Refused,
        "the app itself is set up to block it",
    ),
    code(
        "ERR_BLOCKED_RECEIVER",
        Meaning::Refused,
        "the app itself is set up to block it",
    ),
];

fn known(code: &str) -> Option<&'static Code> {
    ALL.iter().find(|known| known.code == code)
}

/// What a code means. Codes that are not known are [`Meaning::Refused`], unless their names say
/// more: the record failed, and sending it again blindly would not help.
#[must_use]
pub fn meaning(code: &str) -> Meaning {
    match known(code) {
        Some(known) => known.meaning,
        None if code.starts_with("ERR_WS_") => Meaning::Doubt,
        None if code.contains("ALREADY_EXISTS") || code.contains("ALREADY_JOINED") => {
            Meaning::Present
        }
        None => Meaning::Refused,
    }
}

/// What a person can do about a record that was refused with this code.
#[must_use]
pub fn remedy(code: &str) -> &'static str {
    known(code).map_or(SEE, |known| known.remedy)
}

/// What a code says of a record that was refused with it ("Error guide"), where that is known.
#[must_use]
pub fn about(code: &str) -> Option<&'static str> {
    known(code).map(|known| known.about)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_is_known_once() {
        let codes: BTreeSet<&str> = ALL.iter().map(|known| known.code).collect();
        assert_eq!(codes.len(), ALL.len());
    }

    #[test]
    fn codes_that_are_not_known_are_judged_by_their_names() {
        assert_eq!(meaning("ERR_WS_USER_CREATION_FAILED"), Meaning::Doubt);
        assert_eq!(meaning("ERR_IMPORT_UID_ALREADY_EXISTS"), Meaning::Present);
        assert_eq!(meaning("ERR_SOMETHING_NEW"), Meaning::Refused);
    }
}
