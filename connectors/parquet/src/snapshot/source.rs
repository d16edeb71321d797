//! A snapshot, read as if it were the sources that it was copied from.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chatferry_config::StandIn;
use chatferry_core::source::{
    Batch, BatchStream, Order, Rows, Scan, Source, SourceError, SourceErrorKind, SourceSettings,
    Table,
};
use chatferry_core::{Filter, RejectedRow};
use chatferry_files::{Address, FileSource, NamedTable, Template};
use futures::stream::{self, StreamExt};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use tokio::sync::OnceCell;
use twox_hash::XxHash3_64;

use crate::convert::converted;
use crate::settings::TableSettings;
use crate::snapshot::checksum::difference;
use crate::snapshot::kept::original;
use crate::snapshot::manifest::{FILE, FORM, Kept, KeptSource, KeptTable, Manifest};
use crate::snapshot::rejected::Reread;
use crate::source::{ENDINGS, Parquet};

/// A folder that [`SnapshotWriter`](super::SnapshotWriter) made.
#[derive(Debug)]
pub struct Snapshot {
    folder: PathBuf,
    manifest: Arc<Manifest>,
    /// Stands for what the manifest says.
    digest: u64,
}

impl Snapshot {
    /// Opens the snapshot in that folder. Its files are looked at when they are needed.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn open(folder: &Path) -> Result<Self, SourceError> {
        let doing = format!("read the snapshot {}", folder.display());
        let error = |kind, reason: String| SourceError::new(kind, doing.clone(), reason);
        let text = std::fs::read(folder.join(FILE)).map_err(|failed| match failed.kind() {
            io::ErrorKind::NotFound => error(
                SourceErrorKind::NotFound,
                format!("there is no {FILE} in it"),
            )
            .help("name a folder that `chatferry snapshot` made"),
            _ => error(SourceErrorKind::Failed, failed.to_string()),
        })?;
        let form = serde_json::from_slice::<serde_json::Value>(&text);
        let form = form.ok().and_then(|manifest| manifest["form"].as_u64());
        if form.is_some_and(|form| form != u64::from(FORM)) {
            let reason =
                "another version of chatferry made it, in a form that this one does not know";
            return Err(error(SourceErrorKind::Malformed, reason.into())
                .help("take the snapshot again, or use the version that made it"));
        }
        let damaged = |reason: String| {
            error(
                SourceErrorKind::Malformed,
                format!("its {FILE} is damaged: {reason}"),
            )
            .help("take the snapshot again")
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|failed| damaged(failed.to_string()))?;
        let tables = manifest.sources.iter().flat_map(|source| &source.tables);
        for table in tables {
            let rejected = table.rejected.iter().map(|rejected| &rejected.kept);
            for kept in rejected.chain([&table.kept]) {
                if !is_below(&kept.file) {
                    return Err(damaged(format!("{} is outside of the folder", kept.file)));
                }
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest: Arc::new(manifest),
            digest: XxHash3_64::oneshot(&text),
        })
    }

    /// What it holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

fn is_below(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    parts.all(|part| matches!(part, Component::Normal(_)))
}

impl StandIn for Snapshot {
    fn connector(&self) -> &'static str {
        "parquet"
    }

    fn source(&self, name: &str) -> Box<dyn SourceSettings> {
        Box::new(Copied {
            folder: self.folder.clone(),
            manifest: Arc::clone(&self.manifest),
            source: name.to_owned(),
            digest: self.digest,
        })
    }
}

/// One source of a snapshot.
struct Copied {
    folder: PathBuf,
    manifest: Arc<Manifest>,
    source: String,
    digest: u64,
}

/// What it holds, wherever it lies: a snapshot that was moved is the same one.
impl fmt::Debug for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Copied({}, {:016x})", self.source, self.digest)
    }
}

impl SourceSettings for Copied {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let is_it = |source: &&KeptSource| source.source == self.source;
        let source = self.manifest.sources.iter().find(is_it);
        let tables = source.map_or(&[][..], |source| &source.tables);
        Ok(Arc::new(CopiedSource::open(&self.folder, tables)?))
    }
}

