//! Makes a snapshot: whole, or not at all.
//!
//! Everything is written into a folder beside the one that is wanted, which takes that one's name
//! when it is complete, and goes away otherwise.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::datatypes::SchemaRef;
use chatferry_core::json;
use chatferry_core::source::{Scan, Source, SourceError, SourceErrorKind, Table};
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use crate::convert::converted;
use crate::snapshot::checksum::Summed;
use crate::snapshot::kept::kept;
use crate::snapshot::manifest::{FILE, FORM, KeptColumn, KeptSource, KeptTable, Manifest};
use crate::snapshot::rejected::Rejections;
use crate::snapshot::source::{CopiedSource, columns};

/// Rows of a batch, as the engine asks for them.
const ROWS_PER_BATCH: usize = 4_096;
/// Rows of a row group at most: so many can be left out at once when it is read.
const ROWS_PER_GROUP: usize = 128 << 10;
/// Bytes of a row group at most, as they are held in memory until it is complete.
const BYTES_PER_GROUP: usize = 16 << 20;
/// Bytes written at a time.
const PIECE: usize = 256 << 10;
/// Level of compression: the one that zstd itself takes when nobody says.
const LEVEL: i32 = 3;
/// Bytes of a file's name without its ending. File systems take 255.
const NAME: usize = 150;

/// Why no snapshot was made.
#[derive(Debug)]
pub enum SnapshotError {
    /// A source could not be read, or holds what cannot be kept.
    Source(SourceError),
    /// There is something in its place.
    Exists(PathBuf),
    /// It could not be written.
    Write {
        /// What could not be written.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl From<SourceError> for SnapshotError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Exists(path) => write!(
                f,
                "cannot write the snapshot {}: it is there already",
                path.display()
            ),
            Self::Write { path, reason } => write!(f, "cannot write {}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// Makes a snapshot.
#[derive(Debug)]
pub struct SnapshotWriter {
    /// Where it is to be.
    target: PathBuf,
    /// Where it grows; it goes away unless the snapshot is finished.
    folder: TempDir,
    manifest: Manifest,
}

impl SnapshotWriter {
    /// Begins a snapshot that is to be in this folder, which must not be there.
    ///
    /// # Errors
    ///
    /// When it is there, or nothing can be written beside it.
    pub fn begin(
        target: &Path,
        version: &str,
        pipeline: &str,
        now: &str,
    ) -> Result<Self, SnapshotError> {
        is_free(target)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let above = target.parent().filter(|path| !path.as_os_str().is_empty());
        let prefix = format!(".{name}.unfinished-");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        // Others may read nothing of what people wrote.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder
            .tempdir_in(above.unwrap_or(Path::new(".")))
            .map_err(|error| cannot(target, &error))?;
        Ok(Self {
            target: target.to_owned(),
            folder,
            manifest: Manifest {
                form: FORM,
                chatferry: version.to_owned(),
                pipeline: pipeline.to_owned(),
                began: now.to_owned(),
                ended: String::new(),
                sources: Vec::new(),
            },
        })
    }

    /// Begins a source: the tables that follow are of it, and all of one moment if it is so.
    ///
    /// # Errors
    ///
    /// When its folder cannot be made.
    pub fn source(
        &mut self,
        name: &str,
        connector: &str,
        one_moment: bool,
    ) -> Result<(), SnapshotError> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).map_err(|error| cannot(&folder, &error))?;
        self.manifest.sources.push(KeptSource {
            source: name.to_owned(),
            connector: connector.to_owned(),
            one_moment,
            tables: Vec::new(),
        });
        Ok(())
    }

