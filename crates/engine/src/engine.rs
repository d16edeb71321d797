//! The sources and views of a pipeline, ready to be asked.

use std::path::PathBuf;
use std::sync::Arc;

use chatferry_core::{
    Field, Flow, Mistake, Source, SourceError, SourceErrorKind, Sql, Variables, View,
};
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider,
};
use datafusion::common::{DataFusionError, ParamValues};
use datafusion::config::ConfigOptions;
use datafusion::datasource::ViewTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::flow::FlowPlan;
use crate::functions;
use crate::sql;
use crate::table::{Rejects, SourceTables, source_error};

/// Rows in a batch.
///
/// At about 350 bytes a message a batch is under 3 MiB, so the few that are under way at once are
/// a small part of the memory limit; half as many rows made no run faster.
const ROWS_PER_BATCH: usize = 8_192;

/// The catalog that holds each source as a schema, and the views in a schema of their own.
const CATALOG: &str = "chatferry";
/// The schema of views: what a name without a dot refers to.
const VIEWS: &str = "views";

/// The sources and views of a pipeline, ready to be asked.
#[derive(Debug)]
pub struct Engine {
    sources: Vec<(String, Arc<SourceTables>)>,
    views: Vec<View>,
    variables: Variables,
    machine: Arc<RuntimeEnv>,
}

/// Why a flow cannot be planned.
#[derive(Debug)]
pub enum PlanError {
    /// The pipeline file is wrong in these places.
    Mistakes(Vec<Mistake>),
    /// A source could not be described.
    Source(SourceError),
}

impl From<Mistake> for PlanError {
    fn from(mistake: Mistake) -> Self {
        Self::Mistakes(vec![mistake])
    }
}

impl Engine {
    /// An engine over these sources and views. Sorts and joins use at most `memory` bytes and go
    /// on in files under `spill` (or the system's temporary folder) where that is not enough.
    ///
    /// # Errors
    ///
    /// When a source cannot list its tables, or the folder for spilling cannot be used.
    pub async fn open(
        sources: Vec<(String, Arc<dyn Source>)>,
        views: Vec<View>,
        variables: Variables,
        memory: usize,
        spill: Option<PathBuf>,
    ) -> Result<Self, SourceError> {
        let mut offered = Vec::with_capacity(sources.len());
        for (name, source) in sources {
            let names = source.tables().await?;
            offered.push((name, Arc::new(SourceTables { source, names })));
        }
        let mut machine =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(memory)));
        if let Some(folder) = spill {
            machine = machine.with_temp_file_path(folder);
        }
        let machine = machine.build_arc().map_err(|error| failure(&error))?;
        Ok(Self {
            sources: offered,
            views,
            variables,
            machine,
        })
    }

    /// Plans a flow into an entity with these fields. Reads no row, but describes the tables.
    ///
    /// # Errors
    ///
    /// When the pipeline file is wrong about the flow or a view that it reads, or when a table
    /// cannot be described.
    pub async fn plan(&self, flow: &Flow, fields: &'static [Field]) -> Result<FlowPlan, PlanError> {
        let rejects = Arc::new(Rejects::default());
        let session = self.session(Arc::clone(&rejects)).await?;
        FlowPlan::new(&session, rejects, flow, fields, &self.variables).await
    }

    /// The tables that the sources offer, as `source.table`.
    pub fn tables(&self) -> impl Iterator<Item = String> {
        self.sources.iter().flat_map(|(source, tables)| {
            tables
                .names
                .iter()
                .map(move |name| format!("{source}.{name}"))
        })
    }

    /// What the tables' descriptions say a person should know, each with the table's name.
    ///
    /// # Errors
    ///
    /// When a table cannot be described.
    pub async fn notes(&self) -> Result<Vec<(String, String)>, SourceError> {
        let mut notes = Vec::new();
        for (source, tables) in &self.sources {
            for name in &tables.names {
                let table = tables.source.describe(name).await?;
                let named = |note: &String| (format!("{source}.{name}"), note.clone());
                notes.extend(table.notes.iter().map(named));
            }
        }
        Ok(notes)
    }

    /// A session of its own for one flow, so that its rejected rows are its own.
    async fn session(&self, rejects: Arc<Rejects>) -> Result<SessionContext, PlanError> {
        let mut options = ConfigOptions::new();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        let config = SessionConfig::from(options)
            .with_default_catalog_and_schema(CATALOG, VIEWS)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(false)
            .with_target_partitions(1)
            .with_batch_size(ROWS_PER_BATCH)
            .with_extension(rejects);
        let session = SessionContext::new_with_config_rt(config, Arc::clone(&self.machine));
        for function in functions::all() {
            session.register_udf(function);
        }
        let catalog = MemoryCatalogProvider::new();
        for (name, tables) in &self.sources {
            let tables: Arc<dyn SchemaProvider> = Arc::clone(tables) as _;
            catalog
                .register_schema(name, tables)
                .expect("a catalog in memory takes any schema");
        }
        let views: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        catalog
            .register_schema(VIEWS, views)
            .expect("a catalog in memory takes any schema");
        session.register_catalog(CATALOG, Arc::new(catalog));
        self.register_views(&session).await?;
        Ok(session)
    }

    /// Plans the views, each after those that it reads.
    async fn register_views(&self, session: &SessionContext) -> Result<(), PlanError> {
        let mut mistakes = Vec::new();
        let mut waiting: Vec<&View> = self.views.iter().collect();
        while !waiting.is_empty() {
            let names: Vec<&str> = waiting.iter().map(|view| view.name.as_str()).collect();
            let (ready, later): (Vec<&View>, Vec<&View>) = waiting.iter().partition(|view| {
                !reads(session, &view.query)
                    .iter()
                    .any(|n| names.contains(&n.as_str()))
            });
            // Views that wait for each other were already reported as a circle; plan them as they
            // are, which names whatever they cannot find.
            let ready = if ready.is_empty() {
                waiting.clone()
            } else {
                ready
            };
            let later = if ready.len() == waiting.len() {
                Vec::new()
            } else {
                later
            };
            for view in ready {
                match self.plan_view(session, view).await {
                    Ok(plan) => register(session, &view.name, plan),
                    Err(PlanError::Mistakes(found)) => {
                        mistakes.extend(found);
                        register_empty(session, &view.name);
                    }
                    Err(error) => return Err(error),
                }
            }
            waiting = later;
        }
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(PlanError::Mistakes(mistakes))
        }
    }

    async fn plan_view(
        &self,
        session: &SessionContext,
        view: &View,
    ) -> Result<LogicalPlan, PlanError> {
        let plan = session.state().create_logical_plan(&view.query.text).await;
        let plan = plan.map_err(|error| self.plan_error(&error, &view.query))?;
        if !matches!(
            plan,
            LogicalPlan::Dml(_)
                | LogicalPlan::Ddl(_)
                | LogicalPlan::Copy(_)
                | LogicalPlan::Statement(_)
        ) {
            let variables = ParamValues::from(sql::parameters(&self.variables));
            return plan
                .with_param_values(variables)
                .map_err(|error| self.plan_error(&error, &view.query));
        }
        Err(Mistake::error(
            "sql::not-a-query",
            "a view is a query",
            view.query.at.clone(),
        )
        .label("this changes something")
        .help("write a SELECT")
        .into())
    }

    /// Tells a source's trouble from a person's mistake.
    fn plan_error(&self, error: &DataFusionError, sql: &Sql) -> PlanError {
        plan_error(error, sql, || self.tables().collect())
    }
}

