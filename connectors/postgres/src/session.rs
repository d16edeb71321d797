//! Connections to the database: read-only, with time limits, few.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatferry_config::database::{Address, Server, Tls};
use chatferry_core::source::{SourceError, SourceErrorKind};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection as _, Executor, Postgres};
use tokio::time::Instant;

use crate::failure::{failure, is_passing};
use crate::moment::{Moment, Part};
use crate::settings::check;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait before trying again, at first and at most; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The way to one database.
#[derive(Clone)]
pub(crate) struct Session {
    pool: PgPool,
    options: PgConnectOptions,
    /// What each connection begins with.
    prepare: Arc<str>,
    /// Where it is, without secrets: `host:port/database`.
    at: Arc<str>,
    /// Whether there ever was a connection.
    connected: Arc<AtomicBool>,
    /// How long to try again what fails for a reason that passes.
    reconnect: Duration,
    /// The one transaction that everything is read in, if all of it is to be of one moment.
    moment: Option<Arc<Moment>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.at)
    }
}

impl Session {
    /// Prepares to connect; nothing is connected before it is needed.
    pub(crate) fn new(server: &Server) -> Result<Self, SourceError> {
        // Another part of the program may have chosen it before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = options(server)?;
        let at = address(&options);
        let timeout = server.statement_timeout.as_millis();
        // Text forms that do not depend on how the server is set up, and no way to change anything.
        let prepare: Arc<str> = format!(
            "SET default_transaction_read_only = on; SET statement_timeout = {timeout}; \
             SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; \
             SET bytea_output = 'hex'; SET client_encoding = 'UTF8'; SET extra_float_digits = 3; \
             SET xmlbinary = 'base64'"
        )
        .into();
        let begin_with = Arc::clone(&prepare);
        let pool = PgPoolOptions::new()
            .max_connections(u32::try_from(server.connections).unwrap_or(u32::MAX))
            .acquire_timeout(CONNECT_TIMEOUT.min(server.reconnect))
            .after_connect(move |connection, _| {
                let prepare = begin_with.to_string();
                Box::pin(async move {
                    connection
                        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)))
                        .await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self {
            pool,
            options,
            prepare,
            at: at.into(),
            connected: Arc::default(),
            reconnect: server.reconnect,
            moment: None,
        })
    }

    /// The same way, to the database as it is from now on.
    pub(crate) async fn at_one_moment(&self) -> Result<Self, SourceError> {
        let session = Self {
            moment: Some(Arc::default()),
            ..self.clone()
        };
        let mut patience = session.patience("begin a transaction");
        loop {
            match session.connection().await {
                Ok(connection) => {
                    connection.done();
                    break;
                }
                Err(error) => patience.after(&error).await?,
            }
        }
        drop(patience);
        Ok(session)
    }

    /// A connection that nobody else uses now.
    pub(crate) async fn connection(&self) -> Result<Connection, sqlx::Error> {
        if !self.connected.load(Ordering::Relaxed) {
            self.knock().await?;
        }
        Ok(match &self.moment {
            Some(moment) => {
                let begin = || async {
                    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.options.connect());
                    let connected = connecting.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
                    let mut connection = connected?;
                    let statements = format!(
                        "{}; BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT 1",
                        self.prepare
                    );
                    let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements));
                    connection.execute(statements).await?;
                    Ok(connection)
                };
                Connection::OfMoment(Moment::part(moment, begin).await?)
            }
            None => Connection::Pooled(self.pool.acquire().await?),
        })
    }

    /// Whether everything is read in one transaction.
    pub(crate) fn is_of_one_moment(&self) -> bool {
        self.moment.is_some()
    }

    /// Remembers that rows were given, so that the moment cannot be another one any more.
    pub(crate) fn gave_rows(&self) {
        if let Some(moment) = &self.moment {
            moment.settle();
        }
    }

    /// Whether there is a server at all. The pool would ask one that is not there again and again.
    async fn knock(&self) -> Result<(), sqlx::Error> {
        let connection = tokio::time::timeout(CONNECT_TIMEOUT, self.options.connect());
        let connection = connection.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.connected.store(true, Ordering::Relaxed);
        connection.close().await
    }

    /// Patience with failures of the kind that passes, for something that is being done.
    pub(crate) fn patience(&self, doing: impl Into<String>) -> Patience<'_> {
        Patience {
            session: self,
            doing: doing.into(),
            until: Instant::now() + self.reconnect,
            pause: FIRST_PAUSE,
        }
    }
}

