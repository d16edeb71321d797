//! PostgreSQL's binary numerics as decimals.
//!
//! Source: PostgreSQL, `numeric_send`: the number of digits, the weight of the first one, the sign
//! and the scale as 16 bits each, then digits to the base 10,000.

use arrow::datatypes::i256;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITE: u16 = 0xD000;
const MINUS_INFINITE: u16 = 0xF000;

/// Why a numeric is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotADecimal {
    /// It is NaN or infinite.
    Special,
    /// It has more digits than were declared.
    TooLong,
    /// The bytes are no numeric.
    Malformed,
}

/// The value of a numeric, times ten to the power of `scale`.
pub(crate) fn decimal(bytes: &[u8], scale: i8) -> Result<i256, NotADecimal> {
    let mut words = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut word = || words.next().ok_or(NotADecimal::Malformed);
    let (digits, weight, sign, _) = (word()?, word()?.cast_signed(), word()?, word()?);
    match sign {
        NAN | INFINITE | MINUS_INFINITE => return Err(NotADecimal::Special),
        _ => {}
    }
    let mut value = i256::ZERO;
    // The power of ten that the last digit read stands for.
    let mut power = (i32::from(weight) + 1) * 4;
    for _ in 0..digits {
        let digit = word()?;
        power -= 4;
        // Digits to the base 10,000 may go on beyond the scale with zeros.
        let below = -power - i32::from(scale);
        let (digit, times) = match below {
            1..=3 => (
                i64::from(digit) / 10_i64.pow(below.cast_unsigned()),
                10_i64.pow((4 - below).cast_unsigned()),
            ),
            4.. => (0, 1),
            _ => (i64::from(digit), 10_000),
        };
        value = value
            .checked_mul(i256::from_i128(times.into()))
            .and_then(|value| value.checked_add(i256::from_i128(digit.into())))
            .ok_or(NotADecimal::TooLong)?;
    }
    let missing = power + i32::from(scale);
    for _ in 0..missing.max(0) {
        value = value
            .checked_mul(i256::from_i128(10))
            .ok_or(NotADecimal::TooLong)?;
    }
    Ok(match sign {
        NEGATIVE => value.wrapping_neg(),
        _ => value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(weight: i16, sign: u16, digits: &[u16]) -> Vec<u8> {
        let length = u16::try_from(digits.len()).unwrap_or(u16::MAX);
        let head = [length, weight.cast_unsigned(), sign, 0];
        head.iter()
            .chain(digits)
            .flat_map(|word| word.to_be_bytes())
            .collect()
    }

    #[test]
    fn digits_to_the_base_of_ten_thousand_are_put_together() {
        let read = |bytes: &[u8], scale| decimal(bytes, scale).map(|value| value.to_string());
        assert_eq!(read(&numeric(0, 0, &[]), 2), Ok("0".into()));
        assert_eq!(
            read(&numeric(0, 0, &[12, 3400]), 2),
            Ok("1234".into()),
            "12.34"
        );
        assert_eq!(
            read(&numeric(1, NEGATIVE, &[1, 2345]), 3),
            Ok("-12345000".into())
        );
        assert_eq!(
            read(&numeric(2, 0, &[7]), 0),
            Ok("700000000".into()),
            "zeros at the end are not sent"
        );
        assert_eq!(
            read(&numeric(-2, 0, &[1200]), 8),
            Ok("1200".into()),
            "0.00001200"
        );
        assert_eq!(read(&numeric(-1, 0, &[1230]), 3), Ok("123".into()), "0.123");
        assert_eq!(read(&numeric(0, NAN, &[]), 0), Err(NotADecimal::Special));
        assert_eq!(
            read(&numeric(0, 0, &[1]).as_slice()[..9], 0),
            Err(NotADecimal::Malformed)
        );
        assert_eq!(read(&numeric(30, 0, &[9]), 0), Err(NotADecimal::TooLong));
    }
}
