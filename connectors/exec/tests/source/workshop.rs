//! A folder with programs, and a source over them.

use std::path::Path;
use std::sync::Arc;

use chatferry_core::source::Source;
use chatferry_testkit::settings;
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a shell script.
    pub(crate) fn script(&self, name: &str, script: &str) {
        std::fs::write(self.path().join(name), script).expect("a file is written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// The source with these settings.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        let (settings, mistakes) =
            settings::planned(chatferry_exec::register, settings, self.path());
        assert_eq!(mistakes, "");
        let settings = settings.expect("settings in order");
        settings.open().expect("the source opens")
    }
}
