//! The rows of a table, pulled as fast as they are taken.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, Scan, SourceError};
use chatferry_files::{Broken, Consumer, Found, Gone, Root, changed};

use crate::column::Column;
use crate::describe::Described;
use crate::pieces::{Event, go_through, place};
use crate::records::Record;
use crate::settings::TableSettings;
use crate::window::At;

/// Bytes that a batch holds, roughly, even when it could have more rows.
const BATCH_BYTES: usize = 4 << 20;
/// Rejected rows that a batch holds.
const BATCH_REJECTED: usize = 1024;

/// Gives the rows of a table, until they end or nobody takes them.
pub(crate) fn read(
    root: &Root,
    settings: &TableSettings,
    described: &Described,
    scan: &Scan,
    consumer: &Consumer,
) -> Result<ControlFlow<Gone>, SourceError> {
    // Listed again, so that what has changed is noticed before anything is read.
    let same = root.list(&settings.template).ok().as_ref() == Some(&described.listing);
    if !same || scan.table.schema != described.table.schema {
        return Err(changed(settings.template.written()));
    }
    let mut rows = Rows::new(settings, described, scan, consumer);
    let outcome = go_through(root, &described.listing, settings, |file, event| {
        rows.take(file, event)
    });
    let failure = match outcome {
        Ok(ControlFlow::Continue(()) | ControlFlow::Break(Stop::Enough)) => None,
        Ok(ControlFlow::Break(Stop::Gone)) => return Ok(ControlFlow::Break(Gone)),
        Ok(ControlFlow::Break(Stop::Changed(name))) => Some(changed(&name)),
        Err(Broken { error, .. }) => Some(error),
    };
    if let ControlFlow::Break(gone) = rows.flush() {
        return Ok(ControlFlow::Break(gone));
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(ControlFlow::Continue(())),
    }
}

/// Why reading ends before the files do.
enum Stop {
    /// Nobody takes the rows any more.
    Gone,
    /// As many as were wanted were given.
    Enough,
    /// This file has changed.
    Changed(Arc<str>),
}

/// What was read and not yet given.
struct Rows<'s> {
    settings: &'s TableSettings,
    described: &'s Described,
    consumer: &'s Consumer,
    schema: SchemaRef,
    /// The columns that are wanted, each once, with their places among those of the table.
    columns: Vec<(usize, Column)>,
    /// Where each column of the batch stands among them.
    wanted: Vec<usize>,
    /// For each of them the field of the current file, or else what its path says, or else nothing.
    origins: Vec<Origin>,
    rows: usize,
    given: usize,
    limit: Option<usize>,
    most: usize,
    /// Bytes of records since the batch was last weighed.
    passed: usize,
    rejected: Vec<RejectedRow>,
}

#[derive(Clone, Debug)]
enum Origin {
    Field(usize),
    Path(String),
    Nothing,
}

impl<'s> Rows<'s> {
    fn new(
        settings: &'s TableSettings,
        described: &'s Described,
        scan: &Scan,
        consumer: &'s Consumer,
    ) -> Self {
        let mut columns: Vec<(usize, Column)> = Vec::new();
        let mut wanted = Vec::new();
        for at in &scan.columns {
            let known = columns.iter().position(|(known, _)| known == at);
            wanted.push(known.unwrap_or_else(|| {
                columns.push((*at, Column::new(&described.columns[*at].1)));
                columns.len() - 1
            }));
        }
        Self {
            settings,
            described,
            consumer,
            schema: scan.schema(),
            origins: vec![Origin::Nothing; columns.len()],
            columns,
            wanted,
            rows: 0,
            given: 0,
            limit: scan.limit,
            most: scan.rows_per_batch.max(1),
            passed: 0,
            rejected: Vec::new(),
        }
    }

