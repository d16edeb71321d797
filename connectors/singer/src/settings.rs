//! What a person may write for a `singer` source.

use std::path::PathBuf;

use chatferry_child::{Program, Surroundings};
use chatferry_config::{Node, Section, Shape};
use chatferry_core::{Mistake, SourceSettings};
use chatferry_records::{Kind, fields};

use crate::catalog::Which;
use crate::config::Config;

/// What `command` takes.
const COMMAND: &str = "the tap and its arguments, such as `[\"tap-csv\"]`";

/// What stands for standard input as a path.
const STANDARD_INPUT: &str = "-";

/// The settings of one `singer` source.
#[derive(Clone, Debug)]
pub(crate) struct SingerSettings {
    pub(crate) from: From,
    /// The tables, where not each stream is one.
    pub(crate) tables: Option<Vec<TableOf>>,
    /// Whether a table is read on from the tap's state, unless it says otherwise.
    pub(crate) state: bool,
}

/// Where messages come from.
#[derive(Clone, Debug)]
pub(crate) enum From {
    /// This tap prints them.
    Tap {
        program: Program,
        config: Option<Config>,
        /// A file with the catalog, where the tap is not asked for it.
        catalog: Option<PathBuf>,
    },
    /// They stand in this file.
    File(PathBuf),
    /// They come on standard input.
    StandardInput,
}

/// A stream as a table.
#[derive(Clone, Debug)]
pub(crate) struct TableOf {
    pub(crate) name: String,
    pub(crate) stream: String,
    /// Types of columns that are not to be those of the stream.
    pub(crate) schema: Vec<(String, Kind)>,
    /// Which rows are wanted of it, where it says so.
    pub(crate) which: Option<Which>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let from = from(section);
    let state = section.flag("state").is_some_and(|state| state.value);
    let tables = match section.section("tables") {
        Some(mut tables) => {
            let read = |(name, _, node): (&str, _, Node<'_>)| table(name, &node);
            let tables: Vec<Option<_>> = tables.entries().into_iter().map(read).collect();
            tables.into_iter().collect::<Option<Vec<_>>>().map(Some)
        }
        None => Some(None),
    };
    Some(Box::new(SingerSettings {
        from: from?,
        tables: tables?,
        state,
    }))
}

/// Where messages come from; `None` when that cannot be used.
fn from(section: &mut Section<'_>) -> Option<From> {
    let path = section.text("path");
    let of_a_tap = ["command", "config", "catalog"].map(|key| (key, section.get(key)));
    let surroundings = Surroundings::read(section);
    if let Some(path) = path {
        let given = of_a_tap
            .iter()
            .find_map(|(key, it)| Some((key, it.as_ref()?)));
        if let Some((key, node)) = given {
            let message = format!("`path` is a file of messages, and `{key}` is for a tap");
            let at = node.name_at().or(node.at());
            let mistake = Mistake::error("singer::path-and-command", message, at);
            section.mistake(
                mistake
                    .label("either this, or `path`")
                    .help("take one of them out"),
            );
            return None;
        }
        return Some(match path.value.as_str() {
            STANDARD_INPUT => From::StandardInput,
            path => From::File(absolute(section, path)),
        });
    }
    let [(_, command), (_, config), (_, catalog)] = of_a_tap;
    let catalog = catalog.and_then(|catalog| catalog.text());
    if command.is_none() {
        section.missing("command", COMMAND);
    }
    let program = command.and_then(|command| surroundings.program(&command));
    let config = match config {
        Some(config) => Config::read(&config, |path| absolute(section, path)).map(Some),
        None => Some(None),
    };
    Some(From::Tap {
        program: program?,
        config: config?,
        catalog: catalog.map(|path| absolute(section, &path)),
    })
}

/// A path that means the same wherever the tap runs.
fn absolute(section: &Section<'_>, path: &str) -> PathBuf {
    let path = section.resolve(path);
    std::path::absolute(&path).unwrap_or(path)
}

/// One of `tables`: the name of a stream, or a table with more.
fn table(name: &str, node: &Node<'_>) -> Option<TableOf> {
    let (stream, schema, which) = match node.kind() {
        Shape::Table => {
            let mut section = node.section()?;
            let stream = section.text("stream");
            let state = section.flag("state").map(|state| state.value);
            let key = section.text("replication_key").map(|key| key.value);
            let which = match (state, key) {
                (Some(false), _) => Some(Which::All),
                (_, Some(key)) => Some(Which::Since(key)),
                (Some(true), None) => Some(Which::SinceState),
                (None, None) => None,
            };
            let schema = match section.get("schema") {
                Some(schema) => fields(&schema)?,
                None => Vec::new(),
            };
            let stream = stream.map_or_else(|| name.to_owned(), |stream| stream.value);
            (stream, schema, which)
        }
        _ => (node.text()?.value, Vec::new(), None),
    };
    Some(TableOf {
        name: name.to_owned(),
        stream,
        schema,
        which,
    })
}
