//! The source: its tables, what they have, and their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatferry_config::suggest::did_you_mean;
use chatferry_core::Filter;
use chatferry_core::source::{
    BatchStream, Order, Rows, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use chatferry_files::{Inquiry, Root, found, given};
use chatferry_records::{self as records, TableSettings};
use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::catalog::{self, Collected};
use crate::described::{Described, is_ordered_by_id, wanted};
use crate::filter::condition;
use crate::page::Reading;
use crate::session::Session;
use crate::settings::MongoSettings;
use crate::tables::{TableOf, Tables};
use crate::text::{Hand, Text};
use crate::types::Noted;

/// A database's collections as tables.
struct MongoSource(Arc<Shared>);

struct Shared {
    settings: MongoSettings,
    session: OnceCell<Session>,
    tables: OnceCell<BTreeMap<String, Offered>>,
}

/// One table, described once.
struct Offered {
    collection: String,
    set: TableOf,
    is_plain: bool,
    described: OnceCell<Arc<Described>>,
}

impl SourceSettings for MongoSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        Ok(Arc::new(MongoSource(Arc::new(Shared {
            settings: self.clone(),
            session: OnceCell::new(),
            tables: OnceCell::new(),
        }))))
    }
}

#[async_trait]
impl Source for MongoSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.tables().await?.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let (_, described) = self.0.described(table).await?;
        Ok(Arc::clone(&described.records.table))
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let offered = self.0.tables.get().and_then(|all| all.get(&table.name));
        let described = offered.and_then(|offered| offered.described.get());
        described.is_some_and(|described| condition(described, filter).is_some())
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let shared = Arc::clone(&self.0);
        let begun = async move {
            match shared.begin(scan).await {
                Ok(batches) => batches,
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(begun).flatten().boxed()
    }
}

impl Shared {
    async fn session(&self) -> Result<&Session, SourceError> {
        let open = || Session::open(&self.settings);
        self.session.get_or_try_init(open).await
    }

    async fn tables(&self) -> Result<&BTreeMap<String, Offered>, SourceError> {
        self.tables.get_or_try_init(|| self.list()).await
    }

    async fn list(&self) -> Result<BTreeMap<String, Offered>, SourceError> {
        let session = self.session().await?;
        let listed = catalog::list(session).await?;
        let readable = || {
            let all = listed.iter();
            all.filter(|(_, collected)| **collected != Collected::Derived)
        };
        let all = || {
            let offered = |(name, collected): (&String, &Collected)| {
                let offered = Offered::new(name, TableOf::default(), *collected);
                (name.clone(), offered)
            };
            readable().map(offered).collect::<BTreeMap<_, _>>()
        };
        let named = |name: &str, set: &TableOf| match listed.get(name) {
            Some(Collected::Derived) => Err(derived(session, name)),
            Some(collected) => Ok(Offered::new(name, set.clone(), *collected)),
            None if set.optional => Ok(Offered::new(name, set.clone(), Collected::Plain)),
            None => {
                let names: Vec<&str> = readable().map(|(name, _)| name.as_str()).collect();
                Err(absent(session, name, &names))
            }
        };
        let mut tables = match &self.settings.tables {
            Tables::All | Tables::Set(_) => all(),
            Tables::Named(_) => BTreeMap::new(),
        };
        let offered: Vec<(String, Offered)> = match &self.settings.tables {
            Tables::All if tables.is_empty() => return Err(self.is_empty(session).await),
            Tables::All => Vec::new(),
            Tables::Named(names) => {
                let offer = |name: &String| Ok((name.clone(), named(name, &TableOf::default())?));
                names
                    .iter()
                    .map(offer)
                    .collect::<Result<_, SourceError>>()?
            }
            Tables::Set(set) => {
                let offer = |(name, set): (&String, &TableOf)| {
                    let collection = set.collection.as_ref().unwrap_or(name);
                    Ok((name.clone(), named(collection, set)?))
                };
                set.iter().map(offer).collect::<Result<_, SourceError>>()?
            }
        };
        tables.extend(offered);
        Ok(tables)
    }

    /// The error for a database without collections, which to MongoDB is one that is not there.
    async fn is_empty(&self, session: &Session) -> SourceError {
        let (doing, reason) = (
            format!("list the collections at {}", session.at),
            "there is no such database, or it is empty",
        );
        let all = session.databases().await;
        let others: Vec<&str> = all
            .iter()
            .map(String::as_str)
            .filter(|name| !["admin", "config", "local"].contains(name))
            .filter(|name| *name != session.database().name())
            .collect();
        let near = did_you_mean(session.database().name(), others.iter().copied());
        let help = match (near, others.as_slice()) {
            (Some(near), _) => near,
            (None, []) => "`database`, or the last part of `url`, names the database".to_owned(),
            (None, others) => format!("the server has {}", others.join(", ")),
        };
        SourceError::new(SourceErrorKind::NotFound, doing, reason).help(help)
    }

