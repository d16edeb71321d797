//! What a person may write of a table of JSON, whatever it is read from.

use std::sync::Arc;

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Setting, Shape};
use chatferry_core::{Mistake, SourceError, Span};
use chatferry_files::{Listing, Root, Template};

use crate::around::Parent;
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

/// The settings of one table.
#[derive(Clone, Debug)]
pub struct TableSettings {
    pub(crate) template: Template,
    /// The keys on the way to the array of records.
    pub(crate) records: Vec<String>,
    /// The fields of objects on that way that become columns.
    pub(crate) parents: Arc<[Parent]>,
    pub(crate) format: Option<Format>,
    pub(crate) schema: Vec<(String, Kind)>,
    pub(crate) max_record: usize,
    /// Whether it is an empty table where there is nothing to read it from.
    pub(crate) optional: bool,
}

impl TableSettings {
    /// Whether any columns are named by them.
    #[must_use]
    pub fn name_columns(&self) -> bool {
        !self.schema.is_empty() || !self.parents.is_empty()
    }

    /// The files that it is read from: none only where it may be that there is none.
    pub(crate) fn list(&self, root: &Root) -> Result<Listing, SourceError> {
        match self.optional {
            true => root.list_if_any(&self.template),
            false => root.list(&self.template),
        }
    }

    /// The settings of a table whose records are lines that somebody else has written, of which
    /// these columns are declared. However long a record is, it was let through before.
    #[must_use]
    pub fn lines(name: &str, schema: &[(String, Kind)]) -> Self {
        Self {
            format: Some(Format::Lines),
            schema: schema.to_vec(),
            max_record: MOST_RECORD,
            ..Self::of(Template::literal(name))
        }
    }

    /// The settings of a table of which only the path is said.
    #[must_use]
    pub fn of(template: Template) -> Self {
        let (records, schema) = (Vec::new(), Vec::new());
        Self {
            template,
            records,
            parents: Arc::default(),
            format: None,
            schema,
            max_record: MAX_RECORD,
            optional: false,
        }
    }
}

/// What may be said of a table besides where it is read from.
#[derive(Default)]
pub struct Options {
    records: Option<Setting<String>>,
    parents: Option<Vec<Parent>>,
    parents_at: Option<Span>,
    format: Option<Setting<&'static str>>,
    schema: Option<Vec<(String, Kind)>>,
    max_record: Option<Setting<u64>>,
    optional: Option<Setting<bool>>,
}

