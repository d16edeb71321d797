//! The sources and views of a pipeline, ready to be asked.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chatferry_core::{Field, Flow, Mistake, Rows, Source, SourceError, Sql, Variables, View};
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider,
};
use datafusion::common::{DataFusionError, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;

use crate::failure::failure;
use crate::flow::FlowPlan;
use crate::functions;
use crate::memory::{SharedMemory, counted, set_aside};
use crate::sql;
use crate::table::{Rejects, SourceTables, source_error};

/// Rows in a batch.
///
/// At about 350 bytes a message a batch is under 0.4 MiB, so the few that are under way at once
/// are a small part of the memory; four times as many rows made no run faster.
const ROWS_PER_BATCH: usize = 1_024;

/// The catalog that holds each source as a schema, and the views in a schema of their own.
const CATALOG: &str = "chatferry";
/// The schema of views: what a name without a dot refers to.
const VIEWS: &str = "views";

/// The sources and views of a pipeline, ready to be asked.
#[derive(Debug)]
pub struct Engine {
    sources: Vec<Arc<SourceTables>>,
    views: Vec<View>,
    variables: Variables,
    /// In bytes, for sorts, joins and groups.
    memory: usize,
    machine: Arc<RuntimeEnv>,
}

/// A column of a source's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The table, as `source.table`.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Whether the source takes it that some row may have none.
    pub may_be_null: bool,
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
    /// An engine over these sources and views. Sorts, joins and groups use at most `memory` bytes.
    ///
    /// Where that is not enough, sorts and groups go on in files under `spill` (or the system's
    /// temporary folder). A join holds one side: the one with fewer rows, where the sources
    /// know how many they have, and the left one otherwise. When that does not fit, the sources are
    /// read anew, and both sides are sorted and merged.
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
            offered.push(Arc::new(SourceTables {
                name,
                source,
                names,
                used: Mutex::default(),
            }));
        }
        let memory = counted(memory);
        let mut machine =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(SharedMemory::new(memory)));
        if let Some(folder) = spill {
            machine = machine.with_temp_file_path(folder);
        }
        let machine = machine.build_arc().map_err(|error| failure(&error))?;
        Ok(Self {
            sources: offered,
            views,
            variables,
            memory,
            machine,
        })
    }

    /// Plans a flow into an entity with these fields. Reads no row, but describes the tables.
    ///
    /// # Errors
    ///
    /// When the pipeline file is wrong about the flow or about any view, all at once, or when a
    /// table that they read cannot be described.
    pub async fn plan(&self, flow: &Flow, fields: &'static [Field]) -> Result<FlowPlan, PlanError> {
        let rejects = Arc::new(Rejects::default());
        let session = self.session(Arc::clone(&rejects));
        let mut mistakes = Vec::new();
        let broken = self
            .register_views(&session, &mut mistakes)
            .await
            .map_err(PlanError::Source)?;
        if broken.any(&BTreeSet::from([flow.from.text.clone()])) {
            return Err(PlanError::Mistakes(mistakes));
        }
        let known = self.known();
        let planned = FlowPlan::new(&session, rejects, flow, fields, &self.variables, &known);
        match planned.await {
            Ok(plan) if mistakes.is_empty() => Ok(plan),
            Ok(_) => Err(PlanError::Mistakes(mistakes)),
            Err(PlanError::Mistakes(found)) => {
                mistakes.extend(found);
                Err(PlanError::Mistakes(mistakes))
            }
            Err(error) => Err(error),
        }
    }

    /// The tables that the sources offer, as `source.table`.
    pub fn tables(&self) -> impl Iterator<Item = String> {
        self.sources.iter().flat_map(|source| {
            let names = source.names.iter();
            names.map(move |table| format!("{}.{table}", source.name))
        })
    }

    /// How many rows a table (`source.table`) has, where its source knows. Not known of views.
    ///
    /// # Errors
    ///
    /// When the table cannot be described.
    pub async fn rows(&self, table: &str) -> Result<Rows, SourceError> {
        let Some((source, name)) = table.split_once('.') else {
            return Ok(Rows::Unknown);
        };
        let tables = self.sources.iter().find(|tables| tables.name == source);
        let Some(tables) = tables.filter(|tables| tables.table_exist(name)) else {
            return Ok(Rows::Unknown);
        };
        Ok(tables.source.describe(name).await?.rows)
    }

    /// The tables and views that SQL may name.
    fn known(&self) -> Vec<String> {
        let views = self.views.iter().map(|view| view.name.clone());
        views.chain(self.tables()).collect()
    }

    /// What a person should know of the tables that were planned to be read, each note with its
    /// table's name.
    ///
    /// # Errors
    ///
    /// When a table cannot be described.
    pub async fn notes(&self) -> Result<Vec<(String, String)>, SourceError> {
        let mut notes = Vec::new();
        for source in &self.sources {
            for name in source.used() {
                let table = source.source.describe(&name).await?;
                let named = |note: &String| (format!("{}.{name}", source.name), note.clone());
                notes.extend(table.notes.iter().map(named));
            }
        }
        Ok(notes)
    }

    /// The columns of the tables that were planned to be read.
    ///
    /// # Errors
    ///
    /// When a table cannot be described.
    pub async fn columns(&self) -> Result<Vec<TableColumn>, SourceError> {
        let mut columns = Vec::new();
        for source in &self.sources {
            for name in source.used() {
                let table = source.source.describe(&name).await?;
                columns.extend(table.schema.fields().iter().map(|field| TableColumn {
                    table: format!("{}.{name}", source.name),
                    name: field.name().clone(),
                    may_be_null: field.is_nullable(),
                }));
            }
        }
        Ok(columns)
    }

    /// A session of its own for one flow, so that its rejected rows are its own.
    fn session(&self, rejects: Arc<Rejects>) -> SessionContext {
        let mut options = ConfigOptions::new();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        // It moves fields of objects towards the tables, where no source takes them, and with joins
        // gives two of them one name.
        options.optimizer.enable_leaf_expression_pushdown = false;
        options.execution.sort_spill_reservation_bytes = set_aside(self.memory);
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
        for source in &self.sources {
            let tables: Arc<dyn SchemaProvider> = Arc::clone(source) as _;
            catalog
                .register_schema(&source.name, tables)
                .expect("a catalog in memory takes any schema");
        }
        let views: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        catalog
            .register_schema(VIEWS, views)
            .expect("a catalog in memory takes any schema");
        session.register_catalog(CATALOG, Arc::new(catalog));
        session
    }

    /// Plans the views, each after those that it reads, and adds what is wrong with them.
    async fn register_views(
        &self,
        session: &SessionContext,
        mistakes: &mut Vec<Mistake>,
    ) -> Result<Broken, SourceError> {
        let state = session.state();
        let mut broken = Broken::default();
        let mut waiting = Vec::with_capacity(self.views.len());
        for view in &self.views {
            match sql::query(&state, &view.query, &self.variables) {
                Ok(query) => waiting.push((view, reads(&state, &query), query)),
                Err(mistake) => {
                    mistakes.push(mistake);
                    broken.add(&view.name);
                }
            }
        }
        while !waiting.is_empty() {
            let names: BTreeSet<String> =
                waiting.iter().map(|(view, ..)| view.name.clone()).collect();
            let (ready, later): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|(_, reads, _)| names.is_disjoint(reads));
            if ready.is_empty() {
                // They wait for each other, which was found when the file was read.
                names.iter().for_each(|name| broken.add(name));
                break;
            }
            for (view, reads, query) in ready {
                if broken.any(&reads) {
                    broken.add(&view.name);
                    continue;
                }
                match typed(&state, state.statement_to_plan(query).await) {
                    Ok(plan) => match sql::columns_differ(&plan, &view.query) {
                        Ok(()) => register(session, &view.name, plan),
                        Err(mistake) => {
                            mistakes.push(mistake);
                            broken.add(&view.name);
                        }
                    },
                    Err(error) => match plan_error(&error, &view.query, &self.known()) {
                        PlanError::Mistakes(found) => {
                            mistakes.extend(found);
                            broken.add(&view.name);
                        }
                        PlanError::Source(error) => return Err(error),
                    },
                }
            }
            waiting = later;
        }
        Ok(broken)
    }
}

