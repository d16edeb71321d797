//! What a person may write for a `mongodb` source.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Setting, Shape};
use chatferry_core::{Mistake, Secret, SourceSettings, Span};
use chatferry_records::{Kind, fields};
use mongodb::bson::Document;
use mongodb::options::{ConnectionString, HostInfo};

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

/// Which collections a source offers.
#[derive(Clone, Debug)]
pub(crate) enum Tables {
    /// All that there are.
    All,
    /// Those of these names.
    Named(Vec<String>),
    /// All that there are, and these as they are set.
    Set(BTreeMap<String, TableOf>),
}

/// What is set of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableOf {
    /// The collection it stands for, if it is called otherwise.
    pub(crate) collection: Option<String>,
    /// Which documents there are of it, in MongoDB's own words.
    pub(crate) filter: Option<Document>,
    /// The kinds of some columns, where they are not to be found out.
    pub(crate) schema: Vec<(String, Kind)>,
    /// All columns, where they are all given.
    pub(crate) columns: Option<Vec<(String, Kind)>>,
    /// Whether it is an empty table where there is no such collection.
    pub(crate) optional: bool,
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
    let tables = section.get("tables").map(|node| Tables::read(&node));
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

/// A duration that is not nothing, which servers understand as without end.
fn some_time(node: &Node<'_>) -> Option<Duration> {
    let time = node.duration()?;
    if time.value.is_zero() {
        let message = "a page takes some time";
        let mistake = Mistake::error("mongodb::no-time", message, time.at);
        node.mistake(mistake.help("write such as \"5 min\", or leave it out"));
        return None;
    }
    Some(time.value)
}

impl Tables {
    /// Reads `tables`: a list of collections, or a table of settings.
    fn read(node: &Node<'_>) -> Option<Self> {
        if node.kind() == Shape::Table {
            let read = |(name, _, node): (&str, Option<Span>, Node<'_>)| {
                Some((name.to_owned(), TableOf::read(&node)?))
            };
            let tables: Vec<Option<_>> = node.section()?.entries().into_iter().map(read).collect();
            return Some(Self::Set(tables.into_iter().collect::<Option<_>>()?));
        }
        let names = node.texts()?;
        if names.is_empty() {
            let message = "`tables` names no collection";
            let mistake = Mistake::error("mongodb::no-tables", message, node.at());
            node.mistake(mistake.help("name the collections to offer, or take it out for all"));
            return None;
        }
        Some(Self::Named(
            names.into_iter().map(|name| name.value).collect(),
        ))
    }
}

impl TableOf {
    /// Reads one of `tables`: a collection, or a table that may name one.
    fn read(node: &Node<'_>) -> Option<Self> {
        if node.kind() != Shape::Table {
            return Some(Self {
                collection: Some(node.text()?.value),
                ..Self::default()
            });
        }
        let mut section = node.section()?;
        let collection = section.text("collection");
        let filter = section.get("filter").map(|node| filter(&node));
        let schema = section.get("schema").map(|node| fields(&node));
        let columns = section.get("columns");
        let columns_at = columns.as_ref().and_then(Node::name_at);
        let columns = columns.map(|node| fields(&node));
        let optional = section.get("optional");
        let optional_at = optional.as_ref().and_then(Node::at);
        let optional = optional.map(|node| node.flag());
        let read = Self {
            collection: collection.map(|name| name.value),
            filter: transpose(filter)?,
            schema: transpose(schema)?.unwrap_or_default(),
            columns: transpose(columns)?,
            optional: transpose(optional)?.is_some_and(|set| set.value),
        };
        if read.columns.is_some() && !read.schema.is_empty() {
            let message = "`columns` are all columns, and `schema` names more";
            let mistake = Mistake::error("mongodb::columns", message, columns_at);
            section.mistake(mistake.label("either this, or `schema`").help(
                "with `schema` the other columns are found by reading the collection; with \
                 `columns` there are no others",
            ));
            return None;
        }
        if read.optional && read.columns.is_none() && read.schema.is_empty() {
            let message = "a table that is optional has to say its columns";
            let mistake = Mistake::error("mongodb::optional", message, optional_at);
            section.mistake(
                mistake
                    .label("neither `columns` nor `schema` beside this")
                    .help("when there is no such collection, nothing else tells its columns"),
            );
            return None;
        }
        Some(read)
    }
}

/// A condition as MongoDB's shell writes it, in JSON.
fn filter(node: &Node<'_>) -> Option<Document> {
    let written = node.text()?;
    let read = serde_json::from_str(&written.value);
    let mistake = match read {
        Ok(filter) => return Some(filter),
        Err(error) => Mistake::error("mongodb::filter", "`filter` is not JSON", written.at)
            .label(error.to_string())
            .help("write it as in `find`, with all keys in quotes: '{\"t\": {\"$ne\": \"rm\"}}'"),
    };
    node.mistake(mistake);
    None
}

/// Tells what is absent, which is fine, from what could not be read, which is not.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::{DateTime, Document, doc};

    #[test]
    fn a_filter_keeps_its_order_and_its_types() {
        let written = r#"{"z": {"$oid": "505050505050505050505050"}, "a": {"$gte":
            {"$date": "2021-06-12T07:50:55.143Z"}}, "n": {"$in": [1, 2.5, null, true]}}"#;
        let read: Document = serde_json::from_str(written).expect("a filter");
        let expected = doc! {
            "z": ObjectId::from_bytes([0x50; 12]),
            "a": {"$gte": DateTime::from_millis(1_623_484_255_143)},
            "n": {"$in": [1_i64, 2.5, null, true]},
        };
        // Numbers are equal to MongoDB whatever their width.
        assert_eq!(format!("{read}"), format!("{expected}"));
    }
}
