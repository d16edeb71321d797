//! One flow as a plan: the rows it needs, and the expressions that make its fields.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema, SchemaRef};
use chatferry_core::{
    Entity, Field, FieldEntry, FieldValue, Flow, Mistake, ShapedStream, Since, Sql, Variables,
};
use datafusion::common::{Column as SqlColumn, DFSchemaRef, DataFusionError, TableReference};
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::{DataFrame, SessionContext};
use futures::FutureExt;

use crate::bookmarks::Bookmarks;
use crate::engine::{PlanError, no_such_table, plan_error};
use crate::fit::{fit, in_words};
use crate::known::Known;
use crate::look::Rewrite;
use crate::merge::merging;
use crate::nulls::{Conditions, Nulls};
use crate::order;
use crate::position::Positions;
use crate::shape::{self, Way};
use crate::sql;
use crate::table::Rejects;

/// One flow as a plan, checked against its entity and ready to be read.
#[derive(Debug)]
pub struct FlowPlan {
    /// The rows it needs, ordered, with the columns it needs and no others.
    pub(crate) rows: Arc<dyn ExecutionPlan>,
    pub(crate) rejects: Arc<Rejects>,
    pub(crate) fields: Arc<ShapedFields>,
    /// Where rows stand in its order, if that can be told.
    pub(crate) positions: Option<Arc<Positions>>,
    /// By what it knows rows that have changed, if it does.
    pub(crate) changes: Option<Arc<Positions>>,
    columns: Vec<Column>,
    pub(crate) wanted: Wanted,
    /// What gives the record id.
    pub(crate) id: Option<Expr>,
    /// The calls of `cometchat_id` that the record id is made with.
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) state: SessionState,
}

/// The rows that a flow needs, before they are planned.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) from: LogicalPlan,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<SortExpr>,
    pub(crate) columns: BTreeSet<SqlColumn>,
}

/// The expressions that make a record of a row.
#[derive(Debug)]
pub(crate) struct ShapedFields {
    /// The name and condition of each reason to leave a row out.
    pub(crate) skips: Vec<(Arc<str>, Arc<dyn PhysicalExpr>)>,
    /// The leaves of the tree of fields.
    pub(crate) leaves: Vec<ShapedLeaf>,
    /// The tree itself; its leaves are places in `leaves`.
    pub(crate) tree: Vec<Node>,
    /// The columns of the shaped rows.
    pub(crate) schema: SchemaRef,
}

/// A field that one expression gives.
#[derive(Debug)]
pub(crate) struct ShapedLeaf {
    /// Its dotted name.
    pub(crate) name: String,
    pub(crate) expression: Arc<dyn PhysicalExpr>,
    /// The type of its column.
    pub(crate) gives: DataType,
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
    /// Whether a record cannot do without it, and a row may have none all the same.
    pub may_be_missing: bool,
}

