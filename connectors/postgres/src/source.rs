//! The source: its tables, what they have, and their rows.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatferry_core::Filter;
use chatferry_core::source::{
    BatchStream, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use futures::FutureExt;
use tokio::sync::OnceCell;

use crate::catalog::{self, Relation};
use crate::describe::{Described, Target, describe};
use crate::filter;
use crate::scan::batches;
use crate::session::Session;
use crate::settings::PostgresSettings;
use chatferry_config::database::{TableSettings, Tables};

/// A PostgreSQL database as tables.
#[derive(Clone)]
pub(crate) struct PostgresSource(Arc<Inner>);

struct Inner {
    session: Session,
    settings: PostgresSettings,
    offered: OnceCell<BTreeMap<String, Offered>>,
    /// The tables that have been described, for questions that may not wait.
    described: Mutex<HashMap<String, Arc<Described>>>,
}

/// One table, described once.
struct Offered {
    target: Target,
    settings: TableSettings,
    described: OnceCell<Arc<Described>>,
}

impl Offered {
    fn new(target: Target, settings: TableSettings) -> Self {
        Self {
            target,
            settings,
            described: OnceCell::new(),
        }
    }
}

impl SourceSettings for PostgresSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let session = Session::new(&self.server)?;
        Ok(Arc::new(PostgresSource::new(session, self.clone())))
    }

    fn wants_one_moment(&self) -> bool {
        self.server.snapshot
    }
}

impl PostgresSource {
    fn new(session: Session, settings: PostgresSettings) -> Self {
        Self(Arc::new(Inner {
            session,
            settings,
            offered: OnceCell::new(),
            described: Mutex::new(HashMap::new()),
        }))
    }
}

#[async_trait]
impl Source for PostgresSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.offered().await?.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        Ok(Arc::clone(&self.0.described(table).await?.table))
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let described = self
            .0
            .described
            .lock()
            .expect("no holder of this lock panics");
        let described = described.get(&table.name);
        described.is_some_and(|described| filter::sql(filter, described).is_some())
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let inner = Arc::clone(&self.0);
        let name = scan.table.name.clone();
        let described = async move { inner.described(&name).await };
        batches(described.boxed(), self.0.session.clone(), scan)
    }

    async fn at_one_moment(&self) -> Result<Option<Arc<dyn Source>>, SourceError> {
        let session = self.0.session.at_one_moment().await?;
        let source = Self::new(session, self.0.settings.clone());
        Ok(Some(Arc::new(source)))
    }
}

impl Inner {
    /// The tables it offers, found out once.
    async fn offered(&self) -> Result<&BTreeMap<String, Offered>, SourceError> {
        self.offered.get_or_try_init(|| self.list()).await
    }

    async fn list(&self) -> Result<BTreeMap<String, Offered>, SourceError> {
        let mut patience = self.session.patience("list the tables");
        let (found, written) = loop {
            match self.relations().await {
                Ok(found) => break found,
                Err(error) => patience.after(&error).await?,
            }
        };
        let tables = offer(found);
        match &self.settings.tables {
            Tables::All => Ok(tables),
            Tables::Named(names) => only(names, tables, &written),
            Tables::Set(set) => with(set, tables, &written),
        }
    }

    /// The relations of the schemas, and those that the settings name, by the names they have there.
    async fn relations(&self) -> Result<(Vec<Relation>, HashMap<String, Relation>), sqlx::Error> {
        let mut connection = self.session.connection().await?;
        let mut schemas = self.settings.schemas.clone();
        if schemas.is_empty() {
            schemas.push(catalog::own_schema(&mut connection).await?);
        }
        let found = catalog::relations(&mut connection, &schemas).await?;
        let named: Vec<String> = match &self.settings.tables {
            Tables::All => Vec::new(),
            Tables::Named(names) => names.clone(),
            Tables::Set(tables) => tables
                .values()
                .filter_map(|set| set.table.clone())
                .collect(),
        };
        let mut written = HashMap::new();
        for name in named {
            if let Some(relation) = catalog::relation_of(&mut connection, &name).await? {
                written.insert(name, relation);
            }
        }
        connection.done();
        Ok((found, written))
    }

