//! What the crates that are meant as a library show to others, as text that a change of it changes.
//!
//! The sources are read as rustfmt writes them, so an item begins on a line with its `pub` and ends
//! where its indentation comes again. The lint `unreachable_pub` holds that all that is `pub` can be
//! named from outside. Documentation and bodies are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates whose public items others build upon: to embed chatferry, or to write a connector.
pub const LIBRARIES: [&str; 11] = [
    "child",
    "config",
    "core",
    "engine",
    "files",
    "ledger",
    "records",
    "report",
    "runtime",
    "simulator",
    "testkit",
];

/// Writes what each of these crates shows into `docs/api`; says what was done.
///
/// # Errors
///
/// When the sources cannot be read, or the folder not be written.
pub fn write(repository: &Path) -> Result<String, String> {
    let folder = repository.join("docs/api");
    fs::create_dir_all(&folder).map_err(|error| told("make", &folder, &error))?;
    for library in LIBRARIES {
        let path = folder.join(format!("{library}.txt"));
        let api = of(repository, library)?;
        fs::write(&path, api).map_err(|error| told("write", &path, &error))?;
    }
    Ok(format!("{} files in {}", LIBRARIES.len(), folder.display()))
}

/// What a crate shows, one module after the other.
///
/// # Errors
///
/// When its sources cannot be read.
pub fn of(repository: &Path, library: &str) -> Result<String, String> {
    let root = repository.join("crates").join(library).join("src");
    let mut files = BTreeMap::new();
    gather(&root, &root, &mut files)?;
    let types: BTreeSet<&str> = files.values().flat_map(|text| types(text)).collect();
    let mut api = format!("# chatferry-{library}\n");
    for (path, text) in &files {
        let shown = shown(text, &types);
        if !shown.is_empty() {
            api.push_str(&format!("\n## src/{}\n{shown}", path.display()));
        }
    }
    Ok(api)
}

fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| told("read", folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| told("read", folder, &error))?.path();
        if path.is_dir() {
            gather(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| told("read", &path, &error))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
            files.insert(name, text);
        }
    }
    Ok(())
}

fn told(doing: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {doing} {}: {error}", path.display())
}

/// The names of the types and traits that a file shows.
fn types(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let item = line.strip_prefix("pub ")?;
        let kinds = ["struct ", "enum ", "trait ", "type "];
        let name = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
        name.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    })
}

/// What a file shows.
fn shown(text: &str, types: &BTreeSet<&str>) -> String {
    let mut items = Items {
        lines: text.lines().collect(),
        at: 0,
        types,
        shown: String::new(),
        derives: Vec::new(),
    };
    items.top_level();
    items.shown
}

/// The items of a file.
struct Items<'t> {
    lines: Vec<&'t str>,
    at: usize,
    types: &'t BTreeSet<&'t str>,
    shown: String,
    /// What stands above the next item and changes what others can do with it.
    derives: Vec<String>,
}

