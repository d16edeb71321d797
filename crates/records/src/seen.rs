//! What kinds of values a place in the records has had.

/// A set of kinds of values, each a bit. Nulls are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(u16);

impl Seen {
    pub(crate) const NOTHING: Self = Self(0);
    pub(crate) const BOOLEAN: Self = Self(1);
    /// A whole number that a double holds exactly.
    pub(crate) const WHOLE: Self = Self(2);
    /// A whole number of 64 bits that a double would round.
    pub(crate) const LARGE: Self = Self(4);
    /// A number that only a double holds.
    pub(crate) const DOUBLE: Self = Self(8);
    /// A number that neither holds without rounding.
    pub(crate) const WIDE: Self = Self(16);
    pub(crate) const STRING: Self = Self(32);
    pub(crate) const LIST: Self = Self(64);
    pub(crate) const OBJECT: Self = Self(128);
    /// A time that says that it is one.
    pub(crate) const TIME: Self = Self(256);

    /// What a bigint holds.
    pub(crate) const BIGINTS: Self = Self::WHOLE.with(Self::LARGE);
    /// What a double holds.
    pub(crate) const DOUBLES: Self = Self::WHOLE.with(Self::DOUBLE);
    /// What is a number.
    const NUMBERS: Self = Self::BIGINTS.with(Self::DOUBLES).with(Self::WIDE);
    /// What can have an order that is looked for.
    pub(crate) const ORDERED: Self = Self::BIGINTS.with(Self::STRING).with(Self::TIME);

    /// Whether all of the others are among these.
    pub(crate) const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether all of these are among the others.
    pub(crate) const fn within(self, others: Self) -> bool {
        others.has(self)
    }

    /// These and the others.
    pub(crate) const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether no one kind but JSON can hold all of these.
    pub(crate) const fn mixed(self) -> bool {
        !self.within(Self::NUMBERS) && self.0.count_ones() > 1
    }

    /// What these are, when they are [`mixed`](Self::mixed): "text in some rows and lists in others".
    pub(crate) fn words(self) -> String {
        let kinds = [
            (Self::STRING, "text"),
            (Self::BOOLEAN, "true or false"),
            (Self::LIST, "lists"),
            (Self::OBJECT, "objects"),
            (Self::NUMBERS, "numbers"),
            (Self::TIME, "times"),
        ];
        let seen = |(kind, word): (Self, &'static str)| (self.0 & kind.0 != 0).then_some(word);
        let words: Vec<&str> = kinds.into_iter().filter_map(seen).collect();
        match words.as_slice() {
            [first, others @ ..] if !others.is_empty() => {
                format!("{first} in some rows and {} in others", others.join(" or "))
            }
            words => words.concat(),
        }
    }
}
