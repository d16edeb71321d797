//! All records of all files of a table, one after the other.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::place::Place;
use chatferry_core::source::SourceError;
use chatferry_files::{Broken, Found, Listing, Root, refused};

use crate::records::{Piece, Record, Records};
use crate::settings::TableSettings;
use crate::text::{NoText, Text};
use crate::window::{At, Window};

/// What is met on the way through the files.
pub(crate) enum Event<'a> {
    /// A file begins, whose columns have these names.
    Enter(&'a [String]),
    /// A record with a field for each of the columns, or fewer, where that is allowed.
    Record(Record<'a>),
    /// Something that cannot be one: the rule it breaks, and what was found.
    Rejected(&'static str, String, At),
    /// A file ends, whose first line looks as if that stood between its fields.
    Leave(Option<char>),
}

/// What may stand between fields where it is not said what does.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Goes through the files until they end, an error stops it, or `visit` breaks off with what is
/// then given back.
pub(crate) fn go_through<B>(
    root: &Root,
    listing: &Listing,
    settings: &TableSettings,
    mut visit: impl FnMut(&Found, Event<'_>) -> ControlFlow<B>,
) -> Result<ControlFlow<B>, Broken> {
    let mut opener = root.opener()?;
    for file in &listing.files {
        let input = opener.open(file)?;
        let text = Text::open(input, settings.encoding).map_err(|what| no_text(file, what))?;
        let window = Window::new(text);
        let mut records = Records::new(window, settings.dialect, settings.max_record);
        let mut columns: Option<Vec<String>> = None;
        let mut resembles = None;
        let flow = loop {
            let at = records.at();
            let piece = match records.next() {
                Ok(None) => break ControlFlow::Continue(()),
                Ok(Some(piece)) => piece,
                Err(error) => return Err(file.broken(error, place(&file.name, at))),
            };
            let flow = match (piece, &columns) {
                (Piece::Rejected(_, detail, at), None) if settings.header => {
                    let reason =
                        format!("the line that names its columns cannot be read: {detail}");
                    return Err(refused(&file.name, &reason)
                        .at(place(&file.name, at))
                        .help("mend that line, or set `header = false` and `columns`")
                        .into());
                }
                (Piece::Rejected(rule, detail, at), _) => {
                    visit(file, Event::Rejected(rule, detail, at))
                }
                (Piece::Record(record), None) => {
                    let names = names(&record, settings, file)?;
                    resembles = other_delimiter(&record, settings);
                    let mut flow = visit(file, Event::Enter(&names));
                    if flow.is_continue() && !settings.header {
                        flow = give(record, names.len(), settings, file, &mut visit);
                    }
                    columns = Some(names);
                    flow
                }
                (Piece::Record(record), Some(names)) => {
                    give(record, names.len(), settings, file, &mut visit)
                }
            };
            if flow.is_break() {
                break flow;
            }
        };
        let flow = match flow.is_continue() {
            true => visit(file, Event::Leave(resembles)),
            false => flow,
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Gives a record, if it has as many fields as there are columns.
fn give<B>(
    record: Record<'_>,
    columns: usize,
    settings: &TableSettings,
    file: &Found,
    visit: &mut impl FnMut(&Found, Event<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let fields = record.cells.len();
    if fields == columns || (fields < columns && settings.short_rows) {
        return visit(file, Event::Record(record));
    }
    let plural = if fields == 1 { "field" } else { "fields" };
    let detail = format!("it has {fields} {plural}, and there are {columns} columns");
    visit(file, Event::Rejected("ragged-row", detail, record.at))
}

/// The names of a file's columns, of which this is the first record. No two are the same, and none
/// is empty.
fn names(
    record: &Record<'_>,
    settings: &TableSettings,
    file: &Found,
) -> Result<Vec<String>, SourceError> {
    let width = record.cells.len();
    if let Some(given) = &settings.columns {
        if settings.header && given.len() != width {
            let reason = format!(
                "its first line has {width} fields, and `columns` names {}",
                given.len()
            );
            return Err(refused(&file.name, &reason)
                .at(place(&file.name, record.at))
                .help(
                    "name each column once, or take `columns` out to use the names in the file",
                ));
        }
        return Ok(given.clone());
    }
    let mut names: Vec<String> = Vec::with_capacity(width);
    for (at, cell) in record.cells.iter().enumerate() {
        let mut name = String::new();
        if settings.header {
            let written = str::from_utf8(record.written(*cell)).unwrap_or_default();
            settings.dialect.unescape(written, cell.how, &mut name);
        }
        if name.is_empty() {
            name = format!("column_{}", at + 1);
        }
        let mut unique = name.clone();
        let mut copy = 2;
        while names.contains(&unique) {
            unique = format!("{name}_{copy}");
            copy += 1;
        }
        names.push(unique);
    }
    Ok(names)
}

/// What else may stand between the fields of a record that has but one.
fn other_delimiter(record: &Record<'_>, settings: &TableSettings) -> Option<char> {
    let [only] = record.cells else { return None };
    let written = record.written(*only);
    let mut other = DELIMITERS.into_iter();
    other
        .find(|other| *other != settings.dialect.delimiter && written.contains(other))
        .map(char::from)
}

fn no_text(file: &Found, what: NoText) -> SourceError {
    let name = &*file.name;
    match what {
        NoText::Binary => refused(name, "it is a binary file").help("check that `path` names text"),
        NoText::Unmarked(encoding) => refused(name, "it looks like UTF-16, and has no mark")
            .help(format!("set `encoding = \"{encoding}\"`")),
    }
}

/// A place in a file, as a person is told it.
pub(crate) fn place(file: &Arc<str>, at: At) -> Place {
    Place {
        file: Arc::clone(file),
        line: Some(at.line),
        byte: Some(at.byte),
    }
}
