//! How one record's fields are read: what each may be, and what is said when it is not.
//!
//! A field keeps the JSON it was sent as, so that it can be stored and answered without being
//! written anew.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::failure::{Failure, Findings};
use crate::request::Text;
use crate::switches::UnknownKeys;

/// A string as sent: its JSON, quotes and all, and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Str<'a> {
    pub(crate) json: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
}

impl Str<'_> {
    /// An id as a text. It needs no escapes.
    pub(crate) fn of_id(id: &str) -> Str<'static> {
        Str {
            json: Cow::Owned(format!("\"{id}\"")),
            value: Cow::Owned(id.to_owned()),
        }
    }
}

/// Where something stands in a record: `"userDetails."` before its fields.
pub(crate) type Path<'p> = &'p str;

/// Calls `take` with each field of the object `raw` is, in its order. Says whether it is one.
pub(crate) fn each_field<'a>(raw: &'a RawValue, take: impl FnMut(&str, &'a RawValue)) -> bool {
    struct Each<F>(F);
    impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
            while let Some((Text(name), value)) = fields.next_entry::<Text<'de>, &'de RawValue>()? {
                (self.0)(&name, value);
            }
            Ok(())
        }
    }
    raw.get().starts_with('{')
        && serde_json::Deserializer::from_str(raw.get())
            .deserialize_map(Each(take))
            .is_ok()
}

/// Calls `take` with each item of the array `raw` is, from 0 on. Says whether it is one.
pub(crate) fn each_item<'a>(raw: &'a RawValue, take: impl FnMut(usize, &'a RawValue)) -> bool {
    struct Each<F>(F);
    impl<'de, F: FnMut(usize, &'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
            let mut place = 0;
            while let Some(value) = items.next_element::<&'de RawValue>()? {
                (self.0)(place, value);
                place += 1;
            }
            Ok(())
        }
    }
    raw.get().starts_with('[')
        && serde_json::Deserializer::from_str(raw.get())
            .deserialize_seq(Each(take))
            .is_ok()
}

/// What is known while one record is read.
pub(crate) struct Reading {
    pub(crate) findings: Findings,
    pub(crate) unknown_keys: UnknownKeys,
}

impl Reading {
    pub(crate) fn new(unknown_keys: UnknownKeys) -> Self {
        Self {
            findings: Findings::default(),
            unknown_keys,
        }
    }

    /// Something is wrong with a field.
    pub(crate) fn wrong(&mut self, at: Path<'_>, field: &str, what: &str) {
        let field = format!("{at}{field}");
        let advice = format!("The {field} {what}.");
        self.findings.add(Failure::at(field, advice));
    }

    /// Something is wrong with a field, and CometChat has a code for it.
    pub(crate) fn coded(&mut self, code: &'static str, at: Path<'_>, field: &str, advice: &str) {
        self.findings.coded(code, format!("{at}{field}"), advice);
    }

    /// A field nobody documented.
    pub(crate) fn unknown(&mut self, at: Path<'_>, field: &str) {
        if self.unknown_keys == UnknownKeys::Refuse {
            self.wrong(at, field, "field is not known");
        }
    }

    /// A required field is missing.
    pub(crate) fn missing(&mut self, at: Path<'_>, field: &str) {
        self.wrong(at, field, "field is required");
    }

