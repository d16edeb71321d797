//! What a table has, found out by reading all of it once.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::Schema;
use chatferry_core::source::{Order, Rows, SourceError, SourceErrorKind, Table};
use chatferry_files::{
    Broken, Cached, Finding, Found, Inquiry, Listing, Root, Tracker, Workers, beside, refused,
};

use crate::around::{self, Late};
use crate::infer::Inference;
use crate::kind::Kind;
use crate::options::TableSettings;
use crate::parcel::{Looked, Parcel};
use crate::pieces::{Event, go_through, place};
use crate::splitter::Format;
use crate::syntax::utf8;
use crate::window::At;

/// Columns that a table may have. With more, its keys are data, and no query could name them.
const MAX_COLUMNS: usize = 4096;
/// Records between two looks at whether anybody still waits for the answer.
const LOOK_EVERY: u64 = 1024;

/// Bytes of records that are looked at together.
const PARCEL: usize = 1 << 20;

/// A table as it was found.
#[derive(Debug)]
pub struct Described {
    /// What the source tells of it.
    pub table: Arc<Table>,
    /// Its columns, those that come from the path last.
    pub(crate) columns: Vec<(String, Kind)>,
    /// The files that were read.
    pub(crate) listing: Listing,
    /// What the objects around the records say behind them.
    pub(crate) late: Late,
}

/// A table of which nothing is known but its columns.
#[must_use]
pub fn declared(name: &str, columns: &[(String, Kind)]) -> Table {
    Table {
        name: name.to_owned(),
        schema: Arc::new(Schema::new(Kind::fields(columns))),
        orders: Vec::new(),
        can_order: Vec::new(),
        rows: Rows::Unknown,
        notes: Vec::new(),
    }
}

impl Described {
    /// What was found before of these files.
    fn found(name: &str, finding: Finding<Kind>, listing: Listing) -> Self {
        let schema = Schema::new(Kind::fields(&finding.columns));
        Self {
            table: Arc::new(finding.table(name, Arc::new(schema))),
            columns: finding.columns,
            listing,
            late: Late::new(),
        }
    }

    /// A table that has these columns, which are all that is read of it. Nothing is read to find
    /// out more.
    ///
    /// # Errors
    ///
    /// When its files cannot be listed.
    pub fn declared(
        name: &str,
        root: &Root,
        settings: &TableSettings,
        columns: &[(String, Kind)],
    ) -> Result<Self, SourceError> {
        Ok(Self {
            table: Arc::new(declared(name, columns)),
            columns: columns.to_vec(),
            listing: settings.list(root)?,
            late: Late::new(),
        })
    }
}

/// Reads a table through, unless that was done before. Breaks off when nobody waits for the answer any
/// more.
pub fn describe(
    name: &str,
    root: &Root,
    settings: &TableSettings,
    inquiry: &Inquiry<'_>,
) -> Result<Described, SourceError> {
    let listing = settings.list(root)?;
    let cached = inquiry.cached(&listing, settings);
    if let Some(finding) = cached.as_ref().and_then(Cached::get) {
        return Ok(Described::found(name, finding, listing));
    }
    let mut survey = Survey::new(settings);
    let mut until_look = LOOK_EVERY;
    let outcome = beside(Parcel::look, |workers| {
        let outcome = go_through(root, &listing, settings, &Late::new(), |file, event| {
            until_look -= 1;
            if until_look == 0 {
                until_look = LOOK_EVERY;
                if !inquiry.waits() {
                    let gone =
                        SourceError::new(SourceErrorKind::Failed, "describe", "nobody waits");
                    return ControlFlow::Break(gone);
                }
            }
            match survey.take(file, event, workers) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            }
        });
        // A file that breaks off has no end at which this is done.
        survey.catch_up(workers)?;
        outcome
    });
    match outcome {
        Ok(ControlFlow::Continue(())) => {}
        Ok(ControlFlow::Break(error)) => return Err(error),
        // What came before the damage can be read, so it is offered, and reading ends there.
        Err(Broken {
            error,
            damaged: true,
        }) if survey.inference.rows() > 0 => {
            survey.complete = false;
            survey.notes.push(format!(
                "{error}; the rows before it are read, then reading fails"
            ));
        }
        Err(Broken { error, .. }) => return Err(error),
    }
    let described = survey.finish(name, listing)?;
    // What stands behind the records is said by people, and does not leave their files.
    if let Some(cached) = cached.filter(|_| described.late.is_empty()) {
        cached.put(&Finding::of(&described.table, &described.columns));
    }
    Ok(described)
}

