//! Is a source that is in use read as it was at one moment, where that is wanted, and let go of
//! before anything waits?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chatferry_simulator::Settings;
use chatferry_testkit::servers::{self, PASSWORD};
use chatferry_tests::{Folder, Served, account, unlimited};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection, PgConnection};
use tokio::runtime::Runtime;

/// Accounts in each of the two tables of a bank: enough that others write while they are read.
const ACCOUNTS: u64 = 60_000;
/// What is in each of them at first.
const EACH: u64 = 10;
/// What is in all of them together, however it is moved.
const MONEY: u64 = 2 * ACCOUNTS * EACH;

/// Whoever writes to a database.
enum Writer {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

impl Writer {
    async fn execute(&mut self, script: String) {
        let script = sqlx::raw_sql(AssertSqlSafe(script));
        let done = match self {
            Self::Postgres(connection) => script.execute(connection).await.map(drop),
            Self::MySql(connection) => script.execute(connection).await.map(drop),
            Self::Sqlite(connection) => script.execute(connection).await.map(drop),
        };
        done.unwrap();
    }

    /// Opens the accounts.
    async fn fill(&mut self, numbers: &str) {
        for table in ["giro", "savings"] {
            self.execute(format!(
                "CREATE TABLE {table} (id integer PRIMARY KEY, amount integer NOT NULL,
                     words varchar(100));
                 INSERT INTO {table} SELECT n, {EACH}, 'so that it has more than one page'
                 FROM ({numbers}) numbers;"
            ))
            .await;
        }
    }

    /// Moves money from one table to the other until told to stop; how often.
    async fn move_money(&mut self, stop: &AtomicBool) -> u64 {
        let mut moved = 0;
        while !stop.load(Ordering::Relaxed) {
            let id = 1 + moved * 7_919 % ACCOUNTS;
            let (from, to) = match moved % 3 {
                0 => ("giro", "savings"),
                _ => ("savings", "giro"),
            };
            self.execute(format!(
                "BEGIN; UPDATE {from} SET amount = amount - 5 WHERE id = {id};
                 UPDATE {to} SET amount = amount + 5 WHERE id = {id}; COMMIT;"
            ))
            .await;
            moved += 1;
        }
        moved
    }
}

/// A pipeline that carries over one user, whose name is all the money that there is.
fn pipeline(folder: &Folder, served: &Served, source: &str) -> String {
    let text = format!(
        r#"name = "bank"
[cometchat]
base_url = "{}"
api_key = "key"
requests_per_minute = "off"
[engine]
spill = "."
[sources.bank]
{source}
[views]
accounts = "SELECT amount FROM bank.giro UNION ALL SELECT amount FROM bank.savings"
total = "SELECT sum(amount) AS amount FROM accounts"
[[flow]]
entity = "users"
from = "total"
fields = {{ uid = "'total'", name = "CAST(amount AS VARCHAR)" }}
"#,
        served.url()
    );
    folder.write("bank.toml", text)
}

/// The money that runs and snapshots see while it is moved.
fn money_is_seen_as_of_one_moment(mut writer: Writer, runtime: &Runtime, source: &str) {
    let folder = Folder::new();
    let stop = AtomicBool::new(false);
    let moved = std::thread::scope(|threads| {
        let writing = threads.spawn(|| runtime.block_on(writer.move_money(&stop)));
        let seen = |wanted: &str, more: &[&str]| {
            let served = Served::new(unlimited());
            let bank = pipeline(&folder, &served, &format!("{source}\n{wanted}"));
            let mut arguments = vec!["run", &bank];
            arguments.extend(more);
            let ended = folder.run(&arguments).expect(0);
            let money = served.stored().users[0]["name"]
                .as_str()
                .unwrap()
                .to_owned();
            std::fs::remove_file(folder.path().join("bank.ledger")).unwrap();
            (money, ended)
        };
        for _ in 0..2 {
            let (money, ended) = seen("snapshot = true", &[]);
            assert_eq!(money, MONEY.to_string());
            assert!(
                ended.err.contains("2 tables, 120,000 rows"),
                "{}",
                ended.err
            );
        }
        // A snapshot is one of one moment without being asked.
        let served = Served::new(unlimited());
        let bank = pipeline(&folder, &served, source);
        let copy = folder.file("copy");
        let taken = ["snapshot", &bank, "--to", &copy, "--format", "json"];
        let manifest = account::json(&folder.run(&taken).expect(0));
        assert_eq!(manifest["sources"][0]["oneMoment"], true);
        assert_eq!(seen("", &["--snapshot", &copy]).0, MONEY.to_string());
        println!("statement by statement: {} of {MONEY}", seen("", &[]).0);
        stop.store(true, Ordering::Relaxed);
        writing.join().unwrap()
    });
    println!("moved {moved} times");
    assert!(moved > 20, "somebody wrote meanwhile");
    assert_eq!(spools(folder.path()), 0, "no copy is left behind");
}

