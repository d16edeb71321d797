//! Every documented limit, as a rule with a stable name.
//!
//! A record that breaks a rule is rejected before it is sent: it could not succeed, and one kind
//! of record that cannot succeed takes its whole request down with it.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;

use url::Url;

/// A rule that a value breaks, and what exactly was found. Never the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule's stable name.
    pub rule: &'static str,
    /// What exactly was found.
    pub detail: String,
}

impl Broken {
    pub(crate) fn new(rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

/// A rule, for documentation and for advice.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its stable name.
    pub name: &'static str,
    /// What it demands.
    pub demands: &'static str,
    /// What to do about records that break it.
    pub remedy: &'static str,
}

/// Every rule by which this destination rejects or skips a record.
pub const ALL: &[Rule] = &[
    Rule {
        name: "missing-field",
        demands: "required fields have a value",
        remedy: "give the field a value with coalesce(...), or leave such rows out under [flow.skip]",
    },
    Rule {
        name: "id-length",
        demands: "uids and guids have at most 100 characters",
        remedy: "wrap the expression: cometchat_id(...)",
    },
    Rule {
        name: "id-alphabet",
        demands: "uids and guids are made of a-z 0-9 - _",
        remedy: "wrap the expression: cometchat_id(...)",
    },
    Rule {
        name: "member-id",
        demands: "memberId is guid, _member_ and uid",
        remedy: "write memberId = \"member_id(guid, uid)\" with the same expressions",
    },
    Rule {
        name: "name-length",
        demands: "names have at most 100 characters",
        remedy: "shorten it: left(name, 100)",
    },
    Rule {
        name: "url",
        demands: "avatar, link, icon and attachment URLs are http(s) URLs of at most 3,000 characters",
        remedy: "leave the field out where it is not a URL: CASE WHEN x LIKE 'http%' THEN x END",
    },
    Rule {
        name: "not-one-of",
        demands: "type, scope, receiverType and category are among the values the API knows",
        remedy: "map the values with CASE",
    },
    Rule {
        name: "group-password",
        demands: "a password group has a password of at most 100 characters",
        remedy: "set password, or make the group private",
    },
    Rule {
        name: "time-not-seconds",
        demands: "times are UNIX seconds of 10 digits",
        remedy: "wrap the expression: unix_seconds(value, 'ms'); drop impossible times with nullif(...)",
    },
    Rule {
        name: "time-in-future",
        demands: "sentAt and joinedAt are not in the future",
        remedy: "correct the source, or cap it with least(...)",
    },
    Rule {
        name: "tags",
        demands: "there are at most 25 tags of 1 to 100 characters",
        remedy: "shorten the list: array_slice(tags, 1, 25)",
    },
    Rule {
        name: "metadata",
        demands: "metadata is a JSON object, for users and groups of at most 5 KB",
        remedy: "keep less in metadata",
    },
    Rule {
        name: "text-empty",
        demands: "a text message has a text that is not blank",
        remedy: "leave such rows out under [flow.skip], or send their attachments as a message of another type",
    },
    Rule {
        name: "attachments",
        demands: "an image, audio, video or file message has attachments with url, name, mimeType and extension",
        remedy: "set data.attachments, or make it a text message",
    },
    Rule {
        name: "file-not-copied",
        demands: "the files of a message were copied, where there is a store for them",
        remedy: "run chatferry attachments, which says what failed; or set missing = \"keep\" under [attachments]",
    },
    Rule {
        name: "custom-data",
        demands: "a custom message has customData that is not empty",
        remedy: "set data.customData",
    },
    Rule {
        name: "data-length",
        demands: "data has at most 10 KB of JSON",
        remedy: "split or shorten the message, or keep less in metadata",
    },
    Rule {
        name: "message-length",
        demands: "a message has at most 65,536 characters of JSON",
        remedy: "split or shorten the message",
    },
    Rule {
        name: "mentions",
        demands: "at most 10 users are mentioned",
        remedy: "turn some mentions into plain text",
    },
    Rule {
        name: "older-than-retention",
        demands: "messages are within the retention window (`retention` under [cometchat])",
        remedy: "arrange extended storage with CometChat and set `retention`; skipped until then",
    },
];

/// Characters of a uid, guid or role id at most ("Properties and constraints").
const ID_LENGTH: usize = 100;
/// Characters of a name at most.
const NAME_LENGTH: usize = 100;
/// Characters of a URL at most.
const URL_LENGTH: usize = 3_000;
/// Tags at most, and characters of each.
const TAGS: (usize, usize) = (25, 100);
/// Bytes of the metadata of a user or group.
pub(crate) const METADATA_BYTES: usize = 5 * 1024;
/// Bytes of a message's data.
pub(crate) const DATA_BYTES: usize = 10 * 1024;
/// Characters of a whole message.
pub(crate) const MESSAGE_CHARACTERS: usize = 65_536;
/// Users mentioned in one message ("Send message").
const MENTIONS: usize = 10;

/// The length that limits count. Which unit the API counts is not documented; UTF-16 units are
/// never fewer than characters.
fn length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

pub(crate) fn id(field: &str, id: &str) -> Result<(), Broken> {
    let is_valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if !id.bytes().all(is_valid) {
        return Err(Broken::new(
            "id-alphabet",
            format!("`{field}` has a character outside a-z 0-9 - _"),
        ));
    }
    if id.len() > ID_LENGTH {
        return Err(Broken::new(
            "id-length",
            format!("`{field}` has {} characters", id.len()),
        ));
    }
    Ok(())
}

pub(crate) fn name(name: &str) -> Result<(), Broken> {
    match length(name) {
        0..=NAME_LENGTH => Ok(()),
        length => Err(Broken::new(
            "name-length",
            format!("`name` has {length} characters"),
        )),
    }
}

pub(crate) fn url(field: &str, url: &str) -> Result<(), Broken> {
    if length(url) > URL_LENGTH {
        return Err(Broken::new(
            "url",
            format!("`{field}` has {} characters", length(url)),
        ));
    }
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(()),
        _ => Err(Broken::new(
            "url",
            format!("`{field}` is not an http(s) URL"),
        )),
    }
}

