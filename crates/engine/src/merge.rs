//! Joins that go on in files, for those that do not fit into memory.
//!
//! A join by hash is the fastest, and needs all rows of one side in memory. A join that merges needs
//! both sides in order, and sorting spills. So hashes are tried first.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;

/// What DataFusion calls the step that settles which side of a join is hashed. Sorts are added, and
/// needless ones removed, behind it.
const SIDES: &str = "join_selection";

/// The same state, whose plans merge where they would hash.
pub(crate) fn merging(state: SessionState) -> SessionState {
    let mut rules = state.physical_optimizers().to_vec();
    let sides = rules.iter().position(|rule| rule.name() == SIDES);
    rules.insert(sides.map_or(0, |sides| sides + 1), Arc::new(MergeJoins));
    SessionStateBuilder::new_from_existing(state)
        .with_physical_optimizer_rules(rules)
        .build()
}

/// Makes joins that merge of those by hash.
#[derive(Debug)]
struct MergeJoins;

impl PhysicalOptimizerRule for MergeJoins {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let merged = plan.transform_up(|step| {
            Ok(match step.downcast_ref::<HashJoinExec>() {
                // `NOT IN` heeds nulls in a way that merging does not know.
                Some(join) if !join.null_aware => Transformed::yes(merged(join)?),
                _ => Transformed::no(step),
            })
        });
        merged.data()
    }

    fn name(&self) -> &str {
        "merge_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn merged(join: &HashJoinExec) -> Result<Arc<dyn ExecutionPlan>> {
    let merge = SortMergeJoinExec::try_new(
        Arc::clone(&join.left),
        Arc::clone(&join.right),
        join.on.clone(),
        join.filter.clone(),
        join.join_type,
        vec![SortOptions::default(); join.on.len()],
        join.null_equality,
    )?;
    let merge: Arc<dyn ExecutionPlan> = Arc::new(merge);
    let Some(projection) = &join.projection else {
        return Ok(merge);
    };
    let schema = merge.schema();
    let column = |index: &usize| {
        let name = schema.field(*index).name();
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, *index));
        (column, name.clone())
    };
    let columns: Vec<_> = projection.iter().map(column).collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, merge)?))
}
