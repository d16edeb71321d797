//! What a person may write for a `json` source.

use chatferry_config::Section;
use chatferry_core::SourceSettings;
use chatferry_files::{Address, FileTable, Files};
use chatferry_records::{Options, TableSettings};

/// The settings of one `json` source.
#[derive(Clone, Debug)]
pub(crate) struct JsonSettings {
    /// Where paths begin.
    pub(crate) root: Address,
    /// The tables, each with its name and where its path begins. When there are none, each file
    /// below the root is a table.
    pub(crate) tables: Vec<(String, Address, TableSettings)>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let files = Files::read(section, Options::read)?;
    if let Some(common) = files.common {
        common.refuse_all("path = \"…\"", section);
    }
    let table = |table: FileTable<Options>| {
        let settings = table.options.settings(table.template, table.at, section)?;
        Some((table.name, table.root, settings))
    };
    let tables: Vec<Option<_>> = files.tables.into_iter().map(table).collect();
    Some(Box::new(JsonSettings {
        root: files.root,
        tables: tables.into_iter().collect::<Option<_>>()?,
    }))
}
