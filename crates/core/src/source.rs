//! The connector contract: what a source offers and how it is read.
//!
//! A connector is a crate with a `register` function that names it, a function that reads its
//! settings ([`SourceSettings`]), and a [`Source`]. It knows nothing of SQL, of the destination,
//! or of who reads it.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::bookmark::Bookmark;
use crate::cache::Cache;
use crate::filter::Filter;
use crate::place::Place;
use crate::shaped::RejectedRow;

/// A source's settings, read from the pipeline file and found in order.
///
/// Reading settings needs no file, socket or clock; opening them may.
pub trait SourceSettings: fmt::Debug + Send + Sync {
    /// Opens the source.
    ///
    /// # Errors
    ///
    /// When something that the settings name is not there or may not be used.
    fn open(&self) -> Result<Arc<dyn Source>, SourceError>;

    /// Whether a run is to read everything as it was at one moment. Then the source's tables are
    /// copied out of [`at_one_moment`](Source::at_one_moment) first, and read from that copy.
    fn wants_one_moment(&self) -> bool {
        false
    }

    /// The same settings with this file read in the place of standard input; `None` of a source
    /// that does not read standard input.
    fn with_standard_input(&self, file: &Path) -> Option<Box<dyn SourceSettings>> {
        let _ = file;
        None
    }
}

/// Somewhere tables can be read from.
///
/// # What the caller may rely on
///
/// * Neither method changes anything at the source.
/// * Secrets appear in no error and in no `Debug` output.
/// * Many scans may be open at once.
/// * Whoever waits may stop waiting: any future and any stream may be dropped at any time, and others
///   notice nothing of it. Only a [moment](Self::at_one_moment) may be lost by that.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// The names of the tables it offers, sorted. Cheap: no table is read.
    ///
    /// # Errors
    ///
    /// When the source cannot be reached or listed.
    async fn tables(&self) -> Result<Vec<String>, SourceError>;

    /// Where it may keep what it finds out about its tables, so that finding it out costs nothing the
    /// next time. Said before anything is asked of it, or not at all.
    fn keep_in(&self, cache: Arc<dyn Cache>) {
        let _ = cache;
    }

    /// Describes one table truly: every batch that [`scan`](Self::scan) gives fits the schema.
    ///
    /// This may read the whole table once, when that is the only way to know. The answer is kept,
    /// so asking again costs nothing.
    ///
    /// # Errors
    ///
    /// When there is no such table, or it cannot be read.
    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError>;

    /// Whether [`scan`](Self::scan) leaves out exactly the rows that this condition leaves out,
    /// when it is asked to. A source that says no is never asked; the engine does it then.
    fn honours(&self, table: &Table, filter: &Filter) -> bool {
        let _ = (table, filter);
        false
    }

    /// The rows of a table.
    ///
    /// * No work is done before the stream is first polled, and none after it is dropped.
    /// * The stream is pulled only as fast as its rows are taken, so it may stay open for days.
    ///   No transaction, cursor or statement is open at the source while nobody pulls.
    /// * A batch has rows, or rejected rows, or both. Rows that cannot be read are given as
    ///   rejected rows with their place, and reading goes on.
    /// * Nothing follows an error.
    /// * The rows come in the [order](Scan::order) asked for, or else in the
    ///   [orders](Table::orders) that the table was described with.
    /// * A scan that begins where another one [has ended](Scan::bookmark) leaves out no row that has
    ///   come or changed since.
    fn scan(&self, scan: Scan) -> BatchStream;

    /// The same source as it is at one moment, from now until what is given is dropped: all that
    /// it describes and all rows of all its scans are of that moment, whatever is written
    /// meanwhile. `None` where there is no such thing, as with files.
    ///
    /// It may hold a transaction open at the source all the while, so it is for those who read at
    /// full speed and then let go. Once rows were given, a moment that is lost cannot be had
    /// again, and its scans fail.
    ///
    /// # Errors
    ///
    /// When the source cannot be reached.
    async fn at_one_moment(&self) -> Result<Option<Arc<dyn Source>>, SourceError> {
        Ok(None)
    }
}

/// Batches as they are pulled. Nothing follows an error.
pub type BatchStream = BoxStream<'static, Result<Batch, SourceError>>;

