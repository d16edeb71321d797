//! A folder with mailboxes, and a source over it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chatferry_core::SourceSettings;
use chatferry_core::source::Source;
pub(crate) use chatferry_testkit::reading::{file_shown, rows, titled};
use chatferry_testkit::settings;
use chatferry_testkit::source::assert_contract;
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    /// A folder with these files.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, contents) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            fs::write(path, contents).expect("a file is written");
        }
        Self(folder)
    }

    /// The source with these settings.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        let (source, mistakes) = planned(settings, self.0.path());
        assert_eq!(mistakes, "");
        let source = source.expect("settings in order").open();
        source.expect("the source opens")
    }
}

/// The settings of a source, and what is wrong with them.
pub(crate) fn planned(written: &str, folder: &Path) -> (Option<Box<dyn SourceSettings>>, String) {
    settings::planned(chatferry_mbox::register, written, folder)
}

/// What is shown of one mailbox, after it has kept every promise.
pub(crate) async fn mailbox(contents: impl AsRef<[u8]>) -> String {
    let workshop = Workshop::with(&[("list.mbox", contents.as_ref())]);
    let source = workshop.source("");
    if source.describe("list").await.is_ok() {
        assert_contract(Arc::clone(&source), "list").await;
    }
    file_shown(&source, "list").await
}
