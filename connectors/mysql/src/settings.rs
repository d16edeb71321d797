//! What a person may write for a `mysql` source.

use chatferry_config::Section;
use chatferry_config::database::{Kind, Server, Tables};
use chatferry_core::SourceSettings;
use url::Url;

const SERVER: Kind = Kind {
    url: "mysql://user:password@host/database",
    check: |url| parse(url).map(drop),
    needs_database: true,
};

/// The settings of one `mysql` source.
#[derive(Clone, Debug)]
pub(crate) struct MySqlSettings {
    pub(crate) server: Server,
    pub(crate) tables: Tables,
    pub(crate) reading: Reading,
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
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let server = Server::read(section, &SERVER);
    let tables = section.get("tables").map(|node| Tables::read(&node));
    let zero_dates = section.choice("zero_dates", &["reject", "null"]);
    let tinyint1 = section.choice("tinyint1", &["integer", "boolean"]);
    Some(Box::new(MySqlSettings {
        server: server?,
        tables: tables.unwrap_or(Some(Tables::All))?,
        reading: Reading {
            zero_dates_are_null: zero_dates.is_some_and(|choice| choice.value == "null"),
            tinyint1_is_boolean: tinyint1.is_some_and(|choice| choice.value == "boolean"),
        },
    }))
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
