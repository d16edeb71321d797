//! What a person may write for a `postgres` source.

use chatferry_config::Section;
use chatferry_config::database::{Kind, Server, Tables};
use chatferry_core::SourceSettings;
use url::Url;

const SERVER: Kind = Kind {
    url: "postgres://user:password@host/database",
    check,
    needs_database: false,
};

/// The settings of one `postgres` source.
#[derive(Clone, Debug)]
pub(crate) struct PostgresSettings {
    pub(crate) server: Server,
    /// The schemas to offer; the one that names without a schema refer to, if none is named.
    pub(crate) schemas: Vec<String>,
    pub(crate) tables: Tables,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let server = Server::read(section, &SERVER);
    let schemas = section.texts("schemas").unwrap_or_default();
    let tables = section.get("tables").map(|node| Tables::read(&node));
    Some(Box::new(PostgresSettings {
        server: server?,
        schemas: schemas.into_iter().map(|schema| schema.value).collect(),
        tables: tables.unwrap_or(Some(Tables::All))?,
    }))
}

/// What is wrong with a URL, in words that give nothing of it away.
pub(crate) fn check(url: &str) -> Result<(), &'static str> {
    let url = Url::parse(url).map_err(|_| "this is no URL at all")?;
    match url.scheme() {
        "postgres" | "postgresql" => Ok(()),
        _ => Err("it does not begin with `postgres://`"),
    }
}
