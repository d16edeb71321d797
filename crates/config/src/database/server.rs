//! A database server: where it is, who asks, and how patiently.

use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use chatferry_core::{Mistake, Secret};
use url::Url;

use crate::node::{Node, Setting};
use crate::section::Section;
use crate::suggest::quoted;

/// Connections that are open at once, unless the settings say otherwise: two scans that are
/// merged, each with a statement of its own.
const CONNECTIONS: usize = 2;
/// More connections than any source needs.
const MOST_CONNECTIONS: usize = 100;
/// How long one statement may take, unless the settings say otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a lost connection is tried to be made again, unless the settings say otherwise: a
/// server needs a minute or two to restart.
const RECONNECT: Duration = Duration::from_secs(120);
/// What `tls` takes, as libpq's `sslmode`.
const TLS: [(&str, Tls); 5] = [
    ("disable", Tls::Disable),
    ("prefer", Tls::Prefer),
    ("require", Tls::Require),
    ("verify-ca", Tls::VerifyCa),
    ("verify-full", Tls::VerifyFull),
];

/// A database server, as a person describes it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it is, and who asks.
    pub address: Address,
    /// Whether the connection is encrypted, if that is said apart from the URL.
    pub tls: Option<Tls>,
    /// A file of certificates that the server's is checked against.
    pub ca: Option<PathBuf>,
    /// How many connections are open at once.
    pub connections: usize,
    /// How long one statement may take: some time.
    pub statement_timeout: Duration,
    /// How long a lost connection is tried to be made again.
    pub reconnect: Duration,
    /// Whether a run is to read everything as it was at one moment.
    pub snapshot: bool,
}

/// Which database, and who asks.
#[derive(Clone)]
pub enum Address {
    /// All in one.
    Url(Secret),
    /// One by one.
    Parts {
        /// The server's name, or the folder of its socket.
        host: String,
        /// Its port.
        port: Option<u16>,
        /// Who asks.
        user: Option<String>,
        /// The password of who asks.
        password: Option<Secret>,
        /// The database.
        database: Option<String>,
    },
}

/// Where it is, by which one database is told from another, and never who asks.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(Secret::Value(url)) => match Url::parse(url) {
                Ok(url) => {
                    let (host, port) = (url.host_str().unwrap_or_default(), url.port());
                    write!(f, "Url({host}, {port:?}, {})", url.path())
                }
                Err(_) => f.write_str("Url(***)"),
            },
            Self::Url(Secret::File(path)) => write!(f, "Url(in {})", path.display()),
            Self::Parts {
                host,
                port,
                database,
                ..
            } => write!(f, "Parts({host}, {port:?}, {database:?})"),
        }
    }
}

/// Whether a connection is encrypted, and what is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not encrypted.
    Disable,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted.
    Require,
    /// Encrypted, with a certificate that somebody trusted has signed.
    VerifyCa,
    /// The same, and the certificate is for this host.
    VerifyFull,
}

/// What differs between kinds of servers.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What a URL looks like.
    pub url: &'static str,
    /// What is wrong with a URL, in words that give nothing of it away.
    pub check: fn(&str) -> Result<(), &'static str>,
    /// Whether there is no database to fall back to when none is named.
    pub needs_database: bool,
}

impl Server {
    /// Reads `url` or `host`, `port`, `user`, `password` and `database`; `tls`, `ca`,
    /// `connections`, `statement_timeout`, `reconnect` and `snapshot`.
    pub fn read(section: &mut Section<'_>, kind: &Kind) -> Option<Self> {
        let address = Address::read(section, kind);
        let tls = section.get("tls").map(|node| tls(&node));
        let ca = section.text("ca").map(|ca| section.resolve(&ca));
        let connections = section.count("connections");
        let statement_timeout = section.get("statement_timeout");
        let statement_timeout = statement_timeout.map(|node| some_time(&node));
        let reconnect = section.duration("reconnect");
        let snapshot = section.flag("snapshot");
        Some(Self {
            address: address?,
            tls: match tls {
                Some(tls) => Some(tls?),
                None => None,
            },
            ca,
            connections: connections.map_or(CONNECTIONS, |count| within(count.value)),
            statement_timeout: statement_timeout.unwrap_or(Some(STATEMENT_TIMEOUT))?,
            reconnect: reconnect.map_or(RECONNECT, |setting| setting.value),
            snapshot: snapshot.is_some_and(|setting| setting.value),
        })
    }
}

impl Address {
    fn read(section: &mut Section<'_>, kind: &Kind) -> Option<Self> {
        let url = section.get("url");
        let host = section.get("host");
        let port = section.get("port").map(|node| port(&node));
        let user = section.text("user");
        let password = section.secret("password");
        let database = section.text("database");
        match (url, host) {
            (Some(url), None) => Some(Self::Url(secret_url(&url, kind)?)),
            (None, Some(host)) => {
                if kind.needs_database && database.is_none() {
                    section.missing("database", "the database whose tables are read");
                    return None;
                }
                Some(Self::Parts {
                    host: host.text()?.value,
                    port: match port {
                        Some(port) => Some(port?),
                        None => None,
                    },
                    user: user.map(|user| user.value),
                    password: password.map(|password| password.value),
                    database: database.map(|database| database.value),
                })
            }
            (Some(_), Some(host)) => {
                let mistake = Mistake::error(
                    "database::url-and-host",
                    "`url` says which host already",
                    host.name_at().or(host.at()),
                );
                let mistake = mistake.label("either this, or `url`");
                section.mistake(mistake.help("leave out `url`, or the parts of it"));
                None
            }
            (None, None) => {
                let about = format!("where the database is, such as \"{}\"", kind.url);
                section.missing("url", &about);
                None
            }
        }
    }
}

/// A URL that is one. What a file holds is looked at when the source is opened.
fn secret_url(node: &Node<'_>, kind: &Kind) -> Option<Secret> {
    let Setting { value, at } = node.secret()?;
    if let Secret::Value(text) = &value
        && let Err(wrong) = (kind.check)(text)
    {
        let message = format!("{} is no URL of a database", quoted("url"));
        let help = format!("it looks like \"{}\"", kind.url);
        node.mistake(
            Mistake::error("database::url", message, at)
                .label(wrong)
                .help(help),
        );
        return None;
    }
    Some(value)
}

fn port(node: &Node<'_>) -> Option<u16> {
    let port = node.count()?;
    let number = u16::try_from(port.value.get()).ok();
    if number.is_none() {
        let message = "a port is a number from 1 to 65535";
        let mistake = Mistake::error("database::port", message, port.at);
        node.mistake(mistake.help("leave it out for the server's usual one"));
    }
    number
}

fn tls(node: &Node<'_>) -> Option<Tls> {
    let chosen = node.choice(&TLS.map(|(name, _)| name))?;
    TLS.into_iter()
        .find_map(|(name, tls)| (name == chosen.value).then_some(tls))
}

/// As many as asked for, within reason.
fn within(count: NonZeroU64) -> usize {
    usize::try_from(count.get()).map_or(MOST_CONNECTIONS, |count| count.min(MOST_CONNECTIONS))
}

/// A duration that is not nothing, which servers understand as without end.
#[must_use]
pub fn some_time(node: &Node<'_>) -> Option<Duration> {
    let time = node.duration()?;
    if time.value.is_zero() {
        let message = "a statement takes some time";
        let mistake = Mistake::error("database::no-time", message, time.at);
        node.mistake(mistake.help("write such as \"5 min\", or leave it out"));
        return None;
    }
    Some(time.value)
}
