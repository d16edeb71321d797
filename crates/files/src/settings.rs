//! What a person may write of files, in the settings of any connector that reads them.

use std::path::Path;

use chatferry_config::suggest::{list, quoted};
use chatferry_config::{Node, Section, Shape};
use chatferry_core::{Mistake, Secret, Span};

use crate::address::{Address, AddressError, Rest, SCHEMES};
use crate::limits::Limits;
use crate::remote;
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
        let root = section.get("root");
        let path = section.get("path");
        let mut tables = section.section("tables");
        let storage = match section.section("storage") {
            Some(mut section) => storage(&mut section),
            None => Some(Vec::new()),
        };
        let limits = limits(section);
        let said = options(section);
        let root = match root {
            Some(root) => address(&root, &folder),
            None => Some(Address::folder(&folder, "the pipeline file's folder")),
        };
        let root = root.zip(storage);
        let root = root.map(|(root, storage)| root.within(limits).with_storage(storage));
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
                let table = table(ALONE, &path, root.as_ref(), said);
                (vec![table?], None)
            }
            (None, Some(tables)) => {
                let tables = named(tables, root.as_ref(), &mut options);
                (tables?, Some(said?))
            }
            (None, None) => (Vec::new(), Some(said?)),
        };
        Some(Self {
            root: root?,
            tables,
            common,
        })
    }
}

/// Reads `tables`: all of them, so that all mistakes are noted.
fn named<O: Default>(
    tables: &mut Section<'_>,
    root: Option<&Address>,
    options: &mut impl FnMut(&mut Section<'_>) -> Option<O>,
) -> Option<Vec<FileTable<O>>> {
    let mut read = |name: &str, node: &Node<'_>| match node.kind() {
        Shape::Table => {
            let mut section = node.section()?;
            let path = section.required("path", PATH);
            let options = options(&mut section);
            table(name, &path?, root, options)
        }
        _ => table(name, node, root, Some(O::default())),
    };
    let tables = tables.entries().into_iter();
    let tables: Vec<Option<_>> = tables.map(|(name, _, node)| read(name, &node)).collect();
    tables.into_iter().collect()
}

/// The table that has this path.
fn table<O>(
    name: &str,
    path: &Node<'_>,
    root: Option<&Address>,
    options: Option<O>,
) -> Option<FileTable<O>> {
    let written = path.text()?;
    let split = Address::split(&written.value);
    let (own, template) = match split.map_err(|error| refuse(path, &error)).ok()? {
        Some((own, Rest::Literal(rest))) if !rest.is_empty() => {
            (Some(own), Template::literal(&rest))
        }
        Some((own, Rest::Literal(rest) | Rest::Pattern(rest))) => {
            (Some(own), template(path, &rest)?)
        }
        None => (None, template(path, &written.value)?),
    };
    let root = root?;
    Some(FileTable {
        name: name.to_owned(),
        root: match own {
            Some(own) => root.as_set_for(own),
            None => root.clone(),
        },
        template,
        options: options?,
        at: path.at(),
    })
}

fn limits(section: &mut Section<'_>) -> Limits {
    let max_unpacked = section.bytes("max_unpacked");
    let max_ratio = section.count("max_ratio");
    let usual = Limits::default();
    Limits {
        max_unpacked: max_unpacked.map_or(usual.max_unpacked, |most| most.value),
        max_ratio: max_ratio.map_or(usual.max_ratio, |most| most.value.get()),
    }
}

/// Whether an object store has a setting of that name.
#[must_use]
pub fn is_setting(name: &str) -> bool {
    remote::is_setting(name)
}

/// Reads `storage`: what is set of object stores, by the names that their libraries have for it.
fn storage(section: &mut Section<'_>) -> Option<Vec<(String, Secret)>> {
    let setting = |(name, at, node): (&str, Option<Span>, Node<'_>)| {
        if !is_setting(name) {
            let message = format!("no object store has a setting {}", quoted(name));
            let help = "such as `endpoint`, `region`, `access_key_id`, `secret_access_key` or \
                        `skip_signature` for S3; see docs/files.md";
            node.mistake(Mistake::error("files::storage", message, at).help(help));
            return None;
        }
        Some((name.to_owned(), node.secret()?.value))
    };
    let settings: Vec<Option<_>> = section.entries().into_iter().map(setting).collect();
    settings.into_iter().collect()
}

fn address(node: &Node<'_>, folder: &Path) -> Option<Address> {
    let written = node.text()?;
    let address = Address::parse(&written.value, folder);
    address.map_err(|error| refuse(node, &error)).ok()
}

fn refuse(node: &Node<'_>, error: &AddressError) {
    let (message, help) = explained(error);
    node.mistake(Mistake::error("files::address", message, node.at()).help(help));
}

/// What is wrong with an address, and what to do about it.
#[must_use]
pub fn explained(error: &AddressError) -> (String, String) {
    match error {
        AddressError::Scheme(scheme) => (
            format!("nothing here reads {}", quoted(&format!("{scheme}://"))),
            format!(
                "an address begins with {}",
                list(&SCHEMES.map(|scheme| format!("{scheme}://")))
            ),
        ),
        AddressError::Nobody => (
            "the address names no bucket".to_owned(),
            "it stands behind the `://`, such as `s3://bucket/path`".to_owned(),
        ),
        AddressError::Url => (
            "this is not an address".to_owned(),
            "it is written as `s3://bucket/path` or `https://host/path`".to_owned(),
        ),
    }
}

fn template(node: &Node<'_>, path: &str) -> Option<Template> {
    let (message, help) = match Template::parse(path) {
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
    node.mistake(Mistake::error("files::path", message, node.at()).help(help));
    None
}
