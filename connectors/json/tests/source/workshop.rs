//! A folder with files, and a source over it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use chatferry_core::SourceSettings;
use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Scan, Source, SourceError, Table};
use chatferry_testkit::settings;
use futures::StreamExt;
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

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(path, contents).expect("a file is written");
    }

    /// Writes a zip archive with these members.
    pub(crate) fn write_zip(&self, name: &str, members: &[(&str, &[u8])]) {
        let file = fs::File::create(self.path().join(name)).expect("an archive is made");
        let mut archive = zip::ZipWriter::new(file);
        for (name, contents) in members {
            archive
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .expect("a member");
            archive.write_all(contents).expect("its contents");
        }
        archive.finish().expect("the archive is written");
    }

    /// The source with these settings.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        self.open(settings).expect("the source opens")
    }

    pub(crate) fn open(&self, settings: &str) -> Result<Arc<dyn Source>, SourceError> {
        let (sources, mistakes) = planned(settings, self.path());
        assert_eq!(mistakes, "");
        sources.expect("settings in order").open()
    }
}

/// The settings of a source, and what is wrong with them.
pub(crate) fn planned(written: &str, folder: &Path) -> (Option<Box<dyn SourceSettings>>, String) {
    settings::planned(chatferry_json::register, written, folder)
}

/// All that a scan gave.
pub(crate) struct Rows {
    pub(crate) table: Arc<Table>,
    pub(crate) rows: RecordBatch,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) failed: Option<SourceError>,
}

/// Reads a whole table.
pub(crate) async fn rows(source: &Arc<dyn Source>, table: &str) -> Result<Rows, SourceError> {
    let table = source.describe(table).await?;
    let columns = (0..table.schema.fields().len()).collect();
    let scan = Scan::of(Arc::clone(&table), columns, 100);
    let schema = scan.schema();
    let mut stream = source.scan(scan);
    let (mut batches, mut rejected, mut failed) = (Vec::new(), Vec::new(), None);
    while let Some(batch) = stream.next().await {
        match batch {
            Ok(batch) => {
                batches.push(batch.rows);
                rejected.extend(batch.rejected);
            }
            Err(error) => failed = Some(error),
        }
    }
    let rows = match schema.fields().len() {
        0 => RecordBatch::new_empty(schema),
        _ => concat_batches(&schema, &batches).expect("batches of one schema"),
    };
    Ok(Rows {
        table,
        rows,
        rejected,
        failed,
    })
}

/// What a person would want to see of a table: types, notes, rows and troubles.
pub(crate) async fn shown(source: &Arc<dyn Source>, table: &str) -> String {
    let rows = match rows(source, table).await {
        Ok(rows) => rows,
        Err(error) => return error_shown(&error),
    };
    let mut text = String::new();
    for field in rows.table.schema.fields() {
        let json = if chatferry_core::json::is_marked(field) {
            " (JSON)"
        } else {
            ""
        };
        let ordered = rows
            .table
            .orders
            .iter()
            .any(|order| order.columns == [field.name().as_str()]);
        let ordered = if ordered { ", never descends" } else { "" };
        writeln!(
            text,
            "{}: {}{json}{ordered}",
            field.name(),
            field.data_type()
        )
        .expect("text");
    }
    let known = rows
        .table
        .rows
        .estimate()
        .map_or("unknown".into(), |rows| rows.to_string());
    writeln!(text, "rows: {known}").expect("text");
    for note in &rows.table.notes {
        writeln!(text, "note: {note}").expect("text");
    }
    for row in 0..rows.rows.num_rows() {
        let values = rows
            .rows
            .columns()
            .iter()
            .map(|column| match column.is_null(row) {
                true => "-".into(),
                false => array_value_to_string(column, row).expect("a value is printed"),
            });
        writeln!(text, "| {}", values.collect::<Vec<_>>().join(" | ")).expect("text");
    }
    for row in &rows.rejected {
        let place = row.place.as_ref().expect("a place");
        writeln!(text, "rejected: {}: {} ({place})", row.rule, row.detail).expect("text");
    }
    if let Some(error) = &rows.failed {
        text.push_str(&error_shown(error));
    }
    text
}

pub(crate) fn error_shown(error: &SourceError) -> String {
    let help = error.help.as_deref().unwrap_or("none");
    format!("error: {:?}: {error}\nhelp: {help}\n", error.kind)
}
