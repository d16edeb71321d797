//! What a person may write for a `mongodb` source.

use std::fmt;
use std::time::Duration;

use chatferry_config::database::some_time;
use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Setting};
use chatferry_core::{Mistake, Secret, SourceSettings};
use mongodb::options::{ConnectionString, HostInfo};

use crate::tables::{TableOf, Tables};

/// How long one page may take, unless the settings say otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a lost connection is tried to be made again, unless the settings say otherwise: a
/// replica set needs seconds to choose another server, and a server a minute or two to restart.
const RECONNECT: Duration = Duration::from_secs(120);
/// What `url` looks like.
const URL: &str = "mongodb://user:password@host/database";

/// The settings of one `mongodb` source.
#[derive(Clone)]
pub(crate) struct MongoSettings {
    pub(crate) url: Secret,
    /// The database, if the URL does not say it.
    pub(crate) database: Option<String>,
    pub(crate) tables: Tables,
    /// How long one page may take: some time.
    pub(crate) statement_timeout: Duration,
    /// How long a lost connection is tried to be made again.
    pub(crate) reconnect: Duration,
}

/// Where it is, by which one database is told from another, and never who asks.
impl fmt::Debug for MongoSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.url {
            Secret::Value(url) => match ConnectionString::parse(url) {
                Ok(url) => place(&url, self.database.as_deref()),
                Err(_) => "***".to_owned(),
            },
            Secret::File(path) => format!("in {}", path.display()),
        };
        f.debug_struct("MongoSettings")
            .field("place", &place)
            .field("database", &self.database)
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

/// Where a database is, without secrets: `host:port/database`.
pub(crate) fn place(url: &ConnectionString, database: Option<&str>) -> String {
    let hosts = match &url.host_info {
        HostInfo::HostIdentifiers(hosts) => {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            hosts.join(",")
        }
        HostInfo::DnsRecord(name) => name.clone(),
        _ => String::new(),
    };
    let database = database.or(url.default_database.as_deref());
    format!("{hosts}/{}", database.unwrap_or_default())
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let url = section.required("url", &format!("where the database is, such as \"{URL}\""));
    let url = url.and_then(|node| Some((self::url(&node)?, node.at())));
    let database = section.get("database").map(|node| database(&node));
    let tables = section
        .get("tables")
        .map(|node| Tables::read_each(&node, |_, node| TableOf::read(node)));
    let statement_timeout = section.get("statement_timeout");
    let statement_timeout = statement_timeout.map(|node| some_time(&node));
    let reconnect = section.duration("reconnect");
    let (url, url_at) = url?;
    let database = match database {
        Some(database) => Some(database?),
        None => None,
    };
    if database.is_none() && !names_database(&url) {
        let message = "nothing says which database is read";
        let mistake = Mistake::error("mongodb::no-database", message, url_at);
        section.mistake(
            mistake
                .label("it names none")
                .help("add `database = \"…\"`, or write it behind the host: `mongodb://host/chat`"),
        );
        return None;
    }
    Some(Box::new(MongoSettings {
        url,
        database,
        tables: tables.unwrap_or(Some(Tables::All))?,
        statement_timeout: statement_timeout.unwrap_or(Some(STATEMENT_TIMEOUT))?,
        reconnect: reconnect.map_or(RECONNECT, |setting| setting.value),
    }))
}

/// A URL that is one. What a file holds is looked at when the source is opened.
fn url(node: &Node<'_>) -> Option<Secret> {
    let Setting { value, at } = node.secret()?;
    if let Secret::Value(text) = &value
        && let Err(wrong) = check(text)
    {
        let message = format!("{} is no URL of a database", quoted("url"));
        let mistake = Mistake::error("mongodb::url", message, at);
        node.mistake(
            mistake
                .label(wrong)
                .help(format!("it looks like \"{URL}\"")),
        );
        return None;
    }
    Some(value)
}

/// What is wrong with a URL, in words that give nothing of it away.
pub(crate) fn check(url: &str) -> Result<ConnectionString, &'static str> {
    if !["mongodb://", "mongodb+srv://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return Err("it does not begin with `mongodb://` or `mongodb+srv://`");
    }
    ConnectionString::parse(url).map_err(|_| {
        "the driver does not understand it; in user and password `@`, `:`, `/` and `%` are \
         written %40, %3A, %2F and %25"
    })
}

/// Whether a URL names a database. One that is in a file is not looked at yet.
fn names_database(url: &Secret) -> bool {
    match url {
        Secret::Value(url) => {
            check(url).is_ok_and(|url| url.default_database.is_some_and(|name| !name.is_empty()))
        }
        Secret::File(_) => true,
    }
}

fn database(node: &Node<'_>) -> Option<String> {
    let Setting { value, at } = node.text()?;
    if value.is_empty() || value.contains(['/', '\\', '.', ' ', '"', '$', '\0']) {
        let message = "this cannot be the name of a database";
        let mistake = Mistake::error("mongodb::database", message, at);
        node.mistake(mistake.help("a name has no `/`, `\\`, `.`, `\"`, `$` and no space"));
        return None;
    }
    Some(value)
}
