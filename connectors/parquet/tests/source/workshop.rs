//! A folder with Parquet files, and a source over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use chatferry_core::SourceSettings;
use chatferry_core::source::{Source, SourceError};
pub(crate) use chatferry_testkit::reading::{
    error_shown, file_shown as shown, rows, rows_by, titled,
};
use chatferry_testkit::settings;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A workshop with one file of these rows.
    pub(crate) fn with(name: &str, rows: &RecordBatch) -> Self {
        let workshop = Self::new();
        workshop.write_rows(name, rows);
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

    pub(crate) fn write_rows(&self, name: &str, rows: &RecordBatch) {
        self.write(name, written(rows, WriterProperties::builder()));
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

/// A Parquet file of these rows.
pub(crate) fn written(rows: &RecordBatch, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, rows.schema(), Some(properties.build()))
        .expect("a schema that can be written");
    writer.write(rows).expect("rows are written");
    writer.close().expect("the file is complete");
    file
}

/// Rows of these columns, any of which may hold null.
pub(crate) fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter();
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .expect("columns of one length")
}

/// The settings of a source, and what is wrong with them.
pub(crate) fn planned(written: &str, folder: &Path) -> (Option<Box<dyn SourceSettings>>, String) {
    settings::planned(chatferry_parquet::register, written, folder)
}
