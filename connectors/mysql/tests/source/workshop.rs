//! A database of one's own, and a source over it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use chatferry_config::{DestinationKind, Reading, Registry, Section, read};
use chatferry_core::source::{Source, SourceError};
use chatferry_core::{Field, Kind};
use chatferry_testkit::reading;
pub(crate) use chatferry_testkit::reading::{rows, rows_shown, scanned, table_shown};
use chatferry_testkit::servers::{self, Database, PASSWORD, without_changes};

/// The rest of a pipeline file.
const REST: &str = r#"
[cometchat]
[[flow]]
entity = "users"
from = "legacy.users"
fields = { uid = "id" }
"#;

const UID: Field = Field {
    name: "uid",
    kind: Kind::Text,
    required: true,
    about: "the id",
};

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
pub(crate) fn planned(settings: &str) -> (Option<Box<dyn chatferry_core::SourceSettings>>, String) {
    let plan = |section: &mut Section<'_>| {
        section.entries();
        Some(())
    };
    let mut registry = Registry::new(DestinationKind {
        name: "cometchat",
        fields: |_| &[UID],
        plan,
    });
    chatferry_mysql::register(&mut registry);
    let text =
        format!("name = \"test\"\n[sources.legacy]\nconnector = \"mysql\"\n{settings}\n{REST}");
    let reading = Reading {
        environment: &|_| None,
        folder: Path::new("/"),
        overrides: &[],
        without_secrets: false,
    };
    let read = read(&text, &registry, &reading);
    let mut shown = String::new();
    for mistake in &read.mistakes {
        let written = mistake.at.clone().map_or("", |at| &text[at]);
        writeln!(shown, "{} at {written}", mistake.code).unwrap();
        // The words of mistakes that every connector's settings can have are not ours.
        if mistake.code.starts_with("mysql::") {
            let help = mistake.help.as_deref().unwrap_or("none");
            let (message, label) = (&mistake.message, &mistake.label);
            writeln!(shown, "  {message}\n  label: {label}\n  help: {help}").unwrap();
        }
    }
    (
        read.pipeline
            .map(|mut pipeline| pipeline.sources.remove(0).settings),
        shown,
    )
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
