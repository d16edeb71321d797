//! The JSON of one record, read piece by piece by the grammar of RFC 8259.
//!
//! What stands next is asked for, and then passed by the method for it. Nothing is kept of what was
//! passed but what its caller keeps. A fault ends the reading: nothing is asked for behind it.

use std::borrow::Cow;

use chatferry_core::json::plain;

use crate::key::Key;
use crate::number::Number;
use crate::syntax::Malformed;

/// What stands next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Null,
    True,
    False,
    Number,
    Text,
    List,
    Object,
}

/// A record, and how far it was read.
pub(crate) struct Scanner<'j> {
    json: &'j str,
    at: usize,
    /// The last text that had escapes, without them.
    unescaped: String,
}

impl<'j> Scanner<'j> {
    /// The beginning of a record. Texts with escapes are written into `unescaped`, which
    /// [`close`](Self::close) gives back.
    pub(crate) fn open(json: &'j str, unescaped: String) -> Self {
        Self {
            unescaped,
            ..Self::over(json)
        }
    }

    /// The beginning of a text.
    pub(crate) const fn over(json: &'j str) -> Self {
        Self {
            json,
            at: 0,
            unescaped: String::new(),
        }
    }

    /// Gives back what `open` was given.
    pub(crate) fn close(self) -> String {
        self.unescaped
    }

    /// How many bytes were read.
    pub(crate) fn index(&self) -> usize {
        self.at
    }

