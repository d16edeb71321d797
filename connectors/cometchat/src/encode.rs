//! Arrow columns straight into the JSON of a request.
//!
//! The types are looked at once for a batch; each row is then written without values in between.
//! A null is a field left out; inside a list it is a `null`.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeStringArray, ListArray, MapArray,
    StringArray, StringViewArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chatferry_core::json;

/// A column ready to be written row by row.
pub(crate) enum Encoder {
    Flag(BooleanArray),
    Whole(Int64Array),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    /// Text that holds JSON, written as it stands.
    Json(StringArray),
    Object {
        names: Vec<Vec<u8>>,
        fields: Vec<Encoder>,
        array: StructArray,
    },
    List {
        items: Box<Encoder>,
        array: ListArray,
    },
    Map {
        keys: Box<Encoder>,
        values: Box<Encoder>,
        array: MapArray,
    },
    /// Numbers of other types, written as numbers.
    Number(ArrayRef),
    /// Everything else, written as text in its usual form: times in ISO 8601.
    Other(ArrayRef),
    Nothing,
}

impl Encoder {
    /// An encoder for a column.
    pub(crate) fn new(field: &Field, array: &ArrayRef) -> Self {
        if json::is_marked(field) {
            let text = cast(array, &DataType::Utf8).expect("text is cast to text");
            return Self::Json(text.as_string().clone());
        }
        match array.data_type() {
            DataType::Null => Self::Nothing,
            DataType::Boolean => Self::Flag(array.as_boolean().clone()),
            DataType::Utf8 => Self::Text(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string().clone()),
            DataType::Utf8View => Self::TextView(array.as_string_view().clone()),
            DataType::Int64 => Self::Whole(array.as_primitive().clone()),
            DataType::Struct(fields) => {
                let array = array.as_struct().clone();
                let encoders = fields.iter().zip(array.columns());
                Self::Object {
                    names: fields
                        .iter()
                        .map(|field| quoted_name(field.name()))
                        .collect(),
                    fields: encoders
                        .map(|(field, column)| Self::new(field, column))
                        .collect(),
                    array,
                }
            }
            DataType::List(item) => {
                let array = array.as_list::<i32>().clone();
                Self::List {
                    items: Box::new(Self::new(item, array.values())),
                    array,
                }
            }
            DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::FixedSizeList(item, _) => {
                let plain = DataType::List(item.clone());
                match cast(array, &plain) {
                    Ok(list) => Self::new(&Field::new("list", plain, true), &list),
                    Err(_) => Self::Other(array.clone()),
                }
            }
            DataType::Map(..) => {
                let array = array.as_map().clone();
                let (key, value) = (array.keys().clone(), array.values().clone());
                let field = |array: &ArrayRef| Field::new("entry", array.data_type().clone(), true);
                Self::Map {
                    keys: Box::new(Self::new(&field(&key), &key)),
                    values: Box::new(Self::new(&field(&value), &value)),
                    array,
                }
            }
            DataType::Dictionary(_, value) => match cast(array, value) {
                Ok(plain) => Self::new(&Field::new("value", value.as_ref().clone(), true), &plain),
                Err(_) => Self::Other(array.clone()),
            },
            kind if kind.is_integer() || kind.is_decimal() || kind.is_floating() => {
                Self::Number(array.clone())
            }
            DataType::Timestamp(unit, zone) if *unit != TimeUnit::Nanosecond => {
                let finer = DataType::Timestamp(TimeUnit::Nanosecond, zone.clone());
                Self::Other(cast(array, &finer).unwrap_or_else(|_| array.clone()))
            }
            _ => Self::Other(array.clone()),
        }
    }

    /// Whether the row has no value.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Flag(array) => array.is_null(row),
            Self::Whole(array) => array.is_null(row),
            Self::Text(array) | Self::Json(array) => array.is_null(row),
            Self::LargeText(array) => array.is_null(row),
            Self::TextView(array) => array.is_null(row),
            Self::Object { array, .. } => array.is_null(row),
            Self::List { array, .. } => array.is_null(row),
            Self::Map { array, .. } => array.is_null(row),
            Self::Number(array) | Self::Other(array) => array.is_null(row),
            Self::Nothing => true,
        }
    }

    /// Writes the row's value, which is not null.
    pub(crate) fn write(&self, row: usize, json: &mut Vec<u8>) {
        match self {
            Self::Flag(array) => {
                json.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            Self::Whole(array) => whole(array.value(row), json),
            Self::Text(array) => text(array.value(row), json),
            Self::LargeText(array) => text(array.value(row), json),
            Self::TextView(array) => text(array.value(row), json),
            Self::Json(array) => json.extend_from_slice(array.value(row).trim().as_bytes()),
            Self::Object { names, fields, .. } => {
                json.push(b'{');
                let start = json.len();
                for (name, field) in names.iter().zip(fields) {
                    if !field.is_null(row) {
                        if json.len() > start {
                            json.push(b',');
                        }
                        json.extend_from_slice(name);
                        field.write(row, json);
                    }
                }
                json.push(b'}');
            }
            Self::List { items, array } => {
                json.push(b'[');
                let (start, end) = (array.value_offsets()[row], array.value_offsets()[row + 1]);
                for item in start..end {
                    if item > start {
                        json.push(b',');
                    }
                    items.write_or_null(
                        usize::try_from(item).expect("offsets are not negative"),
                        json,
                    );
                }
                json.push(b']');
            }
            Self::Map {
                keys,
                values,
                array,
            } => {
                json.push(b'{');
                let (start, end) = (array.value_offsets()[row], array.value_offsets()[row + 1]);
                for entry in start..end {
                    if entry > start {
                        json.push(b',');
                    }
                    let entry = usize::try_from(entry).expect("offsets are not negative");
                    keys.write_as_text(entry, json);
                    json.push(b':');
                    values.write_or_null(entry, json);
                }
                json.push(b'}');
            }
            Self::Number(array) => number(&display(array, row), json),
            Self::Other(array) => text(&display(array, row), json),
            Self::Nothing => json.extend_from_slice(b"null"),
        }
    }

    fn write_or_null(&self, row: usize, json: &mut Vec<u8>) {
        if self.is_null(row) {
            json.extend_from_slice(b"null");
        } else {
            self.write(row, json);
        }
    }

    /// Writes a key of a map, which JSON wants as text.
    fn write_as_text(&self, row: usize, json: &mut Vec<u8>) {
        match self {
            Self::Text(_) | Self::LargeText(_) | Self::TextView(_) | Self::Other(_) => {
                self.write(row, json);
            }
            other => {
                json.push(b'"');
                other.write(row, json);
                json.push(b'"');
            }
        }
    }
}

