//! What the pages of a table are cut by.
//!
//! A page is the rows after the last row of the page before: `(a, b) > (x, y)`. Where two rows may
//! have one key, a page ends before the last key it has seen, and the next begins with that key.

use crate::catalog::Collation;
use crate::decode::uuid;
use crate::describe::ReadColumn;
use crate::page::{SOURCE, literal, quoted};
use crate::types::Kind;

/// Columns that are never null, by which rows are ordered.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) columns: Vec<KeyColumn>,
    /// Whether no two rows have the same.
    pub(crate) unique: bool,
}

/// One column of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyColumn {
    pub(crate) name: String,
    form: Form,
    /// Its type in SQL, which a literal is cast to.
    kind: String,
    /// Whether the database orders it as Arrow does.
    pub(crate) ordered: bool,
    /// Whether values that are written otherwise are never equal, as 1.0 and 1.00 are.
    pub(crate) exact: bool,
}

/// How a value of a key becomes a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Whole numbers in two, four or eight bytes.
    Whole,
    Oid,
    Uuid,
    /// Asked for as text, or text already.
    Text,
}

impl KeyColumn {
    /// A column of a table.
    pub(crate) fn new(column: &ReadColumn) -> Self {
        let plain_text = column.is_plain_text();
        let (form, ordered, exact) = match column.reading.kind {
            Kind::Int2 | Kind::Int4 | Kind::Int8 => (Form::Whole, true, true),
            Kind::Oid => (Form::Oid, true, true),
            // As bytes, and the text of a UUID has the order of its bytes.
            Kind::Uuid => (Form::Uuid, true, true),
            Kind::Date | Kind::Timestamp { .. } | Kind::Boolean => (Form::Text, true, true),
            Kind::Text => {
                let ordered = plain_text && column.collation == Collation::Binary;
                (Form::Text, ordered, plain_text)
            }
            _ => (Form::Text, false, false),
        };
        Self {
            name: column.name.clone(),
            form,
            kind: column.kind.clone(),
            ordered,
            exact,
        }
    }

    /// The column as it is asked for when its value is to become a literal.
    pub(crate) fn sql(&self) -> String {
        match self.form {
            Form::Text => format!("{}::text", quoted(&self.name)),
            _ => quoted(&self.name),
        }
    }

    /// A value as it came, as a literal of its type.
    fn literal(&self, value: &[u8]) -> Option<String> {
        let text = match self.form {
            Form::Whole => whole(value)?.to_string(),
            Form::Oid => u32::from_be_bytes(value.try_into().ok()?).to_string(),
            Form::Uuid => uuid(value.try_into().ok()?, &mut [0; 36]).to_owned(),
            Form::Text => std::str::from_utf8(value).ok()?.to_owned(),
        };
        Some(format!("{}::{}", literal(&text), self.kind))
    }
}

fn whole(value: &[u8]) -> Option<i64> {
    Some(match value.len() {
        2 => i16::from_be_bytes(value.try_into().ok()?).into(),
        4 => i32::from_be_bytes(value.try_into().ok()?).into(),
        _ => i64::from_be_bytes(value.try_into().ok()?),
    })
}

impl Key {
    /// `source."a", source."b"`: with what they are columns of, since ORDER BY else takes a name for
    /// one of those in the SELECT list.
    pub(crate) fn columns_sql(&self) -> String {
        let columns = self.columns.iter();
        let names: Vec<String> = columns
            .map(|column| format!("{SOURCE}.{}", quoted(&column.name)))
            .collect();
        names.join(", ")
    }

    /// The values of a row's key as literals: `'1'::int8, 'x'::text`.
    pub(crate) fn literals(&self, values: &[Vec<u8>]) -> Option<String> {
        let literals = self.columns.iter().zip(values);
        let literals: Option<Vec<String>> = literals
            .map(|(column, value)| column.literal(value))
            .collect();
        Some(literals?.join(", "))
    }

    /// What a person knows a row by: `id 42`.
    pub(crate) fn place(&self, table: &str, values: &[Vec<u8>]) -> String {
        let parts = self.columns.iter().zip(values).map(|(column, value)| {
            let text = match column.form {
                Form::Whole => whole(value).map(|whole| whole.to_string()),
                Form::Uuid => (value.as_slice().try_into().ok())
                    .map(|bytes| uuid(bytes, &mut [0; 36]).to_owned()),
                Form::Oid | Form::Text => None,
            };
            match text {
                Some(text) => format!("{} {text}", column.name),
                // Text may be a name or an address, which is not for logs.
                None => format!("{} …", column.name),
            }
        });
        format!("{table}, {}", parts.collect::<Vec<_>>().join(", "))
    }

    /// As many columns from the first on as the database orders as Arrow does.
    pub(crate) fn order(&self) -> Vec<String> {
        let ordered = self.columns.iter().take_while(|column| column.ordered);
        ordered.map(|column| column.name.clone()).collect()
    }
}
