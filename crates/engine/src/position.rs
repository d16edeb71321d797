//! Where in its order a flow is, and how it is read on from there.
//!
//! A position is the value of the first expression of the flow's order, as text. To read on from
//! it is a condition on that expression, which goes to wherever it can be evaluated: to the index
//! of a database, if it gets that far. It is inclusive, so rows that share a value are never left
//! out, and rows without a value, which come last, are always read.
//!
//! What a flow knows changed rows by is the same kind of thing, but for the order.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{SortOptions, sort_to_indices};
use arrow::datatypes::DataType;
use datafusion::common::{DFSchemaRef, Result, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, ExprSchemable, lit};
use datafusion::physical_expr::PhysicalExpr;

use crate::functions;

/// The expression whose values are positions.
#[derive(Debug)]
pub(crate) struct Positions {
    key: Expr,
    /// The timestamp that the key is the UNIX seconds of, with its type, if it is that.
    timestamp: Option<(Expr, DataType)>,
    gives: DataType,
    evaluated: Arc<dyn PhysicalExpr>,
}

impl Positions {
    /// Positions by this expression, over rows that have the columns of `narrow`; `None` when it
    /// gives what cannot be told in text exactly.
    pub(crate) fn by(
        key: &Expr,
        schema: &DFSchemaRef,
        narrow: &DFSchemaRef,
        state: &SessionState,
    ) -> Result<Option<Self>> {
        let gives = key.get_type(schema)?;
        let is_exact = gives.is_integer()
            || matches!(
                gives,
                DataType::Utf8
                    | DataType::LargeUtf8
                    | DataType::Date32
                    | DataType::Date64
                    | DataType::Timestamp(..)
            );
        if !is_exact {
            return Ok(None);
        }
        Ok(Some(Self {
            timestamp: timestamp_of(key, schema)?,
            evaluated: state.create_physical_expr(key.clone(), narrow)?,
            key: key.clone(),
            gives,
        }))
    }

    /// The positions of the first row and of the last, if they have any.
    pub(crate) fn ends(&self, rows: &RecordBatch) -> Option<[String; 2]> {
        let last = rows.num_rows().checked_sub(1)?;
        Some([self.position(rows, 0)?, self.position(rows, last)?])
    }

    /// The highest value in these rows, if there is any.
    pub(crate) fn highest(&self, rows: &RecordBatch) -> Option<ScalarValue> {
        let values = self.evaluated.evaluate(rows).ok()?;
        let values = values.into_array(rows.num_rows()).ok()?;
        let descending = SortOptions {
            descending: true,
            nulls_first: false,
        };
        let first = sort_to_indices(&values, Some(descending), Some(1)).ok()?;
        let place = usize::try_from(*first.values().first()?).ok()?;
        let highest = ScalarValue::try_from_array(&values, place).ok()?;
        (!highest.is_null()).then_some(highest)
    }

    fn position(&self, rows: &RecordBatch, row: usize) -> Option<String> {
        let value = self.evaluated.evaluate(&rows.slice(row, 1)).ok()?;
        let value = ScalarValue::try_from_array(&value.into_array(1).ok()?, 0).ok()?;
        self.text(value)
    }

    /// A value as text.
    pub(crate) fn text(&self, value: ScalarValue) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let plain = match self.gives {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::UInt64 => value,
            _ => value.cast_to(&DataType::Int64).ok()?,
        };
        Some(format!("{} {plain}", self.gives))
    }

    /// The condition on rows that are read on from there; `None` when it is no position in rows
    /// of this kind.
    pub(crate) fn from(&self, position: &str) -> Option<Expr> {
        let plain = position.strip_prefix(&format!("{} ", self.gives))?;
        let value = match self.gives {
            DataType::Utf8 | DataType::LargeUtf8 => ScalarValue::from(plain),
            DataType::UInt64 => ScalarValue::from(plain.parse::<u64>().ok()?),
            _ => ScalarValue::from(plain.parse::<i64>().ok()?),
        };
        if let Some((timestamp, gives)) = &self.timestamp
            && let ScalarValue::Int64(Some(seconds)) = value
            && let DataType::Timestamp(unit, _) = gives
        {
            let begins = seconds.checked_mul(functions::per_second(*unit))?;
            let begins = ScalarValue::from(begins).cast_to(gives).ok()?;
            return Some(at_or_after(timestamp, begins));
        }
        Some(at_or_after(&self.key, value.cast_to(&self.gives).ok()?))
    }
}

fn at_or_after(key: &Expr, value: ScalarValue) -> Expr {
    let is_after = key.clone().gt_eq(lit(value));
    is_after.or(key.clone().is_null())
}

/// The timestamp of which the expression is the UNIX seconds.
fn timestamp_of(key: &Expr, schema: &DFSchemaRef) -> Result<Option<(Expr, DataType)>> {
    let Expr::ScalarFunction(call) = key else {
        return Ok(None);
    };
    let [argument] = call.args.as_slice() else {
        return Ok(None);
    };
    let gives = argument.get_type(schema)?;
    let is_timestamp = matches!(gives, DataType::Timestamp(..))
        && functions::keeps_order(call.name(), std::slice::from_ref(&gives));
    Ok(is_timestamp.then(|| (argument.clone(), gives)))
}
