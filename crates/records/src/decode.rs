//! Records into Arrow columns.
//!
//! A record is appended field by field as it is parsed. When it turns out not to be sound, its row is
//! left out at the end.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use crate::around::peeked;
use crate::column::Column;
use crate::key::Key;
use crate::kind::Kind;
use crate::scanner::Scanner;
use crate::syntax::Malformed;

/// Collects the rows of one batch.
pub(crate) struct Decoder {
    schema: SchemaRef,
    fields: Fields,
    /// The columns that the objects around the records give.
    around: Vec<Column>,
    /// The columns that the path gives, each with what the current file's path says.
    parts: Vec<(Column, String)>,
    /// Where each wanted column stands: among the fields, or behind them among the parts.
    wanted: Vec<usize>,
    /// How many rows there are, those included that will be left out.
    rows: usize,
    /// Which rows are of records that turned out not to be sound.
    unsound: Vec<usize>,
    unescaped: String,
}

impl Decoder {
    /// A decoder for a table with these columns, of which the last `parts` come from the path, and
    /// so many before them from `around` the records.
    /// Only the columns at the `wanted` indices are kept, and given in that order with `schema`.
    pub(crate) fn new(
        columns: &[(String, Kind)],
        around: usize,
        parts: usize,
        wanted: &[usize],
        schema: SchemaRef,
    ) -> Self {
        let split = columns.len() - parts - around;
        let behind = columns[split..columns.len() - parts].iter();
        let keep = |(index, (_, kind)): (usize, &(String, Kind))| {
            wanted.contains(&index).then(|| Column::new(kind))
        };
        let kept: Vec<Option<Column>> = columns.iter().enumerate().map(keep).collect();
        let names = columns.iter().map(|(name, _)| name.as_str());
        Self {
            schema,
            fields: Fields::new(names.zip(kept).take(split)),
            around: behind.map(|(_, kind)| Column::new(kind)).collect(),
            parts: (0..parts)
                .map(|_| (Column::new(&Kind::Text), String::new()))
                .collect(),
            wanted: wanted.to_vec(),
            rows: 0,
            unsound: Vec::new(),
            unescaped: String::new(),
        }
    }

    /// Sets what the path of the next records says.
    pub(crate) fn enter(&mut self, parts: &[String]) {
        for ((_, text), part) in self.parts.iter_mut().zip(parts) {
            text.clone_from(part);
        }
    }

    /// Appends one record as a row, with what the objects around it say.
    pub(crate) fn push(&mut self, json: &str, around: &[Option<Vec<u8>>]) -> Result<(), Malformed> {
        let mut scanner = Scanner::open(json, std::mem::take(&mut self.unescaped));
        let read = match scanner.record() {
            Ok(()) => self.push_object(&mut scanner, around),
            other => other,
        };
        self.unescaped = scanner.close();
        read
    }

    fn push_object(
        &mut self,
        scanner: &mut Scanner<'_>,
        around: &[Option<Vec<u8>>],
    ) -> Result<(), Malformed> {
        let read = self.fields.push(scanner, 1);
        let read = read.and_then(|()| scanner.finish());
        for (column, value) in self.around.iter_mut().zip(around) {
            match value.as_deref().and_then(peeked) {
                Some((mut scanner, next)) => column
                    .push(&mut scanner, next, 1)
                    .expect("its kind was found by looking at it"),
                None => column.push_null(),
            }
        }
        for (column, text) in &mut self.parts {
            column.push_text(text);
        }
        if read.is_err() {
            self.unsound.push(self.rows);
        }
        self.rows += 1;
        read
    }

    /// Gives the rows and begins a new batch.
    pub(crate) fn finish(&mut self) -> RecordBatch {
        let mut columns: Vec<Option<ArrayRef>> = self.fields.finish();
        columns.extend(self.around.iter_mut().map(|column| Some(column.finish())));
        columns.extend(
            self.parts
                .iter_mut()
                .map(|(column, _)| Some(column.finish())),
        );
        let rows = std::mem::take(&mut self.rows);
        let wanted = self.wanted.iter().map(|index| {
            let column = columns[*index]
                .as_ref()
                .expect("a column that is wanted is kept");
            Arc::clone(column)
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), wanted.collect(), &options)
                .expect("the columns were made from the schema");
        if self.unsound.is_empty() {
            return batch;
        }
        let mut sound = vec![true; rows];
        self.unsound.drain(..).for_each(|row| sound[row] = false);
        filter_record_batch(&batch, &sound.into()).expect("there is a mark for each row")
    }
}

