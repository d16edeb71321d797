//! What a person may write for a `json` source.

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Setting, Shape};
use chatferry_core::{Mistake, SourceSettings};
use chatferry_files::{Address, FileTable, Files, Template};

use crate::kind::Kind;
use crate::splitter::Format;

/// Bytes that a record may have, unless the settings say otherwise.
///
/// Chat messages have a few kilobytes; 16 MiB leaves room for embedded files, and bounds what one
/// line without an end can take.
const MAX_RECORD: usize = 16 << 20;
/// The most that `max_record` may be: a batch's texts are counted by 32 bits.
const MOST_RECORD: usize = 1 << 30;
/// What stands in a `schema`.
const KINDS: [&str; 6] = ["boolean", "bigint", "double", "timestamp", "text", "json"];

/// The settings of one `json` source.
#[derive(Clone, Debug)]
pub(crate) struct JsonSettings {
    /// Where paths begin.
    pub(crate) root: Address,
    /// The tables, each with its name and where its path begins. When there are none, each file
    /// below the root is a table.
    pub(crate) tables: Vec<(String, Address, TableSettings)>,
}

/// The settings of one table.
#[derive(Clone, Debug)]
pub(crate) struct TableSettings {
    pub(crate) template: Template,
    /// The keys on the way to the array of records.
    pub(crate) records: Vec<String>,
    pub(crate) format: Option<Format>,
    pub(crate) schema: Vec<(String, Kind)>,
    pub(crate) max_record: usize,
}

impl TableSettings {
    /// The settings of a table of which only the path is said.
    pub(crate) fn of(template: Template) -> Self {
        let (records, schema) = (Vec::new(), Vec::new());
        Self {
            template,
            records,
            format: None,
            schema,
            max_record: MAX_RECORD,
        }
    }
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let files = Files::read(section, Options::read)?;
    if let Some(common) = files.common {
        common.refuse_all(section);
    }
    let table = |table: FileTable<Options>| {
        let (name, root) = (table.name.clone(), table.root.clone());
        Some((name, root, settings(table, section)?))
    };
    let tables: Vec<Option<_>> = files.tables.into_iter().map(table).collect();
    Some(Box::new(JsonSettings {
        root: files.root,
        tables: tables.into_iter().collect::<Option<_>>()?,
    }))
}

/// The settings of a table.
fn settings(table: FileTable<Options>, section: &mut Section<'_>) -> Option<TableSettings> {
    let (at, options) = (table.at, table.options);
    let mut settings = TableSettings::of(table.template);
    settings.format = options.format.as_ref().map(|format| match format.value {
        "lines" => Format::Lines,
        _ => Format::Document,
    });
    if let Some(records) = options.records {
        settings.records = records.value.split('.').map(str::to_owned).collect();
    }
    settings.schema = options.schema.unwrap_or_default();
    let is_declared = |column: &&String| settings.schema.iter().any(|(name, _)| name == *column);
    if let Some(column) = settings.template.columns().iter().find(is_declared) {
        let message = format!("{} is set by the path and by `schema`", quoted(column));
        section.mistake(
            Mistake::error("json::column-twice", message, at)
                .label("set here")
                .help("what stands in a path is text; give the placeholder another name"),
        );
        return None;
    }
    if let Some(most) = options.max_record {
        settings.max_record = usize::try_from(most.value)
            .unwrap_or(MOST_RECORD)
            .min(MOST_RECORD);
    }
    Some(settings)
}

/// What may be said of a table besides its path.
#[derive(Default)]
struct Options {
    records: Option<Setting<String>>,
    format: Option<Setting<&'static str>>,
    schema: Option<Vec<(String, Kind)>>,
    max_record: Option<Setting<u64>>,
}

impl Options {
    /// Reads them; `None` when one of them cannot be used.
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let records = section.get("records").map(|node| records(&node));
        let format = section
            .get("format")
            .map(|node| node.choice(&["lines", "document"]));
        let schema = section.get("schema").map(|node| fields(&node));
        let max_record = section.get("max_record").map(|node| max_record(&node));
        let options = Self {
            records: transpose(records)?,
            format: transpose(format)?,
            schema: transpose(schema)?,
            max_record: transpose(max_record)?,
        };
        let is_lines = options
            .format
            .as_ref()
            .is_some_and(|format| format.value == "lines");
        if let Some(records) = options.records.as_ref().filter(|_| is_lines) {
            let message = "`records` needs a document";
            section.mistake(
                Mistake::error("json::records-in-lines", message, records.at.clone())
                    .label("a line has no records within it")
                    .help("take out `format = \"lines\"`, or this"),
            );
            return None;
        }
        Some(options)
    }

    /// Notes those that are said of no table.
    fn refuse_all(self, section: &mut Section<'_>) {
        let mut refuse = |key: &str, at| {
            let message = format!("{} is said of one table, and here is none", quoted(key));
            section.mistake(
                Mistake::error("json::option-without-path", message, at)
                    .label("of which table?")
                    .help(format!(
                        "write it in `tables`: `name = {{ path = \"…\", {key} = … }}`"
                    )),
            );
        };
        if let Some(records) = self.records {
            refuse("records", records.at);
        }
        if let Some(format) = self.format {
            refuse("format", format.at);
        }
        if self.schema.is_some() {
            refuse("schema", None);
        }
        if let Some(max_record) = self.max_record {
            refuse("max_record", max_record.at);
        }
    }
}

/// Tells what is absent, which is fine, from what could not be read, which is not.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn records(node: &Node<'_>) -> Option<Setting<String>> {
    let records = node.text()?;
    if records.value.split('.').any(str::is_empty) {
        let message = "`records` has an empty key";
        node.mistake(Mistake::error("json::records", message, records.at).help(
            "it names the keys on the way to the array, with dots between: `channels.messages`",
        ));
        return None;
    }
    Some(records)
}

fn max_record(node: &Node<'_>) -> Option<Setting<u64>> {
    let most = node.bytes()?;
    if most.value == 0 || most.value > MOST_RECORD as u64 {
        let message = "`max_record` must be from 1 byte to 1 GiB";
        node.mistake(Mistake::error("json::max-record", message, most.at));
        return None;
    }
    Some(most)
}

/// The fields of a `schema` or of an object within it.
fn fields(node: &Node<'_>) -> Option<Vec<(String, Kind)>> {
    let mut section = node.section()?;
    let read = |(name, _, node): (&str, _, Node<'_>)| Some((name.to_owned(), kind(&node)?));
    let fields: Vec<Option<_>> = section.entries().into_iter().map(read).collect();
    fields.into_iter().collect()
}

fn kind(node: &Node<'_>) -> Option<Kind> {
    match node.kind() {
        Shape::Table => {
            let fields = fields(node)?;
            if fields.is_empty() {
                let message = "an object needs at least one field";
                let help = "name its fields and their types, or write \"json\" to keep it as it is";
                node.mistake(Mistake::error("json::schema", message, node.at()).help(help));
                return None;
            }
            Some(Kind::Object(fields))
        }
        Shape::List => match node.items()?.as_slice() {
            [items] => Some(Kind::List(Box::new(kind(items)?))),
            _ => {
                let message = "a list holds one type";
                let help = "write the type of its items in brackets, such as `[\"text\"]`";
                node.mistake(Mistake::error("json::schema", message, node.at()).help(help));
                None
            }
        },
        _ => Some(match node.choice(&KINDS)?.value {
            "boolean" => Kind::Boolean,
            "bigint" => Kind::Bigint,
            "double" => Kind::Double,
            "timestamp" => Kind::Time,
            "text" => Kind::Text,
            _ => Kind::Json,
        }),
    }
}
