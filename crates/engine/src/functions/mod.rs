//! The functions that chatferry adds to SQL.
//!
//! Each is a [`Definition`]: its name, its documentation, the types it takes and gives, and a
//! plain function over columns. They are registered like the built-in ones.

mod id;
mod json;
mod media;
mod slack;
mod time;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::sort_properties::ExprProperties;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::failure::{Unreadable, in_function};

pub use id::cometchat_id;
pub use slack::slack_text;
pub(crate) use time::per_second;

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
    /// The work. A value that cannot be read is an error, which rejects its row.
    call: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

impl Definition {
    /// The types that its arguments are cast to, given those that they have.
    pub(crate) fn accepts(&self, types: &[DataType]) -> Result<Vec<DataType>, String> {
        (self.takes)(types).map_err(|reason| format!("`{}` {reason}", self.name))
    }
}

/// A value that a function cannot read. The reason must hold no contents.
fn unreadable(reason: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(Unreadable {
        function: "",
        reason: reason.into(),
    }))
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
    ALL.into_iter().map(|definition| {
        ScalarUDF::new_from_impl(Function {
            definition,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    })
}

/// The function of that name, if it is one of ours.
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    ALL.into_iter().find(|definition| definition.name == name)
}

/// Whether a call with such arguments never fails, and never descends where its argument does not.
pub(crate) fn keeps_order(name: &str, types: &[DataType]) -> bool {
    name == time::UNIX_SECONDS.name
        && matches!(
            types,
            [DataType::Timestamp(..) | DataType::Date32 | DataType::Date64]
        )
}

#[derive(Debug)]
struct Function {
    definition: &'static Definition,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
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
        let types = self.definition.accepts(types);
        types.map_err(DataFusionError::Plan)
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
        let given = (self.definition.call)(&columns)
            .map_err(|error| in_function(error, self.definition.name))?;
        if constant {
            let value = ScalarValue::try_from_array(&given, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(given))
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        let types: Vec<DataType> = inputs.iter().map(|input| input.range.data_type()).collect();
        Ok(keeps_order(self.definition.name, &types))
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
        [_] => Err("takes text".into()),
        _ => Err("takes one argument".into()),
    }
}

/// Two arguments of text, or of whole numbers, which are written out.
fn two_texts(types: &[DataType]) -> Result<Vec<DataType>, String> {
    match types {
        [first, second] => {
            let first = one_text(std::slice::from_ref(first))?;
            let second = one_text(std::slice::from_ref(second))?;
            Ok([first, second].concat())
        }
        _ => Err("takes two arguments".into()),
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
    column.as_string()
}

/// Maps one column of text to another.
fn map_text<'a, T: AsRef<str>>(
    columns: &'a [ArrayRef],
    map: impl Fn(&'a str) -> Result<T>,
) -> Result<ArrayRef> {
    let column = texts(&columns[0]);
    let mut given = StringBuilder::with_capacity(column.len(), column.value_data().len());
    for value in column {
        given.append_option(value.map(&map).transpose()?);
    }
    Ok(Arc::new(given.finish()))
}
