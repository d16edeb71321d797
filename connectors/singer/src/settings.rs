//! What a person may write for a `singer` source.

use std::path::PathBuf;

use chatferry_child::{Program, Surroundings};
use chatferry_config::{Node, Section, Shape};
use chatferry_core::SourceSettings;
use chatferry_records::{Kind, fields};

use crate::config::Config;

/// What `command` takes.
const COMMAND: &str = "the tap and its arguments, such as `[\"tap-csv\"]`";

/// The settings of one `singer` source.
#[derive(Clone, Debug)]
pub(crate) struct SingerSettings {
    pub(crate) tap: Program,
    pub(crate) config: Option<Config>,
    /// A file with the catalog, where the tap is not asked for it.
    pub(crate) catalog: Option<PathBuf>,
    /// The tables, where not each stream is one.
    pub(crate) tables: Option<Vec<TableOf>>,
}

/// A stream as a table.
#[derive(Clone, Debug)]
pub(crate) struct TableOf {
    pub(crate) name: String,
    pub(crate) stream: String,
    /// Types of columns that are not to be those of the stream.
    pub(crate) schema: Vec<(String, Kind)>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let command = section.required("command", COMMAND);
    let config = section.get("config");
    let catalog = section.text("catalog");
    let tables = section.section("tables");
    let surroundings = Surroundings::read(section);
    let tap = command.and_then(|command| surroundings.program(&command));
    let config = match config {
        Some(config) => Config::read(&config, |path| absolute(section, path)).map(Some),
        None => Some(None),
    };
    let tables = match tables {
        Some(mut tables) => {
            let read = |(name, _, node): (&str, _, Node<'_>)| table(name, &node);
            let tables: Vec<Option<_>> = tables.entries().into_iter().map(read).collect();
            tables.into_iter().collect::<Option<Vec<_>>>().map(Some)
        }
        None => Some(None),
    };
    Some(Box::new(SingerSettings {
        tap: tap?,
        config: config?,
        catalog: catalog.map(|path| absolute(section, &path)),
        tables: tables?,
    }))
}

/// A path that means the same wherever the tap runs.
fn absolute(section: &Section<'_>, path: &str) -> PathBuf {
    let path = section.resolve(path);
    std::path::absolute(&path).unwrap_or(path)
}

/// One of `tables`: the name of a stream, or a table with more.
fn table(name: &str, node: &Node<'_>) -> Option<TableOf> {
    let (stream, schema) = match node.kind() {
        Shape::Table => {
            let mut section = node.section()?;
            let stream = section.text("stream");
            let schema = match section.get("schema") {
                Some(schema) => fields(&schema)?,
                None => Vec::new(),
            };
            let stream = stream.map_or_else(|| name.to_owned(), |stream| stream.value);
            (stream, schema)
        }
        _ => (node.text()?.value, Vec::new()),
    };
    Some(TableOf {
        name: name.to_owned(),
        stream,
        schema,
    })
}
