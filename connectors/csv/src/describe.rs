//! What a table has, found out by reading all of it once.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::Schema;
use chatferry_core::source::{Order, Rows, SourceError, SourceErrorKind, Table};
use chatferry_files::{
    Broken, Cached, Finding, Found, Inquiry, Listing, Root, Tracker, Workers, beside, refused,
};

use crate::kind::Kind;
use crate::look::{Column, Looked, Wanted, look};
use crate::parcel::Parcel;
use crate::pieces::{Event, go_through, place};
use crate::settings::TableSettings;
use crate::window::At;

/// Records between two looks at whether anybody still waits for the answer.
const LOOK_EVERY: u64 = 4096;
/// Bytes of records that are looked at together.
const PARCEL: usize = 1 << 20;

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

impl Described {
    /// What was found before of these files.
    fn found(name: &str, finding: Finding<Kind>, listing: Listing) -> Self {
        let fields = finding.columns.iter().map(|(name, kind)| kind.field(name));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        Self {
            table: Arc::new(finding.table(name, Arc::new(schema))),
            columns: finding.columns,
            listing,
        }
    }
}

/// Reads a table through, unless that was done before. Breaks off when nobody waits for the answer any
/// more.
pub(crate) fn describe(
    name: &str,
    root: &Root,
    settings: &TableSettings,
    inquiry: &Inquiry<'_>,
) -> Result<Described, SourceError> {
    let listing = root.list(&settings.template)?;
    let cached = inquiry.cached(&listing, settings);
    if let Some(finding) = cached.as_ref().and_then(Cached::get) {
        return Ok(Described::found(name, finding, listing));
    }
    let mut survey = Survey::new(settings);
    let mut until_look = LOOK_EVERY;
    let looked = |(parcel, wanted)| look(parcel, wanted, settings);
    let outcome = beside(looked, |workers| {
        let outcome = go_through(root, &listing, settings, |file, event| {
            until_look -= 1;
            if until_look == 0 {
                until_look = LOOK_EVERY;
                if !inquiry.waits() {
                    let gone =
                        SourceError::new(SourceErrorKind::Failed, "describe", "nobody waits");
                    return ControlFlow::Break(gone);
                }
            }
            survey.take(file, event, workers);
            ControlFlow::Continue(())
        });
        survey.catch_up(workers);
        outcome
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
    let described = survey.finish(name, listing)?;
    if let Some(cached) = cached {
        cached.put(&Finding::of(&described.table, &described.columns));
    }
    Ok(described)
}

/// Who looks at records beside the reading.
type Lookers<'scope, 'env> = Workers<'scope, 'env, (Parcel, Wanted), Looked>;

/// What was found so far.
struct Survey<'s> {
    settings: &'s TableSettings,
    columns: Vec<Known>,
    index: HashMap<String, usize>,
    /// The column of each field of the current file.
    fields: Vec<usize>,
    /// Those of these fields that make a difference.
    wanted: Wanted,
    /// Records that were not looked at yet, and room for more of them.
    parcel: Parcel,
    empty: Vec<Parcel>,
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
    holds: Column,
    files: usize,
}

impl<'s> Survey<'s> {
    fn new(settings: &'s TableSettings) -> Self {
        Self {
            settings,
            columns: Vec::new(),
            index: HashMap::new(),
            fields: Vec::new(),
            wanted: Wanted::default(),
            parcel: Parcel::default(),
            empty: Vec::new(),
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

    fn take(&mut self, file: &Found, event: Event<'_>, lookers: &mut Lookers<'_, '_>) {
        match event {
            Event::Enter(names) => {
                self.catch_up(lookers);
                self.enter(names);
            }
            Event::Record(record) => {
                if !self.entered {
                    self.entered = true;
                    for (tracker, part) in self.parts.iter_mut().zip(&file.parts) {
                        tracker.offer_text(part.as_bytes());
                        tracker.settle(0);
                    }
                }
                self.parcel.push(&record);
                if self.parcel.weight() >= PARCEL {
                    let next = self.empty.pop().unwrap_or_default();
                    let full = std::mem::replace(&mut self.parcel, next);
                    if let Some(looked) = lookers.give((full, self.wanted.clone())) {
                        self.add(looked);
                    }
                }
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
                    holds: Column::default(),
                    files: 0,
                });
                self.columns.len() - 1
            });
            self.columns[column].files += 1;
            self.fields.push(column);
        }
        self.wanted = Wanted {
            width: names.len(),
            open: (0..names.len()).collect(),
            ordered: (0..names.len()).collect(),
        };
        self.entered = false;
        self.close();
    }

    /// Leaves out of the fields that are looked at those that make no difference any more.
    fn close(&mut self) {
        let (columns, fields) = (&self.columns, &self.fields);
        let known = |field: &usize| &columns[fields[*field]];
        self.wanted.open.retain(|field| {
            let known = known(field);
            known.declared.is_none() && !known.holds.seen.is_settled()
        });
        let may_have_order = |field: &usize| known(field).holds.may_have_order();
        self.wanted.ordered.retain(may_have_order);
    }

    /// Waits until everything was looked at that was read.
    fn catch_up(&mut self, lookers: &mut Lookers<'_, '_>) {
        while let Some(looked) = lookers.earliest() {
            self.add(looked);
        }
        let rest = std::mem::take(&mut self.parcel);
        self.add(look(rest, self.wanted.clone(), self.settings));
    }

    /// Adds what was found in the next parcel.
    fn add(&mut self, looked: Looked) {
        for (field, found) in looked.fields.into_iter().enumerate() {
            let known = &mut self.columns[self.fields[field]];
            known.holds.append(found, self.rows);
        }
        self.rows += looked.rows;
        self.short += looked.short;
        self.empty.push(looked.empty);
        self.close();
    }

    fn reject(&mut self, file: &Found, detail: &str, at: At) {
        self.rejected += 1;
        if self.first.is_none() {
            let reason = format!("none of its records can be read: {detail}");
            self.first = Some(refused(&file.name, &reason).at(place(&file.name, at)));
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
                let (kind, looks_like_numbers) = known.holds.seen.kind();
                if looks_like_numbers {
                    self.notes.push(format!(
                        "`{name}` holds numbers that no number is written as, such as with zeros before \
                         or behind; it is read as text, as written, unless `schema` says otherwise"
                    ));
                }
                kind
            });
            let ordered = match kind {
                Kind::Text => known.holds.texts.held(),
                Kind::Bigint => known.holds.wholes.held(),
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
