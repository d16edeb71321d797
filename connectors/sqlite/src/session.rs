//! How the database is opened: to be read, and never to be made or changed.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::source::{SourceError, SourceErrorKind};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::failure::failed;
use crate::page::MOST_ROWS;
use crate::settings::SqliteSettings;

/// A database that can be opened as often as needed.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    /// The path as a person wrote it.
    pub(crate) written: String,
    pub(crate) busy_timeout: Duration,
    /// The one connection that everything is read by, in a transaction that sees one moment.
    moment: Option<Arc<Mutex<SqliteConnection>>>,
}

/// A connection to read by, until it is dropped.
#[derive(Debug)]
pub(crate) enum Connection {
    Own(SqliteConnection),
    OfMoment(OwnedMutexGuard<SqliteConnection>),
}

impl Connection {
    /// It, if nobody else waits for it.
    pub(crate) fn kept(self) -> Option<Self> {
        match self {
            Self::Own(_) => Some(self),
            Self::OfMoment(_) => None,
        }
    }
}

impl Deref for Connection {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::OfMoment(connection) => connection,
        }
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::OfMoment(connection) => connection,
        }
    }
}

impl Database {
    /// Looks whether there is a file. It is not opened: closing a file would take away the locks
    /// that this process holds on it elsewhere.
    pub(crate) fn find(settings: &SqliteSettings) -> Result<Self, SourceError> {
        let doing = || format!("open {}", settings.written);
        let refused = |kind, reason: &str| SourceError::new(kind, doing(), reason);
        match settings.path.metadata() {
            Ok(file) if file.is_dir() => Err(refused(
                SourceErrorKind::Malformed,
                "it is a folder, not a database",
            )
            .help("`path` takes the database file itself")),
            Ok(_) => Ok(Self {
                path: settings.path.clone(),
                written: settings.written.clone(),
                busy_timeout: settings.busy_timeout,
                moment: None,
            }),
            Err(error) => {
                let (kind, reason) = match error.kind() {
                    std::io::ErrorKind::NotFound => (
                        SourceErrorKind::NotFound,
                        "there is no such file".to_owned(),
                    ),
                    std::io::ErrorKind::PermissionDenied => {
                        (SourceErrorKind::Denied, "it may not be read".to_owned())
                    }
                    _ => (SourceErrorKind::Failed, error.to_string()),
                };
                let help = "relative paths begin in the folder of the pipeline file";
                Err(refused(kind, &reason).help(help).cause(error))
            }
        }
    }

    /// A connection to read pages of at most so many rows by. One of its own holds no lock while
    /// nothing is asked of it; that of a moment is for one page, and then for the next who asks.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub(crate) async fn open(&self, rows: usize) -> Result<Connection, SourceError> {
        Ok(match &self.moment {
            Some(moment) => Connection::OfMoment(Arc::clone(moment).lock_owned().await),
            None => Connection::Own(self.connect(rows).await?),
        })
    }

    /// The database as it is now. Where it has no write-ahead log, nobody can commit until what is
    /// given is dropped.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or read.
    pub(crate) async fn at_one_moment(&self) -> Result<Self, SourceError> {
        let mut connection = self.connect(MOST_ROWS).await?;
        // A transaction begins with what is read first.
        let begin = sqlx::raw_sql("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
        let begun = begin.execute(&mut connection).await;
        begun.map_err(|error| {
            let doing = format!("begin to read {}", self.written);
            failed(doing, self, error)
        })?;
        Ok(Self {
            path: self.path.clone(),
            written: self.written.clone(),
            busy_timeout: self.busy_timeout,
            moment: Some(Arc::new(Mutex::new(connection))),
        })
    }

    async fn connect(&self, rows: usize) -> Result<SqliteConnection, SourceError> {
        // All of them fit between SQLite and whoever takes them, so that the statement ends by
        // itself even when nobody pulls any more.
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(true)
            .busy_timeout(self.busy_timeout)
            .row_buffer_size(rows.saturating_add(1))
            .disable_statement_logging();
        let doing = || format!("open {}", self.written);
        let connected = options.connect().await;
        connected.map_err(|error| failed(doing(), self, error))
    }
}

/// Rows of an answer that is short.
pub(crate) const FEW: usize = 50;

/// SQL made here, of names that were quoted.
pub(crate) fn sql(text: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(text.to_owned())
}

/// A name as SQL takes it. Not in double quotes: SQLite takes what stands in those for a text
/// where there is no such column.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
