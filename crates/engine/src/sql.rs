//! A person's SQL: from text to an expression, or to a mistake that points into the text.

use chatferry_core::{Mistake, Span, Sql, Value, Variables};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue, SchemaError};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Cast, Expr, TryCast};

use crate::functions;

/// The expression that a piece of SQL stands for, over the columns of `schema`.
pub(crate) fn expression(
    state: &SessionState,
    sql: &Sql,
    schema: &DFSchema,
    variables: &Variables,
) -> Result<Expr, Mistake> {
    if sql.text.trim().is_empty() {
        return Err(
            Mistake::error("sql::empty", "there is no expression here", sql.at.clone())
                .label("an empty expression")
                .help(
                    "write a SQL expression over the columns of `from`, such as `'text'` or `id`",
                ),
        );
    }
    let expression = state
        .create_logical_expr(&sql.text, schema)
        .map_err(|error| mistake(&error, sql))?;
    let expression = with_variables(expression, variables).map_err(|error| mistake(&error, sql))?;
    match expression {
        Expr::Alias(alias) => Ok(*alias.expr),
        expression => Ok(expression),
    }
}

/// The values of variables, as DataFusion takes them for a whole query.
pub(crate) fn parameters(variables: &Variables) -> Vec<(String, ScalarValue)> {
    variables
        .iter()
        .map(|(name, value)| (name.clone(), scalar(value)))
        .collect()
}

fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        Value::Integer(number) => ScalarValue::Int64(Some(*number)),
        Value::Float(number) => ScalarValue::Float64(Some(*number)),
        Value::Flag(flag) => ScalarValue::Boolean(Some(*flag)),
    }
}

/// Puts the values of variables where `$name` stands.
fn with_variables(expression: Expr, variables: &Variables) -> Result<Expr, DataFusionError> {
    let put = |expression: Expr| match &expression {
        Expr::Placeholder(placeholder) => {
            let name = placeholder.id.trim_start_matches('$');
            match variables.get(name) {
                Some(value) => Ok(Transformed::yes(Expr::Literal(scalar(value), None))),
                None => Err(DataFusionError::Plan(format!(
                    "there is no variable called `{name}`; variables are written under `[variables]`"
                ))),
            }
        }
        _ => Ok(Transformed::no(expression)),
    };
    Ok(expression.transform(put)?.data)
}

/// The same expression, giving null where it would fail for want of a readable value.
///
/// A row that cannot be shaped must not end the sort that comes before shaping: it takes its
/// place among the nulls, and is rejected with its reason when its fields are evaluated.
pub(crate) fn forgiving(expression: Expr) -> Result<Expr, DataFusionError> {
    let forgive = |expression: Expr| {
        Ok(match expression {
            Expr::Cast(Cast { expr, field }) => {
                Transformed::yes(Expr::TryCast(TryCast { expr, field }))
            }
            Expr::ScalarFunction(mut call) => match functions::forgiving(call.func.name()) {
                Some(function) => {
                    call.func = function;
                    Transformed::yes(Expr::ScalarFunction(call))
                }
                None => Transformed::no(Expr::ScalarFunction(call)),
            },
            other => Transformed::no(other),
        })
    };
    Ok(expression.transform(forgive)?.data)
}

/// What DataFusion found wrong with a piece of SQL, pointing as closely as it can.
pub(crate) fn mistake(error: &DataFusionError, sql: &Sql) -> Mistake {
    let root = root(error);
    if let DataFusionError::SchemaError(schema_error, _) = root {
        match schema_error.as_ref() {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => {
                return unknown_column(field, valid_fields, sql);
            }
            SchemaError::AmbiguousReference { field } => {
                return Mistake::error(
                    "sql::ambiguous-column",
                    format!("more than one table has a column called `{}`", field.name),
                    find(sql, &field.name),
                )
                .label("which one?")
                .help("write the table's name before it");
            }
            _ => {}
        }
    }
    if let Some(found) = error.diagnostic() {
        let at = found.span.and_then(|span| {
            let start = offset(&sql.text, span.start.line, span.start.column)?;
            let end = offset(&sql.text, span.end.line, span.end.column)?;
            within(sql, start, end.max(start + 1))
        });
        let help = found
            .helps
            .first()
            .or(None)
            .map(|help| lower(&help.message));
        let note = found.notes.first().map(|note| lower(&note.message));
        return Mistake::error("sql::invalid", lower(&found.message), at.or(sql.at.clone()))
            .maybe_help(help.or(note));
    }
    let text = root.strip_backtrace();
    let at = parser_place(&text).and_then(|(line, column)| {
        let start = offset(&sql.text, line, column)?;
        within(sql, start, start + 1)
    });
    Mistake::error("sql::invalid", phrase(&text), at.or(sql.at.clone()))
        .help("expressions are SQL in DataFusion's dialect; text stands in 'single quotes'")
}

