//! How much, how long: numbers with a unit, as a person writes them.

use std::time::Duration;

/// Bytes: `64 MiB`, `512 KiB`, `10 MB`, or a whole number alone.
///
/// # Errors
///
/// When it is none of these; the words say what would be.
pub fn bytes(text: &str) -> Result<u64, &'static str> {
    const WANTED: &str = "a size is a whole number and a unit, such as \"64 MiB\" or \"512 KiB\"";
    let (number, unit) = split(text).ok_or(WANTED)?;
    let bytes_each: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(WANTED),
    };
    number
        .checked_mul(bytes_each)
        .ok_or("that is more bytes than can be counted")
}

/// A duration: `30 s`, `250 ms`, `5 min`, `2 h`, `7 d`.
///
/// # Errors
///
/// When it is none of these; the words say what would be.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    const WANTED: &str =
        "a duration is a whole number and one of ms, s, min, h, d, such as \"30 s\" or \"5 min\"";
    let (number, unit) = split(text).ok_or(WANTED)?;
    let millis_each: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(WANTED),
    };
    number
        .checked_mul(millis_each)
        .map(Duration::from_millis)
        .ok_or("that is longer than time itself")
}

/// The number and the unit after it, with or without a space between.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '_'))
        .unwrap_or(text.len());
    let number = text[..digits].replace('_', "").parse().ok()?;
    Some((number, text[digits..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_binary_or_a_decimal_unit() {
        assert_eq!(bytes("64 MiB"), Ok(64 << 20));
        assert_eq!(bytes("512kib"), Ok(512 << 10));
        assert_eq!(bytes("10 MB"), Ok(10_000_000));
        assert_eq!(bytes("1_024"), Ok(1_024));
        for wrong in [
            "",
            "MiB",
            "64 parsecs",
            "-1 MiB",
            "1.5 GiB",
            "99999999999 TiB",
        ] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(duration("30 s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2 h"), Ok(Duration::from_secs(7_200)));
        for wrong in ["", "30", "6 months", "s", "-1 s", "99999999999999999999 s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
