//! What kind of number a JSON number is, when nothing may be rounded.

/// The largest whole number up to which every whole number is a double.
pub(crate) const EXACT: u64 = 1 << 53;

/// Digits that a double keeps. What has more was not written from a double.
const DIGITS: usize = 17;

/// A JSON number by what can hold it without rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// A whole number of 64 bits.
    Whole(i64),
    /// A number with a fraction or an exponent, of no more digits than a double keeps.
    Double(f64),
    /// More than either can hold.
    Wide,
}

impl Number {
    /// The number written so; `written` is a number by JSON's grammar.
    pub(crate) fn of(written: &str) -> Self {
        let is_fractional = |byte| matches!(byte, b'.' | b'e' | b'E');
        if !written.bytes().any(is_fractional) {
            return written.parse().map_or(Self::Wide, Self::Whole);
        }
        if written.len() > DIGITS && significant(written) > DIGITS {
            return Self::Wide;
        }
        match written.parse::<f64>() {
            // Not zero as written, but zero as a double: rounded away.
            Ok(0.0) if significant(written) > 0 => Self::Wide,
            Ok(double) if double.is_finite() => Self::Double(double),
            _ => Self::Wide,
        }
    }

    /// The number as a double, if that is exact or it was written as one.
    pub(crate) fn double(self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "no more than 53 bits, so none is lost"
            )]
            Self::Whole(whole) if whole.unsigned_abs() <= EXACT => Some(whole as f64),
            Self::Double(double) => Some(double),
            _ => None,
        }
    }
}

/// The number written so, times ten to the `scale`, if it is one and has no more digits than that.
pub(crate) fn decimal(written: &str, precision: u8, scale: i8) -> Option<i128> {
    let (digits, sign) = match written.strip_prefix('-') {
        Some(digits) => (digits, -1),
        None => (written, 1),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = all.trim_end_matches('0');
    let significant = kept.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let zeros = i64::try_from(all.len() - kept.len()).ok()?;
    let behind = i64::try_from(fraction.len()).ok()?;
    let shift = i64::from(exponent) + i64::from(scale) + zeros - behind;
    let power = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
    let value = significant.parse::<i128>().ok()?.checked_mul(power)?;
    let fits = value < 10_i128.checked_pow(u32::from(precision))?;
    fits.then_some(sign * value)
}

/// How many digits stand between the first and the last that are not zero.
fn significant(written: &str) -> usize {
    let mantissa = written.split(['e', 'E']).next().unwrap_or(written);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    let (mut counted, mut zeros) = (0, 0);
    for digit in digits {
        match digit {
            b'0' if counted == 0 => {}
            b'0' => zeros += 1,
            _ => {
                counted += zeros + 1;
                zeros = 0;
            }
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_what_is_written_or_nothing() {
        for (written, value) in [
            ("12.5", Some(1_250)),
            ("-0.01", Some(-1)),
            ("1e3", Some(100_000)),
            ("1.50e-1", Some(15)),
            ("0.000", Some(0)),
            ("100", Some(10_000)),
            ("999999.99", Some(99_999_999)),
            ("1000000", None),
            ("0.001", None),
            ("1e400", None),
            ("", None),
            (".", None),
            ("1.2.3", None),
            ("NaN", None),
        ] {
            assert_eq!(decimal(written, 8, 2), value, "{written}");
        }
    }

    #[test]
    fn nothing_is_rounded_unnoticed() {
        for (written, number) in [
            ("0", Number::Whole(0)),
            ("999999999999999999", Number::Whole(999_999_999_999_999_999)),
            ("9223372036854775807", Number::Whole(i64::MAX)),
            ("-9223372036854775808", Number::Whole(i64::MIN)),
            ("9223372036854775808", Number::Wide),
            ("1.5", Number::Double(1.5)),
            ("1e3", Number::Double(1000.0)),
            ("0.1000000000000000000000", Number::Double(0.1)),
            ("12345678901234567.89", Number::Wide),
            ("1e400", Number::Wide),
            ("1e-400", Number::Wide),
            ("0e-400", Number::Double(0.0)),
        ] {
            assert_eq!(Number::of(written), number, "{written}");
        }
    }
}