    /// What was read from that byte on.
    pub(crate) fn since(&self, start: usize) -> &'j str {
        &self.json[start..self.at]
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'j str {
        &self.json[self.at..]
    }

    /// What value stands next.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Next, Malformed> {
        Ok(match self.ink() {
            Some(b'"') => Next::Text,
            Some(b'0'..=b'9' | b'-') => Next::Number,
            Some(b'n') => Next::Null,
            Some(b't') => Next::True,
            Some(b'f') => Next::False,
            Some(b'{') => Next::Object,
            Some(b'[') => Next::List,
            Some(_) => return Err(self.fault("something that is no value")),
            None => return Err(self.unfinished("the record ends where a value should be")),
        })
    }

    /// Passes a `null`.
    #[inline]
    pub(crate) fn null(&mut self) -> Result<(), Malformed> {
        let bytes = &self.json.as_bytes()[self.at..];
        if bytes.first_chunk() == Some(b"null") {
            self.at += 4;
            return Ok(());
        }
        self.word("null")
    }

    /// Passes a `true` or `false`, whichever was said to stand next.
    pub(crate) fn boolean(&mut self, next: Next) -> Result<bool, Malformed> {
        let is_true = next == Next::True;
        self.word(if is_true { "true" } else { "false" })?;
        Ok(is_true)
    }

    /// Passes a number and gives what it is.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<Number, Malformed> {
        let bytes = &self.json.as_bytes()[self.at..];
        // Up to eighteen digits cannot overflow, and nearly all numbers have nothing else.
        let (mut whole, mut digits) = (0, 0);
        while let Some(digit @ b'0'..=b'9') = bytes.get(digits)
            && digits < 18
        {
            whole = whole * 10 + i64::from(digit - b'0');
            digits += 1;
        }
        let is_plain = match bytes.get(digits) {
            Some(b'0'..=b'9' | b'.' | b'e' | b'E') => false,
            _ => digits == 1 || (digits > 0 && bytes[0] != b'0'),
        };
        if is_plain {
            self.at += digits;
            return Ok(Number::Whole(whole));
        }
        self.written_number().map(Number::of)
    }

    /// Passes a number and gives it as it is written.
    pub(crate) fn written_number(&mut self) -> Result<&'j str, Malformed> {
        let (bytes, start) = (self.json.as_bytes(), self.at);
        let digits = |from: usize| {
            let digits = bytes[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            from + digits.count()
        };
        let whole = start + usize::from(bytes.get(start) == Some(&b'-'));
        self.at = digits(whole);
        let has_zero_before = self.at > whole + 1 && bytes[whole] == b'0';
        if self.at == whole || has_zero_before {
            self.at = whole + usize::from(has_zero_before);
            return Err(self.no_number());
        }
        if bytes.get(self.at) == Some(&b'.') {
            let fraction = self.at + 1;
            self.at = digits(fraction);
            if self.at == fraction {
                return Err(self.no_number());
            }
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(bytes.get(self.at), Some(b'+' | b'-')));
            let exponent = self.at;
            self.at = digits(exponent);
            if self.at == exponent {
                return Err(self.no_number());
            }
        }
        Ok(self.since(start))
    }

    /// Passes a text and gives it without its escapes.
    pub(crate) fn text(&mut self) -> Result<&str, Malformed> {
        Ok(match self.span()? {
            Some(text) => text,
            None => &self.unescaped,
        })
    }

    /// Enters an object. Whether a field stands next.
    pub(crate) fn enter_object(&mut self) -> Result<bool, Malformed> {
        self.at += 1;
        match self.ink() {
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            _ => self.expect_key(),
        }
    }

    /// Goes on behind a field's value. Whether another field stands next; otherwise the object is
    /// left.
    #[inline]
    pub(crate) fn next_field(&mut self) -> Result<bool, Malformed> {
        match self.ink() {
            Some(b',') => {
                self.at += 1;
                match self.ink() {
                    Some(b'"') => Ok(true),
                    Some(b'}') => Err(self.fault("a comma with nothing after it")),
                    _ => self.expect_key(),
                }
            }
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Err(self.fault("neither `,` nor `}` after a value")),
            None => Err(self.unfinished("the record ends within an object")),
        }
    }

    /// Passes a field's key and the colon behind it, if it is this one.
    #[inline]
    pub(crate) fn takes_key(&mut self, key: &Key) -> bool {
        let length = key.length_in(&self.json.as_bytes()[self.at..]);
        self.at += length.unwrap_or(0);
        length.is_some()
    }

    /// Passes a field's key and the colon behind it.
    pub(crate) fn key(&mut self) -> Result<Cow<'j, str>, Malformed> {
        let key = match self.span()? {
            Some(key) => Cow::Borrowed(key),
            None => Cow::Owned(self.unescaped.clone()),
        };
        self.colon()?;
        Ok(key)
    }

    /// Enters a list. Whether an item stands next.
    pub(crate) fn enter_list(&mut self) -> Result<bool, Malformed> {
        self.at += 1;
        match self.ink() {
            Some(b']') => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => Err(self.unfinished("the record ends within a list")),
        }
    }

    /// Goes on behind an item. Whether another one stands next; otherwise the list is left.
    pub(crate) fn next_item(&mut self) -> Result<bool, Malformed> {
        match self.ink() {
            Some(b',') => {
                self.at += 1;
                match self.ink() {
                    Some(b']') => Err(self.fault("a comma with nothing after it")),
                    _ => Ok(true),
                }
            }
            Some(b']') => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Err(self.fault("neither `,` nor `]` after an item")),
            None => Err(self.unfinished("the record ends within a list")),
        }
    }

    /// Makes sure that nothing follows.
    pub(crate) fn finish(&mut self) -> Result<(), Malformed> {
        match self.ink() {
            Some(_) => Err(self.fault("something after the end of the record")),
            None => Ok(()),
        }
    }

    /// The next byte that is not blank.
    #[inline]
    fn ink(&mut self) -> Option<u8> {
        match self.json.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.ink_behind_blanks(),
        }
    }

    #[cold]
    fn ink_behind_blanks(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = self.rest();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        match word.starts_with(rest) {
            true => {
                self.at = self.json.len();
                Err(self.unfinished("the record ends where a value should be"))
            }
            false => Err(self.fault("something that is no value")),
        }
    }

    fn expect_key(&self) -> Result<bool, Malformed> {
        match self.json.as_bytes().get(self.at) {
            Some(b'"') => Ok(true),
            Some(_) => Err(self.fault("a key that is not a string")),
            None => Err(self.unfinished("the record ends within an object")),
        }
    }

    fn colon(&mut self) -> Result<(), Malformed> {
        match self.ink() {
            Some(b':') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.fault("no `:` after a key")),
            None => Err(self.unfinished("the record ends within an object")),
        }
    }

    /// Passes a text. Where it has escapes it is in `unescaped`, otherwise it is given.
    fn span(&mut self) -> Result<Option<&'j str>, Malformed> {
        let start = self.at + 1;
        self.at = start;
        self.at += plain(self.rest());
        if self.json.as_bytes().get(self.at) == Some(&b'"') {
            let text = self.since(start);
            self.at += 1;
            return Ok(Some(text));
        }
        self.unescaped.clear();
        self.unescaped.push_str(self.since(start));
        loop {
            match self.json.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(None);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let escaped = self.escape()?;
                    self.unescaped.push(escaped);
                }
                Some(_) => return Err(self.fault("a control character in a string")),
                None => return Err(self.unfinished("the record ends within a string")),
            }
            let more = plain(self.rest());
            self.unescaped.push_str(&self.json[self.at..self.at + more]);
            self.at += more;
        }
    }

    /// Passes what stands behind a backslash.
    fn escape(&mut self) -> Result<char, Malformed> {
        let escaped = match self.json.as_bytes().get(self.at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            Some(_) => return Err(self.fault("an escape that JSON does not have")),
            None => return Err(self.unfinished("the record ends within a string")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// Passes what stands behind a backslash and begins with `u`: a code point, or both halves of
    /// one that takes two.
    fn code_point(&mut self) -> Result<char, Malformed> {
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let half = "half of a surrogate pair";
        if !(0xD800..0xDC00).contains(&first) || !self.rest().starts_with("\\u") {
            return Err(match self.rest() {
                "" | "\\" => self.unfinished("the record ends within a string"),
                _ => self.fault(half),
            });
        }
        self.at += 1;
        let second = self.four_digits()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(self.fault(half));
        }
        let both = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        char::from_u32(both).ok_or_else(|| self.fault(half))
    }

    /// Passes a `u` and the four hexadecimal digits behind it.
    fn four_digits(&mut self) -> Result<u32, Malformed> {
        self.at += 1;
        let mut number = 0;
        for _ in 0..4 {
            let byte = self.json.as_bytes().get(self.at);
            let Some(byte) = byte else {
                return Err(self.unfinished("the record ends within a string"));
            };
            let Some(digit) = char::from(*byte).to_digit(16) else {
                return Err(self.fault("an escape that JSON does not have"));
            };
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }

    #[cold]
    fn no_number(&self) -> Malformed {
        match self.rest() {
            "" => self.unfinished("the record ends where a value should be"),
            _ => self.fault("something that is no number"),
        }
    }

    #[cold]
    fn fault(&self, what: &str) -> Malformed {
        Malformed::new("malformed", what, self.at)
    }

    #[cold]
    fn unfinished(&self, what: &str) -> Malformed {
        self.fault(what).unfinished()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::syntax::utf8;

    /// What a scanner finds in a text, written anew.
    fn read(json: &[u8]) -> Result<String, Malformed> {
        let mut scanner = Scanner::over(utf8(json)?);
        let mut found = String::new();
        value(&mut scanner, &mut found)?;
        scanner.finish()?;
        Ok(found)
    }

    fn value(scanner: &mut Scanner<'_>, found: &mut String) -> Result<(), Malformed> {
        match scanner.next()? {
            Next::Null => {
                scanner.null()?;
                found.push_str("null");
            }
            next @ (Next::True | Next::False) => {
                found.push_str(&scanner.boolean(next)?.to_string());
            }
            Next::Number => found.push_str(scanner.written_number()?),
            Next::Text => found.push_str(&Value::from(scanner.text()?).to_string()),
            Next::List => {
                let mut more = scanner.enter_list()?;
                found.push('[');
                while more {
                    value(scanner, found)?;
                    found.push(',');
                    more = scanner.next_item()?;
                }
                found.push(']');
            }
            Next::Object => {
                let mut more = scanner.enter_object()?;
                found.push('{');
                while more {
                    let key = match scanner.takes_key(&Key::new("a")) {
                        true => "a".into(),
                        false => scanner.key()?,
                    };
                    found.push_str(&Value::from(key).to_string());
                    found.push(':');
                    value(scanner, found)?;
                    found.push(',');
                    more = scanner.next_field()?;
                }
                found.push('}');
            }
        }
        Ok(())
    }

    /// The same of what another parser finds.
    fn written(value: &Value, found: &mut String) {
        match value {
            Value::Array(items) => {
                found.push('[');
                for item in items {
                    written(item, found);
                    found.push(',');
                }
                found.push(']');
            }
            Value::Object(fields) => {
                found.push('{');
                for (key, value) in fields {
                    found.push_str(&Value::from(key.as_str()).to_string());
                    found.push(':');
                    written(value, found);
                    found.push(',');
                }
                found.push('}');
            }
            other => found.push_str(&other.to_string()),
        }
    }

    fn meant(found: &str) -> Value {
        let json = found.replace(",]", "]").replace(",}", "}");
        serde_json::from_str(&json).expect("what is found is JSON")
    }

    /// Something like JSON, sound or not; no key stands twice in one object.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let inside = prop::sample::select(vec![
            "a",
            "é",
            "\u{1f600}",
            "0123456",
            "\\n",
            "\\u00e9",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\ude00",
            "\\u12",
            "\\x",
            "\\",
            "\"",
            "\u{1}",
            "\u{7f}",
            "/",
            "\\/",
            "seven b",
        ]);
        let string = prop::collection::vec(inside, 0..5).prop_map(|parts| parts.concat());
        let leaf = prop_oneof![
            string.prop_map(|string| format!("\"{string}\"")),
            prop::sample::select(vec![
                "null", "true", "false", "nul", "0", "-0", "1", "-12", "01", "1.5", "1.", ".5",
                "1e5", "1E+5", "1e", "-", "+1", "", "NaN", "\"",
            ])
            .prop_map(str::to_owned),
        ];
        let json = leaf.prop_recursive(3, 16, 3, |inner| {
            let blank = prop::sample::select(vec!["", "", "", " ", "\n\t", ",", "x"]);
            let list = (prop::collection::vec(inner.clone(), 0..3), blank.clone());
            let object = (prop::collection::vec(inner, 0..3), blank);
            prop_oneof![
                list.prop_map(|(items, blank)| format!("[{blank}{}{blank}]", items.join(","))),
                object.prop_map(|(values, blank)| {
                    let keys = ["\"a\"", "\"b\\n\"", "\"cé\""];
                    let fields = keys.iter().zip(values);
                    let fields = fields.map(|(key, value)| format!("{key}{blank}:{value}"));
                    format!("{{{}{blank}}}", fields.collect::<Vec<_>>().join(","))
                }),
            ]
        });
        let cut = prop_oneof![4 => Just(usize::MAX), 1 => 0_usize..40];
        (json, cut, any::<bool>()).prop_map(|(json, cut, spoil)| {
            let mut json = json.into_bytes();
            json.truncate(cut);
            if spoil && cut < json.len() {
                json[cut / 2] = 0xff;
            }
            json
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_json_and_what_it_says_is_as_another_parser_has_it(json in text()) {
            let theirs = serde_json::from_slice::<Value>(&json).map(|value| {
                let mut found = String::new();
                written(&value, &mut found);
                found
            });
            match (read(&json), theirs) {
                (Ok(ours), Ok(theirs)) => {
                    // Numbers are given as they are written, and compared as they are meant.
                    prop_assert_eq!(meant(&ours), meant(&theirs));
                }
                (Err(_), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{ours:?} instead of {theirs:?}"),
            }
        }
    }
}