impl Items<'_> {
    fn top_level(&mut self) {
        while let Some(line) = self.lines.get(self.at).copied() {
            if line == "#[cfg(test)]" {
                self.at += 1;
                self.skip_item(0);
            } else if line.starts_with("#[derive") || line == "#[non_exhaustive]" {
                let attribute = self.joined(|line| line.ends_with(']'));
                self.derives.push(attribute);
            } else if line.starts_with("pub ") {
                self.item(0);
            } else if line.starts_with("impl") {
                self.implementation();
            } else {
                let begins = !line.is_empty() && !line.starts_with(['/', '#', ' ', '}']);
                match begins {
                    true => self.skip_item(0),
                    false => self.at += 1,
                }
            }
        }
    }

    /// Shows an item that begins here, with what of its insides is shown.
    fn item(&mut self, indent: usize) {
        let line = self.lines[self.at].trim_start();
        let is = |kind: &str| {
            let words = line.split([' ', '<', '(']).collect::<Vec<_>>();
            words.contains(&kind)
        };
        for derive in std::mem::take(&mut self.derives) {
            self.show(indent, &derive);
        }
        if line.starts_with("pub struct") {
            let header = self.joined(|line| line.ends_with(['{', ';']));
            self.show(indent, &header);
            if header.ends_with('{') {
                self.members(indent, |line| line.starts_with("pub "));
            }
        } else if line.starts_with("pub enum") || line.starts_with("pub union") {
            let header = self.joined(|line| line.ends_with(['{', '}']));
            self.show(indent, &header);
            if header.ends_with('{') {
                self.members(indent, |_| true);
            }
        } else if line.starts_with("pub trait") {
            let header = self.joined(|line| line.ends_with(['{', '}']));
            self.show(indent, &header);
            if header.ends_with('{') {
                self.signatures(indent + 4, |_| true);
                self.show(indent, "}");
            }
        } else if is("fn") {
            self.signature(indent);
        } else if is("const") || is("static") {
            let whole = self.joined(|line| line.ends_with(';'));
            let declared = whole.split_once(" = ").map_or(whole.as_str(), |(it, _)| it);
            self.show(indent, &format!("{};", declared.trim_end_matches(';')));
        } else {
            let whole = self.joined(|line| line.ends_with([';', '}']));
            self.show(indent, &whole);
        }
    }

    /// An implementation: of a trait for a type that is shown, or the shown functions of a type.
    fn implementation(&mut self) {
        let header = self.joined(|line| line.ends_with(['{', '}']));
        let bare = header.trim_end_matches(['{', '}', ' ']);
        let of_trait = bare.contains(" for ");
        let subject = bare.rsplit(" for ").next().unwrap_or(bare);
        let subject = subject.split(" where ").next().unwrap_or(subject);
        let named = |word: &str| self.types.contains(word);
        let is_shown = subject
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(named);
        if header.ends_with('}') || of_trait || !is_shown {
            if of_trait && is_shown {
                self.show(0, bare);
            }
            if !header.ends_with('}') {
                self.skip_to_end(0);
            }
            return;
        }
        let before = self.shown.len();
        self.show(0, &header);
        let empty = self.shown.len();
        self.signatures(4, |line| line.starts_with("pub "));
        match self.shown.len() == empty {
            true => self.shown.truncate(before),
            false => self.show(0, "}"),
        }
    }

    /// Shows the items within braces that are wanted, without their bodies, and passes the end.
    fn signatures(&mut self, indent: usize, wanted: impl Fn(&str) -> bool) {
        let end = format!("{}}}", " ".repeat(indent - 4));
        while let Some(line) = self.lines.get(self.at).copied() {
            if line == end {
                self.at += 1;
                return;
            }
            let text = line.trim_start();
            if line.len() - text.len() != indent || text.is_empty() || text.starts_with(['/', '#'])
            {
                self.at += 1;
            } else if !wanted(text) {
                self.skip_item(indent);
            } else if text.starts_with("pub ") {
                self.item(indent);
            } else {
                self.signature(indent);
            }
        }
    }

    /// Shows the lines within braces that are wanted, and passes the end.
    fn members(&mut self, indent: usize, wanted: impl Fn(&str) -> bool) {
        let end = format!("{}}}", " ".repeat(indent));
        while let Some(line) = self.lines.get(self.at).copied() {
            self.at += 1;
            if line == end {
                self.show(indent, "}");
                return;
            }
            let text = line.trim_start();
            if !text.starts_with("//")
                && !text.starts_with("#[")
                && !text.is_empty()
                && wanted(text)
            {
                self.show(line.len() - text.len(), text);
            }
        }
    }

    /// Shows a function, or whatever has a signature and perhaps a body.
    fn signature(&mut self, indent: usize) {
        let header = self.joined(|line| line.ends_with(['{', ';', '}']));
        let bare = header.trim_end_matches(" {}").trim_end_matches(" {");
        self.show(indent, &format!("{};", bare.trim_end_matches([';', ','])));
        if header.ends_with('{') {
            self.skip_to_end(indent);
        }
    }

    /// Passes an item that is not shown.
    fn skip_item(&mut self, indent: usize) {
        let header = self.joined(|line| line.ends_with(['{', ';', '}']));
        if header.ends_with('{') {
            self.skip_to_end(indent);
        }
    }

    /// Passes the rest of a body.
    fn skip_to_end(&mut self, indent: usize) {
        let end = " ".repeat(indent);
        while let Some(line) = self.lines.get(self.at).copied() {
            self.at += 1;
            let rest = line.strip_prefix(end.as_str());
            if rest.is_some_and(|rest| rest.starts_with(['}', ')', ']'])) {
                return;
            }
        }
    }

    /// The lines up to one that ends something, as one.
    fn joined(&mut self, ends: impl Fn(&str) -> bool) -> String {
        let mut whole = String::new();
        while let Some(line) = self.lines.get(self.at).copied() {
            self.at += 1;
            let text = line.trim();
            if text.starts_with("//") {
                continue;
            }
            let glued =
                whole.ends_with(['(', '[', '<']) || text.starts_with([')', ']', '>', '.', '?']);
            if !whole.is_empty() && !glued {
                whole.push(' ');
            }
            whole.push_str(text);
            if ends(text) && balanced(&whole) {
                break;
            }
        }
        whole.replace(",)", ")").replace(", }", " }")
    }

    fn show(&mut self, indent: usize, text: &str) {
        self.shown.push_str(&format!("{:indent$}{text}\n", ""));
    }
}

