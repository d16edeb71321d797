//! Values as the server sends them, into Arrow.
//!
//! Each column has a decoder that was chosen once, by its type. A value that cannot be read
//! leaves a null in its place, so that the columns stay as long as each other; the row is then
//! taken out of the page.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use serde::de::IgnoredAny;

use crate::calendar;
use crate::numeric;
use crate::settings::Reading;
use crate::types::Type;

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A date of zeros, or one with a zero in it.
    ZeroDate,
    /// A date such as the thirtieth of February.
    NoDay,
    NotUtf8,
    NotJson,
    /// A number in a column of true and false.
    NotBoolean,
    /// Something that no value of this type looks like: the column has another type now.
    Another,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroDate => "a zero date, which `zero_dates = \"null\"` reads as null",
            Self::NoDay => {
                "a date that no calendar has, which `zero_dates = \"null\"` reads as null"
            }
            Self::NotUtf8 => "text with bytes that are no text",
            Self::NotJson => "text that is not JSON",
            Self::NotBoolean => {
                "a number other than 0 and 1, which `tinyint1 = \"integer\"` allows"
            }
            Self::Another => "a value of another type",
        })
    }
}

/// Values of one column.
pub(crate) trait Decoder: Send {
    /// Appends a value, or null when it cannot be read.
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable>;

    /// Gives the values and begins anew.
    fn finish(&mut self) -> ArrayRef;
}

/// The decoder for a column of that type.
pub(crate) fn decoder(of: Type, reading: Reading) -> Box<dyn Decoder> {
    let zero_dates_are_null = reading.zero_dates_are_null;
    match of {
        Type::Boolean => Box::new(Flags(BooleanBuilder::new(), |sent| match sent {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(Unreadable::NotBoolean),
            _ => Err(Unreadable::Another),
        })),
        Type::Flag => Box::new(Flags(BooleanBuilder::new(), |sent| match sent {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Unreadable::Another),
        })),
        Type::Int8 => numbers::<Int8Type>(|sent| whole(sent).map(i8::from_le_bytes)),
        Type::UInt8 => numbers::<UInt8Type>(|sent| whole(sent).map(u8::from_le_bytes)),
        Type::Int16 => numbers::<Int16Type>(|sent| whole(sent).map(i16::from_le_bytes)),
        Type::UInt16 => numbers::<UInt16Type>(|sent| whole(sent).map(u16::from_le_bytes)),
        Type::Int32 => numbers::<Int32Type>(|sent| whole(sent).map(i32::from_le_bytes)),
        Type::UInt32 => numbers::<UInt32Type>(|sent| whole(sent).map(u32::from_le_bytes)),
        Type::Int64 => numbers::<Int64Type>(|sent| whole(sent).map(i64::from_le_bytes)),
        Type::UInt64 => numbers::<UInt64Type>(|sent| whole(sent).map(u64::from_le_bytes)),
        Type::Bits => numbers::<UInt64Type>(bits),
        Type::Year => numbers::<Int16Type>(|sent| whole(sent).map(i16::from_le_bytes)),
        Type::Float => numbers::<Float32Type>(|sent| whole(sent).map(f32::from_le_bytes)),
        Type::Double => numbers::<Float64Type>(|sent| whole(sent).map(f64::from_le_bytes)),
        Type::Decimal { precision, scale } if precision <= 38 => Box::new(Decimals {
            builder: PrimitiveBuilder::<Decimal128Type>::new().with_data_type(of.arrow()),
            read: numeric::narrow,
            scale,
        }),
        Type::Decimal { scale, .. } => Box::new(Decimals {
            builder: PrimitiveBuilder::<Decimal256Type>::new().with_data_type(of.arrow()),
            read: numeric::wide,
            scale,
        }),
        Type::Date => Box::new(Dates::<Date32Type> {
            builder: PrimitiveBuilder::new(),
            read: calendar::day,
            zero_dates_are_null,
        }),
        Type::DateTime | Type::Timestamp => Box::new(Dates::<TimestampMicrosecondType> {
            builder: PrimitiveBuilder::new().with_data_type(of.arrow()),
            read: calendar::moment,
            zero_dates_are_null,
        }),
        Type::Time => Box::new(Times(StringBuilder::new())),
        Type::Text | Type::Enum | Type::Set | Type::AsText(_) | Type::Json { sound: true } => {
            Box::new(Texts(StringBuilder::new(), |_| true))
        }
        Type::Json { sound: false } => Box::new(Texts(StringBuilder::new(), |text| {
            serde_json::from_str::<IgnoredAny>(text).is_ok()
        })),
        Type::Binary => Box::new(Bytes(BinaryBuilder::new())),
    }
}

