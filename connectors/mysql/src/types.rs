//! What a type of the database is in Arrow, and how it is read.

use arrow::datatypes::{DataType, Field, TimeUnit};
use chatferry_core::json;
use sqlx::mysql::MySqlTypeInfo;
use sqlx::{MySql, TypeInfo as _};

use crate::settings::Reading;

/// How the values of a column come over the wire, and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// `tinyint(1)` that holds nothing but 0 and 1.
    Boolean,
    /// `bit(1)`.
    Flag,
    Int8,
    UInt8,
    Int16,
    UInt16,
    /// `int` and `mediumint`.
    Int32,
    UInt32,
    Int64,
    UInt64,
    /// `bit(n)`.
    Bits,
    Year,
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: i8,
    },
    Date,
    /// `datetime`: what a clock showed somewhere.
    DateTime,
    /// `timestamp`: a moment.
    Timestamp,
    /// `time`: hours that may be negative, or more than a day has.
    Time,
    Text,
    /// `enum`, in the order of its values.
    Enum,
    /// `set`, as the bits of its values.
    Set,
    Json {
        /// Whether the server sees to it that it is JSON.
        sound: bool,
    },
    Binary,
    /// Text of a type that has no other form.
    AsText(Form),
}

/// How the server is asked for a value that it sends in no form of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It sends text by itself.
    Itself,
    /// Of a decimal number that nobody knows the scale of.
    Decimal,
    /// A shape on a plane.
    Shape,
    /// Numbers in MySQL's binary form.
    VectorOfMySql,
    /// Numbers in MariaDB's binary form.
    VectorOfMariaDb,
    /// Anything else.
    Cast,
}

impl Type {
    /// The type in Arrow.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Boolean | Self::Flag => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::UInt8 => DataType::UInt8,
            Self::Int16 | Self::Year => DataType::Int16,
            Self::UInt16 => DataType::UInt16,
            Self::Int32 => DataType::Int32,
            Self::UInt32 => DataType::UInt32,
            Self::Int64 => DataType::Int64,
            Self::UInt64 | Self::Bits => DataType::UInt64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } if precision <= 38 => {
                DataType::Decimal128(precision, scale)
            }
            Self::Decimal { precision, scale } => DataType::Decimal256(precision, scale),
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Time
            | Self::Text
            | Self::Enum
            | Self::Set
            | Self::Json { .. }
            | Self::AsText(_) => DataType::Utf8,
            Self::Binary => DataType::Binary,
        }
    }

    /// A column of it. Any may hold null: what the database rules out today it may allow tomorrow.
    pub(crate) fn field(self, name: &str) -> Field {
        match self {
            Self::Json { .. } => json::column(name),
            _ => Field::new(name, self.arrow(), true),
        }
    }

    /// What the server is asked for, when `column` is the column in SQL.
    pub(crate) fn expression(self, column: &str) -> String {
        match self {
            Self::AsText(Form::Shape) => format!("ST_AsText({column})"),
            Self::AsText(Form::VectorOfMySql) => format!("VECTOR_TO_STRING({column})"),
            Self::AsText(Form::VectorOfMariaDb) => format!("VEC_ToText({column})"),
            Self::AsText(Form::Cast) => format!("CAST({column} AS CHAR)"),
            _ => column.to_owned(),
        }
    }

    /// What a person should know of a column of it, which the server calls `declared`.
    pub(crate) fn note(self, name: &str, declared: &str) -> Option<String> {
        let read_as = match self {
            Self::Time => {
                "which may be negative or longer than a day, and is read as text".to_owned()
            }
            Self::AsText(Form::Shape) => format!(
                "which is read as its text, without the reference system; `ST_AsBinary({name})` in \
                 a `query` gives that, too"
            ),
            Self::AsText(Form::Decimal) => format!(
                "whose digits nobody declared, and is read as text; `CAST(… AS DOUBLE)` or `CAST(… \
                 AS SIGNED) AS {name}` in the query makes it a number"
            ),
            Self::AsText(_) => "which is read as text".to_owned(),
            _ => return None,
        };
        Some(format!("`{name}` is of type {declared}, {read_as}"))
    }

    /// Whether values of it compare in the database as they do in Arrow.
    ///
    /// Text does so only by some collations, and is not asked here.
    pub(crate) fn compares(self, reading: Reading) -> bool {
        match self {
            Self::Boolean
            | Self::Flag
            | Self::Int8
            | Self::UInt8
            | Self::Int16
            | Self::UInt16
            | Self::Int32
            | Self::UInt32
            | Self::Int64
            | Self::UInt64
            | Self::Bits
            | Self::Year
            | Self::Decimal { .. }
            | Self::Binary => true,
            // A date that is read as null comes first there and last here.
            Self::Date | Self::DateTime | Self::Timestamp => !reading.zero_dates_are_null,
            _ => false,
        }
    }

    /// Whether it may hold dates that are no day of the calendar.
    pub(crate) fn has_zero_dates(self) -> bool {
        matches!(self, Self::Date | Self::DateTime | Self::Timestamp)
    }

    /// Whether a value as the server now sends it can be read as this.
    pub(crate) fn fits(self, sent: &MySqlTypeInfo) -> bool {
        let is_text = <str as sqlx::Type<MySql>>::compatible(sent) || sent.name() == "SET";
        match (self, sent.name()) {
            (Self::Boolean, "BOOLEAN" | "TINYINT" | "TINYINT UNSIGNED") => true,
            (Self::Flag | Self::Bits, "BIT") => true,
            (Self::Int8, "TINYINT" | "BOOLEAN") => *sent == <i8 as sqlx::Type<MySql>>::type_info(),
            (Self::UInt8, "TINYINT UNSIGNED" | "BOOLEAN") => {
                *sent == <u8 as sqlx::Type<MySql>>::type_info()
            }
            (Self::Int16, "SMALLINT") => true,
            (Self::UInt16, "SMALLINT UNSIGNED") => true,
            (Self::Int32, "INT" | "MEDIUMINT") => true,
            (Self::UInt32, "INT UNSIGNED" | "MEDIUMINT UNSIGNED") => true,
            (Self::Int64, "BIGINT") => true,
            (Self::UInt64, "BIGINT UNSIGNED") => true,
            (Self::Year, "YEAR") => true,
            (Self::Float, "FLOAT") => true,
            (Self::Double, "DOUBLE") => true,
            (Self::Decimal { .. } | Self::AsText(Form::Decimal), "DECIMAL") => true,
            (Self::Date, "DATE") => true,
            (Self::DateTime, "DATETIME") => true,
            (Self::Timestamp, "TIMESTAMP") => true,
            (Self::Time, "TIME") => true,
            (Self::Json { .. }, "JSON") => true,
            (Self::Text | Self::Enum | Self::Set | Self::Json { .. }, _) => is_text,
            (Self::AsText(_), "NULL" | "JSON") => true,
            (Self::AsText(_), _) => is_text,
            (Self::Binary, name) => {
                !is_text && (name.ends_with("BINARY") || name.ends_with("BLOB"))
            }
            _ => false,
        }
    }
}

