//! What to do when SQLite refuses.

use std::fs::File;
use std::io::ErrorKind;

use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::session::Database;

/// SQLite's own numbers for what went wrong.
mod code {
    pub(super) const ERROR: i32 = 1;
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
    /// The file ends where there should be more.
    pub(super) const IOERR_SHORT_READ: i32 = 522;
}

const WAL: &str = "a database in WAL mode needs a `-wal` and a `-shm` file beside it, which must be \
                   there or be allowed to be made: copy the database and those files to a folder of \
                   your own, or run `PRAGMA journal_mode = DELETE` on it";
const REFUSED: &str = "SQLite itself refuses; try the same in the `sqlite3` program";
const DAMAGED: &str = "check it with `sqlite3 FILE \"PRAGMA integrity_check\"`; what is readable can \
                       be saved with `sqlite3 FILE .recover`";

/// What became of an attempt to do something, a phrase that reads after "cannot".
pub(crate) fn failed(doing: String, database: &Database, error: sqlx::Error) -> SourceError {
    let Some(refusal) = Refusal::of(&error) else {
        let reason = error.to_string();
        return SourceError::new(SourceErrorKind::Failed, doing, reason).cause(error);
    };
    let (kind, reason, help) = advice(&refusal, database);
    let failed = SourceError::new(kind, doing, reason).cause(error);
    match help {
        Some(help) => failed.help(help),
        None => failed,
    }
}

/// The same while rows are read by what is known of their table: where that is not so any more,
/// the table has changed.
pub(crate) fn failed_to_read(table: &str, database: &Database, error: sqlx::Error) -> SourceError {
    let doing = format!("read {table}");
    match Refusal::of(&error) {
        Some(refusal) if refusal.is_changed_schema() => {
            SourceError::new(SourceErrorKind::Changed, doing, refusal.message)
                .help("the table changed while it was read; run `chatferry check`, then go on")
                .cause(error)
        }
        _ => failed(doing, database, error),
    }
}

/// What SQLite said.
struct Refusal {
    /// The number with all it tells.
    extended: i32,
    message: String,
}

impl Refusal {
    fn of(error: &sqlx::Error) -> Option<Self> {
        let error = error.as_database_error()?;
        Some(Self {
            extended: error.code()?.parse().ok()?,
            message: error.message().to_owned(),
        })
    }

    const fn primary(&self) -> i32 {
        self.extended & 0xFF
    }

    fn is_changed_schema(&self) -> bool {
        let gone = ["no such table", "no such column", "no such index"];
        self.primary() == code::ERROR && gone.iter().any(|gone| self.message.starts_with(gone))
    }
}

type Advice = (SourceErrorKind, String, Option<String>);

fn advice(refusal: &Refusal, database: &Database) -> Advice {
    let message = || refusal.message.clone();
    match refusal.primary() {
        code::BUSY | code::LOCKED => (
            SourceErrorKind::Failed,
            format!(
                "another program has locked it for {:?}",
                database.busy_timeout
            ),
            Some(
                "stop what writes to it, raise `busy_timeout`, or copy it with `sqlite3 FILE \
                 \".backup COPY\"` and read the copy"
                    .into(),
            ),
        ),
        code::CANTOPEN | code::READONLY | code::PERM => match File::open(&database.path) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => (
                SourceErrorKind::Denied,
                "it may not be read".into(),
                Some("give the user that runs chatferry the right to read it".into()),
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => (
                SourceErrorKind::Changed,
                "the file is not there any more".into(),
                None,
            ),
            _ => (SourceErrorKind::Denied, message(), Some(WAL.into())),
        },
        code::NOTADB => (
            SourceErrorKind::Malformed,
            "it is no SQLite database, or an encrypted one".into(),
            Some("decrypt it first; SQLCipher has `sqlcipher_export` for that".into()),
        ),
        code::CORRUPT => (SourceErrorKind::Malformed, message(), Some(DAMAGED.into())),
        code::IOERR if refusal.extended == code::IOERR_SHORT_READ => (
            SourceErrorKind::Malformed,
            "the file ends too soon".into(),
            Some(DAMAGED.into()),
        ),
        code::ERROR => (SourceErrorKind::Pipeline, message(), Some(REFUSED.into())),
        _ => (SourceErrorKind::Failed, message(), None),
    }
}
