//! Connections to the database: read-only, with time limits, few.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatferry_config::database::{Address, Server, Tls};
use chatferry_core::source::{SourceError, SourceErrorKind};
use futures::future::{BoxFuture, FutureExt, ready};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::failure::{failure, is_passing};
use crate::settings::parse;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for an idle session to say that it is still there. What stands between may have
/// forgotten it, and then nobody answers at all.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than a statement may take its answer may keep us waiting.
const NETWORK_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before trying again after a failure that passes; then twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Statements after which a session is left for a new one. A scan needs two, since its pages differ
/// only in values. To close a statement costs 40 ms, because that is never answered, and what is
/// sent next waits for the acknowledgement.
const STATEMENTS: usize = 100;
/// How long a session may have been idle to be used without a look at whether it is still there.
const FRESH: Duration = Duration::from_secs(1);

/// What every session begins with.
///
/// * No transaction is ever open behind a statement.
/// * Dates of zeros may stand in comparisons, which pages need that begin after one.
/// * What `group_concat` gives is not cut off after a kilobyte.
const PREPARE: &str = "SET SESSION autocommit = 1, sql_auto_is_null = 0, \
    group_concat_max_len = 67108864, \
    sql_mode = REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', ''); \
    SET SESSION TRANSACTION READ ONLY";

/// A few sessions, shared by all scans.
pub(crate) struct Sessions {
    options: MySqlConnectOptions,
    /// Where the database is, without secrets: `host:port/database`.
    at: String,
    statement_timeout: Duration,
    reconnect: Duration,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Open>>,
    /// Whether there ever was a session.
    connected: AtomicBool,
    /// Whether everything is read in one transaction, by one session.
    one_moment: bool,
    /// Whether rows of that transaction were given, so that another cannot take its place.
    settled: AtomicBool,
}

/// A session that nobody uses.
struct Open {
    connection: MySqlConnection,
    mariadb: bool,
    used: Instant,
}

impl Open {
    async fn answers(&mut self) -> bool {
        let ping = timeout(PING_TIMEOUT, self.connection.ping());
        matches!(ping.await, Ok(Ok(())))
    }
}

/// What begins the transaction in which everything is of one moment.
const BEGIN: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
    START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
/// How long the server is given to take leave.
const LEAVE: Duration = Duration::from_secs(5);

/// A session. It ends when it is dropped, unless it is [given back](Sessions::give_back).
pub(crate) struct Session {
    open: Open,
    permit: OwnedSemaphorePermit,
}

impl Session {
    pub(crate) fn connection(&mut self) -> &mut MySqlConnection {
        &mut self.open.connection
    }

    /// Whether the server is MariaDB.
    pub(crate) fn is_mariadb(&self) -> bool {
        self.open.mariadb
    }
}

impl Sessions {
    /// Prepares to connect; nothing is connected before it is needed.
    pub(crate) fn new(server: &Server) -> Result<Self, SourceError> {
        let options = options(server)?;
        let (host, port) = (options.get_host(), options.get_port());
        let at = format!(
            "{host}:{port}/{}",
            options.get_database().unwrap_or_default()
        );
        Ok(Self {
            options,
            at,
            statement_timeout: server.statement_timeout,
            reconnect: server.reconnect,
            free: Arc::new(Semaphore::new(server.connections)),
            idle: Mutex::new(Vec::new()),
            connected: AtomicBool::new(false),
            one_moment: false,
            settled: AtomicBool::new(false),
        })
    }

