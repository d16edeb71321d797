//! Which conditions are honoured, and for which rows they hold.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int64Array, Scalar, StringArray, UInt64Array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::{eq, gt, gt_eq, lt, lt_eq, neq};
use arrow::compute::{cast, is_not_null, is_null, or_kleene};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::error::ArrowError;
use chatferry_core::{Comparison, Filter, Operand, json};

/// Whether exactly the rows are left out that the engine would leave out.
pub(crate) fn honours(schema: &Schema, filter: &Filter) -> bool {
    match filter {
        Filter::Compare { column, value, .. } => schema
            .field_with_name(column)
            .is_ok_and(|field| !json::is_marked(field) && compares(field.data_type(), value)),
        Filter::Null { column } | Filter::NotNull { column } => {
            schema.field_with_name(column).is_ok()
        }
        Filter::Any(filters) => {
            !filters.is_empty() && filters.iter().all(|filter| honours(schema, filter))
        }
    }
}

fn compares(kind: &DataType, value: &Operand) -> bool {
    match value {
        Operand::Flag(_) => *kind == DataType::Boolean,
        Operand::Whole(_) => kind.is_integer(),
        Operand::Text(_) => *kind == DataType::Utf8,
        Operand::Date(_) => *kind == DataType::Date32,
        Operand::Time(_) => matches!(kind, DataType::Timestamp(..)),
    }
}

/// For which rows a condition holds; null where it is null. `column` gives the columns it names.
pub(crate) fn holds(
    filter: &Filter,
    column: &dyn Fn(&str) -> Result<ArrayRef, ArrowError>,
) -> Result<BooleanArray, ArrowError> {
    match filter {
        Filter::Compare {
            column: name,
            comparison,
            value,
        } => compared(&column(name)?, *comparison, value),
        Filter::Null { column: name } => is_null(&column(name)?),
        Filter::NotNull { column: name } => is_not_null(&column(name)?),
        Filter::Any(filters) => {
            let mut any: Option<BooleanArray> = None;
            for filter in filters {
                let one = holds(filter, column)?;
                any = Some(match any {
                    Some(any) => or_kleene(&any, &one)?,
                    None => one,
                });
            }
            any.ok_or_else(|| ArrowError::ComputeError("a condition of none".into()))
        }
    }
}

/// Every value of a column compared with one.
pub(crate) fn compared(
    column: &ArrayRef,
    comparison: Comparison,
    value: &Operand,
) -> Result<BooleanArray, ArrowError> {
    match (column.data_type(), value) {
        (DataType::UInt64, Operand::Whole(whole)) => {
            let test = Test::of(comparison, *whole, 1).within(0, u64::MAX.into());
            test.on(column, |bound| {
                Arc::new(UInt64Array::from_value(
                    u64::try_from(bound).expect("within its type"),
                    1,
                ))
            })
        }
        (kind, Operand::Whole(whole)) if kind.is_integer() => {
            ticks(&cast(column, &DataType::Int64)?, comparison, *whole, 1)
        }
        (DataType::Timestamp(unit, _), Operand::Time(time)) => {
            // Microseconds in its own unit: a fraction of two whole numbers.
            let (times, parts) = match unit {
                TimeUnit::Second => (1, 1_000_000),
                TimeUnit::Millisecond => (1, 1_000),
                TimeUnit::Microsecond => (1, 1),
                TimeUnit::Nanosecond => (1_000, 1),
            };
            let numbers = cast(column, &DataType::Int64)?;
            ticks(&numbers, comparison, i128::from(*time) * times, parts)
        }
        (DataType::Boolean, Operand::Flag(flag)) => kernel(
            column,
            comparison,
            Arc::new(BooleanArray::from(vec![*flag])),
        ),
        (DataType::Utf8, Operand::Text(text)) => kernel(
            column,
            comparison,
            Arc::new(StringArray::from_iter_values([text])),
        ),
        (DataType::Date32, Operand::Date(days)) => kernel(
            column,
            comparison,
            Arc::new(Date32Array::from_value(*days, 1)),
        ),
        (kind, value) => Err(ArrowError::ComputeError(format!(
            "{kind} is not compared with {value}"
        ))),
    }
}

/// A column of 64 bits with a sign compared with a fraction.
fn ticks(
    column: &ArrayRef,
    comparison: Comparison,
    number: i128,
    parts: i128,
) -> Result<BooleanArray, ArrowError> {
    let test = Test::of(comparison, number, parts).within(i64::MIN.into(), i64::MAX.into());
    test.on(column, |bound| {
        Arc::new(Int64Array::from_value(
            i64::try_from(bound).expect("within its type"),
            1,
        ))
    })
}