/// Who looks at records beside the reading.
type Lookers<'scope, 'env> = Workers<'scope, 'env, Parcel, Looked>;

/// What was found so far.
struct Survey<'s> {
    settings: &'s TableSettings,
    inference: Inference,
    /// Records that were not looked at yet, and room for more of them.
    parcel: Parcel,
    empty: Vec<Parcel>,
    around: around::Survey,
    late: Late,
    parts: Vec<Tracker>,
    notes: Vec<String>,
    rejected: u64,
    /// The first record that cannot be read.
    first: Option<SourceError>,
    /// Keys met where the path led nowhere, and in how many files it did.
    missed: Option<Vec<String>>,
    files_missed: u64,
    complete: bool,
    /// Of the current file.
    here: Here,
}

#[derive(Default)]
struct Here {
    name: Arc<str>,
    parts: Vec<String>,
    rows: u64,
    rejected: u64,
    /// Whether the first record stopped too early, as the first line of a longer value does.
    unfinished: bool,
}

impl<'s> Survey<'s> {
    fn new(settings: &'s TableSettings) -> Self {
        let parts = settings
            .template
            .columns()
            .iter()
            .map(|_| Tracker::default())
            .collect();
        Self {
            settings,
            inference: Inference::default(),
            parcel: Parcel::default(),
            empty: Vec::new(),
            around: around::Survey::new(Arc::clone(&settings.parents)),
            late: Late::new(),
            parts,
            notes: Vec::new(),
            rejected: 0,
            first: None,
            missed: None,
            files_missed: 0,
            complete: true,
            here: Here::default(),
        }
    }

    fn take(
        &mut self,
        file: &Found,
        event: Event<'_>,
        lookers: &mut Lookers<'_, '_>,
    ) -> Result<(), SourceError> {
        match event {
            Event::Enter => {
                self.here = Here {
                    name: Arc::clone(&file.name),
                    parts: file.parts.clone(),
                    ..Here::default()
                }
            }
            Event::Record(json, [], at) => {
                self.parcel.push(json, &[], at);
                if self.parcel.weight() >= PARCEL {
                    let next = self.empty.pop().unwrap_or_default();
                    let full = std::mem::replace(&mut self.parcel, next);
                    if let Some(looked) = lookers.give(full) {
                        self.add(looked)?;
                    }
                }
            }
            // What goes with it counts only if it is sound, so it is looked at on the way.
            Event::Record(json, values, at) => {
                match utf8(json).and_then(|json| self.inference.observe(json)) {
                    Ok(()) => {
                        self.around.take(values);
                        self.count(1)?;
                    }
                    Err(malformed) => {
                        self.here.unfinished |= self.here.rejected == 0 && malformed.unfinished;
                        self.reject(&malformed.detail(json), at);
                    }
                }
            }
            Event::Rejected(_, detail, at) => {
                self.catch_up(lookers)?;
                self.reject(&detail, at);
            }
            Event::Late(number, late) => {
                self.around.take_late(&late);
                self.late.insert(number, Arc::new(late));
            }
            Event::Leave { format, missed } => {
                self.catch_up(lookers)?;
                if let Some(keys) = missed {
                    self.files_missed += 1;
                    self.missed.get_or_insert_with(|| keys.to_vec());
                }
                let Here {
                    rows, unfinished, ..
                } = self.here;
                if format == Format::Lines && rows == 0 && unfinished {
                    return Err(pretty_printed(file));
                }
            }
        }
        Ok(())
    }

    /// Waits until everything was looked at that was read.
    fn catch_up(&mut self, lookers: &mut Lookers<'_, '_>) -> Result<(), SourceError> {
        while let Some(looked) = lookers.earliest() {
            self.add(looked)?;
        }
        let rest = std::mem::take(&mut self.parcel);
        self.add(rest.look())
    }

    /// Adds what was found in the next parcel.
    fn add(&mut self, looked: Looked) -> Result<(), SourceError> {
        if let Some(first) = looked.first {
            self.here.unfinished |= self.here.rejected == 0 && first.unfinished;
            self.reject(&first.detail, first.at);
            let others = looked.rejected - 1;
            self.rejected += others;
            self.here.rejected += others;
        }
        let rows = looked.inference.rows();
        self.inference.append(looked.inference);
        self.empty.push(looked.empty);
        self.count(rows)
    }