    async fn described(&self, table: &str) -> Result<(&Offered, Arc<Described>), SourceError> {
        let tables = self.tables().await?;
        let offered = tables.get(table).ok_or_else(|| {
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            let near = did_you_mean(table, names.iter().copied());
            let help = near.unwrap_or_else(|| format!("its tables are {}", names.join(", ")));
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {table}"), reason).help(help)
        })?;
        let session = self.session().await?;
        let describe = || async { offered.describe(table, session).await.map(Arc::new) };
        let described = offered.described.get_or_try_init(describe).await?;
        Ok((offered, Arc::clone(described)))
    }

    async fn begin(&self, scan: Scan) -> Result<BatchStream, SourceError> {
        let (offered, described) = self.described(&scan.table.name).await?;
        let mut reading = offered.reading(self.session().await?);
        let honoured = |filter| condition(&described, filter);
        reading
            .conditions
            .extend(scan.filters.iter().filter_map(honoured));
        reading.fields = wanted(&scan);
        let few = scan.limit.unwrap_or(usize::MAX);
        reading.rows = Some(scan.rows_per_batch.min(few));
        if !described.records.table.orders.is_empty() {
            reading.ids = Some(described.noted.types("_id"));
        }
        let (text, hand) = Text::of(reading);
        let root = offered.root(text);
        let settings = offered.settings();
        let batches = given(move |consumer| {
            records::read(&root, &settings, &described.records, &scan, consumer)
        });
        Ok(held(batches, hand))
    }
}

/// The same batches. Whoever lets go of them lets go of the reading.
fn held(batches: BatchStream, hand: Hand) -> BatchStream {
    let pass = move |batch| {
        let _ = &hand;
        batch
    };
    batches.map(pass).boxed()
}

impl Offered {
    fn new(collection: &str, set: TableOf, collected: Collected) -> Self {
        Self {
            collection: collection.to_owned(),
            set,
            is_plain: collected == Collected::Plain,
            described: OnceCell::new(),
        }
    }

    /// All that its table is made of.
    fn reading(&self, session: &Session) -> Reading {
        Reading {
            collection: session.database().collection(&self.collection),
            session: session.clone(),
            conditions: self.set.filter.iter().cloned().collect(),
            fields: None,
            rows: None,
            ids: None,
            noted: None,
        }
    }

    fn root(&self, text: Text) -> Root {
        Root::of(&self.collection, Arc::new(text))
    }

    fn settings(&self) -> TableSettings {
        TableSettings::lines(&self.collection, &self.set.schema)
    }

    async fn describe(&self, name: &str, session: &Session) -> Result<Described, SourceError> {
        let noted = Arc::new(Mutex::new(Noted::default()));
        let mut reading = self.reading(session);
        reading.noted = Some(Arc::clone(&noted));
        let (text, _hand) = Text::of(reading);
        let (root, settings) = (self.root(text), self.settings());
        let (name, columns) = (name.to_owned(), self.set.columns.clone());
        let records = found(move |waits| match &columns {
            Some(columns) => records::Described::declared(&name, &root, &settings, columns),
            None => records::describe(&name, &root, &settings, &Inquiry::of(waits)),
        });
        let mut records = records.await?;
        let noted = noted.lock().expect("no holder of this lock panics").clone();
        let table = Arc::make_mut(&mut records.table);
        // What else was in order may not be when it is read again.
        table.orders.clear();
        if is_ordered_by_id(table, &noted, self.is_plain) {
            table.orders.push(Order::by(["_id"]));
        }
        if let Rows::Exactly(rows) = table.rows {
            table.rows = Rows::About(rows);
        }
        Ok(Described {
            records,
            noted,
            is_plain: self.is_plain,
        })
    }
}

fn absent(session: &Session, name: &str, names: &[&str]) -> SourceError {
    let doing = format!("list the collections at {}", session.at);
    let reason = format!("there is no collection called `{name}`");
    let near = did_you_mean(name, names.iter().copied());
    let help = match (near, names) {
        (Some(near), _) => near,
        (None, []) => "the database is empty; is it the right one?".to_owned(),
        (None, names) => format!("it has {}", names.join(", ")),
    };
    SourceError::new(SourceErrorKind::NotFound, doing, reason).help(help)
}

fn derived(session: &Session, name: &str) -> SourceError {
    let doing = format!("read `{name}` at {}", session.at);
    let reason = "it is a view or a time series, which has no key to be read by";
    SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help("read the collection behind it, and make the view in `[views]`")
}

impl fmt::Debug for MongoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoSource")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