/// The tables of one source, out of a snapshot.
#[derive(Debug)]
pub(crate) struct CopiedSource {
    folder: Arc<Path>,
    tables: BTreeMap<String, Arc<Offered>>,
    /// The files as any Parquet files; there is none when there are no tables.
    files: Option<Arc<FileSource<Parquet>>>,
}

#[derive(Debug)]
struct Offered {
    kept: KeptTable,
    described: OnceCell<Described>,
}

/// A table as it was, and as its file has it.
#[derive(Clone, Debug)]
struct Described {
    table: Arc<Table>,
    in_file: Arc<Table>,
}

impl CopiedSource {
    pub(crate) fn open(folder: &Path, tables: &[KeptTable]) -> Result<Self, SourceError> {
        let root = Address::folder(folder, &folder.display().to_string());
        let settings = |template| TableSettings {
            template,
            partitions: false,
        };
        let named = tables.iter().map(|kept| NamedTable {
            name: kept.table.clone(),
            root: root.clone(),
            settings: settings(Template::literal(&kept.kept.file)),
        });
        let files = match tables {
            [] => None,
            _ => Some(FileSource::open(
                named.collect(),
                &root,
                &ENDINGS,
                settings,
            )?),
        };
        let offered = tables.iter().map(|kept| {
            let offered = Offered {
                kept: kept.clone(),
                described: OnceCell::new(),
            };
            (kept.table.clone(), Arc::new(offered))
        });
        Ok(Self {
            folder: Arc::from(folder),
            tables: offered.collect(),
            files: files.map(Arc::new),
        })
    }

    /// A table as its file has it.
    pub(crate) async fn in_file(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        Ok(self.described(table).await?.in_file)
    }

    async fn described(&self, table: &str) -> Result<Described, SourceError> {
        let (Some(offered), Some(files)) = (self.tables.get(table), &self.files) else {
            let doing = format!("read {table}");
            let reason = "the snapshot has no such table";
            return Err(SourceError::new(SourceErrorKind::NotFound, doing, reason)
                .help("take a snapshot of the pipeline as it is now"));
        };
        let describe = || async {
            let (folder, of) = (Arc::clone(&self.folder), Arc::clone(offered));
            let schema = blocking(move || check(&folder, &of.kept)).await?;
            let in_file = files.describe(table).await?;
            let kept = &offered.kept;
            let table = Table {
                name: kept.table.clone(),
                schema,
                orders: kept.orders.iter().map(Order::by).collect(),
                can_order: Vec::new(),
                rows: Rows::Exactly(kept.rows),
                notes: kept.notes.clone(),
            };
            Ok(Described {
                table: Arc::new(table),
                in_file,
            })
        };
        offered.described.get_or_try_init(describe).await.cloned()
    }
}

/// Whether the files of a table are those that were written, and the columns that it had.
pub(crate) fn check(folder: &Path, kept: &KeptTable) -> Result<SchemaRef, SourceError> {
    let rejected = kept.rejected.iter().map(|rejected| &rejected.kept);
    for kept in rejected.chain([&kept.kept]) {
        match difference(folder, kept) {
            Ok(None) => {}
            Ok(Some(what)) => return Err(damaged(folder, kept, &what)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(folder, kept, "it is not there"));
            }
            Err(error) => {
                let doing = format!("read {}", folder.join(&kept.file).display());
                let kind = SourceErrorKind::Failed;
                return Err(SourceError::new(kind, doing, error.to_string()));
            }
        }
    }
    columns(folder, &kept.kept)
}

/// The columns that a table had whose file this is.
pub(crate) fn columns(folder: &Path, kept: &Kept) -> Result<SchemaRef, SourceError> {
    let read = || {
        let file = std::fs::File::open(folder.join(&kept.file))?;
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
    };
    let metadata = read().map_err(|error| damaged(folder, kept, &error.to_string()))?;
    Ok(Arc::new(original(metadata.schema())))
}

fn damaged(folder: &Path, kept: &Kept, what: &str) -> SourceError {
    let doing = format!("read {}", folder.join(&kept.file).display());
    let reason = format!("it is not what the snapshot was made with: {what}");
    SourceError::new(SourceErrorKind::Changed, doing, reason)
        .help("take the snapshot again, or copy this file anew from where it is whole")
}

/// Does what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => unreachable!("nobody aborts it: {error}"),
        },
    }
}

