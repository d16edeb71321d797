//! A person's SQL: from text to an expression or a query, or to a mistake that points into the text.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::{Mistake, Span, Sql, Value, Variables};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchemaRef, DataFusionError, SchemaError};
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::parser::Statement as AnyStatement;
use datafusion::sql::sqlparser::ast::{
    Query, Statement, Value as Literal, ValueWithSpan, VisitMut, VisitorMut,
};

use crate::functions;

/// The expression that a piece of SQL stands for over one row with the columns of `schema`, with
/// every type settled.
pub(crate) fn expression(
    state: &SessionState,
    sql: &Sql,
    schema: &DFSchemaRef,
    variables: &Variables,
) -> Result<Expr, Mistake> {
    let wrong = |error: DataFusionError| mistake(&error, sql);
    if sql.text.trim().is_empty() {
        let help = "write a SQL expression over the columns of `from`, such as `'text'` or `id`";
        return Err(empty(sql, help));
    }
    let dialect = state.config().options().sql_parser.dialect;
    let mut parsed = state
        .sql_to_expr_with_alias(&sql.text, &dialect)
        .map_err(wrong)?;
    if let Some(alias) = &parsed.alias {
        return Err(Mistake::error(
            "sql::named-expression",
            "an expression has no name of its own",
            find(sql, &alias.value),
        )
        .label("a name")
        .help("leave out the AS and what follows"));
    }
    put_variables(&mut parsed.expr, sql, variables, Queries::Refused)?;
    let expression = state
        .create_logical_expr_from_sql_expr(parsed, schema)
        .map_err(wrong)?;
    over_one_row(&expression, sql)?;
    check_arguments(&expression, sql, schema)?;
    // Some functions, such as coalesce and now, exist only until an expression is simplified.
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(schema))
        .with_config_options(Arc::clone(state.config_options()))
        .with_current_time();
    let simplifier = ExprSimplifier::new(context.build());
    simplifier
        .coerce(expression, schema)
        .and_then(|expression| simplifier.simplify(expression))
        .map_err(wrong)
}

/// The query that a view's text stands for.
pub(crate) fn query(
    state: &SessionState,
    sql: &Sql,
    variables: &Variables,
) -> Result<AnyStatement, Mistake> {
    if sql.text.trim().is_empty() {
        return Err(empty(sql, "write a SELECT"));
    }
    let dialect = state.config().options().sql_parser.dialect;
    let parsed = state.sql_to_statement(&sql.text, &dialect);
    match parsed.map_err(|error| mistake(&error, sql))? {
        AnyStatement::Statement(mut statement) if matches!(*statement, Statement::Query(_)) => {
            put_variables(&mut *statement, sql, variables, Queries::Taken)?;
            Ok(AnyStatement::Statement(statement))
        }
        _ => Err(Mistake::error(
            "sql::not-a-query",
            "a view is a query, and this is not one",
            sql.at.clone(),
        )
        .label("not a query")
        .help("write a SELECT")),
    }
}

fn empty(sql: &Sql, help: &str) -> Mistake {
    Mistake::error("sql::empty", "there is no SQL here", sql.at.clone())
        .label("nothing")
        .help(help)
}

/// Whether queries may stand inside of what is looked through.
#[derive(PartialEq)]
enum Queries {
    Taken,
    Refused,
}

/// Puts the values of variables where `$name` stands.
///
/// The values go in before anything is planned, so that their types are as certain as those of
/// constants written in their place.
fn put_variables(
    parsed: &mut impl VisitMut,
    sql: &Sql,
    variables: &Variables,
    queries: Queries,
) -> Result<(), Mistake> {
    let mut putting = Putting {
        sql,
        variables,
        queries,
    };
    match parsed.visit(&mut putting) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(mistake) => Err(*mistake),
    }
}

struct Putting<'a> {
    sql: &'a Sql,
    variables: &'a Variables,
    queries: Queries,
}

