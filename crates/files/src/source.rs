//! Files as the tables of a source, whatever is in them.
//!
//! A connector says how it describes the files of a table and how it reads them, as a [`Format`];
//! everything else that a source promises is here. Both block, so each has a thread of its own.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_core::Filter;
use chatferry_core::source::{
    Batch, BatchStream, Scan, Source, SourceError, SourceErrorKind, Table,
};
use futures::future::FutureExt;
use futures::stream::{self, StreamExt};
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::address::Address;
use crate::root::{Root, Roots, stem};
use crate::template::Template;

/// Batches that wait for the consumer: one to be taken while the next is made.
const BATCHES_AHEAD: usize = 2;

/// How a connector reads the files of a table.
pub trait Format: 'static {
    /// What is set of a table.
    type Settings: Send + Sync;
    /// What a table was found to be.
    type Described: Send + Sync;

    /// Finds out what a table has. Looks now and then whether anybody still waits for the answer,
    /// and breaks off with any error when nobody does.
    ///
    /// # Errors
    ///
    /// When the files are not there or cannot be read.
    fn describe(
        name: &str,
        root: &Root,
        settings: &Self::Settings,
        waits: &dyn Fn() -> bool,
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

/// Nobody takes the rows any more.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// Who takes the batches of a scan.
#[derive(Debug)]
pub struct Consumer(mpsc::Sender<Result<Batch, SourceError>>);

impl Consumer {
    /// Gives a batch, and waits until there is room for it.
    pub fn give(&self, batch: Batch) -> ControlFlow<Gone> {
        match self.0.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Gone),
        }
    }
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
pub struct FileSource<F: Format> {
    tables: BTreeMap<String, Arc<Offered<F>>>,
    /// With what the names of files end that are tables by themselves.
    endings: &'static [&'static str],
}

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
    /// is a table, with the settings that `alone` gives for its path.
    ///
    /// # Errors
    ///
    /// When a root cannot be opened, or two files would be one table.
    pub fn open(
        tables: Vec<NamedTable<F::Settings>>,
        root: &Address,
        endings: &'static [&'static str],
        alone: impl Fn(Template) -> F::Settings,
    ) -> Result<Self, SourceError> {
        let mut roots = Roots::default();
        let mut offered = BTreeMap::new();
        let none = tables.is_empty();
        for NamedTable {
            name,
            root,
            settings,
        } in tables
        {
            offered.insert(name, Offered::of(roots.open(&root)?, settings));
        }
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        let names = match none {
            true => roots.open(root)?.names()?,
            false => Vec::new(),
        };
        for file in names {
            let Some(name) = stem(&file, endings).map(str::to_owned) else {
                continue;
            };
            let settings = alone(Template::literal(&file));
            offered.insert(name.clone(), Offered::of(roots.open(root)?, settings));
            if let Some(other) = files.insert(name.clone(), file.clone()) {
                let reason = format!("{other} and {file} would both be the table `{name}`");
                let kind = SourceErrorKind::Pipeline;
                return Err(SourceError::new(kind, "list the tables", reason)
                    .help("name the tables in `tables`, each with its path"));
            }
        }
        Ok(Self {
            tables: offered,
            endings,
        })
    }

    fn offered(&self, table: &str) -> Result<Arc<Offered<F>>, SourceError> {
        self.tables.get(table).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
            let help = match names.as_slice() {
                [] => format!(
                    "no file directly below the root has a name that ends in {}; set `path` or `tables`",
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

    async fn described(&self, name: &str) -> Result<Arc<F::Described>, SourceError> {
        let read = || async {
            let (name, root) = (name.to_owned(), Arc::clone(&self.root));
            let settings = Arc::clone(&self.settings);
            let (sender, receiver) = oneshot::channel();
            let thread = tokio::task::spawn_blocking(move || {
                let waits = || !sender.is_closed();
                let described = F::describe(&name, &root, &settings, &waits);
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

#[async_trait]
impl<F: Format> Source for FileSource<F> {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.tables.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let described = self.offered(table)?.described(table).await?;
        Ok(Arc::clone(F::table(&described)))
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let offered = self.tables.get(&table.name);
        let described = offered.and_then(|offered| offered.described.get());
        described.is_some_and(|described| F::honours(described, filter))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let name = scan.table.name.clone();
        let offered = self.offered(&name);
        let opened = async move {
            let offered = offered?;
            let described = offered.described(&name).await?;
            Ok((offered, described))
        };
        let opened = opened.map(move |opened: Result<_, SourceError>| match opened {
            Ok((offered, described)) => {
                let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
                let thread = tokio::task::spawn_blocking(move || {
                    let (root, settings) = (&offered.root, &offered.settings);
                    let consumer = Consumer(sender);
                    if let Err(error) = F::read(root, settings, &described, &scan, &consumer) {
                        // When nobody takes it, nobody needs it.
                        let _ = consumer.0.blocking_send(Err(error));
                    }
                });
                stream::unfold((receiver, Some(thread)), pull).boxed()
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        });
        stream::once(opened).flatten().boxed()
    }
}

type Sent = Result<Batch, SourceError>;
type Pulled = (mpsc::Receiver<Sent>, Option<JoinHandle<()>>);

async fn pull((mut receiver, mut thread): Pulled) -> Option<(Sent, Pulled)> {
    if let Some(sent) = receiver.recv().await {
        return Some((sent, (receiver, thread)));
    }
    if let Some(thread) = thread.take()
        && let Err(error) = thread.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
    None
}

impl<F: Format> Debug for FileSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<&String> = self.tables.keys().collect();
        f.debug_struct("FileSource")
            .field("tables", &tables)
            .finish_non_exhaustive()
    }
}
