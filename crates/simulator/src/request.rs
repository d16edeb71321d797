//! What a request asks for: which endpoint, with which key, and which records by which ids.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::call::Call;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::switches::UnknownKeys;

/// What can be imported, in the order in which it refers to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entity {
    Users,
    Groups,
    Members,
    Messages,
}

impl Entity {
    /// The last part of the endpoint's path, and the key around the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Entity::Users => "users",
            Entity::Groups => "groups",
            Entity::Members => "members",
            Entity::Messages => "messages",
        }
    }

    /// The code for records that are not an object by id.
    pub(crate) fn format_code(self) -> &'static str {
        match self {
            Entity::Users => "ERR_IMPORT_INVALID_USER_FORMAT",
            Entity::Groups => "ERR_IMPORT_INVALID_GROUP_FORMAT",
            Entity::Members => "ERR_IMPORT_INVALID_MEMBER_FORMAT",
            Entity::Messages => "ERR_IMPORT_INVALID_MESSAGE_FORMAT",
        }
    }

    /// The records are not what they should be.
    pub(crate) fn wrong_format(self) -> Failure {
        let name = self.name();
        Failure::new(
            self.format_code(),
            format!("The {name} should be an array of {name} objects."),
        )
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Import(Entity),
    /// The part of the API that does not import.
    Other(Call),
    /// Everything stored. Ours, not CometChat's.
    Dump,
    /// Numbers of what was stored and seen. Ours, not CometChat's.
    Counts,
    /// Another text for a message. Ours, not CometChat's.
    Edit,
}

impl Endpoint {
    /// The endpoint for this method and path, whatever stands before it.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (rest, name) = path.rsplit_once('/')?;
        let collection = rest.rsplit('/').next().unwrap_or_default();
        let endpoint = match (collection, name) {
            ("data_import", "users") => Self::Import(Entity::Users),
            ("data_import", "groups") => Self::Import(Entity::Groups),
            ("data_import", "members") => Self::Import(Entity::Members),
            ("data_import", "messages") => Self::Import(Entity::Messages),
            ("__chatferry", "dump") => Self::Dump,
            ("__chatferry", "counts") => Self::Counts,
            ("__chatferry", "edit") => Self::Edit,
            ("data_import" | "__chatferry", _) => return None,
            _ => return Call::of(method, path).map(Self::Other),
        };
        let expected = match endpoint {
            Self::Import(_) | Self::Edit => Method::POST,
            _ => Method::GET,
        };
        (*method == expected).then_some(endpoint)
    }
}

/// Whether the request names the right app and brings the right key.
pub(crate) fn authorize(request: &Request<Bytes>, settings: &Settings) -> Result<(), Failure> {
    if let Some(app) = &settings.app_id {
        match named_app(request.headers(), request.uri()) {
            Named::App(named) if named != app.as_str() => {
                return Err(Failure::new(
                    "AUTH_ERR_INVALID_APPID",
                    "The appId is invalid.",
                ));
            }
            Named::Missing => {
                return Err(Failure::new(
                    "AUTH_ERR_EMPTY_APPID",
                    "The appId is missing.",
                ));
            }
            Named::App(_) | Named::NotNeeded => {}
        }
    }
    let key = request
        .headers()
        .get("apikey")
        .map_or(&b""[..], |key| key.as_bytes());
    if key.is_empty() {
        return Err(Failure::new(
            "AUTH_ERR_EMPTY_APIKEY",
            "The apiKey is missing.",
        ));
    }
    match &settings.api_key {
        Some(expected) if expected.as_bytes() != key => Err(no_such_key()),
        _ => Ok(()),
    }
}

/// A key that is not one of the app's, or not any more.
pub(crate) fn no_such_key() -> Failure {
    Failure::new(
        "AUTH_ERR_APIKEY_NOT_FOUND",
        "The apiKey does not exist, please make sure it belongs to this app.",
    )
}

/// How a request names its app.
enum Named<'a> {
    App(&'a str),
    /// The host serves every app, so a header has to name one.
    Missing,
    /// The host is none of CometChat's.
    NotNeeded,
}

fn named_app<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Named<'a> {
    if let Some(app) = headers.get("appid") {
        return Named::App(app.to_str().unwrap_or_default());
    }
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| uri.host());
    let host = host.unwrap_or_default();
    match host.split_once(".api-") {
        Some((app, _)) => Named::App(app),
        None if host.starts_with("api-") => Named::Missing,
        None => Named::NotNeeded,
    }
}

/// The status of a failure that concerns the request as a whole.
pub(crate) fn status_of(failure: &Failure) -> StatusCode {
    match failure.code {
        "ERR_API_NOT_FOUND"
        | "ERR_UID_NOT_FOUND"
        | "ERR_GUID_NOT_FOUND"
        | "ERR_NOT_A_MEMBER"
        | "ERR_MESSAGE_ID_NOT_FOUND"
        | "ERR_MSG_NOT_FOUND" => StatusCode::NOT_FOUND,
        code if code.starts_with("AUTH_ERR_") => StatusCode::UNAUTHORIZED,
        "ERR_TOO_MANY_REQUESTS" => StatusCode::TOO_MANY_REQUESTS,
        "ERR_EXCEPTION" | "ERR_OPERATION_FAILED" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The records of a request in its order, by the id they were sent under.
pub(crate) type Entries<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The records of `entity` in `body`.
///
/// When an id or the collection is given twice, the last one counts, as in most readers of JSON.
pub(crate) fn entries<'a>(
    body: &'a [u8],
    entity: Entity,
    unknown_keys: UnknownKeys,
) -> Result<Entries<'a>, Failure> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Failure::bad_request("The request body is not UTF-8."))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let envelope = Anything(Envelope(entity.name()))
        .deserialize(&mut reader)
        .and_then(|envelope| reader.end().map(|()| envelope))
        .map_err(|_| Failure::bad_request("The request body is not JSON."))?;
    let Some(Found {
        collection: Some(Some(entries)),
        unknown,
    }) = envelope
    else {
        return Err(entity.wrong_format());
    };
    match (unknown, unknown_keys) {
        (Some(key), UnknownKeys::Refuse) => {
            let advice = format!("The {key} field is not known.");
            Err(Failure::at(key, advice))
        }
        _ => Ok(only_last(entries)),
    }
}