    /// One session to the same database as it is from now on.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub(crate) async fn at_one_moment(&self) -> Result<Self, SourceError> {
        let sessions = Self {
            options: self.options.clone(),
            at: self.at.clone(),
            statement_timeout: self.statement_timeout,
            reconnect: self.reconnect,
            free: Arc::new(Semaphore::new(1)),
            idle: Mutex::new(Vec::new()),
            connected: AtomicBool::new(self.connected.load(Ordering::Relaxed)),
            one_moment: true,
            settled: AtomicBool::new(false),
        };
        let begin = |session| {
            sessions.give_back(session);
            ready(Ok::<_, Error>(())).boxed()
        };
        sessions.patiently("begin a transaction", begin).await?;
        Ok(sessions)
    }

    /// Whether everything is read in one transaction.
    pub(crate) fn is_of_one_moment(&self) -> bool {
        self.one_moment
    }

    /// Remembers that rows were given, so that the moment cannot be another one any more.
    pub(crate) fn gave_rows(&self) {
        self.settled.store(self.one_moment, Ordering::Relaxed);
    }

    fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// Where the database is, without secrets.
    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    /// What comes of it, unless nothing comes for longer than any statement may take.
    pub(crate) async fn in_time<T, E: From<Error>>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match timeout(self.statement_timeout + NETWORK_PATIENCE, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(no_answer().into()),
        }
    }

    /// Does something with a session, again and again as long as what stands in the way is of the
    /// kind that passes, such as a server that restarts.
    pub(crate) async fn patiently<'a, T>(
        &self,
        doing: &str,
        attempt: impl Fn(Session) -> BoxFuture<'a, Result<T, Error>>,
    ) -> Result<T, SourceError> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = match self.take().await {
                Ok(session) => attempt(session).await,
                Err(error) => Err(error),
            };
            let error = match tried {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            // A first connection that fails is a mistake in the settings more often than an
            // accident.
            let passing = self.connected.load(Ordering::Relaxed) && is_passing(&error);
            let failed = failure(&error, doing, &self.at);
            if self.is_settled() {
                return Err(failed.lost_moment());
            }
            if !passing {
                return Err(failed);
            }
            if began.elapsed() + pause >= self.reconnect {
                let waited = self.reconnect.as_secs_f32();
                return Err(failed.help(format!(
                    "it was waited for {waited} s, as `reconnect` says: when the server is back, \
                     the same command goes on"
                )));
            }
            tracing::warn!("{failed}; trying again in {} s", pause.as_secs_f32());
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Gives back a session in which no statement is under way.
    pub(crate) fn give_back(&self, session: Session) {
        let Session { mut open, permit } = session;
        open.used = Instant::now();
        if self.one_moment || open.connection.cached_statements_size() < STATEMENTS {
            let mut idle = self.idle.lock().expect("no holder of this lock panics");
            idle.push(open);
        }
        drop(permit);
    }

    /// A session, as soon as one is free.
    async fn take(&self) -> Result<Session, Error> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let idle = || {
            self.idle
                .lock()
                .expect("no holder of this lock panics")
                .pop()
        };
        // The server may have ended it while nobody looked.
        while let Some(mut open) = idle() {
            let is_fresh = self.one_moment || open.used.elapsed() < FRESH;
            if is_fresh || open.answers().await {
                return Ok(Session { open, permit });
            }
        }
        if self.is_settled() {
            return Err(ended());
        }
        let open = match timeout(CONNECT_TIMEOUT, Box::pin(self.open())).await {
            Ok(opened) => opened?,
            Err(_) => return Err(no_answer()),
        };
        self.connected.store(true, Ordering::Relaxed);
        Ok(Session { open, permit })
    }

    async fn open(&self) -> Result<Open, Error> {
        let mut connection = self.options.connect().await?;
        let version: String = sqlx::query_scalar("SELECT VERSION()")
            .fetch_one(&mut connection)
            .await?;
        let mariadb = version.contains("MariaDB");
        let timeout = self.statement_timeout;
        let timeout = match mariadb {
            true => format!("max_statement_time = {}", timeout.as_secs_f64()),
            false => format!("max_execution_time = {}", timeout.as_millis()),
        };
        let prepare = AssertSqlSafe(format!("{PREPARE}; SET SESSION {timeout}"));
        sqlx::raw_sql(prepare).execute(&mut connection).await?;
        if self.one_moment {
            sqlx::raw_sql(BEGIN).execute(&mut connection).await?;
        }
        Ok(Open {
            connection,
            mariadb,
            used: Instant::now(),
        })
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        // Who only goes away, stands in the server's log as aborted.
        let idle = self.idle.get_mut().expect("no holder of this lock panics");
        if self.one_moment
            && let (Some(open), Ok(runtime)) = (idle.pop(), Handle::try_current())
        {
            runtime.spawn(async move {
                let _left = timeout(LEAVE, open.connection.close()).await;
            });
        }
    }
}

fn ended() -> Error {
    let what = "the transaction that everything is read in has ended";
    Error::Io(std::io::Error::new(
        std::io::ErrorKind::ConnectionAborted,
        what,
    ))
}

fn no_answer() -> Error {
    Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// What there is to say when connecting. Secrets are looked at here, and nowhere else.
fn options(server: &Server) -> Result<MySqlConnectOptions, SourceError> {
    let secret = |error: std::io::Error| {
        let doing = "connect to the database";
        SourceError::new(SourceErrorKind::Denied, doing, error.to_string())
            .help("is it there, and may this user read it?")
    };
    let mut options = match &server.address {
        Address::Url(url) => {
            let url = url.reveal().map_err(secret)?;
            let url = parse(&url).map_err(not_a_url)?;
            // Its own words could repeat what is in the URL.
            let options = MySqlConnectOptions::from_url(&url);
            options.map_err(|_| not_a_url("its parameters are not those of such a URL"))?
        }
        Address::Parts {
            host,
            port,
            user,
            password,
            database,
        } => {
            let mut options = MySqlConnectOptions::new().host(host);
            if let Some(database) = database {
                options = options.database(database);
            }
            if let Some(port) = port {
                options = options.port(*port);
            }
            if let Some(user) = user {
                options = options.username(user);
            }
            if let Some(password) = password {
                options = options.password(&password.reveal().map_err(secret)?);
            }
            options
        }
    };
    if let Some(tls) = server.tls {
        options = options.ssl_mode(match tls {
            Tls::Disable => MySqlSslMode::Disabled,
            Tls::Require => MySqlSslMode::Required,
            Tls::VerifyCa => MySqlSslMode::VerifyCa,
            Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
            Tls::Prefer => MySqlSslMode::Preferred,
        });
    }
    if let Some(ca) = &server.ca {
        options = options.ssl_ca(ca);
    }
    Ok(options
        .charset("utf8mb4")
        .timezone(Some("+00:00".to_owned()))
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .statement_cache_capacity(2 * STATEMENTS)
        .disable_statement_logging())
}

/// A URL is never shown, since it may hold a password.
fn not_a_url(wrong: &'static str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Pipeline,
        "connect to the database",
        format!("`url` is not the URL of a MySQL or MariaDB database: {wrong}"),
    )
    .help(
        "it looks like \"mysql://user:password@host:3306/database\"; odd characters in the \
         password are written in percent encoding, or give `host`, `user` and `password` apart",
    )
}
