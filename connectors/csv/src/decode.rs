//! Records into rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use chatferry_core::source::{Batch, Scan};

use crate::column::Column;
use crate::describe::Described;
use crate::parcel::{Content, From, Parcel, Row, rejected};
use crate::settings::TableSettings;

/// Makes batches of parcels, one after the other.
pub(crate) struct Decoder<'s> {
    settings: &'s TableSettings,
    described: &'s Described,
    schema: SchemaRef,
    /// The columns that are wanted, each once, with their places among those of the table.
    columns: Vec<(usize, Column)>,
    /// Where each column of the batch stands among them.
    wanted: Vec<usize>,
    /// For each of them the field of the current file, or else what its path says, or else nothing.
    origins: Vec<Origin>,
    /// How many rows there are, those included that will be left out.
    rows: usize,
    /// Which rows are of records that have something of another kind.
    unsound: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Origin {
    Field(usize),
    Path(String),
    Nothing,
}

impl<'s> Decoder<'s> {
    /// One for what is wanted of a table.
    pub(crate) fn new(settings: &'s TableSettings, described: &'s Described, scan: &Scan) -> Self {
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
            schema: scan.schema(),
            origins: vec![Origin::Nothing; columns.len()],
            columns,
            wanted,
            rows: 0,
            unsound: Vec::new(),
        }
    }

    /// Makes a batch of a parcel's records, and gives the parcel back to be filled again.
    pub(crate) fn decode(&mut self, parcel: Parcel) -> (Batch, Parcel) {
        let (mut others, mut file) = (Vec::new(), None);
        let empty = parcel.go_through(|content| match content {
            Content::Enter(from) => {
                self.enter(from);
                file = Some(Arc::clone(&from.name));
            }
            Content::Row(row) => {
                if let Err(detail) = self.push(&row) {
                    let file = file.as_ref().expect("records are in files");
                    others.push(rejected("type-mismatch", detail, file, row.at));
                }
            }
            Content::Rejected(row) => others.push(row),
        });
        let batch = Batch {
            rows: self.finish(),
            rejected: others,
        };
        (batch, empty)
    }

    fn enter(&mut self, file: &From) {
        let fields: HashMap<&str, usize> = file
            .columns
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

    /// Appends a record as a row. What one field cannot hold is told, and the row left out at the end.
    fn push(&mut self, row: &Row<'_>) -> Result<(), String> {
        let (settings, dialect) = (self.settings, &self.settings.dialect);
        let mut mismatch = None;
        for ((at, column), origin) in self.columns.iter_mut().zip(&self.origins) {
            match origin {
                Origin::Path(text) => column.push_text(text),
                Origin::Nothing => column.push_null(),
                Origin::Field(field) => {
                    let Some(cell) = row.cells.get(*field) else {
                        column.push_null();
                        continue;
                    };
                    let written = row.written(*cell);
                    if settings.is_null(written, cell.how) {
                        column.push_null();
                    } else if column.push(written, cell.how, dialect).is_err() {
                        mismatch.get_or_insert(*at);
                    }
                }
            }
        }
        self.rows += 1;
        let Some(at) = mismatch else { return Ok(()) };
        self.unsound.push(self.rows - 1);
        let (name, kind) = &self.described.columns[at];
        Err(format!("`{name}` is not {}", kind.name()))
    }

    fn finish(&mut self) -> RecordBatch {
        let rows = std::mem::take(&mut self.rows);
        let columns: Vec<_> = self
            .columns
            .iter_mut()
            .map(|(_, column)| column.finish())
            .collect();
        let wanted = self.wanted.iter().map(|at| Arc::clone(&columns[*at]));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, wanted.collect(), &options)
            .expect("the columns were made from the schema");
        if self.unsound.is_empty() {
            return batch;
        }
        let mut sound = vec![true; rows];
        self.unsound.drain(..).for_each(|row| sound[row] = false);
        filter_record_batch(&batch, &sound.into()).expect("there is a mark for each row")
    }
}
