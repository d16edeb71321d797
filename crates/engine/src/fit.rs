//! Whether an expression's type fits the field it is for, and what it is cast to.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as Column};
use chatferry_core::{Field, Kind, Mistake, Sql, json};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable};

use crate::sql;

/// The expression cast to what its field takes, and the column it gives.
///
/// `field` is `None` inside objects of free shape, where everything is taken as it is.
pub(crate) fn fit(
    expression: Expr,
    field: Option<&Field>,
    name: &str,
    schema: &DFSchema,
    sql: &Sql,
) -> Result<(Expr, Column), Mistake> {
    let (_, column) = expression
        .to_field(schema)
        .map_err(|error| sql::mistake(&error, sql))?;
    let kind = column.data_type();
    let target = match field.map(|field| field.kind) {
        None => kind.clone(),
        Some(_) if kind.is_null() => DataType::Utf8,
        Some(Kind::Text) if is_text(kind) && !json::is_marked(&column) => DataType::Utf8,
        Some(Kind::Text) if kind.is_integer() => DataType::Utf8,
        Some(Kind::Seconds) if kind.is_integer() => DataType::Int64,
        Some(Kind::Flag) if *kind == DataType::Boolean => DataType::Boolean,
        Some(Kind::Texts) => match list_item(kind) {
            Some(item) if is_text(item.data_type()) || item.data_type().is_integer() => {
                DataType::List(Arc::new(Column::new("item", DataType::Utf8, true)))
            }
            Some(item) if item.data_type().is_null() => {
                DataType::List(Arc::new(Column::new("item", DataType::Utf8, true)))
            }
            _ => return Err(misfit(Kind::Texts, &column, sql)),
        },
        Some(Kind::Object | Kind::Fields(_))
            if matches!(kind, DataType::Struct(_) | DataType::Map(..))
                || json::is_marked(&column) =>
        {
            kind.clone()
        }
        Some(Kind::Objects(_)) if json::is_marked(&column) => kind.clone(),
        Some(Kind::Objects(_))
            if list_item(kind).is_some_and(|item| {
                matches!(item.data_type(), DataType::Struct(_)) || json::is_marked(item)
            }) =>
        {
            kind.clone()
        }
        Some(kind) => return Err(misfit(kind, &column, sql)),
    };
    let metadata = column.metadata().clone();
    let fitted = Column::new(name, target.clone(), true).with_metadata(metadata);
    let expression = expression
        .cast_to(&target, schema)
        .map_err(|error| sql::mistake(&error, sql))?;
    Ok((expression, fitted))
}

fn misfit(wanted: Kind, column: &Column, sql: &Sql) -> Mistake {
    let given = in_words(column);
    let help = match (wanted, column.data_type()) {
        (Kind::Seconds, _) => Some("wrap it: unix_seconds(...)"),
        (Kind::Text, _) if json::is_marked(column) => {
            Some("json_text(...) gives the text that a JSON string stands for")
        }
        (Kind::Text, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) => {
            Some("write it out: to_char(..., '%Y-%m-%d')")
        }
        (Kind::Text, _) => Some("write it out: CAST(... AS TEXT)"),
        (Kind::Flag, kind) if kind.is_integer() => Some("compare it: ... <> 0"),
        (Kind::Flag, _) => Some("write a condition, such as ... = 'yes'"),
        (Kind::Texts, kind) if is_text(kind) => {
            Some("make a list: make_array(...), or string_to_array(..., ',')")
        }
        (Kind::Object | Kind::Fields(_), kind) if is_text(kind) => {
            Some("if the text holds JSON: json(...); or write a nested table of expressions")
        }
        (Kind::Object | Kind::Fields(_), _) => {
            Some("write a nested table of expressions, or named_struct('key', ...)")
        }
        (Kind::Objects(_), kind) if is_text(kind) => Some("if the text holds JSON: json(...)"),
        (Kind::Objects(_), _) => Some("make a list of objects: make_array(named_struct(...))"),
        _ => None,
    };
    Mistake::error(
        "field::wrong-type",
        format!(
            "this field takes {}, and the expression gives {given}",
            wanted.takes()
        ),
        sql.at.clone(),
    )
    .label(format!("this is {given}"))
    .maybe_help(help.map(str::to_owned))
}

/// A column's type in a person's words.
pub(crate) fn in_words(column: &Column) -> String {
    if json::is_marked(column) {
        return "JSON text".into();
    }
    match column.data_type() {
        DataType::Null => "always null".into(),
        DataType::Boolean => "true or false".into(),
        kind if is_text(kind) => "text".into(),
        kind if kind.is_integer() => "a whole number".into(),
        kind if kind.is_floating() || kind.is_decimal() => "a number with a fraction".into(),
        DataType::Timestamp(_, None) => "a timestamp without a zone".into(),
        DataType::Timestamp(_, Some(_)) => "a timestamp".into(),
        DataType::Date32 | DataType::Date64 => "a date".into(),
        DataType::Struct(_) | DataType::Map(..) => "an object".into(),
        kind => match list_item(kind) {
            Some(item) => format!("a list ({} each)", in_words(item)),
            None => kind.to_string(),
        },
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn list_item(kind: &DataType) -> Option<&Column> {
    match kind {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _) => Some(item),
        _ => None,
    }
}
