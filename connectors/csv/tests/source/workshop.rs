//! A folder with files, and a source over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_core::SourceSettings;
use chatferry_core::source::{Source, SourceError};
pub(crate) use chatferry_testkit::reading::{file_shown as shown, rows, titled, values};
use chatferry_testkit::settings;
use chatferry_testkit::source::assert_contract;
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A workshop with one file.
    pub(crate) fn with(name: &str, contents: impl AsRef<[u8]>) -> Self {
        let workshop = Self::new();
        workshop.write(name, contents);
        workshop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(path, contents).expect("a file is written");
    }

    /// The source with these settings.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        self.open(settings).expect("the source opens")
    }

    pub(crate) fn open(&self, settings: &str) -> Result<Arc<dyn Source>, SourceError> {
        let (source, mistakes) = planned(settings, self.0.path());
        assert_eq!(mistakes, "");
        source.expect("settings in order").open()
    }
}

/// The settings of a source, and what is wrong with them.
pub(crate) fn planned(written: &str, folder: &Path) -> (Option<Box<dyn SourceSettings>>, String) {
    settings::planned(chatferry_csv::register, written, folder)
}

/// What is shown of one file, read with these settings, after it has kept every promise.
pub(crate) async fn file(contents: impl AsRef<[u8]>, settings: &str) -> String {
    let workshop = Workshop::with("a.csv", contents);
    let source = workshop.source(&format!("path = \"a.csv\"\n{settings}"));
    if source.describe("records").await.is_ok() {
        assert_contract(source.clone(), "records").await;
    }
    shown(&source, "records").await
}
