//! Throw-away servers: that they start, are alone, and end.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chatferry_testkit::servers::{self, Database, MariaDb, Options, PASSWORD, Postgres, S3};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, MySqlConnection, PgConnection};

/// The variable that tells this test program to hold a server until it is killed.
const HOLD: &str = "CHATFERRY_TEST_HOLD";

async fn postgres_says(url: &str, query: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
    query.fetch_one(&mut connection).await.unwrap()
}

async fn mariadb_says(url: &str, query: &str) -> String {
    let mut connection = MySqlConnection::connect(url).await.unwrap();
    let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
    query.fetch_one(&mut connection).await.unwrap()
}

/// Asks a server of either kind.
async fn says(url: &str, query: &str) -> String {
    match url.starts_with("postgres") {
        true => postgres_says(url, query).await,
        false => mariadb_says(url, query).await,
    }
}

async fn two_databases_are_apart(one: Database, other: Database) {
    one.execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('one');")
        .await;
    other
        .execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('other');")
        .await;
    assert_eq!(says(one.url(), "SELECT x FROM t").await, "one");
    assert_eq!(says(other.url(), "SELECT x FROM t").await, "other");
}

#[tokio::test]
async fn each_database_of_postgres_is_a_test_s_own() {
    let server = servers::postgres().await;
    two_databases_are_apart(server.database().await, server.database().await).await;
}

#[tokio::test]
async fn each_database_of_mariadb_is_a_test_s_own() {
    let server = servers::mariadb().await;
    two_databases_are_apart(server.database().await, server.database().await).await;
}

