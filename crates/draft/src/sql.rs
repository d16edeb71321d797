//! Names and texts as SQL and TOML take them.

/// Words that SQL keeps for itself, where a name would stand.
const KEPT: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "at",
    "between",
    "by",
    "case",
    "cast",
    "check",
    "column",
    "constraint",
    "create",
    "cross",
    "current",
    "date",
    "default",
    "delete",
    "desc",
    "distinct",
    "drop",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "extract",
    "false",
    "fetch",
    "filter",
    "for",
    "foreign",
    "from",
    "full",
    "group",
    "having",
    "if",
    "in",
    "index",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "key",
    "left",
    "like",
    "limit",
    "match",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "primary",
    "qualify",
    "references",
    "right",
    "row",
    "rows",
    "select",
    "set",
    "some",
    "table",
    "then",
    "time",
    "timestamp",
    "to",
    "true",
    "union",
    "unique",
    "unnest",
    "update",
    "user",
    "using",
    "values",
    "view",
    "when",
    "where",
    "window",
    "with",
    "within",
    "without",
    "position",
    "type",
    "value",
    "text",
    "position",
    "read",
    "sample",
    "sort",
    "top",
    "connect",
    "start",
    "system",
    "trim",
];

/// A name as SQL takes it.
pub(crate) fn name(name: &str) -> String {
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let plain = begins && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    match plain && !KEPT.contains(&name.to_ascii_lowercase().as_str()) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A table's name with its source, as SQL takes it.
pub(crate) fn table(full: &str) -> String {
    match full.split_once('.') {
        Some((source, table)) => format!("{}.{}", name(source), name(table)),
        None => name(full),
    }
}

/// A column of a table that has a name of its own in the statement.
pub(crate) fn of(table: &str, column: &str) -> String {
    format!("{table}.{}", name(column))
}

/// A text as SQL takes it.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text as TOML takes it, in one line.
pub(crate) fn toml(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for letter in text.chars() {
        match letter {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            letter if letter.is_control() => {
                written.push_str(&format!("\\u{:04X}", u32::from(letter)));
            }
            letter => written.push(letter),
        }
    }
    written.push('"');
    written
}