/// A question to whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Never,
    Always,
    Compare(Comparison, i128),
}

impl Test {
    /// The comparison with a fraction, as one with a whole number.
    fn of(comparison: Comparison, number: i128, parts: i128) -> Self {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let (below, exact) = (number.div_euclid(parts), number.rem_euclid(parts) == 0);
        match (comparison, exact) {
            (comparison, true) => Self::Compare(comparison, below),
            (Equal, false) => Self::Never,
            (NotEqual, false) => Self::Always,
            (Less | LessOrEqual, false) => Self::Compare(LessOrEqual, below),
            (Greater | GreaterOrEqual, false) => Self::Compare(Greater, below),
        }
    }

    /// The same for numbers from `least` to `most`.
    fn within(self, least: i128, most: i128) -> Self {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        match self {
            Self::Compare(comparison, bound) if bound > most => match comparison {
                Less | LessOrEqual | NotEqual => Self::Always,
                Greater | GreaterOrEqual | Equal => Self::Never,
            },
            Self::Compare(comparison, bound) if bound < least => match comparison {
                Greater | GreaterOrEqual | NotEqual => Self::Always,
                Less | LessOrEqual | Equal => Self::Never,
            },
            test => test,
        }
    }

    fn on(
        self,
        column: &ArrayRef,
        bound: impl Fn(i128) -> ArrayRef,
    ) -> Result<BooleanArray, ArrowError> {
        let always = |is: bool| {
            let values = match is {
                true => BooleanBuffer::new_set(column.len()),
                false => BooleanBuffer::new_unset(column.len()),
            };
            BooleanArray::new(values, column.logical_nulls())
        };
        match self {
            Self::Never => Ok(always(false)),
            Self::Always => Ok(always(true)),
            Self::Compare(comparison, number) => kernel(column, comparison, bound(number)),
        }
    }
}

fn kernel(
    column: &ArrayRef,
    comparison: Comparison,
    value: ArrayRef,
) -> Result<BooleanArray, ArrowError> {
    let value = Scalar::new(value);
    match comparison {
        Comparison::Equal => eq(column, &value),
        Comparison::NotEqual => neq(column, &value),
        Comparison::Less => lt(column, &value),
        Comparison::LessOrEqual => lt_eq(column, &value),
        Comparison::Greater => gt(column, &value),
        Comparison::GreaterOrEqual => gt_eq(column, &value),
    }
}

/// Whether a condition holds for a row.
pub(crate) fn is_true(flags: &BooleanArray, row: usize) -> bool {
    flags.is_valid(row) && flags.value(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_exactly_in_any_unit() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let millis = |time: i64, comparison| {
            let column = arrow::array::TimestampMillisecondArray::from(vec![-2, -1, 0, 1]);
            let column: ArrayRef = Arc::new(column);
            let flags = compared(&column, comparison, &Operand::Time(time)).expect("compared");
            flags
                .iter()
                .map(|flag| flag == Some(true))
                .collect::<Vec<bool>>()
        };
        // -1.5 ms lies between the first and the second.
        assert_eq!(millis(-1_500, Less), [true, false, false, false]);
        assert_eq!(millis(-1_500, LessOrEqual), [true, false, false, false]);
        assert_eq!(millis(-1_500, Greater), [false, true, true, true]);
        assert_eq!(millis(-1_500, GreaterOrEqual), [false, true, true, true]);
        assert_eq!(millis(-1_500, Equal), [false; 4]);
        assert_eq!(millis(-1_500, NotEqual), [true; 4]);
        assert_eq!(millis(1_000, GreaterOrEqual), [false, false, false, true]);
        assert_eq!(millis(i64::MAX, Less), [true; 4]);
    }

    #[test]
    fn numbers_beyond_a_type_are_compared_all_the_same() {
        let column: ArrayRef = Arc::new(UInt64Array::from(vec![Some(0), Some(u64::MAX), None]));
        let flags = |comparison, whole| {
            compared(&column, comparison, &Operand::Whole(whole)).expect("compared")
        };
        let all = BooleanArray::from(vec![Some(true), Some(true), None]);
        let none = BooleanArray::from(vec![Some(false), Some(false), None]);
        assert_eq!(flags(Comparison::Greater, -1), all);
        assert_eq!(flags(Comparison::Equal, -1), none);
        assert_eq!(flags(Comparison::Less, i128::from(u64::MAX) + 1), all);
        let largest = BooleanArray::from(vec![Some(false), Some(true), None]);
        assert_eq!(flags(Comparison::Equal, u64::MAX.into()), largest);
    }
}
