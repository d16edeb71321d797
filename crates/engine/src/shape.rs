//! Rows into shaped rows: every field's expression evaluated, and the row that fails set apart.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, concat_batches, filter_record_batch, not, prep_null_mask_filter};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatchOptions;
use chatferry_core::{RejectedRow, Shaped, ShapedStream, SkippedRows, SourceError};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::bookmarks::Bookmarks;
use crate::failure::{failure, is_memory, reason};
use crate::flow::{FlowPlan, Node, ShapedFields, ShapedLeaf};
use crate::known::Known;
use crate::position::Positions;
use crate::table::{Rejects, source_error};

/// How the rows of a flow are read, once that is known.
pub(crate) type Planned = BoxFuture<'static, datafusion::common::Result<Arc<dyn ExecutionPlan>>>;

/// A way to read the rows of a flow.
pub(crate) struct Way {
    pub(crate) rows: Planned,
    /// Where what cannot be read gathers.
    pub(crate) rejects: Arc<Rejects>,
    pub(crate) bookmarks: Bookmarks,
}

/// The rows of a flow, shaped as they are pulled: in the first way, or if that needs more memory than
/// there is before it gives anything, in the second. Before them, `changed` was the highest value
/// of what changed rows are known by.
pub(crate) fn stream(
    plan: &FlowPlan,
    first: Way,
    second: Way,
    changed: Option<String>,
) -> ShapedStream {
    let (rows, rejects, bookmarks) = first.begin(&plan.state);
    let reading = Reading {
        rows,
        otherwise: Some(second.begin(&plan.state)),
        short_of_memory: None,
        fields: Arc::clone(&plan.fields),
        rejects,
        positions: plan.positions.clone(),
        changes: plan.changes.clone(),
        highest: None,
        changed,
        bookmarks,
    };
    let next = |mut reading: Reading| async { Some((reading.next().await?, reading)) };
    futures::stream::unfold(reading, next).boxed()
}

/// Rows to come, where what cannot be read of them gathers, and where they are read on from.
type Begun = (Rows, Arc<Rejects>, Arc<Bookmarks>);

impl Way {
    fn begin(self, state: &SessionState) -> Begun {
        let bookmarks = Arc::new(self.bookmarks);
        let config = state.config().clone();
        let config = config.with_extension(Arc::clone(&bookmarks));
        let task = Arc::new(TaskContext::from(state).with_session_config(config));
        (Rows::Planned(self.rows, task), self.rejects, bookmarks)
    }
}

/// A flow under way.
struct Reading {
    rows: Rows,
    /// Another way to read them, as long as nothing was given.
    otherwise: Option<Begun>,
    /// Why the other way was taken, as long as nothing was given.
    short_of_memory: Option<DataFusionError>,
    fields: Arc<ShapedFields>,
    rejects: Arc<Rejects>,
    /// How it is told where rows stand, for as long as that can be told of all of them.
    positions: Option<Arc<Positions>>,
    /// By what changed rows are known.
    changes: Option<Arc<Positions>>,
    /// The highest value of that so far.
    highest: Option<ScalarValue>,
    /// The same as text, or what was the highest before.
    changed: Option<String>,
    /// Where the sources are read on from.
    bookmarks: Arc<Bookmarks>,
}

/// The rows still to come.
enum Rows {
    Planned(Planned, Arc<TaskContext>),
    Read(BoxStream<'static, datafusion::common::Result<RecordBatch>>),
    Ended,
    /// They failed, which was not told yet.
    Failed(SourceError),
}

/// The rows of all partitions, one after the other: a union has one for each of its branches.
pub(crate) fn all(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
) -> BoxStream<'static, datafusion::common::Result<RecordBatch>> {
    let partitions = plan.output_partitioning().partition_count();
    let rows = move |partition| plan.execute(partition, Arc::clone(&task));
    futures::stream::iter((0..partitions).map(rows))
        .try_flatten()
        .boxed()
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Shaped, SourceError>> {
        let batch = self.batch().await;
        if let Rows::Read(_) = &self.rows {
            let rejected = self.rejects.take();
            if !rejected.is_empty() {
                // Nobody knows where these stand.
                self.positions = None;
            }
            let mut shaped = match batch {
                Some(Ok(batch)) => Shaped {
                    positions: self.positions.as_ref().and_then(|by| by.ends(&batch)),
                    changed: self.changed(&batch),
                    ..shape(&self.fields, &batch)
                },
                end => {
                    self.rows = match end {
                        Some(Err(error)) => Rows::Failed(failure(&error)),
                        _ => Rows::Ended,
                    };
                    Shaped {
                        changed: self.at_the_end(),
                        ..shape(
                            &self.fields,
                            &RecordBatch::new_empty(Arc::clone(&self.fields.schema)),
                        )
                    }
                }
            };
            shaped.rejected.extend(rejected);
            let tells = !shaped.rejected.is_empty() || shaped.changed.is_some();
            if matches!(self.rows, Rows::Read(_)) || tells {
                return Some(Ok(shaped));
            }
        }
        match std::mem::replace(&mut self.rows, Rows::Ended) {
            Rows::Failed(error) => Some(Err(error)),
            _ => None,
        }
    }
}

