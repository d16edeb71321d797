//! A piece of SQL, and the values that stand in it.

use sqlx::AssertSqlSafe;
use sqlx::mysql::{MySql, MySqlArguments};
use sqlx::query::Query;

/// A piece of SQL, and the values that stand in it as `?`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

/// A value that changes from page to page, or could do harm as a part of the text.
#[derive(Clone, Debug)]
enum Value {
    Signed(i64),
    Unsigned(u64),
    Text(String),
    Bytes(Vec<u8>),
    Double(f64),
}

impl Sql {
    /// SQL without values.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        let (text, values) = (text.into(), Vec::new());
        Self { text, values }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.values.extend(other.values.iter().cloned());
    }

    /// A number of 64 bits, signed or not; others are written out.
    pub(crate) fn whole(&mut self, value: i128) {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(signed), _) => self.value(Value::Signed(signed)),
            (_, Ok(unsigned)) => self.value(Value::Unsigned(unsigned)),
            _ => self.push(&value.to_string()),
        }
    }

    pub(crate) fn text(&mut self, value: impl Into<String>) {
        self.value(Value::Text(value.into()));
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.value(Value::Bytes(value.to_vec()));
    }

    pub(crate) fn double(&mut self, value: f64) {
        self.value(Value::Double(value));
    }

    fn value(&mut self, value: Value) {
        self.text.push('?');
        self.values.push(value);
    }

    /// The statement as the server is asked it.
    pub(crate) fn query(&self) -> Query<'_, MySql, MySqlArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text.clone()));
        self.values.iter().fold(query, |query, value| match value {
            Value::Signed(whole) => query.bind(*whole),
            Value::Unsigned(whole) => query.bind(*whole),
            Value::Text(text) => query.bind(text.as_str()),
            Value::Bytes(bytes) => query.bind(bytes.as_slice()),
            Value::Double(double) => query.bind(*double),
        })
    }
}

/// A name as the server takes any name.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
