//! All pieces of all files of a table, one after the other.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::place::Place;
use chatferry_files::{Broken, Found, Listing, Root, refused};

use crate::around::{Around, Late, LateOfFile};
use crate::input::text;
use crate::options::TableSettings;
use crate::splitter::{Format, Piece, Splitter, Trouble};
use crate::window::{At, Window};

/// What is met on the way through the files.
pub(crate) enum Event<'a> {
    /// A file begins.
    Enter,
    /// What should be a record, and what the objects around it say.
    Record(&'a [u8], &'a [Option<Vec<u8>>], At),
    /// Something that cannot be a record: the rule it breaks, and what was found.
    Rejected(&'static str, String, At),
    /// A file ends.
    Leave {
        /// How the records stood in it.
        format: Format,
        /// What keys were met where the path to the records led nowhere.
        missed: Option<&'a [String]>,
    },
    /// What the objects around the records say behind them, in the file at that place of the
    /// listing. Comes last, also when the file cannot be read any further.
    Late(usize, LateOfFile),
}

/// Goes through the files until they end, an error stops it, or `visit` breaks off with what is
/// then given back. `late` is what is known to stand behind the records.
pub(crate) fn go_through<B>(
    root: &Root,
    listing: &Listing,
    settings: &TableSettings,
    late: &Late,
    mut visit: impl FnMut(&Found, Event<'_>) -> ControlFlow<B>,
) -> Result<ControlFlow<B>, Broken> {
    let mut opener = root.opener()?;
    for (number, file) in listing.files.iter().enumerate() {
        let input = text(file, opener.open(file)?)?;
        let broken = |error, at| file.broken(error, place(&file.name, at));
        let (path, limit) = (&settings.records, settings.max_record);
        let known = late.get(&number).cloned().unwrap_or_default();
        let around = Around::new(Arc::clone(&settings.parents), path.len(), known);
        let mut splitter = Splitter::new(Window::new(input), settings.format, path, around, limit)
            .map_err(|error| broken(error, At { line: 1, byte: 0 }))?;
        let (mut met_any, mut failed) = (false, None);
        let mut flow = visit(file, Event::Enter);
        while flow.is_continue() {
            flow = match splitter.next() {
                Ok(None) => break,
                Ok(Some(Piece::Record(json, around, at))) => {
                    met_any = true;
                    visit(file, Event::Record(json, around, at))
                }
                Ok(Some(Piece::Rejected(rule, detail, at))) => {
                    met_any = true;
                    visit(file, Event::Rejected(rule, detail, at))
                }
                Err(Trouble::Read(error, at)) => {
                    failed = Some(broken(error, at));
                    break;
                }
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
                        .at(place(&file.name, at))
                        .help("check that `path` and `records` name what is meant, or leave the file out")
                        .into());
                }
            };
        }
        if flow.is_continue() && failed.is_none() {
            let (format, missed) = (splitter.format(), splitter.missed());
            flow = visit(file, Event::Leave { format, missed });
        }
        let late = splitter.into_late();
        if flow.is_continue() && !late.is_empty() {
            flow = visit(file, Event::Late(number, late));
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// A place in a file, as a person is told it.
pub(crate) fn place(file: &Arc<str>, at: At) -> Place {
    Place {
        file: Arc::clone(file),
        line: Some(at.line),
        byte: Some(at.byte),
    }
}
