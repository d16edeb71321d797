//! What a person may write for an `adbc` source.

use std::path::PathBuf;

use chatferry_config::Section;
use chatferry_config::suggest::quoted;
use chatferry_core::{Mistake, Secret, SourceSettings};

/// Endings of the names of libraries.
const LIBRARIES: [&str; 3] = [".so", ".dylib", ".dll"];

/// The settings of one `adbc` source.
#[derive(Clone, Debug)]
pub(crate) struct AdbcSettings {
    pub(crate) driver: Driver,
    /// The function that a driver begins with, where it has another name than its library says.
    pub(crate) entrypoint: Option<String>,
    /// What the driver is told of the database, by the driver's own names.
    pub(crate) options: Vec<(String, Secret)>,
    /// The schema whose tables are offered; all of them, if there is none.
    pub(crate) schema: Option<String>,
    /// What stands around names in the SQL of the database.
    pub(crate) quote: char,
    /// The tables, each with its query; those that the driver knows of, if there are none.
    pub(crate) tables: Option<Vec<(String, String)>>,
}

/// Where a driver is.
#[derive(Clone, Debug)]
pub(crate) enum Driver {
    /// In this file.
    File(PathBuf),
    /// Where drivers are looked for, under this name.
    Name(String),
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let about = "the driver's library, or the name that it is installed under";
    let driver = section.required_text("driver", about);
    let entrypoint = section.get("entrypoint").map(|node| node.text());
    let options = section.get("options").map(|node| {
        let mut section = node.section()?;
        let option = |(name, _, node): (&str, _, chatferry_config::Node<'_>)| {
            Some((name.to_owned(), node.secret()?.value))
        };
        let options: Vec<Option<_>> = section.entries().into_iter().map(option).collect();
        options.into_iter().collect::<Option<Vec<_>>>()
    });
    let schema = section.get("schema").map(|node| node.text());
    let quote = section.get("quote").map(|node| node.choice(&["\"", "`"]));
    let tables = section.get("tables").map(|node| {
        let mut section = node.section()?;
        let tables: Vec<Option<_>> = section.entries().into_iter().map(query).collect();
        tables.into_iter().collect::<Option<Vec<_>>>()
    });
    let driver = driver?.value;
    let is_file =
        driver.contains(['/', '\\']) || LIBRARIES.iter().any(|ending| driver.ends_with(ending));
    Some(Box::new(AdbcSettings {
        driver: match is_file {
            true => Driver::File(section.resolve(&driver)),
            false => Driver::Name(driver),
        },
        entrypoint: said(entrypoint)?.map(|setting| setting.value),
        options: said(options)?.unwrap_or_default(),
        schema: said(schema)?.map(|setting| setting.value),
        quote: match said(quote)? {
            Some(quote) if quote.value == "`" => '`',
            _ => '"',
        },
        tables: said(tables)?,
    }))
}

/// What was said, if anything was; `None` when that cannot be used.
fn said<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(read) => read.map(Some),
        None => Some(None),
    }
}

/// A table's name and its query.
fn query(
    (name, _, node): (
        &str,
        Option<chatferry_core::Span>,
        chatferry_config::Node<'_>,
    ),
) -> Option<(String, String)> {
    let query = node.text()?;
    let sql = query.value.trim().trim_end_matches(';').trim_end();
    if sql.is_empty() {
        let message = format!("the table {} has an empty query", quoted(name));
        node.mistake(
            Mistake::error("adbc::query", message, query.at)
                .help("write a SELECT in the SQL of the database"),
        );
        return None;
    }
    Some((name.to_owned(), sql.to_owned()))
}