/// The fields of an object, each with its column if it is wanted.
pub(crate) struct Fields {
    list: Vec<Slot>,
    index: HashMap<Box<str>, usize>,
    /// Which object is being read, to tell a key that comes twice and one that is missing.
    object: u64,
    /// How many have a column.
    kept: usize,
}

struct Slot {
    name: Box<str>,
    key: Key,
    column: Option<Column>,
    /// The last object that had it.
    object: u64,
    /// Which field came after it last time.
    next: usize,
}

impl Fields {
    /// Fields of these names. Those without a column are passed over.
    pub(crate) fn new<'n>(fields: impl Iterator<Item = (&'n str, Option<Column>)>) -> Self {
        let slot = |(at, (name, column)): (usize, (&str, Option<Column>))| Slot {
            name: name.into(),
            key: Key::new(name),
            column,
            object: 0,
            next: at + 1,
        };
        let list: Vec<Slot> = fields.enumerate().map(slot).collect();
        let index = list
            .iter()
            .enumerate()
            .map(|(at, slot)| (slot.name.clone(), at))
            .collect();
        let kept = list.iter().filter(|slot| slot.column.is_some()).count();
        Self {
            list,
            index,
            object: 0,
            kept,
        }
    }

    /// Appends an object, which stands in `depth - 1` others. However far it can be read, there is one
    /// more value in each column behind it.
    pub(crate) fn push(
        &mut self,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<(), Malformed> {
        self.object += 1;
        let mut filled = 0;
        let read = self.read(scanner, depth, &mut filled);
        if filled < self.kept {
            let missing = self
                .list
                .iter_mut()
                .filter(|slot| slot.object != self.object);
            missing.for_each(Slot::push_null);
        }
        read
    }

    fn read(
        &mut self,
        scanner: &mut Scanner<'_>,
        depth: usize,
        filled: &mut usize,
    ) -> Result<(), Malformed> {
        scanner.allow(depth)?;
        let (mut guess, mut before) = (0, None);
        let mut more = scanner.enter_object()?;
        while more {
            let found = match self.list.get(guess) {
                Some(slot) if scanner.takes_key(&slot.key) => Some(guess),
                _ => self.index.get(&*scanner.key()?).copied(),
            };
            let next = scanner.next()?;
            if let Some(at) = found {
                if let Some(before) = before.replace(at) {
                    let before: &mut Slot = &mut self.list[before];
                    before.next = at;
                }
                let slot = &mut self.list[at];
                if slot.object == self.object {
                    return Err(scanner.duplicate_key());
                }
                slot.object = self.object;
                guess = slot.next;
                match &mut slot.column {
                    Some(column) => {
                        *filled += 1;
                        column
                            .push(scanner, next, depth)
                            .map_err(|error| error.within(&slot.name))?;
                    }
                    None => scanner.pass(next, depth)?,
                }
            } else {
                scanner.pass(next, depth)?;
            }
            more = scanner.next_field()?;
        }
        Ok(())
    }

    /// Appends a null to each column.
    pub(crate) fn push_null(&mut self) {
        self.list.iter_mut().for_each(Slot::push_null);
    }

    /// Gives the columns and begins new ones.
    pub(crate) fn finish(&mut self) -> Vec<Option<ArrayRef>> {
        self.list
            .iter_mut()
            .map(|slot| slot.column.as_mut().map(Column::finish))
            .collect()
    }
}

impl Slot {
    fn push_null(&mut self) {
        if let Some(column) = &mut self.column {
            column.push_null();
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::record;
    use crate::infer::Inference;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_record_that_is_not_sound_leaves_no_trace(
            records in prop::collection::vec(record(), 0..12),
            known in 0_usize..12,
        ) {
            // Of those behind the known ones some have what no column can hold.
            let mut inference = Inference::default();
            for record in records.iter().take(known) {
                let _ = inference.observe(record);
            }
            let columns = inference.columns(&[], &mut Vec::new());
            let wanted: Vec<usize> = (0..columns.len()).collect();
            let schema = Arc::new(Schema::new(Kind::fields(&columns)));
            let new = || Decoder::new(&columns, 0, 0, &wanted, Arc::clone(&schema));
            let (mut all, mut sound) = (new(), new());
            for record in &records {
                if all.push(record, &[]).is_ok() {
                    prop_assert_eq!(sound.push(record, &[]), Ok(()));
                }
            }
            prop_assert_eq!(all.finish(), sound.finish());
        }
    }
}
