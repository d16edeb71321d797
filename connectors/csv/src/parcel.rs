//! Records that are looked at or made into rows together, beside the reading of those that follow.

use std::sync::Arc;

use chatferry_core::shaped::RejectedRow;
use chatferry_files::Found;

use crate::dialect::Cell;
use crate::pieces::place;
use crate::records::Record;
use crate::window::At;

/// Records one behind the other.
#[derive(Default)]
pub(crate) struct Parcel {
    bytes: Vec<u8>,
    cells: Vec<Cell>,
    records: Vec<Ends>,
    /// Which file the records from each of these on are from.
    files: Vec<(usize, Arc<From>)>,
    /// What could not be a record, each before the record of that number.
    rejected: Vec<(usize, RejectedRow)>,
}

/// Where a record's bytes and fields end, and where it stands in its file.
struct Ends {
    bytes: usize,
    cells: usize,
    at: At,
}

/// A file, as far as its records need it.
pub(crate) struct From {
    pub(crate) name: Arc<str>,
    /// What its path says.
    pub(crate) parts: Vec<String>,
    /// What its columns are called.
    pub(crate) columns: Vec<String>,
}

/// A record as text.
#[derive(Clone, Copy)]
pub(crate) struct Row<'p> {
    text: &'p str,
    pub(crate) cells: &'p [Cell],
    pub(crate) at: At,
}

impl<'p> Row<'p> {
    /// What is written in a field.
    pub(crate) fn written(&self, cell: Cell) -> &'p str {
        &self.text[cell.start..cell.end]
    }
}

/// What is met on the way through a parcel.
pub(crate) enum Content<'p> {
    /// What follows is from this file.
    Enter(&'p Arc<From>),
    Row(Row<'p>),
    Rejected(RejectedRow),
}

impl Parcel {
    /// What follows is from this file, whose columns have these names.
    pub(crate) fn enter(&mut self, file: &Found, columns: &[String]) {
        let from = From {
            name: Arc::clone(&file.name),
            parts: file.parts.clone(),
            columns: columns.to_vec(),
        };
        self.files.push((self.records.len(), Arc::new(from)));
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: &Record<'_>) {
        self.bytes.extend_from_slice(record.bytes);
        self.cells.extend_from_slice(record.cells);
        self.records.push(Ends {
            bytes: self.bytes.len(),
            cells: self.cells.len(),
            at: record.at,
        });
    }

    /// Adds something that cannot be a record.
    pub(crate) fn reject(&mut self, row: RejectedRow) {
        self.rejected.push((self.records.len(), row));
    }

    /// How many bytes its records have.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len()
    }

    /// How many records there are, and how many others.
    pub(crate) fn rows(&self) -> (usize, usize) {
        (self.records.len(), self.rejected.len())
    }

    /// An empty one, maybe out of these, that goes on in the same file.
    pub(crate) fn next(&self, empty: Option<Self>) -> Self {
        let mut next = empty.unwrap_or_default();
        let file = self.files.last();
        next.files
            .extend(file.map(|(_, file)| (0, Arc::clone(file))));
        next
    }

    /// Goes through what is in it, in the order of the files, and empties it.
    pub(crate) fn go_through(mut self, mut visit: impl FnMut(Content<'_>)) -> Self {
        let mut rejected = std::mem::take(&mut self.rejected).into_iter().peekable();
        let mut files = self.files.iter().peekable();
        let text =
            simdutf8::basic::from_utf8(&self.bytes).expect("each record was found to be text");
        let (mut bytes, mut cells) = (0, 0);
        for (number, ends) in self.records.iter().enumerate() {
            while let Some((_, file)) = files.next_if(|(from, _)| *from <= number) {
                visit(Content::Enter(file));
            }
            while let Some((_, row)) = rejected.next_if(|(before, _)| *before <= number) {
                visit(Content::Rejected(row));
            }
            visit(Content::Row(Row {
                text: &text[bytes..ends.bytes],
                cells: &self.cells[cells..ends.cells],
                at: ends.at,
            }));
            (bytes, cells) = (ends.bytes, ends.cells);
        }
        rejected.for_each(|(_, row)| visit(Content::Rejected(row)));
        self.bytes.clear();
        self.cells.clear();
        self.records.clear();
        self.files.clear();
        self
    }
}

/// A row that is none, because it breaks this rule.
pub(crate) fn rejected(rule: &'static str, detail: String, file: &Arc<str>, at: At) -> RejectedRow {
    RejectedRow {
        rule: rule.into(),
        detail,
        id: None,
        place: Some(place(file, at)),
    }
}