impl FlowPlan {
    pub(crate) async fn new(
        session: &SessionContext,
        rejects: Arc<Rejects>,
        flow: &Flow,
        fields: &'static [Field],
        variables: &Variables,
        known: &[String],
    ) -> Result<Self, PlanError> {
        let state = session.state();
        let from = read_from(session, &flow.from, known).await?;
        let schema = Arc::clone(from.schema());
        let mut planning = Planning {
            state: &state,
            variables,
            schema: &schema,
            mistakes: Vec::new(),
        };

        let filter = flow.filter.as_ref().and_then(|sql| planning.condition(sql));
        let mut skips = Vec::with_capacity(flow.skip.len());
        for skip in &flow.skip {
            skips.extend(planning.condition(&skip.when).map(|when| (skip, when)));
        }
        let mut leaves = Vec::new();
        let (tree, columns) = planning.tree(&flow.fields, fields, "", &mut leaves);
        let order = planning.order(flow, &leaves);
        let changed_since = planning.changed_since(flow);
        if !planning.mistakes.is_empty() {
            return Err(PlanError::Mistakes(planning.mistakes));
        }

        let wrong = |error: DataFusionError| plan_error(&error, &flow.from, known);
        let flow_conditions = Conditions {
            hold: filter.clone().into_iter().collect(),
            do_not: skips.iter().map(|(_, when)| when.clone()).collect(),
        };
        let key = order.first().map(|key| key.expr.clone());
        let evaluated = skips.iter().map(|(_, when)| when);
        let evaluated = evaluated.chain(leaves.iter().map(|leaf| &leaf.expression));
        let wanted = Wanted {
            from,
            filter,
            order,
            columns: columns_of(evaluated.chain(&key).chain(&changed_since)),
        };
        let rows = wanted.plan(&[]).map_err(wrong)?;
        let narrow = Arc::clone(rows.schema());
        let positions = key.map(|key| Positions::by(&key, &schema, &narrow, &state));
        let positions = positions.transpose().map_err(wrong)?.flatten();
        let changes = changed_since.map(|key| Positions::by(&key, &schema, &narrow, &state));
        let changes = changes.transpose().map_err(wrong)?;
        if let (Some(None), Some(sql)) = (&changes, &flow.changed_since) {
            return Err(not_exact(sql).into());
        }
        let physical = |expression: Expr, sql: &Sql| {
            state
                .create_physical_expr(expression, &narrow)
                .map_err(|error| plan_error(&error, sql, known))
        };
        let mut shaped_leaves = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            shaped_leaves.push(ShapedLeaf {
                name: leaf.name.clone(),
                expression: physical(leaf.expression.clone(), &leaf.sql)?,
                gives: leaf.column.data_type().clone(),
            });
        }
        let mut shaped_skips = Vec::with_capacity(skips.len());
        for (skip, when) in skips {
            shaped_skips.push((skip.reason.as_str().into(), physical(when, &skip.when)?));
        }
        let exec = state.create_physical_plan(&rows).await.map_err(wrong)?;
        let nulls = Nulls::of(flow_conditions, &schema);
        let describe = |leaf: &Leaf| Column {
            field: leaf.name.clone(),
            expression: leaf.sql.text.clone(),
            gives: in_words(&leaf.column),
            may_be_missing: leaf.required && nulls.may_be_in(&leaf.written),
        };
        let id = leaves
            .iter()
            .find(|leaf| leaf.name == flow.entity.id_field());
        let mut rewrites = Vec::new();
        for (from, to) in id.map_or_else(Vec::new, |id| rewritten(&id.written)) {
            let from = from.cast_to(&DataType::Utf8, schema.as_ref());
            let from = from.and_then(|from| state.create_physical_expr(from, &narrow));
            let to = state.create_physical_expr(to, &narrow);
            rewrites.push(Rewrite {
                from: from.map_err(wrong)?,
                to: to.map_err(wrong)?,
            });
        }
        Ok(Self {
            rows: exec,
            rejects,
            positions: positions.map(Arc::new),
            changes: changes.flatten().map(Arc::new),
            columns: leaves.iter().map(describe).collect(),
            fields: Arc::new(ShapedFields {
                skips: shaped_skips,
                leaves: shaped_leaves,
                tree,
                schema: Arc::new(Schema::new(columns)),
            }),
            wanted,
            id: id.map(|leaf| leaf.expression.clone()),
            rewrites,
            state,
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
        let bookmarks = || Bookmarks::of(self.rows.as_ref(), None).unwrap_or_default();
        self.shape_where(&[], None, [bookmarks(), bookmarks()])
    }

    /// The rows of the flow that fulfil these conditions.
    fn shape_where(
        &self,
        conditions: &[Expr],
        before: Option<String>,
        [first, second]: [Bookmarks; 2],
    ) -> ShapedStream {
        let first = match conditions {
            [] => {
                let rows = Arc::clone(&self.rows);
                Way {
                    rows: async move { Ok(rows) }.boxed(),
                    rejects: Arc::clone(&self.rejects),
                    bookmarks: first,
                }
            }
            _ => self.way(conditions, first, |state| state),
        };
        let second = self.way(conditions, second, merging);
        shape::stream(self, first, second, before)
    }

    /// A way to read the rows that fulfil these conditions, planned with what is made of the state.
    fn way(
        &self,
        conditions: &[Expr],
        bookmarks: Bookmarks,
        of: impl FnOnce(SessionState) -> SessionState + Send + 'static,
    ) -> Way {
        let rows = self.wanted.plan(conditions);
        let (state, rejects) = self.afresh();
        Way {
            rows: async move { of(state).create_physical_plan(&rows?).await }.boxed(),
            rejects,
            bookmarks,
        }
    }

    /// The rows of the flow, shaped, that are asked for; `None` when what is asked for is not
    /// something that this flow has told.
    #[must_use]
    pub fn shape_since(&self, since: &Since) -> Option<ShapedStream> {
        let known = match &since.changed {
            Some(text) => Known::read(text)?,
            None => Known::default(),
        };
        let mut conditions = Vec::new();
        for (by, from) in [
            (&self.positions, &since.position),
            (&self.changes, &known.changed),
        ] {
            if let Some(from) = from {
                conditions.push(by.as_ref()?.from(from)?);
            }
        }
        let Known { changed, bookmark } = known;
        let bookmarks = Bookmarks::of(self.rows.as_ref(), bookmark.clone())?;
        let again = Bookmarks::of(self.rows.as_ref(), bookmark)?;
        Some(self.shape_where(&conditions, changed, [bookmarks, again]))
    }

    /// What another plan of the same rows is made with. Rows that cannot be read are told of once
    /// for each plan, so that plan gathers its own.
    pub(crate) fn afresh(&self) -> (SessionState, Arc<Rejects>) {
        let rejects = Arc::new(Rejects::default());
        let config = self.state.config().clone();
        let state = SessionStateBuilder::new_from_existing(self.state.clone())
            .with_config(config.with_extension(Arc::clone(&rejects)))
            .build();
        (state, rejects)
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
    /// The expression as written.
    written: Expr,
    /// The expression cast to what the field takes.
    expression: Expr,
    column: ArrowField,
    /// Whether there is no record without it.
    required: bool,
}

/// What planning one flow needs at hand.
pub(crate) struct Planning<'a> {
    pub(crate) state: &'a SessionState,
    pub(crate) variables: &'a Variables,
    pub(crate) schema: &'a DFSchemaRef,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Planning<'_> {
    fn expression(&mut self, sql: &Sql) -> Option<Expr> {
        sql::expression(self.state, sql, self.schema, self.variables)
            .map_err(|mistake| self.mistakes.push(mistake))
            .ok()
    }

    pub(crate) fn condition(&mut self, sql: &Sql) -> Option<Expr> {
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
                    match fit(&expression, field, &entry.name, self.schema, sql) {
                        Ok((fitted, column)) => {
                            nodes.push(Node::Leaf(leaves.len()));
                            columns.push(column.clone());
                            leaves.push(Leaf {
                                name,
                                sql: sql.clone(),
                                written: expression,
                                expression: fitted,
                                column,
                                required: prefix.is_empty()
                                    && field.is_some_and(|field| field.required),
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

    /// What never descends when a row is changed.
    fn changed_since(&mut self, flow: &Flow) -> Option<Expr> {
        let sql = flow.changed_since.as_ref()?;
        let expression = self.expression(sql)?;
        match order::key(expression, self.state, self.schema) {
            Ok(Some(key)) => Some(key.expr),
            Ok(None) => {
                let mistake = Mistake::error(
                    "sql::always-the-same",
                    "this is the same for all rows",
                    sql.at.clone(),
                );
                self.mistakes
                    .push(mistake.help("name the column that a change of the row moves on"));
                None
            }
            Err(error) => {
                self.mistakes.push(sql::mistake(&error, sql));
                None
            }
        }
    }

    /// The order of the rows: the one asked for, or for messages the time, then the id.
    ///
    /// An id is compared as the source has it, so that 9 comes before 10.
    fn order(&mut self, flow: &Flow, leaves: &[Leaf]) -> Vec<SortExpr> {
        let mut keys = Vec::new();
        for sql in &flow.order_by {
            keys.extend(self.expression(sql).map(|expression| (expression, sql)));
        }
        if flow.order_by.is_empty() && flow.entity == Entity::Messages {
            for key in ["sentAt", flow.entity.id_field()] {
                let leaf = leaves.iter().find(|leaf| leaf.name == key);
                keys.extend(leaf.map(|leaf| (leaf.written.clone(), &leaf.sql)));
            }
        }
        let mut order = Vec::with_capacity(keys.len());
        for (key, sql) in keys {
            match order::key(key, self.state, self.schema) {
                Ok(key) => order.extend(key),
                Err(error) => self.mistakes.push(sql::mistake(&error, sql)),
            }
        }
        order
    }
}

fn not_exact(sql: &Sql) -> Mistake {
    Mistake::error(
        "sql::not-exact",
        "changes cannot be told apart by this",
        sql.at.clone(),
    )
    .label("neither a time, a whole number nor text")
    .help("name a column of times, such as `updated_at`, or one that counts changes")
}

/// The table or view that a flow reads.
async fn read_from(
    session: &SessionContext,
    from: &Sql,
    known: &[String],
) -> Result<LogicalPlan, PlanError> {
    if !known.contains(&from.text) {
        return Err(no_such_table(&from.text, from, known).into());
    }
    let name = match from.text.split_once('.') {
        Some((source, table)) => TableReference::partial(source, table),
        None => TableReference::bare(from.text.as_str()),
    };
    let table = session.table(name).await;
    table
        .map(DataFrame::into_unoptimized_plan)
        .map_err(|error| plan_error(&error, from, known))
}

/// The calls of `cometchat_id` in an expression: what each is given, and itself.
fn rewritten(expression: &Expr) -> Vec<(Expr, Expr)> {
    let mut found = Vec::new();
    sql::any(expression, |part| {
        if let Expr::ScalarFunction(call) = part
            && let ("cometchat_id", [given]) = (call.name(), call.args.as_slice())
        {
            found.push((given.clone(), part.clone()));
        }
        false
    });
    found
}

/// The columns that the expressions refer to, in a stable order.
fn columns_of<'a>(expressions: impl Iterator<Item = &'a Expr>) -> BTreeSet<SqlColumn> {
    expressions.flat_map(Expr::column_refs).cloned().collect()
}

impl Wanted {
    /// The plan of the rows: those that belong to the flow, in its order, with the columns wanted.
    pub(crate) fn plan(&self, further: &[Expr]) -> Result<LogicalPlan, DataFusionError> {
        let mut plan = LogicalPlanBuilder::from(self.from.clone());
        for filter in self.filter.iter().chain(further) {
            plan = plan.filter(filter.clone())?;
        }
        if !self.order.is_empty() {
            plan = plan.sort(self.order.clone())?;
        }
        plan.project(self.columns.iter().cloned().map(Expr::Column))?
            .build()
    }
}
