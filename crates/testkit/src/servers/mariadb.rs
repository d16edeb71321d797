//! A MariaDB server.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, MySqlConnection};

use super::PASSWORD;
use super::account::Account;
use super::certificate::Certificate;
use super::database::{Database, execute, unused_name};
use super::keeper::{Keeper, word};
use super::options::{Options, Tls};
use super::process::{Process, data, same};
use super::programs::{Package, on_path};

const PACKAGE: Package = Package {
    server: "MariaDB",
    name: "mariadb-server",
    variable: "CHATFERRY_TEST_MARIADB",
};

/// The account that may do everything.
const USER: &str = "admin";

/// What every server is started with: nothing of it need survive, and little is asked of it.
const SETTINGS: &str = "[mariadbd]
bind-address = 127.0.0.1
skip-name-resolve
innodb-flush-log-at-trx-commit = 0
innodb-doublewrite = 0
innodb-flush-method = nosync
innodb-log-file-size = 16M
innodb-buffer-pool-size = 32M
innodb-fast-shutdown = 2
sync-frm = 0
aria-pagecache-buffer-size = 8M
key-buffer-size = 1M
loose-debug-no-sync
";

/// A MariaDB server.
pub struct MariaDb {
    /// The URL of the database that is always there.
    url: String,
    /// `None` when it was there before us.
    process: Option<Process>,
    authority: Option<PathBuf>,
}

impl MariaDb {
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
        let programs = PACKAGE.found(Programs::find).await;
        let keeper = Keeper::new(Account::to_run("mysql"), "KILL");
        let (config, data) = (keeper.folder().join("config"), data(&keeper));
        // A folder of its own for temporary tables, since a server that starts removes those of others.
        let mut settings = format!(
            "{SETTINGS}datadir = {data}\nsocket = {folder}/socket\npid-file = {folder}/pid\n\
             init-file = {folder}/accounts\ntmpdir = {folder}\n",
            data = data.display(),
            folder = keeper.folder().display()
        );
        let mut authority = None;
        if options.tls != Tls::Off {
            let made = Certificate::make(&keeper).await;
            settings.push_str(&format!(
                "ssl-ca = {}\nssl-cert = {}\nssl-key = {}\n",
                made.authority.display(),
                made.certificate.display(),
                made.key.display()
            ));
            authority = Some(made.authority);
        }
        if options.tls == Tls::Required {
            settings.push_str("require-secure-transport = on\n");
        }
        for (name, value) in &options.settings {
            settings.push_str(&format!("{name} = {value}\n"));
        }
        keeper.write("config", &settings);
        keeper.write(
            "accounts",
            &format!(
                "CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
            ),
        );
        assert!(
            keeper.run(programs.install(&config, &data)).await,
            "the data of a server could not be made:\n{}",
            keeper.log()
        );
        let command = format!(
            "{} --defaults-file={}",
            word(&programs.server),
            word(&config)
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
        let options = MySqlConnectOptions::from_str(&self.url).expect("the URL of a server");
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
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        execute(&self.url, &create).await;
        let url = self.url(&name);
        Database::new(name, url)
    }

    /// Stops it as an administrator does: whoever is connected is turned out.
    ///
    /// # Panics
    ///
    /// When it was not started here.
    pub async fn stop(&self) {
        self.process().stop("TERM").await;
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
        let killed = Box::pin(async {
            let mut connection = MySqlConnection::connect(&self.url).await?;
            let sessions: Vec<i64> = sqlx::query_scalar(
                "SELECT id FROM information_schema.processlist
                 WHERE id <> connection_id() AND command <> 'Daemon'",
            )
            .fetch_all(&mut connection)
            .await?;
            for session in sessions {
                // One that has ended by itself is one less to kill.
                let kill = sqlx::AssertSqlSafe(format!("KILL {session}"));
                let _ = sqlx::raw_sql(kill).execute(&mut connection).await;
            }
            connection.close().await
        });
        killed.await.expect("the server kills sessions");
    }

    fn process(&self) -> &Process {
        self.process
            .as_ref()
            .expect("only a server that was started here can be stopped")
    }
}

fn url(port: u16) -> String {
    format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/mysql")
}

/// What a server is made of.
struct Programs {
    server: PathBuf,
    /// The scripts that make the tables a server needs, in their order. Empty where they are not
    /// where packages have them.
    scripts: Vec<PathBuf>,
    installer: PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        let any = |names: [&str; 2]| names.into_iter().find_map(on_path);
        let server = any(["mariadbd", "mysqld"])?;
        let installer = any(["mariadb-install-db", "mysql_install_db"])?;
        let scripts = |name: &str| {
            let share = Path::new("/usr/share").join(name);
            let parts = ["system_tables", "performance_tables", "system_tables_data"];
            let scripts = ["mariadb", "mysql"]
                .map(|prefix| parts.map(|part| share.join(format!("{prefix}_{part}.sql"))));
            scripts
                .into_iter()
                .find(|parts| parts.iter().all(|part| part.is_file()))
        };
        let scripts = ["mariadb", "mysql"].into_iter().find_map(scripts);
        Some(Self {
            server,
            scripts: scripts.map(Vec::from).unwrap_or_default(),
            installer,
        })
    }

    /// The command that makes a server's data.
    ///
    /// The program that comes with the server fills in help texts besides, which takes longer than
    /// all the rest. So its scripts are run without it where they are found.
    fn install(&self, config: &Path, data: &Path) -> String {
        let (server, config) = (word(&self.server), word(config));
        if self.scripts.is_empty() {
            return format!(
                "{} --defaults-file={config} --auth-root-authentication-method=normal \
                 --skip-test-db",
                word(&self.installer)
            );
        }
        let scripts: Vec<String> = self.scripts.iter().map(|script| word(script)).collect();
        let first = "'CREATE DATABASE mysql;' 'USE mysql;' 'SET @auth_root_socket = NULL;'";
        format!(
            "mkdir {} && {{ printf '%s\\n' {first}; cat {}; }} | {server} \
             --defaults-file={config} --bootstrap --init-file= --enforce-storage-engine= \
             --max-allowed-packet=8M",
            word(data),
            scripts.join(" ")
        )
    }
}

fn who_is_there(port: u16) -> BoxFuture<'static, Option<PathBuf>> {
    async move {
        let mut connection = MySqlConnection::connect(&url(port)).await.ok()?;
        let folder: String = sqlx::query_scalar("SELECT @@datadir")
            .fetch_one(&mut connection)
            .await
            .ok()?;
        Some(same(&folder))
    }
    .boxed()
}
