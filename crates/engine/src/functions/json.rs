//! Text that holds JSON.

use std::sync::Arc;

use arrow::array::StringBuilder;
use arrow::datatypes::Field;
use chatferry_core::json;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Definition, one_text, text, texts};

pub(super) const JSON: Definition = Definition {
    name: "json",
    usage: "json(text)",
    about: "Text that holds JSON as that JSON, so that it becomes an object or a list of the \
            record instead of a text. Text that is not JSON rejects the row.",
    example: ("json('{\"a\": 1}')", "{\"a\": 1}"),
    takes: one_text,
    gives: json_column,
    call: |columns, on_failure| {
        let mut given = StringBuilder::with_capacity(columns[0].len(), 1024);
        for value in texts(&columns[0]) {
            let checked = value.map(|value| match serde_json::from_str::<&RawValue>(value) {
                Ok(raw) => Ok(raw.get()),
                Err(error) => Err(format!(
                    "the text is not JSON at its column {}",
                    error.column()
                )),
            });
            let checked = checked
                .map(|checked| on_failure.apply(checked))
                .transpose()?;
            given.append_option(checked.flatten());
        }
        Ok(Arc::new(given.finish()))
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
    call: |columns, on_failure| {
        let mut given = StringBuilder::with_capacity(columns[0].len(), 1024);
        for value in texts(&columns[0]) {
            let value = value.map(|value| {
                serde_json::from_str::<Value>(value).map_err(|_| "the text is not JSON".to_owned())
            });
            match value
                .map(|value| on_failure.apply(value))
                .transpose()?
                .flatten()
            {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, AsArray, StringArray};

    use super::super::OnFailure;
    use super::*;

    fn call(definition: &Definition, text: &str) -> Result<String, String> {
        let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let given = (definition.call)(&[column], OnFailure::Fail).map_err(|e| e.to_string())?;
        let given = given.as_string::<i32>();
        Ok(if given.is_null(0) {
            "null".into()
        } else {
            given.value(0).into()
        })
    }

    #[test]
    fn json_is_kept_as_it_stands() {
        assert_eq!(
            call(&JSON, "{\"b\":1, \"a\":1.50}").unwrap(),
            "{\"b\":1, \"a\":1.50}"
        );
        assert!(
            call(&JSON, "{\"b\":")
                .unwrap_err()
                .contains("not JSON at its column 5")
        );
    }

    #[test]
    fn a_json_string_becomes_its_text() {
        assert_eq!(call(&JSON_TEXT, "\"a\\nb\"").unwrap(), "a\nb");
        assert_eq!(call(&JSON_TEXT, "[1,2]").unwrap(), "[1,2]");
        assert_eq!(call(&JSON_TEXT, "null").unwrap(), "null");
    }

    #[test]
    fn the_examples_in_the_documentation_hold() {
        assert_eq!(call(&JSON_TEXT, "\"caf\\u00e9\"").unwrap(), "café");
    }
}
