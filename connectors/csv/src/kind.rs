//! What a column holds, and how a text becomes a value of it.

use arrow::datatypes::{DataType, Field, TimeUnit};
use chatferry_core::json;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use jiter::Jiter;
use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Text,
    /// Text that holds JSON.
    Json,
    Bigint,
    Double,
    /// A number of so many digits, of which so many are behind the point.
    Decimal(u8, i8),
    /// What stands for true, and what for false; `true` and `false` when nothing is said.
    Boolean(Option<[String; 2]>),
    /// In this format, or else as `2024-01-31`.
    Date(Option<String>),
    /// A time without a zone, in this format, or else as `2024-01-31 12:30:00.5`.
    Timestamp(Option<String>),
    /// A time with a zone, in this format, or else as `2024-01-31T12:30:00+01:00`.
    Instant(Option<String>),
}

impl Kind {
    /// The Arrow field of that name and kind.
    pub(crate) fn field(&self, name: &str) -> Field {
        match self {
            Self::Json => json::column(name),
            _ => Field::new(name, self.data_type(), true),
        }
    }

    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Bigint => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Boolean(_) => DataType::Boolean,
            Self::Date(_) => DataType::Date32,
            Self::Timestamp(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "JSON",
            Self::Bigint => "a bigint",
            Self::Double => "a double",
            Self::Decimal(..) => "a decimal of its digits",
            Self::Boolean(_) => "a boolean",
            Self::Date(_) => "a date of its format",
            Self::Timestamp(_) => "a timestamp of its format",
            Self::Instant(_) => "a timestamp with a zone, of its format",
        }
    }
}

/// A whole number of 64 bits.
pub(crate) fn bigint(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, bytes),
    };
    // Up to eighteen digits cannot overflow.
    if digits.is_empty() || digits.len() > 18 {
        return text.parse().ok();
    }
    let mut value = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// The nearest double. What is no number, and what is infinite, is none.
pub(crate) fn double(text: &str) -> Option<f64> {
    let begins = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.');
    text.as_bytes().first().filter(|byte| begins(byte))?;
    text.parse().ok().filter(|double: &f64| double.is_finite())
}

/// A number in units of its last digit behind the point.
pub(crate) fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let scale = usize::try_from(scale).ok()?;
    let behind = fraction.trim_end_matches('0');
    if behind.len() > scale {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut value = 0_i128;
    for digit in whole.bytes().chain(behind.bytes()) {
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))?;
    }
    for _ in behind.len()..scale {
        value = value.checked_mul(10)?;
    }
    let most = 10_i128.checked_pow(precision.into())?;
    (value < most).then_some(if negative { -value } else { value })
}

pub(crate) fn boolean(text: &str, words: Option<&[String; 2]>) -> Option<bool> {
    match words {
        Some([yes, _]) if yes == text => Some(true),
        Some([_, no]) if no == text => Some(false),
        Some(_) => None,
        None if text.eq_ignore_ascii_case("true") => Some(true),
        None if text.eq_ignore_ascii_case("false") => Some(false),
        None => None,
    }
}

/// Days since 1970-01-01.
pub(crate) fn date(text: &str, format: Option<&str>) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, format.unwrap_or("%Y-%m-%d")).ok()?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).ok()
}

/// Microseconds since 1970-01-01 00:00 in the column's own reckoning.
pub(crate) fn timestamp(text: &str, format: Option<&str>) -> Option<i64> {
    let time = match format {
        Some(format) => NaiveDateTime::parse_from_str(text, format)
            .ok()
            .or_else(|| {
                // A format of a day alone.
                NaiveDate::parse_from_str(text, format)
                    .ok()?
                    .and_hms_opt(0, 0, 0)
            }),
        None => {
            let formats = [
                "%Y-%m-%d %H:%M:%S%.f",
                "%Y-%m-%dT%H:%M:%S%.f",
                "%Y-%m-%d %H:%M",
            ];
            let mut parsed = formats
                .iter()
                .map(|format| NaiveDateTime::parse_from_str(text, format));
            parsed.find_map(Result::ok)
        }
    };
    Some(time?.and_utc().timestamp_micros())
}

/// Microseconds since 1970-01-01 00:00 in UTC.
pub(crate) fn instant(text: &str, format: Option<&str>) -> Option<i64> {
    let time = match format {
        Some(format) => DateTime::parse_from_str(text, format).ok(),
        None => DateTime::parse_from_rfc3339(text).ok().or_else(|| {
            let formats = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];
            let mut parsed = formats
                .iter()
                .map(|format| DateTime::parse_from_str(text, format));
            parsed.find_map(Result::ok)
        }),
    };
    Some(time?.timestamp_micros())
}

pub(crate) fn is_json(text: &[u8]) -> bool {
    let mut jiter = Jiter::new(text);
    jiter.next_skip().is_ok() && jiter.finish().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        assert_eq!(bigint("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(bigint("9223372036854775808"), None);
        assert_eq!(bigint("+007"), Some(7));
        for none in ["", "-", "1 ", "1.0", "1e3", "１"] {
            assert_eq!(bigint(none), None, "{none}");
        }
        assert_eq!(double("1e3"), Some(1000.0));
        for none in ["", "inf", "NaN", "1e999", "0x1", "1,5"] {
            assert_eq!(double(none), None, "{none}");
        }
        assert_eq!(decimal("-12.5", 9, 2), Some(-1250));
        assert_eq!(decimal("12.500", 9, 2), Some(1250));
        assert_eq!(decimal(".5", 9, 2), Some(50));
        assert_eq!(decimal("9999999.99", 9, 2), Some(999_999_999));
        for none in ["", "-", ".", "1.234", "10000000", "1e3", "1,5"] {
            assert_eq!(decimal(none, 9, 2), None, "{none}");
        }
    }

    #[test]
    fn times_are_read_in_their_format() {
        assert_eq!(date("1970-01-02", None), Some(1));
        assert_eq!(date("31.12.1969", Some("%d.%m.%Y")), Some(-1));
        assert_eq!(date("2024-02-30", None), None);
        assert_eq!(timestamp("1970-01-01 00:00:01.5", None), Some(1_500_000));
        assert_eq!(timestamp("1970-01-01T00:00:01", None), Some(1_000_000));
        assert_eq!(timestamp("1970-01-01 00:00:01Z", None), None);
        assert_eq!(
            timestamp("02/01/1970", Some("%d/%m/%Y")),
            Some(86_400_000_000)
        );
        assert_eq!(instant("1970-01-01T01:00:00+01:00", None), Some(0));
        assert_eq!(instant("1970-01-01 00:00:00Z", None), Some(0));
        assert_eq!(instant("1970-01-01 01:00:00+01", None), Some(0));
        assert_eq!(instant("1970-01-01 00:00:00", None), None);
    }
}
