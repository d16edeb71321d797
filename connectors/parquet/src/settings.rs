//! What a person may write for a `parquet` source.

use chatferry_config::Section;
use chatferry_core::SourceSettings;
use chatferry_files::{Address, Files, NamedTable, Template};

/// The settings of one `parquet` source.
#[derive(Clone, Debug)]
pub(crate) struct ParquetSettings {
    /// Where paths begin.
    pub(crate) root: Address,
    /// The tables. When there are none, each file below the root is a table.
    pub(crate) tables: Vec<NamedTable<TableSettings>>,
    /// Whether folders make columns in those.
    pub(crate) partitions: bool,
}

/// The settings of one table.
#[derive(Clone, Debug)]
pub(crate) struct TableSettings {
    pub(crate) template: Template,
    /// Whether folders such as `year=2024` make columns.
    pub(crate) partitions: bool,
}

/// What may be said of a table besides its path.
#[derive(Clone, Debug, Default)]
struct Options {
    partitions: Option<bool>,
}

impl Options {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let partitions = section.get("partitions").map(|node| node.flag());
        Some(Self {
            partitions: match partitions {
                Some(partitions) => Some(partitions?.value),
                None => None,
            },
        })
    }
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let files = Files::read(section, Options::read)?;
    let common = files.common.unwrap_or_default().partitions.unwrap_or(true);
    let tables = files.tables.into_iter().map(|table| NamedTable {
        name: table.name,
        root: table.root,
        settings: TableSettings {
            template: table.template,
            partitions: table.options.partitions.unwrap_or(common),
        },
    });
    Some(Box::new(ParquetSettings {
        root: files.root,
        tables: tables.collect(),
        partitions: common,
    }))
}