    /// A string, if the field is there.
    pub(crate) fn string<'a>(
        &mut self,
        at: Path<'_>,
        field: &str,
        raw: Option<&'a RawValue>,
    ) -> Option<Str<'a>> {
        let string = string(raw?);
        if string.is_none() {
            self.wrong(at, field, "must be a string");
        }
        string
    }

    /// A string that must be there and not be blank, of at most `most` characters.
    pub(crate) fn required<'a>(
        &mut self,
        at: Path<'_>,
        field: &str,
        raw: Option<&'a RawValue>,
        most: usize,
    ) -> Option<Str<'a>> {
        if raw.is_none() {
            self.missing(at, field);
        }
        let string = self.string(at, field, raw)?;
        if string.value.trim().is_empty() {
            self.missing(at, field);
            return None;
        }
        self.within(at, field, string, most)
    }

    /// The id of a user, group or role, in any case: `code` says that it cannot be one.
    pub(crate) fn id<'a>(
        &mut self,
        code: &'static str,
        at: Path<'_>,
        field: &str,
        raw: Option<&'a RawValue>,
    ) -> Option<Str<'a>> {
        let string = self.required(at, field, raw, usize::MAX)?;
        if !is_id(&string.value) {
            let advice = format!(
                "The {at}{field} may have at most 100 characters, and only letters, digits, - and _."
            );
            self.coded(code, at, field, &advice);
            return None;
        }
        Some(string)
    }

    /// A string of at most `most` characters, if the field is there.
    pub(crate) fn optional<'a>(
        &mut self,
        at: Path<'_>,
        field: &str,
        raw: Option<&'a RawValue>,
        most: usize,
    ) -> Option<Str<'a>> {
        let string = self.string(at, field, raw)?;
        self.within(at, field, string, most)
    }

    fn within<'a>(
        &mut self,
        at: Path<'_>,
        field: &str,
        string: Str<'a>,
        most: usize,
    ) -> Option<Str<'a>> {
        if longer_than(&string.value, most) {
            self.wrong(
                at,
                field,
                &format!("may not be greater than {most} characters"),
            );
            return None;
        }
        Some(string)
    }

    /// A URL of at most `most` characters, if the field is there.
    pub(crate) fn url<'a>(
        &mut self,
        at: Path<'_>,
        field: &str,
        raw: Option<&'a RawValue>,
        most: usize,
    ) -> Option<Str<'a>> {
        let string = self.optional(at, field, raw, most)?;
        if !is_url(&string.value) {
            self.wrong(at, field, "format is invalid");
            return None;
        }
        Some(string)
    }

    /// Seconds since 1970 in ten digits, as a number or a string, if the field is there.
    pub(crate) fn time(
        &mut self,
        at: Path<'_>,
        field: &str,
        raw: Option<&RawValue>,
    ) -> Option<i64> {
        let json = raw?.get();
        let digits = json
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(json);
        let ten_digits = digits.len() == 10
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        if !ten_digits {
            self.wrong(at, field, "must be 10 digits");
            return None;
        }
        digits.parse().ok()
    }

    /// An object of at most `most` bytes, if the field is there.
    pub(crate) fn object<'a>(
        &mut self,
        at: Path<'_>,
        field: &str,
        raw: Option<&'a RawValue>,
        most: usize,
    ) -> Option<&'a RawValue> {
        let raw = raw?;
        if !raw.get().starts_with('{') {
            self.wrong(at, field, "must be an object");
            return None;
        }
        if heavier_than(raw, most) {
            self.wrong(at, field, &format!("may not be greater than {most} bytes"));
            return None;
        }
        Some(raw)
    }

    /// At most 25 tags of at most 100 characters, if the field is there.
    pub(crate) fn tags<'a>(
        &mut self,
        at: Path<'_>,
        raw: Option<&'a RawValue>,
    ) -> Option<&'a RawValue> {
        let raw = raw?;
        let mut count = 0;
        let is_array = each_item(raw, |place, tag| {
            count += 1;
            self.required(at, &format!("tags.{place}"), Some(tag), 100);
        });
        if !is_array {
            self.wrong(at, "tags", "must be an array");
        }
        if count > 25 {
            self.wrong(at, "tags", "may not have more than 25 items");
        }
        Some(raw)
    }
}

/// The string that `raw` is, if it is one.
fn string(raw: &RawValue) -> Option<Str<'_>> {
    let json = raw.get();
    let inside = json.strip_prefix('"')?.strip_suffix('"')?;
    let value = if inside.contains('\\') {
        Cow::Owned(serde_json::from_str(json).ok()?)
    } else {
        Cow::Borrowed(inside)
    };
    Some(Str {
        json: Cow::Borrowed(json),
        value,
    })
}

