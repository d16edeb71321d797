//! Times as UNIX seconds, whatever the legacy system kept.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, Int64Builder, StringArray};
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use datafusion::common::Result;

use super::{Definition, OnFailure, is_text, texts};

pub(super) const UNIX_SECONDS: Definition = Definition {
    name: "unix_seconds",
    usage: "unix_seconds(value [, unit, zone or format])",
    about: "A time as UNIX seconds. Takes timestamps, dates, numbers and text. A number's unit is \
            told by its size (10, 13, 16 or 19 digits), or given: 's', 'ms', 'us', 'ns'. Text is \
            ISO 8601 or a number; without an offset it is UTC, or in the zone given \
            ('Europe/Berlin', '+02:00'); or it is read by a format such as '%d.%m.%Y %H:%M'.",
    example: ("unix_seconds('2004-11-15 12:18:00')", "1100521080"),
    takes: |types| {
        let (value, option) = match types {
            [value] => (value, None),
            [value, option] => (value, Some(option)),
            _ => return Err("it takes one or two arguments".into()),
        };
        let value = match value {
            DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
            DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Nanosecond, None),
            kind if kind.is_integer() || kind.is_null() => DataType::Int64,
            kind if kind.is_floating() || kind.is_decimal() => DataType::Float64,
            kind if is_text(kind) => DataType::Utf8,
            other => return Err(format!("it takes a time, not {other}")),
        };
        match option {
            None => Ok(vec![value]),
            Some(option) if is_text(option) => Ok(vec![value, DataType::Utf8]),
            Some(_) => Err("its second argument is text".into()),
        }
    },
    gives: || Field::new("seconds", DataType::Int64, true),
    call: unix_seconds,
};

fn unix_seconds(columns: &[ArrayRef], on_failure: OnFailure) -> Result<ArrayRef> {
    let value = &columns[0];
    let options = columns.get(1).map(texts);
    let mut reader = TextReader::default();
    let mut seconds = Int64Builder::with_capacity(value.len());
    for row in 0..value.len() {
        if value.is_null(row) {
            seconds.append_null();
            continue;
        }
        let option = options.and_then(|options| option_of(options, row));
        let read = match value.data_type() {
            DataType::Int64 => whole(value.as_primitive::<Int64Type>().value(row), option),
            DataType::Float64 => float(value.as_primitive::<Float64Type>().value(row), option),
            DataType::Utf8 => reader.read(value.as_string::<i32>().value(row), option),
            _ => {
                let nanoseconds = value.as_primitive::<arrow::datatypes::TimestampNanosecondType>();
                Ok(nanoseconds.value(row).div_euclid(1_000_000_000))
            }
        };
        seconds.append_option(on_failure.apply(read)?);
    }
    Ok(Arc::new(seconds.finish()))
}

fn option_of(options: &StringArray, row: usize) -> Option<&str> {
    options.is_valid(row).then(|| options.value(row))
}

/// How many of a unit make a second.
fn per_second(unit: &str) -> Option<i64> {
    match unit {
        "s" => Some(1),
        "ms" => Some(1_000),
        "us" => Some(1_000_000),
        "ns" => Some(1_000_000_000),
        _ => None,
    }
}

/// A whole number in the unit given, or in the one that its size tells.
///
/// The sizes cover the years 2001 to 2286 (legacy-time conventions: seconds have 10 digits then,
/// milliseconds 13, microseconds 16, nanoseconds 19).
fn whole(number: i64, unit: Option<&str>) -> Result<i64, String> {
    if let Some(unit) = unit {
        let per_second = per_second(unit).ok_or_else(|| not_a_unit(unit))?;
        return Ok(number.div_euclid(per_second));
    }
    let per_second = match number
        .unsigned_abs()
        .checked_ilog10()
        .map_or(1, |log| log + 1)
    {
        10 => 1,
        13 => 1_000,
        16 => 1_000_000,
        19 => 1_000_000_000,
        digits => {
            return Err(format!(
                "the unit of a time of {digits} digits cannot be told; \
                 give it, as in unix_seconds(value, 'ms')"
            ));
        }
    };
    Ok(number.div_euclid(per_second))
}

