//! Text that holds JSON.

use std::sync::Arc;

use arrow::array::{Array, StringBuilder};
use arrow::datatypes::Field;
use chatferry_core::json;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Definition, one_text, text, texts, unreadable};

pub(super) const JSON: Definition = Definition {
    name: "json",
    usage: "json(text)",
    about: "Text that holds JSON as that JSON, so that it becomes an object or a list of the \
            record instead of a text. Text that is not JSON rejects the row.",
    example: ("json('{\"a\": 1}')", "{\"a\": 1}"),
    takes: one_text,
    gives: json_column,
    call: |columns| {
        let column = texts(&columns[0]);
        for text in column.iter().flatten() {
            serde_json::from_str::<&RawValue>(text).map_err(|error| {
                unreadable(format!(
                    "the text is not JSON at its column {}",
                    error.column()
                ))
            })?;
        }
        Ok(Arc::clone(&columns[0]))
    },
};

pub(super) const JSON_TEXT: Definition = Definition {
    name: "json_text",
    usage: "json_text(json)",
    about: "The text that a JSON string stands for. Numbers, lists and objects are written out as \
            JSON; a JSON null is null.",
    example: ("json_text('\"caf\\u00e9\"')", "café"),
    takes: one_text,
    gives: text,
    call: |columns| {
        let column = texts(&columns[0]);
        let mut given = StringBuilder::with_capacity(column.len(), column.value_data().len());
        for text in column {
            let value = text.map(serde_json::from_str::<Value>).transpose();
            match value.map_err(|_| unreadable("the text is not JSON"))? {
                None | Some(Value::Null) => given.append_null(),
                Some(Value::String(text)) => given.append_value(text),
                Some(other) => given.append_value(other.to_string()),
            }
        }
        Ok(Arc::new(given.finish()))
    },
};

fn json_column() -> Field {
    json::column("json")
}