fn unknown_column(field: &Column, known: &[Column], sql: &Sql) -> Mistake {
    let mut names: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let near = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(name, &field.name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min();
    let all = names.join(", ");
    let help = match near {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if all.len() <= 300 => format!("the columns are {all}"),
        None => format!(
            "there are {} columns; `chatferry check` lists them",
            names.len()
        ),
    };
    let message = format!("there is no column called `{}`", field.name);
    Mistake::error("sql::unknown-column", message, find(sql, &field.name))
        .label("not a column of what this reads")
        .help(help)
}

/// Where a name stands in a piece of SQL, or all of it.
fn find(sql: &Sql, name: &str) -> Option<Span> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let text = sql.text.as_bytes();
    let start = sql
        .text
        .match_indices(name)
        .map(|(start, _)| start)
        .find(|start| {
            let before = start.checked_sub(1).and_then(|place| text.get(place));
            !before.is_some_and(is_word) && !text.get(start + name.len()).is_some_and(is_word)
        });
    start
        .and_then(|start| within(sql, start, start + name.len()))
        .or(sql.at.clone())
}

/// A range of the SQL's text as a range of the file.
fn within(sql: &Sql, start: usize, end: usize) -> Option<Span> {
    let at = sql.at.clone().filter(|_| sql.verbatim)?;
    let end = end.min(sql.text.len());
    let sound = start < end && sql.text.is_char_boundary(start) && sql.text.is_char_boundary(end);
    sound.then(|| at.start + start..at.start + end)
}

/// The byte at a line and a column, both counted from 1, the column in characters.
fn offset(text: &str, line: u64, column: u64) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    Some(
        start
            + rest
                .char_indices()
                .nth(column)
                .map_or(rest.len(), |(byte, _)| byte),
    )
}

/// The place that the SQL parser names at the end of its messages.
fn parser_place(message: &str) -> Option<(u64, u64)> {
    let (_, place) = message.rsplit_once("Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let digits = column
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(column.len());
    Some((line.parse().ok()?, column[..digits].parse().ok()?))
}

fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, root),
        DataFusionError::Shared(inner) => root(inner),
        _ => error,
    }
}

/// A library's message as a phrase of ours: its first sentence, without its own prefix.
pub(crate) fn phrase(message: &str) -> String {
    let first = message.lines().next().unwrap_or(message);
    let mut text = first;
    for prefix in [
        "Error during planning: ",
        "SQL error: ",
        "Execution error: ",
        "Arrow error: ",
        "Cast error: ",
        "External error: ",
        "Schema error: ",
        "This feature is not implemented: ",
    ] {
        text = text.trim_start_matches(prefix);
    }
    let text = match text.strip_prefix("ParserError(\"") {
        Some(inner) => inner.trim_end_matches("\")"),
        None => text,
    };
    let text = text.split(" at Line: ").next().unwrap_or(text);
    let text = text.split(". Candidate functions").next().unwrap_or(text);
    lower(text.trim_end_matches('.'))
}

/// A message without what it quotes, since that may be the contents of a record.
pub(crate) fn without_contents(message: &str) -> String {
    let mut pieces = message.split('\'');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    let mut inside = true;
    for piece in pieces {
        plain.push_str(if inside { "'…'" } else { piece });
        inside = !inside;
    }
    plain
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    let mut second = text.chars().skip(1);
    match chars.next() {
        Some(first) if second.next().is_none_or(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_a_column_find_their_byte() {
        let text = "a +\n  é + b";
        assert_eq!(offset(text, 1, 1), Some(0));
        assert_eq!(offset(text, 2, 3), Some(6));
        assert_eq!(offset(text, 2, 7), Some(11));
        assert_eq!(offset(text, 9, 1), Some(text.len()));
    }

    #[test]
    fn a_name_is_found_as_a_word() {
        let sql = Sql {
            text: "user_id + id".into(),
            at: Some(100..112),
            verbatim: true,
        };
        assert_eq!(find(&sql, "id"), Some(110..112));
    }
}