#[async_trait]
impl Source for CopiedSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.tables.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        Ok(self.described(table).await?.table)
    }

    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let offered = self.tables.get(&table.name);
        let described = offered.and_then(|offered| offered.described.get());
        match (described, &self.files) {
            (Some(described), Some(files)) => files.honours(&described.in_file, filter),
            _ => false,
        }
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let again = Self {
            folder: Arc::clone(&self.folder),
            tables: self.tables.clone(),
            files: self.files.clone(),
        };
        let opened = async move {
            match again.reading(scan).await {
                Ok(reading) => stream::unfold(reading, Reading::pull).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(opened).flatten().boxed()
    }
}

impl CopiedSource {
    async fn reading(&self, scan: Scan) -> Result<Reading, SourceError> {
        let described = self.described(&scan.table.name).await?;
        let kept = &self.tables[&scan.table.name].kept;
        let schema = scan.schema();
        let rejected = match &kept.rejected {
            Some(rejected) => {
                let path = self.folder.join(&rejected.kept.file);
                let opened = blocking(move || Reread::open(&path).map_err(|error| (path, error)));
                Some(
                    opened
                        .await
                        .map_err(|(path, error)| unreadable(&path, &error))?,
                )
            }
            None => None,
        };
        let files = self.files.as_ref().expect("a table was described");
        Ok(Reading {
            most: scan.rows_per_batch.max(1),
            rows: Some(files.scan(Scan {
                table: described.in_file,
                ..scan
            })),
            rejected,
            folder: Arc::clone(&self.folder),
            schema,
            given: 0,
        })
    }
}

fn unreadable(path: &Path, error: &io::Error) -> SourceError {
    let doing = format!("read {}", path.display());
    SourceError::new(SourceErrorKind::Failed, doing, error.to_string())
}

/// A scan at work.
struct Reading {
    /// Those that are in the file, until they end.
    rows: Option<BatchStream>,
    /// Those that could not be read when the file was made.
    rejected: Option<Reread>,
    folder: Arc<Path>,
    schema: SchemaRef,
    /// How many rows were given.
    given: u64,
    /// How many a batch may have.
    most: usize,
}

impl Reading {
    async fn pull(mut self) -> Option<(Result<Batch, SourceError>, Self)> {
        loop {
            match self.due().await {
                Ok(Some(batch)) => return Some((Ok(batch), self)),
                Ok(None) => {}
                Err(error) => return Some((Err(error), self.ended())),
            }
            match self.rows.as_mut()?.next().await {
                Some(Ok(batch)) => {
                    self.given += batch.rows.num_rows() as u64;
                    let rows = as_it_was(&batch.rows, &self.schema);
                    let batch = Batch { rows, ..batch };
                    return Some((Ok(batch), self));
                }
                Some(Err(error)) => return Some((Err(error), self.ended())),
                // What is left of the others goes after the last row.
                None => self.rows = None,
            }
        }
    }

    /// Rejected rows whose turn it is. Where rows were left out before, they come a little late.
    async fn due(&mut self) -> Result<Option<Batch>, SourceError> {
        let until = match self.rows {
            Some(_) => self.given,
            None => u64::MAX,
        };
        let is_due = |after| after <= until;
        let next = self.rejected.as_ref().and_then(Reread::next_after);
        if !next.is_some_and(is_due) {
            return Ok(None);
        }
        let mut reread = self.rejected.take().expect("one of them is due");
        let most = self.most;
        let (read, reread) = blocking(move || (reread.due(until, most), reread)).await;
        self.rejected = Some(reread);
        let rejected: Vec<RejectedRow> = read.map_err(|error| unreadable(&self.folder, &error))?;
        Ok(Some(Batch {
            rows: RecordBatch::new_empty(Arc::clone(&self.schema)),
            rejected,
        }))
    }

    fn ended(mut self) -> Self {
        (self.rows, self.rejected) = (None, None);
        self
    }
}

/// The rows with the columns that they had.
fn as_it_was(rows: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let fields = schema.fields().iter();
    let columns = rows.columns().iter().zip(fields);
    let columns = columns.map(|(column, field)| {
        converted(column, field.data_type()).expect("it was tried when the snapshot was made")
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .expect("the file was made of such columns")
}
