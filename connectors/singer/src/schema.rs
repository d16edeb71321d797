//! A stream's JSON Schema as columns.

use chatferry_records::Kind;
use serde_json::{Map, Value};

/// Digits that a decimal may have.
const DIGITS: u8 = 38;
/// Digits of the largest whole number of 64 bits without a sign.
const DIGITS_OF_64_BITS: u8 = 20;

/// The columns that a schema describes, sorted by name.
pub(crate) fn columns(schema: &Value) -> Vec<(String, Kind)> {
    match schema.get("properties") {
        Some(Value::Object(properties)) => kinds(properties),
        _ => Vec::new(),
    }
}

fn kinds(properties: &Map<String, Value>) -> Vec<(String, Kind)> {
    let mut kinds: Vec<_> = properties
        .iter()
        .map(|(name, schema)| (name.clone(), kind(schema)))
        .collect();
    kinds.sort_by(|(a, _), (b, _)| a.cmp(b));
    kinds
}

/// What holds all values that a schema allows, as they are.
fn kind(schema: &Value) -> Kind {
    for key in ["anyOf", "oneOf"] {
        if let Some(Value::Array(choices)) = schema.get(key) {
            let mut kinds = choices
                .iter()
                .filter(|choice| types(choice) != ["null"])
                .map(kind);
            let Some(first) = kinds.next() else {
                return Kind::Json;
            };
            return match kinds.all(|kind| kind == first) {
                true => first,
                false => Kind::Json,
            };
        }
    }
    let mut types = types(schema);
    types.retain(|name| *name != "null");
    let format = schema.get("format").and_then(Value::as_str);
    match types.as_slice() {
        ["string"] => text(schema, format),
        ["boolean"] => Kind::Boolean,
        ["integer"] => match schema.get("maximum").and_then(Value::as_f64) {
            Some(most) if most > 9.3e18 => Kind::Decimal(DIGITS_OF_64_BITS, 0),
            _ => Kind::Bigint,
        },
        ["number"] | ["integer", "number"] | ["number", "integer"] => number(schema),
        ["object"] => match (schema.get("properties"), schema.get("additionalProperties")) {
            (Some(Value::Object(properties)), None | Some(Value::Bool(false)))
                if !properties.is_empty() =>
            {
                Kind::Object(kinds(properties))
            }
            _ => Kind::Json,
        },
        ["array"] => match schema.get("items") {
            Some(items @ Value::Object(_)) => Kind::List(Box::new(kind(items))),
            _ => Kind::Json,
        },
        [] => Kind::Json,
        // Text takes numbers, true and false as they are written.
        several if !several.contains(&"object") && !several.contains(&"array") => Kind::Text,
        _ => Kind::Json,
    }
}

fn text(schema: &Value, format: Option<&str>) -> Kind {
    match format {
        Some("date-time") => Kind::Moment,
        Some("date") => Kind::Date,
        Some("singer.decimal") => {
            let digits = |key| schema.get(key).and_then(Value::as_u64);
            match (digits("precision"), digits("scale")) {
                (Some(precision), Some(scale)) => exact(precision, scale).unwrap_or(Kind::Text),
                _ => Kind::Text,
            }
        }
        _ => Kind::Text,
    }
}

/// A number: exact when it is a multiple of a power of ten, and otherwise what a double holds.
fn number(schema: &Value) -> Kind {
    let step = schema.get("multipleOf").map(Value::to_string);
    let Some(scale) = step.as_deref().and_then(places) else {
        return Kind::Double;
    };
    exact(u64::from(DIGITS), scale).unwrap_or(Kind::Double)
}

fn exact(precision: u64, scale: u64) -> Option<Kind> {
    let precision = u8::try_from(precision).ok()?;
    let scale = i8::try_from(scale).ok()?;
    let sound = (1..=DIGITS).contains(&precision) && scale.unsigned_abs() <= precision;
    sound.then_some(Kind::Decimal(precision, scale))
}

/// How many places behind the point a power of ten has: 2 of `0.01` and of `1e-02`.
fn places(written: &str) -> Option<u64> {
    if let Some((mantissa, exponent)) = written.split_once(['e', 'E']) {
        let is_one = mantissa == "1" || mantissa == "1.0";
        let exponent: i64 = exponent.parse().ok()?;
        return u64::try_from(-exponent).ok().filter(|_| is_one);
    }
    match written.split_once('.') {
        None => (written == "1").then_some(0),
        Some(("1", zeros)) => zeros.bytes().all(|digit| digit == b'0').then_some(0),
        Some(("0", fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            let zeros = fraction.strip_suffix('1')?;
            let is_power = zeros.bytes().all(|digit| digit == b'0');
            is_power.then_some(u64::try_from(fraction.len()).ok()?)
        }
        Some(_) => None,
    }
}

/// The types that a schema names.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_schema_has_the_kind_that_holds_its_values() {
        for (schema, expected) in [
            (json!({"type": "string"}), Kind::Text),
            (json!({"type": ["null", "integer"]}), Kind::Bigint),
            (
                json!({"type": "integer", "maximum": 18_446_744_073_709_551_615_u64}),
                Kind::Decimal(20, 0),
            ),
            (json!({"type": ["number", "null"]}), Kind::Double),
            (
                json!({"type": "number", "multipleOf": 0.01}),
                Kind::Decimal(38, 2),
            ),
            (
                json!({"type": "number", "multipleOf": 1e-9}),
                Kind::Decimal(38, 9),
            ),
            (
                json!({"type": "number", "multipleOf": 1}),
                Kind::Decimal(38, 0),
            ),
            (json!({"type": "number", "multipleOf": 0.05}), Kind::Double),
            (json!({"type": "number", "multipleOf": 1e-60}), Kind::Double),
            (json!({"type": "boolean"}), Kind::Boolean),
            (
                json!({"type": ["null", "string"], "format": "date-time"}),
                Kind::Moment,
            ),
            (
                json!({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
                Kind::Moment,
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
                Kind::Json,
            ),
            (json!({"type": "string", "format": "date"}), Kind::Date),
            (
                json!({"type": "string", "format": "singer.decimal"}),
                Kind::Text,
            ),
            (
                json!({"type": "string", "format": "singer.decimal", "precision": 10, "scale": 2}),
                Kind::Decimal(10, 2),
            ),
            (json!({"type": ["string", "integer", "null"]}), Kind::Text),
            (json!({"type": ["string", "object"]}), Kind::Json),
            (json!({}), Kind::Json),
            (json!({"type": "null"}), Kind::Json),
            (json!({"type": "object"}), Kind::Json),
            (
                json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": true}),
                Kind::Json,
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
                Kind::Object(vec![("a".into(), Kind::Bigint)]),
            ),
            (json!({"type": "array"}), Kind::Json),
            (
                json!({"type": ["array", "null"], "items": {"type": "string"}}),
                Kind::List(Box::new(Kind::Text)),
            ),
        ] {
            assert_eq!(kind(&schema), expected, "{schema}");
        }
    }
}
