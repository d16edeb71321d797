//! How the database is opened: to be read, and never to be made or changed.

use std::path::PathBuf;
use std::time::Duration;

use chatferry_core::source::{SourceError, SourceErrorKind};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::failure::failed;
use crate::settings::SqliteSettings;

/// A database that can be opened as often as needed.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    /// The path as a person wrote it.
    pub(crate) written: String,
    pub(crate) busy_timeout: Duration,
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

    /// A connection of its own, to read pages of at most so many rows. It holds no lock while
    /// nothing is asked of it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub(crate) async fn open(&self, rows: usize) -> Result<SqliteConnection, SourceError> {
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
