//! The map: what became of each file, in one SQLite file beside the ledger.
//!
//! What was copied is written down at once, so that whoever is killed goes on where they were. No
//! URL is in it that lets anybody fetch a file: see [`key`](crate::key).

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use crate::key::Key;
use crate::reason::Reason;

/// The version of the tables, kept in SQLite's `user_version`.
const VERSION: i64 = 1;
/// Marks the file as a map of ours in SQLite's `application_id`: "FRYF".
const APPLICATION: i64 = 0x4652_5946;

const TABLES: &str = "
CREATE TABLE store (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    place  TEXT NOT NULL,
    public TEXT NOT NULL
);
CREATE TABLE copies (
    sha256 BLOB PRIMARY KEY,
    ending TEXT NOT NULL,
    bytes  INTEGER NOT NULL,
    type   TEXT
) WITHOUT ROWID;
CREATE TABLE files (
    key    BLOB PRIMARY KEY,
    shown  TEXT NOT NULL,
    sha256 BLOB REFERENCES copies,
    tries  INTEGER NOT NULL,
    reason TEXT,
    detail TEXT,
    at_ms  INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What became of each file.
#[derive(Debug)]
pub struct Map {
    connection: SqliteConnection,
    path: PathBuf,
    /// Held for as long as this process may write.
    _lock: Option<File>,
}

/// The store that the copies are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreRow {
    /// As a person may see it.
    pub(crate) place: String,
    /// Under which URL everybody sees it.
    pub(crate) public: String,
}

/// The contents that copies have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) sha256: [u8; 32],
    pub(crate) ending: String,
    pub(crate) bytes: u64,
    pub(crate) media_type: Option<String>,
}

/// The files that are copied.
#[derive(Debug, Default)]
pub struct Known(std::collections::HashSet<Key>);

impl Known {
    pub(crate) fn has(&self, key: Key) -> bool {
        self.0.contains(&key)
    }
}

