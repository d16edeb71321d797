//! Decimal numbers, which the server sends as text.

use arrow::datatypes::i256;

/// The number in units of its last digit, if the text is one with so many digits behind the point
/// or fewer.
pub(crate) fn narrow(sent: &[u8], scale: i8) -> Option<i128> {
    let (negative, digits, zeros) = parts(sent, scale)?;
    let mut number: i128 = 0;
    for digit in digits.chain(std::iter::repeat_n(0, zeros)) {
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some(if negative { -number } else { number })
}

/// The same of numbers with more digits.
pub(crate) fn wide(sent: &[u8], scale: i8) -> Option<i256> {
    let (negative, digits, zeros) = parts(sent, scale)?;
    let ten = i256::from_i128(10);
    let mut number = i256::ZERO;
    for digit in digits.chain(std::iter::repeat_n(0, zeros)) {
        number = number
            .checked_mul(ten)?
            .checked_add(i256::from_i128(digit.into()))?;
    }
    Some(if negative {
        number.wrapping_neg()
    } else {
        number
    })
}

/// Whether it is negative, its digits without the point, and how many zeros are left out at its
/// end.
fn parts(sent: &[u8], scale: i8) -> Option<(bool, impl Iterator<Item = u8>, usize)> {
    let (negative, number) = match sent {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, sent),
    };
    let point = number.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &number[..0]),
    };
    let digits = || whole.iter().chain(fraction);
    if digits().next().is_none() || !digits().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    let values = whole.iter().chain(fraction).map(|digit| digit - b'0');
    Some((negative, values, zeros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_to_its_last_digit_or_not_at_all() {
        assert_eq!(narrow(b"-12.50", 2), Some(-1250));
        assert_eq!(narrow(b"12", 2), Some(1200));
        assert_eq!(narrow(b"0.05", 2), Some(5));
        assert_eq!(narrow(b".5", 1), Some(5));
        assert_eq!(narrow(b"1.234", 2), None);
        for wrong in ["", "-", ".", "1e5", "1.2.3", "one"] {
            assert_eq!(narrow(wrong.as_bytes(), 5), None, "{wrong}");
        }
        let nines = "9".repeat(65);
        let wide = wide(nines.as_bytes(), 0).expect("it has room for 76 digits");
        assert_eq!(wide.to_string(), nines);
    }
}
