//! What the plain columns of a file hold, beyond bytes.
//!
//! The Parquet reader takes some annotations too lightly: it keeps only a part of an interval, and
//! it does not look whether all of what is declared to be text is text. So these annotations are
//! taken out of the schema that it is given. It gives bytes then, and what they are is seen to here.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescPtr, SchemaDescriptor, Type, TypePtr};

use crate::interval;

/// What a plain column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the schema says.
    Plain,
    /// Text, in bytes.
    Text,
    /// JSON, in bytes.
    Json,
    /// Intervals, in twelve bytes.
    Interval,
    /// Ids, in sixteen bytes.
    Uuid,
}

impl Role {
    fn of(kind: &Type) -> Self {
        let info = kind.get_basic_info();
        let physical = kind.get_physical_type();
        let is = |logical: &LogicalType, converted: ConvertedType| {
            info.logical_type_ref() == Some(logical) || info.converted_type() == converted
        };
        match physical {
            Physical::BYTE_ARRAY if is(&LogicalType::Json, ConvertedType::JSON) => Self::Json,
            Physical::BYTE_ARRAY
                if is(&LogicalType::String, ConvertedType::UTF8)
                    || is(&LogicalType::Enum, ConvertedType::ENUM) =>
            {
                Self::Text
            }
            Physical::FIXED_LEN_BYTE_ARRAY if info.converted_type() == ConvertedType::INTERVAL => {
                Self::Interval
            }
            Physical::FIXED_LEN_BYTE_ARRAY
                if info.logical_type_ref() == Some(&LogicalType::Uuid) =>
            {
                Self::Uuid
            }
            _ => Self::Plain,
        }
    }

    /// Whether the reader is to know nothing of it.
    fn is_hidden(self) -> bool {
        matches!(self, Self::Text | Self::Json | Self::Interval)
    }
}

/// What each of the plain columns holds.
pub(crate) fn roles(schema: &SchemaDescriptor) -> Vec<Role> {
    let role = |leaf: &Arc<ColumnDescriptor>| match Role::of(leaf.self_type()) {
        Role::Interval if leaf.type_length() != interval::LENGTH => Role::Plain,
        Role::Uuid if leaf.type_length() != 16 => Role::Plain,
        role => role,
    };
    schema.columns().iter().map(role).collect()
}

/// The same schema with mere bytes where the reader is not to know more.
pub(crate) fn as_bytes(schema: &SchemaDescriptor) -> Result<SchemaDescPtr, ParquetError> {
    let root = bare(&schema.root_schema_ptr())?;
    Ok(Arc::new(SchemaDescriptor::new(root)))
}

fn bare(kind: &TypePtr) -> Result<TypePtr, ParquetError> {
    let info = kind.get_basic_info();
    let id = info.has_id().then(|| info.id());
    if kind.is_primitive() {
        if !Role::of(kind).is_hidden() {
            return Ok(Arc::clone(kind));
        }
        let length = match kind.as_ref() {
            Type::PrimitiveType { type_length, .. } => *type_length,
            Type::GroupType { .. } => -1,
        };
        let bytes = Type::primitive_type_builder(info.name(), kind.get_physical_type())
            .with_repetition(info.repetition())
            .with_length(length)
            .with_id(id);
        return Ok(Arc::new(bytes.build()?));
    }
    let fields: Result<Vec<TypePtr>, _> = kind.get_fields().iter().map(bare).collect();
    let mut group = Type::group_type_builder(info.name())
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_fields(fields?)
        .with_id(id);
    // The root has none.
    if info.has_repetition() {
        group = group.with_repetition(info.repetition());
    }
    Ok(Arc::new(group.build()?))
}
