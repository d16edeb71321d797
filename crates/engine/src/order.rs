//! The order of a flow's rows: keys that never end the stream.
//!
//! A sort comes before the fields are shaped and sees all rows, so a key that fails for one row
//! would end the flow. A key that may fail is therefore wrapped: it gives null for that row, which
//! puts the row last, and there it is rejected with its reason when its fields are evaluated.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{DFSchemaRef, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    SortExpr, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;

use crate::functions;
use crate::sql::any;

/// Ascending by this expression, nulls last; `None` when it is the same for all rows.
pub(crate) fn key(
    expression: Expr,
    state: &SessionState,
    schema: &DFSchemaRef,
) -> Result<Option<SortExpr>> {
    let columns: Vec<Expr> = expression
        .column_refs()
        .into_iter()
        .cloned()
        .map(Expr::Column)
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let key = match may_fail(&expression, schema) {
        true => wrap(&expression, columns, state, schema)?,
        false => expression,
    };
    Ok(Some(key.sort(true, false)))
}

/// Whether the expression may fail for some row. Plain columns do not, nor do timestamps as
/// seconds: they are left as they are, so that an order which the source promises is seen.
fn may_fail(expression: &Expr, schema: &DFSchemaRef) -> bool {
    any(expression, |part| match part {
        Expr::Column(_) => false,
        Expr::ScalarFunction(call) => {
            let types = call.args.iter().map(|arg| arg.get_type(schema));
            let types: Result<Vec<_>> = types.collect();
            !types.is_ok_and(|types| functions::keeps_order(call.name(), &types))
        }
        _ => true,
    })
}

/// A call that evaluates the expression over the columns it needs.
fn wrap(
    expression: &Expr,
    mut columns: Vec<Expr>,
    state: &SessionState,
    schema: &DFSchemaRef,
) -> Result<Expr> {
    columns.sort_by_key(ToString::to_string);
    let indices = columns.iter().map(|column| match column {
        Expr::Column(column) => schema.index_of_column(column),
        _ => unreachable!("only columns were gathered"),
    });
    let indices = indices.collect::<Result<Vec<_>>>()?;
    let fields = indices.iter().map(|index| schema.qualified_field(*index));
    let fields = fields.map(|(table, field)| (table.cloned(), Arc::clone(field)));
    let narrow = datafusion::common::DFSchema::new_with_metadata(
        fields.collect(),
        schema.metadata().clone(),
    )?;
    let evaluated = state.create_physical_expr(expression.clone(), &narrow)?;
    let key = ForgivingKey {
        gives: expression.get_type(schema)?,
        takes: Arc::clone(narrow.inner()),
        evaluated,
        signature: Signature::any(columns.len(), Volatility::Immutable),
    };
    let call = ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(key)), columns);
    Ok(Expr::ScalarFunction(call))
}

/// An expression that gives null for the rows it fails for.
#[derive(Debug)]
struct ForgivingKey {
    evaluated: Arc<dyn PhysicalExpr>,
    takes: SchemaRef,
    gives: DataType,
    signature: Signature,
}

impl PartialEq for ForgivingKey {
    fn eq(&self, other: &Self) -> bool {
        self.evaluated.as_ref() == other.evaluated.as_ref() && self.takes == other.takes
    }
}

impl Eq for ForgivingKey {}

impl Hash for ForgivingKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.evaluated.as_ref().hash(state);
    }
}

impl ScalarUDFImpl for ForgivingKey {
    fn name(&self) -> &str {
        "or_null"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.gives.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args.args.iter().map(|arg| arg.to_array(args.number_rows));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        // Whether a column may be null can be known better here than where the call was planned.
        let fields = self.takes.fields().iter().zip(&columns);
        let fields = fields.map(|(field, column)| {
            let field = field.as_ref().clone().with_nullable(true);
            field.with_data_type(column.data_type().clone())
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        Ok(ColumnarValue::Array(self.values(&batch)?))
    }
}

impl ForgivingKey {
    /// The values for all rows at once; on failure for each half, down to the row.
    fn values(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        let values = self.evaluated.evaluate(batch);
        match values.and_then(|values| values.into_array(rows)) {
            Ok(values) => Ok(values),
            Err(_) if rows <= 1 => Ok(new_null_array(&self.gives, rows)),
            Err(_) => {
                let first = self.values(&batch.slice(0, rows / 2))?;
                let second = self.values(&batch.slice(rows / 2, rows - rows / 2))?;
                Ok(concat(&[first.as_ref(), second.as_ref()])?)
            }
        }
    }
}
