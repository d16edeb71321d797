//! The connection to a database: by whose leave, from which of its servers, and how patiently.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatferry_core::source::{SourceError, SourceErrorKind};
use mongodb::error::Error;
use mongodb::options::{ClientOptions, ReadPreference, SelectionCriteria};
use mongodb::{Client, Database};
use tokio::time::{Instant, sleep, timeout};

use crate::failure::{failure, is_passing, silence};
use crate::settings::{MongoSettings, check, place};

/// How long a server is looked for, unless the URL says otherwise.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than a page may take a server is waited for that should have given up itself.
const GRACE: Duration = Duration::from_secs(30);
/// How long to wait before trying again, at first and at most; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The way to one database.
#[derive(Clone)]
pub(crate) struct Session {
    client: Client,
    database: Database,
    /// Which servers are read from.
    pub(crate) servers: SelectionCriteria,
    /// Where it is, without secrets: `host:port/database`.
    pub(crate) at: Arc<str>,
    /// How long one page may take.
    pub(crate) statement_timeout: Duration,
    /// How long to try again what fails for a reason that passes.
    reconnect: Duration,
    /// Whether the server has ever answered.
    connected: Arc<AtomicBool>,
}

impl Session {
    /// Prepares to connect; nothing is connected before it is needed. Only the servers behind
    /// `mongodb+srv://` are looked up.
    pub(crate) async fn open(settings: &MongoSettings) -> Result<Self, SourceError> {
        let doing = "connect to the database";
        let url = settings.url.reveal().map_err(|error| {
            SourceError::new(SourceErrorKind::NotFound, doing, error.to_string())
                .help("`url` names the file that holds it")
        })?;
        let refused = |wrong: &str| {
            SourceError::new(SourceErrorKind::Pipeline, doing, wrong)
                .help("check `url`, and the file that holds it")
        };
        let url = check(&url).map_err(refused)?;
        let at: Arc<str> = place(&url, settings.database.as_deref()).into();
        let name = settings.database.clone().or(url.default_database.clone());
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| {
            refused("nothing says which database is read").help("add `database = \"…\"`")
        })?;
        let options = ClientOptions::parse(url).await;
        let mut options = options.map_err(|error| failure(&error, "connect", &at))?;
        options
            .app_name
            .get_or_insert_with(|| "chatferry".to_owned());
        options
            .server_selection_timeout
            .get_or_insert(SELECTION_TIMEOUT);
        // What serves people is left alone where there is another one.
        let secondary = || ReadPreference::SecondaryPreferred { options: None }.into();
        let servers = options.selection_criteria.get_or_insert_with(secondary);
        let servers = servers.clone();
        let client = Client::with_options(options);
        let client = client.map_err(|error| failure(&error, "connect", &at))?;
        Ok(Self {
            database: client.database(&name),
            client,
            servers,
            at,
            statement_timeout: settings.statement_timeout,
            reconnect: settings.reconnect,
            connected: Arc::default(),
        })
    }

    /// The database.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The databases that this user may know of.
    pub(crate) async fn databases(&self) -> Vec<String> {
        self.client.list_database_names().await.unwrap_or_default()
    }

    /// Does something, again and again where it fails for a reason that passes, as long as
    /// patience lasts. Before the server has ever answered there is none.
    pub(crate) async fn patiently<T, F>(
        &self,
        doing: &str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut patience: Option<(Instant, Duration)> = None;
        loop {
            let answer = timeout(self.statement_timeout.saturating_add(GRACE), attempt()).await;
            let error = match answer.unwrap_or_else(|_| Err(silence())) {
                Ok(done) => {
                    self.connected.store(true, Ordering::Relaxed);
                    return Ok(done);
                }
                Err(error) => error,
            };
            let (until, pause) =
                *patience.get_or_insert_with(|| (Instant::now() + self.reconnect, FIRST_PAUSE));
            let is_hopeful = self.connected.load(Ordering::Relaxed) && is_passing(&error);
            if !is_hopeful || Instant::now() >= until {
                return Err(failure(&error, doing, &self.at));
            }
            sleep(pause.min(until - Instant::now())).await;
            patience = Some((until, (pause * 2).min(LONGEST_PAUSE)));
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.at)
    }
}