pub(crate) fn one_of(field: &str, value: &str, known: &[&str]) -> Result<(), Broken> {
    if known.contains(&value) {
        return Ok(());
    }
    let mut detail = format!("`{field}` is none of ");
    for (place, known) in known.iter().enumerate() {
        write!(detail, "{}{known}", if place > 0 { ", " } else { "" })
            .expect("writing to memory succeeds");
    }
    Err(Broken::new("not-one-of", detail))
}

pub(crate) fn seconds(field: &str, time: i64) -> Result<(), Broken> {
    if (1_000_000_000..=9_999_999_999).contains(&time) {
        return Ok(());
    }
    let digits = time
        .unsigned_abs()
        .checked_ilog10()
        .map_or(1, |log| log + 1);
    Err(Broken::new(
        "time-not-seconds",
        format!("`{field}` has {digits} digits"),
    ))
}

pub(crate) fn past(field: &str, time: i64, now: i64) -> Result<(), Broken> {
    if time <= now {
        return Ok(());
    }
    Err(Broken::new(
        "time-in-future",
        format!("`{field}` is {} s ahead", time - now),
    ))
}

pub(crate) fn tags<'a>(tags: impl ExactSizeIterator<Item = Option<&'a str>>) -> Result<(), Broken> {
    if tags.len() > TAGS.0 {
        return Err(Broken::new(
            "tags",
            format!("there are {} tags", tags.len()),
        ));
    }
    for tag in tags {
        match tag.map_or(0, length) {
            0 => return Err(Broken::new("tags", "a tag is empty")),
            length if length > TAGS.1 => {
                return Err(Broken::new(
                    "tags",
                    format!("a tag has {length} characters"),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a text is empty or white space.
pub(crate) fn is_blank(text: &str) -> bool {
    let begins_with_ink = text.bytes().next().is_some_and(|it| it.is_ascii_graphic());
    !begins_with_ink && text.trim().is_empty()
}

pub(crate) fn text(text: &str) -> Result<(), Broken> {
    if is_blank(text) {
        return Err(Broken::new("text-empty", "`data.text` is blank"));
    }
    Ok(())
}

/// Whoever is mentioned stands as `<@uid:UID>` in the text.
pub(crate) fn mentions(text: &str) -> Result<(), Broken> {
    const MARK: &str = "<@uid:";
    if !text.contains(MARK) {
        return Ok(());
    }
    let mentioned: BTreeSet<&str> = text
        .split(MARK)
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(uid, _)| uid)
        .collect();
    if mentioned.len() > MENTIONS {
        return Err(Broken::new(
            "mentions",
            format!("{} users are mentioned", mentioned.len()),
        ));
    }
    Ok(())
}

pub(crate) fn group_password(password: Option<&str>) -> Result<(), Broken> {
    match password.map(length) {
        None | Some(0) => Err(Broken::new(
            "group-password",
            "the group is of type password and has none",
        )),
        Some(length) if length > 100 => Err(Broken::new(
            "group-password",
            format!("`password` has {length} characters"),
        )),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_holds_at_its_edge() {
        assert!(id("uid", &"a".repeat(100)).is_ok());
        assert_eq!(id("uid", &"a".repeat(101)).unwrap_err().rule, "id-length");
        assert_eq!(id("uid", "A").unwrap_err().rule, "id-alphabet");
        assert_eq!(id("uid", "a b").unwrap_err().rule, "id-alphabet");
        assert!(name(&"é".repeat(100)).is_ok());
        assert_eq!(name(&"😀".repeat(51)).unwrap_err().rule, "name-length");
        assert!(url("avatar", "https://example.org/a?b").is_ok());
        for bad in [
            "example.org",
            "ftp://example.org",
            "https://",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(url("avatar", bad).unwrap_err().rule, "url", "{bad}");
        }
        assert!(seconds("sentAt", 1_000_000_000).is_ok());
        assert!(seconds("sentAt", 9_999_999_999).is_ok());
        assert_eq!(
            seconds("sentAt", 1_700_000_000_000).unwrap_err().detail,
            "`sentAt` has 13 digits"
        );
        assert!(past("sentAt", 5, 5).is_ok() && past("sentAt", 6, 5).is_err());
        assert!(tags(vec![Some("a"); 25].into_iter()).is_ok());
        assert!(tags(vec![Some("a"); 26].into_iter()).is_err());
        assert!(text(" \n\u{3000}").is_err() && text(" a ").is_ok());
        let many: String = (0..11).map(|n| format!("<@uid:u{n}> ")).collect();
        assert_eq!(mentions(&many).unwrap_err().rule, "mentions");
        assert!(mentions(&"<@uid:same>".repeat(50)).is_ok());
    }

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = ALL.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
