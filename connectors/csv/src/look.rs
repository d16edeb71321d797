//! What a parcel's fields hold, and whether they ever descend.

use chatferry_files::Tracker;

use crate::infer::Seen;
use crate::kind;
use crate::parcel::{Content, Parcel, Row};
use crate::settings::TableSettings;

/// Which fields are to be looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// How many columns the file has.
    pub(crate) width: usize,
    /// Those whose columns are not settled.
    pub(crate) open: Vec<usize>,
    /// Those whose columns may have an order.
    pub(crate) ordered: Vec<usize>,
}

/// What was found in a parcel.
pub(crate) struct Looked {
    pub(crate) rows: u64,
    /// How many of them have fewer fields than there are columns.
    pub(crate) short: u64,
    /// What was found in each field.
    pub(crate) fields: Vec<Column>,
    /// The parcel, to be filled again.
    pub(crate) empty: Parcel,
}

/// What a column holds.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) seen: Seen,
    /// Whether its texts ever descend, and its whole numbers, as long as they are some.
    pub(crate) texts: Tracker,
    pub(crate) wholes: Tracker,
}

impl Column {
    /// One that nobody looked at.
    fn unseen() -> Self {
        Self {
            seen: Seen::default(),
            texts: Tracker::lost(),
            wholes: Tracker::lost(),
        }
    }

    /// Adds what was found in the rows behind these, of which there were `rows`.
    pub(crate) fn append(&mut self, later: Self, rows: u64) {
        self.seen.add(later.seen);
        self.texts.append(later.texts, rows);
        self.wholes.append(later.wholes, rows);
    }

    /// Whether it may still have an order.
    pub(crate) fn may_have_order(&self) -> bool {
        self.texts.follows() || self.wholes.follows()
    }
}

/// Looks at the records of a parcel.
pub(crate) fn look(parcel: Parcel, mut wanted: Wanted, settings: &TableSettings) -> Looked {
    let mut fields: Vec<Column> = (0..wanted.width).map(|_| Column::unseen()).collect();
    for field in &wanted.ordered {
        fields[*field] = Column::default();
    }
    let mut looking = Looking {
        settings,
        room: String::new(),
        fields,
    };
    let (mut rows, mut short) = (0, 0);
    let empty = parcel.go_through(|content| {
        let Content::Row(row) = content else {
            return;
        };
        short += u64::from(row.cells.len() < wanted.width);
        wanted
            .ordered
            .retain(|field| looking.order(*field, &row, rows));
        wanted.open.retain(|field| looking.kind(*field, &row));
        rows += 1;
    });
    Looked {
        rows,
        short,
        fields: looking.fields,
        empty,
    }
}

struct Looking<'s> {
    settings: &'s TableSettings,
    /// Room for a text that is not written as it is.
    room: String,
    fields: Vec<Column>,
}

impl Looking<'_> {
    /// Looks what a field holds; says whether others may make a difference.
    fn kind(&mut self, field: usize, row: &Row<'_>) -> bool {
        let seen = match value(self.settings, &mut self.room, field, row) {
            None => Seen::NULL,
            Some(text) => Seen::of(text.as_bytes()),
        };
        let known = &mut self.fields[field].seen;
        known.add(seen);
        !known.is_settled()
    }

    /// Looks whether a field descends; says whether it may still have an order. So many rows came
    /// before.
    fn order(&mut self, field: usize, row: &Row<'_>, rows: u64) -> bool {
        let known = &mut self.fields[field];
        if let Some(text) = value(self.settings, &mut self.room, field, row) {
            if known.texts.follows() {
                known.texts.offer_text(text.as_bytes());
            }
            if known.wholes.follows() && !text.is_empty() {
                match kind::bigint(text) {
                    Some(whole) => known.wholes.offer_whole(whole),
                    None => known.wholes.lose(),
                }
            }
        }
        known.texts.settle(rows);
        known.wholes.settle(rows);
        known.may_have_order()
    }
}

/// What a field holds, if it is not null.
fn value<'v>(
    settings: &TableSettings,
    room: &'v mut String,
    field: usize,
    row: &Row<'v>,
) -> Option<&'v str> {
    let cell = row.cells.get(field)?;
    let written = row.written(*cell);
    if settings.is_null(written, cell.how) {
        return None;
    }
    if cell.how.is_plain() {
        return Some(written);
    }
    room.clear();
    settings.dialect.unescape(written, cell.how, room);
    Some(room)
}
