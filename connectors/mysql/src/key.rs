//! What the pages of a table are cut by.
//!
//! A page is the rows after the last row of the page before: `(a, b) > (x, y)`. Where two rows may
//! have one key, a page ends before the last key it has seen, and the next begins with that key.
//! And where only the server could tell whether two keys are the same, as it does of `a` and `A`,
//! it is asked whether the last row of a page has its key for itself.

use sqlx::mysql::MySqlRow;
use sqlx::{Decode, MySql, Row as _};

use crate::calendar::{self, Parts};
use crate::catalog::Column;
use crate::decode::bits;
use crate::settings::Reading;
use crate::sql::{Sql, quoted};
use crate::types::{Form, Type};

/// Columns by which rows are ordered.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) columns: Vec<KeyColumn>,
    pub(crate) shared: Shared,
    /// The index that has the rows in this order.
    pub(crate) index: Option<String>,
}

/// Whether two rows may have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    /// The server sees to it that they have not.
    Never,
    /// They may, and the same keys are sent alike.
    Seen,
    /// They must not, since the same keys may be sent in different ways.
    Unseen,
}

/// One column of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyColumn {
    pub(crate) name: String,
    type_: Type,
    /// Whether nulls may be in it. One ends the reading, since no page would have it.
    pub(crate) nullable: bool,
    /// Whether the database orders it as Arrow does.
    pub(crate) ordered: bool,
    /// Whether values that are sent otherwise are never equal, as `a` and `A` may be.
    pub(crate) exact: bool,
}

/// A value of a key's column.
#[derive(Clone, Debug)]
pub(crate) enum KeyValue {
    /// One of few numbers, which the server must not take for a text or for something shorter.
    Code(u64),
    Whole(i128),
    Decimal {
        text: String,
        precision: u8,
        scale: i8,
    },
    Text(String),
    Bytes(Vec<u8>),
    Double(f64),
}

impl KeyColumn {
    /// A column of a table, if it can be compared.
    pub(crate) fn new(column: &Column, reading: Reading) -> Option<Self> {
        let exact = match column.type_ {
            Type::Json { .. } => return None,
            Type::AsText(form) if form != Form::Itself => return None,
            Type::Text => column.by_bytes,
            Type::Float | Type::Double => false,
            _ => true,
        };
        Some(Self {
            name: column.name.clone(),
            type_: column.type_,
            nullable: column.nullable,
            ordered: column.compares(reading),
            exact,
        })
    }

    /// The column as it is asked for when its value is to be compared with.
    pub(crate) fn sql(&self) -> String {
        let name = quoted(&self.name);
        match self.type_ {
            // They are ordered by their numbers, and not by their texts.
            Type::Enum | Type::Set => format!("CAST({name} AS UNSIGNED)"),
            of => of.expression(&name),
        }
    }

