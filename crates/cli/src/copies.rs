//! Copies of sources, each as of one moment where a source has moments.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatferry_config::{NamedSource, StandIn as _};
use chatferry_core::Filter;
use chatferry_core::source::{BatchStream, Scan, Source, SourceError, Table};
use chatferry_parquet::snapshot::{Snapshot, SnapshotError, SnapshotWriter};
use tempfile::TempDir;

use crate::account::{count, counted};
use crate::pipeline::{self, Opened, Sources};
use crate::progress::Steps;
use crate::signals::listen;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Which tables are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All that the sources offer.
    All,
    /// Those that the pipeline reads.
    Read,
    /// Those that it reads of sources that are wanted as of one moment.
    OfOneMoment,
}

impl Which {
    fn has(self, source: &NamedSource) -> bool {
        self != Self::OfOneMoment || source.settings.wants_one_moment()
    }
}

/// Copies tables of a pipeline's sources, one source after the other: each is let go of before the
/// next one is asked.
///
/// # Errors
///
/// When the pipeline has mistakes, a source cannot be read, or the copy cannot be written.
pub(crate) async fn copies(
    opened: &Opened,
    which: Which,
    snapshot: &mut SnapshotWriter,
    terminal: &Terminal,
    steps: &mut Steps,
) -> Result<(), Trouble> {
    let mut noticed = Vec::new();
    let sources = opened.sources()?.into_iter().map(|(name, source)| {
        let source = Arc::new(Noticed {
            source,
            described: Mutex::default(),
        });
        noticed.push(Arc::clone(&source));
        (name, source as Arc<dyn Source>)
    });
    let sources: Sources = sources.collect();
    if which != Which::All {
        // Whatever is planned to be read is described for it.
        opened.plan_over(sources, terminal).await?;
    }
    for (named, noticed) in opened.pipeline.sources.iter().zip(&noticed) {
        if !which.has(named) {
            continue;
        }
        let moment = noticed.source.at_one_moment().await?;
        snapshot.source(&named.name, &named.connector, moment.is_some())?;
        let source = moment.as_ref().unwrap_or(&noticed.source);
        let tables = match which {
            Which::All => source.tables().await?,
            Which::Read | Which::OfOneMoment => noticed.described(),
        };
        for table in tables {
            let mut seen = |rows: u64, expected: Option<u64>| {
                steps.show(&|| match expected {
                    Some(of) => format!(
                        "{}.{table}: {} of {}",
                        named.name,
                        count(rows),
                        count(of.max(rows))
                    ),
                    None => format!("{}.{table}: {}", named.name, count(rows)),
                });
            };
            snapshot.table(source, &table, &mut seen).await?;
        }
    }
    Ok(())
}

impl From<SnapshotError> for Trouble {
    fn from(error: SnapshotError) -> Self {
        let message = error.to_string();
        match error {
            SnapshotError::Source(error) => error.into(),
            SnapshotError::Exists(_) => Self::new(Exit::Usage, message)
                .help("name a folder that is not there; a snapshot is never written over another"),
            SnapshotError::Write { .. } => Self::new(Exit::Usage, message).help(
                "it needs a folder that can be written to and has room: beside what `--to` names, \
                 or for `snapshot = true` the one that `spill` under `[engine]` names",
            ),
        }
    }
}

/// Copies of those sources that are wanted as of one moment, for as long as they are read. They go
/// away with it.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: TempDir,
}

/// The copies, within the folder.
const COPIES: &str = "copies";

impl Spool {
    /// Makes the copies, and lets go of the sources.
    ///
    /// # Errors
    ///
    /// As for [`copies`], and when it was stopped before its end.
    pub(crate) async fn fill(opened: &Opened, terminal: &Terminal) -> Result<Self, Trouble> {
        let spill = opened.pipeline.engine.spill.as_deref();
        let folder = folder(spill.unwrap_or(&std::env::temp_dir()))?;
        let now = chrono::Utc::now().to_rfc3339();
        let mut snapshot = SnapshotWriter::begin(
            &folder.path().join(COPIES),
            env!("CARGO_PKG_VERSION"),
            &opened.pipeline.name,
            &now,
        )?;
        let mut steps = Steps::new(terminal);
        let (stop, mut stopped) = chatferry_runtime::stop();
        let listener = listen(stop, steps.voice());
        let copied = tokio::select! {
            copied = copies(opened, Which::OfOneMoment, &mut snapshot, terminal, &mut steps) => copied,
            _ = stopped.wait_for(|stopped| *stopped) => {
                let help = "nothing was sent; the same command begins anew";
                Err(Trouble::new(Exit::Stopped, "stopped while the sources were copied").help(help))
            }
        };
        drop(listener);
        steps.finish();
        copied?;
        let manifest = snapshot.finish(&now)?;
        for source in &manifest.sources {
            let rows = source.tables.iter().map(|table| table.rows).sum();
            let tables = source.tables.len() as u64;
            terminal.say(&format!(
                "{} was copied as of one moment: {}, {}",
                source.source,
                counted(tables, "table"),
                counted(rows, "row")
            ));
        }
        Ok(Self { folder })
    }

    /// The sources of a pipeline, those that were copied as their copies.
    ///
    /// # Errors
    ///
    /// When one cannot be opened.
    pub(crate) fn sources(&self, opened: &Opened) -> Result<Sources, Trouble> {
        let copies = Snapshot::open(&self.folder.path().join(COPIES))?;
        let sources = opened.pipeline.sources.iter().map(|source| {
            let name = source.name.clone();
            Ok(match Which::OfOneMoment.has(source) {
                true => (name, copies.source(&source.name).open()?),
                false => (name, pipeline::open_source(source)?),
            })
        });
        sources.collect()
    }
}

/// A folder there that nobody else may read: it is to hold what people wrote.
fn folder(within: &Path) -> Result<TempDir, Trouble> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("chatferry-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within).map_err(|error| {
        Trouble::from(SnapshotError::Write {
            path: within.to_owned(),
            reason: error.to_string(),
        })
    })
}

/// A source that notices which of its tables are asked for.
#[derive(Debug)]
struct Noticed {
    source: Arc<dyn Source>,
    described: Mutex<BTreeSet<String>>,
}

impl Noticed {
    fn described(&self) -> Vec<String> {
        let described = self.described.lock();
        let described = described.expect("no holder of this lock panics");
        described.iter().cloned().collect()
    }
}

#[async_trait]
impl Source for Noticed {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        self.source.tables().await
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let described = self.source.describe(table).await?;
        self.described
            .lock()
            .expect("no holder of this lock panics")
            .insert(table.to_owned());
        Ok(described)
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        self.source.honours(table, filter)
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        self.source.scan(scan)
    }
}
