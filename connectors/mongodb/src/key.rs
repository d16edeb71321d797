//! How all values of `_id` are gone through without a cursor that stays open.
//!
//! Pages are cut by `_id`, which is unique and has an index. `{_id: {$gt: last}}` gives what comes
//! after the last one of the same kind, and nothing of other kinds: MongoDB compares numbers with
//! numbers and texts with texts only. So the kinds are gone through one after the other, in the
//! order in which MongoDB has them, each from its least value on.
//!
//! Source: MongoDB's manual, "Comparison/Sort Order" and "Type Bracketing".

use mongodb::bson::oid::ObjectId;
use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, JavaScriptCodeWithScope, Timestamp, doc};

/// Values that are compared with each other, in the order in which MongoDB has them.
///
/// Lists, regular expressions and `undefined` cannot be an `_id`. Pointers, which no driver has
/// made for ten years, are not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Least,
    Null,
    /// Which no comparison finds, as it is less than nothing and more than nothing.
    NoNumber,
    Number,
    Text,
    Document,
    Bytes,
    Id,
    Flag,
    Time,
    Timestamp,
    Code,
    ScopedCode,
    Greatest,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::Least,
        Self::Null,
        Self::NoNumber,
        Self::Number,
        Self::Text,
        Self::Document,
        Self::Bytes,
        Self::Id,
        Self::Flag,
        Self::Time,
        Self::Timestamp,
        Self::Code,
        Self::ScopedCode,
        Self::Greatest,
    ];

    /// The kind of a value; `None` where that is not looked for.
    pub(crate) fn of(id: RawBsonRef<'_>) -> Option<Self> {
        Some(match id {
            RawBsonRef::MinKey => Self::Least,
            RawBsonRef::Null => Self::Null,
            RawBsonRef::Double(number) if number.is_nan() => Self::NoNumber,
            RawBsonRef::Decimal128(number) if number.to_string() == "NaN" => Self::NoNumber,
            RawBsonRef::Int32(_)
            | RawBsonRef::Int64(_)
            | RawBsonRef::Double(_)
            | RawBsonRef::Decimal128(_) => Self::Number,
            RawBsonRef::String(_) | RawBsonRef::Symbol(_) => Self::Text,
            RawBsonRef::Document(_) => Self::Document,
            RawBsonRef::Binary(_) => Self::Bytes,
            RawBsonRef::ObjectId(_) => Self::Id,
            RawBsonRef::Boolean(_) => Self::Flag,
            RawBsonRef::DateTime(_) => Self::Time,
            RawBsonRef::Timestamp(_) => Self::Timestamp,
            RawBsonRef::JavaScriptCode(_) => Self::Code,
            RawBsonRef::JavaScriptCodeWithScope(_) => Self::ScopedCode,
            RawBsonRef::MaxKey => Self::Greatest,
            RawBsonRef::Array(_)
            | RawBsonRef::RegularExpression(_)
            | RawBsonRef::Undefined
            | RawBsonRef::DbPointer(_) => return None,
        })
    }

    /// The condition that holds for all `_id`s of this kind, and for no others.
    pub(crate) fn all(self) -> Document {
        let from = |least: Bson| doc! {"_id": {"$gte": least}};
        match self {
            Self::Least => doc! {"_id": {"$eq": Bson::MinKey}},
            Self::Null => doc! {"_id": {"$eq": Bson::Null}},
            Self::NoNumber => doc! {"_id": {"$eq": f64::NAN}},
            Self::Number => from(f64::NEG_INFINITY.into()),
            Self::Text => from("".into()),
            Self::Document => from(doc! {}.into()),
            Self::Bytes => from(
                Binary {
                    subtype: BinarySubtype::Generic,
                    bytes: Vec::new(),
                }
                .into(),
            ),
            Self::Id => from(ObjectId::from_bytes([0; 12]).into()),
            Self::Flag => from(false.into()),
            Self::Time => from(DateTime::MIN.into()),
            Self::Timestamp => from(Bson::Timestamp(Timestamp {
                time: 0,
                increment: 0,
            })),
            Self::Code => from(Bson::JavaScriptCode(String::new())),
            Self::ScopedCode => from(Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
                code: String::new(),
                scope: doc! {},
            })),
            Self::Greatest => doc! {"_id": {"$eq": Bson::MaxKey}},
        }
    }

    /// Those from this one on.
    pub(crate) fn onwards(self) -> &'static [Self] {
        &Self::ALL[self as usize..]
    }

    /// The one behind it.
    pub(crate) fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }
}

/// The condition that holds for `_id`s of any of these kinds.
pub(crate) fn any(kinds: &[Kind]) -> Document {
    match kinds {
        // Nothing is asked of it, so that whatever is there is found.
        all if all.len() == Kind::ALL.len() => doc! {},
        [only] => only.all(),
        several => {
            let several: Vec<Document> = several.iter().map(|kind| kind.all()).collect();
            doc! {"$or": several}
        }
    }
}

/// How far a collection was read.
#[derive(Clone, Debug)]
pub(crate) enum Position {
    /// Nothing was read of this kind and those behind it, and who knows which of them there are.
    Before(Kind),
    /// Within this kind, behind this value, if any was read.
    Within(Kind, Option<Bson>),
    /// All was read.
    End,
}

impl Position {
    /// At the beginning.
    pub(crate) const BEGINNING: Self = Self::Before(Kind::Least);

    /// Behind all of this kind.
    pub(crate) fn behind(kind: Kind) -> Self {
        kind.next().map_or(Self::End, Self::Before)
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::raw::RawDocumentBuf;

    use super::*;

    #[test]
    fn the_least_value_of_each_kind_is_of_that_kind() {
        for kind in Kind::ALL {
            let condition = RawDocumentBuf::try_from(&kind.all()).expect("a document");
            let bound = condition.get_document("_id").expect("a bound");
            let (_, value) = bound.into_iter().next().expect("a value").expect("sound");
            assert_eq!(Kind::of(value), Some(kind));
            assert_eq!(kind.onwards()[0], kind);
        }
        assert!(Kind::ALL.is_sorted());
        assert_eq!(Kind::Greatest.next(), None);
    }
}
