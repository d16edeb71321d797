//! One type that holds the values of two without loss.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

/// The narrowest type that holds every value of both, if there is one.
///
/// A whole number of 64 bits and a double have none: a double would round.
pub(crate) fn merged(one: &DataType, other: &DataType) -> Option<DataType> {
    use DataType::{
        Binary, Date32, Date64, Decimal128, Decimal256, FixedSizeBinary, List, Map, Null, Struct,
        Time32, Time64, Timestamp,
    };
    Some(match (one, other) {
        (one, other) if one == other => one.clone(),
        (Null, known) | (known, Null) => known.clone(),
        (Binary | FixedSizeBinary(_), Binary | FixedSizeBinary(_)) => Binary,
        (Date32, Date64) | (Date64, Date32) => Date64,
        (Timestamp(one, None), Timestamp(other, None)) => Timestamp(finer(*one, *other), None),
        (Timestamp(one, Some(here)), Timestamp(other, Some(there))) => {
            // The same instants, whatever the clock on the wall.
            let zone = if here == there {
                here.clone()
            } else {
                "UTC".into()
            };
            Timestamp(finer(*one, *other), Some(zone))
        }
        (Time32(one), Time32(other)) => Time32(finer(*one, *other)),
        (Time32(one) | Time64(one), Time32(other) | Time64(other)) => Time64(finer(*one, *other)),
        (List(one), List(other)) => List(field(one, other)?),
        (Struct(one), Struct(other)) => Struct(fields(one, other)?),
        (Map(one, _), Map(other, _)) => {
            let (Struct(one_entry), Struct(other_entry)) = (one.data_type(), other.data_type())
            else {
                return None;
            };
            let [key, value] = [0, 1].map(|at| field(one_entry.get(at)?, other_entry.get(at)?));
            let entry = Struct(Fields::from(vec![key?, value?]));
            Map(Arc::new(one.as_ref().clone().with_data_type(entry)), false)
        }
        (Decimal128(..) | Decimal256(..), kind) | (kind, Decimal128(..) | Decimal256(..))
            if kind.is_decimal() || kind.is_integer() =>
        {
            decimal(digits(one)?, digits(other)?)?
        }
        (one, other) if one.is_integer() && other.is_integer() => whole(one, other)?,
        (one, other) if is_number(one) && is_number(other) => double(one, other)?,
        _ => return None,
    })
}

/// All fields of both, each by its name.
fn fields(one: &Fields, other: &Fields) -> Option<Fields> {
    let mut all: Vec<FieldRef> = Vec::new();
    for here in one {
        all.push(match other.find(here.name()) {
            Some((_, there)) => field(here, there)?,
            None => Arc::clone(here),
        });
    }
    let added = other
        .iter()
        .filter(|there| one.find(there.name()).is_none());
    all.extend(added.cloned());
    Some(all.into())
}

fn field(one: &Field, other: &Field) -> Option<FieldRef> {
    let kind = merged(one.data_type(), other.data_type())?;
    Some(Arc::new(one.clone().with_data_type(kind)))
}

fn finer(one: TimeUnit, other: TimeUnit) -> TimeUnit {
    let rank = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    std::cmp::max_by_key(one, other, rank)
}

fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Float32 | DataType::Float64)
}

/// Bits of a whole number, and whether it has a sign.
fn bits(kind: &DataType) -> Option<(u8, bool)> {
    Some(match kind {
        DataType::Int8 => (8, true),
        DataType::Int16 => (16, true),
        DataType::Int32 => (32, true),
        DataType::Int64 => (64, true),
        DataType::UInt8 => (8, false),
        DataType::UInt16 => (16, false),
        DataType::UInt32 => (32, false),
        DataType::UInt64 => (64, false),
        _ => return None,
    })
}

fn whole(one: &DataType, other: &DataType) -> Option<DataType> {
    let ((one, signed), (other, other_signed)) = (bits(one)?, bits(other)?);
    Some(match (signed, other_signed) {
        (true, true) => int(one.max(other)),
        (false, false) => uint(one.max(other)),
        (true, false) => signed_over(one, other),
        (false, true) => signed_over(other, one),
    })
}

/// A whole number with a sign that holds both.
fn signed_over(signed: u8, unsigned: u8) -> DataType {
    match signed.max(unsigned.saturating_mul(2)) {
        bits @ ..=64 => int(bits),
        _ => DataType::Decimal128(20, 0),
    }
}

