//! The source: its tables, what they have, and their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_child::Switch;
use chatferry_core::Bookmark;
use chatferry_core::source::{
    BatchStream, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use chatferry_files::{Root, Template, found, given};
use chatferry_records::{Described, Kind, TableSettings, read};
use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::catalog::{Catalog, Selection, Stream, Which};
use crate::origin::{Known, Origin, Reading};
use crate::schema;
use crate::settings::{From, SingerSettings, TableOf};
use crate::stream::Wanted;

/// The streams of a tap as tables.
struct Singer(Arc<Offers>);

struct Offers {
    origin: Origin,
    /// The tables, where not each stream is one.
    named: Option<Vec<TableOf>>,
    /// Which rows are wanted of a table that does not say so.
    which: Which,
    offered: OnceCell<Offered>,
}

/// What there is, looked for once.
struct Offered {
    known: Known,
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
    which: Which,
}

impl SourceSettings for SingerSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        Ok(Arc::new(Singer(Arc::new(Offers {
            origin: Origin::of(&self.from)?,
            named: self.tables.clone(),
            which: match self.state {
                true => Which::SinceState,
                false => Which::All,
            },
            offered: OnceCell::new(),
        }))))
    }

    fn with_standard_input(&self, file: &Path) -> Option<Box<dyn SourceSettings>> {
        matches!(self.from, From::StandardInput).then(|| {
            let settings = Self {
                from: From::File(file.to_owned()),
                ..self.clone()
            };
            Box::new(settings) as Box<dyn SourceSettings>
        })
    }
}

impl Offers {
    async fn offered(&self) -> Result<&Offered, SourceError> {
        let ask = || async {
            let switch = Switch::default();
            let _hand = switch.hand();
            let origin = self.origin.clone();
            let known = found(move |_| origin.known(&switch)).await?;
            let catalog = &known.catalog;
            let mut tables = BTreeMap::new();
            match &self.named {
                Some(named) => {
                    for table in named {
                        let Some(stream) = catalog.stream(&table.stream) else {
                            // A tap that has nothing new to tell of a stream may leave it out.
                            let is_file = matches!(self.origin, Origin::File(_));
                            if is_file && !table.schema.is_empty() {
                                let one = OneTable::empty(table);
                                tables.insert(table.name.clone(), Arc::new(one));
                                continue;
                            }
                            return Err(self.missing(table, catalog));
                        };
                        let which = table.which.as_ref().unwrap_or(&self.which);
                        if let Which::Since(key) = which {
                            has_key(&table.name, stream, key)?;
                        }
                        let one = OneTable::of(&table.name, stream, &table.schema, which);
                        tables.insert(table.name.clone(), Arc::new(one));
                    }
                }
                None => {
                    for stream in catalog.streams() {
                        let name = stream.name().to_owned();
                        let one = OneTable::of(&name, stream, &[], &self.which);
                        tables.insert(name, Arc::new(one));
                    }
                }
            }
            Ok(Offered { known, tables })
        };
        self.offered.get_or_try_init(ask).await
    }

    async fn table(&self, name: &str) -> Result<(&Known, Arc<OneTable>), SourceError> {
        let offered = self.offered().await?;
        let table = offered.tables.get(name).ok_or_else(|| {
            let names: Vec<&str> = offered.tables.keys().map(String::as_str).collect();
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {name}"), reason)
                .help(format!("its tables are {}", names.join(", ")))
        })?;
        Ok((&offered.known, Arc::clone(table)))
    }

    fn missing(&self, table: &TableOf, catalog: &Catalog) -> SourceError {
        let names: Vec<&str> = catalog.streams().map(Stream::name).collect();
        let doing = format!("read {}", table.name);
        let reason = format!(
            "`{}` has no stream `{}`",
            self.origin.written(),
            table.stream
        );
        let help = match (names.as_slice(), &self.origin) {
            ([], _) => "it has no streams".to_owned(),
            (names, Origin::Tap(_)) => format!("its streams are {}", names.join(", ")),
            (names, Origin::File(_)) => format!(
                "its streams are {}; a stream that may be left out has all its columns under \
                 `schema`, and then has no rows",
                names.join(", ")
            ),
        };
        SourceError::new(SourceErrorKind::NotFound, doing, reason).help(help)
    }
}