/// A connection to ask by.
pub(crate) enum Connection {
    Pooled(PoolConnection<Postgres>),
    OfMoment(Part),
}

impl Connection {
    /// Says that the answer was read to its end, without which a transaction is not gone on with.
    pub(crate) fn done(self) {
        if let Self::OfMoment(part) = self {
            part.done();
        }
    }

    /// Leaves it with an answer that is not wanted to its end.
    pub(crate) fn leave(self) {
        if let Self::Pooled(mut connection) = self {
            connection.close_on_drop();
        }
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::OfMoment(part) => part,
        }
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::OfMoment(part) => part,
        }
    }
}

/// Patience with a server that restarts, and with a replica that has to catch up.
pub(crate) struct Patience<'a> {
    session: &'a Session,
    doing: String,
    until: Instant,
    pause: Duration,
}

impl Patience<'_> {
    /// Waits before the next attempt.
    ///
    /// # Errors
    ///
    /// The failure itself, when it does not pass or patience has run out. A connection that never
    /// came about is a mistake in the settings more often than an accident.
    pub(crate) async fn after(&mut self, failed: &sqlx::Error) -> Result<(), SourceError> {
        let error = failure(failed, &self.doing, &self.session.at);
        if let Some(moment) = &self.session.moment
            && moment.is_settled()
        {
            return Err(error.lost_moment());
        }
        let connected = self.session.connected.load(Ordering::Relaxed);
        if !connected || !is_passing(failed) || Instant::now() + self.pause > self.until {
            return Err(error);
        }
        tracing::warn!("{error}; trying again in {} s", self.pause.as_secs_f32());
        tokio::time::sleep(self.pause).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        Ok(())
    }
}

fn options(server: &Server) -> Result<PgConnectOptions, SourceError> {
    let secret = |error: std::io::Error| {
        let doing = "read the secret of the database";
        SourceError::new(SourceErrorKind::Denied, doing, error.to_string())
    };
    let mut options = match &server.address {
        Address::Url(url) => {
            let url = url.reveal().map_err(secret)?;
            check(&url).map_err(not_a_url)?;
            // Its own words could repeat what is in the URL.
            let options = PgConnectOptions::from_str(&url);
            options.map_err(|_| not_a_url("its parameters are not those of such a URL"))?
        }
        Address::Parts {
            host,
            port,
            user,
            password,
            database,
        } => {
            let mut options = PgConnectOptions::new_without_pgpass().host(host);
            if let Some(port) = port {
                options = options.port(*port);
            }
            if let Some(user) = user {
                options = options.username(user);
            }
            if let Some(password) = password {
                options = options.password(&password.reveal().map_err(secret)?);
            }
            if let Some(database) = database {
                options = options.database(database);
            }
            options
        }
    };
    if let Some(tls) = server.tls {
        options = options.ssl_mode(match tls {
            Tls::Disable => PgSslMode::Disable,
            Tls::Require => PgSslMode::Require,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::VerifyFull => PgSslMode::VerifyFull,
            Tls::Prefer => PgSslMode::Prefer,
        });
    }
    if let Some(ca) = &server.ca {
        options = options.ssl_root_cert(ca);
    }
    if options.get_application_name().is_none() {
        options = options.application_name("chatferry");
    }
    Ok(options.disable_statement_logging())
}

/// A URL is never shown, since it may hold a password.
fn not_a_url(wrong: &'static str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Pipeline,
        "connect to the database",
        format!("`url` is not the URL of a PostgreSQL database: {wrong}"),
    )
    .help(
        "it looks like \"postgres://user:password@host:5432/database\"; odd characters in the \
         password are written in percent encoding, or give `host`, `user` and `password` apart",
    )
}

fn address(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}
