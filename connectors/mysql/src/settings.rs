//! What a person may write for a `mysql` source.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Setting, Shape};
use chatferry_core::{Mistake, Secret};
use url::Url;

/// Connections that are open at once, unless the settings say otherwise: two scans that are
/// merged, each with a statement of its own.
const CONNECTIONS: usize = 2;
/// How long one statement may take, unless the settings say otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a server that went away is waited for: longer than it takes to start again.
const RECONNECT: Duration = Duration::from_secs(120);
/// What `tls` takes.
const TLS: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];
/// What `url` takes.
const URL: &str = "\"mysql://user:password@host/database\"";

/// The settings of one `mysql` source.
#[derive(Clone, Debug)]
pub(crate) struct MySqlSettings {
    pub(crate) server: Server,
    pub(crate) tls: Option<&'static str>,
    /// A file of certificates that the server's is checked against.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) tables: Tables,
    pub(crate) connections: usize,
    pub(crate) statement_timeout: Duration,
    pub(crate) reconnect: Duration,
    pub(crate) reading: Reading,
}

/// Which server, and who asks.
#[derive(Clone)]
pub(crate) enum Server {
    Url(Secret),
    Parts {
        host: String,
        port: Option<u16>,
        user: Option<String>,
        password: Option<Secret>,
        database: String,
    },
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url(***)"),
            Self::Parts { host, .. } => write!(f, "Parts({host})"),
        }
    }
}

/// Which tables a source offers.
#[derive(Clone, Debug)]
pub(crate) enum Tables {
    /// All of its database.
    All,
    /// Those of these names.
    Named(Vec<String>),
    /// All of its database, and these as they are set.
    Set(BTreeMap<String, TableSettings>),
}

/// What is set of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableSettings {
    /// The table it stands for, if it is called otherwise.
    pub(crate) table: Option<String>,
    /// The query it stands for.
    pub(crate) query: Option<String>,
    /// The columns its pages are cut by.
    pub(crate) key: Option<Vec<String>>,
}

/// How values are read that can be understood in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Dates that are no day of the calendar are null, where otherwise their rows are rejected.
    pub(crate) zero_dates_are_null: bool,
    /// `tinyint(1)` is true or false, where otherwise it is a number.
    pub(crate) tinyint1_is_boolean: bool,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn chatferry_core::SourceSettings>> {
    let server = server(section);
    let tls = section.get("tls").map(|node| node.choice(&TLS));
    let ca = section.text("ca").map(|ca| section.resolve(&ca));
    let tables = section.get("tables").map(|node| tables(&node));
    let connections = section.count("connections");
    let statement_timeout = section.get("statement_timeout");
    let statement_timeout = statement_timeout.map(|node| some_time(&node));
    let reconnect = section.duration("reconnect");
    let zero_dates = section.choice("zero_dates", &["reject", "null"]);
    let tinyint1 = section.choice("tinyint1", &["integer", "boolean"]);
    Some(Box::new(MySqlSettings {
        server: server?,
        tls: match tls {
            Some(tls) => Some(tls?.value),
            None => None,
        },
        ca,
        tables: tables.unwrap_or(Some(Tables::All))?,
        connections: connections.map_or(CONNECTIONS, |count| within(count.value)),
        statement_timeout: statement_timeout.unwrap_or(Some(STATEMENT_TIMEOUT))?,
        reconnect: reconnect.map_or(RECONNECT, |setting| setting.value),
        reading: Reading {
            zero_dates_are_null: zero_dates.is_some_and(|choice| choice.value == "null"),
            tinyint1_is_boolean: tinyint1.is_some_and(|choice| choice.value == "boolean"),
        },
    }))
}

/// As many as asked for; a source needs no more than a hundred.
fn within(count: NonZeroU64) -> usize {
    usize::try_from(count.get()).unwrap_or(usize::MAX).min(100)
}