    /// Copies a table, of the source that was begun last. `seen` is told how many rows there are so
    /// far, and how many its source thinks there will be.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    ///
    /// # Panics
    ///
    /// When no source was begun.
    pub async fn table(
        &mut self,
        source: &Arc<dyn Source>,
        table: &str,
        seen: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<(), SnapshotError> {
        let described = source.describe(table).await?;
        let of = self
            .manifest
            .sources
            .last_mut()
            .expect("a source was begun");
        let name = file_name(table, &of.tables);
        let file = format!("{}/{name}.parquet", of.source);
        let rejected = format!("{}/{name}.rejected.jsonl", of.source);
        let rejected_path = self.folder.path().join(&rejected);
        let mut rejections = Rejections::default();
        let mut rows = Writing::begin(self.folder.path(), &file, &described)?;
        let all = (0..described.schema.fields().len()).collect();
        let expected = described.rows.estimate();
        let mut batches = source.scan(Scan::of(Arc::clone(&described), all, ROWS_PER_BATCH));
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            // They stood between these rows; where exactly, nobody can tell.
            for row in batch.rejected {
                let added = rejections.add(&rejected_path, rows.rows, row);
                added.map_err(|error| cannot(&rejected_path, &error))?;
            }
            rows.write(&batch.rows)?;
            seen(rows.rows + rejections.rows(), expected);
        }
        let rejected = rejections.finish(&rejected);
        let rejected = rejected.map_err(|error| cannot(&rejected_path, &error))?;
        let mut kept = rows.finish()?;
        kept.rejected = rejected;
        is_kept(self.folder.path(), &kept, &described).await?;
        of.tables.push(kept);
        of.tables.sort_by(|one, other| one.table.cmp(&other.table));
        Ok(())
    }

    /// Completes the snapshot: from now on it is there.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or something has come into its place meanwhile.
    pub fn finish(mut self, now: &str) -> Result<Manifest, SnapshotError> {
        now.clone_into(&mut self.manifest.ended);
        let path = self.folder.path().join(FILE);
        let write = || {
            let mut text = serde_json::to_vec_pretty(&self.manifest)?;
            text.push(b'\n');
            let mut file = File::create_new(&path)?;
            file.write_all(&text)?;
            file.sync_all()?;
            for source in &self.manifest.sources {
                sync(&self.folder.path().join(&source.source))?;
            }
            sync(self.folder.path())
        };
        write().map_err(|error| cannot(&path, &error))?;
        is_free(&self.target)?;
        std::fs::rename(self.folder.path(), &self.target)
            .map_err(|error| cannot(&self.target, &error))?;
        // It is not there any more under the name that would be taken away.
        let _moved = self.folder.keep();
        let above = self.target.parent();
        let above = above.filter(|path| !path.as_os_str().is_empty());
        sync(above.unwrap_or(Path::new("."))).map_err(|error| cannot(&self.target, &error))?;
        Ok(self.manifest)
    }
}

/// Whether nothing is there, not even a link to nowhere.
fn is_free(target: &Path) -> Result<(), SnapshotError> {
    match target.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(cannot(target, &error)),
        Ok(_) => Err(SnapshotError::Exists(target.to_owned())),
    }
}