impl VisitorMut for Putting<'_> {
    type Break = Box<Mistake>;

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Self::Break> {
        if self.queries == Queries::Taken {
            return ControlFlow::Continue(());
        }
        let mistake = Mistake::error(
            "sql::query-in-expression",
            "a query cannot stand inside an expression",
            find(self.sql, "SELECT"),
        );
        ControlFlow::Break(Box::new(
            mistake
                .label("a query")
                .help("join what it reads in a view, and let the flow read the view"),
        ))
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Self::Break> {
        let Literal::Placeholder(name) = &value.value else {
            return ControlFlow::Continue(());
        };
        let name = name.trim_start_matches('$');
        match self.variables.get(name) {
            Some(known) => {
                value.value = literal(known);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(Box::new(unknown_variable(name, self.variables, self.sql))),
        }
    }
}

fn literal(value: &Value) -> Literal {
    match value {
        Value::Text(text) => Literal::SingleQuotedString(text.clone()),
        Value::Integer(number) => Literal::Number(number.to_string(), false),
        Value::Float(number) => Literal::Number(format!("{number:?}"), false),
        Value::Flag(flag) => Literal::Boolean(*flag),
    }
}

fn unknown_variable(name: &str, variables: &Variables, sql: &Sql) -> Mistake {
    let names: Vec<&str> = variables.keys().map(String::as_str).collect();
    let help = match nearest(name, &names) {
        Some(near) => format!("did you mean `${near}`?"),
        None if names.is_empty() => "variables are written under `[variables]`".into(),
        None => format!("`[variables]` has {}", names.join(", ")),
    };
    Mistake::error(
        "sql::unknown-variable",
        format!("there is no variable called `{name}`"),
        find(sql, &format!("${name}")),
    )
    .label("not a variable")
    .help(help)
}

/// Refuses what needs more than one row.
fn over_one_row(expression: &Expr, sql: &Sql) -> Result<(), Mistake> {
    let mut called = None;
    let needs_more = |expression: &Expr| match expression {
        Expr::AggregateFunction(call) => {
            called = Some(call.func.name().to_owned());
            true
        }
        Expr::WindowFunction(call) => {
            called = Some(call.fun.name().to_owned());
            true
        }
        Expr::Unnest(_) => {
            called = Some("unnest".to_owned());
            true
        }
        _ => false,
    };
    if !any(expression, needs_more) {
        return Ok(());
    }
    let name = called.unwrap_or_default();
    Err(Mistake::error(
        "sql::more-than-a-row",
        format!("`{name}` is not about one row, and an expression is"),
        find(sql, &name),
    )
    .label("belongs in a view")
    .help("write a view that does it, and let the flow read the view"))
}

/// Whether a part of the expression passes the test.
pub(crate) fn any(expression: &Expr, mut test: impl FnMut(&Expr) -> bool) -> bool {
    expression
        .exists(|part| Ok(test(part)))
        .expect("the test does not fail")
}

/// Checks the arguments of our own functions, so that a mistake says what the function takes.
fn check_arguments(expression: &Expr, sql: &Sql, schema: &DFSchemaRef) -> Result<(), Mistake> {
    let mut found = None;
    any(expression, |part| {
        found = wrong_arguments(part, sql, schema);
        found.is_some()
    });
    found.map_or(Ok(()), Err)
}

fn wrong_arguments(part: &Expr, sql: &Sql, schema: &DFSchemaRef) -> Option<Mistake> {
    let Expr::ScalarFunction(call) = part else {
        return None;
    };
    let definition = functions::definition(call.name())?;
    let types = call.args.iter().map(|arg| arg.get_type(schema));
    // An argument without a type has a mistake of its own further in.
    let types: Vec<_> = types.collect::<Result<_, _>>().ok()?;
    let reason = definition.accepts(&types).err()?;
    Some(
        Mistake::error("sql::wrong-arguments", reason, find(sql, call.name()))
            .label("called with something else")
            .help(format!("it is written {}", definition.usage)),
    )
}

/// What DataFusion found wrong with a piece of SQL, pointing as closely as it can.
pub(crate) fn mistake(error: &DataFusionError, sql: &Sql) -> Mistake {
    let pointed = error.diagnostic().and_then(|found| {
        let span = found.span?;
        let start = offset(&sql.text, span.start.line, span.start.column)?;
        let end = offset(&sql.text, span.end.line, span.end.column)?;
        within(sql, start, end.max(start + 1))
    });
    let root = root(error);
    let text = root.strip_backtrace();
    match root {
        DataFusionError::SchemaError(found, _) => {
            return wrong_column(found, pointed, sql);
        }
        DataFusionError::SQL(..) => {
            let start =
                parser_place(&text).and_then(|(line, column)| offset(&sql.text, line, column));
            let at = token(&sql.text, start.unwrap_or(sql.text.len()));
            return Mistake::error(
                "sql::syntax",
                syntax(&text),
                within(sql, at.start, at.end).or(sql.at.clone()),
            )
            .help(
                "text stands in 'single quotes', and names with odd characters in \"double\" ones",
            );
        }
        _ => {}
    }
    if let Some(name) = between(&text, "Invalid function '", "'") {
        let near = between(&text, "Did you mean '", "'").filter(|near| is_near(name, near));
        return Mistake::error(
            "sql::unknown-function",
            format!("there is no function called `{name}`"),
            find(sql, name),
        )
        .label("not a function")
        .help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`chatferry functions` lists ours; the others are DataFusion's".into(),
        });
    }
    if let Some(function) = between(&text, "call to '", "' function")
        .or_else(|| between(&text, "Function '", "' user-defined coercion"))
        .or_else(|| between(&text, "Function '", "' failed to match any signature"))
    {
        let usage =
            functions::definition(function).map(|known| format!("it is written {}", known.usage));
        let types = between(&text, "argument types '", "'")
            .and_then(|call| call.split_once('('))
            .map(|(_, types)| types_in_words(types.trim_end_matches(')')));
        let types = match types {
            Some(types) => format!("it is called with {types}; CAST(... AS ...) changes a type"),
            None => "CAST(... AS ...) changes a type, such as to BIGINT".into(),
        };
        return Mistake::error(
            "sql::wrong-arguments",
            format!("`{function}` does not take these arguments"),
            find(sql, function),
        )
        .label("called with something else")
        .maybe_help(usage.or(Some(types)));
    }
    let (message, help) = in_our_words(&text);
    Mistake::error("sql::invalid", message, pointed.or(sql.at.clone())).maybe_help(help)
}

