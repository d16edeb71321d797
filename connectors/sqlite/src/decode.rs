//! Values into Arrow columns, each by the one decoder that its column was given.

use std::fmt::Write;
use std::str;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, BooleanBuilder, Float64Builder, Int64Builder,
    RecordBatch, RecordBatchOptions, StringBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use serde::de::IgnoredAny;
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::page::Bound;
use crate::types::{Arrives, EXACT};

/// A value as SQLite keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept<'r> {
    Null,
    Whole(i64),
    Real(f64),
    /// Which need not be UTF-8.
    Text(&'r [u8]),
    Bytes(&'r [u8]),
}

impl<'r> Kept<'r> {
    /// The value in a place of a row.
    pub(crate) fn of(row: &'r SqliteRow, place: usize) -> Result<Self, sqlx::Error> {
        let value = row.try_get_raw(place)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        // Of a value that is not null, this is its own type and not its column's.
        let kind = value.type_info();
        match kind.name() {
            "INTEGER" => decoded(value).map(Self::Whole),
            "REAL" => decoded(value).map(Self::Real),
            "TEXT" => decoded(value).map(Self::Text),
            _ => decoded(value).map(Self::Bytes),
        }
    }

    /// What it holds, in words.
    const fn in_words(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Whole(_) => "a whole number",
            Self::Real(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "a blob",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Whole(_) | Self::Real(_) => 8,
            Self::Text(bytes) | Self::Bytes(bytes) => bytes.len(),
        }
    }

    pub(crate) fn bound(self) -> Bound {
        match self {
            Self::Null => Bound::Null,
            Self::Whole(whole) => Bound::Whole(whole),
            Self::Real(real) => Bound::Real(real),
            Self::Text(text) => match str::from_utf8(text) {
                Ok(text) => Bound::Text(text.to_owned()),
                Err(_) => Bound::BadText(text.to_owned()),
            },
            Self::Bytes(bytes) => Bound::Bytes(bytes.to_owned()),
        }
    }
}

fn decoded<'r, T: Decode<'r, Sqlite>>(value: SqliteValueRef<'r>) -> Result<T, sqlx::Error> {
    T::decode(value).map_err(sqlx::Error::Decode)
}

/// Makes batches of rows.
#[derive(Debug)]
pub(crate) struct Decoder {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// For each row whether it could be read.
    good: Vec<bool>,
    /// Bytes of all values that it ever took.
    bytes: usize,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Where its values stand in a row.
    place: usize,
    builder: Builder,
}

#[derive(Debug)]
enum Builder {
    Flag(BooleanBuilder),
    Whole(Int64Builder),
    Real(Float64Builder),
    Text(StringBuilder),
    Json(StringBuilder),
    Bytes(BinaryBuilder),
    Mixed(StringBuilder),
}

impl Decoder {
    /// A decoder of columns, each with what it arrives as and where it stands in a row.
    pub(crate) fn new(schema: SchemaRef, columns: &[(Arrives, usize)]) -> Self {
        let column = |(field, (arrives, place)): (&Arc<arrow::datatypes::Field>, &_)| Column {
            name: field.name().clone(),
            place: *place,
            builder: Builder::of(*arrives),
        };
        Self {
            columns: schema.fields().iter().zip(columns).map(column).collect(),
            schema,
            good: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes a row; what is wrong with it, if it cannot be read.
    pub(crate) fn push(&mut self, row: &SqliteRow) -> Result<Option<String>, sqlx::Error> {
        let mut wrong = None;
        for column in &mut self.columns {
            let value = Kept::of(row, column.place)?;
            self.bytes += value.bytes();
            if let Err(found) = column.builder.push(value) {
                column.builder.push_null();
                wrong.get_or_insert_with(|| found.said_of(&column.name));
            }
        }
        self.good.push(wrong.is_none());
        Ok(wrong)
    }

    /// How many rows it has taken.
    pub(crate) const fn rows(&self) -> usize {
        self.good.len()
    }

    /// Bytes of all values that it ever took.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows that could be read, and begins anew.
    pub(crate) fn finish(&mut self) -> RecordBatch {
        let good = BooleanArray::from(std::mem::take(&mut self.good));
        let columns = self
            .columns
            .iter_mut()
            .map(|column| column.builder.finish());
        let options = RecordBatchOptions::new().with_row_count(Some(good.len()));
        let rows = RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns.collect(),
            &options,
        )
        .expect("each builder gives what its column arrives as, one value a row");
        match good.true_count() == good.len() {
            true => rows,
            false => filter_record_batch(&rows, &good).expect("a mask is as long as its batch"),
        }
    }
}

/// What was wrong, before it is said of which column.
enum Wrong {
    NotUtf8,
    NotJson,
    Kind(&'static str, &'static str),
}

impl Wrong {
    fn said_of(self, column: &str) -> String {
        match self {
            Self::NotUtf8 => format!("`{column}` is not UTF-8"),
            Self::NotJson => format!("`{column}` is not JSON"),
            Self::Kind(found, expected) => {
                format!("`{column}` holds {found}, and held only {expected} when it was described")
            }
        }
    }
}

impl Builder {
    fn of(arrives: Arrives) -> Self {
        match arrives {
            Arrives::Flag => Self::Flag(BooleanBuilder::new()),
            Arrives::Whole => Self::Whole(Int64Builder::new()),
            Arrives::Real => Self::Real(Float64Builder::new()),
            Arrives::Text => Self::Text(StringBuilder::new()),
            Arrives::Json => Self::Json(StringBuilder::new()),
            Arrives::Bytes => Self::Bytes(BinaryBuilder::new()),
            Arrives::Mixed => Self::Mixed(StringBuilder::new()),
        }
    }

    const fn arrives(&self) -> Arrives {
        match self {
            Self::Flag(_) => Arrives::Flag,
            Self::Whole(_) => Arrives::Whole,
            Self::Real(_) => Arrives::Real,
            Self::Text(_) => Arrives::Text,
            Self::Json(_) => Arrives::Json,
            Self::Bytes(_) => Arrives::Bytes,
            Self::Mixed(_) => Arrives::Mixed,
        }
    }

    fn push(&mut self, value: Kept<'_>) -> Result<(), Wrong> {
        match (self, value) {
            (builder, Kept::Null) => builder.push_null(),
            (Self::Whole(builder), Kept::Whole(whole)) => builder.append_value(whole),
            (Self::Text(builder), Kept::Text(text)) => builder.append_value(utf8(text)?),
            (Self::Bytes(builder), Kept::Bytes(bytes)) => builder.append_value(bytes),
            (Self::Flag(builder), Kept::Whole(whole @ (0 | 1))) => builder.append_value(whole == 1),
            (Self::Real(builder), Kept::Real(real)) => builder.append_value(real),
            (Self::Real(builder), Kept::Whole(whole)) if (-EXACT..=EXACT).contains(&whole) => {
                #[expect(clippy::cast_precision_loss, reason = "it was looked at: it is exact")]
                builder.append_value(whole as f64);
            }
            (Self::Json(builder), Kept::Text(text)) => {
                let text = utf8(text)?;
                serde_json::from_str::<IgnoredAny>(text).map_err(|_| Wrong::NotJson)?;
                builder.append_value(text);
            }
            (Self::Mixed(builder), Kept::Text(text)) => builder.append_value(utf8(text)?),
            (Self::Json(builder) | Self::Mixed(builder), Kept::Whole(whole)) => {
                write(builder, format_args!("{whole}"));
            }
            (Self::Json(_), Kept::Real(real)) if !real.is_finite() => return Err(Wrong::NotJson),
            // With a fraction or an exponent always, so that it can be told from a whole number.
            (Self::Json(builder) | Self::Mixed(builder), Kept::Real(real)) => {
                write(builder, format_args!("{real:?}"));
            }
            (Self::Mixed(builder), Kept::Bytes(bytes)) => hexadecimal(builder, bytes),
            (builder, other) => {
                let expected = builder.arrives().in_words();
                return Err(Wrong::Kind(other.in_words(), expected));
            }
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Self::Flag(builder) => builder.append_null(),
            Self::Whole(builder) => builder.append_null(),
            Self::Real(builder) => builder.append_null(),
            Self::Text(builder) | Self::Json(builder) | Self::Mixed(builder) => {
                builder.append_null();
            }
            Self::Bytes(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Flag(builder) => Arc::new(builder.finish()),
            Self::Whole(builder) => Arc::new(builder.finish()),
            Self::Real(builder) => Arc::new(builder.finish()),
            Self::Text(builder) | Self::Json(builder) | Self::Mixed(builder) => {
                Arc::new(builder.finish())
            }
            Self::Bytes(builder) => Arc::new(builder.finish()),
        }
    }
}

fn utf8(text: &[u8]) -> Result<&str, Wrong> {
    str::from_utf8(text).map_err(|_| Wrong::NotUtf8)
}

/// Appends what is written as one value.
fn write(builder: &mut StringBuilder, value: std::fmt::Arguments<'_>) {
    builder.write_fmt(value).expect("memory is there");
    builder.append_value("");
}

/// A blob as SQLite's own SQL writes it.
fn hexadecimal(builder: &mut StringBuilder, bytes: &[u8]) {
    builder.write_str("x'").expect("memory is there");
    for byte in bytes {
        builder
            .write_fmt(format_args!("{byte:02X}"))
            .expect("memory is there");
    }
    builder.append_value("'");
}
