//! Files that are one JSON document each, which are no tables before somebody says where their
//! records are. They are known by the keys at their beginning.

use std::collections::BTreeSet;

/// Bytes at the beginning of a document that are looked at.
pub const BEGINNING: u64 = 64 * 1024;

/// How deep keys are told.
const DEPTH: usize = 2;

/// The beginning of a file that is one JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The last part of its path.
    name: String,
    /// Its keys, and those of the objects in it and in its lists: `users` and `users.id`.
    keys: BTreeSet<String>,
}

impl Document {
    /// What is known of a file that begins so; `None` when it is no object.
    #[must_use]
    pub fn of(path: &str, beginning: &[u8]) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
        let keys = keys(beginning)?;
        Some(Self {
            name: name.to_owned(),
            keys,
        })
    }

    /// Whether it is called so, `*` being any name, and has all of these keys.
    pub(crate) fn is(&self, name: &str, keys: &[&str]) -> bool {
        (name == "*" || name == self.name) && keys.iter().all(|key| self.keys.contains(*key))
    }
}

/// The keys of an object of which there may be no more than the beginning.
fn keys(json: &[u8]) -> Option<BTreeSet<String>> {
    let mut rest = json.trim_ascii_start();
    if rest.first() != Some(&b'{') {
        return None;
    }
    let mut keys = BTreeSet::new();
    // The key that stands last at each depth, of objects; lists have none and are looked through.
    let mut open: Vec<Option<String>> = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'{' => open.push(Some(String::new())),
            b'[' => open.push(None),
            b'}' | b']' => {
                open.pop();
                if open.is_empty() {
                    break;
                }
            }
            b'"' => {
                let Some(end) = end_of_text(rest) else {
                    break;
                };
                let (text, after) = (&rest[..end], rest[end + 1..].trim_ascii_start());
                rest = after;
                if let (Some(Some(key)), Some(b':')) = (open.last_mut(), after.first()) {
                    *key = String::from_utf8_lossy(text).into_owned();
                    let path: Vec<&str> = open.iter().flatten().map(String::as_str).collect();
                    if path.len() <= DEPTH {
                        keys.insert(path.join("."));
                    }
                }
            }
            _ => {}
        }
    }
    Some(keys)
}

/// Where the text ends that has begun.
fn end_of_text(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match rest.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JSON: &str = "\u{feff}\n{\"about\": \"a \\\"key\\\": x\", \"chats\": {\"list\": [{\"id\": 1}]}, \
                        \"users\": [{\"id\": 1, \"deep\": {\"er\": 1}}, {\"name\": [\"x\"]}]}";

    #[test]
    fn keys_are_told_two_deep_and_lists_are_looked_through() {
        let document = Document::of("a/b.json", JSON.as_bytes()).expect("an object");
        let keys: Vec<&str> = document.keys.iter().map(String::as_str).collect();
        let wanted = [
            "about",
            "chats",
            "chats.list",
            "users",
            "users.deep",
            "users.id",
            "users.name",
        ];
        assert_eq!(keys, wanted);
        assert!(document.is("b.json", &["users.id"]) && document.is("*", &[]));
        assert!(!document.is("a.json", &[]) && !document.is("*", &["id"]));
        for none in ["[{}]", "", "  ", "id,name"] {
            assert_eq!(Document::of("x.json", none.as_bytes()), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_beginning_tells_no_other_keys(cut in 0..JSON.len()) {
            let whole = keys(JSON.as_bytes().strip_prefix(b"\xef\xbb\xbf").unwrap()).unwrap();
            if let Some(document) = Document::of("x", &JSON.as_bytes()[..cut]) {
                prop_assert!(document.keys.is_subset(&whole));
            }
        }
    }
}
