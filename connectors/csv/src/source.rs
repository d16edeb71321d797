//! The source: its tables, what they have, and their rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::source::{Scan, Source, SourceError, SourceSettings, Table};
use chatferry_files::{Consumer, FileSource, Format, Gone, Inquiry, Root};

use crate::describe::{Described, describe};
use crate::scan;
use crate::settings::{CsvSettings, TableSettings};

/// Endings of the files that are tables by themselves.
const ENDINGS: [&str; 3] = [".csv", ".tsv", ".tab"];

/// CSV files as tables.
struct Csv;

impl SourceSettings for CsvSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let tables = self.tables.clone();
        let common = self.common.clone();
        let alone = move |template| common.table(template);
        let source = FileSource::<Csv>::open(tables, &self.root, &ENDINGS, alone)?;
        Ok(Arc::new(source))
    }
}

impl Format for Csv {
    type Settings = TableSettings;
    type Described = Described;

    fn describe(
        name: &str,
        root: &Root,
        settings: &TableSettings,
        inquiry: &Inquiry<'_>,
    ) -> Result<Described, SourceError> {
        describe(name, root, settings, inquiry)
    }

    fn table(described: &Described) -> &Arc<Table> {
        &described.table
    }

    fn read(
        root: &Root,
        settings: &TableSettings,
        described: &Described,
        scan: &Scan,
        consumer: &Consumer,
    ) -> Result<ControlFlow<Gone>, SourceError> {
        scan::read(root, settings, described, scan, consumer)
    }
}
