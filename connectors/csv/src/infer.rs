//! What columns hold, found out by looking at every value.
//!
//! A column is a number only when every one of its texts is how that number is written: made into
//! text again, the column is what it was. So `007`, `+1` and `1.10` stay text.

use crate::kind::Kind;

/// What kinds of texts a column has had, each a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(u16);

impl Seen {
    /// A null.
    pub(crate) const NULL: Self = Self(1);
    /// An empty text between quotes.
    pub(crate) const EMPTY: Self = Self(2);
    const FLAG: Self = Self(4);
    /// A whole number that a double holds exactly.
    const WHOLE: Self = Self(8);
    /// A whole number of 64 bits that a double would round.
    const LARGE: Self = Self(16);
    /// A fraction, as it is written by everybody.
    const FRACTION: Self = Self(32);
    /// A fraction that some would write with an exponent.
    const LONG_FRACTION: Self = Self(64);
    /// A whole number as a double is written: `1.0`, `1e21`.
    const POINTED: Self = Self(128);
    /// A number that is not written as any of these would be.
    const ODD: Self = Self(256);
    const TEXT: Self = Self(512);

    /// The doubles of which whole ones are written without a point.
    const WITHOUT_POINT: Self = Self::WHOLE.with(Self::FRACTION).with(Self::LONG_FRACTION);
    /// The doubles of which whole ones are written with one.
    const WITH_POINT: Self = Self::FRACTION.with(Self::POINTED);
    const NUMBERS: Self = Self::WITHOUT_POINT
        .with(Self::WITH_POINT)
        .with(Self::LARGE)
        .with(Self::ODD);

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether nothing that follows can make a difference.
    pub(crate) const fn is_settled(self) -> bool {
        self.has(Self::TEXT)
    }

    /// Takes something into account.
    pub(crate) fn add(&mut self, other: Self) {
        *self = self.with(other);
    }

    /// What kind of text this is, which is not null.
    pub(crate) fn of(text: &[u8]) -> Self {
        match text.first() {
            None => Self::EMPTY,
            Some(b'0'..=b'9' | b'-') => number(text),
            Some(b'+' | b'.') => odd_or_text(text),
            Some(b't' | b'f') if text == b"true" || text == b"false" => Self::FLAG,
            Some(_) => Self::TEXT,
        }
    }

    /// The one kind that holds all values, whether a person should know that they look like
    /// numbers and are none, and whether empty texts are null.
    pub(crate) fn kind(self) -> (Kind, bool) {
        let values = Self(self.0 & !Self::NULL.with(Self::EMPTY).0);
        // Where both are there, somebody tells them apart.
        let told_apart = self.has(Self::NULL.with(Self::EMPTY));
        if values == Self::default() || told_apart {
            return (
                Kind::Text,
                values != Self::default() && values.within(Self::NUMBERS),
            );
        }
        let kind = match () {
            () if values == Self::FLAG => Kind::Boolean(None),
            () if values.within(Self::WHOLE.with(Self::LARGE)) => Kind::Bigint,
            () if values.within(Self::WITHOUT_POINT) || values.within(Self::WITH_POINT) => {
                Kind::Double
            }
            () => return (Kind::Text, values.within(Self::NUMBERS)),
        };
        (kind, false)
    }
}

/// The kind of a text that begins like a number.
fn number(text: &[u8]) -> Seen {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let leading = whole > 1 && digits[0] == b'0';
    if whole == 0 || leading {
        return odd_or_text(text);
    }
    let rest = &digits[whole..];
    if rest.is_empty() {
        return match whole {
            _ if text == b"-0" => Seen::ODD,
            ..=15 => Seen::WHOLE,
            _ => match str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
            {
                Some(number) if number.unsigned_abs() <= 1 << 53 => Seen::WHOLE,
                Some(_) => Seen::LARGE,
                None => Seen::ODD,
            },
        };
    }
    let Some(fraction) = rest.strip_prefix(b".") else {
        return exact(text);
    };
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return exact(text);
    }
    // Up to fifteen digits no two texts are one double.
    if whole + fraction.len() > 15 || text[0] == b'-' && digits[0] == b'0' {
        return exact(text);
    }
    match fraction {
        b"0" => Seen::POINTED,
        _ if fraction.ends_with(b"0") => Seen::ODD,
        _ if digits[0] == b'0' && fraction.starts_with(b"0000") => exact(text),
        _ => Seen::FRACTION,
    }
}

