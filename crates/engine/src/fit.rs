//! Whether an expression's type fits the field it is for, and what it is cast to.

use arrow::datatypes::{DataType, Field as Column};
use chatferry_core::{Field, Kind, Mistake, Sql, json};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::{Expr, ExprSchemable};

use crate::sql;

/// The expression cast to what its field takes, and the column it gives.
///
/// `field` is `None` inside objects of free shape, where everything is taken as it is.
pub(crate) fn fit(
    expression: &Expr,
    field: Option<&Field>,
    name: &str,
    schema: &DFSchema,
    sql: &Sql,
) -> Result<(Expr, Column), Mistake> {
    let wrong = |error| sql::mistake(&error, sql);
    let given = given(expression, name, schema).map_err(wrong)?;
    let fitted = match field.map(|field| field.kind) {
        None if json::is_marked(&given) => json::column(name),
        None => given,
        Some(kind) => fitting(kind, &given).ok_or_else(|| misfit(kind, &given, sql))?,
    };
    let expression = expression.clone();
    let expression = expression.cast_to(fitted.data_type(), schema);
    Ok((expression.map_err(wrong)?, fitted))
}

/// The column that a field of this kind makes of the column given, if that fits.
fn fitting(kind: Kind, given: &Column) -> Option<Column> {
    let name = given.name();
    let (is_json, given_kind) = (json::is_marked(given), given.data_type());
    let is_null = given_kind.is_null();
    match kind {
        Kind::Text => {
            (!is_json && fits_text(given_kind)).then(|| Column::new(name, DataType::Utf8, true))
        }
        Kind::Seconds => {
            (is_null || given_kind.is_integer()).then(|| Column::new(name, DataType::Int64, true))
        }
        Kind::Flag => (is_null || *given_kind == DataType::Boolean)
            .then(|| Column::new(name, DataType::Boolean, true)),
        Kind::Texts => {
            let fits = |item: &Column| !json::is_marked(item) && fits_text(item.data_type());
            (is_null || list_item(given_kind).is_some_and(fits))
                .then(|| Column::new_list(name, Column::new_list_field(DataType::Utf8, true), true))
        }
        Kind::Object | Kind::Fields(_) | Kind::Objects(_) if is_null || is_json => {
            Some(json::column(name))
        }
        Kind::Object | Kind::Fields(_) => is_object(given_kind).then(|| given.clone()),
        Kind::Objects(_) => {
            let fits = |item: &Column| json::is_marked(item) || is_object(item.data_type());
            list_item(given_kind)
                .is_some_and(fits)
                .then(|| given.clone())
        }
    }
}

/// The column that an expression gives, marked if that is JSON.
fn given(expression: &Expr, name: &str, schema: &DFSchema) -> Result<Column, DataFusionError> {
    let (_, field) = expression.to_field(schema)?;
    let column = Column::new(name, field.data_type().clone(), true);
    Ok(if gives_json(expression, schema) {
        json::mark(column)
    } else {
        column
    })
}

/// Whether an expression gives JSON text: a marked column, or a choice between such.
///
/// DataFusion keeps the mark of columns and of what is taken out of an object; where an expression
/// chooses between values it forgets, and this looks at the choices.
fn gives_json(expression: &Expr, schema: &DFSchema) -> bool {
    let all = |choices: &mut dyn Iterator<Item = &Expr>| {
        let mut choices = choices.filter(|choice| !is_null(choice)).peekable();
        choices.peek().is_some() && choices.all(|choice| gives_json(choice, schema))
    };
    match expression {
        // Who casts to text wants text.
        Expr::Cast(_) | Expr::TryCast(_) => false,
        Expr::Case(case) => all(&mut case
            .when_then_expr
            .iter()
            .map(|(_, then)| then.as_ref())
            .chain(case.else_expr.as_deref())),
        Expr::ScalarFunction(call) => match (call.name(), call.args.as_slice()) {
            ("coalesce" | "nvl", choices) => all(&mut choices.iter()),
            ("nullif", [value, _]) => gives_json(value, schema),
            ("nvl2", [_, choices @ ..]) => all(&mut choices.iter()),
            _ => is_marked(expression, schema),
        },
        _ => is_marked(expression, schema),
    }
}

fn is_marked(expression: &Expr, schema: &DFSchema) -> bool {
    let field = expression.to_field(schema);
    field.is_ok_and(|(_, field)| json::is_marked(&field))
}

fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => is_null(&cast.expr),
        _ => false,
    }
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

fn fits_text(kind: &DataType) -> bool {
    is_text(kind) || kind.is_integer() || kind.is_null()
}

fn is_object(kind: &DataType) -> bool {
    matches!(kind, DataType::Struct(_) | DataType::Map(..))
}

/// A column's type in a person's words.
#[must_use]
pub fn in_words(column: &Column) -> String {
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