/// DataFusion's objections that people meet, in our words, with advice.
fn in_our_words(text: &str) -> (String, Option<String>) {
    let same = || Some("make them the same type, such as CAST(... AS TEXT)".to_owned());
    let after = |start: &str| text.split_once(start).map(|(_, rest)| rest);
    if let Some(types) = between(text, "arithmetic expression ", " to valid types") {
        let types = types_in_words(types);
        return (format!("this cannot be calculated: {types}"), same());
    }
    if let Some(types) = after("comparison operation ").or_else(|| after("types to compare ")) {
        let types = types_in_words(types);
        return (format!("this cannot be compared: {types}"), same());
    }
    if let Some(types) = after("string concat operation ") {
        let types = types_in_words(types);
        return (
            format!("this cannot be joined to one text: {types}"),
            same(),
        );
    }
    if let Some(name) = after("Unsupported SQL type ") {
        let types =
            "there is TEXT, BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP, DECIMAL(digits, digits)";
        return (
            format!("there is no type called `{name}`"),
            Some(types.into()),
        );
    }
    if text.contains("annot access field") {
        let help = "only an object has fields: object['field']";
        return (
            "this is no object, and has no fields".into(),
            Some(help.into()),
        );
    }
    if text.contains("must be in GROUP BY") {
        let help = "add it to GROUP BY, or take one value of the group: max(...), first_value(...)";
        let message = "a column is neither grouped by nor made one value of the group";
        return (message.into(), Some(help.into()));
    }
    if text.contains("single SQL statement") {
        return (
            "this is more than one query".into(),
            Some("write a view for each".into()),
        );
    }
    (phrase(text), None)
}

/// Checks that no two columns of a view have the same name, since nothing could read it then.
pub(crate) fn columns_differ(view: &LogicalPlan, sql: &Sql) -> Result<(), Mistake> {
    let mut seen = HashSet::new();
    let twice = view
        .schema()
        .fields()
        .iter()
        .find(|field| !seen.insert(field.name()));
    twice.map_or(Ok(()), |field| Err(duplicate_column(field.name(), sql)))
}

fn duplicate_column(name: &str, sql: &Sql) -> Mistake {
    Mistake::error(
        "sql::duplicate-column",
        format!("two columns are called `{name}`"),
        sql.at.clone(),
    )
    .label("gives that name twice")
    .help(format!(
        "give one of them another name: ... AS other_{name}"
    ))
}

/// What is wrong with a column that is named.
fn wrong_column(error: &SchemaError, pointed: Option<Span>, sql: &Sql) -> Mistake {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => unknown_column(
            field,
            valid_fields,
            pointed.or_else(|| find(sql, &field.name)),
        ),
        SchemaError::AmbiguousReference { field } => Mistake::error(
            "sql::ambiguous-column",
            format!("more than one table has a column called `{}`", field.name),
            pointed.or_else(|| find(sql, &field.name)),
        )
        .label("which one?")
        .help("write the table's name before it"),
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => duplicate_column(name, sql),
    }
}