    async fn described(&self, name: &str) -> Result<Arc<Described>, SourceError> {
        let offered = self.offered().await?;
        let table = offered
            .get(name)
            .ok_or_else(|| no_such_table(name, offered))?;
        table
            .described
            .get_or_try_init(|| self.describe(name, table))
            .await
            .cloned()
    }

    async fn describe(&self, name: &str, table: &Offered) -> Result<Arc<Described>, SourceError> {
        let mut patience = self.session.patience(format!("describe {name}"));
        let described = loop {
            match self.try_describe(name, table).await {
                Ok(described) => break Arc::new(described?),
                Err(error) => patience.after(&error).await?,
            }
        };
        let mut known = self
            .described
            .lock()
            .expect("no holder of this lock panics");
        known.insert(name.to_owned(), Arc::clone(&described));
        Ok(described)
    }

    async fn try_describe(
        &self,
        name: &str,
        table: &Offered,
    ) -> Result<Result<Described, SourceError>, sqlx::Error> {
        let mut connection = self.session.connection().await?;
        let described = describe(&mut connection, name, &table.target, &table.settings).await?;
        connection.done();
        Ok(described)
    }
}

/// All relations under their names, those whose name was taken by an earlier schema with their
/// schema before it.
fn offer(found: Vec<Relation>) -> BTreeMap<String, Offered> {
    let mut tables = BTreeMap::new();
    for relation in found {
        let name = match tables.contains_key(&relation.name) {
            true => format!("{}.{}", relation.schema, relation.name),
            false => relation.name.clone(),
        };
        let target = Target::Relation(relation);
        tables.insert(name, Offered::new(target, TableSettings::default()));
    }
    tables
}

/// Only the tables of these names.
fn only(
    names: &[String],
    mut tables: BTreeMap<String, Offered>,
    written: &HashMap<String, Relation>,
) -> Result<BTreeMap<String, Offered>, SourceError> {
    let mut kept = BTreeMap::new();
    for name in names {
        let relation = written.get(name).cloned().map(Target::Relation);
        let relation = relation.map(|target| Offered::new(target, TableSettings::default()));
        match tables.remove(name).or(relation) {
            Some(table) => kept.insert(name.clone(), table),
            None => return Err(no_such_table(name, &tables)),
        };
    }
    Ok(kept)
}

/// The tables, and those that are set in place of them or beside them.
fn with(
    set: &BTreeMap<String, TableSettings>,
    mut tables: BTreeMap<String, Offered>,
    written: &HashMap<String, Relation>,
) -> Result<BTreeMap<String, Offered>, SourceError> {
    for (name, settings) in set {
        let target = match (&settings.query, &settings.table) {
            (Some(query), _) => Target::Query(query.clone()),
            (None, Some(table)) => match written.get(table) {
                Some(relation) => Target::Relation(relation.clone()),
                None => return Err(no_such_table(table, &tables)),
            },
            (None, None) => match tables.get(name) {
                Some(table) => table.target.clone(),
                None => return Err(no_such_table(name, &tables)),
            },
        };
        tables.insert(name.clone(), Offered::new(target, settings.clone()));
    }
    Ok(tables)
}

fn no_such_table(name: &str, tables: &BTreeMap<String, Offered>) -> SourceError {
    let names: Vec<&str> = tables.keys().map(String::as_str).collect();
    let help = match names.as_slice() {
        [] => "the user of `url` may read no table of the schema; `schemas` names others".into(),
        names => format!("its tables are {}", names.join(", ")),
    };
    let reason = "the database has no such table, or this user may not read it";
    SourceError::new(SourceErrorKind::NotFound, format!("read {name}"), reason).help(help)
}

impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresSource")
            .field(&self.0.session)
            .finish()
    }
}
