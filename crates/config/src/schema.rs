//! The pipeline file as a JSON Schema, for editors.
//!
//! It is made of what reading the file asks for, and of the fields of entities, so that it is as
//! true as the reader itself. What depends on the environment or on other parts of the file is
//! left to `check`.

use chatferry_core::{Entity, Field, Kind};
use serde_json::{Map, Value, json};

use crate::pipeline;
use crate::registry::Registry;
use crate::survey::{self, Findings, Found, Takes};

/// The JSON Schema of a pipeline file for a program that has these connectors.
#[must_use]
pub fn schema<D>(registry: &Registry<D>) -> Value {
    let found = survey::of(|root| pipeline::survey(root, registry));
    let mut schema = at(&found, &[]);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "chatferry pipeline".into();
    let destination = registry.destination();
    schema["required"] = json!(["name", destination.name, "sources", "flow"]);
    schema["definitions"] = json!({ "value": any_field(), "expression": expression() });

    let sources = &mut schema["properties"]["sources"];
    sources["minProperties"] = 1.into();
    sources["additionalProperties"] = source(registry);

    let flow = &mut schema["properties"]["flow"];
    flow["minItems"] = 1.into();
    let flow = &mut flow["items"];
    flow["required"] = json!(["entity", "from", "fields"]);
    // Editors offer what stands here, whatever the entity; what follows is about each of them.
    let all = Entity::ALL.into_iter().flat_map(destination.fields);
    flow["properties"]["fields"] = json!({ "type": "object", "properties": properties(all) });
    flow["allOf"] = Entity::ALL
        .into_iter()
        .map(|entity| {
            let fields = (destination.fields)(entity);
            json!({
                "if": { "properties": { "entity": { "const": entity.name() } }, "required": ["entity"] },
                "then": { "properties": { "fields": {
                    "type": "object",
                    "properties": properties(fields),
                    "required": required(fields),
                    "additionalProperties": false,
                } } },
            })
        })
        .collect();
    schema
}