/// Reads `url`, or the parts of one.
fn server(section: &mut Section<'_>) -> Option<Server> {
    let url = section.get("url");
    let host = section.get("host");
    let port = section.get("port").map(|node| port(&node));
    let user = section.text("user");
    let password = section.secret("password");
    let database = section.text("database");
    match (url, host) {
        (Some(url), None) => Some(Server::Url(secret_url(&url)?)),
        (None, Some(host)) => {
            if database.is_none() {
                section.missing("database", "the database whose tables are read");
            }
            Some(Server::Parts {
                host: host.text()?.value,
                port: match port {
                    Some(port) => Some(port?),
                    None => None,
                },
                user: user.map(|user| user.value),
                password: password.map(|password| password.value),
                database: database?.value,
            })
        }
        (Some(_), Some(host)) => {
            let mistake = Mistake::error(
                "mysql::url-and-host",
                "`url` says which host already",
                host.name_at().or(host.at()),
            );
            let mistake = mistake.label("either this, or `url`");
            section.mistake(mistake.help("leave out `url`, or the parts of it"));
            None
        }
        (None, None) => {
            section.missing("url", &format!("where the database is, such as {URL}"));
            None
        }
    }
}

/// A URL that is one. What a file holds is looked at when the source is opened.
fn secret_url(node: &Node<'_>) -> Option<Secret> {
    let Setting { value, at } = node.secret()?;
    if let Secret::Value(text) = &value
        && let Err(wrong) = parse(text)
    {
        let mistake = Mistake::error(
            "mysql::url",
            format!("{} is no URL of a database", quoted("url")),
            at,
        );
        node.mistake(mistake.label(wrong).help(format!("it looks like {URL}")));
        return None;
    }
    Some(value)
}

/// The URL, or what is wrong with it, in words that give nothing of it away.
pub(crate) fn parse(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "this is no URL at all")?;
    if !["mysql", "mariadb"].contains(&url.scheme()) {
        return Err("it does not begin with `mysql://`");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host");
    }
    if url.path().trim_matches('/').is_empty() {
        return Err("it names no database");
    }
    Ok(url)
}

/// A duration that is not nothing, which servers understand as without end.
fn some_time(node: &Node<'_>) -> Option<Duration> {
    let time = node.duration()?;
    if time.value.is_zero() {
        let message = "a page takes some time";
        node.mistake(Mistake::error("mysql::no-time", message, time.at));
        return None;
    }
    Some(time.value)
}

fn port(node: &Node<'_>) -> Option<u16> {
    let port = node.count()?;
    let number = u16::try_from(port.value.get()).ok();
    if number.is_none() {
        let message = "a port is a number from 1 to 65535";
        node.mistake(Mistake::error("mysql::port", message, port.at));
    }
    number
}

/// Reads `tables`: a list of names, or a table of settings.
fn tables(node: &Node<'_>) -> Option<Tables> {
    if node.kind() != Shape::Table {
        let names = node.texts()?;
        return Some(Tables::Named(
            names.into_iter().map(|name| name.value).collect(),
        ));
    }
    let mut section = node.section()?;
    let read = |(name, _, node): (&str, _, Node<'_>)| Some((name.to_owned(), table(&node)?));
    let tables: Vec<Option<_>> = section.entries().into_iter().map(read).collect();
    Some(Tables::Set(tables.into_iter().collect::<Option<_>>()?))
}

fn table(node: &Node<'_>) -> Option<TableSettings> {
    let mut section = node.section()?;
    let table = section.text("table");
    let query = section.get("query");
    let key = section.get("key");
    if let (Some(_), Some(query)) = (&table, &query) {
        let mistake = Mistake::error(
            "mysql::table-and-query",
            "a table is one of the database's or a query, not both",
            query.name_at().or(query.at()),
        );
        section.mistake(mistake.label("either this, or `table`"));
        return None;
    }
    let query = match query {
        Some(query) => Some(query.text()?.value),
        None => None,
    };
    let key = match key {
        Some(key) => {
            let columns = key.texts()?;
            if columns.is_empty() {
                let mistake = Mistake::error("mysql::key", "a key has no columns", key.at());
                key.mistake(mistake.help("name those that tell rows apart, or leave it out"));
                return None;
            }
            Some(columns.into_iter().map(|column| column.value).collect())
        }
        None => None,
    };
    Some(TableSettings {
        table: table.map(|table| table.value),
        // A semicolon would end the statement that it becomes a part of.
        query: query.map(|query| query.trim_end_matches([';', ' ', '\n']).to_owned()),
        key,
    })
}
