//! The statement that reads one page of a table.

use crate::key::{Key, KeyValue, Shared};
use crate::sql::{Sql, quoted};

/// What the pages of one scan have in common.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    /// What is asked for, each as it stands in the statement.
    pub(crate) items: Vec<String>,
    /// The table or query, as it stands after FROM.
    pub(crate) from: String,
    /// What must hold for every row.
    pub(crate) conditions: Vec<Sql>,
    /// What must hold for the first row, and then holds for all others.
    pub(crate) beginning: Vec<Sql>,
    pub(crate) key: Option<Key>,
    /// Whether an order was asked for, which only the key's index gives.
    pub(crate) ordered: bool,
}

impl Pages {
    /// Where, behind the items, stands whether a row has the key that the last page ended with.
    pub(crate) fn again(&self, after: Option<&[KeyValue]>) -> Option<usize> {
        let key = self.key.as_ref().filter(|_| after.is_some())?;
        (key.shared == Shared::Unseen).then_some(self.items.len().max(1))
    }

    /// The rows after these values of the key, at most so many.
    pub(crate) fn statement(&self, after: Option<&[KeyValue]>, limit: Option<u64>) -> Sql {
        // The comment tells an administrator who is asking.
        let mut sql = Sql::of("SELECT /* chatferry */ ");
        match self.items.as_slice() {
            [] => sql.push("1"),
            items => sql.push(&items.join(", ")),
        }
        let behind = self.key.as_ref().zip(after);
        if let Some((key, after)) = behind.filter(|(key, _)| key.shared == Shared::Unseen) {
            sql.push(", ");
            sql.append(&key.equals(after));
        }
        sql.push(" FROM ");
        sql.push(&self.from);
        // With conditions of its own, the server may know a shorter way to the rows of a page.
        if let Some(index) = self.key.as_ref().and_then(|key| key.index.as_ref())
            && (self.ordered || (self.conditions.is_empty() && self.beginning.is_empty()))
        {
            sql.push(&format!(" FORCE INDEX ({})", quoted(index)));
        }
        let beginning = self.beginning.iter().filter(|_| behind.is_none());
        let behind = behind.map(|(key, after)| key.after(after));
        let conditions = self.conditions.iter().chain(beginning).chain(&behind);
        for (place, condition) in conditions.enumerate() {
            sql.push(if place == 0 { " WHERE " } else { " AND " });
            sql.append(condition);
        }
        if let Some(key) = &self.key {
            sql.push(&format!(" ORDER BY {}", key.columns_sql()));
        }
        if let Some(limit) = limit {
            sql.push(" LIMIT ");
            sql.whole(limit.into());
        }
        sql
    }
}
