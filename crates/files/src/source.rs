//! Files as the tables of a source, whatever is in them.
//!
//! A connector says how it describes the files of a table and how it reads them, as a [`Format`];
//! everything else that a source promises is here. Both block, so each has a thread of its own.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use chatferry_core::Filter;
use chatferry_core::cache::Cache;
use chatferry_core::source::{BatchStream, Scan, Source, SourceError, SourceErrorKind, Table};
use futures::future::FutureExt;
use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::address::Address;
use crate::inquiry::Inquiry;
use crate::root::{Root, Roots, stem};
use crate::template::Template;
use crate::thread::{Consumer, Gone, ended, found, given};

/// How a connector reads the files of a table.
pub trait Format: 'static {
    /// What is set of a table.
    type Settings: Send + Sync;
    /// What a table was found to be.
    type Described: Send + Sync;

    /// Finds out what a table has. Looks now and then whether anybody still waits for the answer,
    /// and breaks off with any error when nobody does. What takes long to find out may be kept for the
    /// next [inquiry](Inquiry::cached).
    ///
    /// # Errors
    ///
    /// When the files are not there or cannot be read.
    fn describe(
        name: &str,
        root: &Root,
        settings: &Self::Settings,
        inquiry: &Inquiry<'_>,
    ) -> Result<Self::Described, SourceError>;

    /// What the source tells of a table.
    fn table(described: &Self::Described) -> &Arc<Table>;

    /// As [`Source::honours`].
    fn honours(described: &Self::Described, filter: &Filter) -> bool {
        let _ = (described, filter);
        false
    }

    /// Gives the rows of a table to the consumer, until they end or nobody takes them.
    ///
    /// # Errors
    ///
    /// When a file cannot be read any further. It follows the batches that were given.
    fn read(
        root: &Root,
        settings: &Self::Settings,
        described: &Self::Described,
        scan: &Scan,
        consumer: &Consumer,
    ) -> Result<ControlFlow<Gone>, SourceError>;
}

/// One table, where its files are, and what is set of it.
#[derive(Clone, Debug)]
pub struct NamedTable<S> {
    /// Its name.
    pub name: String,
    /// Where its files are.
    pub root: Address,
    /// What is set of it.
    pub settings: S,
}

/// The tables of a source.
pub struct FileSource<F: Format>(Arc<Offers<F>>);

/// What a source offers.
struct Offers<F: Format> {
    tables: OnceCell<Tables<F>>,
    /// Where to look for tables; `None` when they are named.
    root: Option<Arc<Root>>,
    /// With what the names of files end that are tables by themselves.
    endings: &'static [&'static str],
    /// What is set of such a table.
    alone: Arc<dyn Fn(Template) -> F::Settings + Send + Sync>,
    /// Where to keep what is found out about them.
    cache: OnceLock<Arc<dyn Cache>>,
}

type Tables<F> = BTreeMap<String, Arc<Offered<F>>>;

/// One table, described once.
struct Offered<F: Format> {
    root: Arc<Root>,
    settings: Arc<F::Settings>,
    described: OnceCell<Arc<F::Described>>,
}

impl<F: Format> FileSource<F> {
    /// A source of these tables.
    ///
    /// When there are none, each file directly below the root whose name has one of the `endings`
    /// is a table, with the settings that `alone` gives for its path. They are looked for when
    /// somebody asks for them.
    ///
    /// # Errors
    ///
    /// When a root cannot be opened.
    pub fn open(
        tables: Vec<NamedTable<F::Settings>>,
        root: &Address,
        endings: &'static [&'static str],
        alone: impl Fn(Template) -> F::Settings + Send + Sync + 'static,
    ) -> Result<Self, SourceError> {
        let mut roots = Roots::default();
        let offer = |table: NamedTable<F::Settings>| {
            let root = roots.open(&table.root)?;
            Ok((table.name, Offered::of(root, table.settings)))
        };
        let named: Vec<_> = tables.into_iter().map(offer).collect::<Result<_, _>>()?;
        let (tables, root) = match named.is_empty() {
            true => (None, Some(roots.open(root)?)),
            false => (Some(named.into_iter().collect()), None),
        };
        Ok(Self(Arc::new(Offers {
            tables: OnceCell::new_with(tables),
            root,
            endings,
            alone: Arc::new(alone),
            cache: OnceLock::new(),
        })))
    }
}