/// Leaves of entries with the same key only the last one.
fn only_last(mut entries: Entries<'_>) -> Entries<'_> {
    let last: HashMap<Cow<'_, str>, usize> = entries
        .iter()
        .enumerate()
        .map(|(place, (key, _))| (key.clone(), place))
        .collect();
    if last.len() < entries.len() {
        let mut place = 0;
        entries.retain(|(key, _)| {
            place += 1;
            last.get(key) == Some(&(place - 1))
        });
    }
    entries
}

/// A text that is borrowed unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Reads an object with `T`, and anything else as `None`.
struct Anything<T>(T);

/// Reads the fields of an object.
trait Fields<'de> {
    type Value;
    fn read<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error>;
}

impl<'de, T: Fields<'de>> DeserializeSeed<'de> for Anything<T> {
    type Value = Option<T::Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, T: Fields<'de>> Visitor<'de> for Anything<T> {
    type Value = Option<T::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        self.0.read(fields).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The object around the collection of this name.
struct Envelope(&'static str);

/// What was found in it.
struct Found<'a> {
    /// The collection, or `Some(None)` when it is no object.
    collection: Option<Option<Entries<'a>>>,
    /// The first other key.
    unknown: Option<String>,
}

impl<'de> Fields<'de> for Envelope {
    type Value = Found<'de>;

    fn read<A: MapAccess<'de>>(self, mut fields: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found {
            collection: None,
            unknown: None,
        };
        while let Some(Text(key)) = fields.next_key()? {
            if key == self.0 {
                found.collection = Some(fields.next_value_seed(Anything(Collection))?);
            } else {
                fields.next_value::<IgnoredAny>()?;
                found.unknown.get_or_insert_with(|| key.into_owned());
            }
        }
        Ok(found)
    }
}

/// The records by id.
struct Collection;

impl<'de> Fields<'de> for Collection {
    type Value = Entries<'de>;

    fn read<A: MapAccess<'de>>(self, mut fields: A) -> Result<Entries<'de>, A::Error> {
        let mut entries = Vec::with_capacity(50);
        while let Some((Text(key), record)) = fields.next_entry::<Text<'de>, &'de RawValue>()? {
            entries.push((key, record));
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Endpoint, Entity, entries};
    use crate::switches::UnknownKeys;

    fn ids(body: &str) -> Result<Vec<(String, String)>, &'static str> {
        let read = entries(body.as_bytes(), Entity::Users, UnknownKeys::Ignore);
        read.map(|entries| {
            entries
                .into_iter()
                .map(|(id, raw)| (id.into_owned(), raw.get().to_owned()))
                .collect()
        })
        .map_err(|failure| failure.code)
    }

    #[test]
    fn any_prefix_leads_to_an_endpoint_and_only_its_method_does() {
        let users = Some(Endpoint::Import(Entity::Users));
        for path in [
            "/data_import/users",
            "/v3/data_import/users",
            "/a/b/data_import/users",
        ] {
            assert_eq!(Endpoint::of(&Method::POST, path), users);
            assert_eq!(Endpoint::of(&Method::GET, path), None);
        }
        for path in [
            "/user",
            "/data_import",
            "/data_import/users/",
            "/xdata_import/users",
            "",
        ] {
            assert_eq!(Endpoint::of(&Method::POST, path), None);
        }
        assert_eq!(
            Endpoint::of(&Method::GET, "/__chatferry/counts"),
            Some(Endpoint::Counts)
        );
    }

    #[test]
    fn records_are_found_in_their_order_whatever_they_are() {
        let read = ids(r#" {"x":[1], "users": {"b":1, "a\n": [2, 3]}, "y":null} "#).unwrap();
        let expected = [("b", "1"), ("a\n", "[2, 3]")];
        assert_eq!(
            read,
            expected.map(|(id, raw)| (id.to_owned(), raw.to_owned()))
        );
    }

    #[test]
    fn of_what_is_given_twice_the_last_counts() {
        let read = ids(r#"{"users":{"z":0},"users":{"a":1,"b":2,"a":3}}"#).unwrap();
        let expected = [("b", "2"), ("a", "3")];
        assert_eq!(
            read,
            expected.map(|(id, raw)| (id.to_owned(), raw.to_owned()))
        );
    }

    #[test]
    fn what_is_no_object_by_id_is_told_apart_from_what_is_no_json() {
        let format = "ERR_IMPORT_INVALID_USER_FORMAT";
        for body in [
            "[]",
            "1",
            "-1.5",
            "null",
            "true",
            r#""users""#,
            "{}",
            r#"{"groups":{}}"#,
        ] {
            assert_eq!(ids(body), Err(format), "{body}");
        }
        for body in [
            r#"{"users":[]}"#,
            r#"{"users":"x"}"#,
            r#"{"users":null}"#,
            r#"{"users":7}"#,
        ] {
            assert_eq!(ids(body), Err(format), "{body}");
        }
        for body in [
            "",
            "{",
            r#"{"users":{}"#,
            r#"{"users":{}} x"#,
            r#"{"users":{"a"}}"#,
            "nul",
        ] {
            assert_eq!(ids(body), Err("ERR_BAD_REQUEST"), "{body}");
        }
    }
}
