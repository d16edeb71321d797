//! A PostgreSQL server.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::PASSWORD;
use super::account::Account;
use super::certificate::Certificate;
use super::database::{Database, execute, unused_name};
use super::keeper::{Keeper, word};
use super::options::{Options, Tls};
use super::process::{Process, data, same};
use super::programs::{Package, on_path, versions};

const PACKAGE: Package = Package {
    server: "PostgreSQL",
    name: "postgresql",
    variable: "CHATFERRY_TEST_POSTGRES",
};

/// The account that may do everything.
const USER: &str = "postgres";

/// What every server is started with: nothing of it need survive, and little is asked of it.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
autovacuum = off
";

/// Ends sessions of others.
const KILL_SESSIONS: &str = "
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
";

/// A PostgreSQL server.
pub struct Postgres {
    /// The URL of the database that is always there.
    url: String,
    /// `None` when it was there before us.
    process: Option<Process>,
    authority: Option<PathBuf>,
}

impl Postgres {
    /// The server with that URL.
    pub(super) fn given(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            process: None,
            authority: None,
        }
    }

    /// A server that no other test knows.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn own() -> Self {
        Self::own_with(Options::default()).await
    }

    /// A server that no other test knows, with settings that others have not.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn own_with(options: Options) -> Self {
        let programs = PACKAGE.found(programs).await;
        let keeper = Keeper::new(Account::to_run("postgres"), "QUIT");
        keeper.write("password", PASSWORD);
        let command = format!(
            "{} --pgdata={} --username={USER} --pwfile=password --auth=scram-sha-256 \
             --encoding=UTF8 --no-locale --no-sync",
            word(&programs.join("initdb")),
            word(&data(&keeper)),
        );
        Self::made(&programs, keeper, &command, &options).await
    }

    /// A server that follows another, which was started here, and can only be read.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn replica_of(primary: &Self, options: Options) -> Self {
        let programs = PACKAGE.found(programs).await;
        let keeper = Keeper::new(Account::to_run("postgres"), "QUIT");
        let command = format!(
            "{} --pgdata={} --dbname='{}' --write-recovery-conf --wal-method=stream \
             --checkpoint=fast --no-sync",
            word(&programs.join("pg_basebackup")),
            word(&data(&keeper)),
            primary.url,
        );
        Self::made(&programs, keeper, &command, &options).await
    }

    /// A server whose data that command makes.
    async fn made(programs: &Path, keeper: Keeper, command: &str, options: &Options) -> Self {
        assert!(
            keeper.run(command.to_owned()).await,
            "the data of a server could not be made:\n{}",
            keeper.log()
        );
        let mut settings = SETTINGS.to_owned();
        let mut authority = None;
        if options.tls != Tls::Off {
            let made = Certificate::make(&keeper).await;
            settings.push_str(&format!(
                "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
                made.certificate.display(),
                made.key.display()
            ));
            authority = Some(made.authority);
        }
        for (name, value) in &options.settings {
            settings.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        keeper.write("data/postgresql.conf", &settings);
        let host = match options.tls {
            Tls::Required => "hostssl",
            Tls::Off | Tls::Offered => "host",
        };
        let everybody = ["all", "replication"]
            .map(|database| format!("{host} {database} all 127.0.0.1/32 scram-sha-256\n"));
        keeper.write("data/pg_hba.conf", &everybody.concat());
        let command = format!(
            "{} -D {}",
            word(&programs.join("postgres")),
            word(&data(&keeper))
        );
        let process = Process::new(keeper, command, who_is_there).await;
        Self {
            url: url(process.port()),
            process: Some(process),
            authority,
        }
    }

    /// The URL of one of its databases, with an account that may do everything.
    ///
    /// # Panics
    ///
    /// When the server was given by a URL that is none.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let options = PgConnectOptions::from_str(&self.url).expect("the URL of a server");
        options.database(database).to_url_lossy().into()
    }

    /// The certificate of the authority that signed the server's, when it speaks TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// A new and empty database.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub async fn database(&self) -> Database {
        let name = unused_name();
        execute(&self.url, &format!("CREATE DATABASE {name}")).await;
        let url = self.url(&name);
        Database::new(name, url)
    }

    /// Stops it as an administrator does: whoever is connected is turned out.
    ///
    /// # Panics
    ///
    /// When it was not started here.
    pub async fn stop(&self) {
        self.process().stop("INT").await;
    }

    /// Starts it again on the same port.
    ///
    /// # Panics
    ///
    /// When it was not started here, or cannot be.
    pub async fn start(&self) {
        self.process().start_again().await;
    }

    /// Ends every session but the one that does this.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub async fn kill_sessions(&self) {
        execute(&self.url, KILL_SESSIONS).await;
    }

    /// Waits until a replica has all that its primary had when this was called.
    ///
    /// # Panics
    ///
    /// When one of the two does not answer.
    pub async fn catch_up_with(&self, primary: &Self) {
        let wanted: String = ask(&primary.url, "SELECT pg_current_wal_lsn()::text").await;
        let reached = format!("SELECT pg_last_wal_replay_lsn() >= '{wanted}'");
        while !ask::<bool>(&self.url, &reached).await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    fn process(&self) -> &Process {
        self.process
            .as_ref()
            .expect("only a server that was started here can be stopped")
    }
}

fn url(port: u16) -> String {
    format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres")
}

/// The folder with the programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let on_path = on_path("initdb").and_then(|initdb| initdb.canonicalize().ok());
    let on_path = on_path.and_then(|initdb| Some(initdb.parent()?.to_owned()));
    let packaged = versions(Path::new("/usr/lib/postgresql"));
    on_path
        .into_iter()
        .chain(packaged.into_iter().map(|version| version.join("bin")))
        .find(|folder| {
            ["initdb", "postgres"]
                .iter()
                .all(|name| folder.join(name).is_file())
        })
}

fn who_is_there(port: u16) -> BoxFuture<'static, Option<PathBuf>> {
    async move {
        let mut connection = PgConnection::connect(&url(port)).await.ok()?;
        let folder: String = sqlx::query_scalar("SHOW data_directory")
            .fetch_one(&mut connection)
            .await
            .ok()?;
        Some(same(&folder))
    }
    .boxed()
}

/// The one value that a query gives.
async fn ask<T>(url: &str, query: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let query = sqlx::AssertSqlSafe(query.to_owned());
    let answer = Box::pin(async {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query_scalar(query).fetch_one(&mut connection).await
    });
    answer.await.expect("the server answers")
}