fn int(bits: u8) -> DataType {
    match bits {
        0..=8 => DataType::Int8,
        9..=16 => DataType::Int16,
        17..=32 => DataType::Int32,
        _ => DataType::Int64,
    }
}

fn uint(bits: u8) -> DataType {
    match bits {
        0..=8 => DataType::UInt8,
        9..=16 => DataType::UInt16,
        17..=32 => DataType::UInt32,
        _ => DataType::UInt64,
    }
}

/// A floating-point number that holds both, one of which is floating-point.
fn double(one: &DataType, other: &DataType) -> Option<DataType> {
    let exact = |kind: &DataType| match bits(kind) {
        Some((..=16, _)) => Some(24),
        Some((..=32, _)) => Some(53),
        Some(_) => None,
        None if *kind == DataType::Float32 => Some(24),
        None => Some(53),
    };
    Some(match exact(one)?.max(exact(other)?) {
        ..=24 => DataType::Float32,
        _ => DataType::Float64,
    })
}

/// How many digits before and behind the point.
fn digits(kind: &DataType) -> Option<(i16, i16)> {
    Some(match kind {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            (i16::from(*precision) - i16::from(*scale), (*scale).into())
        }
        kind => {
            let before = match bits(kind)? {
                (..=8, _) => 3,
                (..=16, _) => 5,
                (..=32, _) => 10,
                (_, true) => 19,
                (_, false) => 20,
            };
            (before, 0)
        }
    })
}

fn decimal(one: (i16, i16), other: (i16, i16)) -> Option<DataType> {
    let (before, behind) = (one.0.max(other.0), one.1.max(other.1));
    let precision = u8::try_from(before + behind).ok()?;
    let scale = i8::try_from(behind).ok()?;
    match precision {
        0..=38 => Some(DataType::Decimal128(precision, scale)),
        39..=76 => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType::{
        Date32, Decimal128, Decimal256, Float32, Float64, Int16, Int32, Int64, Null, UInt8, UInt32,
        UInt64, Utf8,
    };

    use super::*;

    #[test]
    fn a_wider_type_holds_both_and_rounds_nothing() {
        for (one, other, both) in [
            (Int32, Int64, Some(Int64)),
            (Int16, UInt8, Some(Int16)),
            (Int16, UInt32, Some(Int64)),
            (Int64, UInt64, Some(Decimal128(20, 0))),
            (Float32, Float64, Some(Float64)),
            (Int32, Float32, Some(Float64)),
            (Int16, Float32, Some(Float32)),
            (Int64, Float64, None),
            (
                Decimal128(10, 2),
                Decimal128(12, 4),
                Some(Decimal128(12, 4)),
            ),
            (
                Decimal128(38, 0),
                Decimal128(10, 10),
                Some(Decimal256(48, 10)),
            ),
            (Decimal128(10, 2), Int64, Some(Decimal128(21, 2))),
            (Decimal256(76, 0), Decimal256(76, 76), None),
            (Null, Utf8, Some(Utf8)),
            (Date32, Utf8, None),
            (Utf8, Int32, None),
        ] {
            assert_eq!(merged(&one, &other), both, "{one} and {other}");
            assert_eq!(merged(&other, &one), both, "{other} and {one}");
        }
    }

    #[test]
    fn timestamps_meet_in_the_finer_unit_and_in_one_zone() {
        let stamp = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
        let (ms, us) = (TimeUnit::Millisecond, TimeUnit::Microsecond);
        let both = merged(&stamp(ms, Some("Europe/Berlin")), &stamp(us, Some("UTC")));
        assert_eq!(both, Some(stamp(us, Some("UTC"))));
        assert_eq!(merged(&stamp(ms, None), &stamp(ms, Some("UTC"))), None);
    }

    #[test]
    fn objects_have_the_fields_of_both() {
        let of = |fields: &[(&str, DataType)]| {
            let field = |(name, kind): &(&str, DataType)| Field::new(*name, kind.clone(), true);
            DataType::Struct(fields.iter().map(field).collect())
        };
        let both = merged(
            &of(&[("a", Int32), ("b", Utf8)]),
            &of(&[("c", Utf8), ("a", Int64)]),
        );
        assert_eq!(both, Some(of(&[("a", Int64), ("b", Utf8), ("c", Utf8)])));
    }
}