    /// A value as it was sent.
    pub(crate) fn value(&self, sent: &[u8]) -> Option<KeyValue> {
        Some(match self.type_ {
            Type::Boolean | Type::Int8 => KeyValue::whole(i8::from_le_bytes(fixed(sent)?)),
            Type::UInt8 => KeyValue::whole(u8::from_le_bytes(fixed(sent)?)),
            Type::Int16 => KeyValue::whole(i16::from_le_bytes(fixed(sent)?)),
            Type::UInt16 => KeyValue::whole(u16::from_le_bytes(fixed(sent)?)),
            Type::Int32 => KeyValue::whole(i32::from_le_bytes(fixed(sent)?)),
            Type::UInt32 => KeyValue::whole(u32::from_le_bytes(fixed(sent)?)),
            Type::Int64 => KeyValue::whole(i64::from_le_bytes(fixed(sent)?)),
            Type::UInt64 => KeyValue::whole(u64::from_le_bytes(fixed(sent)?)),
            Type::Bits => KeyValue::whole(bits(sent).ok()?),
            Type::Flag => KeyValue::Code(bits(sent).ok()?),
            // In as many bytes as the server finds enough.
            Type::Year | Type::Enum | Type::Set if sent.len() <= 8 => {
                let number = sent.iter().rev();
                KeyValue::Code(number.fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            Type::Year | Type::Enum | Type::Set => return None,
            Type::Float => KeyValue::Double(f32::from_le_bytes(fixed(sent)?).into()),
            Type::Double => KeyValue::Double(f64::from_le_bytes(fixed(sent)?)),
            Type::Decimal { precision, scale } => KeyValue::Decimal {
                text: std::str::from_utf8(sent).ok()?.to_owned(),
                precision,
                scale,
            },
            Type::Date => KeyValue::Text(Parts::read(sent).ok()?.date_text()),
            Type::DateTime | Type::Timestamp => KeyValue::Text(Parts::read(sent).ok()?.text()),
            Type::Time => KeyValue::Text(calendar::time(sent).ok()?),
            Type::Text | Type::AsText(_) => {
                KeyValue::Text(std::str::from_utf8(sent).ok()?.to_owned())
            }
            Type::Binary => KeyValue::Bytes(sent.to_vec()),
            Type::Json { .. } => return None,
        })
    }
}

fn fixed<const N: usize>(sent: &[u8]) -> Option<[u8; N]> {
    sent.try_into().ok()
}

impl KeyValue {
    fn whole(whole: impl Into<i128>) -> Self {
        Self::Whole(whole.into())
    }

    fn write(&self, sql: &mut Sql) {
        match self {
            Self::Code(code) => sql.push(&code.to_string()),
            Self::Whole(whole) => sql.whole(*whole),
            Self::Decimal {
                text,
                precision,
                scale,
            } => {
                sql.push("CAST(");
                sql.text(text);
                sql.push(&format!(" AS DECIMAL({precision},{scale}))"));
            }
            Self::Text(text) => sql.text(text),
            Self::Bytes(bytes) => sql.bytes(bytes),
            Self::Double(double) => sql.double(*double),
        }
    }
}

impl Key {
    /// `a`, `b`, quoted.
    pub(crate) fn columns_sql(&self) -> String {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        names.join(", ")
    }

    /// The rows after these values, or from them on where several rows may have them.
    ///
    /// `a >= ? AND (a > ? OR (a = ? AND b > ?))`: a comparison of tuples in the form for which
    /// every version of the server uses an index.
    pub(crate) fn after(&self, values: &[KeyValue]) -> Sql {
        let mut sql = Sql::default();
        let compare = |sql: &mut Sql, place: usize, operator: &str| {
            sql.push(&format!(
                "{} {operator} ",
                quoted(&self.columns[place].name)
            ));
            values[place].write(sql);
        };
        let last = self.columns.len() - 1;
        if last > 0 {
            compare(&mut sql, 0, ">=");
            sql.push(" AND ");
        }
        for place in 0..last {
            sql.push("(");
            compare(&mut sql, place, ">");
            sql.push(" OR (");
            compare(&mut sql, place, "=");
            sql.push(" AND ");
        }
        let beyond = match self.shared {
            Shared::Never => ">",
            Shared::Seen | Shared::Unseen => ">=",
        };
        compare(&mut sql, last, beyond);
        sql.push(&"))".repeat(last));
        sql
    }

    /// Whether a row has these values, in the server's eyes.
    pub(crate) fn equals(&self, values: &[KeyValue]) -> Sql {
        let mut sql = Sql::default();
        for (place, (column, value)) in self.columns.iter().zip(values).enumerate() {
            sql.push(if place == 0 { "" } else { " AND " });
            sql.push(&format!("{} = ", quoted(&column.name)));
            value.write(&mut sql);
        }
        sql
    }

    /// What a person knows a row by: `messages, id 42`.
    pub(crate) fn place(&self, table: &str, values: &[KeyValue]) -> String {
        let parts = self
            .columns
            .iter()
            .zip(values)
            .map(|(column, value)| match value {
                KeyValue::Whole(whole) => format!("{} {whole}", column.name),
                KeyValue::Code(code) => format!("{} {code}", column.name),
                // Text may be a name or an address, which is not for logs.
                _ => format!("{} …", column.name),
            });
        format!("{table}, {}", parts.collect::<Vec<_>>().join(", "))
    }

    /// As many columns from the first on as the database orders as Arrow does.
    pub(crate) fn order(&self) -> Vec<String> {
        let ordered = self.columns.iter().take_while(|column| column.ordered);
        ordered.map(|column| column.name.clone()).collect()
    }
}

/// A value of a row as it was sent; `None` when it is null.
pub(crate) fn sent(row: &MySqlRow, item: usize) -> Option<&[u8]> {
    let value = row.try_get_raw(item).expect("each item has a value");
    // The error would be that it is null. That cannot be asked otherwise, since dates of zeros
    // claim to be.
    <&[u8] as Decode<MySql>>::decode(value).ok()
}
