//! What a table has, found out by reading all of it once.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::Schema;
use chatferry_core::source::{Order, Rows, SourceError, SourceErrorKind, Table};
use chatferry_files::{Broken, Found, Listing, Root, Tracker, refused};

use crate::infer::Seen;
use crate::kind::{self, Kind};
use crate::pieces::{Event, go_through, place};
use crate::records::Record;
use crate::settings::TableSettings;
use crate::window::At;

/// Records between two looks at whether anybody still waits for the answer.
const LOOK_EVERY: u64 = 4096;

/// A table as it was found.
#[derive(Debug)]
pub(crate) struct Described {
    /// What the source tells of it.
    pub(crate) table: Arc<Table>,
    /// Its columns, those that come from the path last.
    pub(crate) columns: Vec<(String, Kind)>,
    /// The files that were read.
    pub(crate) listing: Listing,
}

/// Reads a table through. Breaks off when nobody `waits` any more.
pub(crate) fn describe(
    name: &str,
    root: &Root,
    settings: &TableSettings,
    waits: &dyn Fn() -> bool,
) -> Result<Described, SourceError> {
    let listing = root.list(&settings.template)?;
    let mut survey = Survey::new(settings);
    let mut until_look = LOOK_EVERY;
    let outcome = go_through(root, &listing, settings, |file, event| {
        until_look -= 1;
        if until_look == 0 {
            until_look = LOOK_EVERY;
            if !waits() {
                let gone = SourceError::new(SourceErrorKind::Failed, "describe", "nobody waits");
                return ControlFlow::Break(gone);
            }
        }
        match survey.take(file, event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    });
    match outcome {
        Ok(ControlFlow::Continue(())) => {}
        Ok(ControlFlow::Break(error)) => return Err(error),
        // What came before the damage can be read, so it is offered, and reading ends there.
        Err(Broken {
            error,
            damaged: true,
        }) if survey.rows > 0 => {
            survey.complete = false;
            survey.notes.push(format!(
                "{error}; the rows before it are read, then reading fails"
            ));
        }
        Err(Broken { error, .. }) => return Err(error),
    }
    survey.finish(name, listing)
}

/// What was found so far.
struct Survey<'s> {
    settings: &'s TableSettings,
    columns: Vec<Known>,
    index: HashMap<String, usize>,
    /// The column of each field of the current file.
    fields: Vec<usize>,
    /// The fields of the current file whose columns are not settled.
    open: Vec<usize>,
    /// Those whose columns may have an order.
    ordered: Vec<usize>,
    /// The order of what the paths of the files say, and whether it was looked at for this one.
    parts: Vec<Tracker>,
    entered: bool,
    notes: Vec<String>,
    rows: u64,
    rejected: u64,
    short: u64,
    /// The first record that cannot be read.
    first: Option<SourceError>,
    complete: bool,
    files: usize,
}

struct Known {
    name: String,
    /// What it is declared to hold.
    declared: Option<Kind>,
    seen: Seen,
    files: usize,
    /// Whether its texts ever descend, and its whole numbers, as long as they are some.
    texts: Tracker,
    wholes: Tracker,
}

impl<'s> Survey<'s> {
    fn new(settings: &'s TableSettings) -> Self {
        Self {
            settings,
            columns: Vec::new(),
            index: HashMap::new(),
            fields: Vec::new(),
            open: Vec::new(),
            ordered: Vec::new(),
            parts: settings
                .template
                .columns()
                .iter()
                .map(|_| Tracker::default())
                .collect(),
            entered: false,
            notes: Vec::new(),
            rows: 0,
            rejected: 0,
            short: 0,
            first: None,
            complete: true,
            files: 0,
        }
    }

    fn take(&mut self, file: &Found, event: Event<'_>) -> Result<(), SourceError> {
        match event {
            Event::Enter(names) => self.enter(names),
            Event::Record(record) => {
                if !self.entered {
                    self.entered = true;
                    for (tracker, part) in self.parts.iter_mut().zip(&file.parts) {
                        tracker.offer_text(part.as_bytes());
                        tracker.settle(0);
                    }
                }
                self.order(&record);
                self.observe(&record);
            }
            Event::Rejected(_, detail, at) => self.reject(file, &detail, at),
            Event::Leave(Some(other)) => self.notes.push(format!(
                "{} has one column; is {} what stands between its fields? then set `delimiter`",
                file.name,
                match other {
                    '\t' => "a tab".to_owned(),
                    other => format!("`{other}`"),
                }
            )),
            Event::Leave(None) => {}
        }
        Ok(())
    }

    fn enter(&mut self, names: &[String]) {
        self.files += 1;
        self.fields.clear();
        for name in names {
            let column = *self.index.entry(name.clone()).or_insert_with(|| {
                let mut declared = self.settings.schema.iter();
                let declared = declared.find(|(declared, _)| declared == name);
                self.columns.push(Known {
                    name: name.clone(),
                    declared: declared.map(|(_, kind)| kind.clone()),
                    seen: Seen::default(),
                    files: 0,
                    texts: Tracker::default(),
                    wholes: Tracker::default(),
                });
                self.columns.len() - 1
            });
            self.columns[column].files += 1;
            self.fields.push(column);
        }
        self.open = (0..names.len()).collect();
        self.ordered.clone_from(&self.open);
        self.entered = false;
        self.close();
    }

    /// Leaves out of the fields that are looked at those that make no difference any more.
    fn close(&mut self) {
        let (columns, fields) = (&self.columns, &self.fields);
        self.open.retain(|field| {
            let known = &columns[fields[*field]];
            known.declared.is_none() && !known.seen.is_settled()
        });
    }