/// A field's name as it stands before its value.
pub(crate) fn quoted_name(name: &str) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(name.len() + 3);
    text(name, &mut quoted);
    quoted.push(b':');
    quoted
}

/// Writes a JSON string.
pub(crate) fn text(text: &str, json: &mut Vec<u8>) {
    json.reserve(text.len() + 2);
    json.push(b'"');
    let mut rest = text;
    loop {
        let plain = json::plain(rest);
        json.extend_from_slice(&rest.as_bytes()[..plain]);
        let Some(special) = rest.as_bytes().get(plain) else {
            break;
        };
        escape(*special, json);
        rest = &rest[plain + 1..];
    }
    json.push(b'"');
}

/// Writes what may not stand in a JSON string as it is (RFC 8259, section 7).
fn escape(special: u8, json: &mut Vec<u8>) {
    let short = match special {
        b'"' | b'\\' => special,
        b'\x08' => b'b',
        b'\x0c' => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        control => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let (high, low) = (usize::from(control >> 4), usize::from(control & 0xf));
            json.extend_from_slice(b"\\u00");
            json.extend([DIGITS[high], DIGITS[low]]);
            return;
        }
    };
    json.extend([b'\\', short]);
}

/// Writes a whole number.
pub(crate) fn whole(number: i64, json: &mut Vec<u8>) {
    json.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a number; JSON has no way to write those that are not finite.
fn number(shown: &str, json: &mut Vec<u8>) {
    let is_number = shown
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    json.extend_from_slice(if is_number { shown.as_bytes() } else { b"null" });
}

fn display(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    match ArrayFormatter::try_new(array.as_ref(), &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Float64Array, TimestampMillisecondArray, UInt64Array};
    use arrow::datatypes::Fields;

    use super::*;

    fn encode(field: &Field, array: &ArrayRef, row: usize) -> String {
        let mut json = Vec::new();
        Encoder::new(field, array).write_or_null(row, &mut json);
        String::from_utf8(json).unwrap()
    }

    fn encode_plain(array: impl Array + 'static) -> String {
        let array: ArrayRef = Arc::new(array);
        encode(&Field::new("a", array.data_type().clone(), true), &array, 0)
    }

    #[test]
    fn each_type_has_its_json() {
        assert_eq!(
            encode_plain(StringArray::from(vec!["a\"\\\n\u{1}é"])),
            r#""a\"\\\n\u0001é""#
        );
        assert_eq!(
            encode_plain(UInt64Array::from(vec![u64::MAX])),
            "18446744073709551615"
        );
        assert_eq!(encode_plain(Float64Array::from(vec![1.5])), "1.5");
        assert_eq!(encode_plain(Float64Array::from(vec![f64::NAN])), "null");
        let decimal = Decimal128Array::from(vec![12345])
            .with_precision_and_scale(10, 2)
            .unwrap();
        assert_eq!(encode_plain(decimal), "123.45");
        let time = TimestampMillisecondArray::from(vec![1_100_521_080_500]);
        assert_eq!(encode_plain(time), "\"2004-11-15T12:18:00.500\"");
    }

    #[test]
    fn json_text_is_written_as_it_stands() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![" {\"a\": 1.50} "]));
        assert_eq!(encode(&json::column("a"), &array, 0), "{\"a\": 1.50}");
    }

    #[test]
    fn nulls_in_objects_are_left_out() {
        let fields = Fields::from(vec![
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Utf8, true),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![None, Some(1)])),
            Arc::new(StringArray::from(vec![Some("x"), None])),
        ];
        let array: ArrayRef = Arc::new(StructArray::new(fields.clone(), columns, None));
        let field = Field::new("o", DataType::Struct(fields), true);
        assert_eq!(encode(&field, &array, 0), "{\"b\":\"x\"}");
        assert_eq!(encode(&field, &array, 1), "{\"a\":1}");
    }
}
