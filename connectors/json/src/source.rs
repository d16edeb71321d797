//! The source: its tables, what they have, and their rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::source::{Scan, Source, SourceError, SourceSettings, Table};
use chatferry_files::{Consumer, FileSource, Format, Gone, Inquiry, NamedTable, Root};
use chatferry_records::{Described, TableSettings, describe, read};

use crate::settings::JsonSettings;

/// Endings of the files that are tables by themselves.
const ENDINGS: [&str; 3] = [".jsonl", ".ndjson", ".json"];

/// JSON files as tables.
struct Json;

impl SourceSettings for JsonSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let tables = self.tables.iter().map(|(name, root, settings)| NamedTable {
            name: name.clone(),
            root: root.clone(),
            settings: settings.clone(),
        });
        let alone = TableSettings::of;
        let source = FileSource::<Json>::open(tables.collect(), &self.root, &ENDINGS, alone)?;
        Ok(Arc::new(source))
    }
}

impl Format for Json {
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
        read(root, settings, described, scan, consumer)
    }
}
