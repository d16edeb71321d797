//! The source: its tables, what they have, and their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_core::source::{
    BatchStream, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use chatferry_files::{Root, Roots, Template, stem};
use futures::FutureExt;
use tokio::sync::{OnceCell, oneshot};

use crate::describe::{Described, describe};
use crate::scan::{Reading, batches};
use crate::settings::{JsonSettings, TableSettings};

/// Endings of the files that are tables by themselves.
const ENDINGS: [&str; 3] = [".jsonl", ".ndjson", ".json"];

/// JSON files as tables.
pub(crate) struct JsonSource {
    tables: BTreeMap<String, Arc<Offered>>,
}

/// One table, described once.
struct Offered {
    root: Arc<Root>,
    settings: Arc<TableSettings>,
    described: OnceCell<Arc<Described>>,
}

impl SourceSettings for JsonSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let mut roots = Roots::default();
        let mut tables: BTreeMap<String, TableSettings> = self.tables.iter().cloned().collect();
        if tables.is_empty() {
            for file in roots.open(&self.root)?.names()? {
                let Some(name) = stem(&file, &ENDINGS).map(str::to_owned) else {
                    continue;
                };
                let settings = TableSettings::of(self.root.clone(), Template::literal(&file));
                if let Some(other) = tables.insert(name.clone(), settings) {
                    let other = other.template.written().to_owned();
                    let reason = format!("{other} and {file} would both be the table `{name}`");
                    return Err(SourceError::new(
                        SourceErrorKind::Pipeline,
                        "list the tables",
                        reason,
                    )
                    .help("name the tables in `tables`, each with its path"));
                }
            }
        }
        let offer = |(name, settings): (String, TableSettings)| {
            let offered = Offered {
                root: roots.open(&settings.root)?,
                settings: Arc::new(settings),
                described: OnceCell::new(),
            };
            Ok((name, Arc::new(offered)))
        };
        let tables = tables.into_iter().map(offer);
        Ok(Arc::new(JsonSource {
            tables: tables.collect::<Result<_, SourceError>>()?,
        }))
    }
}

#[async_trait]
impl Source for JsonSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.tables.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let offered = self.offered(table)?;
        Ok(Arc::clone(&offered.described(table).await?.table))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let table = Arc::clone(&scan.table);
        let offered = self.offered(&table.name);
        let reading = async move {
            let offered = offered?;
            let described = offered.described(&table.name).await?;
            Ok(Reading {
                root: Arc::clone(&offered.root),
                settings: Arc::clone(&offered.settings),
                described,
            })
        };
        batches(reading.boxed(), scan)
    }
}

impl JsonSource {
    fn offered(&self, table: &str) -> Result<Arc<Offered>, SourceError> {
        self.tables.get(table).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => {
                    "the folder has no `.json`, `.jsonl` or `.ndjson` file; set `path` or `tables`"
                        .into()
                }
                _ => format!("its tables are {}", names.join(", ")),
            };
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {table}"), reason).help(help)
        })
    }
}

impl Offered {
    async fn described(&self, name: &str) -> Result<Arc<Described>, SourceError> {
        let read = || async {
            let (name, root) = (name.to_owned(), Arc::clone(&self.root));
            let settings = Arc::clone(&self.settings);
            let (sender, receiver) = oneshot::channel();
            let thread = tokio::task::spawn_blocking(move || {
                let described = describe(&name, &root, &settings, &sender);
                // When nobody waits any more, nobody needs it.
                let _ = sender.send(described);
            });
            match receiver.await {
                Ok(described) => described.map(Arc::new),
                Err(_) => match thread.await {
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    _ => Err(SourceError::new(
                        SourceErrorKind::Failed,
                        "read",
                        "the program ends",
                    )),
                },
            }
        };
        self.described.get_or_try_init(read).await.cloned()
    }
}

impl fmt::Debug for JsonSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<&String> = self.tables.keys().collect();
        f.debug_struct("JsonSource")
            .field("tables", &tables)
            .finish()
    }
}
