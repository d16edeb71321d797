//! The rows of one page, as they arrive.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use chatferry_core::place::Place;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::Batch;
use sqlx::mysql::MySqlRow;
use sqlx::{Column as _, Row as _};

use crate::decode::{Decoder, Unreadable, decoder};
use crate::key::{Key, KeyValue, sent};
use crate::settings::Reading;
use crate::types::Type;

/// What a value costs besides its bytes, roughly.
const VALUE_BYTES: usize = 8;

/// What the rows of a scan look like.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) table: String,
    /// Of the columns that are wanted.
    pub(crate) schema: SchemaRef,
    /// The columns that are decoded: those that are wanted, then those that are only looked at.
    pub(crate) columns: Vec<(String, Type)>,
    pub(crate) key: Option<Key>,
    /// Where the columns of the key are among the items.
    pub(crate) key_items: Vec<usize>,
    pub(crate) reading: Reading,
}

/// Why rows cannot be used, although the server sent them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// This column has another type than when it was described.
    Changed(String),
    /// This column of the key is null.
    NullInKey(String),
    /// This column of the key has a value that cannot be compared with.
    Key(String),
    /// Two rows have the same key, in the server's eyes.
    SameKey,
}

/// The rows of one page, as they arrive.
pub(crate) struct Arriving<'l> {
    layout: &'l Layout,
    decoders: Vec<Box<dyn Decoder>>,
    /// Whether each row can be read.
    sound: Vec<bool>,
    rejected: Vec<(usize, RejectedRow)>,
    bytes: usize,
    last: Option<MySqlRow>,
    /// The first of the rows at the end that share one key.
    last_key_from: usize,
    /// The item that says whether a row has the key that the last page ended with.
    again: Option<usize>,
    came_again: bool,
}

impl<'l> Arriving<'l> {
    pub(crate) fn new(layout: &'l Layout, again: Option<usize>) -> Self {
        let decoders = layout.columns.iter();
        Self {
            layout,
            decoders: decoders
                .map(|(_, of)| decoder(*of, layout.reading))
                .collect(),
            sound: Vec::new(),
            rejected: Vec::new(),
            bytes: 0,
            last: None,
            last_key_from: 0,
            again,
            came_again: false,
        }
    }

    /// Bytes that they hold, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the next row.
    pub(crate) fn take(&mut self, row: MySqlRow) -> Result<(), Trouble> {
        match &self.last {
            None => self.look_at_types(&row)?,
            Some(last) => {
                let mut items = self.layout.key_items.iter();
                if !items.all(|item| sent(last, *item) == sent(&row, *item)) {
                    self.last_key_from = self.sound.len();
                }
            }
        }
        if let Some(key) = &self.layout.key {
            for (column, item) in key.columns.iter().zip(&self.layout.key_items) {
                if column.nullable && sent(&row, *item).is_none() {
                    return Err(Trouble::NullInKey(column.name.clone()));
                }
            }
        }
        let again = self.again.and_then(|item| sent(&row, item));
        if again.is_some_and(|flag| flag.iter().any(|byte| *byte != 0)) {
            if self.came_again {
                return Err(Trouble::SameKey);
            }
            self.came_again = true;
            self.last = Some(row);
            return Ok(());
        }
        let mut unreadable = None;
        for (item, decoder) in self.decoders.iter_mut().enumerate() {
            let sent = sent(&row, item);
            self.bytes += VALUE_BYTES + sent.map_or(0, <[u8]>::len);
            if let Err(why) = decoder.push(sent) {
                unreadable.get_or_insert((item, why));
            }
        }
        if let Some((item, why)) = unreadable {
            self.reject(&row, item, why)?;
        }
        self.sound.push(unreadable.is_none());
        self.last = Some(row);
        Ok(())
    }