    fn observe(&mut self, record: &Record<'_>) {
        self.rows += 1;
        self.short += u64::from(record.cells.len() < self.fields.len());
        let mut settled = false;
        for field in &self.open {
            let seen = match record.cells.get(*field) {
                None => Seen::NULL,
                Some(cell) => {
                    let written = record.written(*cell);
                    match self.settings.is_null(written, cell.how) {
                        true => Seen::NULL,
                        false if cell.how.is_plain() => Seen::of(written),
                        false => {
                            let mut text = Vec::new();
                            self.settings.dialect.unescape(written, cell.how, &mut text);
                            Seen::of(&text)
                        }
                    }
                }
            };
            let known = &mut self.columns[self.fields[*field]];
            known.seen.add(seen);
            settled |= known.seen.is_settled();
        }
        if settled {
            self.close();
        }
    }

    /// Follows the columns that never descended so far.
    fn order(&mut self, record: &Record<'_>) {
        let (settings, columns, rows) = (self.settings, &mut self.columns, self.rows);
        let fields = &self.fields;
        self.ordered.retain(|field| {
            let known = &mut columns[fields[*field]];
            if let Some(cell) = record.cells.get(*field) {
                let written = record.written(*cell);
                let mut room = Vec::new();
                let text = match cell.how.is_plain() {
                    true => written,
                    false => {
                        settings.dialect.unescape(written, cell.how, &mut room);
                        &room
                    }
                };
                if !settings.is_null(written, cell.how) {
                    if known.texts.follows() {
                        known.texts.offer_text(text);
                    }
                    if known.wholes.follows() && !text.is_empty() {
                        match str::from_utf8(text).ok().and_then(kind::bigint) {
                            Some(whole) => known.wholes.offer_whole(whole),
                            None => known.wholes.lose(),
                        }
                    }
                }
            }
            known.texts.settle(rows);
            known.wholes.settle(rows);
            known.texts.follows() || known.wholes.follows()
        });
    }

    fn reject(&mut self, file: &Found, detail: &str, at: At) {
        self.rejected += 1;
        if self.first.is_none() {
            let reason = format!("none of its records can be read: {detail}");
            self.first = Some(refused(&file.name, &reason).at(place(file, at)));
        }
    }

    fn finish(mut self, name: &str, listing: Listing) -> Result<Described, SourceError> {
        if self.rows == 0
            && let Some(first) = self.first
        {
            return Err(first.help(
                "check `delimiter`, `quote`, `header` and `encoding`: together they must fit the file",
            ));
        }
        if self.columns.is_empty() {
            self.notes.push("it has no header and no rows".to_owned());
        }
        match self.rejected {
            0 => {}
            1 => self
                .notes
                .push("1 record cannot be read, and will be rejected".into()),
            more => self.notes.push(format!(
                "{more} records cannot be read, and will be rejected"
            )),
        }
        match self.short {
            0 => {}
            1 => self.notes.push(
                "1 record has fewer fields than there are columns; the others are null".into(),
            ),
            more => self.notes.push(format!(
                "{more} records have fewer fields than there are columns; the others are null"
            )),
        }
        let (mut columns, mut orders) = (Vec::new(), Vec::new());
        for known in &self.columns {
            let name = &known.name;
            if known.files < self.files {
                self.notes.push(format!(
                    "{} of {} files have a column `{name}`; it is null in the others",
                    known.files, self.files
                ));
            }
            let kind = known.declared.clone().unwrap_or_else(|| {
                let (kind, looks_like_numbers) = known.seen.kind();
                if looks_like_numbers {
                    self.notes.push(format!(
                        "`{name}` holds numbers that no number is written as, such as with zeros before \
                         or behind; it is read as text, as written, unless `schema` says otherwise"
                    ));
                }
                kind
            });
            let ordered = match kind {
                Kind::Text => known.texts.held(),
                Kind::Bigint => known.wholes.held(),
                _ => false,
            };
            if ordered {
                orders.push(Order::by([name.as_str()]));
            }
            columns.push((name.clone(), kind));
        }
        for (name, _) in &self.settings.schema {
            if !self.index.contains_key(name) {
                return Err(unknown(name, &self.columns, &self.settings.template));
            }
        }
        for (part, tracker) in self.settings.template.columns().iter().zip(&self.parts) {
            if self.index.contains_key(part) {
                return Err(collision(self.settings.template.written(), part));
            }
            columns.push((part.clone(), Kind::Text));
            if tracker.held() {
                orders.push(Order::by([part.as_str()]));
            }
        }
        let fields = columns.iter().map(|(name, kind)| kind.field(name));
        // A record that does not fit what is declared is only noticed when it is read.
        let known = self.complete && self.settings.schema.is_empty();
        let table = Table {
            name: name.to_owned(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            orders,
            can_order: Vec::new(),
            rows: match known {
                true => Rows::Exactly(self.rows),
                false => Rows::About(self.rows),
            },
            notes: self.notes,
        };
        Ok(Described {
            table: Arc::new(table),
            columns,
            listing,
        })
    }
}

fn unknown(name: &str, columns: &[Known], template: &chatferry_files::Template) -> SourceError {
    let names = columns.iter().map(|known| format!("`{}`", known.name));
    let names = names.collect::<Vec<_>>().join(", ");
    let reason = format!("`schema` says what `{name}` holds, and there is no such column");
    let doing = format!("read {}", template.written());
    SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help(format!("the columns are {names}"))
}

fn collision(template: &str, part: &str) -> SourceError {
    let reason = format!("the files have a column `{part}`, which the path sets, too");
    SourceError::new(
        SourceErrorKind::Pipeline,
        format!("read {template}"),
        reason,
    )
    .help(format!("give the placeholder `{{{part}}}` another name"))
}
