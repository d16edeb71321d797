//! One flow as a plan: the rows it needs, and the expressions that make its fields.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema, SchemaRef};
use chatferry_core::{
    Entity, Field, FieldEntry, FieldValue, Flow, Mistake, ShapedStream, SourceError, Sql, Variables,
};
use datafusion::common::{Column as SqlColumn, DFSchemaRef, DataFusionError};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionContext;

use crate::engine::{PlanError, failure, plan_error};
use crate::fit::{fit, in_words};
use crate::shape;
use crate::sql;
use crate::table::Rejects;

/// One flow as a plan, checked against its entity and ready to be read.
#[derive(Debug)]
pub struct FlowPlan {
    /// The rows it needs, ordered, with the columns it needs and no others.
    pub(crate) rows: Arc<dyn ExecutionPlan>,
    pub(crate) task: Arc<TaskContext>,
    pub(crate) rejects: Arc<Rejects>,
    pub(crate) fields: Arc<ShapedFields>,
    columns: Vec<Column>,
}

/// The expressions that make a record of a row.
#[derive(Debug)]
pub(crate) struct ShapedFields {
    /// The name and condition of each reason to leave a row out.
    pub(crate) skips: Vec<(Arc<str>, Arc<dyn PhysicalExpr>)>,
    /// The leaves of the tree of fields, each with its dotted name.
    pub(crate) leaves: Vec<(String, Arc<dyn PhysicalExpr>)>,
    /// The tree itself; its leaves are places in `leaves`.
    pub(crate) tree: Vec<Node>,
    /// The columns of the shaped rows.
    pub(crate) schema: SchemaRef,
}

/// A field of the tree.
#[derive(Debug)]
pub(crate) enum Node {
    /// What that leaf gives.
    Leaf(usize),
    /// An object of these fields.
    Object(Fields, Vec<Node>),
}

/// One field of a flow, for a person who wants to see what becomes of what.
#[derive(Clone, Debug)]
pub struct Column {
    /// The field's dotted name: `data.text`.
    pub field: String,
    /// The expression, as written.
    pub expression: String,
    /// What it gives, in words.
    pub gives: String,
}

impl FlowPlan {
    pub(crate) async fn new(
        session: &SessionContext,
        rejects: Arc<Rejects>,
        flow: &Flow,
        fields: &'static [Field],
        variables: &Variables,
    ) -> Result<Self, PlanError> {
        let state = session.state();
        let from = read_from(session, &flow.from).await?;
        let schema = Arc::clone(from.schema());
        let mut planning = Planning {
            state: &state,
            variables,
            schema: &schema,
            mistakes: Vec::new(),
        };

        let filter = flow.filter.as_ref().and_then(|sql| planning.condition(sql));
        let skips: Vec<(Arc<str>, Expr)> = flow
            .skip
            .iter()
            .filter_map(|skip| Some((skip.reason.as_str().into(), planning.condition(&skip.when)?)))
            .collect();
        let mut leaves = Vec::new();
        let (tree, columns) = planning.tree(&flow.fields, fields, "", &mut leaves);
        let order = planning.order(flow, &leaves);
        if !planning.mistakes.is_empty() {
            return Err(PlanError::Mistakes(planning.mistakes));
        }

        let fields_at = || flow.from.clone();
        let needed = needed_columns(&skips, &leaves);
        let rows = rows(from, filter, order, needed)
            .map_err(|error| plan_error(&error, &fields_at(), Vec::new))?;
        let narrow = Arc::clone(rows.schema());
        let physical = |expression: &Expr, sql: &Sql| {
            state
                .create_physical_expr(expression.clone(), &narrow)
                .map_err(|error| PlanError::from(sql::mistake(&error, sql)))
        };
        let mut physical_leaves = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            physical_leaves.push((leaf.name.clone(), physical(&leaf.expression, &leaf.sql)?));
        }
        let mut physical_skips = Vec::with_capacity(skips.len());
        for ((reason, condition), skip) in skips.iter().zip(&flow.skip) {
            physical_skips.push((Arc::clone(reason), physical(condition, &skip.when)?));
        }
        let exec = state.create_physical_plan(&rows).await;
        let exec = exec.map_err(|error| plan_error(&error, &flow.from, Vec::new))?;
        let describe = |leaf: &Leaf| Column {
            field: leaf.name.clone(),
            expression: leaf.sql.text.clone(),
            gives: in_words(&leaf.column),
        };
        Ok(Self {
            rows: exec,
            task: session.task_ctx(),
            rejects,
            columns: leaves.iter().map(describe).collect(),
            fields: Arc::new(ShapedFields {
                skips: physical_skips,
                leaves: physical_leaves,
                tree,
                schema: Arc::new(Schema::new(columns)),
            }),
        })
    }

    /// The columns of the shaped rows.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.fields.schema
    }

    /// The fields, each with its expression and what that gives.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows of the flow, shaped, from the first one on.
    #[must_use]
    pub fn shape(&self) -> ShapedStream {
        shape::stream(self)
    }

    /// Starts reading.
    pub(crate) fn execute(&self) -> Result<SendableRecordBatchStream, SourceError> {
        self.rows
            .execute(0, Arc::clone(&self.task))
            .map_err(|error| failure(&error))
    }

    /// How the rows are read, one step a line, the last step first.
    #[must_use]
    pub fn explain(&self) -> String {
        displayable(self.rows.as_ref()).indent(false).to_string()
    }
}

/// A leaf of the tree of fields before it is made physical.
struct Leaf {
    name: String,
    sql: Sql,
    expression: Expr,
    column: ArrowField,
}