#[tokio::test]
async fn an_s3_server_of_one_s_own_ends_with_it() {
    let server = S3::own().await;
    let bucket = server.bucket().await;
    bucket.put("a b/c.txt", "text").await;
    let url = bucket.signed_url("a b/c.txt").await;
    let host = server.host().to_owned();
    let (_, path) = url.split_once(&host).unwrap();
    let read = || {
        let mut connection = TcpStream::connect(&host)?;
        write!(connection, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    assert!(read().unwrap().ends_with("\r\n\r\ntext"));
    drop(server);
    assert!(read().is_err());
}

#[tokio::test]
async fn all_tests_share_one_server_of_each_kind() {
    assert!(std::ptr::eq(
        servers::postgres().await,
        servers::postgres().await
    ));
    assert!(std::ptr::eq(
        servers::mariadb().await,
        servers::mariadb().await
    ));
}

#[tokio::test]
async fn postgres_stops_and_starts_with_what_it_had() {
    let server = Postgres::own_with(Options::default().set("max_connections", "7")).await;
    let database = server.database().await;
    database
        .execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('kept');")
        .await;
    assert_eq!(
        postgres_says(database.url(), "SHOW max_connections").await,
        "7"
    );

    server.stop().await;
    assert!(PgConnection::connect(database.url()).await.is_err());
    server.start().await;
    assert_eq!(
        postgres_says(database.url(), "SELECT x FROM t").await,
        "kept"
    );

    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    server.kill_sessions().await;
    assert!(connection.ping().await.is_err());
}

#[tokio::test]
async fn mariadb_stops_and_starts_with_what_it_had() {
    let server = MariaDb::own_with(Options::default().set("max-statement-time", "7")).await;
    let database = server.database().await;
    database
        .execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('kept');")
        .await;
    let setting = "SELECT CAST(@@max_statement_time AS char)";
    assert!(
        mariadb_says(database.url(), setting)
            .await
            .starts_with("7.0")
    );

    server.stop().await;
    assert!(MySqlConnection::connect(database.url()).await.is_err());
    server.start().await;
    assert_eq!(
        mariadb_says(database.url(), "SELECT x FROM t").await,
        "kept"
    );

    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    server.kill_sessions().await;
    assert!(connection.ping().await.is_err());
}

#[tokio::test]
async fn a_replica_has_what_its_primary_has() {
    let primary = Postgres::own().await;
    let database = primary.database().await;
    let replica = Postgres::replica_of(&primary, Options::default()).await;
    database
        .execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('copied');")
        .await;
    replica.catch_up_with(&primary).await;

    let copy = replica.url(database.name());
    assert_eq!(postgres_says(&copy, "SELECT x FROM t").await, "copied");
    let mut connection = PgConnection::connect(&copy).await.unwrap();
    let written = sqlx::query("INSERT INTO t VALUES ('not here')")
        .execute(&mut connection)
        .await;
    assert!(written.is_err());
}

#[tokio::test]
async fn a_wrong_password_is_refused_by_both() {
    let postgres = servers::postgres().await.database().await;
    let mariadb = servers::mariadb().await.database().await;
    let wrong = |url: &str| url.replace(PASSWORD, "wrong");
    assert!(PgConnection::connect(&wrong(postgres.url())).await.is_err());
    assert!(
        MySqlConnection::connect(&wrong(mariadb.url()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn postgres_shows_a_certificate_for_localhost_alone() {
    let server = Postgres::own_with(Options::default().tls_only()).await;
    let authority = server.authority().unwrap();
    let options: PgConnectOptions = server.url("postgres").parse().unwrap();
    let full = options.ssl_mode(PgSslMode::VerifyFull);
    let known = full.clone().ssl_root_cert(authority);

    assert!(known.clone().host("localhost").connect().await.is_ok());
    assert!(known.clone().connect().await.is_err());
    let any_name = known.clone().ssl_mode(PgSslMode::VerifyCa);
    assert!(any_name.connect().await.is_ok());
    assert!(full.host("localhost").connect().await.is_err());
    let open = known.ssl_mode(PgSslMode::Disable);
    assert!(open.connect().await.is_err());
}

#[tokio::test]
async fn mariadb_shows_a_certificate_for_localhost_alone() {
    let server = MariaDb::own_with(Options::default().tls_only()).await;
    let authority = server.authority().unwrap();
    let options: MySqlConnectOptions = server.url("mysql").parse().unwrap();
    let full = options.ssl_mode(MySqlSslMode::VerifyIdentity);
    let known = full.clone().ssl_ca(authority);

    assert!(known.clone().host("localhost").connect().await.is_ok());
    assert!(known.clone().connect().await.is_err());
    let any_name = known.clone().ssl_mode(MySqlSslMode::VerifyCa);
    assert!(any_name.connect().await.is_ok());
    assert!(full.host("localhost").connect().await.is_err());
    let open = known.ssl_mode(MySqlSslMode::Disabled);
    assert!(open.connect().await.is_err());
}

#[tokio::test]
async fn a_server_of_one_s_own_goes_with_its_folder() {
    let server = Postgres::own().await;
    let folder = postgres_says(&server.url("postgres"), "SHOW data_directory").await;
    assert!(Path::new(&folder).exists());
    drop(server);
    assert!(!Path::new(&folder).exists());
}

#[tokio::test]
async fn servers_end_with_a_process_that_is_killed() {
    if std::env::var_os(HOLD).is_some() {
        return hold().await;
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers_end_with_a_process_that_is_killed"])
        .arg("--nocapture")
        .env(HOLD, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(holder.stdout.take().unwrap()).lines();
    let urls: Vec<String> = said
        .filter_map(|line| line.unwrap().strip_prefix("url ").map(str::to_owned))
        .take(2)
        .collect();
    let folders = [
        postgres_says(&urls[0], "SHOW data_directory").await,
        mariadb_says(&urls[1], "SELECT @@datadir").await,
    ];
    let folders = folders.map(|data| PathBuf::from(data).parent().unwrap().to_owned());
    assert!(folders.iter().all(|folder| folder.exists()));

    holder.kill().unwrap();
    holder.wait().unwrap();

    let began = Instant::now();
    let ports = urls.iter().map(|url| {
        let (_, behind) = url.rsplit_once(':').unwrap();
        behind.split('/').next().unwrap().parse::<u16>().unwrap()
    });
    let ports: Vec<u16> = ports.collect();
    let remains = || {
        folders.iter().any(|folder| folder.exists())
            || ports
                .iter()
                .any(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
    };
    while remains() {
        assert!(began.elapsed() < Duration::from_secs(20), "they remain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Starts a server of each kind, says where, and waits to be killed.
async fn hold() {
    let (postgres, mariadb) = (Postgres::own().await, MariaDb::own().await);
    let mut out = std::io::stdout();
    writeln!(out, "\nurl {}", postgres.url("postgres")).unwrap();
    writeln!(out, "url {}", mariadb.url("mysql")).unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