    fn look_at_types(&self, row: &MySqlRow) -> Result<(), Trouble> {
        for ((name, known), column) in self.layout.columns.iter().zip(row.columns()) {
            if !known.fits(column.type_info()) {
                return Err(Trouble::Changed(name.clone()));
            }
        }
        Ok(())
    }

    fn reject(&mut self, row: &MySqlRow, item: usize, why: Unreadable) -> Result<(), Trouble> {
        let name = &self.layout.columns[item].0;
        if why == Unreadable::Another {
            return Err(Trouble::Changed(name.clone()));
        }
        let table = &self.layout.table;
        let place = match &self.layout.key {
            None => table.clone(),
            Some(key) => key.place(table, &self.values(key, row)?),
        };
        let row = RejectedRow {
            rule: "unreadable-value".into(),
            detail: format!("`{name}` holds {why}"),
            id: None,
            place: Some(Place {
                file: place.into(),
                line: None,
                byte: None,
            }),
        };
        self.rejected.push((self.sound.len(), row));
        Ok(())
    }

    fn values(&self, key: &Key, row: &MySqlRow) -> Result<Vec<KeyValue>, Trouble> {
        let columns = key.columns.iter().zip(&self.layout.key_items);
        let value = |(column, item): (&crate::key::KeyColumn, &usize)| {
            let value = sent(row, *item).and_then(|sent| column.value(sent));
            value.ok_or_else(|| Trouble::Key(column.name.clone()))
        };
        columns.map(value).collect()
    }

    /// The page of all rows that have arrived.
    pub(crate) fn finish(mut self, cut: bool) -> Result<Page, Trouble> {
        let last_key = match (&self.layout.key, &self.last) {
            (Some(key), Some(row)) => self.values(key, row)?,
            _ => Vec::new(),
        };
        let schema = Arc::clone(&self.layout.schema);
        let wanted = self.decoders.iter_mut().take(schema.fields().len());
        let columns = wanted.map(|decoder| decoder.finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.sound.len()));
        let rows = RecordBatch::try_new_with_options(schema, columns, &options)
            .expect("each decoder makes a column of its type");
        Ok(Page {
            rows,
            arrived: self.sound.len() + usize::from(self.came_again),
            sound: self.sound,
            rejected: self.rejected,
            bytes: self.bytes,
            cut,
            last_key,
            last_key_from: self.last_key_from,
        })
    }
}

/// One page, read to its end.
pub(crate) struct Page {
    rows: RecordBatch,
    /// How many rows arrived, with the one that came again.
    pub(crate) arrived: usize,
    /// Whether each row can be read.
    sound: Vec<bool>,
    rejected: Vec<(usize, RejectedRow)>,
    pub(crate) bytes: usize,
    /// Whether it was cut because it grew too long.
    pub(crate) cut: bool,
    pub(crate) last_key: Vec<KeyValue>,
    /// The first of the rows at its end that share one key.
    pub(crate) last_key_from: usize,
}

impl Page {
    /// How many rows it has, those that cannot be read included.
    pub(crate) fn len(&self) -> usize {
        self.sound.len()
    }

    /// The batches of the first so many rows, with at most so many rows each.
    pub(crate) fn batches(self, rows: usize, rows_per_batch: usize) -> VecDeque<Batch> {
        let mut rejected = self.rejected.into_iter().peekable();
        let mut batches = VecDeque::new();
        let mut start = 0;
        while start < rows {
            let end = rows.min(start + rows_per_batch);
            let all = self.rows.slice(start, end - start);
            let mut here = Vec::new();
            while let Some((_, row)) = rejected.next_if(|(place, _)| *place < end) {
                here.push(row);
            }
            let sound = match here.is_empty() {
                true => all,
                false => {
                    let sound = BooleanArray::from(self.sound[start..end].to_vec());
                    filter_record_batch(&all, &sound).expect("as many flags as rows")
                }
            };
            batches.push_back(Batch {
                rows: sound,
                rejected: here,
            });
            start = end;
        }
        batches
    }
}