/// What a table has.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name within the source.
    pub name: String,
    /// Its columns, each with a name of its own. Text that holds JSON is marked with the extension
    /// type `arrow.json`.
    pub schema: SchemaRef,
    /// Orders that the rows have when none is asked for, all of them at once.
    pub orders: Vec<Order>,
    /// Orders that may be asked for, one at a time. Those that the source has an index for: an
    /// order that makes it sort costs it more than it costs the engine.
    pub can_order: Vec<Order>,
    /// How many rows it has.
    pub rows: Rows,
    /// What a person should know before relying on it, such as a column whose type changes from
    /// row to row. Each a sentence.
    pub notes: Vec<String>,
}

/// How many rows a table has, as far as its source knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// So many.
    Exactly(u64),
    /// About so many.
    About(u64),
    /// Nobody has counted.
    #[default]
    Unknown,
}

impl Rows {
    /// The number, exact or not.
    #[must_use]
    pub const fn estimate(self) -> Option<u64> {
        match self {
            Self::Exactly(rows) | Self::About(rows) => Some(rows),
            Self::Unknown => None,
        }
    }
}

/// Columns by which rows never descend: by the first one, where that is equal by the second, and
/// so on. Values compare as Arrow compares them, text byte by byte. Nulls, if any, come last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The columns' names, at least one.
    pub columns: Vec<String>,
}

impl Order {
    /// By these columns.
    pub fn by<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
        }
    }
}

/// What to read of a table.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The table.
    pub table: Arc<Table>,
    /// The columns to give, as indices into the table's schema, in the order wanted. May be
    /// empty, when only the number of rows matters.
    pub columns: Vec<usize>,
    /// Only rows for which all of these hold; each is one that the source
    /// [honours](Source::honours). They may name columns that are not wanted.
    pub filters: Vec<Filter>,
    /// The order wanted, one that the table [can have](Table::can_order), or the beginning of one.
    pub order: Option<Order>,
    /// How many rows are wanted at most, where that is known. A hint: more may be given.
    pub limit: Option<usize>,
    /// How many rows a batch has at most.
    pub rows_per_batch: usize,
    /// Where it begins, for a table that can be read on, and where it has ended. More may be
    /// given than has come or changed since, and never less.
    pub bookmark: Bookmark,
}

impl Scan {
    /// All rows of these columns.
    #[must_use]
    pub fn of(table: Arc<Table>, columns: Vec<usize>, rows_per_batch: usize) -> Self {
        Self {
            table,
            columns,
            filters: Vec::new(),
            order: None,
            limit: None,
            rows_per_batch,
            bookmark: Bookmark::default(),
        }
    }

    /// The schema of the batches: the wanted columns in the wanted order.
    ///
    /// # Panics
    ///
    /// When a column's index is beyond the table's schema.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::new(
            self.table
                .schema
                .project(&self.columns)
                .expect("columns are indices into the schema"),
        )
    }
}

/// Some rows of a table.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The rows, with [`Scan::schema`].
    pub rows: RecordBatch,
    /// Rows that stood between these and could not be read.
    pub rejected: Vec<RejectedRow>,
}

/// What kind of trouble a source has, as coarse as the reactions to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// It is not there: a file, a host, a table.
    NotFound,
    /// It is there and may not be read.
    Denied,
    /// It is not what the settings say it is: a binary file, a directory, a truncated archive.
    Malformed,
    /// It is no longer what it was when it was described.
    Changed,
    /// Anything else the machine or the other side did: a full disk, a lost connection.
    Failed,
    /// The pipeline asks for something that cannot be done: an expression that always fails.
    Pipeline,
}

/// Why a source could not be read, where, and what to do about it.
#[derive(Debug)]
pub struct SourceError {
    /// What kind of trouble.
    pub kind: SourceErrorKind,
    /// What could not be done, as a phrase that reads after "cannot": `read data/users.jsonl`.
    pub doing: String,
    /// What stood in the way.
    pub reason: String,
    /// Where it happened, if it has a place.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
    /// The cause beneath, if there is one.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl SourceError {
    /// An error of that kind.
    #[must_use]
    pub fn new(kind: SourceErrorKind, doing: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            kind,
            doing: doing.into(),
            reason: reason.into(),
            place: None,
            help: None,
            cause: None,
        }
    }

    /// The same with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same where a [moment](Source::at_one_moment) was lost with it.
    #[must_use]
    pub fn lost_moment(mut self) -> Self {
        let again = "start again from the beginning, since what was read so far is of a moment \
                     that cannot be had again";
        self.help = Some(match self.help {
            Some(help) => format!("{again}; {help}"),
            None => again.to_owned(),
        });
        self
    }

    /// The same with the cause beneath.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.reason)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}
