//! What a person may write of files, in the settings of any connector that reads them.

use chatferry_config::suggest::quoted;
use chatferry_config::{Node, Section, Shape};
use chatferry_core::{Mistake, Span};

use crate::address::Address;
use crate::limits::Limits;
use crate::template::{Template, TemplateError};

/// What `path` takes.
const PATH: &str = "a file, or a pattern such as `data/*.jsonl` or `{channel}/{date}.json`";
/// What the one table is called that is given by `path`.
const ALONE: &str = "records";

/// Which files a source reads, and what is said of its tables besides.
#[derive(Clone, Debug)]
pub struct Files<O> {
    /// Where paths begin.
    pub root: Address,
    /// The tables. When there are none, each file directly below the root is one.
    pub tables: Vec<FileTable<O>>,
    /// What is said at the top of the section, of all tables or of none. `None` when it is said of
    /// the only table, the one that `path` gives.
    pub common: Option<O>,
}

/// One table.
#[derive(Clone, Debug)]
pub struct FileTable<O> {
    /// Its name.
    pub name: String,
    /// Where its path begins.
    pub root: Address,
    /// Which files it is read from.
    pub template: Template,
    /// What is said of it besides its path.
    pub options: O,
    /// Where its path is written.
    pub at: Option<Span>,
}

impl<O: Default> Files<O> {
    /// Reads `root`, `path`, `tables` and limits, and what `options` reads of one table or of the section;
    /// `None` when one of them cannot be used, which is then noted.
    pub fn read(
        section: &mut Section<'_>,
        mut options: impl FnMut(&mut Section<'_>) -> Option<O>,
    ) -> Option<Self> {
        let folder = section.folder().to_owned();
        let root = section.text("root");
        let path = section.get("path");
        let mut tables = section.section("tables");
        let max_unpacked = section.bytes("max_unpacked");
        let max_ratio = section.count("max_ratio");
        let said = options(section);
        let usual = Limits::default();
        let limits = Limits {
            max_unpacked: max_unpacked.map_or(usual.max_unpacked, |most| most.value),
            max_ratio: max_ratio.map_or(usual.max_ratio, |most| most.value.get()),
        };
        let root = match root {
            Some(root) => Address::parse(&root.value, &folder),
            None => Address::folder(&folder, "the pipeline file's folder"),
        };
        let root = root.within(limits);
        let (tables, common) = match (path, &mut tables) {
            (Some(path), Some(tables)) => {
                tables.entries(); // which are not what is wrong
                let message = "`path` is one table, and `tables` names several";
                let at = path.name_at().or(path.at());
                section.mistake(
                    Mistake::error("files::path-and-tables", message, at)
                        .label("either this, or `tables`")
                        .help("move the path into `tables`, under a name of its own"),
                );
                return None;
            }
            (Some(path), None) => {
                let template = template(&path);
                let table = FileTable {
                    name: ALONE.to_owned(),
                    root: root.clone(),
                    template: template?,
                    options: said?,
                    at: path.at(),
                };
                (vec![table], None)
            }
            (None, Some(tables)) => {
                let tables = named(tables, &root, &mut options);
                (tables?, Some(said?))
            }
            (None, None) => (Vec::new(), Some(said?)),
        };
        Some(Self {
            root,
            tables,
            common,
        })
    }
}

/// Reads `tables`: all of them, so that all mistakes are noted.
fn named<O: Default>(
    tables: &mut Section<'_>,
    root: &Address,
    options: &mut impl FnMut(&mut Section<'_>) -> Option<O>,
) -> Option<Vec<FileTable<O>>> {
    let mut read = |name: &str, node: &Node<'_>| {
        let (path, options) = match node.kind() {
            Shape::Table => {
                let mut section = node.section()?;
                let path = section.required("path", PATH);
                (path, options(&mut section))
            }
            _ => (Some(node.clone()), Some(O::default())),
        };
        let template = path.as_ref().and_then(template);
        Some(FileTable {
            name: name.to_owned(),
            root: root.clone(),
            template: template?,
            options: options?,
            at: path?.at(),
        })
    };
    let tables = tables.entries().into_iter();
    let tables: Vec<Option<_>> = tables.map(|(name, _, node)| read(name, &node)).collect();
    tables.into_iter().collect()
}

fn template(node: &Node<'_>) -> Option<Template> {
    let written = node.text()?;
    let (message, help) = match Template::parse(&written.value) {
        Ok(template) => return Some(template),
        Err(TemplateError::Empty) => ("a path must name a file".to_owned(), PATH.to_owned()),
        Err(TemplateError::Placeholder) => (
            "`{` begins a placeholder that has no name or no end".to_owned(),
            "a placeholder is a name in braces, such as `{channel}`".to_owned(),
        ),
        Err(TemplateError::Twice(name)) => (
            format!("two placeholders are called {}", quoted(&name)),
            "each becomes a column, so each needs a name of its own; `*` makes no column"
                .to_owned(),
        ),
    };
    node.mistake(Mistake::error("files::path", message, written.at).help(help));
    None
}
