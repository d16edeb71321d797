//! A document as text: the relaxed extended JSON that `mongoexport` writes.
//!
//! Source: MongoDB Extended JSON (v2), "Relaxed Extended JSON", and where that leaves a choice
//! what the database tools of version 100 do.

use mongodb::bson::error::Error;
use mongodb::bson::raw::{RawArray, RawBsonRef, RawDocument, RawElement};
use mongodb::bson::{Binary, DateTime};

/// The times that are written as such; others as a number.
const WRITTEN_TIMES: std::ops::Range<i64> = 0..253_402_300_800_000;
/// How base64 writes six bits.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes a document behind what is there, in one line.
///
/// # Errors
///
/// When it is not sound BSON.
pub(crate) fn write(document: &RawDocument, out: &mut Vec<u8>) -> Result<(), Error> {
    out.push(b'{');
    for (place, element) in document.iter_elements().enumerate() {
        let element = element?;
        if place > 0 {
            out.push(b',');
        }
        string(element.key().as_str(), out);
        out.push(b':');
        member(&element, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn list(items: &RawArray, out: &mut Vec<u8>) -> Result<(), Error> {
    out.push(b'[');
    for (place, element) in items.iter_elements().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        member(&element?, out)?;
    }
    out.push(b']');
    Ok(())
}

fn member(element: &RawElement<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    if let Ok(sound) = element.value() {
        return value(sound, out);
    }
    // Text that is no UTF-8, as old drivers have let through: what is wrong in it is replaced.
    let mended = element.value_utf8_lossy()?;
    value(mended.as_raw_bson_ref(), out)
}

/// Writes a value.
fn value(value: RawBsonRef<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        RawBsonRef::Null => out.extend(b"null"),
        RawBsonRef::Boolean(flag) => out.extend(flag.to_string().bytes()),
        RawBsonRef::Int32(whole) => out.extend(whole.to_string().bytes()),
        RawBsonRef::Int64(whole) => out.extend(whole.to_string().bytes()),
        RawBsonRef::Double(number) => double(number, out),
        RawBsonRef::String(text) => string(text, out),
        RawBsonRef::Document(document) => write(document, out)?,
        RawBsonRef::Array(items) => list(items, out)?,
        RawBsonRef::ObjectId(id) => marked("$oid", &id.to_hex(), out),
        RawBsonRef::DateTime(time) => date(time, out),
        RawBsonRef::Decimal128(number) => marked("$numberDecimal", &number.to_string(), out),
        RawBsonRef::Binary(binary) => bytes(&binary.to_binary(), out),
        RawBsonRef::Symbol(text) => marked("$symbol", text, out),
        RawBsonRef::Undefined => out.extend(br#"{"$undefined":true}"#),
        RawBsonRef::MinKey => out.extend(br#"{"$minKey":1}"#),
        RawBsonRef::MaxKey => out.extend(br#"{"$maxKey":1}"#),
        RawBsonRef::Timestamp(stamp) => {
            let (time, increment) = (stamp.time, stamp.increment);
            out.extend(format!(r#"{{"$timestamp":{{"t":{time},"i":{increment}}}}}"#).bytes());
        }
        RawBsonRef::RegularExpression(regex) => {
            out.extend(br#"{"$regularExpression":{"pattern":"#);
            string(regex.pattern.as_str(), out);
            out.extend(br#","options":"#);
            string(regex.options.as_str(), out);
            out.extend(b"}}");
        }
        RawBsonRef::JavaScriptCode(code) => marked("$code", code, out),
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            out.extend(br#"{"$code":"#);
            string(code.code, out);
            out.extend(br#","$scope":"#);
            write(code.scope, out)?;
            out.push(b'}');
        }
        RawBsonRef::DbPointer(_) => {
            serde_json::to_writer(&mut *out, &value).expect("a vector takes everything");
        }
    }
    Ok(())
}

/// A text that says what it is.
fn marked(mark: &str, text: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    string(mark, out);
    out.push(b':');
    string(text, out);
    out.push(b'}');
}

fn string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a vector takes everything");
}

fn double(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        // With a point or an exponent, so that it is no whole number.
        out.extend(format!("{number:?}").bytes());
        return;
    }
    let name = match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    };
    marked("$numberDouble", name, out);
}

fn date(time: DateTime, out: &mut Vec<u8>) {
    let milliseconds = time.timestamp_millis();
    if WRITTEN_TIMES.contains(&milliseconds)
        && let Ok(written) = time.try_to_rfc3339_string()
    {
        return marked("$date", &written, out);
    }
    out.extend(br#"{"$date":"#);
    marked("$numberLong", &milliseconds.to_string(), out);
    out.push(b'}');
}

fn bytes(binary: &Binary, out: &mut Vec<u8>) {
    out.extend(br#"{"$binary":{"base64":""#);
    for three in binary.bytes.chunks(3) {
        let at = |place: usize| usize::from(three.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            out.push(match place <= three.len() {
                true => BASE64[bits >> (18 - 6 * place) & 63],
                false => b'=',
            });
        }
    }
    let subtype = u8::from(binary.subtype);
    out.extend(format!(r#"","subType":"{subtype:02x}"}}}}"#).bytes());
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::raw::RawDocumentBuf;
    use mongodb::bson::spec::BinarySubtype;
    use mongodb::bson::{
        Bson, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, doc,
    };

    use super::*;

    fn written(document: &Document) -> String {
        let raw = RawDocumentBuf::try_from(document).expect("a document");
        let mut out = Vec::new();
        write(&raw, &mut out).expect("it is sound");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn every_type_is_written_as_mongoexport_writes_it() {
        let id = ObjectId::from_bytes([0x50; 12]);
        let decimal: Decimal128 = "1.10".parse().expect("a number");
        let generic = |bytes: &[u8]| Binary {
            subtype: BinarySubtype::Generic,
            bytes: bytes.to_vec(),
        };
        let regex = Regex {
            pattern: "^a\"".try_into().expect("a pattern"),
            options: "i".try_into().expect("options"),
        };
        let scoped = JavaScriptCodeWithScope {
            code: "f".into(),
            scope: doc! {"a": 1},
        };
        for (value, expected) in [
            (Bson::Null, "null"),
            (Bson::Boolean(true), "true"),
            (Bson::Int32(-5), "-5"),
            (Bson::Int64(9_007_199_254_740_993), "9007199254740993"),
            (Bson::Double(3.0), "3.0"),
            (Bson::Double(-0.1), "-0.1"),
            (Bson::Double(1e300), "1e300"),
            (Bson::Double(f64::NAN), r#"{"$numberDouble":"NaN"}"#),
            (
                Bson::Double(f64::NEG_INFINITY),
                r#"{"$numberDouble":"-Infinity"}"#,
            ),
            (Bson::String("a\"\n\u{1}é".into()), "\"a\\\"\\n\\u0001é\""),
            (Bson::ObjectId(id), r#"{"$oid":"505050505050505050505050"}"#),
            (Bson::Decimal128(decimal), r#"{"$numberDecimal":"1.10"}"#),
            (
                Bson::DateTime(DateTime::from_millis(1_623_484_255_143)),
                r#"{"$date":"2021-06-12T07:50:55.143Z"}"#,
            ),
            (
                Bson::DateTime(DateTime::from_millis(-1)),
                r#"{"$date":{"$numberLong":"-1"}}"#,
            ),
            (
                Bson::DateTime(DateTime::MAX),
                r#"{"$date":{"$numberLong":"9223372036854775807"}}"#,
            ),
            (
                Bson::Binary(generic(b"")),
                r#"{"$binary":{"base64":"","subType":"00"}}"#,
            ),
            (
                Bson::Binary(generic(b"a")),
                r#"{"$binary":{"base64":"YQ==","subType":"00"}}"#,
            ),
            (
                Bson::Binary(generic(b"ab")),
                r#"{"$binary":{"base64":"YWI=","subType":"00"}}"#,
            ),
            (
                Bson::Binary(Binary {
                    subtype: BinarySubtype::Uuid,
                    bytes: b"a\xffc".to_vec(),
                }),
                r#"{"$binary":{"base64":"Yf9j","subType":"04"}}"#,
            ),
            (
                Bson::Timestamp(Timestamp {
                    time: 7,
                    increment: 1,
                }),
                r#"{"$timestamp":{"t":7,"i":1}}"#,
            ),
            (
                Bson::RegularExpression(regex),
                r#"{"$regularExpression":{"pattern":"^a\"","options":"i"}}"#,
            ),
            (Bson::Symbol("s".into()), r#"{"$symbol":"s"}"#),
            (Bson::Undefined, r#"{"$undefined":true}"#),
            (Bson::MinKey, r#"{"$minKey":1}"#),
            (Bson::MaxKey, r#"{"$maxKey":1}"#),
            (Bson::JavaScriptCode("f".into()), r#"{"$code":"f"}"#),
            (
                Bson::JavaScriptCodeWithScope(scoped),
                r#"{"$code":"f","$scope":{"a":1}}"#,
            ),
            (
                Bson::Array(vec![Bson::Int32(1), Bson::Array(vec![]), Bson::Null]),
                "[1,[],null]",
            ),
            (
                Bson::Document(doc! {"z": 1, "a": {"b": [{"c": "d"}]}}),
                r#"{"z":1,"a":{"b":[{"c":"d"}]}}"#,
            ),
        ] {
            let expected = expected.replace("^a\"", "^a\\\"");
            assert_eq!(written(&doc! {"v": value}), format!("{{\"v\":{expected}}}"));
        }
        assert_eq!(written(&doc! {}), "{}");
    }

    #[test]
    fn text_that_is_no_utf_8_is_mended() {
        let mut bytes = RawDocumentBuf::try_from(&doc! {"a": "xyz", "b": 1})
            .expect("a document")
            .into_bytes();
        let place = bytes.iter().position(|byte| *byte == b'y').expect("a y");
        bytes[place] = 0xff;
        let document = RawDocumentBuf::from_bytes(bytes).expect("a document");
        let mut out = Vec::new();
        write(&document, &mut out).expect("it is read");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "{\"a\":\"x\u{fffd}z\",\"b\":1}"
        );
    }
}
