//! Conditions that a source may evaluate itself.
//!
//! There are few of them on purpose: those that every database evaluates as the engine does, bit
//! for bit. A source says of each whether it honours it ([`Source::honours`]); the engine
//! evaluates the others.
//!
//! [`Source::honours`]: crate::Source::honours

use std::fmt;

/// A condition on the rows of a table. Rows for which it is not true, or null, are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A column compared with a value of the column's type.
    Compare {
        /// The column's name.
        column: String,
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        value: Operand,
    },
    /// A column is null.
    Null {
        /// The column's name.
        column: String,
    },
    /// A column is not null.
    NotNull {
        /// The column's name.
        column: String,
    },
    /// At least one of these holds.
    Any(Vec<Filter>),
}

impl Filter {
    /// The names of the columns it looks at.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Compare { column, .. } | Self::Null { column } | Self::NotNull { column } => {
                vec![column]
            }
            Self::Any(filters) => filters.iter().flat_map(Self::columns).collect(),
        }
    }

    /// The same condition on rows in which these columns are never null. `a >= 7 OR a IS NULL` is
    /// the beginning of an index, if a database need not look for nulls at its other end.
    #[must_use]
    pub fn without_nulls(&self, never_null: impl Fn(&str) -> bool) -> Self {
        let Self::Any(filters) = self else {
            return self.clone();
        };
        let is_false =
            |filter: &Self| matches!(filter, Self::Null { column } if never_null(column));
        let possible: Vec<Self> = filters
            .iter()
            .filter(|one| !is_false(one))
            .cloned()
            .collect();
        match possible.as_slice() {
            [only] => only.clone(),
            [] => self.clone(),
            _ => Self::Any(possible),
        }
    }

    /// Whether it holds for every row after one that it holds for, where rows ascend by that column.
    ///
    /// Pages that are cut by the column need it only for the first: beside the condition on the key
    /// it would be one more lower bound, and databases have searched from the lower of two.
    #[must_use]
    pub fn holds_on(&self, ascending: &str) -> bool {
        let bound = |comparison: Comparison| {
            matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual)
        };
        matches!(self, Self::Compare { column, comparison, .. }
            if column == ascending && bound(*comparison))
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are equal.
    Equal,
    /// They are not.
    NotEqual,
    /// The first is less.
    Less,
    /// The first is less, or they are equal.
    LessOrEqual,
    /// The first is greater.
    Greater,
    /// The first is greater, or they are equal.
    GreaterOrEqual,
}

impl Comparison {
    /// The operator in SQL, of any dialect.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A value that a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Of a boolean column.
    Flag(bool),
    /// Of a column of whole numbers, of any width.
    Whole(i128),
    /// Of a column of text, compared byte by byte.
    Text(String),
    /// Of a column of dates: days since 1970-01-01.
    Date(i32),
    /// Of a column of timestamps, of any unit: microseconds since 1970-01-01 00:00, in UTC where
    /// the column has a zone and in the column's own reckoning where it has none.
    Time(i64),
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare {
                column,
                comparison,
                value,
            } => write!(f, "{column} {} {value}", comparison.sql()),
            Self::Null { column } => write!(f, "{column} IS NULL"),
            Self::NotNull { column } => write!(f, "{column} IS NOT NULL"),
            Self::Any(filters) => {
                for (place, filter) in filters.iter().enumerate() {
                    write!(f, "{}{filter}", if place == 0 { "" } else { " OR " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(whole) => write!(f, "{whole}"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Date(days) => write!(f, "day {days}"),
            Self::Time(microseconds) => write!(f, "{microseconds} µs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(column: &str, comparison: Comparison) -> Filter {
        Filter::Compare {
            column: column.to_owned(),
            comparison,
            value: Operand::Whole(7),
        }
    }

    #[test]
    fn what_cannot_be_is_no_alternative() {
        let after = compare("a", Comparison::GreaterOrEqual);
        let null = |column: &str| Filter::Null {
            column: column.to_owned(),
        };
        let never_null = |column: &str| column == "a";
        let either = Filter::Any(vec![after.clone(), null("a")]);
        assert_eq!(either.without_nulls(never_null), after);
        let other = Filter::Any(vec![after, null("b")]);
        assert_eq!(other.without_nulls(never_null), other);
        let never = Filter::Any(vec![null("a")]);
        assert_eq!(never.without_nulls(never_null), never);
        assert_eq!(null("a").without_nulls(never_null), null("a"));
    }

    #[test]
    fn a_lower_bound_holds_on_in_the_order_of_its_column() {
        for comparison in [Comparison::Greater, Comparison::GreaterOrEqual] {
            assert!(compare("a", comparison).holds_on("a"));
            assert!(!compare("a", comparison).holds_on("b"));
        }
        for comparison in [Comparison::Less, Comparison::Equal, Comparison::NotEqual] {
            assert!(!compare("a", comparison).holds_on("a"));
        }
    }
}