/// How many copies lie there.
fn spools(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("chatferry-")).count()
}

#[test]
fn a_postgresql_database_is_read_as_it_was_at_one_moment() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(async { servers::postgres().await.database().await });
    let writer = runtime.block_on(async {
        let mut writer = Writer::Postgres(PgConnection::connect(database.url()).await.unwrap());
        let numbers = format!("SELECT n FROM generate_series(1, {ACCOUNTS}) n");
        writer.fill(&numbers).await;
        writer
    });
    let source = format!("connector = \"postgres\"\nurl = \"{}\"", database.url());
    money_is_seen_as_of_one_moment(writer, &runtime, &source);
}

#[test]
fn a_mariadb_database_is_read_as_it_was_at_one_moment() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(async { servers::mariadb().await.database().await });
    let writer = runtime.block_on(async {
        let mut writer = Writer::MySql(MySqlConnection::connect(database.url()).await.unwrap());
        let numbers = format!("SELECT seq AS n FROM seq_1_to_{ACCOUNTS}");
        writer.fill(&numbers).await;
        writer
    });
    let source = format!("connector = \"mysql\"\nurl = \"{}\"", database.url());
    money_is_seen_as_of_one_moment(writer, &runtime, &source);
}

#[test]
fn a_sqlite_database_is_read_as_it_was_at_one_moment() {
    let runtime = Runtime::new().unwrap();
    let folder = Folder::new();
    let path = folder.file("bank.db");
    let writer = runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(&path);
        let connection = options.create_if_missing(true).connect().await;
        let mut writer = Writer::Sqlite(connection.unwrap());
        writer
            .execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;".to_owned())
            .await;
        let numbers = format!(
            "WITH RECURSIVE numbers(n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ACCOUNTS}) SELECT n FROM numbers"
        );
        writer.fill(&numbers).await;
        writer
    });
    let source = format!("connector = \"sqlite\"\npath = \"{path}\"");
    money_is_seen_as_of_one_moment(writer, &runtime, &source);
}

/// A session of ours: whether it is outside any transaction, and holds back no vacuum.
async fn sessions(connection: &mut PgConnection) -> Vec<(bool, bool)> {
    let sessions = sqlx::query_as(
        "SELECT xact_start IS NULL, backend_xmin IS NULL FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'chatferry'",
    );
    sessions.fetch_all(connection).await.unwrap()
}

#[test]
fn nothing_is_open_in_the_database_while_a_run_waits_and_the_copy_goes_away() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(async {
        let database = servers::postgres().await.database().await;
        let people = "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL);
             INSERT INTO people SELECT n, 'Person ' || n FROM generate_series(1, 50000) n;";
        database.execute(people).await;
        database
    });
    let served = Served::new(Settings {
        requests_per_minute: NonZeroU32::new(600),
        ..unlimited()
    });
    let folder = Folder::new();
    let pipeline = folder.write(
        "people.toml",
        format!(
            r#"name = "people"
[cometchat]
base_url = "{}"
api_key = "key"
requests_per_minute = 600
[engine]
spill = "."
[sources.legacy]
connector = "postgres"
url = "{}"
snapshot = true
[[flow]]
entity = "users"
from = "legacy.people"
fields = {{ uid = "'p' || id", name = "name" }}
"#,
            served.url(),
            database.url()
        ),
    );
    let mut running = folder.start(&["run", &pipeline]);
    running.until("users are sent", || served.counts().users >= 50);
    assert_eq!(spools(folder.path()), 1, "it reads from its copy");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        // Whoever is gone may still be listed for a moment; ten requests take a second.
        let mut held_at = served.counts().users;
        while served.counts().users < held_at + 500 {
            let sessions = sessions(&mut connection).await;
            if !sessions.iter().all(|free| *free == (true, true)) {
                held_at = served.counts().users;
            }
        }
        // Nothing is left to be asked of it: it may go.
        let gone = "DROP TABLE people;".to_owned();
        sqlx::raw_sql(AssertSqlSafe(gone))
            .execute(&mut connection)
            .await
            .unwrap();
        assert!(
            sessions(&mut connection)
                .await
                .iter()
                .all(|free| *free == (true, true))
        );
    });
    let sent = served.counts().users;
    running.until("the run goes on", || served.counts().users >= sent + 200);
    running.interrupt();
    let ended = running.ended().expect(130);
    assert!(!ended.said().contains(PASSWORD), "the password got out");
    assert_eq!(spools(folder.path()), 0, "no copy is left behind");
}
