//! Where in a record the URLs of files stand, and how they are replaced.
//!
//! This works on the JSON that is sent: what a row is made of may be columns, nested columns, or
//! text that holds JSON, and in the JSON they are all alike. Only the objects on the way to a URL that
//! changes are written anew; every other value stays as it was, byte by byte.

use std::borrow::Cow;
use std::fmt;

use chatferry_core::{Declared, Entity, Files, Whereabouts};
use serde::Deserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::encode::text;
use crate::rules::{self, Broken};

/// What stands at a place of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The URL of a picture of a user or group.
    Picture,
    /// A file of a message: an object with its URL.
    Attachment,
    /// An object that has such places under these names.
    Object(&'static [(&'static str, Place)]),
    /// A list, or an object with any names, each value of which is such a place.
    Each(&'static Place),
}

const USER: &[(&str, Place)] = &[("avatar", Place::Picture)];
const GROUP: &[(&str, Place)] = &[
    ("icon", Place::Picture),
    ("groupOwnerDetails", Place::Object(USER)),
];
const MEMBER: &[(&str, Place)] = &[
    ("groupDetails", Place::Object(GROUP)),
    ("userDetails", Place::Object(USER)),
];
const MESSAGE: &[(&str, Place)] = &[
    (
        "data",
        Place::Object(&[("attachments", Place::Each(&Place::Attachment))]),
    ),
    ("senderUserDetails", Place::Object(USER)),
    ("receiverUserDetails", Place::Object(USER)),
    ("receiverGroupDetails", Place::Object(GROUP)),
    ("receiverGroupOwnerDetails", Place::Object(USER)),
    ("mentionedUserDetails", Place::Each(&Place::Object(USER))),
];

/// What stands in a field of an entity, if files do.
pub(crate) fn place(entity: Entity, field: &str) -> Option<&'static Place> {
    let fields = match entity {
        Entity::Users => USER,
        Entity::Groups => GROUP,
        Entity::Members => MEMBER,
        Entity::Messages => MESSAGE,
    };
    within(fields, field)
}

fn within(fields: &'static [(&'static str, Place)], name: &str) -> Option<&'static Place> {
    let found = fields.iter().find(|(known, _)| *known == name);
    found.map(|(_, place)| place)
}

/// The rule by which a picture is left out that was not copied.
pub(crate) const PICTURE_LEFT_OUT: &str = "picture-left-out";
/// The rule by which a URL stays although its file was not copied.
pub(crate) const URL_LEFT: &str = "file-url-left";
/// The rule by which a record is rejected whose file was not copied.
const NOT_COPIED: &str = "file-not-copied";

/// What becomes of a value that has files in it.
#[derive(Debug)]
pub(crate) enum Edited {
    /// Nothing.
    Same,
    /// This stands there instead.
    New(String),
    /// It is left out.
    Gone,
}

/// A look at the files of one value, one after the other.
pub(crate) struct Editor<'a> {
    files: &'a dyn Files,
    /// The rules by which something was mended; each once.
    adjusted: Vec<&'static str>,
}

