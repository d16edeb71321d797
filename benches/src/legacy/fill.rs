//! How a chat comes into a database or into files.

use std::path::PathBuf;
use std::str::FromStr;
use std::{fmt, fs, io};

use super::conversation::{Conversation, Participant};
use super::lake;
use super::message::{File, Message, Reaction};
use super::mysql::MySql;
use super::person::Person;
use super::population::Population;
use super::postgres::Postgres;
use super::rows::{Cell, Format, Rows};
use super::sheets;
use super::sqlite::Sqlite;

/// What stands in a schema between what is made before the rows and what is made after them.
const AFTER: &str = "-- after the rows";

/// A database or a folder to fill.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file, which is made if there is none.
    Sqlite(String),
    /// A database of a PostgreSQL server, by its URL.
    Postgres(String),
    /// A database of a MySQL or MariaDB server, by its URL.
    MySql(String),
    /// A folder, which is made, of CSV files.
    Csv(PathBuf),
    /// A folder, which is made, of Parquet files.
    Parquet(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        match written.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self::Sqlite(file.to_owned())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(written.to_owned())),
            Some(("mysql" | "mariadb", _)) => Ok(Self::MySql(written.to_owned())),
            Some(("csv", folder)) if !folder.is_empty() => Ok(Self::Csv(folder.into())),
            Some(("parquet", folder)) if !folder.is_empty() => Ok(Self::Parquet(folder.into())),
            _ => Err(
                "write sqlite:FILE, postgres://…, mysql://…, csv:FOLDER or parquet:FOLDER"
                    .to_owned(),
            ),
        }
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(file) => return write!(f, "Sqlite({file:?})"),
            Self::Postgres(_) => "Postgres(***)",
            Self::MySql(_) => "MySql(***)",
            Self::Csv(folder) => return write!(f, "Csv({})", folder.display()),
            Self::Parquet(folder) => return write!(f, "Parquet({})", folder.display()),
        })
    }
}

/// Why a database or a folder could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// There is something in it.
    #[error("the database has tables already; give an empty one")]
    NotEmpty,
    /// It did not do as it was told.
    #[error("cannot fill the database: {0}")]
    Database(#[from] sqlx::Error),
    /// Files could not be written.
    #[error("cannot write the files: {0}")]
    Files(#[from] io::Error),
}

/// A database and what becomes of the chat in it.
pub(super) trait Dialect {
    /// The tables and what is made after the rows are there.
    const SCHEMA: &'static str;
    /// How rows are written.
    const FORMAT: Format;
    /// Each table with its columns: people, conversations, participants, messages, files and
    /// reactions.
    const TABLES: [&'static str; 6];

    /// How many tables there are.
    async fn tables(&mut self) -> sqlx::Result<i64>;
    /// Does what the statements say.
    async fn run(&mut self, statements: String) -> sqlx::Result<()>;
    /// Adds rows, as they were written, to a table with these columns.
    async fn add(&mut self, into: &'static str, rows: String) -> sqlx::Result<()>;

    // The rows; none where this database would not have kept them.

    fn person(person: &Person) -> Vec<Cell<'_>>;
    fn conversation<'a>(chat: &Population, conversation: &'a Conversation) -> Vec<Cell<'a>>;
    fn participant<'a>(chat: &Population, participant: &'a Participant) -> Option<Vec<Cell<'a>>>;
    fn message<'a>(chat: &Population, message: &'a Message) -> Vec<Cell<'a>>;
    /// The file at that place of a message, counted from 1; `number` counts all files from 1.
    fn file<'a>(message: &Message, file: &'a File, place: u64, number: u64) -> Vec<Cell<'a>>;
    fn reaction<'a>(
        chat: &Population,
        message: &Message,
        reaction: &'a Reaction,
    ) -> Option<Vec<Cell<'a>>>;
}

/// Fills an empty database or a folder with a chat.
///
/// # Errors
///
/// When the database cannot be reached, is not empty, or refuses; when a file is there already, or
/// cannot be written.
pub async fn fill(target: &Target, chat: &Population) -> Result<(), FillError> {
    match target {
        Target::Sqlite(file) => {
            let mut database = Sqlite::open(file).await?;
            fill_with(&mut database, chat).await?;
            Ok(database.close().await?)
        }
        Target::Postgres(url) => fill_with(&mut Postgres::open(url).await?, chat).await,
        Target::MySql(url) => fill_with(&mut MySql::open(url).await?, chat).await,
        Target::Csv(folder) => {
            fs::create_dir_all(folder)?;
            Ok(sheets::write(folder, chat).await?)
        }
        Target::Parquet(folder) => {
            fs::create_dir_all(folder)?;
            Ok(lake::write(folder, chat)?)
        }
    }
}

async fn fill_with<D: Dialect>(database: &mut D, chat: &Population) -> Result<(), FillError> {
    if database.tables().await? > 0 {
        return Err(FillError::NotEmpty);
    }
    let (before, after) = D::SCHEMA
        .split_once(AFTER)
        .expect("each schema has this line");
    database.run(before.to_owned()).await?;
    let mut tables = D::TABLES.map(|table| Rows::new(D::FORMAT, table));
    let add = async |table: usize, row: &[Cell<'_>]| {
        let rows = &mut tables[table];
        rows.push(row);
        match rows.are_enough() {
            true => send(database, rows).await,
            false => Ok(()),
        }
    };
    each_row::<D, _>(chat, add).await?;
    for rows in &mut tables {
        send(database, rows).await?;
    }
    database.run(after.to_owned()).await?;
    Ok(())
}

