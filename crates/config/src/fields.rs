//! What gives each field of an entity its value.

use chatferry_core::{Entity, Field, FieldEntry, FieldValue, Kind, Mistake, Sql};

use crate::document::Value;
use crate::node::{Node, Shape};
use crate::section::Section;
use crate::suggest::{self, quoted};

/// The fields of a flow. What there may be is not known when the entity is not.
pub(crate) fn entries(
    table: &mut Section<'_>,
    entity: Option<Entity>,
    known: Option<&'static [Field]>,
) -> Vec<FieldEntry> {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    let mut meant = Vec::new();
    let written = table.entries();
    for (name, at, node) in &written {
        let field = known.and_then(|known| known.iter().find(|field| field.name == *name));
        if let (None, Some(known), Some(entity)) = (field, known, entity) {
            meant.extend(suggest::closest(name, known.iter().map(|field| field.name)));
            node.mistake(unknown(name, node, entity, known));
        }
        let value = value(name, node, field.map(|field| field.kind), &mut missing);
        found.extend(value.map(|value| FieldEntry {
            name: (*name).to_owned(),
            at: at.clone(),
            value,
        }));
    }
    for field in known
        .unwrap_or_default()
        .iter()
        .filter(|field| field.required)
    {
        // A field that is only misspelt is one mistake, not two.
        let there = written.iter().any(|(name, ..)| *name == field.name);
        if !there && !meant.contains(&field.name) {
            missing.push((field.name.to_owned(), field.about));
        }
    }
    lacking(table, &missing);
    found
}

/// Notes that a flow has no fields at all.
pub(crate) fn none(flow: &mut Section<'_>, known: Option<&'static [Field]>) {
    let required: Vec<&str> = known
        .unwrap_or_default()
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let help = match required.as_slice() {
        [] => "add a table `[flow.fields]`".to_owned(),
        required => format!(
            "add a table `[flow.fields]` with {}",
            suggest::list(required)
        ),
    };
    flow.mistake(
        Mistake::error(
            "pipeline::missing-fields",
            "this flow sets no fields",
            flow.at(),
        )
        .label("no `[flow.fields]` here")
        .help(help),
    );
}

/// A required field that is not there, and what it is.
type Missing = (String, &'static str);

/// Notes all missing fields at once.
fn lacking(table: &mut Section<'_>, missing: &[Missing]) {
    let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
    let (message, help) = match missing {
        [] => return,
        [(name, about)] => (
            format!("the required field {} is missing", quoted(name)),
            format!("add `{name} = \"…\"`: {about}"),
        ),
        _ => {
            let first = names[0];
            let message = format!("the required fields {} are missing", suggest::list(&names));
            (
                message,
                format!("give each an expression, such as `{first} = \"…\"`"),
            )
        }
    };
    table.mistake(
        Mistake::error("pipeline::missing-fields", message, table.at())
            .label("not set here")
            .help(help),
    );
}

fn unknown(name: &str, node: &Node<'_>, entity: Entity, known: &[Field]) -> Mistake {
    let names: Vec<&str> = known.iter().map(|field| field.name).collect();
    let elsewhere = if names.contains(&"metadata") {
        "; others go into `metadata`"
    } else {
        ""
    };
    let help = suggest::did_you_mean(name, names.iter().copied())
        .unwrap_or_else(|| format!("its fields are {}{elsewhere}", suggest::list(&names)));
    Mistake::error(
        "pipeline::unknown-field",
        format!(
            "a {} has no field {}{}",
            entity.singular(),
            quoted(name),
            node.origin()
        ),
        node.name_at(),
    )
    .label("no such field")
    .help(help)
}

fn value(
    name: &str,
    node: &Node<'_>,
    kind: Option<Kind>,
    missing: &mut Vec<Missing>,
) -> Option<FieldValue> {
    match node.kind() {
        Shape::Broken => None,
        Shape::Text => node.sql().map(FieldValue::Expression),
        Shape::Integer | Shape::Float | Shape::Flag => literal(node).map(FieldValue::Expression),
        Shape::Table if kind.is_none_or(Kind::nests) => {
            let nested = node.section()?;
            object(name, node, nested, kind, missing).map(FieldValue::Object)
        }
        Shape::Table => {
            let help = match kind {
                Some(Kind::Objects(_)) => "write SQL that gives a list, such as `make_array(…)`",
                _ => "write one SQL expression",
            };
            advise(node, kind, "this is a table", help)
        }
        Shape::List => {
            let help =
                "write SQL that gives a list, such as \"make_array(a, b)\" or \"['x', 'y']\"";
            advise(node, kind, "this is a list", help)
        }
        Shape::Date => {
            let help = match kind {
                Some(Kind::Seconds) => {
                    "write SQL, such as \"unix_seconds(TIMESTAMP '2024-01-31T12:00:00Z')\""
                }
                _ => "write SQL, such as \"'2024-01-31'\"",
            };
            advise(node, kind, "this is a date", help)
        }
    }
}

fn advise(node: &Node<'_>, kind: Option<Kind>, is: &str, help: &str) -> Option<FieldValue> {
    node.refused(
        kind.map_or("SQL in quotes", Kind::takes),
        is,
        Some(help.to_owned()),
    )
}

/// The fields of a nested table.
fn object(
    name: &str,
    node: &Node<'_>,
    mut table: Section<'_>,
    kind: Option<Kind>,
    missing: &mut Vec<Missing>,
) -> Option<Vec<FieldEntry>> {
    let entries = table.entries();
    if entries.is_empty() {
        node.mistake(
            Mistake::error(
                "pipeline::empty",
                format!("{} has no fields{}", quoted(&node.path), node.origin()),
                node.at(),
            )
            .label("an empty table")
            .help("set a field in it, or leave it out"),
        );
        return None;
    }
    let known = kind.map_or(&[][..], Kind::fields);
    for field in known.iter().filter(|field| field.required) {
        if !entries.iter().any(|(of, ..)| *of == field.name) {
            missing.push((format!("{name}.{}", field.name), field.about));
        }
    }
    let mut fields = Vec::new();
    for (inner, at, node) in entries {
        let field = known.iter().find(|field| field.name == inner);
        if field.is_none()
            && let Some(meant) = suggest::closest(inner, known.iter().map(|field| field.name))
        {
            node.mistake(
                Mistake::warning(
                    "pipeline::unknown-field",
                    format!("{} is no field of the API", quoted(inner)),
                    at.clone(),
                )
                .label("sent as it is")
                .help(format!("did you mean `{meant}`?")),
            );
        }
        let path = format!("{name}.{inner}");
        let value = value(&path, &node, field.map(|field| field.kind), missing);
        fields.extend(value.map(|value| FieldEntry {
            name: inner.to_owned(),
            at,
            value,
        }));
    }
    Some(fields)
}

/// A number or flag that stands in the file as it would stand in SQL.
fn literal(node: &Node<'_>) -> Option<Sql> {
    let text = match node.literal()? {
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.is_finite() => format!("{number:?}"),
        Value::Flag(flag) => flag.to_string(),
        _ => {
            return node.refused(
                "a number that can be sent",
                "JSON has no such number",
                Some("leave the field out, or write SQL in quotes".into()),
            );
        }
    };
    let written = node.at().and_then(|at| node.context.text.get(at));
    let verbatim = written == Some(text.as_str());
    Some(Sql {
        text,
        at: node.at(),
        verbatim,
    })
}