/// Views that cannot be planned, because of a mistake in them or in what they read.
#[derive(Default)]
pub(crate) struct Broken(BTreeSet<String>);

impl Broken {
    fn add(&mut self, view: &str) {
        self.0.insert(view.to_owned());
    }

    fn any(&self, views: &BTreeSet<String>) -> bool {
        !self.0.is_disjoint(views)
    }
}

/// Tells a source's trouble from a person's mistake in SQL that may name these tables and views.
pub(crate) fn plan_error(error: &DataFusionError, sql: &Sql, known: &[String]) -> PlanError {
    if let Some(error) = source_error(error) {
        return PlanError::Source(error);
    }
    let text = error.find_root().strip_backtrace();
    let Some(name) = sql::between(&text, "table '", "' not found") else {
        return sql::mistake(error, sql).into();
    };
    let name = name.strip_prefix(&format!("{CATALOG}.")).unwrap_or(name);
    let name = name.strip_prefix(&format!("{VIEWS}.")).unwrap_or(name);
    no_such_table(name, sql, known).into()
}

pub(crate) fn no_such_table(name: &str, sql: &Sql, known: &[String]) -> Mistake {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match sql::nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "the sources offer no tables".into(),
        None => format!("there is {}", names.join(", ")),
    };
    Mistake::error(
        "sql::unknown-table",
        format!("there is no table or view called `{name}`"),
        sql::find(sql, name),
    )
    .label("not a table or view")
    .help(help)
}

/// The names without a dot that a query reads.
fn reads(state: &SessionState, query: &Statement) -> BTreeSet<String> {
    let references = state.resolve_table_references(query).unwrap_or_default();
    let views = references.iter().filter(|name| name.schema().is_none());
    views.map(|name| name.table().to_owned()).collect()
}

/// A plan whose types are those that its rows have. As it is first made, columns of a union have
/// those of its first branch, whatever the others have.
fn typed(
    state: &SessionState,
    plan: Result<LogicalPlan, DataFusionError>,
) -> Result<LogicalPlan, DataFusionError> {
    let options = state.config().options();
    state
        .analyzer()
        .execute_and_check(plan?, options, |_, _| ())
}

fn register(session: &SessionContext, name: &str, plan: LogicalPlan) {
    let view = Arc::new(ViewTable::new(plan, None));
    session
        .register_table(TableReference::bare(name), view)
        .expect("names of views are unique");
}
