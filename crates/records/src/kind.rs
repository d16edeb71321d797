//! What a column holds.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use serde::{Deserialize, Serialize};

/// The zone of times.
pub(crate) const UTC: &str = "UTC";

/// What a column, a field of an object or an item of a list holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number of 64 bits.
    Bigint,
    /// A number as the nearest double.
    Double,
    /// A time to the millisecond, in UTC.
    Time,
    /// A time to the microsecond, in UTC.
    Moment,
    /// A day.
    Date,
    /// A number of at most so many digits, of which so many are behind the point.
    Decimal(u8, i8),
    /// Text. Numbers, true and false are kept as they are written.
    Text,
    /// Any value, kept as the JSON that is written.
    Json,
    /// A list of that.
    List(Box<Kind>),
    /// An object with these fields.
    Object(Vec<(String, Kind)>),
}

impl Kind {
    /// The Arrow field of that name and kind.
    pub(crate) fn field(&self, name: &str) -> Field {
        match self {
            Self::Json => chatferry_core::json::column(name),
            _ => Field::new(name, self.data_type(), true),
        }
    }

    /// The fields of an object.
    pub(crate) fn fields(fields: &[(String, Self)]) -> Fields {
        fields.iter().map(|(name, kind)| kind.field(name)).collect()
    }

    /// The Arrow type of that kind.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Bigint => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Date => DataType::Date32,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Text | Self::Json => DataType::Utf8,
            Self::List(items) => DataType::List(items.item()),
            Self::Object(fields) => DataType::Struct(Self::fields(fields)),
        }
    }

    /// The Arrow field for the items of a list of these.
    pub(crate) fn item(&self) -> Arc<Field> {
        Arc::new(self.field("item"))
    }
}
