//! The functions that chatferry adds to SQL.
//!
//! Each is a [`Definition`]: its name, its documentation, the types it takes and gives, and a
//! plain function over columns. They are registered like the built-in ones.

mod id;
mod json;
mod media;
mod slack;
mod time;

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

pub use id::cometchat_id;
pub use slack::slack_text;

/// What a function is called, what it is for, and how it works.
#[derive(Debug)]
pub struct Definition {
    /// Its name in SQL.
    pub name: &'static str,
    /// How it is written: `unix_seconds(value [, unit])`.
    pub usage: &'static str,
    /// What it gives, in a sentence.
    pub about: &'static str,
    /// A call and what it gives.
    pub example: (&'static str, &'static str),
    /// The types that its arguments are cast to, given those that they have.
    takes: fn(&[DataType]) -> Result<Vec<DataType>, String>,
    /// The column it gives.
    gives: fn() -> Field,
    /// The work.
    call: fn(&[ArrayRef], OnFailure) -> Result<ArrayRef>,
}

/// What a function does with a value that it cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum OnFailure {
    /// It fails, which rejects the row.
    Fail,
    /// It gives null, which keeps the row for later.
    Null,
}

impl OnFailure {
    /// The value, or what is made of its failure.
    fn apply<T>(self, value: Result<T, String>) -> Result<Option<T>> {
        match (value, self) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), Self::Null) => Ok(None),
            (Err(reason), Self::Fail) => Err(exec_datafusion_err!("{reason}")),
        }
    }
}

/// All of them, by name.
pub const ALL: [&Definition; 9] = [
    &id::COMETCHAT_ID,
    &media::FILE_EXTENSION,
    &json::JSON,
    &json::JSON_TEXT,
    &id::MEMBER_ID,
    &media::MESSAGE_TYPE,
    &media::MIME_TYPE,
    &slack::SLACK_TEXT,
    &time::UNIX_SECONDS,
];

/// The functions as DataFusion takes them.
pub(crate) fn all() -> impl Iterator<Item = ScalarUDF> {
    ALL.into_iter()
        .map(|definition| function(definition, OnFailure::Fail))
}

/// The function of that name as one that gives null instead of failing, if it is one of ours.
pub(crate) fn forgiving(name: &str) -> Option<Arc<ScalarUDF>> {
    let definition = ALL.into_iter().find(|definition| definition.name == name)?;
    Some(Arc::new(function(definition, OnFailure::Null)))
}

fn function(definition: &'static Definition, on_failure: OnFailure) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::new_from_impl(Function {
        definition,
        on_failure,
        signature,
    })
}

#[derive(Debug)]
struct Function {
    definition: &'static Definition,
    on_failure: OnFailure,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name && self.on_failure == other.on_failure
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.definition.name, self.on_failure).hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match (self.definition.takes)(types) {
            Ok(types) => Ok(types),
            Err(reason) => plan_err!("{reason}; it is written {}", self.definition.usage),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok((self.definition.gives)().data_type().clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new((self.definition.gives)()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns: Vec<ArrayRef> = args
            .args
            .into_iter()
            .map(|arg| arg.into_array(rows))
            .collect::<Result<_>>()?;
        let given = (self.definition.call)(&columns, self.on_failure)?;
        if constant {
            let value = datafusion::common::ScalarValue::try_from_array(&given, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(given))
    }
}

/// A column of text.
fn text() -> Field {
    Field::new("text", DataType::Utf8, true)
}

/// One argument of text, or of whole numbers, which are written out.
fn one_text(types: &[DataType]) -> Result<Vec<DataType>, String> {
    match types {
        [one] if is_text(one) || one.is_integer() || one.is_null() => Ok(vec![DataType::Utf8]),
        [_] => Err("it takes text".into()),
        _ => Err("it takes one argument".into()),
    }
}

/// Two arguments of text, or of whole numbers, which are written out.
fn two_texts(types: &[DataType]) -> Result<Vec<DataType>, String> {
    match types {
        [first, second] => {
            one_text(std::slice::from_ref(first))?;
            one_text(std::slice::from_ref(second))?;
            Ok(vec![DataType::Utf8, DataType::Utf8])
        }
        _ => Err("it takes two arguments".into()),
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// A column that was cast to text by [`one_text`] or [`two_texts`].
fn texts(column: &ArrayRef) -> &StringArray {
    let column: &dyn Any = column.as_any();
    column
        .downcast_ref()
        .expect("arguments are cast to text before the call")
}

/// Maps one column of text to another.
fn map_text(
    columns: &[ArrayRef],
    on_failure: OnFailure,
    map: impl Fn(&str) -> Result<String, String>,
) -> Result<ArrayRef> {
    let mut given = arrow::array::StringBuilder::with_capacity(columns[0].len(), 1024);
    for value in texts(&columns[0]) {
        let value = value
            .map(|value| on_failure.apply(map(value)))
            .transpose()?
            .flatten();
        given.append_option(value);
    }
    Ok(Arc::new(given.finish()))
}