/// Whether a text has more than `most` characters, counted in UTF-16 units.
///
/// CometChat does not say what it counts; these are never fewer than code points.
pub(crate) fn longer_than(text: &str, most: usize) -> bool {
    text.len() > most && text.encode_utf16().count() > most
}

/// Whether JSON has more than `most` bytes, not counting the spaces between its parts.
pub(crate) fn heavier_than(raw: &RawValue, most: usize) -> bool {
    let json = raw.get();
    if json.len() <= most {
        return false;
    }
    let mut in_string = false;
    let mut escaped = false;
    let counted = json.bytes().filter(|byte| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            true
        } else {
            in_string = *byte == b'"';
            !byte.is_ascii_whitespace()
        }
    });
    counted.count() > most
}

/// Whether this is a URL with a host, in any script.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !host.is_empty()
        && !text.contains(|any: char| any.is_whitespace() || any.is_control())
}

/// Whether this can be the id of a user, group or role, in any case.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// An id as it is stored.
pub(crate) fn lower_case(id: Cow<'_, str>) -> Cow<'_, str> {
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        id
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{Reading, each_field, each_item, heavier_than, is_id, is_url, longer_than};
    use crate::switches::UnknownKeys;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn a_time_is_ten_digits_as_a_number_or_a_string() {
        let time = |json: &str| {
            let mut reading = Reading::new(UnknownKeys::Ignore);
            let time = reading.time("", "sentAt", Some(raw(json)));
            assert_eq!(time.is_none(), reading.findings.into_failure().is_some());
            time
        };
        assert_eq!(time("1673421419"), Some(1_673_421_419));
        assert_eq!(time(r#""1673421419""#), Some(1_673_421_419));
        for json in [
            "1673421419000",
            "167342141",
            "1673421419.0",
            "-1673421419",
            "-167342141",
            "1673421e19",
            "null",
            r#""""#,
            r#""16734214x9""#,
            "0",
            r#"" 1673421419""#,
            r#""0123456789""#,
        ] {
            assert_eq!(time(json), None, "{json}");
        }
    }

    #[test]
    fn characters_are_counted_in_utf_16() {
        assert!(!longer_than(&"ä".repeat(100), 100));
        assert!(!longer_than(&"😀".repeat(50), 100));
        assert!(longer_than(&"😀".repeat(51), 100));
    }

    #[test]
    fn spaces_between_parts_weigh_nothing_and_those_in_strings_do() {
        let json = raw(r#"{ "a\" b" :  [ 1 , "x  \\" ] }"#);
        let compact = r#"{"a\" b":[1,"x  \\"]}"#.len();
        assert!(!heavier_than(json, compact));
        assert!(heavier_than(json, compact - 1));
    }

    #[test]
    fn urls_need_a_scheme_and_a_host() {
        for url in [
            "https://a.example/b.png?c#d",
            "http://localhost:80",
            "https://ü.example/ü",
        ] {
            assert!(is_url(url), "{url}");
        }
        for text in [
            "",
            "a.png",
            "https://",
            "https:///a",
            "//a.example",
            "https://a b",
            "1x://a",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }

    #[test]
    fn ids_are_plain_letters_digits_and_two_signs() {
        assert!(is_id("a-Z_09") && is_id(&"a".repeat(100)));
        assert!(!is_id("") && !is_id("a b") && !is_id("é") && !is_id(&"a".repeat(101)));
    }

    #[test]
    fn fields_and_items_come_in_order_and_other_values_are_told_apart() {
        let mut seen = Vec::new();
        let object = raw(r#"{"b":1,"a":[2],"b":3}"#);
        assert!(each_field(object, |name, value| seen.push(format!("{name}={value}"))));
        assert_eq!(seen, ["b=1", "a=[2]", "b=3"]);
        assert!(!each_field(raw("[]"), |_, _| ()));
        assert!(!each_item(raw("{}"), |_, _| ()));
        let mut items = Vec::new();
        assert!(each_item(raw("[7, null]"), |place, item| items
            .push((place, item.get()))));
        assert_eq!(items, [(0, "7"), (1, "null")]);
    }
}
