//! How answers are written: by hand, into one buffer, since this is what takes the time.

use std::io::Write;
use std::ops::Range;

use crate::failure::Failure;
use crate::switches::{AnswerKeys, EntityDepth, Switches};

/// An object that is being written.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Goes on with an object that has no field so far and is open in `out`.
    pub(crate) fn reopen(out: &'o mut Vec<u8>) -> Self {
        Self { out, empty: true }
    }

    /// Goes on with an object whose fields so far are in `out`.
    pub(crate) fn resume(out: &'o mut Vec<u8>) -> Self {
        Self { out, empty: false }
    }

    /// Begins a field, whose name needs no escapes. The caller writes its value.
    pub(crate) fn field(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A field with JSON that was sent.
    pub(crate) fn json(&mut self, name: &str, json: &str) {
        write_json(self.field(name), json);
    }

    /// A field with JSON that was sent, if it was.
    pub(crate) fn json_if(&mut self, name: &str, json: Option<&str>) {
        if let Some(json) = json {
            self.json(name, json);
        }
    }

    /// A field with a text that needs no escapes, such as an id.
    pub(crate) fn plain(&mut self, name: &str, text: &str) {
        let out = self.field(name);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }

    pub(crate) fn number(&mut self, name: &str, number: i64) {
        write_number(self.field(name), number);
    }

    pub(crate) fn number_if(&mut self, name: &str, number: Option<i64>) {
        if let Some(number) = number {
            self.number(name, number);
        }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes JSON that was sent on one line, which a record is in a dump.
///
/// Inside strings, line breaks are always escaped: those that are not stand between parts.
pub(crate) fn write_json(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    for byte in &mut out[start..] {
        if *byte == b'\n' || *byte == b'\r' {
            *byte = b' ';
        }
    }
}

/// Writes a number that is not negative.
pub(crate) fn write_number(out: &mut Vec<u8>, number: i64) {
    write!(out, "{number}").expect("memory takes every write");
}

/// The verdicts on a request's records, by id.
pub(crate) struct Verdicts {
    bytes: Vec<u8>,
    /// Where each verdict stands, and its key's length with quotes.
    parts: Vec<(Range<usize>, usize)>,
    keys: AnswerKeys,
    entity: EntityDepth,
}

const OPEN: &[u8] = br#"{"data":{"#;
const CLOSE: &[u8] = b"}}";

impl Verdicts {
    /// No verdict yet, with room for `records` of them that take `bytes` altogether.
    pub(crate) fn new(switches: &Switches, records: usize, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(OPEN);
        let parts = Vec::with_capacity(records);
        Self {
            bytes: out,
            parts,
            keys: switches.answer_keys,
            entity: switches.entity,
        }
    }

    /// Adds the verdict on the record sent under `key`: `store` stores it and writes what was
    /// stored, or says why not.
    pub(crate) fn add(
        &mut self,
        key: &str,
        store: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>,
    ) {
        if !self.parts.is_empty() {
            self.bytes.push(b',');
        }
        let start = self.bytes.len();
        match self.keys {
            AnswerKeys::Submitted => write_text(&mut self.bytes, key),
            AnswerKeys::LowerCase => write_text(&mut self.bytes, &key.to_lowercase()),
        }
        let key_length = self.bytes.len() - start;
        let (before, after): (&[u8], &[u8]) = match self.entity {
            EntityDepth::Flat => (br#":{"success":true,"data":"#, b"}"),
            EntityDepth::Wrapped => (br#":{"success":true,"data":{"data":"#, b"}}"),
        };
        self.bytes.extend_from_slice(before);
        match store(&mut self.bytes) {
            Ok(()) => self.bytes.extend_from_slice(after),
            Err(failure) => {
                self.bytes.truncate(start + key_length);
                self.bytes.extend_from_slice(br#":{"success":false,"#);
                // The failure's own body is an object with one key, `error`.
                self.bytes.extend_from_slice(&failure.body()[1..]);
            }
        }
        self.parts.push((start..self.bytes.len(), key_length));
    }

    /// Leaves the first `count` verdicts out.
    pub(crate) fn forget_first(&mut self, count: usize) {
        let left_out = count.min(self.parts.len());
        let kept: Vec<_> = self.parts.drain(..).skip(left_out).collect();
        self.write_again(&kept, |_| {});
    }

    /// Adds verdicts on so many records that nobody sent.
    pub(crate) fn invent(&mut self, count: usize) {
        for number in 0..count {
            self.add(&format!("nobody-sent-{number}"), |out| {
                Object::open(out).close();
                Ok(())
            });
        }
    }

    /// Puts the verdicts into the opposite order.
    pub(crate) fn reverse(&mut self) {
        let parts: Vec<_> = self.parts.drain(..).rev().collect();
        self.write_again(&parts, |_| {});
    }

    /// Spells the keys in upper case.
    pub(crate) fn upper_case(&mut self) {
        let parts: Vec<_> = self.parts.drain(..).collect();
        self.write_again(&parts, |key| {
            // An escape such as `\n` would mean something else in upper case.
            if !key.contains(&b'\\') {
                key.make_ascii_uppercase();
            }
        });
    }

    fn write_again(&mut self, parts: &[(Range<usize>, usize)], respell: impl Fn(&mut [u8])) {
        let old = std::mem::replace(&mut self.bytes, OPEN.to_vec());
        for (range, key_length) in parts {
            if !self.parts.is_empty() {
                self.bytes.push(b',');
            }
            let start = self.bytes.len();
            self.bytes.extend_from_slice(&old[range.clone()]);
            respell(&mut self.bytes[start..start + key_length]);
            self.parts.push((start..self.bytes.len(), *key_length));
        }
    }

    /// The whole body.
    pub(crate) fn into_body(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(CLOSE);
        self.bytes
    }
}

/// Writes any text as JSON.
fn write_text(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        let text = serde_json::to_string(text).expect("a text is always JSON");
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{Object, Verdicts, write_text};
    use crate::failure::Failure;
    use crate::switches::{AnswerKeys, EntityDepth, Switches};

    fn verdicts(switches: &Switches) -> Verdicts {
        let mut verdicts = Verdicts::new(switches, 2, 0);
        for key in ["A1", "b\n"] {
            verdicts.add(key, |out| {
                let mut object = Object::open(out);
                object.json("n", "[1,\n2]");
                object.number("m", 3);
                object.close();
                Ok(())
            });
        }
        verdicts.add("c", |out| {
            out.extend_from_slice(b"half");
            Err(Failure::bad_request("no"))
        });
        verdicts
    }

    fn text(verdicts: Verdicts) -> String {
        String::from_utf8(verdicts.into_body()).unwrap()
    }

    const A1: &str = r#""A1":{"success":true,"data":{"n":[1, 2],"m":3}}"#;
    const B: &str = r#""b\n":{"success":true,"data":{"n":[1, 2],"m":3}}"#;
    const C: &str = r#""c":{"success":false,"error":{"code":"ERR_BAD_REQUEST","message":"no"}}"#;

    #[test]
    fn each_record_has_its_verdict() {
        let verdicts = verdicts(&Switches::default());
        assert_eq!(text(verdicts), format!(r#"{{"data":{{{A1},{B},{C}}}}}"#));
    }

    #[test]
    fn verdicts_can_be_lost_turned_round_and_respelled() {
        let mut lost = verdicts(&Switches::default());
        lost.forget_first(2);
        assert_eq!(text(lost), format!(r#"{{"data":{{{C}}}}}"#));
        let mut none = verdicts(&Switches::default());
        none.forget_first(9);
        assert_eq!(text(none), r#"{"data":{}}"#);
        let mut more = verdicts(&Switches::default());
        more.invent(1);
        let invented = r#""nobody-sent-0":{"success":true,"data":{}}"#;
        assert_eq!(
            text(more),
            format!(r#"{{"data":{{{A1},{B},{C},{invented}}}}}"#)
        );
        let mut turned = verdicts(&Switches::default());
        turned.reverse();
        assert_eq!(text(turned), format!(r#"{{"data":{{{C},{B},{A1}}}}}"#));
        let mut respelled = verdicts(&Switches::default());
        respelled.upper_case();
        let c = C.replace(r#""c""#, r#""C""#);
        assert_eq!(text(respelled), format!(r#"{{"data":{{{A1},{B},{c}}}}}"#));
    }

    #[test]
    fn entities_can_lie_deeper_and_keys_be_in_lower_case() {
        let switches = Switches {
            entity: EntityDepth::Wrapped,
            answer_keys: AnswerKeys::LowerCase,
            ..Switches::default()
        };
        let wrapped = text(verdicts(&switches));
        let first = r#"{"data":{"a1":{"success":true,"data":{"data":{"n":[1, 2],"m":3}}},"#;
        assert!(wrapped.starts_with(first), "{wrapped}");
    }

    #[test]
    fn texts_are_escaped_where_they_must_be() {
        let mut out = Vec::new();
        write_text(&mut out, "ä b");
        write_text(&mut out, "\"\\\u{1}");
        assert_eq!(String::from_utf8(out).unwrap(), r#""ä b""\"\\\u0001""#);
    }
}