impl<F: Format> Offers<F> {
    /// The tables, looked for once.
    async fn tables(&self) -> Result<&Tables<F>, SourceError> {
        let look = || async {
            let root = self.root.as_ref().expect("tables are named or looked for");
            let below = Arc::clone(root);
            let named = tokio::task::spawn_blocking(move || below.names()).await;
            let names = match named {
                Ok(names) => names?,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => return Err(ended()),
            };
            let mut tables = BTreeMap::new();
            let mut files: BTreeMap<String, String> = BTreeMap::new();
            for file in names {
                let Some(name) = stem(&file, self.endings).map(str::to_owned) else {
                    continue;
                };
                let settings = (self.alone)(Template::literal(&file));
                let offered = Offered::of(Arc::clone(root), settings);
                tables.insert(name.clone(), offered);
                if let Some(other) = files.insert(name.clone(), file.clone()) {
                    let reason = format!("{other} and {file} would both be the table `{name}`");
                    let kind = SourceErrorKind::Pipeline;
                    return Err(SourceError::new(kind, "list the tables", reason)
                        .help("name the tables in `tables`, each with its path"));
                }
            }
            Ok(tables)
        };
        self.tables.get_or_try_init(look).await
    }

    async fn offered(&self, table: &str) -> Result<Arc<Offered<F>>, SourceError> {
        let tables = self.tables().await?;
        tables.get(table).cloned().ok_or_else(|| {
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => format!(
                    "no file directly below the root has a name that ends in {}; set `path` or \
                     `tables`",
                    self.endings.join(", ")
                ),
                _ => format!("its tables are {}", names.join(", ")),
            };
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {table}"), reason).help(help)
        })
    }
}

impl<F: Format> Offered<F> {
    fn of(root: Arc<Root>, settings: F::Settings) -> Arc<Self> {
        Arc::new(Self {
            root,
            settings: Arc::new(settings),
            described: OnceCell::new(),
        })
    }

    async fn described(
        &self,
        name: &str,
        cache: Option<&Arc<dyn Cache>>,
    ) -> Result<Arc<F::Described>, SourceError> {
        let read = || async {
            let (name, root) = (name.to_owned(), Arc::clone(&self.root));
            let (settings, cache) = (Arc::clone(&self.settings), cache.cloned());
            let describe = move |waits: &dyn Fn() -> bool| {
                let inquiry = Inquiry::of(waits).kept_in(cache.as_deref());
                F::describe(&name, &root, &settings, &inquiry)
            };
            found(describe).await.map(Arc::new)
        };
        self.described.get_or_try_init(read).await.cloned()
    }
}

#[async_trait]
impl<F: Format> Source for FileSource<F> {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.tables().await?.keys().cloned().collect())
    }

    fn keep_in(&self, cache: Arc<dyn Cache>) {
        // The first one is kept: what was asked meanwhile is already known.
        let _ = self.0.cache.set(cache);
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let (offered, cache) = (self.0.offered(table).await?, self.0.cache.get());
        let described = offered.described(table, cache).await?;
        Ok(Arc::clone(F::table(&described)))
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let tables = self.0.tables.get();
        let offered = tables.and_then(|tables| tables.get(&table.name));
        let described = offered.and_then(|offered| offered.described.get());
        described.is_some_and(|described| F::honours(described, filter))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let offers = Arc::clone(&self.0);
        let opened = async move {
            let name = &scan.table.name;
            let offered = offers.offered(name).await?;
            let described = offered.described(name, offers.cache.get()).await?;
            Ok((offered, described, scan))
        };
        let opened = opened.map(move |opened: Result<_, SourceError>| match opened {
            Ok((offered, described, scan)) => given(move |consumer| {
                let (root, settings) = (&offered.root, &offered.settings);
                F::read(root, settings, &described, &scan, consumer)
            }),
            Err(error) => stream::iter([Err(error)]).boxed(),
        });
        stream::once(opened).flatten().boxed()
    }
}

impl<F: Format> Debug for FileSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Option<Vec<&String>> =
            self.0.tables.get().map(|tables| tables.keys().collect());
        f.debug_struct("FileSource")
            .field("root", &self.0.root)
            .field("tables", &tables)
            .finish_non_exhaustive()
    }
}
