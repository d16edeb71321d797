//! A database of one's own, and a source over it.

use std::path::Path;
use std::sync::Arc;

use chatferry_core::SourceSettings;
use chatferry_core::source::{Source, SourceError};
pub(crate) use chatferry_testkit::reading::{rows, rows_shown, scanned, table_shown};
use chatferry_testkit::servers::{self, Database, PASSWORD, without_changes};
use chatferry_testkit::{reading, settings};

/// A database that no other test has.
pub(crate) struct Workshop(Database);

impl Workshop {
    /// A database in which that script was run.
    pub(crate) async fn with(script: &str) -> Self {
        let database = servers::mariadb().await.database().await;
        database.execute(script).await;
        Self(database)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0
    }

    pub(crate) async fn execute(&self, script: &str) {
        self.0.execute(script).await;
    }

    /// The source with these settings beside the URL.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        source(self.0.url(), settings)
    }
}

/// The source of that URL, with these settings beside it.
pub(crate) fn source(url: &str, settings: &str) -> Arc<dyn Source> {
    open(&format!("url = \"{url}\"\n{settings}"))
}

/// The source with these settings.
pub(crate) fn open(settings: &str) -> Arc<dyn Source> {
    let (planned, mistakes) = planned(settings);
    assert_eq!(mistakes, "");
    planned.unwrap().open().unwrap()
}

/// The settings as they are understood, and what is wrong with them.
pub(crate) fn planned(written: &str) -> (Option<Box<dyn SourceSettings>>, String) {
    settings::planned(chatferry_mysql::register, written, Path::new("/"))
}

/// What a person would want to see of a table: types, notes, rows and troubles.
pub(crate) async fn shown(source: &Arc<dyn Source>, table: &str) -> String {
    match rows(source, table).await {
        Ok(rows) => table_shown(&rows.table) + &rows.shown(error_shown),
        Err(error) => error_shown(&error),
    }
}

/// An error as a person sees it, without what changes from run to run.
pub(crate) fn error_shown(error: &SourceError) -> String {
    let debug = format!("{error:?}");
    assert!(!debug.contains(PASSWORD), "no password is in an error");
    // Versions of the server call the same clause otherwise.
    without_changes(&reading::error_shown(error)).replace("'field list'", "'SELECT'")
}
