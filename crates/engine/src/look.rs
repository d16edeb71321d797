//! A few rows of a flow, each beside what becomes of it, for a person who wants to see.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use chatferry_core::{Mistake, RejectedRow, Shaped, SourceError, Sql, Variables};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column as SqlColumn, DataFusionError};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_expr::PhysicalExpr;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::failure::{failure, is_memory};
use crate::flow::{FlowPlan, Planning, ShapedFields};
use crate::merge::merging;
use crate::shape::{all, shape};
use crate::table::Rejects;

/// Which rows to look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// Only those for which this holds, a condition over the columns of what the flow reads.
    pub filter: Option<&'a Sql>,
    /// Only the record of this id.
    pub id: Option<&'a str>,
    /// Any rows at all, and so many; otherwise all of them in the flow's order, for which they may
    /// have to be read to the last one first.
    pub any: Option<usize>,
}

/// One row, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The row with every column of what the flow reads; `None` when it cannot be read.
    pub row: Option<RecordBatch>,
    /// What it is shaped as: one row, or why it is rejected or skipped.
    pub shaped: Shaped,
    /// The ids that `cometchat_id` changes to make the record's own id.
    pub rewritten: Vec<Rewritten>,
}

/// An id that is not kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// As the source has it.
    pub from: String,
    /// As the destination gets it.
    pub to: String,
}

/// Rows as they are looked at. Nothing follows an error.
pub type SeenStream = BoxStream<'static, Result<Seen, SourceError>>;

/// A call of `cometchat_id`: what it is given, and what it gives.
#[derive(Clone, Debug)]
pub(crate) struct Rewrite {
    pub(crate) from: Arc<dyn PhysicalExpr>,
    pub(crate) to: Arc<dyn PhysicalExpr>,
}

impl FlowPlan {
    /// Rows of the flow, one by one, each beside what becomes of it.
    ///
    /// # Errors
    ///
    /// When the condition is not one over the columns of what the flow reads.
    pub fn look(
        &self,
        choice: &Choice<'_>,
        variables: &Variables,
    ) -> Result<SeenStream, Vec<Mistake>> {
        let from = self.wanted.from.schema();
        let mut planning = Planning {
            state: &self.state,
            variables,
            schema: from,
            mistakes: Vec::new(),
        };
        let filter = choice.filter.and_then(|sql| planning.condition(sql));
        if !planning.mistakes.is_empty() {
            return Err(planning.mistakes);
        }
        let mut conditions: Vec<Expr> = filter.into_iter().collect();
        if let (Some(id), Some(expression)) = (choice.id, &self.id) {
            conditions.push(expression.clone().eq(lit(id)));
        }

        let needed = self.wanted.columns.iter();
        let others = from.columns().into_iter();
        let others = others.filter(|column| needed.clone().all(|known| known.name != column.name));
        let columns: Vec<SqlColumn> = needed.clone().cloned().chain(others).collect();
        let place = |column: &SqlColumn| columns.iter().position(|at| at.name == column.name);
        let as_read: Vec<usize> = from.columns().iter().filter_map(place).collect();
        let plan = self.rows_to_look_at(&conditions, choice.any, &columns);

        let (state, rejects) = self.afresh();
        let looking = Looking {
            fields: Arc::clone(&self.fields),
            rewrites: self.rewrites.clone(),
            rejects,
            as_read,
        };
        let (left, again) = (Arc::clone(&looking.rejects), Arc::clone(&looking.rejects));
        let rows = async move {
            let plan = plan?;
            let mut first = read(&state, &plan).await?.peekable();
            match Pin::new(&mut first).peek().await {
                Some(Err(error)) if is_memory(error) => {
                    // They are met again.
                    again.take();
                    read(&merging(state), &plan).await
                }
                _ => Ok(first.boxed()),
            }
        };
        let seen = futures::stream::once(rows)
            .try_flatten()
            .map_ok(move |batch| looking.at(&batch))
            .try_flatten()
            .map_err(|error| failure(&error));
        let unread = futures::stream::once(async move { left.take() });
        let unread =
            unread.flat_map(|rows| futures::stream::iter(rows.into_iter().map(unreadable)));
        Ok(seen.chain(unread.map(Ok)).boxed())
    }

