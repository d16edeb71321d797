//! Throw-away servers.
//!
//! [`postgres`], [`mariadb`], [`mongodb()`] and [`s3`] give one server to all tests of a process: it
//! starts when the first test asks, on a free port of this machine, in a temporary folder.
//! [`Postgres::own`], [`MariaDb::own`], [`MongoDb::own`] and [`S3::own`] start one more, for a test
//! that stops it or breaks it.
//! On Linux, [`Ballista::own`] starts a cluster of Ballista.
//!
//! A server ends with the process that asked for it, even when that is killed (`keeper`). Its
//! programs are found, or installed where that may be done (`programs`); where neither is
//! possible the test fails and says what to do. `CHATFERRY_TEST_POSTGRES`, `CHATFERRY_TEST_MARIADB`,
//! `CHATFERRY_TEST_MONGODB` and `CHATFERRY_TEST_S3` name servers to use instead: the URL of an
//! account there that may do everything. A test that needs a server of its own starts one all the same.
//!
//! Everything here panics when it cannot do what is asked: there is no test without its server.

mod account;
#[cfg(target_os = "linux")]
mod ballista;
mod certificate;
mod database;
mod keeper;
mod mariadb;
mod mongodb;
mod options;
mod postgres;
mod process;
mod programs;
pub mod python;
mod s3;

use tokio::sync::OnceCell;

#[cfg(target_os = "linux")]
pub use ballista::Ballista;
pub use database::Database;
pub use mariadb::MariaDb;
pub use mongodb::MongoDb;
pub use options::Options;
pub use postgres::Postgres;
pub use s3::{Bucket, S3};

/// The password of every account that is made here.
///
/// A word that stands nowhere else, so that a test can look whether it got into a message.
pub const PASSWORD: &str = "swordfishinaspic";

/// The PostgreSQL server that all tests of this process share.
///
/// # Panics
///
/// When there is none and none can be started.
pub async fn postgres() -> &'static Postgres {
    static SERVER: OnceCell<Postgres> = OnceCell::const_new();
    shared(
        &SERVER,
        "CHATFERRY_TEST_POSTGRES",
        Postgres::given,
        Postgres::own(),
    )
    .await
}

/// The MariaDB server that all tests of this process share.
///
/// # Panics
///
/// When there is none and none can be started.
pub async fn mariadb() -> &'static MariaDb {
    static SERVER: OnceCell<MariaDb> = OnceCell::const_new();
    shared(
        &SERVER,
        "CHATFERRY_TEST_MARIADB",
        MariaDb::given,
        MariaDb::own(),
    )
    .await
}

/// The server of MongoDB's wire protocol that all tests of this process share.
///
/// # Panics
///
/// When there is none and none can be started.
pub async fn mongodb() -> &'static MongoDb {
    static SERVER: OnceCell<MongoDb> = OnceCell::const_new();
    shared(
        &SERVER,
        "CHATFERRY_TEST_MONGODB",
        MongoDb::given,
        MongoDb::own(),
    )
    .await
}

/// The S3 server that all tests of this process share.
///
/// # Panics
///
/// When there is none and none can be started.
pub async fn s3() -> &'static S3 {
    static SERVER: OnceCell<S3> = OnceCell::const_new();
    shared(&SERVER, "CHATFERRY_TEST_S3", S3::given, S3::own()).await
}

/// The one server: the one that the environment names, or one of our own.
async fn shared<S>(
    server: &'static OnceCell<S>,
    variable: &str,
    given: fn(&str) -> S,
    own: impl Future<Output = S>,
) -> &'static S {
    let start = || async {
        match std::env::var(variable) {
            Ok(url) => given(&url),
            Err(_) => own.await,
        }
    };
    server.get_or_init(start).await
}

/// A text without what changes from run to run: ports, and the names of databases.
///
/// # Panics
///
/// When the password of the accounts is in it.
#[must_use]
pub fn without_changes(text: &str) -> String {
    assert!(!text.contains(PASSWORD), "no password is in a message");
    let mut shown = String::new();
    // A port stands between the host and the database.
    for part in text.split_inclusive('/') {
        let number = part.trim_end_matches('/').rsplit(':').next();
        match number.and_then(|number| number.parse::<u16>().ok()) {
            Some(port) => shown.push_str(&part.replace(&port.to_string(), "PORT")),
            None => shown.push_str(part),
        }
    }
    let words = shown.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_'));
    let word = |word: &str| match word.strip_prefix("test_") {
        Some(rest) => {
            let end = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
            format!("DATABASE{end}")
        }
        None => word.to_owned(),
    };
    words.map(word).collect()
}