/// Tells a source's trouble from a person's mistake.
pub(crate) fn plan_error(
    error: &DataFusionError,
    sql: &Sql,
    tables: impl Fn() -> Vec<String>,
) -> PlanError {
    if let Some(error) = source_error(error) {
        return PlanError::Source(error);
    }
    let mistake = sql::mistake(error, sql);
    if !mistake.message.starts_with("table '") {
        return mistake.into();
    }
    let name = mistake.message.split('\'').nth(1).unwrap_or_default();
    let name = name
        .trim_start_matches(&format!("{CATALOG}."))
        .trim_start_matches(&format!("{VIEWS}."));
    let tables = tables();
    let near = tables
        .iter()
        .min_by_key(|table| strsim::damerau_levenshtein(table, name));
    let help = match near {
        Some(near) if strsim::damerau_levenshtein(near, name) <= 3 => {
            format!("did you mean `{near}`?")
        }
        _ if tables.is_empty() => "the sources offer no tables".into(),
        _ => format!("there is {}", tables.join(", ")),
    };
    let found = sql.text.find(name).filter(|_| sql.verbatim);
    let at = found
        .zip(sql.at.clone())
        .map(|(start, at)| at.start + start..at.start + start + name.len());
    Mistake::error(
        "sql::unknown-table",
        format!("there is no table or view called `{name}`"),
        at.or(sql.at.clone()),
    )
    .label("not a table or view")
    .help(help)
    .into()
}

/// The tables without a dot that a query names.
fn reads(session: &SessionContext, query: &Sql) -> Vec<String> {
    let state = session.state();
    let dialect = state.config().options().sql_parser.dialect;
    let Ok(statement) = state.sql_to_statement(&query.text, &dialect) else {
        return Vec::new();
    };
    let references = state
        .resolve_table_references(&statement)
        .unwrap_or_default();
    references
        .into_iter()
        .filter(|name| name.schema().is_none())
        .map(|name| name.table().to_owned())
        .collect()
}

fn register(session: &SessionContext, name: &str, plan: LogicalPlan) {
    let view = Arc::new(ViewTable::new(plan, None));
    session
        .register_table(quoted(name), view)
        .expect("names of views are unique");
}

/// Stands in for a view that could not be planned, so that what reads it is planned too.
fn register_empty(session: &SessionContext, name: &str) {
    let nothing = MemTable::try_new(Arc::new(arrow::datatypes::Schema::empty()), vec![vec![]]);
    let nothing = Arc::new(nothing.expect("no batch disagrees with the schema"));
    session
        .register_table(quoted(name), nothing)
        .expect("names of views are unique");
}

/// A reference to a view as it is written.
pub(crate) fn quoted(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name)
}

/// Trouble of the engine's own, such as a full disk under a sort.
pub(crate) fn failure(error: &DataFusionError) -> SourceError {
    if let Some(error) = source_error(error) {
        return error;
    }
    let root = error.find_root();
    let text = sql::phrase(&root.strip_backtrace());
    match root {
        DataFusionError::ResourcesExhausted(_) => {
            SourceError::new(SourceErrorKind::Failed, "sort or join the rows", "memory is exhausted")
                .help("raise `memory` under `[engine]`, such as memory = \"256 MiB\"")
        }
        DataFusionError::IoError(cause) => {
            SourceError::new(SourceErrorKind::Failed, "sort or join the rows", cause.to_string())
                .help("is the disk full? `spill` under `[engine]` names another folder")
        }
        _ => SourceError::new(SourceErrorKind::Pipeline, "evaluate the flow's view or condition", sql::without_contents(&text))
            .help("a value that cannot be read ends a view or a `where`; try_cast(... AS ...) gives null instead"),
    }
}
