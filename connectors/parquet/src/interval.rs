//! Intervals, whose parts are counted apart: months, days, and milliseconds in Parquet or
//! nanoseconds in Arrow.

use std::fmt::Write;

use arrow::array::{Array, FixedSizeBinaryArray, IntervalMonthDayNanoArray, StringArray};
use arrow::datatypes::IntervalMonthDayNano;

use crate::snapshot::INTERVAL_BYTES;

/// Bytes of an interval.
pub(crate) const LENGTH: i32 = 12;

/// The intervals as ISO 8601 writes them: `P14M3DT4.5S`.
pub(crate) fn texts(bytes: &FixedSizeBinaryArray) -> StringArray {
    let text = |row| bytes.is_valid(row).then(|| text(bytes.value(row)));
    (0..bytes.len()).map(text).collect()
}

fn text(bytes: &[u8]) -> String {
    let part = |at: usize| {
        let four = bytes[at..at + 4].try_into().expect("twelve bytes");
        u32::from_le_bytes(four)
    };
    let (months, days, millis) = (part(0), part(4), part(8));
    let mut text = String::from("P");
    let mut write = |part: std::fmt::Arguments<'_>| text.write_fmt(part).expect("text");
    if months > 0 {
        write(format_args!("{months}M"));
    }
    if days > 0 {
        write(format_args!("{days}D"));
    }
    if millis > 0 || (months, days) == (0, 0) {
        write(format_args!("T{}", millis / 1000));
        if !millis.is_multiple_of(1000) {
            let fraction = format!("{:03}", millis % 1000);
            write(format_args!(".{}", fraction.trim_end_matches('0')));
        }
        write(format_args!("S"));
    }
    text
}

/// Arrow's intervals as bytes: months, days, nanoseconds, the lowest byte of each first.
pub(crate) fn bytes(intervals: &IntervalMonthDayNanoArray) -> FixedSizeBinaryArray {
    let bytes = intervals.iter().map(|interval| {
        interval.map(|interval| {
            let (months, days) = (interval.months.to_le_bytes(), interval.days.to_le_bytes());
            [&months[..], &days, &interval.nanoseconds.to_le_bytes()].concat()
        })
    });
    FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, INTERVAL_BYTES)
        .expect("all of them have sixteen bytes")
}

/// Arrow's intervals out of such bytes.
pub(crate) fn of_bytes(bytes: &FixedSizeBinaryArray) -> IntervalMonthDayNanoArray {
    let interval = |row| {
        bytes.is_valid(row).then(|| {
            let bytes = bytes.value(row);
            let four = |at: usize| {
                let four = bytes[at..at + 4].try_into().expect("sixteen bytes");
                i32::from_le_bytes(four)
            };
            let last = bytes[8..].try_into().expect("sixteen bytes");
            IntervalMonthDayNano::new(four(0), four(4), i64::from_le_bytes(last))
        })
    };
    (0..bytes.len()).map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_keeps_all_of_its_parts() {
        for ((months, days, millis), written) in [
            ((14_u32, 3_u32, 4_500_u32), "P14M3DT4.5S"),
            ((0, 0, 0), "PT0S"),
            ((1, 0, 0), "P1M"),
            ((0, 2, 0), "P2D"),
            ((0, 0, 1), "PT0.001S"),
        ] {
            let bytes = [months, days, millis].map(u32::to_le_bytes).concat();
            assert_eq!(text(&bytes), written);
        }
    }
}
