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

/// What a code means. Codes that are not listed are [`Meaning::Refused`]: the record failed, and
/// sending it again blindly would not help.
#[must_use]
pub fn meaning(code: &str) -> Meaning {
    match code {
        "ERR_TOO_MANY_REQUESTS" => Meaning::Throttled,
        "AUTH_ERR_EMPTY_APPID" | "AUTH_ERR_INVALID_APPID" => Meaning::Stop(APP),
        "AUTH_ERR_EMPTY_APIKEY" | "AUTH_ERR_APIKEY_NOT_FOUND" | "AUTH_ERR_NO_ACCESS" => {
            Meaning::Stop(KEY)
        }
        "ERR_SUBSCRIPTION_EXPIRED" | "ERR_PLAN_RESTRICTION" | "ERR_PERMISSION_DENIED" => {
            Meaning::Stop(PLAN)
        }
        "ERR_PLAN_QUOTA_RESTRICTION" => Meaning::Stop(QUOTA),
        "ERR_API_NOT_FOUND" | "ERR_INVALID_API_VERSION" => Meaning::Stop(URL),
        "ERR_IMPORT_INVALID_USER_FORMAT"
        | "ERR_IMPORT_INVALID_GROUP_FORMAT"
        | "ERR_IMPORT_INVALID_MEMBER_FORMAT"
        | "ERR_IMPORT_INVALID_MESSAGE_FORMAT" => Meaning::Stop(BUG),
        "ERR_OPERATION_FAILED"
        | "ERR_MISSION_FAILED"
        | "ERR_EXCEPTION"
        | "ERR_BAD_ERROR_RESPONSE" => Meaning::Doubt,
        code if code.starts_with("ERR_WS_") => Meaning::Doubt,
        code if code.contains("ALREADY_EXISTS") || code.contains("ALREADY_JOINED") => {
            Meaning::Present
        }
        _ => Meaning::Refused,
    }
}

/// What a person can do about a record that was refused with this code.
#[must_use]
pub fn remedy(code: &str) -> &'static str {
    match code {
        "ERR_UID_NOT_FOUND" => {
            "the user is not in the app: import users first, or let the record bring its details"
        }
        "ERR_GUID_NOT_FOUND" => {
            "the group is not in the app: import groups first, or let the record bring its details"
        }
        "ERR_ROLE_NOT_FOUND" => "create the role in the dashboard, or leave `role` out",
        "ERR_IMPORT_INVALID_JOINEDAT" => {
            "joinedAt must lie after the group was made and before now"
        }
        "ERR_NOT_A_MEMBER" | "ERR_GROUP_NOT_JOINED" => "import the membership first",
        "ERR_NO_VACANCY" => "the group is full",
        _ => {
            "see the code in CometChat's error guide; correct the rows and run the same command again"
        }
    }
}

/// What a code says of a record that was refused with it ("Error guide"), where that is known.
#[must_use]
pub fn about(code: &str) -> Option<&'static str> {
    Some(match code {
        "ERR_BAD_REQUEST" => "the record did not pass the API's validation",
        "ERR_UID_NOT_FOUND" => "a user that it refers to is not in the app, or is deactivated",
        "ERR_GUID_NOT_FOUND" => "the group that it refers to is not in the app",
        "ERR_ROLE_NOT_FOUND" => "the user's role was not made in the app",
        "ERR_INVALID_UID" => "the uid has characters or a length that the API does not take",
        "ERR_INVALID_GUID" => "the guid has characters or a length that the API does not take",
        "ERR_IMPORT_INVALID_JOINEDAT" => "joinedAt is not after createdAt, or not in the past",
        "ERR_EMPTY_GROUP_PASS" => "the group is protected by a password and has none",
        "ERR_NOT_A_MEMBER" | "ERR_GROUP_NOT_JOINED" => "the user is not a member of the group",
        "ERR_NO_VACANCY" => "the group has as many members as it may have",
        "ERR_BANNED_GROUPMEMBER" => "the user is banned from the group",
        "ERR_ALREADY_BANNED" => "the user is banned from the group already",
        "ERR_EMPTY_RECEIVER" => "the message has no receiver",
        "ERR_INVALID_RECEIVER_TYPE" => "receiverType is neither user nor group",
        "ERR_EMPTY_MESSAGE_TEXT" => "the text is empty",
        "ERR_INVALID_MESSAGE_TEXT" => "the text is not text",
        "ERR_EMPTY_MESSAGE_CATEGORY" | "ERR_INVALID_MESSAGE_CATEGORY" => {
            "the category is missing, or is none that the API knows"
        }
        "ERR_EMPTY_MESSAGE_TYPE" | "ERR_INVALID_MESSAGE_TYPE" => {
            "the type is missing, or is none that the API knows"
        }
        "ERR_INVALID_MESSAGE_DATA" | "ERR_INVALID_MEDIA_MESSAGE" | "ERR_EMPTY_MESSAGE_FILE" => {
            "the message's data or files are not as its type demands"
        }
        "ERR_EMPTY_CUSTOM_DATA" | "ERR_INVALID_CUSTOM_DATA" => {
            "customData is empty or no JSON object"
        }
        "ERR_INVALID_METADATA" => "metadata is no JSON object",
        "ERR_BLOCKED_BY_EXTENSION" | "ERR_BLOCKED_BY_WEBHOOK" | "ERR_BLOCKED_RECEIVER" => {
            "the app itself is set up to block it"
        }
        _ => return None,
    })
}
