//! All pieces of all files of a table, one after the other.

use std::ops::ControlFlow;

use chatferry_core::place::Place;
use chatferry_files::{Broken, Found, Listing, Root, refused};

use crate::input::text;
use crate::settings::TableSettings;
use crate::splitter::{Format, Piece, Splitter, Trouble};
use crate::window::{At, Window};

/// What is met on the way through the files.
pub(crate) enum Event<'a> {
    /// A file begins.
    Enter,
    /// What should be a record.
    Record(&'a [u8], At),
    /// Something that cannot be a record: the rule it breaks, and what was found.
    Rejected(&'static str, String, At),
    /// A file ends.
    Leave {
        /// How the records stood in it.
        format: Format,
        /// What keys were met where the path to the records led nowhere.
        missed: Option<&'a [String]>,
    },
}

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
        let input = text(file, opener.open(file)?)?;
        let broken = |error, at| file.broken(error, place(file, at));
        let (path, limit) = (&settings.records, settings.max_record);
        let mut splitter = Splitter::new(Window::new(input), settings.format, path, limit)
            .map_err(|error| broken(error, At { line: 1, byte: 0 }))?;
        let mut met_any = false;
        let mut flow = visit(file, Event::Enter);
        while flow.is_continue() {
            flow = match splitter.next() {
                Ok(None) => break,
                Ok(Some(Piece::Record(json, at))) => {
                    met_any = true;
                    visit(file, Event::Record(json, at))
                }
                Ok(Some(Piece::Rejected(rule, detail, at))) => {
                    met_any = true;
                    visit(file, Event::Rejected(rule, detail, at))
                }
                Err(Trouble::Read(error, at)) => return Err(broken(error, at)),
                Err(Trouble::NotJson(what, at)) if met_any => {
                    let flow = visit(file, Event::Rejected("malformed", what.into(), at));
                    if flow.is_continue() {
                        break;
                    }
                    flow
                }
                Err(Trouble::NotJson(what, at)) => {
                    let reason = format!("it is not a JSON document: {what}");
                    return Err(refused(&file.name, &reason)
                        .at(place(file, at))
                        .help("check that `path` and `records` name what is meant, or leave the file out")
                        .into());
                }
            };
        }
        if flow.is_continue() {
            let (format, missed) = (splitter.format(), splitter.missed());
            flow = visit(file, Event::Leave { format, missed });
        }
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// A place in a file, as a person is told it.
pub(crate) fn place(file: &Found, at: At) -> Place {
    Place {
        file: file.name.clone(),
        line: Some(at.line),
        byte: Some(at.byte),
    }
}
