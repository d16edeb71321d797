//! What a person may write for an `mbox` source.

use chatferry_config::Section;
use chatferry_config::suggest::quoted;
use chatferry_core::{Mistake, SourceSettings};
use chatferry_files::{Address, FileTable, Files, NamedTable, Template};

use crate::columns::COLUMNS;

/// Bytes that a message may have, unless the settings say otherwise: more than most servers take.
const MAX_MESSAGE: usize = 64 << 20;
/// The most that `max_message` may be: a batch's texts are counted by 32 bits.
const MOST_MESSAGE: u64 = 1 << 30;

/// The settings of one `mbox` source.
#[derive(Clone, Debug)]
pub(crate) struct MboxSettings {
    /// Where paths begin.
    pub(crate) root: Address,
    /// The tables. When there are none, each file below the root is one.
    pub(crate) tables: Vec<NamedTable<TableSettings>>,
    /// What is said of all tables.
    pub(crate) common: Options,
}

/// The settings of one table.
#[derive(Clone, Debug)]
pub(crate) struct TableSettings {
    pub(crate) template: Template,
    pub(crate) max_message: usize,
}

/// What may be said of a table besides its path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// How many bytes a message may have.
    max_message: Option<usize>,
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let files = Files::read(section, Options::read)?;
    let common = files.common.unwrap_or_default();
    let tables = files.tables.into_iter();
    let tables: Vec<Option<_>> = tables.map(|table| named(section, table, &common)).collect();
    Some(Box::new(MboxSettings {
        root: files.root,
        tables: tables.into_iter().collect::<Option<_>>()?,
        common,
    }))
}

impl Options {
    /// Reads them; `None` when one of them cannot be used.
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let Some(node) = section.get("max_message") else {
            return Some(Self::default());
        };
        let most = node.bytes()?;
        match usize::try_from(most.value) {
            Ok(bytes) if (1..=MOST_MESSAGE).contains(&most.value) => Some(Self {
                max_message: Some(bytes),
            }),
            _ => {
                let message = "`max_message` is a size of up to 1 GiB";
                node.mistake(Mistake::error("mbox::max-message", message, most.at));
                None
            }
        }
    }

    /// What is said of a table with this path, by these options or else by those of all tables.
    pub(crate) fn table(&self, template: Template, common: &Self) -> TableSettings {
        let said = self.max_message.or(common.max_message);
        TableSettings {
            template,
            max_message: said.unwrap_or(MAX_MESSAGE),
        }
    }
}

/// A table, unless its path makes a column that messages have themselves.
fn named(
    section: &mut Section<'_>,
    table: FileTable<Options>,
    common: &Options,
) -> Option<NamedTable<TableSettings>> {
    let mut placeholders = table.template.columns().iter();
    if let Some(name) = placeholders.find(|name| COLUMNS.contains(&name.as_str())) {
        let message = format!("messages have a column {} of their own", quoted(name));
        let help = "call the placeholder otherwise, such as `{list}`, or write `*`";
        section.mistake(Mistake::error("mbox::placeholder", message, table.at).help(help));
        return None;
    }
    Some(NamedTable {
        name: table.name,
        root: table.root,
        settings: table.options.table(table.template, common),
    })
}
