//! What a person may write for a `sqlite` source.

use std::path::PathBuf;
use std::time::Duration;

use chatferry_config::database::Tables;
use chatferry_config::{Node, Section};
use chatferry_core::{Mistake, SourceSettings};

/// How long a locked database is waited for, unless the settings say otherwise.
///
/// An application's own writes take milliseconds; a `VACUUM` of a large file takes longer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that SQLite can be told to wait, in whole days.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 24 * 60 * 60);

/// The settings of one `sqlite` source.
#[derive(Clone, Debug)]
pub(crate) struct SqliteSettings {
    pub(crate) path: PathBuf,
    /// The same as it was written.
    pub(crate) written: String,
    /// How long a locked database is waited for.
    pub(crate) busy_timeout: Duration,
    pub(crate) tables: Tables,
    /// Whether a run is to read everything as it was at one moment.
    pub(crate) snapshot: bool,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let path = section.required_text("path", "the database file");
    let busy_timeout = section.get("busy_timeout").map(|node| busy_timeout(&node));
    let tables = section.get("tables").map(|node| Tables::read(&node));
    let snapshot = section.flag("snapshot");
    let path = path?;
    Some(Box::new(SqliteSettings {
        path: section.resolve(&path.value),
        written: path.value,
        busy_timeout: match busy_timeout {
            Some(timeout) => timeout?,
            None => BUSY_TIMEOUT,
        },
        tables: tables.unwrap_or(Some(Tables::All))?,
        snapshot: snapshot.is_some_and(|setting| setting.value),
    }))
}

fn busy_timeout(node: &Node<'_>) -> Option<Duration> {
    let timeout = node.duration()?;
    if timeout.value > LONGEST_TIMEOUT {
        let message = "`busy_timeout` may be at most 24 days";
        node.mistake(Mistake::error("sqlite::busy-timeout", message, timeout.at));
        return None;
    }
    Some(timeout.value)
}