impl Options {
    /// Reads them; `None` when one of them cannot be used, which is then noted.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let records = section.get("records").map(|node| records(&node));
        let parents = section.get("parents");
        let parents_at = parents.as_ref().and_then(Node::name_at);
        let way = match &records {
            Some(Some(records)) => records.value.split('.').collect(),
            _ => Vec::new(),
        };
        let parents = parents.map(|node| self::parents(&node, &way));
        let format = section
            .get("format")
            .map(|node| node.choice(&["lines", "document"]));
        let schema = section.get("schema").map(|node| fields(&node));
        let max_record = section.get("max_record").map(|node| max_record(&node));
        let optional = section.get("optional").map(|node| node.flag());
        let options = Self {
            records: transpose(records)?,
            parents: transpose(parents)?,
            parents_at,
            format: transpose(format)?,
            schema: transpose(schema)?,
            max_record: transpose(max_record)?,
            optional: transpose(optional)?,
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

    /// The settings of a table of which this is said, and its path, which stands there. `None` when
    /// they cannot be used, which is then noted.
    pub fn settings(
        self,
        template: Template,
        at: Option<Span>,
        section: &mut Section<'_>,
    ) -> Option<TableSettings> {
        let mut settings = TableSettings::of(template);
        settings.format = self.format.as_ref().map(|format| match format.value {
            "lines" => Format::Lines,
            _ => Format::Document,
        });
        if let Some(records) = self.records {
            settings.records = records.value.split('.').map(str::to_owned).collect();
        }
        settings.parents = self.parents.unwrap_or_default().into();
        settings.schema = self.schema.unwrap_or_default();
        settings.optional = self.optional.as_ref().is_some_and(|set| set.value);
        if let Some(optional) = self
            .optional
            .filter(|_| settings.optional && settings.schema.is_empty())
        {
            let message = "a table that is optional has to say its columns";
            section.mistake(
                Mistake::error("json::optional", message, optional.at)
                    .label("no `schema` beside this")
                    .help(
                        "add a `schema`: when its files are missing, nothing else tells which \
                         columns it would have",
                    ),
            );
            return None;
        }
        let declared = |column: &&String| settings.schema.iter().any(|(name, _)| name == *column);
        let is_parent =
            |column: &&String| settings.parents.iter().any(|other| other.name == **column);
        let of_path = settings.template.columns();
        let mut parents = settings.parents.iter().map(|parent| &parent.name);
        let twice = if let Some(column) = of_path.iter().find(declared) {
            Some((column, "the path and by `schema`", at))
        } else if let Some(column) = of_path.iter().find(is_parent) {
            Some((column, "the path and by `parents`", at))
        } else {
            let column = parents.find(declared);
            column.map(|column| (column, "`parents` and by `schema`", self.parents_at))
        };
        if let Some((column, by, at)) = twice {
            let message = format!("{} is set by {by}", quoted(column));
            let help = "each column is set once; give one of them another name";
            let mistake = Mistake::error("json::column-twice", message, at);
            section.mistake(mistake.label("set here").help(help));
            return None;
        }
        if let Some(most) = self.max_record {
            settings.max_record = usize::try_from(most.value)
                .unwrap_or(MOST_RECORD)
                .min(MOST_RECORD);
        }
        Some(settings)
    }

    /// Notes those that are said of no table. A table would be given so.
    pub fn refuse_all(self, given_by: &str, section: &mut Section<'_>) {
        let mut refuse = |key: &str, at| {
            let message = format!("{} is said of one table, and here is none", quoted(key));
            section.mistake(
                Mistake::error("json::option-without-path", message, at)
                    .label("of which table?")
                    .help(format!(
                        "write it in `tables`: `name = {{ {given_by}, {key} = … }}`"
                    )),
            );
        };
        if let Some(records) = self.records {
            refuse("records", records.at);
        }
        if self.parents.is_some() {
            refuse("parents", self.parents_at);
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
        if let Some(optional) = self.optional {
            refuse("optional", optional.at);
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

/// The fields of objects on the way to the records that become columns.
fn parents(node: &Node<'_>, way: &[&str]) -> Option<Vec<Parent>> {
    let parent = |(name, _, node): (&str, _, Node<'_>)| {
        let written = node.text()?;
        let keys: Vec<&str> = written.value.split('.').collect();
        let (key, before) = keys.split_last()?;
        let depth = before.len();
        if depth < way.len() && *before == way[..depth] && *key != way[depth] && !key.is_empty() {
            return Some(Parent {
                name: name.to_owned(),
                depth,
                key: (*key).to_owned(),
            });
        }
        let message = format!("{} is not around the records", quoted(&written.value));
        let help = match way {
            [] => "`parents` needs `records`, on whose way the objects stand".to_owned(),
            _ => format!(
                "it names a field of an object on the way of `records`, such as {}",
                quoted(&[&way[..way.len() - 1], &["name"]].concat().join("."))
            ),
        };
        node.mistake(Mistake::error("json::parents", message, written.at).help(help));
        None
    };
    let parents: Vec<Option<_>> = node.section()?.entries().into_iter().map(parent).collect();
    parents.into_iter().collect()
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

/// The fields of a `schema` or of an object within it; `None` when one has no type, which is then
/// noted.
#[must_use]
pub fn fields(node: &Node<'_>) -> Option<Vec<(String, Kind)>> {
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