impl Map {
    /// Opens a map to write it, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// When the file is no map, was made by a newer chatferry, may not be written, or is being
    /// written by another process.
    pub async fn open(path: &Path) -> Result<Self, MapError> {
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Normal);
        let mut map = Self::connect(path, &options, Some(lock)).await?;
        map.prepare()
            .await
            .map_err(|error| map.error("open", &error))??;
        Ok(map)
    }

    /// Opens a map to read it, also while another process writes it; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the file is no map, or was made by a newer chatferry.
    pub async fn read(path: &Path) -> Result<Option<Self>, MapError> {
        if !path.exists() {
            return Ok(None);
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut map = Self::connect(path, &options, None).await?;
        map.check()
            .await
            .map_err(|error| map.error("read", &error))??;
        Ok(Some(map))
    }

    async fn connect(
        path: &Path,
        options: &SqliteConnectOptions,
        lock: Option<File>,
    ) -> Result<Self, MapError> {
        let connection = options.clone().disable_statement_logging().connect().await;
        let connection = connection.map_err(|error| MapError::sqlite("open", path, &error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Makes the tables in a new file, or makes sure that those that are there are ours.
    async fn prepare(&mut self) -> Result<Result<(), MapError>, sqlx::Error> {
        let tables: i64 = sqlx::query("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut self.connection)
            .await?
            .get(0);
        if tables > 0 {
            return self.check().await;
        }
        let prepare = format!(
            "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; \
             PRAGMA user_version = {VERSION}; COMMIT; PRAGMA journal_mode = WAL;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
            .execute(&mut self.connection)
            .await?;
        Ok(Ok(()))
    }

    async fn check(&mut self) -> Result<Result<(), MapError>, sqlx::Error> {
        let number = async |connection: &mut SqliteConnection, pragma: &'static str| {
            let row = sqlx::query(pragma).fetch_one(connection).await?;
            Ok::<i64, sqlx::Error>(row.get(0))
        };
        let application = number(&mut self.connection, "PRAGMA application_id").await?;
        let version = number(&mut self.connection, "PRAGMA user_version").await?;
        if application != APPLICATION {
            let reason = "it is not a map of attachments";
            return Ok(Err(MapError::new("use", &self.path, reason).help(
                "move it away, or name another ledger with --ledger: the map is beside it",
            )));
        }
        if version > VERSION {
            let reason =
                format!("a newer chatferry wrote it (version {version}, this one knows {VERSION})");
            return Ok(Err(
                MapError::new("use", &self.path, reason).help("use that version of chatferry")
            ));
        }
        Ok(Ok(()))
    }

    /// The store that the copies are in, once there is one.
    pub(crate) async fn store(&mut self) -> Result<Option<StoreRow>, MapError> {
        let row = sqlx::query("SELECT place, public FROM store")
            .fetch_optional(&mut self.connection)
            .await;
        let row = row.map_err(|error| self.error("read", &error))?;
        Ok(row.map(|row| StoreRow {
            place: row.get(0),
            public: row.get(1),
        }))
    }

    /// Notes the store that the copies are in.
    pub(crate) async fn set_store(&mut self, store: &StoreRow) -> Result<(), MapError> {
        let set = sqlx::query("INSERT OR REPLACE INTO store VALUES (1, ?, ?)")
            .bind(&store.place)
            .bind(&store.public)
            .execute(&mut self.connection)
            .await;
        set.map(drop).map_err(|error| self.error("write", &error))
    }

    /// The files that are copied.
    ///
    /// # Errors
    ///
    /// When the map cannot be read.
    pub async fn known(&mut self) -> Result<Known, MapError> {
        let rows = sqlx::query("SELECT key FROM files WHERE sha256 IS NOT NULL")
            .fetch_all(&mut self.connection)
            .await;
        let rows = rows.map_err(|error| self.error("read", &error))?;
        Ok(Known(rows.iter().filter_map(key).collect()))
    }

    /// The ending of each of the contents that are in the store.
    pub(crate) async fn endings(&mut self) -> Result<HashMap<[u8; 32], String>, MapError> {
        let rows = sqlx::query("SELECT sha256, ending FROM copies")
            .fetch_all(&mut self.connection)
            .await;
        let rows = rows.map_err(|error| self.error("read", &error))?;
        let ending = |row: &SqliteRow| Some((bytes(row, 0)?, row.get(1)));
        Ok(rows.iter().filter_map(ending).collect())
    }

    /// Every file that is copied, with its contents' hash and ending; in the order of the keys.
    pub(crate) async fn copied(&mut self) -> Result<Vec<(Key, [u8; 32], String)>, MapError> {
        let rows = sqlx::query(
            "SELECT key, sha256, ending FROM files JOIN copies USING (sha256) ORDER BY key",
        )
        .fetch_all(&mut self.connection)
        .await;
        let rows = rows.map_err(|error| self.error("read", &error))?;
        let copied = |row: &SqliteRow| Some((key(row)?, bytes(row, 1)?, row.get(2)));
        Ok(rows.iter().filter_map(copied).collect())
    }

    /// Every file that could not be copied, and why; in the order of the keys.
    pub(crate) async fn failed(&mut self) -> Result<Vec<(Key, Reason)>, MapError> {
        let rows = sqlx::query("SELECT key, reason FROM files WHERE sha256 IS NULL ORDER BY key")
            .fetch_all(&mut self.connection)
            .await;
        let rows = rows.map_err(|error| self.error("read", &error))?;
        let failed = |row: &SqliteRow| Some((key(row)?, Reason::named(row.get(1))?));
        Ok(rows.iter().filter_map(failed).collect())
    }

    /// A number that changes whenever other files are copied.
    pub(crate) async fn edition(&mut self) -> Result<u64, MapError> {
        let row = sqlx::query("SELECT count(*) FROM files WHERE sha256 IS NOT NULL")
            .fetch_one(&mut self.connection)
            .await;
        let count: i64 = row.map_err(|error| self.error("read", &error))?.get(0);
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Writes down that a file was copied.
    pub(crate) async fn keep(
        &mut self,
        url: &str,
        copy: &Copy,
        tries: u32,
        now_ms: i64,
    ) -> Result<(), MapError> {
        let written = async {
            let mut transaction = self.connection.begin().await?;
            sqlx::query("INSERT OR IGNORE INTO copies VALUES (?, ?, ?, ?)")
                .bind(copy.sha256.as_slice())
                .bind(&copy.ending)
                .bind(i64::try_from(copy.bytes).unwrap_or(i64::MAX))
                .bind(&copy.media_type)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, NULL, NULL, ?)")
                .bind(Key::of(url).0.as_slice())
                .bind(crate::key::shown(url))
                .bind(copy.sha256.as_slice())
                .bind(tries)
                .bind(now_ms)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        };
        let written = written.await;
        written.map_err(|error| self.error("write", &error))
    }

    /// Writes down that a file could not be copied.
    pub(crate) async fn note_failure(
        &mut self,
        url: &str,
        failure: &crate::reason::Failure,
        tries: u32,
        now_ms: i64,
    ) -> Result<(), MapError> {
        let written = sqlx::query(
            "INSERT INTO files VALUES (?, ?, NULL, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET \
             tries = tries + excluded.tries, reason = excluded.reason, detail = excluded.detail, \
             at_ms = excluded.at_ms",
        )
        .bind(Key::of(url).0.as_slice())
        .bind(crate::key::shown(url))
        .bind(tries)
        .bind(failure.reason.name())
        .bind(&failure.detail)
        .bind(now_ms)
        .execute(&mut self.connection)
        .await;
        written
            .map(drop)
            .map_err(|error| self.error("write", &error))
    }

    /// Closes it, so that all is in the one file.
    ///
    /// # Errors
    ///
    /// When the last of it cannot be written.
    pub async fn close(self) -> Result<(), MapError> {
        let path = self.path;
        let closed = self.connection.close().await;
        closed.map_err(|error| MapError::sqlite("write", &path, &error))
    }

    fn error(&self, doing: &'static str, error: &sqlx::Error) -> MapError {
        MapError::sqlite(doing, &self.path, error)
    }
}

fn key(row: &SqliteRow) -> Option<Key> {
    Some(Key(bytes(row, 0)?))
}

fn bytes<const N: usize>(row: &SqliteRow, column: usize) -> Option<[u8; N]> {
    row.get::<&[u8], _>(column).try_into().ok()
}

/// Takes the lock that stands beside the map.
fn lock(map: &Path) -> Result<File, MapError> {
    let mut name = map.as_os_str().to_owned();
    name.push("-lock");
    let failed = |error: &std::io::Error| {
        MapError::new("open", map, error.kind().to_string()).help(
            "does its folder exist, and may it be written? the map is beside the ledger, which \
             --ledger names",
        )
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(PathBuf::from(name))
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(MapError::new("open", map, "another process is writing it")
                .help("wait until it ends, or stop it"))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(failed(&error)),
    }
}

/// Why a map cannot be used, and what to do about it.
#[derive(Debug)]
pub struct MapError {
    /// What could not be done: `open`, `write`.
    pub doing: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl MapError {
    fn new(doing: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        Self {
            doing,
            path: path.to_owned(),
            reason: reason.into(),
            help: None,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    fn sqlite(doing: &'static str, path: &Path, error: &sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let code: u32 = code.and_then(|code| code.parse().ok()).unwrap_or_default();
        // Result codes: https://www.sqlite.org/rescode.html; the low byte is the kind.
        let (reason, help) = match code & 0xff {
            8 | 14 => (
                "it may not be written, or not be opened".to_owned(),
                "give the file and its folder write permission; the map is beside the ledger, \
                 which --ledger names",
            ),
            13 => (
                "the disk is full".to_owned(),
                "make room, then run the same command again: it goes on where it stopped",
            ),
            11 | 26 => (
                "it is not a map of attachments, or it is damaged".to_owned(),
                "move it away and run `chatferry attachments` again: what is in the store is \
                 found there",
            ),
            _ => (error.to_string(), "run the same command again"),
        };
        Self::new(doing, path, reason).help(help)
    }
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(
            f,
            "cannot {} the map of attachments {path}: {}",
            self.doing, self.reason
        )
    }
}

impl Error for MapError {}
