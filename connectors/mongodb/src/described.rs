//! What was found of a collection, and what it allows the database to be asked.

use arrow::datatypes::{DataType, Field};
use chatferry_core::json;
use chatferry_core::source::{Scan, Table};
use chatferry_records as records;
use mongodb::bson::{Document, doc};

use crate::types::{Noted, Types};

/// A table as it was found.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) records: records::Described,
    /// Of which types its fields were; nothing is known of them where columns were declared.
    pub(crate) noted: Noted,
    /// Whether texts are compared byte by byte.
    pub(crate) is_plain: bool,
}

/// Whether the order in which MongoDB has the values of `_id` is that of the column.
pub(crate) fn is_ordered_by_id(table: &Table, noted: &Noted, is_plain: bool) -> bool {
    let (Ok(field), types) = (table.schema.field_with_name("_id"), noted.types("_id")) else {
        return false;
    };
    match field.data_type() {
        DataType::Utf8 if json::is_marked(field) => false,
        DataType::Utf8 => types.are(Types::ID) || (types.are(Types::TEXT) && is_plain),
        DataType::Int64 => types.are(Types::WHOLE),
        DataType::Timestamp(..) => types.are(Types::TIME),
        _ => false,
    }
}

impl Described {
    /// Of which types a field was, and the column that is made of it; `None` where the database
    /// cannot be asked about it.
    pub(crate) fn column(&self, name: &str) -> Option<(Types, &Field)> {
        let field = self.records.table.schema.field_with_name(name).ok()?;
        let types = self.noted.types(name);
        (types != Types::default() && is_askable(name)).then_some((types, field))
    }
}

/// Whether a field of that name is what MongoDB takes the name for.
fn is_askable(name: &str) -> bool {
    !name.is_empty() && !name.contains('.') && !name.starts_with('$') && !name.contains('\0')
}

/// The fields that a scan wants; `None` where they cannot be asked for one by one.
pub(crate) fn wanted(scan: &Scan) -> Option<Document> {
    let fields = scan.table.schema.fields();
    let names: Vec<&str> = scan
        .columns
        .iter()
        .map(|column| fields[*column].name().as_str())
        .collect();
    let mut wanted = doc! {"_id": 1};
    for name in names {
        if !is_askable(name) {
            return None;
        }
        wanted.insert(name, 1);
    }
    Some(wanted)
}
