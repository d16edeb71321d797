//! Rows into shaped rows: every field's expression evaluated, and the row that fails set apart.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StructArray, new_empty_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::record_batch::RecordBatchOptions;
use chatferry_core::{RejectedRow, Shaped, ShapedStream, SkippedRows, SourceError};
use datafusion::common::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use futures::StreamExt;

use crate::engine::failure;
use crate::flow::{FlowPlan, Node, ShapedFields};
use crate::sql;

/// The rows of a flow, shaped as they are pulled.
pub(crate) fn stream(plan: &FlowPlan) -> ShapedStream {
    let rows = match plan.execute() {
        Ok(rows) => rows,
        Err(error) => return futures::stream::iter([Err(error)]).boxed(),
    };
    let fields = Arc::clone(&plan.fields);
    let rejects = Arc::clone(&plan.rejects);
    let state = Some((rows, fields, rejects));
    futures::stream::unfold(state, |state| async {
        let (mut rows, fields, rejects) = state?;
        match rows.next().await {
            Some(Ok(batch)) => {
                let mut shaped = shape(&fields, &batch);
                shaped.rejected.extend(rejects.take());
                Some((Ok(shaped), Some((rows, fields, rejects))))
            }
            Some(Err(error)) => Some((Err(failure(&error)), None)),
            None => {
                let rejected = rejects.take();
                let rest = Shaped {
                    rows: RecordBatch::new_empty(Arc::clone(&fields.schema)),
                    rejected,
                    skipped: Vec::new(),
                };
                (!rest.rejected.is_empty()).then_some((Ok::<_, SourceError>(rest), None))
            }
        }
    })
    .boxed()
}

/// Shapes one batch.
fn shape(fields: &ShapedFields, batch: &RecordBatch) -> Shaped {
    let mut pieces = Pieces::default();
    pieces.shape(fields, batch);
    let rows = match pieces.rows.as_slice() {
        [all] => all.clone(),
        several => concat_batches(&fields.schema, several)
            .expect("all pieces have the schema of the fields"),
    };
    let skipped = fields
        .skips
        .iter()
        .zip(pieces.skipped)
        .filter(|(_, rows)| *rows > 0);
    let skipped = skipped.map(|((reason, _), rows)| SkippedRows {
        reason: Arc::clone(reason),
        rows,
    });
    Shaped {
        rows,
        rejected: pieces.rejected,
        skipped: skipped.collect(),
    }
}

/// What has been made of a batch so far.
#[derive(Default)]
struct Pieces {
    rows: Vec<RecordBatch>,
    rejected: Vec<RejectedRow>,
    skipped: Vec<u64>,
}

/// An expression that failed for some row of a batch.
struct RowFailure {
    /// The field, or the reason to skip, that it belongs to.
    of: String,
    error: DataFusionError,
}

impl Pieces {
    /// Evaluates everything for all rows at once; on failure for each half, down to the row.
    fn shape(&mut self, fields: &ShapedFields, batch: &RecordBatch) {
        if batch.num_rows() == 0 {
            return;
        }
        self.skipped.resize(fields.skips.len(), 0);
        match evaluate(fields, batch) {
            Ok((rows, skipped)) => {
                self.rows.push(rows);
                for (sum, rows) in self.skipped.iter_mut().zip(skipped) {
                    *sum += rows;
                }
            }
            Err(failure) if batch.num_rows() == 1 => self.rejected.push(rejection(&failure)),
            Err(_) => {
                let half = batch.num_rows() / 2;
                self.shape(fields, &batch.slice(0, half));
                self.shape(fields, &batch.slice(half, batch.num_rows() - half));
            }
        }
    }
}

fn rejection(failure: &RowFailure) -> RejectedRow {
    let root = failure.error.find_root().strip_backtrace();
    let reason = sql::without_contents(&sql::phrase(&root));
    RejectedRow {
        rule: "expression-failed".into(),
        detail: format!("{}: {reason}", failure.of),
        id: None,
        place: None,
    }
}

/// The shaped rows of a batch, and how many rows each reason leaves out.
fn evaluate(
    fields: &ShapedFields,
    batch: &RecordBatch,
) -> Result<(RecordBatch, Vec<u64>), RowFailure> {
    let mut skipped = Vec::with_capacity(fields.skips.len());
    let mut kept = batch.clone();
    for (reason, condition) in &fields.skips {
        let left_out = column(condition, &kept).map_err(|error| RowFailure {
            of: format!("skip \"{reason}\""),
            error,
        })?;
        let keep: BooleanArray = match left_out.as_boolean_opt() {
            Some(left_out) => left_out
                .iter()
                .map(|skip| Some(skip != Some(true)))
                .collect(),
            None => BooleanArray::from(vec![true; kept.num_rows()]),
        };
        let before = kept.num_rows();
        if keep.false_count() > 0 {
            kept = filter_record_batch(&kept, &keep).map_err(|error| RowFailure {
                of: format!("skip \"{reason}\""),
                error: error.into(),
            })?;
        }
        skipped.push((before - kept.num_rows()) as u64);
    }
    let mut leaves = Vec::with_capacity(fields.leaves.len());
    for (name, expression) in &fields.leaves {
        leaves.push(column(expression, &kept).map_err(|error| RowFailure {
            of: name.clone(),
            error,
        })?);
    }
    let columns = fields
        .tree
        .iter()
        .map(|node| assemble(node, &leaves))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(kept.num_rows()));
    let rows = RecordBatch::try_new_with_options(Arc::clone(&fields.schema), columns, &options)
        .map_err(|error| RowFailure {
            of: "fields".into(),
            error: error.into(),
        })?;
    Ok((rows, skipped))
}

fn column(
    expression: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
) -> Result<ArrayRef, DataFusionError> {
    expression.evaluate(batch)?.into_array(batch.num_rows())
}

/// A field's column: a leaf's, or an object of columns that is null where all of them are.
fn assemble(node: &Node, leaves: &[ArrayRef]) -> ArrayRef {
    match node {
        Node::Leaf(place) => Arc::clone(&leaves[*place]),
        Node::Object(fields, inner) => {
            let columns: Vec<ArrayRef> = inner.iter().map(|node| assemble(node, leaves)).collect();
            let Some(rows) = columns.first().map(|column| column.len()) else {
                return new_empty_array(&arrow::datatypes::DataType::Struct(fields.clone()));
            };
            let present = (0..rows).map(|row| columns.iter().any(|column| column.is_valid(row)));
            let nulls = NullBuffer::from_iter(present);
            Arc::new(StructArray::new(fields.clone(), columns, Some(nulls)))
        }
    }
}
