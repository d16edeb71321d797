//! How numbers, durations, times and lines are written.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Columns that nothing is wider than, even on a wide terminal.
pub const WIDEST: usize = 100;

/// A number with separators: 12,500.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: "1 row", "2 rows".
#[must_use]
pub fn counted(number: u64, one: &str) -> String {
    format!(
        "{} {one}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// A duration in its two largest units: 5 h 33 min.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, 0..10) => format!("{:.1} s", duration.as_secs_f64()),
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, ..) => format!("{d} d {h} h"),
    }
}

/// A number of bytes in its largest unit: 1.5 MiB.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return counted(bytes, "byte");
    }
    let mut size = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while size >= 1_024.0 && unit + 1 < UNITS.len() {
        size /= 1_024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// A moment to the minute: 2026-05-23 14:05 UTC.
#[must_use]
pub fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A text that may hold anything, on one line: what moves a cursor or is not seen is written as
/// an escape.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// The same in at most so many columns, with its middle left out where it is longer.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    let text = plain(text);
    let length = text.chars().count();
    if length <= columns {
        return text;
    }
    let kept = columns.saturating_sub(1);
    let (first, last) = (kept.div_ceil(2), kept / 2);
    let head = text.chars().take(first);
    head.chain(['…'])
        .chain(text.chars().skip(length - last))
        .collect()
}

/// A text in lines of at most so many columns; a word that is longer is shortened.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word = shortened(word, width.max(8));
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

/// Words in lines that fit on a page, all of them so many columns from its edge.
#[must_use]
pub fn indented(text: &str, columns: usize) -> String {
    let lines = wrapped(text, WIDEST - columns).into_iter();
    lines
        .map(|line| format!("{:columns$}{line}\n", ""))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_grouped_and_durations_have_two_units() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(duration(Duration::from_millis(5_300)), "5.3 s");
        assert_eq!(duration(Duration::from_secs(19_980)), "5 h 33 min");
        assert_eq!(duration(Duration::from_secs(200_000)), "2 d 7 h");
    }

    #[test]
    fn what_would_move_the_cursor_is_written_as_an_escape() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(plain("Zoë"), "Zoë");
        assert_eq!(shortened("abcdefghij", 7), "abc…hij");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_for(text in ".{0,300}", width in 8_usize..100) {
            for line in wrapped(&text, width) {
                prop_assert!(line.chars().count() <= width);
                prop_assert!(!line.contains(char::is_control));
            }
        }
    }
}
