//! The source: its tables, what they have, and their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_core::Filter;
use chatferry_core::source::{
    BatchStream, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use futures::FutureExt;
use tokio::sync::OnceCell;

use crate::catalog::{self, Kind};
use crate::describe::{Described, describe};
use crate::failure::failed;
use crate::filter;
use crate::scan::{Reading, batches};
use crate::session::{Database, FEW};
use crate::settings::SqliteSettings;
use chatferry_config::database::{TableSettings, Tables};

/// A database's tables and views, and the queries of the settings.
pub(crate) struct SqliteSource(Arc<Shared>);

struct Shared {
    database: Arc<Database>,
    settings: SqliteSettings,
    tables: OnceCell<BTreeMap<String, Offered>>,
}

/// One table, described once.
struct Offered {
    kind: Kind,
    settings: TableSettings,
    described: OnceCell<Arc<Described>>,
}

impl SourceSettings for SqliteSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let database = Database::find(self)?;
        Ok(Arc::new(SqliteSource::new(database, self.clone())))
    }

    fn wants_one_moment(&self) -> bool {
        self.snapshot
    }
}

impl SqliteSource {
    fn new(database: Database, settings: SqliteSettings) -> Self {
        Self(Arc::new(Shared {
            database: Arc::new(database),
            settings,
            tables: OnceCell::new(),
        }))
    }
}

#[async_trait]
impl Source for SqliteSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.tables().await?.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        Ok(Arc::clone(&self.0.described(table).await?.table))
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let offered = self.0.tables.get().and_then(|all| all.get(&table.name));
        let described = offered.and_then(|offered| offered.described.get());
        described.is_some_and(|described| filter::honours(described, filter))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let shared = Arc::clone(&self.0);
        let table = Arc::clone(&scan.table);
        let reading = async move {
            Ok(Reading {
                described: shared.described(&table.name).await?,
                database: Arc::clone(&shared.database),
            })
        };
        batches(reading.boxed(), scan)
    }

    async fn at_one_moment(&self) -> Result<Option<Arc<dyn Source>>, SourceError> {
        let database = self.0.database.at_one_moment().await?;
        let source = Self::new(database, self.0.settings.clone());
        Ok(Some(Arc::new(source)))
    }
}

impl Shared {
    async fn tables(&self) -> Result<&BTreeMap<String, Offered>, SourceError> {
        self.tables.get_or_try_init(|| self.list()).await
    }

    async fn list(&self) -> Result<BTreeMap<String, Offered>, SourceError> {
        let mut connection = self.database.open(FEW).await?;
        let doing = || format!("list the tables of {}", self.database.written);
        let listed = catalog::list(&mut connection).await;
        let listed = listed.map_err(|error| failed(doing(), &self.database, error))?;
        let kinds: BTreeMap<String, Kind> = listed.into_iter().collect();
        let mut tables: BTreeMap<String, Offered> = kinds
            .iter()
            .map(|(name, kind)| (name.clone(), Offered::new(*kind, TableSettings::default())))
            .collect();
        let unknown = |name: &str, tables: &BTreeMap<String, Offered>| {
            let reason = format!("there is no table or view called `{name}`");
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => "the database has no tables at all; is it the right file?".to_owned(),
                _ => format!("it has {}", names.join(", ")),
            };
            SourceError::new(SourceErrorKind::NotFound, doing(), reason).help(help)
        };
        let none_set = BTreeMap::new();
        let set = match &self.settings.tables {
            Tables::Set(set) => set,
            Tables::All | Tables::Named(_) => &none_set,
        };
        for (name, settings) in set {
            let table = settings.table.as_ref().unwrap_or(name);
            let kind = match (&settings.query, kinds.get(table)) {
                (Some(_), _) => Kind::Query,
                (None, Some(kind)) => *kind,
                (None, None) => return Err(unknown(table, &tables)),
            };
            tables.insert(name.clone(), Offered::new(kind, settings.clone()));
        }
        if let Tables::Named(only) = &self.settings.tables {
            if let Some(name) = only.iter().find(|name| !tables.contains_key(*name)) {
                return Err(unknown(name, &tables));
            }
            tables.retain(|name, _| only.contains(name));
        }
        Ok(tables)
    }

    async fn described(&self, table: &str) -> Result<Arc<Described>, SourceError> {
        let tables = self.tables().await?;
        let Some(offered) = tables.get(table) else {
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => "the database has no tables; is it the right file?".to_owned(),
                _ => format!("its tables are {}", names.join(", ")),
            };
            let reason = "the source has no such table";
            let doing = format!("read {table}");
            return Err(SourceError::new(SourceErrorKind::NotFound, doing, reason).help(help));
        };
        let describe = || async {
            let described = describe(&self.database, table, offered.kind, &offered.settings);
            described.await.map(Arc::new)
        };
        offered.described.get_or_try_init(describe).await.cloned()
    }
}

impl Offered {
    fn new(kind: Kind, settings: TableSettings) -> Self {
        Self {
            kind,
            settings,
            described: OnceCell::new(),
        }
    }
}

impl fmt::Debug for SqliteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSource")
            .field("path", &self.0.database.written)
            .finish_non_exhaustive()
    }
}
