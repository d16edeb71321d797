//! What a person may write for a `postgres` source.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use chatferry_config::{Node, Section, Setting, Shape};
use chatferry_core::{Mistake, Secret};

/// Connections that are open at once, unless the settings say otherwise: two scans that are
/// merged, each with a statement of its own.
const CONNECTIONS: u32 = 2;
/// How long one statement may take, unless the settings say otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a lost connection is tried to be made again, unless the settings say otherwise: a
/// server needs a minute or two to restart.
const RECONNECT: Duration = Duration::from_secs(120);
/// What `tls` takes, as libpq's `sslmode`.
const TLS: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// The settings of one `postgres` source.
#[derive(Clone, Debug)]
pub(crate) struct PostgresSettings {
    pub(crate) server: Server,
    pub(crate) tls: Option<&'static str>,
    /// A file of certificates that the server's is checked against.
    pub(crate) ca: Option<PathBuf>,
    /// The schemas to offer; the one that names without a schema refer to, if none is named.
    pub(crate) schemas: Vec<String>,
    pub(crate) tables: Tables,
    pub(crate) connections: u32,
    pub(crate) statement_timeout: Duration,
    /// How long a lost connection is tried to be made again.
    pub(crate) reconnect: Duration,
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
        database: Option<String>,
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
    /// All of its schemas.
    All,
    /// Those of these names.
    Named(Vec<String>),
    /// All of its schemas, and these as they are set.
    Set(BTreeMap<String, TableSettings>),
}

/// What is set of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableSettings {
    /// The relation it stands for, if it is called otherwise.
    pub(crate) table: Option<String>,
    /// The query it stands for.
    pub(crate) query: Option<String>,
    /// The columns its pages are cut by.
    pub(crate) key: Option<Vec<String>>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn chatferry_core::SourceSettings>> {
    let server = server(section);
    let tls = section.get("tls").map(|node| node.choice(&TLS));
    let ca = section.text("ca").map(|ca| section.resolve(&ca));
    let schemas = section.texts("schemas").unwrap_or_default();
    let tables = section.get("tables").map(|node| tables(&node));
    let connections = section.count("connections");
    let statement_timeout = section.duration("statement_timeout");
    let reconnect = section.duration("reconnect");
    Some(Box::new(PostgresSettings {
        server: server?,
        tls: match tls {
            Some(tls) => Some(tls?.value),
            None => None,
        },
        ca,
        schemas: schemas.into_iter().map(|schema| schema.value).collect(),
        tables: tables.unwrap_or(Some(Tables::All))?,
        connections: connections.map_or(CONNECTIONS, |count| within(count.value)),
        statement_timeout: statement_timeout.map_or(STATEMENT_TIMEOUT, |setting| setting.value),
        reconnect: reconnect.map_or(RECONNECT, |setting| setting.value),
    }))
}

/// As many as asked for; a source needs no more than a hundred.
fn within(count: NonZeroU64) -> u32 {
    u32::try_from(count.get()).unwrap_or(u32::MAX).min(100)
}

/// Reads `url`, or the parts of one.
fn server(section: &mut Section<'_>) -> Option<Server> {
    let url = section.get("url");
    let host = section.get("host");
    let port = section.count("port");
    let user = section.text("user");
    let password = section.secret("password");
    let database = section.text("database");
    match (url, host) {
        (Some(url), None) => Some(Server::Url(url.secret()?.value)),
        (None, Some(host)) => Some(Server::Parts {
            host: host.text()?.value,
            port: match port {
                Some(port) => Some(port_number(section, &port)?),
                None => None,
            },
            user: user.map(|user| user.value),
            password: password.map(|password| password.value),
            database: database.map(|database| database.value),
        }),
        (Some(_), Some(host)) => {
            let mistake = Mistake::error(
                "postgres::url-and-host",
                "`url` says which host already",
                host.name_at().or(host.at()),
            );
            let mistake = mistake.label("either this, or `url`");
            section.mistake(mistake.help("leave out `url`, or the parts of it"));
            None
        }
        (None, None) => {
            section.required("url", "such as \"postgres://user:password@host/database\"");
            None
        }
    }
}

fn port_number(section: &mut Section<'_>, port: &Setting<NonZeroU64>) -> Option<u16> {
    let number = u16::try_from(port.value.get()).ok();
    if number.is_none() {
        let message = "a port is a number from 1 to 65535";
        section.mistake(Mistake::error("postgres::port", message, port.at.clone()));
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
    let key = section.texts("key");
    if let (Some(_), Some(query)) = (&table, &query) {
        let mistake = Mistake::error(
            "postgres::table-and-query",
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
    Some(TableSettings {
        table: table.map(|table| table.value),
        query,
        key: key.map(|key| key.into_iter().map(|column| column.value).collect()),
    })
}
