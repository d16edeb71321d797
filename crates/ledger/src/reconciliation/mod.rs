//! What a verification knows so far, in a SQLite file beside the ledger.
//!
//! Twenty million records do not fit in memory, and a verification may be stopped half-way. So what
//! should be there is written down once, as hashes, in the order in which it is looked up; each
//! page that is read back marks what it found, in one transaction with the place where its list
//! goes on. The file goes away when the verification is done.
//!
//! A record takes some 50 to 100 bytes of it. Sorting spills into SQLite's temporary files; memory
//! does not grow with the number of records.

mod expected;
mod found;
mod lists;
mod summary;

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

pub use expected::ShapedRecord;
pub use found::{Difference, Extra, Findings, Known, Read, Target};
pub use lists::{Listing, Missing};
pub use summary::{EntitySums, Explained, PartSums};

use crate::{Ledger, LedgerError};

/// What a verification knows so far.
#[derive(Debug)]
pub struct Reconciliation {
    connection: SqliteConnection,
    path: PathBuf,
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// What should be there is being written down.
    Expecting,
    /// What is there is being read.
    Reading,
    /// What was missing is asked for again.
    Asking,
    /// The values of what differs are being looked up.
    Explaining,
}

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value);
CREATE TABLE shaped (n INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key INTEGER NOT NULL,
    part INTEGER, likeness INTEGER, digests BLOB NOT NULL);
CREATE TABLE parts (entity INTEGER, part INTEGER, name TEXT NOT NULL,
    PRIMARY KEY (entity, part)) WITHOUT ROWID;
CREATE TABLE brought (key INTEGER PRIMARY KEY);
CREATE TABLE expected (entity INTEGER, handle INTEGER, record INTEGER NOT NULL, key INTEGER NOT NULL,
    part INTEGER, digests BLOB, state INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (entity, handle)) WITHOUT ROWID;
CREATE TABLE unnumbered (n INTEGER PRIMARY KEY, entity INTEGER NOT NULL, record INTEGER NOT NULL,
    key INTEGER NOT NULL, likeness INTEGER, part INTEGER, digests BLOB,
    state INTEGER NOT NULL DEFAULT 0);
CREATE TABLE undelivered (entity INTEGER PRIMARY KEY, rows INTEGER NOT NULL);
CREATE TABLE listings (n INTEGER PRIMARY KEY, entity INTEGER NOT NULL, within TEXT, cursor TEXT,
    done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX listings_open ON listings (entity, n) WHERE NOT done;
CREATE TABLE visited (listing INTEGER, what INTEGER, PRIMARY KEY (listing, what)) WITHOUT ROWID;
CREATE TABLE extras (entity INTEGER, handle INTEGER, part INTEGER, name TEXT NOT NULL,
    PRIMARY KEY (entity, handle)) WITHOUT ROWID;
CREATE TABLE differences (n INTEGER PRIMARY KEY, entity INTEGER NOT NULL, record INTEGER NOT NULL,
    key INTEGER NOT NULL, field TEXT NOT NULL, found TEXT NOT NULL, found_shown TEXT,
    expected TEXT, expected_shown TEXT);
CREATE TABLE fields (entity INTEGER, field TEXT, records INTEGER NOT NULL,
    PRIMARY KEY (entity, field)) WITHOUT ROWID;
CREATE TABLE missing (record INTEGER PRIMARY KEY, entity INTEGER NOT NULL, handle INTEGER,
    unnumbered INTEGER);
";

/// Marks the file as one of ours in SQLite's `application_id`: "FRRV".
const APPLICATION: i64 = 0x4652_5256;

impl Reconciliation {
    /// Opens what an earlier verification of the same has left behind, or begins anew; says which.
    ///
    /// `of` tells what is verified: a pipeline and what it makes. When that, or the ledger, has
    /// changed, what was left behind is of no use.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn open(
        ledger: &mut Ledger,
        of: &str,
        anew: bool,
    ) -> Result<(Self, bool), LedgerError> {
        let path = beside(ledger.path());
        let (last, count) = ledger.extent().await?;
        let of = format!("{of} {last} {count}");
        if anew {
            remove(&path)?;
        }
        if path.exists()
            && let Ok(mut left) = Self::connect(&path, ledger.path()).await
            && left.meta("of").await.ok().flatten().as_deref() == Some(of.as_str())
        {
            return Ok((left, true));
        }
        remove(&path)?;
        let mut new = Self::connect(&path, ledger.path()).await?;
        let prepare = format!("BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; COMMIT;");
        let prepared = sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
            .execute(&mut new.connection)
            .await;
        prepared.map_err(|error| new.failed(&error))?;
        new.set_meta("of", &of).await?;
        Ok((new, false))
    }

    async fn connect(path: &Path, ledger: &Path) -> Result<Self, LedgerError> {
        let failed = |error: sqlx::Error| LedgerError::working(path, &error);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("cache_size", "-4096")
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(failed)?;
        sqlx::query("ATTACH DATABASE ? AS ledger")
            .bind(ledger.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far it has come.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn stage(&mut self) -> Result<Stage, LedgerError> {
        Ok(match self.meta("stage").await?.as_deref() {
            Some("reading") => Stage::Reading,
            Some("asking") => Stage::Asking,
            Some("explaining") => Stage::Explaining,
            _ => Stage::Expecting,
        })
    }

    /// Goes on to a stage.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn enter(&mut self, stage: Stage) -> Result<(), LedgerError> {
        let name = match stage {
            Stage::Expecting => "expecting",
            Stage::Reading => "reading",
            Stage::Asking => "asking",
            Stage::Explaining => "explaining",
        };
        self.set_meta("stage", name).await
    }

    /// Closes it, and keeps it for later.
    ///
    /// # Errors
    ///
    /// When the last words cannot be written.
    pub async fn keep(self) -> Result<(), LedgerError> {
        let Self { connection, path } = self;
        let closed = connection.close().await;
        closed.map_err(|error| LedgerError::working(&path, &error))
    }

    /// Closes it for good.
    ///
    /// # Errors
    ///
    /// When the file cannot be removed.
    pub async fn discard(self) -> Result<(), LedgerError> {
        let path = self.path.clone();
        self.keep().await?;
        remove(&path)
    }

    async fn meta(&mut self, name: &str) -> Result<Option<String>, LedgerError> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = ?")
            .bind(name.to_owned())
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), LedgerError> {
        sqlx::query("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)")
            .bind(name.to_owned())
            .bind(value.to_owned())
            .execute(&mut self.connection)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(())
    }

    fn failed(&self, error: &sqlx::Error) -> LedgerError {
        LedgerError::working(&self.path, error)
    }
}

fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push("-verify");
    name.into()
}

/// Removes the file and what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), LedgerError> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let mut failed = LedgerError::new("remove", path, error.kind().to_string());
                failed.what = "the working file";
                return Err(failed);
            }
            _ => {}
        }
    }
    Ok(())
}

/// How something stands that should be there.
pub(crate) mod state {
    /// It was not met.
    pub(crate) const UNMET: i64 = 0;
    /// It was met, and is as it should be.
    pub(crate) const SAME: i64 = 1;
    /// It was met, and differs.
    pub(crate) const DIFFERENT: i64 = 2;
    /// It is only still there to say that it was deleted.
    pub(crate) const DELETED: i64 = 3;
}
