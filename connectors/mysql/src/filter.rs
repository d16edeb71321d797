//! The conditions that the server evaluates as the engine does, bit for bit.

use chatferry_core::{Comparison, Filter, Operand};

use crate::calendar;
use crate::catalog::Column;
use crate::describe::Described;
use crate::sql::{Sql, quoted};
use crate::types::Type;

/// The condition in SQL; `None` when the server might see it otherwise.
pub(crate) fn sql(filter: &Filter, table: &Described) -> Option<Sql> {
    match filter {
        Filter::Null { column } => {
            only_null_is_null(table, column)?;
            // `IS NULL` would also find dates of zeros, in columns that have no nulls.
            Some(Sql::of(format!("{} <=> NULL", quoted(column))))
        }
        Filter::NotNull { column } => {
            only_null_is_null(table, column)?;
            Some(Sql::of(format!("{} IS NOT NULL", quoted(column))))
        }
        Filter::Any(filters) => {
            let mut either = Sql::of("(FALSE");
            for filter in filters {
                either.push(" OR ");
                either.append(&sql(filter, table)?);
            }
            either.push(")");
            Some(either)
        }
        Filter::Compare {
            column,
            comparison,
            value,
        } => compare(table.column(column)?, *comparison, value, table),
    }
}

/// The column, unless something else than null is read as null.
fn only_null_is_null<'t>(table: &'t Described, name: &str) -> Option<&'t Column> {
    let zero_dates_are_null = table.reading.zero_dates_are_null;
    let column = table.column(name)?;
    (!(zero_dates_are_null && column.type_.has_zero_dates())).then_some(column)
}

/// Whether no value of the column is read as null.
pub(crate) fn is_never_null(table: &Described, name: &str) -> bool {
    only_null_is_null(table, name).is_some_and(|column| !column.nullable)
}

fn compare(
    column: &Column,
    comparison: Comparison,
    value: &Operand,
    table: &Described,
) -> Option<Sql> {
    if !column.compares(table.reading) {
        return None;
    }
    let mut sql = Sql::of(format!("{} {} ", quoted(&column.name), comparison.sql()));
    match (column.type_, value) {
        (Type::Boolean | Type::Flag, Operand::Flag(flag)) => {
            sql.push(if *flag { "1" } else { "0" });
        }
        (
            Type::Int8
            | Type::UInt8
            | Type::Int16
            | Type::UInt16
            | Type::Int32
            | Type::UInt32
            | Type::Int64
            | Type::UInt64
            | Type::Bits,
            Operand::Whole(whole),
        ) => sql.whole(*whole),
        (Type::Text, Operand::Text(text)) => sql.text(text),
        (Type::Date, Operand::Date(days)) => sql.text(calendar::date_of(*days)?),
        (Type::DateTime | Type::Timestamp, Operand::Time(time)) => {
            sql.text(calendar::time_of(*time)?);
        }
        _ => return None,
    }
    Some(sql)
}

/// The columns of these conditions that may hold what cannot be read, by their names. They must be
/// looked at even when nobody wants them.
pub(crate) fn doubtful<'f>(filters: &'f [Filter], table: &Described) -> Vec<&'f str> {
    let is_doubtful = |name: &&str| {
        table
            .column(name)
            .is_some_and(|column| column.type_.has_zero_dates() || column.type_ == Type::Boolean)
    };
    let names = filters.iter().flat_map(Filter::columns);
    names.filter(is_doubtful).collect()
}