/// A table of `sources`: what it may have depends on its connector.
fn source<D>(registry: &Registry<D>) -> Value {
    let kinds = registry.sources().filter_map(|(name, about)| {
        let kind = registry.kind(name)?;
        let found = survey::of(|section| {
            section.get("connector");
            (kind.plan)(section);
        });
        let mut table = at(&found, &[]);
        table["properties"]["connector"] = json!({ "const": name, "description": about });
        Some((name, about, table))
    });
    let kinds: Vec<_> = kinds.collect();
    let mut offered = Map::new();
    for (.., table) in &kinds {
        for key in table["properties"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
        {
            offered.insert(key.clone(), Value::Bool(true));
        }
    }
    let named = kinds
        .iter()
        .map(|(name, about, _)| json!({ "const": name, "description": about }));
    offered.insert(
        "connector".into(),
        json!({ "type": "string", "description": "what kind of source it is", "oneOf": named.collect::<Vec<_>>() }),
    );
    let each = kinds.iter().map(|(name, _, table)| {
        json!({
            "if": { "properties": { "connector": { "const": name } }, "required": ["connector"] },
            "then": table,
        })
    });
    json!({
        "type": "object",
        "properties": offered,
        "required": ["connector"],
        "allOf": each.collect::<Vec<_>>(),
    })
}

/// What may stand at a place.
fn at(found: &Findings, way: &[String]) -> Value {
    let nothing = Found::default();
    let here = found.get(way).unwrap_or(&nothing);
    let is_root = way.is_empty();
    if here.open || here.takes.is_empty() && !is_root {
        return Value::Bool(true);
    }
    let mut ways: Vec<Value> = here
        .takes
        .iter()
        .flat_map(|takes| alternatives(takes, found, way))
        .collect();
    if is_root {
        ways.push(table(found, way));
    }
    ways.dedup();
    match ways.len() {
        1 => ways.remove(0),
        _ => json!({ "anyOf": ways }),
    }
}

/// A text that is not read before the environment is put into it.
const VARIABLE: &str = r"\$\{";

fn alternatives(takes: &Takes, found: &Findings, way: &[String]) -> Vec<Value> {
    let text = || json!({ "type": "string" });
    let texts =
        |pattern: &str| json!({ "type": "string", "pattern": format!("{pattern}|{VARIABLE}") });
    match takes {
        Takes::Text | Takes::Duration => vec![text()],
        Takes::Sql => vec![json!({ "type": "string", "pattern": r"\S" })],
        Takes::Secret => vec![
            text(),
            json!({
                "type": "object",
                "properties": { "file": { "type": "string", "description": "the file that holds the secret" } },
                "required": ["file"],
                "additionalProperties": false,
            }),
        ],
        Takes::Flag => vec![json!({ "type": "boolean" }), texts("^(true|false)$")],
        Takes::Count => vec![
            json!({ "type": "integer", "minimum": 1 }),
            texts(r"^\s*[0-9]+\s*$"),
        ],
        Takes::Bytes => vec![json!({ "type": "integer", "minimum": 0 }), text()],
        Takes::Choice(choices) => vec![
            json!({ "enum": choices }),
            json!({ "type": "string", "pattern": VARIABLE }),
        ],
        Takes::Texts => vec![text(), json!({ "type": "array", "items": text() })],
        Takes::Literal => vec![json!({ "type": ["number", "boolean"] })],
        Takes::Table => vec![table(found, way)],
        Takes::List => vec![json!({ "type": "array", "items": at(found, &below(way, "[]")) })],
    }
}

/// A table with the keys that were asked for, or with any.
fn table(found: &Findings, way: &[String]) -> Value {
    let any = below(way, "*");
    let keys = found.iter().filter(|(path, _)| {
        path.len() == way.len() + 1
            && path.starts_with(way)
            && !matches!(path[way.len()].as_str(), "*" | "[]")
    });
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (path, key) in keys {
        let mut value = at(found, path);
        if let Some(about) = &key.required {
            required.push(path[way.len()].clone());
            if let Value::Object(value) = &mut value {
                value.insert("description".into(), about.as_str().into());
            }
        }
        properties.insert(path[way.len()].clone(), value);
    }
    let others = match found.contains_key(&any) {
        true => at(found, &any),
        false => Value::Bool(false),
    };
    let mut table =
        json!({ "type": "object", "properties": properties, "additionalProperties": others });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn below(way: &[String], step: &str) -> Vec<String> {
    let mut way = way.to_vec();
    way.push(step.to_owned());
    way
}

fn properties(fields: impl IntoIterator<Item = &'static Field>) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields
        .map(|field| (field.name.to_owned(), of_field(field)))
        .collect()
}

fn required(fields: &[Field]) -> Vec<&'static str> {
    let required = fields.iter().filter(|field| field.required);
    required.map(|field| field.name).collect()
}

/// What may be written for a field: an expression, or, where it is an object, a table of them.
fn of_field(field: &Field) -> Value {
    let expression = json!({ "$ref": "#/definitions/expression" });
    let value = match field.kind {
        Kind::Object => json!({ "$ref": "#/definitions/value" }),
        Kind::Fields(fields) => json!({ "anyOf": [expression, {
            "type": "object",
            "properties": properties(fields),
            "required": required(fields),
            // What is no field of the API is sent as it is.
            "additionalProperties": { "$ref": "#/definitions/value" },
            "minProperties": 1,
        }] }),
        _ => expression,
    };
    json!({ "description": field.about, "allOf": [value] })
}

fn any_field() -> Value {
    json!({ "anyOf": [
        { "$ref": "#/definitions/expression" },
        {
            "type": "object",
            "additionalProperties": { "$ref": "#/definitions/value" },
            "minProperties": 1,
        },
    ] })
}

fn expression() -> Value {
    json!({
        "description": "a SQL expression over the columns of what the flow reads",
        "anyOf": [
            { "type": "string", "pattern": r"\S" },
            { "type": ["number", "boolean"] },
        ],
    })
}
