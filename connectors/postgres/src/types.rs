//! The Arrow type of each of PostgreSQL's, and how a column of it is asked for.
//!
//! What is read in PostgreSQL's binary form has its own `Kind`. Everything else is asked for as
//! text, which every type has.

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use chatferry_core::json;
use sqlx::postgres::types::Oid;

use crate::catalog::{Column, Type, Types};

/// What a value is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// A numeric whose digits are declared and fit.
    Decimal {
        precision: u8,
        scale: i8,
    },
    Text,
    /// Text that holds JSON.
    Json,
    /// The same behind a version byte.
    Jsonb,
    Uuid,
    Bytes,
    Date,
    Time,
    /// Without a zone, or in UTC.
    Timestamp {
        utc: bool,
    },
    Interval,
    List(Box<Kind>),
    Row(Vec<(String, Kind)>),
}

/// How a column is asked for and read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) kind: Kind,
    pub(crate) asked: Asked,
    /// What a person should know about it.
    pub(crate) note: Option<String>,
}

/// How a column is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// As it is, in its binary form.
    Plain,
    Text,
    TextArray,
    Json,
}

impl Asked {
    /// The column, already quoted, as it stands in a statement.
    pub(crate) fn sql(self, column: &str) -> String {
        match self {
            Self::Plain => column.to_owned(),
            Self::Text => format!("{column}::text"),
            Self::TextArray => format!("{column}::text[]"),
            Self::Json => format!("to_json({column})::text"),
        }
    }
}

impl Kind {
    /// Its Arrow type.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Oid => DataType::UInt32,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Decimal { precision, scale } if *precision <= 38 => {
                DataType::Decimal128(*precision, *scale)
            }
            Self::Decimal { precision, scale } => DataType::Decimal256(*precision, *scale),
            Self::Text | Self::Json | Self::Jsonb | Self::Uuid => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { utc: false } => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp { utc: true } => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::List(item) => DataType::List(item.field("item").into()),
            Self::Row(parts) => {
                let fields = parts.iter().map(|(name, kind)| kind.field(name));
                DataType::Struct(fields.collect::<Fields>())
            }
        }
    }

    /// A column of it. Any may hold null: what the database rules out today it may allow tomorrow.
    pub(crate) fn field(&self, name: &str) -> Field {
        match self {
            Self::Json | Self::Jsonb => json::column(name),
            _ => Field::new(name, self.data_type(), true),
        }
    }
}

/// How a column is asked for and read.
pub(crate) fn reading(column: &Column, types: &Types) -> Reading {
    if let Some(kind) = kind(column.kind, column.modifier, column.dimensions, types) {
        return Reading {
            kind,
            asked: Asked::Plain,
            note: None,
        };
    }
    let of = types.get(&column.kind);
    let name = of.map_or("unknown", |kind| kind.name.as_str());
    let as_text = |what: &str| {
        let note = format!("`{}` is of type {what}, which is read as text", column.name);
        Reading {
            kind: Kind::Text,
            asked: Asked::Text,
            note: Some(note),
        }
    };
    match of.map(|kind| base(kind, types)) {
        // A numeric without declared digits may have any number of them.
        Some(kind) if kind.name == "numeric" => as_text("numeric without a precision"),
        Some(kind) if kind.name == "hstore" => Reading {
            kind: Kind::Json,
            asked: Asked::Json,
            note: None,
        },
        Some(kind) if kind.is_array => Reading {
            kind: nested(Kind::Text, column.dimensions),
            asked: Asked::TextArray,
            note: Some(format!(
                "the items of `{}` are of type {}, which is read as text",
                column.name,
                types
                    .get(&kind.element)
                    .map_or("unknown", |item| &item.name)
            )),
        },
        Some(kind) if kind.class == 'c' => Reading {
            kind: Kind::Json,
            asked: Asked::Json,
            note: Some(format!(
                "`{}` is of type {name}, which is read as JSON",
                column.name
            )),
        },
        _ => as_text(name),
    }
}

/// A type's own type, below any domains.
fn base<'a>(kind: &'a Type, types: &'a Types) -> &'a Type {
    match (kind.class, types.get(&kind.base)) {
        ('d', Some(below)) => base(below, types),
        _ => kind,
    }
}

fn nested(item: Kind, dimensions: i32) -> Kind {
    (0..dimensions.max(1)).fold(item, |item, _| Kind::List(Box::new(item)))
}

/// What values of a type are read as, if their binary form is understood.
fn kind(of: Oid, modifier: i32, dimensions: i32, types: &Types) -> Option<Kind> {
    let found = types.get(&of)?;
    match found.class {
        'e' => return Some(Kind::Text),
        'd' => {
            let modifier = if found.base_modifier >= 0 {
                found.base_modifier
            } else {
                modifier
            };
            return kind(found.base, modifier, dimensions, types);
        }
        'c' => {
            let part = |part: &crate::catalog::Attribute| {
                let kind = kind(part.kind, part.modifier, 1, types)?;
                Some((part.name.clone(), kind))
            };
            let parts: Option<Vec<_>> = found.attributes.iter().map(part).collect();
            return parts.filter(|parts| !parts.is_empty()).map(Kind::Row);
        }
        _ => {}
    }
    if found.is_array {
        return Some(nested(kind(found.element, modifier, 1, types)?, dimensions));
    }
    if found.schema != "pg_catalog" {
        // citext's binary form is its text.
        return (found.name == "citext").then_some(Kind::Text);
    }
    Some(match found.name.as_str() {
        "bool" => Kind::Boolean,
        "int2" => Kind::Int2,
        "int4" => Kind::Int4,
        "int8" => Kind::Int8,
        "oid" => Kind::Oid,
        "float4" => Kind::Float4,
        "float8" => Kind::Float8,
        "numeric" => decimal(modifier)?,
        "text" | "varchar" | "bpchar" | "name" | "xml" => Kind::Text,
        "json" => Kind::Json,
        "jsonb" => Kind::Jsonb,
        "uuid" => Kind::Uuid,
        "bytea" => Kind::Bytes,
        "date" => Kind::Date,
        "time" => Kind::Time,
        "timestamp" => Kind::Timestamp { utc: false },
        "timestamptz" => Kind::Timestamp { utc: true },
        "interval" => Kind::Interval,
        _ => return None,
    })
}

/// A numeric with declared digits, as far as a decimal has them.
///
/// Source: PostgreSQL, `numeric.c`: precision in the upper 16 bits of the modifier less 4, scale
/// in the lower 11 bits, signed since version 15.
fn decimal(modifier: i32) -> Option<Kind> {
    let declared = modifier.checked_sub(4).filter(|declared| *declared >= 0)?;
    let precision = u8::try_from((declared >> 16) & 0xffff).ok()?;
    let scale = ((declared & 0x7ff) ^ 1024) - 1024;
    let scale = i8::try_from(scale).ok()?;
    let fits = precision <= 76 && scale >= 0 && scale.unsigned_abs() <= precision;
    fits.then_some(Kind::Decimal { precision, scale })
}
