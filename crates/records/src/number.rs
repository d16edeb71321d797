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
    pub(crate) fn of(written: &[u8]) -> Self {
        let written = std::str::from_utf8(written).expect("a JSON number is ASCII");
        if !written.contains(['.', 'e', 'E']) {
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
    fn nothing_is_rounded_unnoticed() {
        for (written, number) in [
            ("0", Number::Whole(0)),
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
            assert_eq!(Number::of(written.as_bytes()), number, "{written}");
        }
    }
}
