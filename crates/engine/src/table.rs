//! A source's tables as DataFusion sees them.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chatferry_core::{Batch, Bookmark, Filter, RejectedRow, Scan, Source, SourceError, Table};
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SortOrderPushdownResult,
    StatisticsArgs,
};
use futures::{StreamExt, TryStreamExt};

use crate::bookmarks::Bookmarks;
use crate::pushdown;

/// The rows that sources could not read, gathered beside the plan that reads it.
///
/// DataFusion's streams carry only good rows, so the others go around it.
#[derive(Debug, Default)]
pub(crate) struct Rejects {
    rows: Mutex<Vec<RejectedRow>>,
    /// The tables that some scan of the plan already speaks for.
    spoken_for: Mutex<HashSet<String>>,
}

impl Rejects {
    /// What has gathered since the last call.
    pub(crate) fn take(&self) -> Vec<RejectedRow> {
        std::mem::take(&mut *self.rows.lock().expect("no holder of this lock panics"))
    }

    fn add(&self, rows: Vec<RejectedRow>) {
        if !rows.is_empty() {
            let mut gathered = self.rows.lock().expect("no holder of this lock panics");
            gathered.extend(rows);
        }
    }

    /// Whether this is the first scan of the table in the plan. A view may read a table twice;
    /// the rows that cannot be read are counted once.
    fn speak_for(&self, table: String) -> bool {
        let mut spoken_for = self
            .spoken_for
            .lock()
            .expect("no holder of this lock panics");
        spoken_for.insert(table)
    }
}

/// The tables of one source: the schema `NAME` in `NAME.table`.
#[derive(Debug)]
pub(crate) struct SourceTables {
    pub(crate) name: String,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) names: Vec<String>,
    /// The tables that some flow or view reads.
    pub(crate) used: Mutex<BTreeSet<String>>,
}

impl SourceTables {
    /// The tables that some flow or view reads, by name.
    pub(crate) fn used(&self) -> BTreeSet<String> {
        let used = self.used.lock().expect("no holder of this lock panics");
        used.clone()
    }
}

#[async_trait]
impl SchemaProvider for SourceTables {
    fn table_names(&self) -> Vec<String> {
        self.names.clone()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if !self.table_exist(name) {
            return Ok(None);
        }
        let table = self.source.describe(name).await.map_err(external)?;
        let mut used = self.used.lock().expect("no holder of this lock panics");
        used.insert(name.to_owned());
        Ok(Some(Arc::new(SourceTable {
            source: Arc::clone(&self.source),
            name: format!("{}.{name}", self.name),
            table,
        })))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// One table of a source.
#[derive(Debug)]
struct SourceTable {
    source: Arc<dyn Source>,
    /// Its name in SQL: `source.table`.
    name: String,
    table: Arc<Table>,
}

impl SourceTable {
    /// The condition in the words of the contract, if the source evaluates it.
    fn honoured(&self, condition: &Expr) -> Option<Filter> {
        let filter = pushdown::filter(condition)?;
        let honoured = self.source.honours(&self.table, &filter);
        honoured.then_some(filter)
    }
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.table.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.honoured(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..self.table.schema.fields().len()).collect(),
        };
        let scan = Scan {
            table: Arc::clone(&self.table),
            columns,
            filters: filters
                .iter()
                .filter_map(|one| self.honoured(one))
                .collect(),
            order: None,
            limit,
            rows_per_batch: session.config().batch_size(),
            bookmark: Bookmark::default(),
        };
        let rejects = session.config().get_extension::<Rejects>();
        Ok(Arc::new(SourceScan {
            properties: Arc::new(properties(&scan)),
            source: Arc::clone(&self.source),
            name: self.name.clone(),
            scan,
            rejects: rejects.filter(|rejects| rejects.speak_for(self.name.clone())),
        }))
    }
}

/// What DataFusion may rely on: one stream of these columns, in the order asked for or else in
/// the orders that the table has.
fn properties(scan: &Scan) -> PlanProperties {
    let schema = scan.schema();
    let orders = match &scan.order {
        Some(order) => std::slice::from_ref(order),
        None => &scan.table.orders,
    };
    let orders: Vec<LexOrdering> = orders
        .iter()
        .filter_map(|order| LexOrdering::new(pushdown::sort_keys(order, &schema)))
        .collect();
    PlanProperties::new(
        EquivalenceProperties::new_with_orderings(schema, orders),
        Partitioning::UnknownPartitioning(1),
        EmissionType::Incremental,
        Boundedness::Bounded,
    )
    .with_scheduling_type(SchedulingType::Cooperative)
}

