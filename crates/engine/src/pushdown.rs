//! What a source may be asked to do itself: conditions it can evaluate, orders it can read in.

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, SchemaRef};
use chatferry_core::{Comparison, Filter, Operand, Order};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::Column;

/// The condition in the words of the contract, if they can say it.
pub(crate) fn filter(condition: &Expr) -> Option<Filter> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Or => {
                let mut either = alternatives(filter(left)?);
                either.extend(alternatives(filter(right)?));
                Some(Filter::Any(either))
            }
            _ => compare(left, *op, right),
        },
        Expr::IsNull(of) => Some(Filter::Null { column: name(of)? }),
        Expr::IsNotNull(of) => Some(Filter::NotNull { column: name(of)? }),
        Expr::InList(list) if !list.negated => {
            let equal = list
                .list
                .iter()
                .map(|item| compare(&list.expr, Operator::Eq, item));
            Some(Filter::Any(equal.collect::<Option<_>>()?))
        }
        // A boolean column is a condition of its own.
        Expr::Column(column) => Some(flag(&column.name, true)),
        Expr::Not(of) => Some(flag(&name(of)?, false)),
        _ => None,
    }
}

fn flag(column: &str, is: bool) -> Filter {
    Filter::Compare {
        column: column.to_owned(),
        comparison: Comparison::Equal,
        value: Operand::Flag(is),
    }
}

fn alternatives(filter: Filter) -> Vec<Filter> {
    match filter {
        Filter::Any(filters) => filters,
        one => vec![one],
    }
}

fn compare(left: &Expr, operator: Operator, right: &Expr) -> Option<Filter> {
    let (column, operator, value) = match (left, right) {
        (Expr::Column(_), Expr::Literal(value, _)) => (left, operator, value),
        (Expr::Literal(value, _), Expr::Column(_)) => (right, operator.swap()?, value),
        _ => return None,
    };
    let comparison = match operator {
        Operator::Eq => Comparison::Equal,
        Operator::NotEq => Comparison::NotEqual,
        Operator::Lt => Comparison::Less,
        Operator::LtEq => Comparison::LessOrEqual,
        Operator::Gt => Comparison::Greater,
        Operator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    };
    Some(Filter::Compare {
        column: name(column)?,
        comparison,
        value: operand(value)?,
    })
}

fn name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Column(column) => Some(column.name.clone()),
        _ => None,
    }
}

/// A literal as an operand; `None` for null, and for types that databases compare otherwise.
fn operand(value: &ScalarValue) -> Option<Operand> {
    if value.is_null() {
        return None;
    }
    Some(match value {
        ScalarValue::Boolean(Some(flag)) => Operand::Flag(*flag),
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => {
            Operand::Text(text.clone())
        }
        ScalarValue::Date32(Some(days)) => Operand::Date(*days),
        ScalarValue::TimestampSecond(Some(time), _) => Operand::Time(time.checked_mul(1_000_000)?),
        ScalarValue::TimestampMillisecond(Some(time), _) => Operand::Time(time.checked_mul(1_000)?),
        ScalarValue::TimestampMicrosecond(Some(time), _) => Operand::Time(*time),
        ScalarValue::UInt64(Some(whole)) => Operand::Whole((*whole).into()),
        value if value.data_type().is_integer() => match value.cast_to(&DataType::Int64).ok()? {
            ScalarValue::Int64(Some(whole)) => Operand::Whole(whole.into()),
            _ => return None,
        },
        _ => return None,
    })
}

/// The order in the words of the contract, if it is one of plain columns, ascending, nulls last.
pub(crate) fn order(wanted: &[PhysicalSortExpr]) -> Option<Order> {
    let ascending = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let column = |key: &PhysicalSortExpr| {
        let column = key.expr.downcast_ref::<Column>()?;
        (key.options == ascending).then(|| column.name().to_owned())
    };
    let columns: Option<Vec<String>> = wanted.iter().map(column).collect();
    columns.map(Order::by)
}

/// The order as DataFusion knows it: as many of its columns as are read, from the first on.
pub(crate) fn sort_keys(order: &Order, schema: &SchemaRef) -> Vec<PhysicalSortExpr> {
    let options = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let key = |column: &String| {
        let index = schema.index_of(column).ok()?;
        let column = std::sync::Arc::new(Column::new(column, index));
        Some(PhysicalSortExpr::new(column, options))
    };
    order.columns.iter().map_while(key).collect()
}