impl Reading {
    /// The next rows; none at the end, and when they cannot be planned.
    async fn batch(&mut self) -> Option<datafusion::common::Result<RecordBatch>> {
        loop {
            let batch = match &mut self.rows {
                Rows::Planned(planned, task) => match planned.await {
                    Ok(plan) => {
                        self.rows = Rows::Read(all(plan, Arc::clone(task)));
                        continue;
                    }
                    Err(error) => {
                        let error = self.short_of_memory.take().unwrap_or(error);
                        self.rows = Rows::Failed(failure(&error));
                        return None;
                    }
                },
                Rows::Read(rows) => rows.next().await,
                Rows::Ended | Rows::Failed(_) => return None,
            };
            let otherwise = self.otherwise.take();
            let short = self.short_of_memory.take();
            return match (batch, otherwise) {
                (Some(Err(error)), Some(otherwise)) if is_memory(&error) => {
                    self.short_of_memory = Some(error);
                    // They are met again.
                    self.rejects.take();
                    (self.rows, self.rejects, self.bookmarks) = otherwise;
                    continue;
                }
                // What the other way cannot do is no better advice than what the first one lacked.
                (Some(Err(error)), _) if source_error(&error).is_none() => {
                    Some(Err(short.unwrap_or(error)))
                }
                (batch, _) => batch,
            };
        }
    }

    /// The highest value so far of what changed rows are known by.
    fn changed(&mut self, batch: &RecordBatch) -> Option<String> {
        let by = self.changes.as_ref()?;
        let highest = by.highest(batch);
        if highest.partial_cmp(&self.highest) == Some(Ordering::Greater) {
            self.highest = highest;
        }
        let changed = by.text(self.highest.clone()?)?;
        self.changed = Some(changed.clone());
        Some(changed)
    }

    /// What is known at the end of the rows and not before: where the sources are read on from.
    fn at_the_end(&self) -> Option<String> {
        let ended = matches!(self.rows, Rows::Ended);
        let bookmark = self.bookmarks.left().filter(|_| ended)?;
        let known = Known {
            changed: self.changed.clone(),
            bookmark: Some(bookmark),
        };
        known.text()
    }
}

/// Shapes one batch.
pub(crate) fn shape(fields: &ShapedFields, batch: &RecordBatch) -> Shaped {
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
        positions: None,
        changed: None,
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
    RejectedRow {
        rule: "expression-failed".into(),
        detail: format!("{}: {}", failure.of, reason(&failure.error)),
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
        let before = kept.num_rows();
        kept = without(&kept, condition).map_err(|error| RowFailure {
            of: format!("skip \"{reason}\""),
            error,
        })?;
        skipped.push((before - kept.num_rows()) as u64);
    }
    let mut leaves = Vec::with_capacity(fields.leaves.len());
    for leaf in &fields.leaves {
        leaves.push(column(leaf, &kept).map_err(|error| RowFailure {
            of: leaf.name.clone(),
            error,
        })?);
    }
    let rows = kept.num_rows();
    let columns = fields.tree.iter().map(|node| assemble(node, &leaves, rows));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let rows =
        RecordBatch::try_new_with_options(Arc::clone(&fields.schema), columns.collect(), &options);
    let rows = rows.expect("every leaf has the type that the schema was made of");
    Ok((rows, skipped))
}

/// The rows for which the condition is not true.
fn without(
    rows: &RecordBatch,
    condition: &Arc<dyn PhysicalExpr>,
) -> Result<RecordBatch, DataFusionError> {
    let left_out = condition.evaluate(rows)?.into_array(rows.num_rows())?;
    // A condition that is always null leaves nothing out, and has no booleans.
    let Some(left_out) = left_out.as_boolean_opt() else {
        return Ok(rows.clone());
    };
    if left_out.true_count() == 0 {
        return Ok(rows.clone());
    }
    let keep = match left_out.null_count() {
        0 => not(left_out)?,
        _ => not(&prep_null_mask_filter(left_out))?,
    };
    Ok(filter_record_batch(rows, &keep)?)
}

fn column(leaf: &ShapedLeaf, rows: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
    let column = leaf
        .expression
        .evaluate(rows)?
        .into_array(rows.num_rows())?;
    if *column.data_type() == leaf.gives {
        return Ok(column);
    }
    // An object or a list whose inner columns are called or marked otherwise than was planned.
    Ok(cast(&column, &leaf.gives)?)
}

/// A field's column: a leaf's, or an object of columns that is null where all of them are.
fn assemble(node: &Node, leaves: &[ArrayRef], rows: usize) -> ArrayRef {
    let (fields, inner) = match node {
        Node::Leaf(place) => return Arc::clone(&leaves[*place]),
        Node::Object(fields, inner) => (fields, inner),
    };
    let columns = inner.iter().map(|node| assemble(node, leaves, rows));
    let columns: Vec<ArrayRef> = columns.collect();
    if columns.is_empty() {
        return new_null_array(&DataType::Struct(fields.clone()), rows);
    }
    let present = columns.iter().map(|column| column.logical_nulls());
    let present = present.reduce(|one, other| Some(NullBuffer::new(one?.inner() | other?.inner())));
    Arc::new(StructArray::new(fields.clone(), columns, present.flatten()))
}
