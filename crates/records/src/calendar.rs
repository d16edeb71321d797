//! Times and days as JSON has them: as text.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

/// Days from the first of the calendar until 1970.
const EPOCH: i32 = 719_163;

/// The microseconds since 1970 of a time. One without a zone is in UTC, a mere day is its first
/// moment, and what is finer than a microsecond is none.
pub(crate) fn microseconds(written: &str) -> Option<i64> {
    let plain = |form| NaiveDateTime::parse_from_str(written, form).ok();
    let time = match DateTime::parse_from_rfc3339(written) {
        Ok(time) => time.naive_utc(),
        Err(_) => plain("%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|| plain("%Y-%m-%d %H:%M:%S%.f"))
            .or_else(|| {
                NaiveDate::parse_from_str(written, "%Y-%m-%d")
                    .ok()
                    .map(Into::into)
            })?,
    };
    let time = time.and_utc();
    let is_whole = time.timestamp_subsec_nanos().is_multiple_of(1_000);
    is_whole.then(|| time.timestamp_micros())
}

/// The days since 1970 of a day, which may be written as its first moment.
pub(crate) fn day(written: &str) -> Option<i32> {
    const DAY: i64 = 86_400_000_000;
    match NaiveDate::parse_from_str(written, "%Y-%m-%d") {
        Ok(day) => Some(day.num_days_from_ce() - EPOCH),
        Err(_) => {
            let time = microseconds(written)?;
            let is_first = time.rem_euclid(DAY) == 0;
            is_first.then_some(i32::try_from(time.div_euclid(DAY)).ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_time_is_known_and_nothing_else() {
        for (written, time) in [
            ("1970-01-01T00:00:01Z", Some(1_000_000)),
            ("1970-01-01T01:00:00.5+01:00", Some(500_000)),
            ("1970-01-01T00:00:00.000001", Some(1)),
            ("1970-01-01 00:00:01", Some(1_000_000)),
            ("1970-01-02", Some(86_400_000_000)),
            ("1970-01-01T00:00:00.0000001Z", None),
            ("1970-13-01", None),
            ("soon", None),
        ] {
            assert_eq!(microseconds(written), time, "{written}");
        }
        for (written, expected) in [
            ("1970-01-02", Some(1)),
            ("1969-12-31T00:00:00.000000Z", Some(-1)),
            ("1969-12-31T00:00:01Z", None),
            ("1969-02-30", None),
        ] {
            assert_eq!(day(written), expected, "{written}");
        }
    }
}
