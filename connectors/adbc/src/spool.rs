//! What a query gave, kept until somebody takes it.
//!
//! A query is read to its end at full speed, into a temporary file without a name, and then let go of:
//! nothing is open at the database while a pipeline waits to send.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use chatferry_core::source::{Batch, BatchStream, Scan, SourceError, SourceErrorKind};
use futures::stream::{self, StreamExt};

use crate::failure::{Secrets, failed};
use crate::query::{Read, Wanted, beside};

/// The rows of one scan.
pub(crate) struct Spool {
    batches: StreamReader<BufReader<File>>,
    rows_per_batch: usize,
    /// What was taken out of the file and not yet given.
    rest: Option<RecordBatch>,
    /// What ended the query, after the rows.
    failed: Option<SourceError>,
}

/// A schema as a source offers it. Drivers do not always know which columns are never null.
pub(crate) fn offered(schema: &Schema) -> SchemaRef {
    let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
    let fields: Vec<Field> = schema.fields().iter().map(nullable).collect();
    Arc::new(Schema::new(fields))
}

/// Reads what is wanted of a query, as long as somebody wants it.
pub(crate) fn read(
    batches: &mut dyn RecordBatchReader,
    scan: &Scan,
    secrets: &Secrets,
    wanted: &Wanted,
) -> (Result<Spool, SourceError>, Read) {
    let mut read = Read::InPart;
    let spool = spool(batches, scan, secrets, wanted, &mut read);
    (spool, read)
}

fn spool(
    batches: &mut dyn RecordBatchReader,
    scan: &Scan,
    secrets: &Secrets,
    wanted: &Wanted,
    read: &mut Read,
) -> Result<Spool, SourceError> {
    let doing = || format!("read {}", scan.table.name);
    if offered(&batches.schema()) != scan.table.schema {
        let reason = "its columns are not what they were";
        return Err(SourceError::new(SourceErrorKind::Changed, doing(), reason)
            .help("run the command again"));
    }
    let kept = |error: std::io::Error| {
        let doing = format!("keep the rows of {}", scan.table.name);
        SourceError::new(SourceErrorKind::Failed, doing, error.to_string())
            .help("see that the folder for temporary files (TMPDIR) has room for the table")
            .cause(error)
    };
    let file = tempfile::tempfile().map_err(kept)?;
    let schema = scan.schema();
    let unwritten = |error: ArrowError| kept(std::io::Error::other(error));
    let mut writer = StreamWriter::try_new(BufWriter::new(file), &schema).map_err(unwritten)?;
    let mut failure = None;
    let mut left = scan.limit.unwrap_or(usize::MAX);
    while left > 0 && !wanted.is_gone() {
        let batch = match batches.next() {
            None => {
                *read = Read::Whole;
                break;
            }
            Some(batch) => batch.and_then(|batch| chosen(&batch, &scan.columns, &schema)),
        };
        match batch {
            Ok(batch) => {
                left = left.saturating_sub(batch.num_rows());
                writer.write(&batch).map_err(unwritten)?;
            }
            Err(error) => {
                failure = Some(failed(doing(), secrets, &error.into()));
                break;
            }
        }
    }
    writer.finish().map_err(unwritten)?;
    let mut buffer = writer.into_inner().map_err(unwritten)?;
    buffer.flush().map_err(kept)?;
    let mut file = buffer
        .into_inner()
        .map_err(|error| kept(error.into_error()))?;
    file.seek(SeekFrom::Start(0)).map_err(kept)?;
    Ok(Spool {
        batches: StreamReader::try_new(BufReader::new(file), None).map_err(unwritten)?,
        rows_per_batch: scan.rows_per_batch.max(1),
        rest: None,
        failed: failure,
    })
}

/// The wanted columns of a batch.
fn chosen(
    batch: &RecordBatch,
    columns: &[usize],
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = columns
        .iter()
        .map(|column| Arc::clone(batch.column(*column)));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect(), &options)
}

impl Spool {
    /// The batches, taken out of the file as they are pulled.
    pub(crate) fn batches(self) -> BatchStream {
        stream::unfold(Some(self), |spool| async move {
            let spool = spool?;
            let (next, spool) = beside(move |_| spool.next()).await;
            Some((next?, spool))
        })
        .boxed()
    }

    fn next(mut self) -> (Option<Result<Batch, SourceError>>, Option<Self>) {
        let rows = loop {
            match self.rest.take() {
                Some(rest) if rest.num_rows() > 0 => break rest,
                _ => match self.batches.next() {
                    Some(Ok(batch)) => self.rest = Some(batch),
                    Some(Err(error)) => {
                        let doing = "read a temporary file";
                        let kind = SourceErrorKind::Failed;
                        let error = SourceError::new(kind, doing, error.to_string());
                        return (Some(Err(error.help("run the command again"))), None);
                    }
                    None => return (self.failed.take().map(Err), None),
                },
            }
        };
        let now = rows.num_rows().min(self.rows_per_batch);
        self.rest = Some(rows.slice(now, rows.num_rows() - now));
        let batch = Batch {
            rows: rows.slice(0, now),
            rejected: Vec::new(),
        };
        (Some(Ok(batch)), Some(self))
    }
}