    fn rows_to_look_at(
        &self,
        conditions: &[Expr],
        any: Option<usize>,
        columns: &[SqlColumn],
    ) -> Result<LogicalPlan, DataFusionError> {
        let mut plan = LogicalPlanBuilder::from(self.wanted.from.clone());
        for filter in self.wanted.filter.iter().chain(conditions) {
            plan = plan.filter(filter.clone())?;
        }
        if any.is_none() && !self.wanted.order.is_empty() {
            plan = plan.sort(self.wanted.order.clone())?;
        }
        plan = plan.project(columns.iter().cloned().map(Expr::Column))?;
        match any {
            Some(_) => plan.limit(0, any)?.build(),
            None => plan.build(),
        }
    }

    /// The columns that the flow reads of each table: pairs of `source.table` and a column.
    ///
    /// # Errors
    ///
    /// When the flow cannot be planned once more, though it was.
    pub fn reads(&self) -> Result<BTreeSet<(String, String)>, SourceError> {
        let plan = self.wanted.plan(&[]);
        let plan = plan.and_then(|plan| self.state.optimize(&plan));
        let plan = plan.map_err(|error| failure(&error))?;
        let mut read = BTreeSet::new();
        plan.apply_with_subqueries(|step| {
            if let LogicalPlan::TableScan(scan) = step
                && let Some(source) = scan.table_name.schema()
            {
                let table = format!("{source}.{}", scan.table_name.table());
                let given = scan.projected_schema.fields().iter();
                let given = given.map(|field| field.name().clone());
                let asked = scan.filters.iter().flat_map(Expr::column_refs);
                let asked = asked.map(|column| column.name.clone());
                read.extend(given.chain(asked).map(|column| (table.clone(), column)));
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(|error| failure(&error))?;
        Ok(read)
    }
}

async fn read(
    state: &SessionState,
    plan: &LogicalPlan,
) -> Result<BoxStream<'static, Result<RecordBatch, DataFusionError>>, DataFusionError> {
    let plan = state.create_physical_plan(plan).await?;
    Ok(all(plan, state.task_ctx()))
}

/// What is needed to tell what becomes of rows.
struct Looking {
    fields: Arc<ShapedFields>,
    rewrites: Vec<Rewrite>,
    rejects: Arc<Rejects>,
    /// Where each column of what the flow reads stands in a batch.
    as_read: Vec<usize>,
}

impl Looking {
    /// The rows of a batch, after those that could not be read on the way to it.
    fn at(
        &self,
        batch: &RecordBatch,
    ) -> impl futures::Stream<Item = Result<Seen, DataFusionError>> + use<> {
        let mut seen: Vec<_> = self.rejects.take().into_iter().map(unreadable).collect();
        for row in 0..batch.num_rows() {
            let row = batch.slice(row, 1);
            seen.push(Seen {
                shaped: shape(&self.fields, &row),
                rewritten: self.rewrites.iter().filter_map(|of| of.of(&row)).collect(),
                row: row.project(&self.as_read).ok(),
            });
        }
        futures::stream::iter(seen.into_iter().map(Ok))
    }
}

fn unreadable(row: RejectedRow) -> Seen {
    Seen {
        row: None,
        shaped: Shaped {
            rows: RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty())),
            rejected: vec![row],
            skipped: Vec::new(),
            positions: None,
            changed: None,
        },
        rewritten: Vec::new(),
    }
}

impl Rewrite {
    /// What it changes in this row, if anything.
    fn of(&self, row: &RecordBatch) -> Option<Rewritten> {
        let value = |expression: &Arc<dyn PhysicalExpr>| {
            let value = expression.evaluate(row).ok()?.into_array(1).ok()?;
            let text = value.as_string_opt::<i32>()?;
            text.is_valid(0).then(|| text.value(0).to_owned())
        };
        let (from, to) = (value(&self.from)?, value(&self.to)?);
        (from != to).then_some(Rewritten { from, to })
    }
}