/// The kind of a text by the double that it is, if that is written so.
fn exact(text: &[u8]) -> Seen {
    let Ok(text) = str::from_utf8(text) else {
        return Seen::TEXT;
    };
    let Ok(double) = text.parse::<f64>() else {
        return Seen::TEXT;
    };
    if !double.is_finite() {
        return Seen::ODD;
    }
    let (plain, pointed) = (format!("{double}") == text, format!("{double:?}") == text);
    match (plain, pointed) {
        (true, true) => Seen::FRACTION,
        (true, false) => Seen::LONG_FRACTION,
        (false, true) => Seen::POINTED,
        (false, false) => Seen::ODD,
    }
}

fn odd_or_text(text: &[u8]) -> Seen {
    let number = str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok());
    if number { Seen::ODD } else { Seen::TEXT }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(texts: &[&str]) -> Kind {
        let mut seen = Seen::default();
        for text in texts {
            seen.add(Seen::of(text.as_bytes()));
        }
        seen.kind().0
    }

    #[test]
    fn a_number_is_one_only_when_it_is_written_as_one() {
        for (texts, expected) in [
            (&["1", "-2", "9223372036854775807"][..], Kind::Bigint),
            (&["0", "10"], Kind::Bigint),
            (&["1", "0.5", "-0.25"], Kind::Double),
            (&["1.0", "0.5", "1e21"], Kind::Double),
            (&["true", "false"], Kind::Boolean(None)),
            (&["1", "1.0"], Kind::Text),
            (&["007"], Kind::Text),
            (&["+1"], Kind::Text),
            (&["-0"], Kind::Text),
            (&["1.10"], Kind::Text),
            (&["9223372036854775808"], Kind::Text),
            (&["9007199254740993", "0.5"], Kind::Text),
            (&["0.1000000000000000055511151231257827"], Kind::Text),
            (&["1e999"], Kind::Text),
            (&["1", "true"], Kind::Text),
            (&["True"], Kind::Text),
            (&["-"], Kind::Text),
            (&["1-2"], Kind::Text),
            (&["NaN"], Kind::Text),
            (&[""], Kind::Text),
            (&["", "1"], Kind::Bigint),
            (&[], Kind::Text),
        ] {
            assert_eq!(kind(texts), expected, "{texts:?}");
        }
    }

    proptest! {
        /// Whatever is found to be a number can be made into the text that it was.
        #[test]
        fn numbers_can_be_written_again(
            texts in prop::collection::vec("-?[0-9]{1,20}|-?[0-9]{1,4}[.][0-9]{1,18}|-?[0-9][.]?[0-9]{0,3}e-?[0-9]{1,2}|0[.]0{0,8}[0-9]{1,9}", 1..4),
            doubles in prop::collection::vec(any::<f64>(), 0..3),
            pointed in any::<bool>(),
        ) {
            let mut texts = texts;
            texts.extend(doubles.iter().map(|double| match pointed {
                true => format!("{double:?}"),
                false => format!("{double}"),
            }));
            let some: Vec<&str> = texts.iter().map(String::as_str).collect();
            match kind(&some) {
                Kind::Bigint => for text in some {
                    prop_assert_eq!(text.parse::<i64>().expect("a bigint").to_string(), text);
                },
                Kind::Double => {
                    let parsed: Vec<f64> = some.iter().map(|text| text.parse().expect("a double")).collect();
                    let plain: Vec<String> = parsed.iter().map(|double| format!("{double}")).collect();
                    let pointed: Vec<String> = parsed.iter().map(|double| format!("{double:?}")).collect();
                    prop_assert!(plain == some || pointed == some, "{some:?}");
                }
                _ => {}
            }
        }
    }
}