    fn take(&mut self, file: &Found, event: Event<'_>) -> ControlFlow<Stop> {
        match event {
            Event::Enter(names) => {
                self.enter(file, names);
                return ControlFlow::Continue(());
            }
            Event::Record(record) => {
                self.passed += record.bytes.len();
                match self.push(&record) {
                    Ok(()) => self.rows += 1,
                    Err(detail) => self.reject("type-mismatch", detail, file, record.at),
                }
            }
            Event::Rejected(rule, detail, at) => self.reject(rule, detail, file, at),
            Event::Leave(_) if file.has_changed() => {
                return ControlFlow::Break(Stop::Changed(Arc::clone(&file.name)));
            }
            Event::Leave(_) => return ControlFlow::Continue(()),
        }
        if self
            .limit
            .is_some_and(|limit| self.given + self.rows >= limit)
        {
            return ControlFlow::Break(Stop::Enough);
        }
        match self.is_full() {
            true => self.flush().map_break(|_| Stop::Gone),
            false => ControlFlow::Continue(()),
        }
    }

    fn enter(&mut self, file: &Found, names: &[String]) {
        let fields: HashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        let parts = self.settings.template.columns();
        let origin = |at: usize| {
            let name = &self.described.columns[at].0;
            if let Some(part) = parts.iter().position(|part| part == name) {
                return Origin::Path(file.parts[part].clone());
            }
            fields
                .get(name.as_str())
                .map_or(Origin::Nothing, |field| Origin::Field(*field))
        };
        self.origins = self.columns.iter().map(|(at, _)| origin(*at)).collect();
    }

    /// Appends a record as a row, or nothing.
    fn push(&mut self, record: &Record<'_>) -> Result<(), String> {
        let (settings, dialect) = (self.settings, &self.settings.dialect);
        for ((at, column), origin) in self.columns.iter_mut().zip(&self.origins) {
            match origin {
                Origin::Path(text) => column.push_text(text),
                Origin::Nothing => column.push_null(),
                Origin::Field(field) => {
                    let Some(cell) = record.cells.get(*field) else {
                        column.push_null();
                        continue;
                    };
                    let written = record.written(*cell);
                    if settings.is_null(written, cell.how) {
                        column.push_null();
                    } else if column.push(written, cell.how, dialect).is_err() {
                        let (name, kind) = &self.described.columns[*at];
                        let detail = format!("`{name}` is not {}", kind.name());
                        let rows = self.rows;
                        self.columns
                            .iter_mut()
                            .for_each(|(_, column)| column.truncate(rows));
                        return Err(detail);
                    }
                }
            }
        }
        Ok(())
    }

    fn reject(&mut self, rule: &'static str, detail: String, file: &Found, at: At) {
        self.rejected.push(RejectedRow {
            rule: rule.into(),
            detail,
            id: None,
            place: Some(place(file, at)),
        });
    }

    fn is_full(&mut self) -> bool {
        if self.passed >= BATCH_BYTES {
            // No more is held than was read, so it need not be weighed more often.
            let bytes = self.columns.iter().map(|(_, column)| column.bytes()).sum();
            if bytes >= BATCH_BYTES {
                return true;
            }
            self.passed = bytes;
        }
        self.rows >= self.most || self.rejected.len() >= BATCH_REJECTED
    }

    fn flush(&mut self) -> ControlFlow<Gone> {
        self.passed = 0;
        if self.rows == 0 && self.rejected.is_empty() {
            return ControlFlow::Continue(());
        }
        let rows = std::mem::take(&mut self.rows);
        self.given += rows;
        let columns: Vec<_> = self
            .columns
            .iter_mut()
            .map(|(_, column)| column.finish())
            .collect();
        let wanted = self.wanted.iter().map(|at| Arc::clone(&columns[*at]));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        let rows = RecordBatch::try_new_with_options(schema, wanted.collect(), &options)
            .expect("the columns were made from the schema");
        self.consumer.give(Batch {
            rows,
            rejected: std::mem::take(&mut self.rejected),
        })
    }
}