/// What `information_schema` says of a column's type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// `int`, `varchar`, …
    pub(crate) data_type: String,
    /// `int(10) unsigned`, `enum('a','b')`, …
    pub(crate) column_type: String,
    pub(crate) precision: Option<u64>,
    pub(crate) scale: Option<u64>,
    /// Whether a check of the table sees to it that it is JSON.
    pub(crate) checked_json: bool,
}

impl Declared {
    /// The type of such a column.
    pub(crate) fn read(&self, reading: Reading, mariadb: bool) -> Type {
        let unsigned = self.column_type.contains("unsigned");
        let signed = |signed: Type, other: Type| if unsigned { other } else { signed };
        match self.data_type.to_ascii_lowercase().as_str() {
            "tinyint" if reading.tinyint1_is_boolean && self.column_type.contains("(1)") => {
                Type::Boolean
            }
            "tinyint" => signed(Type::Int8, Type::UInt8),
            "smallint" => signed(Type::Int16, Type::UInt16),
            "mediumint" | "int" | "integer" => signed(Type::Int32, Type::UInt32),
            "bigint" => signed(Type::Int64, Type::UInt64),
            "bit" if self.precision == Some(1) => Type::Flag,
            "bit" => Type::Bits,
            "year" => Type::Year,
            "float" => Type::Float,
            "double" => Type::Double,
            "decimal" => self.decimal(),
            "date" => Type::Date,
            "datetime" => Type::DateTime,
            "timestamp" => Type::Timestamp,
            "time" => Type::Time,
            "json" => Type::Json { sound: true },
            "longtext" if self.checked_json => Type::Json { sound: false },
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Type::Text,
            "enum" => Type::Enum,
            "set" => Type::Set,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                Type::Binary
            }
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" => Type::AsText(Form::Shape),
            "vector" if mariadb => Type::AsText(Form::VectorOfMariaDb),
            "vector" => Type::AsText(Form::VectorOfMySql),
            "uuid" | "inet4" | "inet6" => Type::AsText(Form::Itself),
            _ => Type::AsText(Form::Cast),
        }
    }

    fn decimal(&self) -> Type {
        let number = |of: Option<u64>| of.and_then(|number| u8::try_from(number).ok());
        let scale = number(self.scale).and_then(|scale| i8::try_from(scale).ok());
        match (number(self.precision), scale) {
            (Some(precision), Some(scale)) if precision <= 76 => Type::Decimal { precision, scale },
            _ => Type::AsText(Form::Decimal),
        }
    }
}

/// The type of a column of a query, of which nothing is known but how it is sent.
pub(crate) fn computed(sent: &MySqlTypeInfo, reading: Reading) -> Type {
    match sent.name() {
        "BOOLEAN" if reading.tinyint1_is_boolean => Type::Boolean,
        "BOOLEAN" if *sent == <u8 as sqlx::Type<MySql>>::type_info() => Type::UInt8,
        "BOOLEAN" | "TINYINT" => Type::Int8,
        "TINYINT UNSIGNED" => Type::UInt8,
        "SMALLINT" => Type::Int16,
        "SMALLINT UNSIGNED" => Type::UInt16,
        "INT" | "MEDIUMINT" => Type::Int32,
        "INT UNSIGNED" | "MEDIUMINT UNSIGNED" => Type::UInt32,
        "BIGINT" => Type::Int64,
        "BIGINT UNSIGNED" => Type::UInt64,
        "BIT" => Type::Bits,
        "YEAR" => Type::Year,
        "FLOAT" => Type::Float,
        "DOUBLE" => Type::Double,
        "DECIMAL" => Type::AsText(Form::Decimal),
        "DATE" => Type::Date,
        "DATETIME" => Type::DateTime,
        "TIMESTAMP" => Type::Timestamp,
        "TIME" => Type::Time,
        "JSON" => Type::Json { sound: true },
        "GEOMETRY" => Type::AsText(Form::Shape),
        "ENUM" => Type::Enum,
        "SET" => Type::Set,
        "NULL" => Type::AsText(Form::Itself),
        _ if <str as sqlx::Type<MySql>>::compatible(sent) => Type::Text,
        _ => Type::Binary,
    }
}
