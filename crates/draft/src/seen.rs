//! A table as it was described, with some of its values.

use std::collections::HashSet;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Field};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chatferry_core::json;
use chatferry_core::source::Table;

use crate::words;

/// A table, as far as it was looked at.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its name in SQL, with its source: `legacy.users`.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// How many rows it has, if that is known.
    pub rows: Option<u64>,
    /// Whether all rows were looked at.
    pub whole: bool,
    /// The columns that tell its rows apart, as its source knows them.
    pub key: Vec<String>,
}

/// A column and some of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Some of its values as text; none where it is null.
    pub values: Vec<Option<String>>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Whole numbers.
    Whole,
    /// Numbers with a fraction.
    Number,
    /// True or false.
    Flag,
    /// Times, with a zone or without.
    Time,
    /// JSON, lists and objects.
    Nested,
    /// Anything else.
    Other,
}

impl Seen {
    /// A table of that name in SQL, with the rows that were looked at.
    #[must_use]
    pub fn of(name: &str, table: &Table, rows: &[RecordBatch]) -> Self {
        let looked_at: usize = rows.iter().map(RecordBatch::num_rows).sum();
        let known = table.rows.estimate();
        let fields = table.schema.fields().iter().enumerate();
        Self {
            name: name.to_owned(),
            columns: fields
                .map(|(place, field)| Column {
                    name: field.name().clone(),
                    kind: Kind::of(field),
                    values: rows
                        .iter()
                        .flat_map(|rows| shown(rows.column(place)))
                        .collect(),
                })
                .collect(),
            rows: known.or((looked_at == 0).then_some(0)),
            whole: known.is_some_and(|rows| rows <= looked_at as u64),
            key: table
                .orders
                .first()
                .map(|order| order.columns.clone())
                .unwrap_or_default(),
        }
    }

    /// Its name without its source.
    #[must_use]
    pub fn short(&self) -> &str {
        self.name
            .split_once('.')
            .map_or(&self.name, |(_, name)| name)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The words of its name.
    pub(crate) fn words(&self) -> Vec<String> {
        words::of(self.short())
    }

    /// The column that tells its rows apart, if it is one.
    pub(crate) fn id(&self) -> Option<&Column> {
        match self.key.as_slice() {
            [] => self.columns.iter().find(|column| self.is_id(column)),
            [key] => self.column(key),
            _ => None,
        }
    }

    /// Whether a column is called `id`, or by what the table has one of in each row: a `room_id` is
    /// the id of rooms, and not of members of rooms.
    fn is_id(&self, column: &Column) -> bool {
        let words = words::of(&column.name);
        let Some((last, before)) = words.split_last() else {
            return false;
        };
        let own = self.words();
        let is_own = match (before.last(), own.last()) {
            (None, _) => true,
            (Some(word), Some(own)) => words::same(own, word),
            (Some(_), None) => false,
        };
        words::IDS.contains(&last.as_str()) && is_own && column.is_unique()
    }
}

impl Column {
    /// Its values, as far as there are any.
    pub(crate) fn present(&self) -> impl Iterator<Item = &str> {
        let values = self.values.iter().flatten();
        values
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Its values, each once.
    pub(crate) fn distinct(&self) -> HashSet<&str> {
        self.present().collect()
    }

    /// Whether no two rows that were looked at have the same value, and each has one.
    pub(crate) fn is_unique(&self) -> bool {
        self.distinct().len() == self.values.len()
    }
}

impl Kind {
    fn of(field: &Field) -> Self {
        if json::is_marked(field) {
            return Self::Nested;
        }
        match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Dictionary(_, values) if matches!(**values, DataType::Utf8) => Self::Text,
            DataType::Boolean => Self::Flag,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Self::Time,
            kind if kind.is_integer() => Self::Whole,
            kind if kind.is_floating() || kind.is_decimal() => Self::Number,
            kind if kind.is_nested() => Self::Nested,
            _ => Self::Other,
        }
    }
}

fn shown(column: &dyn Array) -> Vec<Option<String>> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options);
    let Ok(formatter) = formatter else {
        return vec![None; column.len()];
    };
    let value = |row| {
        let is_there = !column.is_null(row);
        is_there.then(|| formatter.value(row).to_string())
    };
    (0..column.len()).map(value).collect()
}
