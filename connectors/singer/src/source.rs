//! The source: its tables, what they have, and their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_child::Switch;
use chatferry_core::source::{
    BatchStream, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use chatferry_files::{Root, Template, found, given};
use chatferry_records::{Described, Kind, TableSettings, read};
use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::catalog::{Catalog, Stream};
use crate::schema;
use crate::settings::{SingerSettings, TableOf};
use crate::stream::Wanted;
use crate::tap::{Reading, Tap};

/// The streams of a tap as tables.
struct Singer(Arc<Offers>);

struct Offers {
    tap: Tap,
    /// The tables, where not each stream is one.
    named: Option<Vec<TableOf>>,
    offered: OnceCell<Offered>,
}

/// What the tap has, asked for once.
struct Offered {
    catalog: Arc<Catalog>,
    tables: BTreeMap<String, Arc<OneTable>>,
}

/// One table.
struct OneTable {
    described: Arc<Table>,
    columns: Vec<(String, Kind)>,
    /// Those of the columns whose types are the stream's.
    of_stream: Vec<bool>,
    /// What it goes by in the catalog, first as its records name it.
    names: Vec<String>,
}

impl SourceSettings for SingerSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        Ok(Arc::new(Singer(Arc::new(Offers {
            tap: Tap::of(self),
            named: self.tables.clone(),
            offered: OnceCell::new(),
        }))))
    }
}

impl Offers {
    async fn offered(&self) -> Result<&Offered, SourceError> {
        let ask = || async {
            let switch = Switch::default();
            let _hand = switch.hand();
            let tap = self.tap.clone();
            let catalog = found(move |_| tap.catalog(&switch)).await?;
            let mut tables = BTreeMap::new();
            match &self.named {
                Some(named) => {
                    for table in named {
                        let stream = catalog.stream(&table.stream);
                        let stream = stream.ok_or_else(|| self.missing(table, &catalog))?;
                        let one = OneTable::of(&table.name, stream, &table.schema);
                        tables.insert(table.name.clone(), Arc::new(one));
                    }
                }
                None => {
                    for stream in catalog.streams() {
                        let name = stream.name().to_owned();
                        let one = OneTable::of(&name, stream, &[]);
                        tables.insert(name, Arc::new(one));
                    }
                }
            }
            let catalog = Arc::new(catalog);
            Ok(Offered { catalog, tables })
        };
        self.offered.get_or_try_init(ask).await
    }

    async fn table(&self, name: &str) -> Result<(Arc<Catalog>, Arc<OneTable>), SourceError> {
        let offered = self.offered().await?;
        let table = offered.tables.get(name).ok_or_else(|| {
            let names: Vec<&str> = offered.tables.keys().map(String::as_str).collect();
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {name}"), reason)
                .help(format!("its tables are {}", names.join(", ")))
        })?;
        Ok((Arc::clone(&offered.catalog), Arc::clone(table)))
    }

    fn missing(&self, table: &TableOf, catalog: &Catalog) -> SourceError {
        let names: Vec<&str> = catalog.streams().map(Stream::name).collect();
        let doing = format!("read {}", table.name);
        let reason = format!("`{}` has no stream `{}`", self.tap.written(), table.stream);
        SourceError::new(SourceErrorKind::NotFound, doing, reason)
            .help(format!("its streams are {}", names.join(", ")))
    }
}

impl OneTable {
    /// A stream as a table, with these types of columns in place of its own.
    fn of(name: &str, stream: Stream<'_>, declared: &[(String, Kind)]) -> Self {
        let mut columns = schema::columns(stream.schema());
        let mut of_stream = vec![true; columns.len()];
        for (column, kind) in declared {
            match columns.iter().position(|(name, _)| name == column) {
                Some(at) => (columns[at].1, of_stream[at]) = (kind.clone(), false),
                None => {
                    columns.push((column.clone(), kind.clone()));
                    of_stream.push(false);
                }
            }
        }
        let table = chatferry_records::declared(name, &columns);
        Self {
            described: Arc::new(table),
            columns,
            of_stream,
            names: vec![stream.name().to_owned(), stream.id().to_owned()],
        }
    }

    /// What is read of the stream to have these columns.
    fn wanted(&self, tap: &str, columns: &[usize]) -> Wanted {
        let mut wanted = columns.to_vec();
        // A tap of which nothing is wanted may give nothing, and then nobody can count its rows.
        if wanted.is_empty() {
            wanted.extend((0..self.columns.len()).take(1));
        }
        let of_stream = wanted.iter().filter(|at| self.of_stream[**at]);
        Wanted {
            tap: tap.to_owned(),
            names: self.names.clone(),
            selected: wanted
                .iter()
                .map(|at| self.columns[*at].0.clone())
                .collect(),
            columns: of_stream.map(|at| self.columns[*at].clone()).collect(),
        }
    }
}

#[async_trait]
impl Source for Singer {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.offered().await?.tables.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let (_, table) = self.0.table(table).await?;
        Ok(Arc::clone(&table.described))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let offers = Arc::clone(&self.0);
        let switch = Switch::default();
        let hand = switch.hand();
        let begun = async move {
            let (catalog, table) = match offers.table(&scan.table.name).await {
                Ok(found) => found,
                Err(error) => return stream::iter([Err(error)]).boxed(),
            };
            let tap = offers.tap.clone();
            given(move |consumer| {
                let wanted = table.wanted(tap.written(), &scan.columns);
                let name = format!("{} of `{}`", wanted.names[0], tap.written());
                let settings = TableSettings::of(Template::literal(&name));
                let reading = Reading {
                    tap,
                    catalog,
                    wanted,
                    switch,
                };
                let root = Root::of(&name, Arc::new(reading));
                let table = &table.columns;
                let described = Described::declared(&scan.table.name, &root, &settings, table)?;
                read(&root, &settings, &described, &scan, consumer)
            })
        };
        // Whoever lets go of the rows lets go of the tap.
        let held = move |batch| hand.pass(batch);
        stream::once(begun).flatten().map(held).boxed()
    }
}

impl fmt::Debug for Singer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Singer").field(&self.0.tap).finish()
    }
}
