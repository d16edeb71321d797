//! What the columns of a file are read as, and what they arrive as.
//!
//! A file says what its columns are in two ways: in Parquet's words, and often in Arrow's, too. Both
//! are heard. What only says how values are kept, such as a dictionary or 64-bit offsets, is left
//! out, so that files of different writers agree.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use chatferry_core::json;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as Physical;
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::SchemaDescriptor;

use crate::failure::guarded;
use crate::roles::Role;

/// One column of a file.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What it arrives as.
    pub(crate) kind: DataType,
    /// Whether it is declared to hold JSON.
    pub(crate) json: bool,
    /// What a person should know about it, for each thing once.
    pub(crate) notes: Vec<String>,
}

impl Column {
    /// It as a column of a table. Any may hold null: another file may not have it.
    pub(crate) fn field(&self) -> Field {
        let field = Field::new(&self.name, self.kind.clone(), true);
        if self.json { json::mark(field) } else { field }
    }
}

/// How a file is read: what the reader is told, and what arrives of it.
pub(crate) fn columns(
    metadata: &Arc<ParquetMetaData>,
    roles: &[Role],
) -> Result<(ArrowReaderMetadata, Vec<Column>), String> {
    // What it says in Arrow's words may be damaged, or of a version to come.
    let reader = reader(metadata, roles, ArrowReaderOptions::new()).or_else(|_| {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        reader(metadata, roles, options)
    })?;
    let mut leaves = Leaves::of(reader.parquet_schema(), roles);
    let columns = reader.schema().fields().iter().map(|field| {
        let json = leaves.peek() == Some(Role::Json) && !field.data_type().is_nested();
        let mut notes = Vec::new();
        let kind = arrives_as(field.name(), field.data_type(), &mut leaves, &mut notes);
        Column {
            name: field.name().clone(),
            kind,
            json,
            notes,
        }
    });
    let columns: Vec<Column> = columns.collect();
    let is_twice = |(at, column): &(usize, &Column)| {
        columns[..*at].iter().any(|other| other.name == column.name)
    };
    if let Some((_, twice)) = columns.iter().enumerate().find(is_twice) {
        return Err(format!("two of its columns are called `{}`", twice.name));
    }
    Ok((reader, columns))
}

/// What the reader is told, after what the file says with these options.
fn reader(
    metadata: &Arc<ParquetMetaData>,
    roles: &[Role],
    options: ArrowReaderOptions,
) -> Result<ArrowReaderMetadata, String> {
    let load = |options| guarded(|| ArrowReaderMetadata::try_new(Arc::clone(metadata), options));
    let said = load(options)?;
    let mut leaves = Leaves::of(said.parquet_schema(), roles);
    let read = said.schema().fields().iter().map(|field| {
        let kind = read_as(field.data_type(), &mut leaves);
        Arc::new(field.as_ref().clone().with_data_type(kind))
    });
    let read: Fields = read.collect();
    let wanted = Schema::new_with_metadata(read, said.schema().metadata().clone());
    load(ArrowReaderOptions::new().with_schema(Arc::new(wanted)))
}

/// The plain columns within the columns, in their order.
struct Leaves<'s> {
    schema: &'s SchemaDescriptor,
    roles: &'s [Role],
    next: usize,
}

impl<'s> Leaves<'s> {
    fn of(schema: &'s SchemaDescriptor, roles: &'s [Role]) -> Self {
        Self {
            schema,
            roles,
            next: 0,
        }
    }

    fn peek(&self) -> Option<Role> {
        self.roles.get(self.next).copied()
    }

    /// What the next one holds, and what kind of value Parquet keeps that in.
    fn next(&mut self) -> (Role, Physical) {
        let at = self.next;
        self.next += 1;
        (self.roles[at], self.schema.column(at).physical_type())
    }
}

/// The type of an item of a list, if that is what it is.
fn item(kind: &DataType) -> Option<&FieldRef> {
    match kind {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item),
        _ => None,
    }
}

/// What the reader is asked for in the place of a type.
fn read_as(kind: &DataType, leaves: &mut Leaves<'_>) -> DataType {
    let mut inner = |field: &FieldRef| {
        let kind = read_as(field.data_type(), leaves);
        Arc::new(field.as_ref().clone().with_data_type(kind))
    };
    match kind {
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::ListView(item) => DataType::ListView(inner(item)),
        DataType::LargeListView(item) => DataType::LargeListView(inner(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(inner(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entry, sorted) => DataType::Map(inner(entry), *sorted),
        kind => {
            let (_, physical) = leaves.next();
            match plainly(kind) {
                // Whether it is text is looked at when it was read.
                DataType::Utf8 => DataType::Binary,
                // In nanoseconds it would end in the year 2262.
                DataType::Timestamp(TimeUnit::Nanosecond, zone) if physical == Physical::INT96 => {
                    DataType::Timestamp(TimeUnit::Microsecond, zone)
                }
                kind => kind,
            }
        }
    }
}

/// The type of the values alone.
fn plainly(kind: &DataType) -> DataType {
    match kind {
        DataType::Dictionary(_, value) => plainly(value),
        DataType::RunEndEncoded(_, value) => plainly(value.data_type()),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        kind => kind.clone(),
    }
}

/// What a type that was read arrives as. `name` is for notes.
fn arrives_as(
    name: &str,
    kind: &DataType,
    leaves: &mut Leaves<'_>,
    notes: &mut Vec<String>,
) -> DataType {
    if let Some(item) = item(kind) {
        let kind = arrives_as(&format!("{name}[]"), item.data_type(), leaves, notes);
        return DataType::List(Arc::new(Field::new("item", kind, true)));
    }
    match kind {
        DataType::Struct(fields) => {
            let field = |field: &FieldRef| {
                let path = format!("{name}.{}", field.name());
                let kind = arrives_as(&path, field.data_type(), leaves, notes);
                Field::new(field.name(), kind, true)
            };
            DataType::Struct(fields.iter().map(field).collect())
        }
        DataType::Map(entry, _) => {
            let DataType::Struct(fields) = entry.data_type() else {
                return kind.clone();
            };
            let entry = ["key", "value"].into_iter().zip(fields);
            let entry = entry.map(|(part, field)| {
                let kind = arrives_as(&format!("{name}.{part}"), field.data_type(), leaves, notes);
                Field::new(part, kind, part == "value")
            });
            let entry = DataType::Struct(entry.collect());
            DataType::Map(Arc::new(Field::new("entries", entry, false)), false)
        }
        kind => {
            let (role, physical) = leaves.next();
            leaf_as(name, kind, role, physical, notes)
        }
    }
}

fn leaf_as(
    name: &str,
    kind: &DataType,
    role: Role,
    physical: Physical,
    notes: &mut Vec<String>,
) -> DataType {
    match (role, kind) {
        (Role::Text | Role::Json, DataType::Binary) => DataType::Utf8,
        (Role::Uuid, DataType::FixedSizeBinary(_)) => DataType::Utf8,
        (Role::Interval, DataType::FixedSizeBinary(_)) => {
            notes.push(format!(
                "`{name}` is an interval, which is read as text such as `P1M2DT3.5S`"
            ));
            DataType::Utf8
        }
        (_, DataType::Timestamp(..)) if physical == Physical::INT96 => {
            notes.push(format!(
                "`{name}` is a timestamp of 96 bits, which is read to the microsecond"
            ));
            kind.clone()
        }
        (_, DataType::Float16) => DataType::Float32,
        (_, kind) => plainly(kind),
    }
}