impl<'a> Editor<'a> {
    pub(crate) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            adjusted: Vec::new(),
        }
    }

    /// The rules by which something was mended; each once.
    pub(crate) fn adjusted(self) -> Vec<&'static str> {
        self.adjusted
    }

    /// What becomes of a value. What has another shape than files have is let be: other rules see
    /// to it.
    pub(crate) fn edit(&mut self, json: &str, place: &Place) -> Result<Edited, Broken> {
        match place {
            Place::Picture => self.picture(json),
            Place::Attachment => self.attachment(json),
            Place::Object(fields) => self.members(json, |name| within(fields, name)),
            Place::Each(place) if json.trim_start().starts_with('[') => self.items(json, place),
            Place::Each(place) => self.members(json, |_| Some(place)),
        }
    }

    fn picture(&mut self, json: &str) -> Result<Edited, Broken> {
        let Ok(url) = serde_json::from_str::<String>(json) else {
            return Ok(Edited::Same);
        };
        let declared = Declared {
            is_picture: true,
            ..Declared::default()
        };
        Ok(match self.files.whereabouts(&url, &declared) {
            Whereabouts::AsWritten => Edited::Same,
            Whereabouts::At(url) => Edited::New(quoted(&url)),
            Whereabouts::Left => {
                self.note(URL_LEFT);
                Edited::Same
            }
            Whereabouts::Lacking(_) => {
                self.note(PICTURE_LEFT_OUT);
                Edited::Gone
            }
        })
    }

    fn attachment(&mut self, json: &str) -> Result<Edited, Broken> {
        let Some(members) = members(json) else {
            return Ok(Edited::Same);
        };
        let said = |wanted: &str| {
            let said = members.iter().rev().find(|(name, _)| name == wanted);
            said.and_then(|(_, value)| serde_json::from_str::<String>(value.get()).ok())
        };
        let (mime_type, name, extension) = (said("mimeType"), said("name"), said("extension"));
        let Some(url) = said("url") else {
            return Ok(Edited::Same);
        };
        let declared = Declared {
            mime_type: mime_type.as_deref(),
            name: name.as_deref(),
            extension: extension.as_deref(),
            is_picture: false,
        };
        match self.files.whereabouts(&url, &declared) {
            Whereabouts::AsWritten => Ok(Edited::Same),
            Whereabouts::Left => {
                self.note(URL_LEFT);
                Ok(Edited::Same)
            }
            Whereabouts::Lacking(why) => Err(Broken::new(
                NOT_COPIED,
                format!("a file of the message was not copied: {why}"),
            )),
            Whereabouts::At(url) => {
                let values = members.iter().map(|(name, value)| {
                    let value = match name == "url" {
                        true => Cow::Owned(quoted(&url)),
                        false => Cow::Borrowed(value.get()),
                    };
                    (name, value)
                });
                Ok(Edited::New(object(values)))
            }
        }
    }

    /// What becomes of an object with such places under some names.
    fn members<'p>(
        &mut self,
        json: &str,
        place: impl Fn(&str) -> Option<&'p Place>,
    ) -> Result<Edited, Broken> {
        let Some(members) = members(json) else {
            return Ok(Edited::Same);
        };
        let mut edits = Vec::with_capacity(members.len());
        for (name, value) in &members {
            edits.push(match place(name) {
                Some(place) => self.edit(value.get(), place)?,
                None => Edited::Same,
            });
        }
        if edits.iter().all(|edit| matches!(edit, Edited::Same)) {
            return Ok(Edited::Same);
        }
        let values = members.iter().zip(edits);
        let values = values.filter_map(|((name, value), edit)| match edit {
            Edited::Same => Some((name, Cow::Borrowed(value.get()))),
            Edited::New(value) => Some((name, Cow::Owned(value))),
            Edited::Gone => None,
        });
        Ok(Edited::New(object(values)))
    }

    /// What becomes of a list of such places.
    fn items(&mut self, json: &str, place: &Place) -> Result<Edited, Broken> {
        let Some(items) = items(json) else {
            return Ok(Edited::Same);
        };
        let mut edits = Vec::with_capacity(items.len());
        for item in &items {
            edits.push(self.edit(item.get(), place)?);
        }
        if edits.iter().all(|edit| matches!(edit, Edited::Same)) {
            return Ok(Edited::Same);
        }
        let values: Vec<Cow<'_, str>> = items
            .iter()
            .zip(edits)
            .filter_map(|(item, edit)| match edit {
                Edited::Same => Some(Cow::Borrowed(item.get())),
                Edited::New(value) => Some(Cow::Owned(value)),
                Edited::Gone => None,
            })
            .collect();
        Ok(Edited::New(format!("[{}]", values.join(","))))
    }

    fn note(&mut self, rule: &'static str) {
        if !self.adjusted.contains(&rule) {
            self.adjusted.push(rule);
        }
    }
}

fn quoted(url: &str) -> String {
    let mut json = Vec::with_capacity(url.len() + 2);
    text(url, &mut json);
    String::from_utf8(json).expect("a JSON string is text")
}

fn object<'a, N: AsRef<str>>(members: impl Iterator<Item = (N, Cow<'a, str>)>) -> String {
    let members = members.map(|(name, value)| format!("{}:{value}", quoted(name.as_ref())));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// A member of an object: its name, and its value as it is written.
type Member<'j> = (String, &'j RawValue);

/// The members of an object; `None` if it is none.
fn members(json: &str) -> Option<Vec<Member<'_>>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Member<'de>>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                members.push((name, map.next_value()?));
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Members).ok()
}

/// The items of a list; `None` if it is none.
fn items(json: &str) -> Option<Vec<&RawValue>> {
    struct Items;
    impl<'de> Visitor<'de> for Items {
        type Value = Vec<&'de RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                items.push(item);
            }
            Ok(items)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_seq(Items).ok()
}

/// Checks the URL of a picture that stands in a field of its own, once its file was looked for.
pub(crate) fn check_picture(field: &str, json: &[u8]) -> Result<(), Broken> {
    match serde_json::from_slice::<Cow<'_, str>>(json) {
        Ok(url) => rules::url(field, &url),
        Err(_) => Ok(()),
    }
}
