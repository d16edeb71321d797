//! Dates and times as the server sends them.
//!
//! A value begins with the number of bytes that follow. What is left out at its end is zero: a
//! date has four bytes (year, month, day), seven with the time of day, eleven with microseconds,
//! and none at all when everything is zero.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::decode::Unreadable;

/// The day from which Arrow counts days and microseconds.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("it is a day");

/// The parts of a date with a time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: u32,
}

impl Parts {
    pub(crate) fn read(sent: &[u8]) -> Result<Self, Unreadable> {
        let (length, rest) = sent.split_first().ok_or(Unreadable::Another)?;
        if usize::from(*length) != rest.len() {
            return Err(Unreadable::Another);
        }
        let mut parts = Self::default();
        match *rest {
            [] => {}
            [year_low, year_high, month, day, ref time @ ..] => {
                parts.year = u16::from_le_bytes([year_low, year_high]);
                (parts.month, parts.day) = (month, day);
                match *time {
                    [] => {}
                    [hour, minute, second] => {
                        (parts.hour, parts.minute, parts.second) = (hour, minute, second);
                    }
                    [hour, minute, second, a, b, c, d] => {
                        (parts.hour, parts.minute, parts.second) = (hour, minute, second);
                        parts.microsecond = u32::from_le_bytes([a, b, c, d]);
                    }
                    _ => return Err(Unreadable::Another),
                }
            }
            _ => return Err(Unreadable::Another),
        }
        Ok(parts)
    }

    fn date(self) -> Result<NaiveDate, Unreadable> {
        if self.month == 0 || self.day == 0 {
            return Err(Unreadable::ZeroDate);
        }
        let (year, month, day) = (self.year.into(), self.month.into(), self.day.into());
        NaiveDate::from_ymd_opt(year, month, day).ok_or(Unreadable::NoDay)
    }

    /// As the server would write it, of a date without a time of day.
    pub(crate) fn date_text(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// As the server would write it, to the microsecond.
    pub(crate) fn text(self) -> String {
        let date = self.date_text();
        let (hour, minute, second) = (self.hour, self.minute, self.second);
        format!(
            "{date} {hour:02}:{minute:02}:{second:02}.{:06}",
            self.microsecond
        )
    }
}

/// The day of a `date`, counted as Arrow does.
pub(crate) fn day(sent: &[u8]) -> Result<i32, Unreadable> {
    let days = Parts::read(sent)?.date()?.signed_duration_since(EPOCH);
    Ok(i32::try_from(days.num_days()).expect("years have four digits"))
}

/// The microseconds of a `datetime` or `timestamp`, counted as Arrow does.
pub(crate) fn moment(sent: &[u8]) -> Result<i64, Unreadable> {
    let parts = Parts::read(sent)?;
    let (hour, minute, second) = (parts.hour, parts.minute, parts.second);
    let time =
        NaiveTime::from_hms_micro_opt(hour.into(), minute.into(), second.into(), parts.microsecond);
    let time = time.ok_or(Unreadable::Another)?;
    Ok(parts.date()?.and_time(time).and_utc().timestamp_micros())
}

/// A `time`, as the server would write it.
pub(crate) fn time(sent: &[u8]) -> Result<String, Unreadable> {
    let (length, rest) = sent.split_first().ok_or(Unreadable::Another)?;
    if usize::from(*length) != rest.len() {
        return Err(Unreadable::Another);
    }
    let (negative, days, hour, minute, second, microsecond) = match *rest {
        [] => return Ok("00:00:00".to_owned()),
        [negative, a, b, c, d, hour, minute, second, ref rest @ ..] => {
            let days = u32::from_le_bytes([a, b, c, d]);
            let microsecond = match *rest {
                [] => 0,
                [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
                _ => return Err(Unreadable::Another),
            };
            (negative, days, hour, minute, second, microsecond)
        }
        _ => return Err(Unreadable::Another),
    };
    let sign = if negative == 0 { "" } else { "-" };
    let hours = u64::from(days) * 24 + u64::from(hour);
    let fraction = match microsecond {
        0 => String::new(),
        some => format!(".{some:06}"),
    };
    Ok(format!(
        "{sign}{hours:02}:{minute:02}:{second:02}{fraction}"
    ))
}

/// The date so many days after 1970-01-01 as the server takes it, if it has such a date.
pub(crate) fn date_of(days: i32) -> Option<String> {
    let date = EPOCH.checked_add_signed(chrono::TimeDelta::days(days.into()))?;
    let has = (1..=9999).contains(&chrono::Datelike::year(&date));
    has.then(|| date.format("%Y-%m-%d").to_string())
}

/// The time so many microseconds after 1970-01-01 as the server takes it, if it has such a time.
pub(crate) fn time_of(microseconds: i64) -> Option<String> {
    let time: NaiveDateTime = chrono::DateTime::from_timestamp_micros(microseconds)?.naive_utc();
    let has = (1..=9999).contains(&chrono::Datelike::year(&time));
    has.then(|| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}
