//! Values that JSON has no way to write, as MongoDB writes them: `{"$date": "..."}`.
//!
//! Both of its forms are known, the relaxed and the canonical one. What looks like such a value
//! and is none is an object like any other.

use chrono::{DateTime, FixedOffset};

use crate::number::Number;
use crate::scanner::{Next, Scanner};

/// A value that is written as an object with one key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Extended {
    /// A time, in milliseconds from 1970.
    Time(i64),
    /// A whole number, and how it is written.
    Whole(i64, String),
    /// A double, and how it is written.
    Double(f64, String),
    /// An id or a decimal number, as it is written.
    Text(String),
}

impl Extended {
    /// The value that stands at the beginning of this text, if there is one.
    pub(crate) fn read(json: &str) -> Option<Self> {
        // Nearly all objects are told by their first key.
        let behind = json.strip_prefix('{')?.trim_ascii_start();
        if !behind.starts_with("\"$") {
            return None;
        }
        let mut scanner = Scanner::over(json);
        scanner.enter_object().ok()?;
        let key = Key::of(&scanner.key().ok()?)?;
        let value = value(&mut scanner, key)?;
        let ends = !scanner.next_field().ok()?;
        ends.then_some(value)
    }
}

/// The keys that say what stands behind them.
#[derive(Clone, Copy)]
enum Key {
    Date,
    Id,
    Uuid,
    Int,
    Long,
    Double,
    Decimal,
}

impl Key {
    fn of(written: &str) -> Option<Self> {
        Some(match written {
            "$date" => Self::Date,
            "$oid" => Self::Id,
            "$uuid" => Self::Uuid,
            "$numberInt" => Self::Int,
            "$numberLong" => Self::Long,
            "$numberDouble" => Self::Double,
            "$numberDecimal" => Self::Decimal,
            _ => return None,
        })
    }
}

fn value(scanner: &mut Scanner<'_>, key: Key) -> Option<Extended> {
    let next = scanner.next().ok()?;
    if let Key::Date = key {
        return date(scanner, next).map(Extended::Time);
    }
    if next != Next::Text {
        return None;
    }
    let text = scanner.text().ok()?.to_owned();
    Some(match key {
        Key::Int | Key::Long => Extended::Whole(text.parse().ok()?, text),
        Key::Double => Extended::Double(double(&text)?, text),
        Key::Id | Key::Uuid | Key::Decimal | Key::Date => Extended::Text(text),
    })
}

/// What is written, if a double is that, rounded no more than doubles are.
fn double(written: &str) -> Option<f64> {
    match written {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => {
            let mut scanner = Scanner::over(written);
            let number = scanner.number().ok()?;
            scanner.rest().is_empty().then(|| number.double())?
        }
    }
}

/// Milliseconds from 1970: of a text, a number, or a number in a text in an object.
fn date(scanner: &mut Scanner<'_>, next: Next) -> Option<i64> {
    match next {
        Next::Text => milliseconds(scanner.text().ok()?),
        Next::Object => {
            if !scanner.enter_object().ok()? || scanner.key().ok()? != "$numberLong" {
                return None;
            }
            if scanner.next().ok()? != Next::Text {
                return None;
            }
            let number = scanner.text().ok()?.parse().ok()?;
            let ends = !scanner.next_field().ok()?;
            ends.then_some(number)
        }
        Next::Number => match scanner.number().ok()? {
            Number::Whole(number) => Some(number),
            _ => None,
        },
        _ => None,
    }
}

/// Milliseconds from 1970 of a time as RFC 3339 has it, if it is no finer than that.
pub(crate) fn milliseconds(written: &str) -> Option<i64> {
    let time: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(written)
        // As older programs write the zone.
        .or_else(|_| DateTime::parse_from_str(written, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()?;
    let is_whole = time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    is_whole.then(|| time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_known_and_nothing_else() {
        let time = |json: &str| Extended::read(json);
        let at = Some(Extended::Time(1_623_484_255_143));
        assert_eq!(time(r#"{"$date":"2021-06-12T07:50:55.143Z"}"#), at);
        assert_eq!(time(r#"{ "$date" : "2021-06-12T09:50:55.143+02:00" }"#), at);
        assert_eq!(time(r#"{"$date":"2021-06-12T07:50:55.143+0000"}"#), at);
        assert_eq!(time(r#"{"$date":{"$numberLong":"1623484255143"}}"#), at);
        assert_eq!(time(r#"{"$date":1623484255143}"#), at);
        let text = |text: &str| Some(Extended::Text(text.to_owned()));
        assert_eq!(time(r#"{"$oid":"60c5"} , 5"#), text("60c5"));
        assert_eq!(time(r#"{"$uuid":"a-b"}"#), text("a-b"));
        assert_eq!(time(r#"{"$numberDecimal":"1.10"}"#), text("1.10"));
        let whole = |n: i64| Some(Extended::Whole(n, n.to_string()));
        assert_eq!(
            time(r#"{"$numberLong":"-9223372036854775808"}"#),
            whole(i64::MIN)
        );
        assert_eq!(time(r#"{"$numberInt":"5"}"#), whole(5));
        let double = |n: f64, written: &str| Some(Extended::Double(n, written.to_owned()));
        assert_eq!(
            time(r#"{"$numberDouble":"-Infinity"}"#),
            double(f64::NEG_INFINITY, "-Infinity")
        );
        assert_eq!(time(r#"{"$numberDouble":"0.5"}"#), double(0.5, "0.5"));
        for other in [
            "{}",
            r#"{"a":1}"#,
            r#"{"$date":"yesterday"}"#,
            r#"{"$date":"2021-06-12T07:50:55.143001Z"}"#,
            r#"{"$date":{"$numberLong":"1","x":2}}"#,
            r#"{"$date":1.5}"#,
            r#"{"$date":null}"#,
            r#"{"$oid":"60c5","x":1}"#,
            r#"{"$oid":5}"#,
            r#"{"$numberLong":"12x"}"#,
            r#"{"$binary":{"base64":"","subType":"00"}}"#,
            r#"{"$oid":"60c5""#,
            r#"{"$numberDouble":"0.12345678901234567890"}"#,
            r#"{"$numberDouble":"inf"}"#,
        ] {
            assert_eq!(time(other), None, "{other}");
        }
    }
}