/// The rows of one scan, as a step of DataFusion's plan.
#[derive(Clone, Debug)]
pub(crate) struct SourceScan {
    source: Arc<dyn Source>,
    name: String,
    scan: Scan,
    /// Where rows that cannot be read go, unless another scan tells of them.
    rejects: Option<Arc<Rejects>>,
    properties: Arc<PlanProperties>,
}

impl SourceScan {
    /// The table that it reads, as `source.table`.
    pub(crate) fn table(&self) -> &str {
        &self.name
    }
}

impl DisplayAs for SourceScan {
    fn fmt_as(&self, _as: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.scan.schema();
        let columns = schema.fields().iter().map(|field| field.name().as_str());
        let columns = columns.collect::<Vec<_>>().join(", ");
        write!(f, "SourceScan: {}, columns=[{columns}]", self.name)?;
        if !self.scan.filters.is_empty() {
            let filters = self.scan.filters.iter().map(ToString::to_string);
            write!(f, ", where=[{}]", filters.collect::<Vec<_>>().join(" AND "))?;
        }
        if let Some(order) = &self.scan.order {
            write!(f, ", order=[{}]", order.columns.join(", "))?;
        }
        match self.scan.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for SourceScan {
    fn name(&self) -> &str {
        "SourceScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(
        self: Arc<Self>,
        _none: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// Has the source read in this order, if it can; the engine need not sort then.
    fn try_pushdown_sort(
        &self,
        wanted: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        let can = |order: &chatferry_core::Order| {
            let can = &self.scan.table.can_order;
            can.iter()
                .any(|known| known.columns.starts_with(&order.columns))
        };
        let Some(order) = pushdown::order(wanted).filter(can) else {
            return Ok(SortOrderPushdownResult::Unsupported);
        };
        let scan = Scan {
            order: Some(order),
            ..self.scan.clone()
        };
        let ordered = Self {
            properties: Arc::new(properties(&scan)),
            scan,
            ..self.clone()
        };
        Ok(SortOrderPushdownResult::Exact {
            inner: Arc::new(ordered),
        })
    }

    /// The number of rows, where the source knows it: the smaller side of a join is the one that
    /// is held in memory.
    fn statistics_from_inputs(
        &self,
        _none: &[Arc<Statistics>],
        _of: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.scan.schema());
        let known = self.scan.table.rows.estimate().map(usize::try_from);
        if let Some(Ok(rows)) = known {
            // Not exact, since some may turn out not to be readable or be filtered. Without any
            // number a join would hold its left side in memory, however long that is.
            statistics.num_rows = Precision::Inexact(rows);
        }
        Ok(Arc::new(statistics))
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let bookmarks = context.session_config().get_extension::<Bookmarks>();
        let bookmark = bookmarks.as_ref().map(|marks| marks.begin(&self.name));
        let scan = Scan {
            bookmark: bookmark.unwrap_or_default(),
            ..self.scan.clone()
        };
        let name = self.name.clone();
        let ended = futures::stream::once(async move {
            if let Some(bookmarks) = bookmarks {
                bookmarks.ended(&name);
            }
            None
        });
        let rejects = self.rejects.clone();
        let good_rows = move |batch: Batch| {
            if let Some(rejects) = &rejects {
                rejects.add(batch.rejected);
            }
            batch.rows
        };
        let batches = self
            .source
            .scan(scan)
            .map(Some)
            .chain(ended)
            .filter_map(std::future::ready)
            .map_ok(good_rows)
            .map_err(external)
            .try_filter(|rows| std::future::ready(rows.num_rows() > 0));
        let batches = RecordBatchStreamAdapter::new(self.scan.schema(), batches);
        Ok(make_cooperative(Box::pin(batches)))
    }
}

/// Carries a source's error through DataFusion; [`source_error`] takes it out again.
fn external(error: SourceError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The source's error inside DataFusion's, if that is what it is.
pub(crate) fn source_error(error: &DataFusionError) -> Option<SourceError> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<SourceError>() {
            return Some(SourceError {
                kind: found.kind,
                doing: found.doing.clone(),
                reason: found.reason.clone(),
                place: found.place.clone(),
                help: found.help.clone(),
                cause: None,
            });
        }
        cause = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            _ => error.source(),
        };
    }
    None
}
