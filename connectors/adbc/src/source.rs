//! The source: its tables, what they have, and their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_core::source::{
    BatchStream, Rows, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::catalog;
use crate::driver::Database;
use crate::failure::failed;
use crate::query::{Read, beside, run};
use crate::settings::{AdbcSettings, Driver};
use crate::spool::{self, Spool};

/// What a driver reads.
pub(crate) struct AdbcSource(Arc<Shared>);

struct Shared {
    database: Arc<Database>,
    tables: OnceCell<BTreeMap<String, Offered>>,
}

/// One table, described once.
struct Offered {
    query: String,
    described: OnceCell<Arc<Table>>,
}

impl SourceSettings for AdbcSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        if let Driver::File(path) = &self.driver
            && !path.is_file()
        {
            let doing = format!("load the driver {}", path.display());
            return Err(SourceError::new(
                SourceErrorKind::NotFound,
                doing,
                "there is no such file",
            )
            .help("set `driver` to the library of an ADBC driver"));
        }
        Ok(Arc::new(AdbcSource(Arc::new(Shared {
            database: Database::new(self.clone()),
            tables: OnceCell::new(),
        }))))
    }
}

#[async_trait]
impl Source for AdbcSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.tables().await?.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let offered = self.0.offered(table).await?;
        let describe = || self.0.describe(table, offered.query.clone());
        let described = offered.described.get_or_try_init(describe).await;
        described.cloned()
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let shared = Arc::clone(&self.0);
        let read = async move {
            match shared.read(scan).await {
                Ok(spool) => spool.batches(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(read).flatten().boxed()
    }
}

impl Shared {
    async fn tables(&self) -> Result<&BTreeMap<String, Offered>, SourceError> {
        let list = || async {
            let named = match &self.database.settings().tables {
                Some(tables) => tables.iter().cloned().collect(),
                None => self.list().await?,
            };
            let offered = |(name, query)| {
                let described = OnceCell::new();
                (name, Offered { query, described })
            };
            Ok(named.into_iter().map(offered).collect())
        };
        self.tables.get_or_try_init(list).await
    }

    async fn list(&self) -> Result<BTreeMap<String, String>, SourceError> {
        let database = Arc::clone(&self.database);
        beside(move |_| {
            let connected = database.connect()?;
            let listed = catalog::tables(&connected, database.settings());
            listed.map_err(|error| {
                let doing = format!("list the tables of the driver {}", database.name());
                failed(doing, &connected.secrets, &error)
                    .help("name the tables in `tables`, each with its query")
            })
        })
        .await
    }

    async fn offered(&self, table: &str) -> Result<&Offered, SourceError> {
        let tables = self.tables().await?;
        tables.get(table).ok_or_else(|| {
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => "the driver knows of no tables; name some in `tables`".to_owned(),
                _ => format!("its tables are {}", names.join(", ")),
            };
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {table}"), reason).help(help)
        })
    }

    /// What a query gives, found out by beginning it.
    async fn describe(&self, name: &str, query: String) -> Result<Arc<Table>, SourceError> {
        let (database, name) = (Arc::clone(&self.database), name.to_owned());
        beside(move |wanted| {
            let doing = || format!("describe {name}");
            let connected = database.connect()?;
            let secrets = connected.secrets.clone();
            let schema = run(connected, &query, wanted, |batches| {
                (spool::offered(&batches.schema()), Read::InPart)
            });
            let schema = schema.map_err(|error| failed(doing(), &secrets, &error))?;
            let mut names = BTreeSet::new();
            for field in schema.fields() {
                if !names.insert(field.name()) {
                    let reason = format!("it has two columns called `{}`", field.name());
                    let kind = SourceErrorKind::Pipeline;
                    return Err(SourceError::new(kind, doing(), reason)
                        .help("give each a name of its own: `SELECT a.id AS a_id, …`"));
                }
            }
            Ok(Arc::new(Table {
                name: name.clone(),
                schema,
                orders: Vec::new(),
                can_order: Vec::new(),
                rows: Rows::Unknown,
                notes: Vec::new(),
            }))
        })
        .await
    }

    async fn read(&self, scan: Scan) -> Result<Spool, SourceError> {
        let query = self.offered(&scan.table.name).await?.query.clone();
        let database = Arc::clone(&self.database);
        beside(move |wanted| {
            let connected = database.connect()?;
            let secrets = connected.secrets.clone();
            let read = run(connected, &query, wanted, |batches| {
                spool::read(batches, &scan, &secrets, wanted)
            });
            let doing = || format!("read {}", scan.table.name);
            read.map_err(|error| failed(doing(), &secrets, &error))?
        })
        .await
    }
}

impl fmt::Debug for AdbcSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdbcSource")
            .field("database", &self.0.database)
            .finish_non_exhaustive()
    }
}
