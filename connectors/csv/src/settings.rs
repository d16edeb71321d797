//! What a person may write for a `csv` source.

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section};
use chatferry_core::{Mistake, SourceSettings, Span};
use chatferry_files::{Address, Files, NamedTable, Template, stem};
use encoding_rs::Encoding;

use crate::dialect::{Dialect, How};
use crate::kind::Kind;
use crate::schema;

/// Bytes that a record may have, unless the settings say otherwise.
///
/// Chat messages have a few kilobytes; 16 MiB leaves room for embedded files, and bounds what one
/// quote that is never closed can take.
const MAX_RECORD: usize = 16 << 20;
/// The most that `max_record` may be: a batch's texts are counted by 32 bits.
const MOST_RECORD: usize = 1 << 30;
/// Endings of files in which tabs stand between fields.
const TABBED: [&str; 2] = [".tsv", ".tab"];

/// The settings of one `csv` source.
#[derive(Clone, Debug)]
pub(crate) struct CsvSettings {
    /// Where paths begin.
    pub(crate) root: Address,
    /// The tables. When there are none, each file below the root is a table.
    pub(crate) tables: Vec<NamedTable<TableSettings>>,
    /// What is said of all tables.
    pub(crate) common: Options,
}

/// The settings of one table.
#[derive(Clone, Debug)]
pub(crate) struct TableSettings {
    pub(crate) template: Template,
    pub(crate) dialect: Dialect,
    pub(crate) encoding: Option<&'static Encoding>,
    /// Whether the first record of each file names the columns.
    pub(crate) header: bool,
    /// The names of the columns, when it is not the files that say them.
    pub(crate) columns: Option<Vec<String>>,
    /// What stands for null where it is not between quotes.
    nulls: Vec<String>,
    /// Whether fields that a record has not are null.
    pub(crate) short_rows: bool,
    /// What some columns are declared to hold.
    pub(crate) schema: Vec<(String, Kind)>,
    pub(crate) max_record: usize,
}

impl TableSettings {
    /// Whether what is written in a field stands for null.
    pub(crate) fn is_null(&self, written: &str, how: How) -> bool {
        // Nothing is not compared with nothing: `memcmp` with no bytes of an address that holds none
        // is a hundred times slower on processors with AVX-512.
        let is = |null: &String| match written.is_empty() {
            true => null.is_empty(),
            false => null == written,
        };
        !how.is_quoted() && self.nulls.iter().any(is)
    }
}

/// What may be said of a table besides its path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    delimiter: Option<u8>,
    /// The character, or that there is none.
    quote: Option<Option<u8>>,
    escape: Option<u8>,
    escape_letters: Option<bool>,
    comment: Option<u8>,
    trim: Option<bool>,
    header: Option<bool>,
    columns: Option<Vec<String>>,
    nulls: Option<Vec<String>>,
    encoding: Option<&'static Encoding>,
    short_rows: Option<bool>,
    schema: Option<Vec<(String, Kind)>>,
    max_record: Option<usize>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let files = Files::read(section, Options::read)?;
    let common = files.common.unwrap_or_default();
    let tables = files.tables.into_iter().map(|table| NamedTable {
        name: table.name,
        root: table.root,
        settings: table.options.or(&common).table(table.template),
    });
    Some(Box::new(CsvSettings {
        root: files.root,
        tables: tables.collect(),
        common,
    }))
}

