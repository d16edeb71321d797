//! The file as values that know where they were written.

use std::rc::Rc;

use chatferry_core::{Mistake, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::syntax;

/// A table, its entries in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Where the key stands; `None` when it came from the command line.
    pub(crate) at: Option<Span>,
    pub(crate) written: Written,
}

/// A value, and where it was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) value: Value,
    /// The whole of a value with its quotes; the header of a table that has one.
    pub(crate) at: Option<Span>,
    /// The path of the option that gave the value, when the file did not.
    pub(crate) option: Option<Rc<str>>,
}

#[derive(Debug)]
pub(crate) enum Value {
    Text(Text),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Date,
    List(Vec<Written>),
    Table(Table),
    /// Something that is already noted as a mistake.
    Broken,
}

/// A text as it was written, before the environment is put into it.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) raw: String,
    /// Where the text stands between its quotes.
    pub(crate) at: Option<Span>,
    /// Whether byte `n` of `raw` stands at byte `at.start + n` of the file.
    pub(crate) verbatim: bool,
}

impl Table {
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// The document that the text holds, with the mistakes in its syntax.
///
/// There is no document when so much is wrong that reading on would only invent mistakes.
pub(crate) fn parse(text: &str) -> (Option<Table>, Vec<Mistake>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let readable = errors.iter().all(syntax::is_duplicate);
    let mut mistakes = syntax::mistakes(text, &errors);
    let root = readable.then(|| {
        Converter {
            text,
            mistakes: &mut mistakes,
        }
        .table(root.get_ref())
    });
    (root, mistakes)
}

/// A TOML scalar that stands alone, as on the command line.
pub(crate) fn scalar(text: &str) -> Option<Value> {
    let value = DeValue::parse(text).ok()?;
    let mut mistakes = Vec::new();
    let mut converter = Converter {
        text,
        mistakes: &mut mistakes,
    };
    match converter.value(&value) {
        Value::Text(text) => Some(Value::Text(Text {
            at: None,
            verbatim: false,
            ..text
        })),
        scalar @ (Value::Integer(_) | Value::Float(_) | Value::Flag(_)) => Some(scalar),
        Value::Date | Value::List(_) | Value::Table(_) | Value::Broken => None,
    }
}

struct Converter<'a> {
    text: &'a str,
    mistakes: &'a mut Vec<Mistake>,
}

impl Converter<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> Table {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                name: key.get_ref().to_string(),
                at: Some(key.span()),
                written: self.written(value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.at.as_ref().map(|at| at.start));
        Table { entries }
    }

    fn written(&mut self, value: &Spanned<DeValue<'_>>) -> Written {
        Written {
            value: self.value(value),
            at: Some(value.span()),
            option: None,
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) -> Value {
        let at = value.span();
        match value.get_ref() {
            DeValue::String(content) => Value::Text(self.content(content, at)),
            DeValue::Integer(digits) => {
                let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
                number.map_or_else(|| self.too_large(at), Value::Integer)
            }
            DeValue::Float(digits) => match digits.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() || digits.as_str().ends_with("inf") => {
                    Value::Float(number)
                }
                Ok(number) if number.is_nan() => Value::Float(number),
                _ => self.too_large(at),
            },
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Array(items) => Value::List(items.iter().map(|i| self.written(i)).collect()),
            DeValue::Table(table) => Value::Table(self.table(table)),
        }
    }

    fn too_large(&mut self, at: Span) -> Value {
        self.mistakes.push(
            Mistake::error("pipeline::number", "this number is too large", Some(at))
                .label("does not fit into 64 bits")
                .help("write it as text, in quotes, if it is not for counting"),
        );
        Value::Broken
    }

    /// The text between the quotes. Literal strings, and basic strings without escapes, stand in
    /// the file byte for byte.
    fn content(&self, raw: &str, quoted: Span) -> Text {
        let source = self.text.get(quoted.clone()).unwrap_or_default();
        let quotes = if source.starts_with("\"\"\"") || source.starts_with("'''") {
            3
        } else {
            1
        };
        let mut start = quoted.start + quotes;
        let end = quoted.end.saturating_sub(quotes).max(start);
        if quotes == 3 {
            // A line break right after the opening quotes is no part of the text.
            let after = &source[quotes..];
            start += ["\r\n", "\n"]
                .iter()
                .find(|end| after.starts_with(**end))
                .map_or(0, |e| e.len());
        }
        let at = start.min(end)..end;
        let verbatim = self.text.get(at.clone()) == Some(raw);
        Text {
            raw: raw.to_owned(),
            at: Some(at),
            verbatim,
        }
    }
}