fn float(number: f64, unit: Option<&str>) -> Result<i64, String> {
    let floor = number.floor();
    if !floor.is_finite() || floor.abs() >= 9.2e18 {
        return Err("it is not a time".into());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range was checked just now"
    )]
    whole(floor as i64, unit)
}

fn not_a_unit(unit: &str) -> String {
    format!("`{unit}` is neither a unit (s, ms, us, ns) nor a time zone nor a format")
}

/// Reads times out of text, and remembers the zone that it was last given.
#[derive(Default)]
struct TextReader {
    zone: Option<(String, Tz)>,
}

impl TextReader {
    fn read(&mut self, text: &str, option: Option<&str>) -> Result<i64, String> {
        let text = text.trim();
        let Some(option) = option else {
            return match number(text) {
                Some(number) => whole(number, None),
                None => in_zone(text, &chrono::Utc),
            };
        };
        if per_second(option).is_some() {
            let number = number(text).ok_or("it is not a number")?;
            return whole(number, Some(option));
        }
        if option.contains('%') {
            return by_format(text, option);
        }
        if self.zone.as_ref().is_none_or(|(name, _)| name != option) {
            let zone: Tz = option.parse().map_err(|_| not_a_unit(option))?;
            self.zone = Some((option.to_owned(), zone));
        }
        let (_, zone) = self.zone.as_ref().expect("it was set just now");
        in_zone(text, zone)
    }
}

/// The whole part of a number written out, if that is what the text is.
fn number(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

fn in_zone<Z: TimeZone>(text: &str, zone: &Z) -> Result<i64, String> {
    string_to_datetime(zone, text)
        .map(|time| time.timestamp())
        .map_err(|_| {
            "the text is not a time in ISO 8601; \
         give its format, as in unix_seconds(value, '%d.%m.%Y %H:%M')"
                .into()
        })
}

fn by_format(text: &str, format: &str) -> Result<i64, String> {
    if let Ok(time) = DateTime::parse_from_str(text, format) {
        return Ok(time.timestamp());
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
        return Ok(time.and_utc().timestamp());
    }
    match NaiveDate::parse_from_str(text, format) {
        Ok(date) => Ok(date.and_time(NaiveTime::MIN).and_utc().timestamp()),
        Err(_) => Err(format!("the text is not a time in the format `{format}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, option: Option<&str>) -> Result<i64, String> {
        TextReader::default().read(text, option)
    }

    #[test]
    fn a_numbers_size_tells_its_unit() {
        for number in [1_433_558_319, 1_433_558_319_999, 1_433_558_319_999_999] {
            assert_eq!(whole(number, None), Ok(1_433_558_319));
        }
        assert_eq!(whole(1_433_558_319_999_999_999, None), Ok(1_433_558_319));
        assert!(whole(0, None).is_err() && whole(20_150_606, None).is_err());
        assert_eq!(whole(-1, Some("ms")), Ok(-1));
    }

    #[test]
    fn text_is_a_number_or_iso_8601() {
        assert_eq!(read("1433558319.000003", None), Ok(1_433_558_319));
        assert_eq!(read("2004-11-15 12:18:00", None), Ok(1_100_521_080));
        assert_eq!(read("2004-11-15T13:18:00+01:00", None), Ok(1_100_521_080));
        assert_eq!(
            read(" 2004-11-15T12:18:00.123456Z ", None),
            Ok(1_100_521_080)
        );
        assert_eq!(read("2004-11-15", None), Ok(1_100_476_800));
        assert!(read("yesterday", None).is_err() && read("", None).is_err());
    }

    #[test]
    fn text_is_read_in_its_zone_or_by_its_format() {
        assert_eq!(
            read("2004-11-15 13:18:00", Some("Europe/Berlin")),
            Ok(1_100_521_080)
        );
        assert_eq!(
            read("15.11.2004 12:18", Some("%d.%m.%Y %H:%M")),
            Ok(1_100_521_080)
        );
        assert_eq!(read("15.11.2004", Some("%d.%m.%Y")), Ok(1_100_476_800));
        assert!(read("2004-11-15 13:18:00", Some("Europe/Atlantis")).is_err());
    }
}
