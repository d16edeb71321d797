//! Which tables a database offers, and how.

use std::collections::BTreeMap;

use chatferry_core::Mistake;

use crate::node::{Node, Shape};
use crate::suggest::quoted;

/// What `key` takes.
const KEY: &str = "name the columns that tell rows apart, such as \"id\" or [\"room\", \"id\"]";

/// Which tables a source offers, of each of which `T` may be set.
#[derive(Clone, Debug)]
pub enum Tables<T = TableSettings> {
    /// All that there are.
    All,
    /// Those of these names.
    Named(Vec<String>),
    /// All that there are, and these as they are set.
    Set(BTreeMap<String, T>),
}

/// What is set of one table.
#[derive(Clone, Debug, Default)]
pub struct TableSettings {
    /// The table it stands for, if it is called otherwise.
    pub table: Option<String>,
    /// The query it stands for, without a semicolon at its end.
    pub query: Option<String>,
    /// The columns its pages are cut by: at least one, each once.
    pub key: Option<Vec<String>>,
}

impl Tables {
    /// Reads `tables`: a list of names, or a table of settings.
    #[must_use]
    pub fn read(node: &Node<'_>) -> Option<Self> {
        Self::read_each(node, TableSettings::read)
    }
}

impl<T> Tables<T> {
    /// Reads `tables`: a list of names, or a table of what is set of each, which is read by `one`.
    pub fn read_each(node: &Node<'_>, one: impl Fn(&str, &Node<'_>) -> Option<T>) -> Option<Self> {
        if node.kind() == Shape::Table {
            let read =
                |(name, _, node): (&str, _, Node<'_>)| Some((name.to_owned(), one(name, &node)?));
            let tables: Vec<Option<_>> = node.section()?.entries().into_iter().map(read).collect();
            return Some(Self::Set(tables.into_iter().collect::<Option<_>>()?));
        }
        let names = node.texts()?;
        if names.is_empty() {
            let message = "`tables` names no table";
            let mistake = Mistake::error("database::no-tables", message, node.at());
            node.mistake(mistake.help("name the tables to offer, or take it out to offer all"));
            return None;
        }
        let names = names.into_iter().map(|name| name.value);
        Some(Self::Named(names.collect()))
    }
}

impl TableSettings {
    fn read(name: &str, node: &Node<'_>) -> Option<Self> {
        let mut section = node.section()?;
        let table = section.get("table");
        let written = section.get("query");
        let key = section.get("key");
        drop(section);
        let mistake = match (&table, &written, &key) {
            (Some(_), Some(query), _) => Mistake::error(
                "database::table-and-query",
                "a table is one of the database's or a query, not both",
                query.name_at().or(query.at()),
            )
            .label("either this, or `table`")
            .help("take one of them out"),
            (None, None, None) => Mistake::error(
                "database::nothing-said",
                format!("nothing is said of {}", quoted(name)),
                node.at(),
            )
            .label("neither `table`, `query` nor `key`")
            .help("take it out; to offer only some tables, write a list: `tables = [\"users\"]`"),
            _ => {
                let table = table.map(|table| table.text());
                let (query, key) = (written.as_ref().map(query), key.as_ref().map(columns));
                return Some(Self {
                    table: transpose(table)?.map(|table| table.value),
                    query: transpose(query)?,
                    key: transpose(key)?,
                });
            }
        };
        node.mistake(mistake);
        None
    }
}

/// A query, without the semicolon that it may end with: it becomes a part of a statement.
fn query(node: &Node<'_>) -> Option<String> {
    let query = node.text()?;
    let text = query.value.trim().trim_end_matches([';', ' ', '\n']);
    if text.is_empty() {
        let mistake = Mistake::error("database::empty-query", "the query is empty", query.at);
        node.mistake(mistake.help("write a SELECT in the database's own SQL"));
        return None;
    }
    Some(text.to_owned())
}

fn columns(node: &Node<'_>) -> Option<Vec<String>> {
    let columns: Vec<String> = node.texts()?.into_iter().map(|name| name.value).collect();
    let is_twice = |(place, name): (usize, &String)| columns[..place].contains(name);
    let (code, message) = if columns.is_empty() || columns.iter().any(String::is_empty) {
        let message = "a key has at least one column, with a name";
        ("database::empty-key", message)
    } else if columns.iter().enumerate().any(is_twice) {
        ("database::key-twice", "a column is in the key twice")
    } else {
        return Some(columns);
    };
    node.mistake(Mistake::error(code, message, node.at()).help(KEY));
    None
}

/// Tells what is absent, which is fine, from what could not be read, which is not.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
