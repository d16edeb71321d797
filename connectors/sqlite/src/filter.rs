//! Which conditions SQLite evaluates as the engine does, and their SQL.

use chatferry_core::{Comparison, Filter, Operand};

use crate::catalog::Column;
use crate::describe::Described;
use crate::key::{BINARY, collated};
use crate::page::Bound;
use crate::session::quoted;
use crate::types::{Affinity, Arrives};

/// Whether SQLite leaves out exactly the rows that the engine would leave out.
pub(crate) fn honours(described: &Described, filter: &Filter) -> bool {
    match filter {
        Filter::Compare {
            column,
            comparison,
            value,
        } => described.arrives(column).is_some_and(|(column, arrives)| {
            compares_alike(described, column, arrives, *comparison, value)
        }),
        Filter::Null { column } | Filter::NotNull { column } => described.arrives(column).is_some(),
        Filter::Any(filters) => {
            !filters.is_empty() && filters.iter().all(|filter| honours(described, filter))
        }
    }
}

fn compares_alike(
    described: &Described,
    column: &Column,
    arrives: Arrives,
    comparison: Comparison,
    value: &Operand,
) -> bool {
    let affinity = Affinity::of(&column.declared);
    match (arrives, value) {
        // In a view or a query, whole numbers may stand in a column of text; they would be compared
        // as text.
        (Arrives::Whole, Operand::Whole(whole)) => {
            affinity != Affinity::Text && i64::try_from(*whole).is_ok()
        }
        (Arrives::Flag, Operand::Flag(_)) => affinity != Affinity::Text,
        (Arrives::Text, Operand::Text(text)) => {
            let has_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            // A column that is not declared text makes a number of what looks like one.
            let becomes_number = affinity != Affinity::Text && text.trim().parse::<f64>().is_ok();
            !becomes_number
                && !text.contains('\0')
                && (!has_order || described.is_ordered_alike(&column.name))
        }
        _ => false,
    }
}

/// The condition in SQL; the values in it are added to those to be bound.
pub(crate) fn condition(filter: &Filter, values: &mut Vec<Bound>) -> String {
    match filter {
        Filter::Compare {
            column,
            comparison,
            value,
        } => {
            let (column, value) = match value {
                Operand::Text(text) => (collated(column, BINARY), Bound::Text(text.clone())),
                Operand::Flag(flag) => (quoted(column), Bound::Whole((*flag).into())),
                Operand::Whole(whole) => {
                    let whole = i64::try_from(*whole).expect("only those of 64 bits are honoured");
                    (quoted(column), Bound::Whole(whole))
                }
                Operand::Date(days) => (quoted(column), Bound::Whole((*days).into())),
                Operand::Time(time) => (quoted(column), Bound::Whole(*time)),
            };
            values.push(value);
            format!("{column} {} ?", comparison.sql())
        }
        Filter::Null { column } => format!("{} IS NULL", quoted(column)),
        Filter::NotNull { column } => format!("{} IS NOT NULL", quoted(column)),
        Filter::Any(filters) => {
            let any: Vec<String> = filters
                .iter()
                .map(|filter| condition(filter, values))
                .collect();
            any.join(" OR ")
        }
    }
}