impl OneTable {
    /// A stream as a table, with these types of columns in place of its own.
    fn of(name: &str, stream: Stream<'_>, declared: &[(String, Kind)], which: &Which) -> Self {
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
            which: which.clone(),
        }
    }

    /// A stream that is not there, as the table that it is declared to be.
    fn empty(table: &TableOf) -> Self {
        Self {
            described: Arc::new(chatferry_records::declared(&table.name, &table.schema)),
            of_stream: vec![false; table.schema.len()],
            columns: table.schema.clone(),
            names: vec![table.stream.clone()],
            which: Which::All,
        }
    }

    /// What is read of the stream to have these columns, where the bookmark says.
    fn wanted(
        &self,
        origin: &Origin,
        columns: &[usize],
        bookmark: &Bookmark,
    ) -> (Selection, Wanted) {
        let of_file = matches!(origin, Origin::File(_));
        let mut wanted = columns.to_vec();
        // A tap of which nothing is wanted may give nothing, and then nobody can count its rows.
        if wanted.is_empty() {
            wanted.extend((0..self.columns.len()).take(1));
        }
        let of_stream = wanted.iter().filter(|at| self.of_stream[**at]);
        let wanted_of_tap = Wanted {
            tap: origin.written(),
            names: self.names.clone(),
            columns: of_stream.map(|at| self.columns[*at].clone()).collect(),
            of_file,
            bookmark: (self.which != Which::All).then(|| bookmark.clone()),
        };
        let properties = wanted.iter().map(|at| self.columns[*at].0.clone());
        let selection = Selection {
            stream: self.names[0].clone(),
            properties: properties.collect(),
            which: self.which.clone(),
        };
        (selection, wanted_of_tap)
    }

    /// From where the tap goes on, if it has told so to whoever left the bookmark.
    fn state(&self, bookmark: &Bookmark) -> Option<String> {
        let state = bookmark.begins().filter(|_| self.which != Which::All);
        state.map(str::to_owned)
    }
}

/// Makes sure that a stream has the property by which what has changed is known.
fn has_key(table: &str, stream: Stream<'_>, key: &str) -> Result<(), SourceError> {
    let columns = schema::columns(stream.schema());
    if columns.iter().any(|(name, _)| name == key) {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let reason = format!("its `replication_key` is `{key}`, which the stream does not have");
    let doing = format!("read {table}");
    Err(SourceError::new(SourceErrorKind::NotFound, doing, reason)
        .help(format!("it has {}", names.join(", "))))
}

/// What a table is called in messages and places. Lines are counted anew from each state and in
/// each file, so that it tells those apart.
fn name_of(stream: &str, origin: &str, state: Option<&str>, file: Option<u64>) -> String {
    if let Some(state) = state {
        let hash = twox_hash::XxHash3_64::oneshot(state.as_bytes()) >> 32;
        return format!("{stream} of `{origin}` since state {hash:08x}");
    }
    match file.map(|hash| hash >> 32) {
        Some(hash) => format!("{stream} of `{origin}` {hash:08x}"),
        None => format!("{stream} of `{origin}`"),
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
            let (known, table) = match offers.table(&scan.table.name).await {
                Ok(found) => found,
                Err(error) => return stream::iter([Err(error)]).boxed(),
            };
            let (catalog, hash) = (Arc::clone(&known.catalog), known.hash);
            let origin = offers.origin.clone();
            given(move |consumer| {
                let written = origin.written();
                let (selection, wanted) = table.wanted(&origin, &scan.columns, &scan.bookmark);
                let state = table.state(&scan.bookmark);
                let name = name_of(&selection.stream, &written, state.as_deref(), hash);
                let settings = TableSettings::of(Template::literal(&name));
                let reading = Reading {
                    origin,
                    catalog,
                    selection,
                    wanted,
                    state,
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
        f.debug_tuple("Singer").field(&self.0.origin).finish()
    }
}
