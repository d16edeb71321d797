//! Loads a driver, and connects by it.
//!
//! What is loaded runs in this program and may do everything that it may do.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use adbc_core::error::{Error, Status};
use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Database as _, Driver as _, LOAD_FLAG_DEFAULT};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase, ManagedDriver};
use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::failure::{Secrets, failed};
use crate::settings::{AdbcSettings, Driver};

/// A database as its driver knows it. It is loaded when somebody first connects.
pub(crate) struct Database {
    settings: AdbcSettings,
    opened: Mutex<Option<Opened>>,
}

#[derive(Clone)]
struct Opened {
    database: ManagedDatabase,
    secrets: Secrets,
}

/// A connection, and what must not be shown of it.
pub(crate) struct Connected {
    pub(crate) connection: ManagedConnection,
    pub(crate) secrets: Secrets,
}

impl Database {
    pub(crate) fn new(settings: AdbcSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            opened: Mutex::default(),
        })
    }

    /// Connects. Blocks.
    pub(crate) fn connect(&self) -> Result<Connected, SourceError> {
        let Opened { database, secrets } = self.open()?;
        let connection = database.new_connection();
        let doing = || format!("connect by the driver {}", self.name());
        Ok(Connected {
            connection: connection.map_err(|error| failed(doing(), &secrets, &error))?,
            secrets,
        })
    }

    /// The database, opened once. Others wait meanwhile, so that no library is loaded twice at once.
    fn open(&self) -> Result<Opened, SourceError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let mut options = Vec::new();
        for (name, secret) in &self.settings.options {
            let value = secret.reveal().map_err(|error| {
                let doing = format!("read the option `{name}`");
                SourceError::new(SourceErrorKind::NotFound, doing, error.to_string())
                    .help("check the file that the option names")
            })?;
            options.push((name.as_str(), value));
        }
        let secrets = Secrets::of(options.iter().map(|(_, value)| value.as_str()));
        let mut driver = self.load().map_err(|error| {
            let doing = format!("load the driver {}", self.name());
            let help = "set `driver` to the library of an ADBC driver for this system, and \
                        `entrypoint` if it begins with another function than its name says";
            failed(doing, &secrets, &error).help(help)
        })?;
        let options = options.into_iter();
        let options =
            options.map(|(name, value)| (OptionDatabase::from(name), OptionValue::String(value)));
        let database = driver.new_database_with_opts(options);
        let doing = || format!("open the database by the driver {}", self.name());
        let now = Opened {
            database: database.map_err(|error| failed(doing(), &secrets, &error))?,
            secrets,
        };
        *opened = Some(now.clone());
        Ok(now)
    }

    fn load(&self) -> Result<ManagedDriver, Error> {
        // Older drivers do not know the newer version, and say so.
        match self.load_as(AdbcVersion::V110) {
            Err(error) if error.status == Status::NotImplemented => self.load_as(AdbcVersion::V100),
            loaded => loaded,
        }
    }

    fn load_as(&self, version: AdbcVersion) -> Result<ManagedDriver, Error> {
        let entrypoint = self.settings.entrypoint.as_deref().map(str::as_bytes);
        match &self.settings.driver {
            Driver::File(path) => {
                ManagedDriver::load_dynamic_from_filename(path, entrypoint, version)
            }
            Driver::Name(name) => {
                ManagedDriver::load_from_name(name, entrypoint, version, LOAD_FLAG_DEFAULT, None)
            }
        }
    }

    /// The driver, as a person is told of it.
    pub(crate) fn name(&self) -> String {
        match &self.settings.driver {
            Driver::File(path) => path.display().to_string(),
            Driver::Name(name) => name.clone(),
        }
    }

    pub(crate) fn settings(&self) -> &AdbcSettings {
        &self.settings
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("driver", &self.name())
            .finish_non_exhaustive()
    }
}