/// The bytes of a number, if they are as many as it has.
fn whole<const N: usize>(sent: &[u8]) -> Result<[u8; N], Unreadable> {
    sent.try_into().map_err(|_| Unreadable::Another)
}

/// The bits of a `bit(n)`, the highest first.
pub(crate) fn bits(sent: &[u8]) -> Result<u64, Unreadable> {
    if sent.len() > 8 {
        return Err(Unreadable::Another);
    }
    Ok(sent
        .iter()
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

type Read<T> = fn(&[u8]) -> Result<T, Unreadable>;

fn numbers<T: ArrowPrimitiveType>(read: Read<T::Native>) -> Box<dyn Decoder> {
    Box::new(Numbers::<T>(PrimitiveBuilder::new(), read))
}

struct Numbers<T: ArrowPrimitiveType>(PrimitiveBuilder<T>, Read<T::Native>);

impl<T: ArrowPrimitiveType> Decoder for Numbers<T> {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        let read = sent.map(self.1).transpose();
        self.0.append_option(read.unwrap_or_default());
        read.map(drop)
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Flags(BooleanBuilder, Read<bool>);

impl Decoder for Flags {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        let read = sent.map(self.1).transpose();
        self.0.append_option(read.unwrap_or_default());
        read.map(drop)
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Decimals<T: ArrowPrimitiveType> {
    builder: PrimitiveBuilder<T>,
    read: fn(&[u8], i8) -> Option<T::Native>,
    scale: i8,
}

impl<T: ArrowPrimitiveType> Decoder for Decimals<T> {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        let read = sent.map(|sent| (self.read)(sent, self.scale).ok_or(Unreadable::Another));
        let read = read.transpose();
        self.builder.append_option(read.unwrap_or_default());
        read.map(drop)
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

struct Dates<T: ArrowPrimitiveType> {
    builder: PrimitiveBuilder<T>,
    read: Read<T::Native>,
    zero_dates_are_null: bool,
}

impl<T: ArrowPrimitiveType> Decoder for Dates<T> {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        let read = sent.map(self.read).transpose();
        self.builder.append_option(read.unwrap_or_default());
        match read {
            Err(Unreadable::ZeroDate | Unreadable::NoDay) if self.zero_dates_are_null => Ok(()),
            read => read.map(drop),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

struct Times(StringBuilder);

impl Decoder for Times {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        let read = sent.map(calendar::time).transpose();
        let text = read.as_ref().ok().and_then(Option::as_deref);
        self.0.append_option(text);
        read.map(drop)
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Texts, and what must hold for each.
struct Texts(StringBuilder, fn(&str) -> bool);

impl Decoder for Texts {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        let Some(sent) = sent else {
            self.0.append_null();
            return Ok(());
        };
        let read = match std::str::from_utf8(sent) {
            Ok(text) if (self.1)(text) => {
                self.0.append_value(text);
                return Ok(());
            }
            Ok(_) => Unreadable::NotJson,
            Err(_) => Unreadable::NotUtf8,
        };
        self.0.append_null();
        Err(read)
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Bytes(BinaryBuilder);

impl Decoder for Bytes {
    fn push(&mut self, sent: Option<&[u8]>) -> Result<(), Unreadable> {
        self.0.append_option(sent);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}
