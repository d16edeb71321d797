//! The tables, and which version of them this program understands.

use sqlx::{Row, SqliteConnection};

/// The version of the tables, kept in SQLite's `user_version`.
const VERSION: i64 = 3;
/// Marks the file as a ledger of chatferry in SQLite's `application_id`: "FRRY".
const APPLICATION: i64 = 0x4652_5259;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS runs (
    run        INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    ended      TEXT,
    account    TEXT,
    pipeline   INTEGER
);
CREATE TABLE IF NOT EXISTS requests (
    request INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    entity  INTEGER NOT NULL,
    sent_ms INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    status  INTEGER,
    result  TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS delivered (
    record  INTEGER PRIMARY KEY,
    key     INTEGER NOT NULL,
    entity  INTEGER NOT NULL,
    present INTEGER NOT NULL,
    request INTEGER NOT NULL,
    id      TEXT NOT NULL,
    remote,
    content INTEGER
);
CREATE TABLE IF NOT EXISTS undelivered (
    key     INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    entity  INTEGER NOT NULL,
    flow    TEXT NOT NULL,
    id      TEXT,
    outcome TEXT NOT NULL,
    reason  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    place   TEXT,
    content INTEGER
);
CREATE TABLE IF NOT EXISTS marks (
    flow         TEXT PRIMARY KEY,
    run          INTEGER NOT NULL,
    begun_in     INTEGER NOT NULL,
    position     TEXT NOT NULL,
    first_record INTEGER NOT NULL,
    last_record  INTEGER NOT NULL,
    before       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS changes (
    flow     TEXT PRIMARY KEY,
    pipeline INTEGER NOT NULL,
    changed  TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS differing (
    key    INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    flow   TEXT NOT NULL,
    id     TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS flows (
    flow   TEXT PRIMARY KEY,
    entity INTEGER NOT NULL,
    reads  TEXT NOT NULL,
    id     TEXT NOT NULL
);
";

/// What makes a ledger of an older version one of this, beside the tables that it lacks: each
/// step with the last version that needs it.
const STEPS: [(i64, &str); 2] = [
    (1, "ALTER TABLE runs ADD COLUMN pipeline INTEGER;"),
    (2, "ALTER TABLE delivered ADD COLUMN content INTEGER;"),
];

/// Why the tables cannot be used.
pub(crate) enum Trouble {
    Sqlite(sqlx::Error),
    Foreign(String),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Makes the tables in a new file, or makes sure that those that are there are ours.
pub(crate) async fn prepare(connection: &mut SqliteConnection) -> Result<(), Trouble> {
    let tables: i64 = sqlx::query("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    let version = match tables {
        0 => VERSION,
        _ => match check(connection).await? {
            VERSION => return Ok(()),
            older => older,
        },
    };
    let steps = STEPS.iter().filter(|(last, _)| *last >= version);
    let older: String = steps.map(|(_, step)| *step).collect();
    let prepare = format!(
        "BEGIN; {older} {TABLES} PRAGMA application_id = {APPLICATION}; \
         PRAGMA user_version = {VERSION}; COMMIT;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes sure that the file is a ledger that this program understands; gives its version.
pub(crate) async fn check(connection: &mut SqliteConnection) -> Result<i64, Trouble> {
    let application: i64 = sqlx::query("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    if application != APPLICATION {
        return Err(Trouble::Foreign(
            "it is a database of another program".into(),
        ));
    }
    let version: i64 = sqlx::query("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    if version > VERSION {
        return Err(Trouble::Foreign(format!(
            "a newer chatferry wrote it (version {version}, this one knows {VERSION})"
        )));
    }
    Ok(version)
}
