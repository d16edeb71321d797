//! The conditions that PostgreSQL evaluates as the engine does, bit for bit.

use chatferry_core::{Comparison, Filter, Operand};
use chrono::{DateTime, Days, NaiveDate};

use crate::catalog::Collation;
use crate::describe::Described;
use crate::page::{literal, quoted};
use crate::types::{Asked, Kind};

/// The condition in SQL; `None` when PostgreSQL might see it otherwise.
pub(crate) fn sql(filter: &Filter, table: &Described) -> Option<String> {
    match filter {
        Filter::Null { column } => {
            table.column(column)?;
            Some(format!("{} IS NULL", quoted(column)))
        }
        Filter::NotNull { column } => {
            table.column(column)?;
            Some(format!("{} IS NOT NULL", quoted(column)))
        }
        Filter::Any(filters) => {
            let either: Option<Vec<String>> =
                filters.iter().map(|filter| sql(filter, table)).collect();
            Some(format!("({})", either?.join(" OR ")))
        }
        Filter::Compare {
            column,
            comparison,
            value,
        } => compare(column, *comparison, value, table),
    }
}

fn compare(
    name: &str,
    comparison: Comparison,
    value: &Operand,
    table: &Described,
) -> Option<String> {
    let column = table.column(name)?;
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let plain = column.reading.asked == Asked::Plain;
    let operand = match (&column.reading.kind, value) {
        (Kind::Boolean, Operand::Flag(flag)) => flag.to_string(),
        // Beyond eight bytes the literal would be a numeric, and the column's index of no use.
        (Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Oid, Operand::Whole(whole)) => {
            i64::try_from(*whole).ok()?.to_string()
        }
        (Kind::Date, Operand::Date(days)) => format!("'{}'::date", date(*days)?),
        (Kind::Timestamp { utc }, Operand::Time(microseconds)) => {
            let time = DateTime::from_timestamp_micros(*microseconds)?;
            // Years before 1 and after 9999 are written otherwise.
            let time = (time.format("%Y").to_string().len() == 4).then_some(time)?;
            match utc {
                true => format!("'{}+00'::timestamptz", time.format("%Y-%m-%d %H:%M:%S%.6f")),
                false => format!("'{}'::timestamp", time.format("%Y-%m-%d %H:%M:%S%.6f")),
            }
        }
        // Text is equal when its bytes are, but which of two comes first is a matter of language.
        (Kind::Text, Operand::Text(text)) if plain && column.is_plain_text() => {
            if text.contains('\0') || !(equality || column.collation == Collation::Binary) {
                return None;
            }
            format!("{}::text", literal(text))
        }
        (Kind::Uuid, Operand::Text(text)) if equality && is_uuid(text) => {
            format!("{}::uuid", literal(text))
        }
        _ => return None,
    };
    Some(format!("{} {} {operand}", quoted(name), comparison.sql()))
}

fn date(days: i32) -> Option<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let days_away = Days::new(days.unsigned_abs().into());
    let date = match days < 0 {
        true => epoch.checked_sub_days(days_away),
        false => epoch.checked_add_days(days_away),
    }?;
    (date.format("%Y").to_string().len() == 4).then_some(date)
}

/// Whether a text is a UUID in the form that values are read in.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