impl Options {
    /// Reads them; `None` when one of them cannot be used.
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let at = section.at();
        let delimiter = section.get("delimiter").map(|node| character(&node, false));
        let quote = section.get("quote").map(|node| character(&node, true));
        let escape = section.get("escape").map(|node| character(&node, false));
        let comment = section.get("comment").map(|node| character(&node, false));
        let mut flag = |key: &str| section.get(key).map(|node| Some(node.flag()?.value));
        let (letters, trim) = (flag("escape_letters"), flag("trim"));
        let header = flag("header");
        let columns = section.get("columns").map(|node| columns(&node));
        let nulls = section.get("nulls").map(|node| {
            let nulls = node.texts()?.into_iter().map(|null| null.value);
            Some(nulls.collect())
        });
        let encoding = section.get("encoding").map(|node| encoding(&node));
        let short_rows = section.get("short_rows").map(|node| {
            let choice = node.choice(&["reject", "null"])?;
            Some(choice.value == "null")
        });
        let schema = section.get("schema").map(|node| schema::read(&node));
        let max_record = section.get("max_record").map(|node| max_record(&node));
        let read = Self {
            delimiter: transpose(delimiter)?.flatten(),
            quote: transpose(quote)?,
            escape: transpose(escape)?.flatten(),
            escape_letters: transpose(letters)?,
            comment: transpose(comment)?.flatten(),
            trim: transpose(trim)?,
            header: transpose(header)?,
            columns: transpose(columns)?,
            nulls: transpose(nulls)?,
            encoding: transpose(encoding)?,
            short_rows: transpose(short_rows)?,
            schema: transpose(schema)?,
            max_record: transpose(max_record)?,
        };
        match read.clash() {
            Some((one, other)) => {
                section.mistake(clash(one, other, at));
                None
            }
            None => Some(read),
        }
    }

    /// These, and the others where nothing is said here.
    fn or(self, others: &Self) -> Self {
        Self {
            delimiter: self.delimiter.or(others.delimiter),
            quote: self.quote.or(others.quote),
            escape: self.escape.or(others.escape),
            escape_letters: self.escape_letters.or(others.escape_letters),
            comment: self.comment.or(others.comment),
            trim: self.trim.or(others.trim),
            header: self.header.or(others.header),
            columns: self.columns.or_else(|| others.columns.clone()),
            nulls: self.nulls.or_else(|| others.nulls.clone()),
            encoding: self.encoding.or(others.encoding),
            short_rows: self.short_rows.or(others.short_rows),
            schema: self.schema.or_else(|| others.schema.clone()),
            max_record: self.max_record.or(others.max_record),
        }
    }

    /// The settings of a table of which these are said.
    pub(crate) fn table(&self, template: Template) -> TableSettings {
        let is_tabbed = stem(template.written(), &TABBED).is_some();
        let delimiter = if is_tabbed { b'\t' } else { b',' };
        let quote = self.quote.unwrap_or(Some(b'"'));
        let nulls = match &self.nulls {
            Some(nulls) => nulls.clone(),
            None => vec![String::new()],
        };
        TableSettings {
            template,
            dialect: Dialect {
                delimiter: self.delimiter.unwrap_or(delimiter),
                quote,
                // A quote that escapes itself is what a doubled one is anyway.
                escape: self.escape.filter(|escape| Some(*escape) != quote),
                letters: self.escape_letters.unwrap_or(false),
                comment: self.comment,
                trim: self.trim.unwrap_or(false),
            },
            encoding: self.encoding,
            header: self.header.unwrap_or(true),
            columns: self.columns.clone(),
            nulls,
            short_rows: self.short_rows.unwrap_or(false),
            schema: self.schema.clone().unwrap_or_default(),
            max_record: self.max_record.unwrap_or(MAX_RECORD),
        }
    }

    /// Two that are one character, and cannot be.
    fn clash(&self) -> Option<(&'static str, &'static str)> {
        let said = [
            ("delimiter", self.delimiter),
            ("quote", self.quote.flatten()),
            ("escape", self.escape),
            ("comment", self.comment),
        ];
        let pairs = said.iter().enumerate().flat_map(|(at, one)| {
            let others = said[at + 1..].iter();
            others.map(move |other| (one, other))
        });
        let mut clashes = pairs.filter(|((one, a), (other, b))| {
            a.is_some() && a == b && (*one, *other) != ("quote", "escape")
        });
        clashes.next().map(|((one, _), (other, _))| (*one, *other))
    }
}

fn clash(one: &str, other: &str, at: Option<Span>) -> Mistake {
    let message = format!(
        "{} and {} are the same character",
        quoted(one),
        quoted(other)
    );
    Mistake::error("csv::same-character", message, at)
        .label("which of them is meant?")
        .help("each needs a character of its own; only `quote` and `escape` may share one")
}

/// Tells what is absent, which is fine, from what could not be read, which is not.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// One character, or `none` where there may be none.
#[expect(
    clippy::option_option,
    reason = "what cannot be read, what is none, and what is one"
)]
fn character(node: &Node<'_>, or_none: bool) -> Option<Option<u8>> {
    let text = node.text()?;
    match text.value.as_bytes() {
        b"none" if or_none => return Some(None),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => {
            return Some(Some(*byte));
        }
        _ => {}
    }
    let message = "this must be one character of ASCII, and no line break";
    let help = match or_none {
        true => "write one character, such as \"'\", or \"none\" for files without quotes",
        false => "write one character, such as \";\" or \"\\t\" for a tab",
    };
    node.mistake(Mistake::error("csv::character", message, text.at).help(help));
    None
}

fn columns(node: &Node<'_>) -> Option<Vec<String>> {
    let names: Vec<String> = node.texts()?.into_iter().map(|name| name.value).collect();
    let is_twice = |(at, name): (usize, &String)| names[..at].contains(name);
    let message = if names.is_empty() || names.iter().any(String::is_empty) {
        "`columns` needs a name for each column"
    } else if names.iter().enumerate().any(is_twice) {
        "a name is in `columns` twice"
    } else {
        return Some(names);
    };
    let mistake = Mistake::error("csv::columns", message, node.at());
    node.mistake(mistake.help("name every column once, in the order in which they stand"));
    None
}

fn encoding(node: &Node<'_>) -> Option<&'static Encoding> {
    let label = node.text()?;
    // What this stands for has no characters at all.
    let known = Encoding::for_label_no_replacement(label.value.as_bytes());
    if known.is_none() {
        let message = format!("there is no encoding {}", quoted(&label.value));
        node.mistake(Mistake::error("csv::encoding", message, label.at).help(
            "use a name that browsers know, such as `utf-8`, `utf-16le`, `windows-1252` or `latin1`",
        ));
    }
    known
}

fn max_record(node: &Node<'_>) -> Option<usize> {
    let most = node.bytes()?;
    if most.value == 0 || most.value > MOST_RECORD as u64 {
        let message = "`max_record` must be from 1 byte to 1 GiB";
        node.mistake(Mistake::error("csv::max-record", message, most.at));
        return None;
    }
    usize::try_from(most.value).ok()
}
