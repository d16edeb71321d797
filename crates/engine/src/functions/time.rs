//! Times as UNIX seconds, whatever the legacy system kept.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder, StringArray};
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use datafusion::common::Result;

use super::{Definition, is_text, texts, unreadable};

pub(super) const UNIX_SECONDS: Definition = Definition {
    name: "unix_seconds",
    usage: "unix_seconds(value [, unit, zone or format])",
    about: "A time as UNIX seconds. Takes timestamps, dates, numbers and text. A number's unit is \
            told by its size (10, 13, 16 or 19 digits), or given: 's', 'ms', 'us', 'ns'. Text is \
            ISO 8601 or a number; it may be read by a format such as '%d.%m.%Y %H:%M'. What has no \
            offset is UTC, or in the zone given ('Europe/Berlin', '+02:00'). Where a zone's clocks \
            are set back, the earlier of the two times is meant.",
    example: ("unix_seconds('2004-11-15 12:18:00')", "1100521080"),
    takes: |types| {
        let (value, option) = match types {
            [value] => (value, None),
            [value, option] => (value, Some(option)),
            _ => return Err("takes one or two arguments".into()),
        };
        let value = match value {
            DataType::Timestamp(..) => value.clone(),
            DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Second, None),
            kind if kind.is_integer() || kind.is_null() => DataType::Int64,
            kind if kind.is_floating() || kind.is_decimal() => DataType::Float64,
            kind if is_text(kind) => DataType::Utf8,
            _ => return Err("takes a timestamp, a date, a number or text".into()),
        };
        match option {
            None => Ok(vec![value]),
            Some(_) if matches!(value, DataType::Timestamp(_, Some(_))) => {
                Err("takes nothing beside a timestamp that has a zone".into())
            }
            Some(option) if is_text(option) => Ok(vec![value, DataType::Utf8]),
            Some(_) => Err("takes text as its second argument".into()),
        }
    },
    gives: || Field::new("seconds", DataType::Int64, true),
    call: unix_seconds,
};

fn unix_seconds(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let value = &columns[0];
    if let DataType::Timestamp(unit, _) = value.data_type() {
        let numbers = cast(value, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        let per_second = per_second(*unit);
        let seconds: Int64Array = numbers.unary(|number| number.div_euclid(per_second));
        return match columns.get(1) {
            None => Ok(Arc::new(seconds)),
            Some(zones) => local(&seconds, texts(zones)),
        };
    }
    let options = columns.get(1).map(texts);
    let mut zones = Zones::default();
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
            _ => text(value.as_string::<i32>().value(row), option, &mut zones),
        };
        seconds.append_value(read.map_err(unreadable)?);
    }
    Ok(Arc::new(seconds.finish()))
}

/// Seconds on a clock in a zone as UNIX seconds.
fn local(clocks: &Int64Array, names: &StringArray) -> Result<ArrayRef> {
    let mut zones = Zones::default();
    let mut seconds = Int64Builder::with_capacity(clocks.len());
    for (row, clock) in clocks.iter().enumerate() {
        let read = match (clock, option_of(names, row)) {
            (Some(clock), Some(name)) => Some(zones.get(name).and_then(|zone| {
                let clock = DateTime::from_timestamp(clock, 0).ok_or("it is not a time")?;
                let time = zone.from_local_datetime(&clock.naive_utc()).earliest();
                time.map(|time| time.timestamp())
                    .ok_or_else(|| "clocks in that zone never showed this time".into())
            })),
            (clock, _) => clock.map(Ok),
        };
        seconds.append_option(read.transpose().map_err(unreadable)?);
    }
    Ok(Arc::new(seconds.finish()))
}

fn option_of(options: &StringArray, row: usize) -> Option<&str> {
    options.is_valid(row).then(|| options.value(row))
}

/// How many of a timestamp's units make a second.
pub(crate) const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// How many of a unit make a second.
fn per_second_by_name(unit: &str) -> Option<i64> {
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
        let per_second = per_second_by_name(unit).ok_or("the unit is none of s, ms, us, ns")?;
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

/// Time zones by name; the one that was last asked for is remembered.
#[derive(Default)]
struct Zones(Option<(String, Tz)>);

impl Zones {
    fn get(&mut self, name: &str) -> Result<Tz, String> {
        if let Some((last, zone)) = &self.0
            && last == name
        {
            return Ok(*zone);
        }
        let zone: Tz = name.parse().map_err(|_| {
            "what is given beside the value is neither a unit (s, ms, us, ns) nor a time zone nor \
             a format"
        })?;
        self.0 = Some((name.to_owned(), zone));
        Ok(zone)
    }
}

fn text(text: &str, option: Option<&str>, zones: &mut Zones) -> Result<i64, String> {
    let text = text.trim();
    let Some(option) = option else {
        return match number(text) {
            Some(number) => whole(number, None),
            None => in_zone(text, &chrono::Utc),
        };
    };
    if per_second_by_name(option).is_some() {
        let number = number(text).ok_or("it is not a number")?;
        return whole(number, Some(option));
    }
    if option.contains('%') {
        return by_format(text, option);
    }
    let zone = zones.get(option)?;
    match number(text) {
        // Numbers count from one moment, whatever clocks showed then.
        Some(number) => whole(number, None),
        None => in_zone(text, &zone),
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
        Err(_) => Err("the text is not a time in the format given".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, option: Option<&str>) -> Result<i64, String> {
        text(value, option, &mut Zones::default())
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
        assert_eq!(read("1100521080", Some("Europe/Berlin")), Ok(1_100_521_080));
        assert!(read("1100521080", Some("Europe/Atlantis")).is_err());
    }
}