/// Sends the rows of a table, if there are any.
async fn send<D: Dialect>(database: &mut D, rows: &mut Rows) -> sqlx::Result<()> {
    match rows.take() {
        Some((into, rows)) => database.add(into, rows).await,
        None => Ok(()),
    }
}

/// Gives every row of a chat, with the place of its table among [`Dialect::TABLES`].
pub(super) async fn each_row<D: Dialect, E>(
    chat: &Population,
    mut give: impl AsyncFnMut(usize, &[Cell<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    const PEOPLE: usize = 0;
    const CONVERSATIONS: usize = 1;
    const PARTICIPANTS: usize = 2;
    const MESSAGES: usize = 3;
    const FILES: usize = 4;
    const REACTIONS: usize = 5;
    for person in chat.people() {
        give(PEOPLE, &D::person(&person)).await?;
    }
    for conversation in chat.conversations() {
        give(CONVERSATIONS, &D::conversation(chat, &conversation)).await?;
    }
    for participant in chat.participants() {
        if let Some(row) = D::participant(chat, &participant) {
            give(PARTICIPANTS, &row).await?;
        }
    }
    let mut number = 0;
    for message in chat.messages() {
        give(MESSAGES, &D::message(chat, &message)).await?;
        for (file, place) in message.files.iter().zip(1..) {
            number += 1;
            give(FILES, &D::file(&message, file, place, number)).await?;
        }
        for reaction in &message.reactions {
            if let Some(row) = D::reaction(chat, &message, reaction) {
                give(REACTIONS, &row).await?;
            }
        }
    }
    Ok(())
}

/// A time as databases write it, without its zone: UTC.
pub(super) fn stamp(milliseconds: u64) -> String {
    let time = i64::try_from(milliseconds)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis);
    let time = time.expect("generated times are of this century, or 1970");
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use sqlx::{AssertSqlSafe, ConnectOptions};

    use super::*;

    /// The pipelines' samples, and what their readmes say they were made of.
    const SAMPLE: &str = "../pipelines/homegrown-sqlite/data/chat.db";
    const SAMPLE_OF_CSV: &str = "../pipelines/homegrown-csv/data";
    const MADE_OF: (u64, u64) = (9, 2_000);

    /// All rows of all tables.
    async fn dump(file: &Path) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let mut database: SqliteConnection = options.connect().await.unwrap();
        let mut dump = Vec::new();
        for table in Sqlite::TABLES {
            let (name, columns) = table.split_once(" (").unwrap();
            let values = columns.trim_end_matches(')').split(", ");
            let values: Vec<String> = values.map(|column| format!("quote({column})")).collect();
            let query = format!(
                "SELECT {} FROM {name} ORDER BY 1",
                values.join(" || ',' || ")
            );
            let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(query));
            dump.push(name.to_owned());
            dump.extend(rows.fetch_all(&mut database).await.unwrap());
        }
        dump
    }

    async fn filled(seed: u64, messages: u64) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chat.db");
        let target = Target::Sqlite(file.to_str().unwrap().to_owned());
        let chat = Population::new(seed, messages);
        fill(&target, &chat).await.unwrap();
        let again = fill(&target, &chat).await;
        assert!(matches!(again, Err(FillError::NotEmpty)), "{again:?}");
        dump(&file).await
    }

    #[tokio::test]
    async fn a_seed_gives_the_same_chat_and_another_one_another() {
        let chat = filled(7, 500).await;
        assert_eq!(chat, filled(7, 500).await);
        assert_ne!(chat, filled(8, 500).await);
    }

    #[tokio::test]
    async fn the_sample_is_what_its_seed_gives() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE);
        assert!(dump(&sample).await == filled(MADE_OF.0, MADE_OF.1).await);
    }

    #[tokio::test]
    async fn the_sample_of_csv_is_what_its_seed_gives() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE_OF_CSV);
        let folder = tempfile::tempdir().unwrap();
        let chat = Population::new(MADE_OF.0, MADE_OF.1);
        sheets::write(folder.path(), &chat).await.unwrap();
        for table in Sqlite::TABLES {
            let (name, _) = table.split_once(" (").unwrap();
            let read = |folder: &Path| fs::read(folder.join(format!("{name}.csv"))).unwrap();
            assert!(read(&sample) == read(folder.path()), "{name}");
        }
    }

    #[test]
    fn a_target_is_told_by_its_scheme_and_hides_its_password() {
        let parsed = |text: &str| text.parse::<Target>();
        assert_eq!(
            parsed("sqlite:a.db").unwrap(),
            Target::Sqlite("a.db".into())
        );
        let target = parsed("postgres://user:secret@host/db").unwrap();
        assert!(!format!("{target:?}").contains("secret"));
        assert!(parsed("oracle://host").is_err());
        assert!(parsed("sqlite:").is_err());
    }
}
