//! The source: its tables, what they have, and their rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::Filter;
use chatferry_core::source::{Scan, Source, SourceError, SourceSettings, Table};
use chatferry_files::{Consumer, FileSource, Format, Gone, Inquiry, Root};

use crate::describe::{Described, describe};
use crate::settings::{ParquetSettings, TableSettings};
use crate::{filter, scan};

/// Endings of the files that are tables by themselves.
pub(crate) const ENDINGS: [&str; 3] = [".parquet", ".parq", ".pq"];

/// Parquet files as tables.
pub(crate) struct Parquet;

impl SourceSettings for ParquetSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let partitions = self.partitions;
        let alone = move |template| TableSettings {
            template,
            partitions,
        };
        let tables = self.tables.clone();
        let source = FileSource::<Parquet>::open(tables, &self.root, &ENDINGS, alone)?;
        Ok(Arc::new(source))
    }
}

impl Format for Parquet {
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

    fn honours(described: &Described, filter: &Filter) -> bool {
        filter::honours(&described.table.schema, filter)
    }

    fn read(
        root: &Root,
        settings: &TableSettings,
        described: &Described,
        scan: &Scan,
        consumer: &Consumer,
    ) -> Result<ControlFlow<Gone>, SourceError> {
        let opened = |file: &_| root.ranges(file);
        scan::read(&opened, root, settings, described, scan, &|batch| {
            consumer.give(batch)
        })
    }
}