/// What planning one flow needs at hand.
struct Planning<'a> {
    state: &'a SessionState,
    variables: &'a Variables,
    schema: &'a DFSchemaRef,
    mistakes: Vec<Mistake>,
}

impl Planning<'_> {
    fn expression(&mut self, sql: &Sql) -> Option<Expr> {
        sql::expression(self.state, sql, self.schema, self.variables)
            .map_err(|mistake| self.mistakes.push(mistake))
            .ok()
    }

    fn condition(&mut self, sql: &Sql) -> Option<Expr> {
        use datafusion::logical_expr::ExprSchemable;
        let expression = self.expression(sql)?;
        match expression.get_type(self.schema.as_ref()) {
            Ok(DataType::Boolean | DataType::Null) => Some(expression),
            Ok(other) => {
                let gives = in_words(&ArrowField::new("condition", other, true));
                self.mistakes.push(
                    Mistake::error(
                        "sql::not-a-condition",
                        "this is not a condition",
                        sql.at.clone(),
                    )
                    .label(format!("this is {gives}"))
                    .help("write something that is true or false, such as `kind = 'text'`"),
                );
                None
            }
            Err(error) => {
                self.mistakes.push(sql::mistake(&error, sql));
                None
            }
        }
    }

    /// Plans a table of fields and those nested in it.
    fn tree(
        &mut self,
        entries: &[FieldEntry],
        known: &'static [Field],
        prefix: &str,
        leaves: &mut Vec<Leaf>,
    ) -> (Vec<Node>, Vec<ArrowField>) {
        let mut nodes = Vec::with_capacity(entries.len());
        let mut columns = Vec::with_capacity(entries.len());
        for entry in entries {
            let field = known.iter().find(|field| field.name == entry.name);
            let name = format!("{prefix}{}", entry.name);
            match &entry.value {
                FieldValue::Expression(sql) => {
                    let Some(expression) = self.expression(sql) else {
                        continue;
                    };
                    match fit(expression, field, &entry.name, self.schema, sql) {
                        Ok((expression, column)) => {
                            nodes.push(Node::Leaf(leaves.len()));
                            columns.push(column.clone());
                            leaves.push(Leaf {
                                name,
                                sql: sql.clone(),
                                expression,
                                column,
                            });
                        }
                        Err(mistake) => self.mistakes.push(mistake),
                    }
                }
                FieldValue::Object(entries) => {
                    let known = field.map_or(&[][..], |field| field.kind.fields());
                    let (inner, fields) = self.tree(entries, known, &format!("{name}."), leaves);
                    let fields = Fields::from(fields);
                    columns.push(ArrowField::new(
                        &entry.name,
                        DataType::Struct(fields.clone()),
                        true,
                    ));
                    nodes.push(Node::Object(fields, inner));
                }
            }
        }
        (nodes, columns)
    }

    /// The order of the rows: the one asked for, or for messages the time, then the id.
    fn order(&mut self, flow: &Flow, leaves: &[Leaf]) -> Vec<Expr> {
        if flow.order_by.is_empty() {
            if flow.entity != Entity::Messages {
                return Vec::new();
            }
            let keys = ["sentAt", flow.entity.id_field()];
            let leaf = |key: &str| leaves.iter().find(|leaf| leaf.name == key);
            return keys
                .into_iter()
                .filter_map(leaf)
                .map(|leaf| leaf.expression.clone())
                .collect();
        }
        flow.order_by
            .iter()
            .filter_map(|sql| self.expression(sql))
            .collect()
    }
}

/// The table or view that a flow reads.
async fn read_from(session: &SessionContext, from: &Sql) -> Result<LogicalPlan, PlanError> {
    use datafusion::common::TableReference;
    let name = match from.text.split_once('.') {
        Some((source, table)) => TableReference::partial(source, table),
        None => TableReference::bare(from.text.as_str()),
    };
    let tables = || {
        let catalog = session.catalog(&session.catalog_names()[0]);
        let catalog = catalog.expect("the catalog was registered when the session was made");
        let mut all = Vec::new();
        for schema in catalog.schema_names() {
            for table in catalog
                .schema(&schema)
                .map(|s| s.table_names())
                .unwrap_or_default()
            {
                all.push(if schema == "views" {
                    table
                } else {
                    format!("{schema}.{table}")
                });
            }
        }
        all.sort();
        all
    };
    match session.table(name).await {
        Ok(frame) => Ok(frame.into_unoptimized_plan()),
        Err(error) => Err(plan_error(&error, from, tables)),
    }
}

/// The columns that the expressions refer to, in a stable order.
fn needed_columns(skips: &[(Arc<str>, Expr)], leaves: &[Leaf]) -> Vec<SqlColumn> {
    let expressions = skips
        .iter()
        .map(|(_, e)| e)
        .chain(leaves.iter().map(|leaf| &leaf.expression));
    let columns: BTreeSet<SqlColumn> = expressions
        .flat_map(|expression| expression.column_refs())
        .cloned()
        .collect();
    columns.into_iter().collect()
}

/// The plan of the rows: those that belong to the flow, in its order, with the needed columns.
fn rows(
    from: LogicalPlan,
    filter: Option<Expr>,
    order: Vec<Expr>,
    needed: Vec<SqlColumn>,
) -> Result<LogicalPlan, DataFusionError> {
    let mut plan = LogicalPlanBuilder::from(from);
    if let Some(filter) = filter {
        plan = plan.filter(filter)?;
    }
    if !order.is_empty() {
        let keys = order
            .into_iter()
            .map(|key| Ok(sql::forgiving(key)?.sort(true, false)));
        plan = plan.sort(keys.collect::<Result<Vec<_>, DataFusionError>>()?)?;
    }
    plan = plan.project(needed.into_iter().map(Expr::Column))?;
    plan.build()
}
