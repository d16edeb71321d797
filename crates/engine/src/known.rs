//! By what a flow, read once more, knows what has come or changed since.
//!
//! That is the highest value of its `changed_since`, and the bookmark of a table that it reads.

use serde_json::{Map, Value, json};

/// What a flow knew when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The highest value of its `changed_since`.
    pub(crate) changed: Option<String>,
    /// The table that is read on, and from where.
    pub(crate) bookmark: Option<(String, String)>,
}

/// How texts begin that have more than a value; values begin with the name of their type.
const WITH_BOOKMARK: char = '{';

impl Known {
    /// Reads what [`text`](Self::text) wrote; `None` when it did not.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if !text.starts_with(WITH_BOOKMARK) {
            return Some(Self {
                changed: Some(text.to_owned()),
                bookmark: None,
            });
        }
        let known: Map<String, Value> = serde_json::from_str(text).ok()?;
        let text = |key| known.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            changed: text("changed"),
            bookmark: Some((text("table")?, text("bookmark")?)),
        })
    }

    /// As text; `None` when there is nothing to know.
    pub(crate) fn text(self) -> Option<String> {
        let Some((table, bookmark)) = self.bookmark else {
            return self.changed;
        };
        let mut known = json!({ "table": table, "bookmark": bookmark });
        if let Some(changed) = self.changed {
            known["changed"] = changed.into();
        }
        Some(known.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_read_as_it_was_written() {
        let bookmark = || Some(("a.b".to_owned(), "{\"x\":1}".to_owned()));
        for changed in [None, Some("Int64 5".to_owned())] {
            for bookmark in [None, bookmark()] {
                let known = Known {
                    changed: changed.clone(),
                    bookmark,
                };
                match known.clone().text() {
                    Some(text) => assert_eq!(Known::read(&text), Some(known)),
                    None => assert_eq!(known, Known::default()),
                }
            }
        }
        assert_eq!(Known::read("{"), None);
    }
}
