//! The durable account of a migration: the outcome of every record ever settled, and every
//! request ever sent, in one SQLite file.
//!
//! # What may be relied on
//!
//! * [`Ledger::settle`] is one transaction. When it has returned, the outcomes survive the end of
//!   the process at any later instruction. They survive a power cut too, but for those of the
//!   last moments, which the destination's "already exists" resolves on the next run.
//! * One process at a time writes a ledger; others may read it meanwhile.
//! * A record that was delivered is never forgotten. An outcome that was not a delivery is
//!   replaced when the same row ends differently later.
//! * No content of records and no secret is in it: ids, outcomes, the API's own words and hashes.
//!
//! # The file
//!
//! `runs`, `requests`, `delivered`, `undelivered`, `differing`, `marks`, `changes` and `flows` are plain
//! tables that `sqlite3` can read. Delivered records are only ever appended, in the order of their delivery, without a second
//! index: that is what makes settling cheap and the file small. Who wants to look records up
//! loads their keys first ([`Ledger::delivered_before`]).

mod differing;
mod error;
mod failures;
mod lineage;
mod lock;
mod mark;
mod read;
mod reconciliation;
mod removal;
mod schema;
mod write;

use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

pub use differing::{Content, Differences, Differing};
pub use error::LedgerError;
pub use failures::{Failed, Failures};
pub use mark::Mark;
pub use read::{Delivered, Held, LastRun, Reason, RunSummary, Summary};
pub use reconciliation::{
    Difference, EntitySums, Explained, Extra, Findings, Known, Listing, Missing, PartSums, Read,
    Reconciliation, ShapedRecord, Stage, Target,
};
pub use removal::{Holdings, Imported, Left};
pub use write::{Entry, RequestRow, Settled, Undelivered};

use lock::Lock;

/// The durable account of a migration.
#[derive(Debug)]
pub struct Ledger {
    connection: SqliteConnection,
    path: PathBuf,
    /// The number of the last request that was written down, once it is known.
    last_request: Option<i64>,
    /// Whether any row may be written down as undelivered.
    has_undelivered: bool,
    /// Held for as long as this process may write.
    _lock: Option<Lock>,
}

/// One run of a pipeline, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(i64);

impl RunId {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl Ledger {
    /// Opens a ledger to write it, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// When the file is not a ledger, was made by a newer chatferry, may not be written, or is
    /// being written by another process.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let lock = Lock::take(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Normal);
        let mut ledger = Self::connect(path, options, Some(lock)).await?;
        schema::prepare(&mut ledger.connection)
            .await
            .map_err(|error| ledger.error("prepare", error))?;
        // Only now: the mode is kept in the file, and until here it might be another program's.
        sqlx::query("PRAGMA journal_mode = WAL")
            .execute(&mut ledger.connection)
            .await
            .map_err(|error| LedgerError::sqlite("open", path, &error))?;
        Ok(ledger)
    }

    /// Opens a ledger to read it, also while another process writes it.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it is not a ledger.
    pub async fn read(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::new("read", path, "there is no such file")
                .help("nothing was run yet; `chatferry run` makes it"));
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut ledger = Self::connect(path, options, None).await?;
        schema::check(&mut ledger.connection)
            .await
            .map_err(|error| ledger.error("read", error))?;
        Ok(ledger)
    }

    async fn connect(
        path: &Path,
        options: SqliteConnectOptions,
        lock: Option<Lock>,
    ) -> Result<Self, LedgerError> {
        let connection = options
            .disable_statement_logging()
            .connect()
            .await
            .map_err(|error| LedgerError::sqlite("open", path, &error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            last_request: None,
            has_undelivered: false,
            _lock: lock,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes it, so that all of it is in one file.
    ///
    /// # Errors
    ///
    /// When the last words cannot be written. Nothing settled is lost then.
    pub async fn close(self) -> Result<(), LedgerError> {
        let path = self.path;
        self.connection
            .close()
            .await
            .map_err(|error| LedgerError::sqlite("close", &path, &error))
    }

    fn error(&self, doing: &'static str, error: impl Into<schema::Trouble>) -> LedgerError {
        match error.into() {
            schema::Trouble::Sqlite(error) => LedgerError::sqlite(doing, &self.path, &error),
            schema::Trouble::Foreign(reason) => {
                LedgerError::new(doing, &self.path, reason).help("name another file with --ledger")
            }
        }
    }
}