/// Whether all round and square brackets are closed.
fn balanced(text: &str) -> bool {
    let count = |of: char| text.chars().filter(|c| *c == of).count();
    count('(') == count(')') && count('[') == count(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"//! A module.

use std::fmt;

/// A thing.
#[derive(Clone, Debug)]
pub struct Thing<T> {
    /// Shown.
    pub name: String,
    hidden: T,
}

pub struct Pair(pub u8, u16);

/// One of two.
#[non_exhaustive]
pub enum Either {
    /// This.
    This,
    That {
        /// Why.
        why: &'static str,
    },
}

struct Private {
    pub field: u8,
}

impl<T> Thing<T> {
    /// Makes one.
    #[must_use]
    pub fn new(
        name: &str,
        hidden: T,
    ) -> Self {
        if name.is_empty() {
            panic!()
        }
        Self { name: name.into(), hidden }
    }

    pub(crate) fn inner(&self) {}

    pub const fn empty() {}
}

impl Private {
    fn nothing() {}
}

impl fmt::Debug for Private {
    fn fmt(&self) {}
}

impl fmt::Display for Either {
    fn fmt(&self) {
        let x = 1;
    }
}

/// A promise.
pub trait Promise: Send {
    /// Kept by all.
    fn keep(&self) -> u8;

    fn may(&self) -> u8 {
        0
    }
}

pub const ALL: [u8; 2] = [
    1,
    2,
];
pub use crate::other::{
    One, Two,
};

pub async fn go<F>(f: F) -> u8
where
    F: Fn(),
{
    f();
    1
}

fn private() {
    struct X;
}

#[cfg(test)]
mod tests {
    pub fn not_shown() {}
}
"#;

    #[test]
    fn what_is_public_is_shown_without_documentation_and_bodies() {
        let types = types(SOURCE).collect();
        assert_eq!(
            shown(SOURCE, &types),
            "#[derive(Clone, Debug)]\n\
             pub struct Thing<T> {\n    pub name: String,\n}\n\
             pub struct Pair(pub u8, u16);\n\
             #[non_exhaustive]\n\
             pub enum Either {\n    This,\n    That {\n        why: &'static str,\n    },\n}\n\
             impl<T> Thing<T> {\n    pub fn new(name: &str, hidden: T) -> Self;\n    \
             pub const fn empty();\n}\n\
             impl fmt::Display for Either\n\
             pub trait Promise: Send {\n    fn keep(&self) -> u8;\n    fn may(&self) -> u8;\n}\n\
             pub const ALL: [u8; 2];\n\
             pub use crate::other::{ One, Two };\n\
             pub async fn go<F>(f: F) -> u8 where F: Fn();\n"
        );
    }
}