fn unknown_column(field: &Column, known: &[Column], at: Option<Span>) -> Mistake {
    let mut names: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let all = names.join(", ");
    let help = match nearest(&field.name, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "what it reads has no columns; is its file empty?".into(),
        None if all.len() <= 300 => format!("the columns are {all}"),
        None => format!(
            "there are {} columns; `chatferry check` lists them",
            names.len()
        ),
    };
    let message = format!("there is no column called `{}`", field.name);
    Mistake::error("sql::unknown-column", message, at)
        .label("not a column of what this reads")
        .help(help)
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().filter(|known| is_near(name, known));
    near.min_by_key(|known| strsim::damerau_levenshtein(name, known))
        .copied()
}

fn is_near(name: &str, known: &str) -> bool {
    name.eq_ignore_ascii_case(known)
        || strsim::damerau_levenshtein(name, known) <= 1 + known.len() / 4
}

/// Where a name stands in a piece of SQL, or all of it.
pub(crate) fn find(sql: &Sql, name: &str) -> Option<Span> {
    words(&sql.text, name)
        .next()
        .and_then(|start| within(sql, start, start + name.len()))
        .or(sql.at.clone())
}

/// Where a word starts, in any case, each time it stands alone.
fn words(text: &str, word: &str) -> impl Iterator<Item = usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (bytes, length) = (text.as_bytes(), word.len());
    (0..text.len()).filter(move |start| {
        let here = text.get(*start..start + length);
        let before = start.checked_sub(1).and_then(|place| bytes.get(place));
        length > 0
            && here.is_some_and(|here| here.eq_ignore_ascii_case(word))
            && !before.is_some_and(is_word)
            && !bytes.get(start + length).is_some_and(is_word)
    })
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

/// The word or sign that starts at this byte; the last one where the text ends before it.
fn token(text: &str, start: usize) -> Span {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let shown = text.trim_end();
    if start >= shown.len() {
        let word = shown.trim_end_matches(is_word).len();
        let sign = shown.char_indices().last().map_or(0, |(start, _)| start);
        return word.min(sign)..shown.len();
    }
    let rest = &text[start..];
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let sign = rest.chars().next().map_or(0, char::len_utf8);
    start..start + word.max(sign)
}

/// What the SQL parser expected, in our words.
fn syntax(message: &str) -> String {
    let message = phrase(message);
    let Some((expected, found)) = message
        .strip_prefix("Expected: ")
        .or(message.strip_prefix("expected: "))
        .and_then(|rest| rest.rsplit_once(", found: "))
    else {
        return format!("this is not SQL: {message}");
    };
    let is_sentence = expected.starts_with(|c: char| c.is_lowercase()) || expected.contains(' ');
    let expected = match expected {
        "end of expression" => return format!("`{found}` is no part of the expression before it"),
        sentence if is_sentence => sentence.to_owned(),
        sign => format!("`{sign}`"),
    };
    match found {
        "EOF" => format!("the SQL ends where {expected} should follow"),
        found => format!("`{found}` stands where {expected} should"),
    }
}

/// What a message says of types, in our words: `Utf8 = Int64` is `text = a whole number`.
fn types_in_words(types: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric();
    let mut told = String::new();
    let mut rest = types;
    while let Some(start) = rest.find(is_word) {
        let (sign, from_word) = rest.split_at(start);
        let end = from_word.find(|c| !is_word(c)).unwrap_or(from_word.len());
        told.push_str(sign);
        told.push_str(type_in_words(&from_word[..end]));
        rest = &from_word[end..];
    }
    told + rest
}

fn type_in_words(name: &str) -> &str {
    match name {
        "Utf8" | "LargeUtf8" | "Utf8View" | "String" => "text",
        "Boolean" => "true or false",
        "Null" => "null",
        "Float16" | "Float32" | "Float64" => "a number with a fraction",
        "Struct" => "an object",
        _ if name.starts_with("Int") || name.starts_with("UInt") => "a whole number",
        _ if name.starts_with("Timestamp") => "a timestamp",
        _ if name.starts_with("Date") => "a date",
        other => other,
    }
}

/// What stands in a text between two others.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
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
    let inner = text
        .strip_prefix("ParserError(\"")
        .or_else(|| text.strip_prefix("TokenizerError(\""));
    let text = inner.map_or(text, |inner| inner.trim_end_matches("\")"));
    let text = text.split(" at Line: ").next().unwrap_or(text);
    let text = text.split(". Candidate functions").next().unwrap_or(text);
    lower(text.trim_end_matches('.'))
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
