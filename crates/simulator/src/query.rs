//! What stands behind the question mark of an address.

use std::str::FromStr;

use http::Uri;

use crate::failure::Failure;

/// Names and values, as often as they were given.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        });
        Self(pairs.collect())
    }

    /// The last value of that name that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let of = |(known, value): &&(String, String)| known == name && !value.is_empty();
        self.0
            .iter()
            .rev()
            .find(of)
            .map(|(_, value)| value.as_str())
    }

    /// Whether that name has a value that means yes.
    pub(crate) fn says(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    /// The values of that name: given several times, or with commas between them.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let of = |(known, _): &&(String, String)| known.trim_end_matches("[]") == name;
        let values = self.0.iter().filter(of);
        let values = values.flat_map(|(_, value)| value.split(','));
        values.filter(|value| !value.is_empty()).collect()
    }

    /// A number, if it is given.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                let advice = format!("The {name} must be an integer.");
                Err(Failure::at(name.to_owned(), advice))
            }
        }
    }

    /// How many entries a list may have: from 1 to 1000.
    pub(crate) fn most(&self, name: &str, unless_given: usize) -> Result<usize, Failure> {
        match self.number(name)?.unwrap_or(unless_given) {
            most @ 1..=1_000 => Ok(most),
            _ => {
                let advice = format!("The {name} must be between 1 and 1000.");
                Err(Failure::at(name.to_owned(), advice))
            }
        }
    }
}

/// A text without its escapes of percent signs.
pub(crate) fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| high * 16 + low)
            }
            _ => None,
        };
        match escaped.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Query, plain};

    fn query(text: &str) -> Query {
        Query::of(&format!("/users?{text}").parse().expect("an address"))
    }

    #[test]
    fn values_are_read_as_they_are_meant() {
        let query = query("perPage=20&page=&categories=message,custom&types[]=a&types[]=b&x=1");
        assert_eq!(query.most("perPage", 100).unwrap(), 20);
        assert_eq!(query.number::<u64>("page").unwrap(), None);
        assert_eq!(query.all("categories"), ["message", "custom"]);
        assert_eq!(query.all("types"), ["a", "b"]);
        assert!(query.says("x") && !query.says("y"));
        assert!(query.number::<u64>("categories").is_err());
        assert_eq!(plain("a%2Fb+c%e4%zz%"), "a/b c\u{fffd}%zz%");
    }

    #[test]
    fn a_list_has_from_one_to_a_thousand_entries() {
        for (text, taken) in [("1", true), ("1000", true), ("0", false), ("1001", false)] {
            let query = query(&format!("perPage={text}"));
            assert_eq!(query.most("perPage", 100).is_ok(), taken, "{text}");
        }
    }
}