    fn count(&mut self, rows: u64) -> Result<(), SourceError> {
        if self.here.rows == 0 && rows > 0 {
            for (tracker, part) in self.parts.iter_mut().zip(&self.here.parts) {
                tracker.offer_text(part.as_bytes());
                tracker.settle(0);
            }
        }
        self.here.rows += rows;
        if self.inference.width() > MAX_COLUMNS {
            let reason = format!("its records have more than {MAX_COLUMNS} different keys");
            return Err(refused(&self.here.name, &reason)
                .help("its keys look like data; turn it into a list of records first"));
        }
        Ok(())
    }

    fn reject(&mut self, detail: &str, at: At) {
        self.rejected += 1;
        self.here.rejected += 1;
        if self.first.is_none() {
            let (name, reason) = (
                &self.here.name,
                format!("nothing in it is a record: {detail}"),
            );
            self.first = Some(refused(name, &reason).at(place(name, at)));
        }
    }

    fn finish(mut self, name: &str, listing: Listing) -> Result<Described, SourceError> {
        let rows = self.inference.rows();
        if rows == 0
            && let Some(first) = self.first
        {
            return Err(first.help(
                "a record is a JSON object, on a line of its own or in an array; \
                 where the array is within an object, `records` names its key",
            ));
        }
        if let Some(keys) = &self.missed {
            let path = self.settings.records.join(".");
            if rows == 0 && !self.settings.optional {
                return Err(misled(&listing, &path, keys));
            }
            let files = self.files_missed;
            let noun = if files == 1 {
                "1 file has"
            } else {
                &format!("{files} files have")
            };
            self.notes.push(format!("{noun} nothing at `{path}`"));
        }
        if rows == 0 {
            self.notes.push(match listing.files.as_slice() {
                [] => format!(
                    "there is no {}, so the table is empty",
                    self.settings.template.written()
                ),
                [file] => format!("{} has no records", file.name),
                files => format!("none of its {} files has records", files.len()),
            });
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
        let declared = &self.settings.schema;
        let mut columns = self.inference.columns(declared, &mut self.notes);
        let mut orders = self.inference.ordered(&columns);
        for (name, kind) in self.around.columns(&mut self.notes) {
            if columns.iter().any(|(column, _)| *column == name) {
                let what = format!("the column `{name}` of `parents`");
                return Err(collision(self.settings.template.written(), &name, &what));
            }
            columns.push((name, kind));
        }
        for (part, tracker) in self.settings.template.columns().iter().zip(&self.parts) {
            if columns.iter().any(|(column, _)| column == part) {
                let what = format!("the placeholder `{{{part}}}`");
                return Err(collision(self.settings.template.written(), part, &what));
            }
            columns.push((part.clone(), Kind::Text));
            if tracker.held() {
                orders.push(part.clone());
            }
        }
        // A record that does not fit what is declared is only noticed when it is read.
        let known = self.complete && declared.is_empty();
        let schema = Arc::new(Schema::new(Kind::fields(&columns)));
        let table = Table {
            name: name.to_owned(),
            schema,
            orders: orders
                .into_iter()
                .map(|column| Order::by([column]))
                .collect(),
            can_order: Vec::new(),
            rows: if known {
                Rows::Exactly(rows)
            } else {
                Rows::Unknown
            },
            notes: self.notes,
        };
        Ok(Described {
            table: Arc::new(table),
            columns,
            listing,
            late: self.late,
        })
    }
}

fn pretty_printed(file: &Found) -> SourceError {
    refused(
        &file.name,
        "none of its lines is a record by itself; it is one JSON value over many lines",
    )
    .at(place(&file.name, At { line: 1, byte: 0 }))
    .help(
        "set `format = \"document\"`, and `records` to the key of the array that holds the records",
    )
}

fn misled(listing: &Listing, path: &str, keys: &[String]) -> SourceError {
    let name = listing.files.first().map_or("", |file| &file.name);
    let error = refused(name, &format!("`{path}` leads to nothing"));
    if keys.is_empty() {
        return error
            .help("check `records`: it names the keys on the way to the array, with dots between");
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    error.help(format!(
        "check `records`; the keys on the way are {}",
        keys.join(", ")
    ))
}

fn collision(template: &str, column: &str, what: &str) -> SourceError {
    let reason = format!("the records have a field `{column}`, as {what} is called, too");
    SourceError::new(
        SourceErrorKind::Pipeline,
        format!("read {template}"),
        reason,
    )
    .help(format!("give {what} another name"))
}
