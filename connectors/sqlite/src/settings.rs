//! What a person may write for a `sqlite` source.

use std::path::PathBuf;
use std::time::Duration;

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Shape};
use chatferry_core::{Mistake, SourceSettings};

/// How long a locked database is waited for, unless the settings say otherwise.
///
/// An application's own writes take milliseconds; a `VACUUM` of a large file takes longer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that SQLite can be told to wait, in whole days.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 24 * 60 * 60);
/// What `key` takes.
const KEY: &str = "name the columns that tell its rows apart, such as `key = [\"id\"]`";

/// The settings of one `sqlite` source.
#[derive(Clone, Debug)]
pub(crate) struct SqliteSettings {
    pub(crate) path: PathBuf,
    /// The same as it was written.
    pub(crate) written: String,
    /// How long a locked database is waited for.
    pub(crate) busy_timeout: Duration,
    /// The tables offered; every table and view of the database when there is no such list.
    pub(crate) only: Option<Vec<String>>,
    /// Tables that more is said of.
    pub(crate) tables: Vec<(String, TableSettings)>,
}

/// What is said of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableSettings {
    /// The table or view that it stands for, when that is called otherwise.
    pub(crate) table: Option<String>,
    /// The query that the table is, when it is none of the database's own.
    pub(crate) query: Option<String>,
    /// The columns that tell its rows apart.
    pub(crate) key: Vec<String>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let path = section.required_text("path", "the database file");
    let busy_timeout = section.get("busy_timeout").map(|node| busy_timeout(&node));
    let tables = section.get("tables").map(|node| tables(&node));
    let path = path?;
    let (only, tables) = match tables {
        Some(tables) => tables?,
        None => (None, Vec::new()),
    };
    Some(Box::new(SqliteSettings {
        path: section.resolve(&path.value),
        written: path.value,
        busy_timeout: match busy_timeout {
            Some(timeout) => timeout?,
            None => BUSY_TIMEOUT,
        },
        only,
        tables,
    }))
}

fn busy_timeout(node: &Node<'_>) -> Option<Duration> {
    let timeout = node.duration()?;
    if timeout.value > LONGEST_TIMEOUT {
        let message = "`busy_timeout` may be at most 24 days";
        node.mistake(Mistake::error("sqlite::busy-timeout", message, timeout.at));
        return None;
    }
    Some(timeout.value)
}

type Tables = (Option<Vec<String>>, Vec<(String, TableSettings)>);

/// Reads `tables`: a list of those to offer, or what there is to say of some.
fn tables(node: &Node<'_>) -> Option<Tables> {
    match node.kind() {
        Shape::Table => {
            let read =
                |(name, _, node): (&str, _, Node<'_>)| Some((name.to_owned(), table(name, &node)?));
            let tables: Vec<Option<_>> = node.section()?.entries().into_iter().map(read).collect();
            Some((None, tables.into_iter().collect::<Option<_>>()?))
        }
        _ => {
            let names = node.texts()?;
            if names.is_empty() {
                let message = "`tables` names no table";
                node.mistake(
                    Mistake::error("sqlite::no-tables", message, node.at())
                        .help("name the tables to offer, or take it out to offer all"),
                );
                return None;
            }
            let names = names.into_iter().map(|name| name.value);
            Some((Some(names.collect()), Vec::new()))
        }
    }
}

fn table(name: &str, node: &Node<'_>) -> Option<TableSettings> {
    let mut section = node.section()?;
    let table = section.get("table").map(|node| node.text());
    let written = section.get("query");
    let query = written.as_ref().map(query);
    let key = section.get("key").map(|node| key(&node));
    let settings = TableSettings {
        table: transpose(table)?.map(|table| table.value),
        query: transpose(query)?,
        key: transpose(key)?.unwrap_or_default(),
    };
    let mistake = match (&settings.table, written) {
        (Some(_), Some(query)) => Mistake::error(
            "sqlite::table-and-query",
            "a table is one of the database's or a query, not both",
            query.name_at().or(query.at()),
        )
        .label("either this, or `table`"),
        (None, None) if settings.key.is_empty() => Mistake::error(
            "sqlite::nothing-said",
            format!("nothing is said of {}", quoted(name)),
            node.at(),
        )
        .label("neither `table`, `query` nor `key`")
        .help("take it out; to offer only some tables, write a list: `tables = [\"users\"]`"),
        _ => return Some(settings),
    };
    node.mistake(mistake);
    None
}

/// A query, without the semicolon that it may end with.
fn query(node: &Node<'_>) -> Option<String> {
    let query = node.text()?;
    let text = query.value.trim().trim_end_matches([';', ' ', '\n']);
    if text.is_empty() {
        let message = "the query is empty";
        node.mistake(
            Mistake::error("sqlite::empty-query", message, query.at).help("write a SELECT"),
        );
        return None;
    }
    Some(text.to_owned())
}

fn key(node: &Node<'_>) -> Option<Vec<String>> {
    let columns: Vec<String> = node.texts()?.into_iter().map(|name| name.value).collect();
    let mistake = |code, message: &str| {
        node.mistake(Mistake::error(code, message, node.at()).help(KEY));
        None
    };
    if columns.is_empty() || columns.iter().any(String::is_empty) {
        return mistake(
            "sqlite::empty-key",
            "a key has at least one column, with a name",
        );
    }
    let is_twice = |(place, name): (usize, &String)| columns[..place].contains(name);
    if columns.iter().enumerate().any(is_twice) {
        return mistake("sqlite::key-twice", "a column is in the key twice");
    }
    Some(columns)
}

/// Tells what is absent, which is fine, from what could not be read, which is not.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