/// Sees to it that the names in a folder outlast a loss of power.
fn sync(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

fn cannot(path: &Path, error: &impl ToString) -> SnapshotError {
    SnapshotError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// A table on its way into its file.
struct Writing {
    path: PathBuf,
    /// The file's path below the snapshot's folder.
    file: String,
    table: Arc<Table>,
    /// Its columns as they are kept.
    kept: SchemaRef,
    writer: ArrowWriter<Summed<BufWriter<File>>>,
    rows: u64,
}

impl Writing {
    fn begin(folder: &Path, file: &str, table: &Arc<Table>) -> Result<Self, SnapshotError> {
        let path = folder.join(file);
        let created = File::create_new(&path).map_err(|error| cannot(&path, &error))?;
        let level = ZstdLevel::try_new(LEVEL).expect("zstd has this level");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_created_by(concat!("chatferry version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let kept = Arc::new(kept(&table.schema));
        let into = Summed::new(BufWriter::with_capacity(PIECE, created));
        let writer = ArrowWriter::try_new(into, Arc::clone(&kept), Some(properties))
            .map_err(|error| cannot_keep(&table.name, &error.to_string()))?;
        Ok(Self {
            path,
            file: file.to_owned(),
            table: Arc::clone(table),
            kept,
            writer,
            rows: 0,
        })
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<(), SnapshotError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let kept = self.kept.fields().iter().zip(rows.columns());
        let columns = kept.map(|(field, column)| converted(column, field.data_type()));
        let columns: Vec<ArrayRef> = columns
            .collect::<Result<_, _>>()
            .map_err(|error| cannot_keep(&self.table.name, &error.to_string()))?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = Arc::clone(&self.kept);
        let kept = RecordBatch::try_new_with_options(schema, columns, &options)
            .map_err(|error| cannot_keep(&self.table.name, &error.to_string()))?;
        self.writer
            .write(&kept)
            .map_err(|error| self.failed(&error))?;
        self.rows += rows.num_rows() as u64;
        if self.writer.in_progress_size() >= BYTES_PER_GROUP {
            self.writer.flush().map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<KeptTable, SnapshotError> {
        let path = self.path;
        let into = self.writer.into_inner();
        let into = into.map_err(|error| cannot(&path, &error))?;
        let (into, kept) = into.finish(&self.file);
        let file = into.into_inner().map_err(|error| cannot(&path, &error))?;
        file.sync_all().map_err(|error| cannot(&path, &error))?;
        let fields = self.table.schema.fields().iter();
        let columns = fields.map(|field| KeptColumn {
            name: field.name().clone(),
            kind: field.data_type().to_string(),
            nullable: field.is_nullable(),
            json: json::is_marked(field),
        });
        Ok(KeptTable {
            table: self.table.name.clone(),
            rows: self.rows,
            kept,
            columns: columns.collect(),
            orders: self
                .table
                .orders
                .iter()
                .map(|order| order.columns.clone())
                .collect(),
            notes: self.table.notes.clone(),
            rejected: None,
        })
    }

    fn failed(&self, error: &ParquetError) -> SnapshotError {
        match error {
            ParquetError::NYI(what) | ParquetError::ArrowError(what) => {
                cannot_keep(&self.table.name, what)
            }
            error => cannot(&self.path, error),
        }
    }
}

fn cannot_keep(table: &str, reason: &str) -> SnapshotError {
    let doing = format!("copy {table}");
    SnapshotError::Source(SourceError::new(SourceErrorKind::Failed, doing, reason))
}

/// Sees to it that what was written comes back with the columns that it had.
async fn is_kept(folder: &Path, kept: &KeptTable, table: &Table) -> Result<(), SnapshotError> {
    let found = columns(folder, &kept.kept)?;
    let source = CopiedSource::open(folder, std::slice::from_ref(kept))?;
    let in_file = source.in_file(&kept.table).await?;
    if found.fields().len() != table.schema.fields().len() {
        return Err(cannot_keep(&table.name, "some columns do not come back"));
    }
    if in_file.rows.estimate() != Some(kept.rows) {
        let reason = "a table without columns has no rows in a Parquet file";
        return Err(cannot_keep(&table.name, reason));
    }
    for ((had, has), read) in table
        .schema
        .fields()
        .iter()
        .zip(found.fields())
        .zip(in_file.schema.fields())
    {
        let empty = new_empty_array(read.data_type());
        let comes_back = converted(&empty, had.data_type());
        let comes_back = comes_back.is_ok_and(|column| column.data_type() == had.data_type());
        if had != has || had.name() != read.name() || !comes_back {
            let reason = format!(
                "its column `{}` is {}, which does not come back from a Parquet file",
                had.name(),
                had.data_type()
            );
            return Err(cannot_keep(&table.name, &reason));
        }
    }
    Ok(())
}

/// The name of a table's file, without its ending: the table's own as far as file systems take it.
fn file_name(table: &str, others: &[KeptTable]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut name = String::new();
    for c in table.chars() {
        match plain(c) && !(c == '.' && name.is_empty()) {
            true => name.push(c),
            false => name.push('~'),
        }
        if name.len() >= NAME {
            break;
        }
    }
    if name.is_empty() {
        name.push('~');
    }
    // Some file systems take `Users` for `users`.
    let is_taken = |name: &str| {
        others.iter().any(|other| {
            let file = Path::new(&other.kept.file).file_name().unwrap_or_default();
            let ending = format!("{name}.parquet");
            file.eq_ignore_ascii_case(&ending)
        })
    };
    let mut free = name.clone();
    let mut number = 2;
    while is_taken(&free) {
        free = format!("{name}~{number}");
        number += 1;
    }
    free
}
