//! The statement that reads one page of a table.

use crate::key::Key;

/// What a table is called within a statement.
pub(crate) const SOURCE: &str = "source";

/// What the pages of one scan have in common.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    /// What is asked for, each as it stands in the statement.
    pub(crate) columns: Vec<String>,
    /// The relation or query, as it stands after FROM.
    pub(crate) from: String,
    /// What must hold for every row.
    pub(crate) conditions: Vec<String>,
    /// What must hold for the first row, and then holds for all others.
    pub(crate) beginning: Vec<String>,
    pub(crate) key: Option<Key>,
}

impl Pages {
    /// The rows after these values of the key, at most so many.
    pub(crate) fn statement(&self, after: Option<&str>, limit: Option<usize>) -> String {
        let mut conditions = self.conditions.clone();
        let mut end = String::new();
        if let Some(key) = &self.key {
            let columns = key.columns_sql();
            match after {
                Some(after) => {
                    let comparison = if key.unique { ">" } else { ">=" };
                    conditions.push(format!("({columns}) {comparison} ({after})"));
                }
                None => conditions.extend(self.beginning.iter().cloned()),
            }
            end = format!(" ORDER BY {columns}");
        }
        if let Some(limit) = limit {
            end.push_str(&format!(" LIMIT {limit}"));
        }
        format!(
            "COPY ({}{end}) TO STDOUT (FORMAT BINARY)",
            self.select(&conditions)
        )
    }

    fn select(&self, conditions: &[String]) -> String {
        let mut select = format!(
            "SELECT {} FROM {} AS {SOURCE}",
            self.columns.join(", "),
            self.from
        );
        for (place, condition) in conditions.iter().enumerate() {
            select.push_str(if place == 0 { " WHERE " } else { " AND " });
            select.push_str(condition);
        }
        select
    }
}

/// An identifier, quoted.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal that means the same whatever standard_conforming_strings says.
pub(crate) fn literal(text: &str) -> String {
    match text.contains('\\') {
        true => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
