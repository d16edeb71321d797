//! One table of the file, read key by key.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatferry_core::{Mistake, Secret, Span};

use crate::document::{Entry, Table};
use crate::node::{Context, Lack, Node, Setting};
use crate::suggest::{self, quoted};

/// One table of the pipeline file, read key by key.
///
/// Ask for **every** key that the table may have, and only then use `?`: when the section is
/// dropped, each key that nobody asked for is noted as unknown, with a suggestion among those that
/// were.
///
/// Each question gives `None` when the key is absent. It also gives `None`, and notes a mistake
/// where the value stands, when the value is not what was asked for. In every text, `${NAME}` and
/// `${NAME:-default}` are the environment.
///
/// # Example: reading the settings of a connector
///
/// ```
/// # use chatferry_config::Section;
/// # #[derive(Debug)] struct Settings { path: std::path::PathBuf, at_most: Option<u64> }
/// fn plan(section: &mut Section<'_>) -> Option<Settings> {
///     let path = section.required_text("path", "the file or files to read");
///     let at_most = section.count("at_most");
///     Some(Settings { path: section.resolve(&path?), at_most: at_most.map(|count| count.get()) })
/// }
/// ```
pub struct Section<'a> {
    node: Node<'a>,
    table: &'a Table,
    asked: Vec<String>,
    /// Keys that must be there and are not, each with what it is.
    missing: Vec<(String, String)>,
    /// Whether no key of this table is unknown.
    forgiving: bool,
}

impl<'a> Section<'a> {
    pub(crate) fn new(node: &Node<'a>, table: &'a Table) -> Self {
        Self {
            node: node.clone(),
            table,
            asked: Vec::new(),
            missing: Vec::new(),
            forgiving: false,
        }
    }

    /// The value of a key, whatever it is.
    pub fn get(&mut self, key: &str) -> Option<Node<'a>> {
        self.ask(key);
        if let Some(survey) = self.node.context.survey {
            return survey.get(&self.node, key);
        }
        self.table.get(key).map(|entry| self.below(entry))
    }

    /// Text.
    pub fn text(&mut self, key: &str) -> Option<Setting<String>> {
        self.get(key)?.text()
    }

    /// Text that must be there. `about` says what it is, for the person who left it out.
    pub fn required_text(&mut self, key: &str, about: &str) -> Option<Setting<String>> {
        self.required(key, about)?.text()
    }

    /// A secret: text, or `{ file = "path" }`.
    pub fn secret(&mut self, key: &str) -> Option<Setting<Secret>> {
        self.get(key)?.secret()
    }

    /// A secret that must be there.
    pub fn required_secret(&mut self, key: &str, about: &str) -> Option<Setting<Secret>> {
        self.required(key, about)?.secret()
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str) -> Option<Setting<bool>> {
        self.get(key)?.flag()
    }

    /// A whole number from 1.
    pub fn count(&mut self, key: &str) -> Option<Setting<NonZeroU64>> {
        self.get(key)?.count()
    }

    /// A size, such as `"64 MiB"`.
    pub fn bytes(&mut self, key: &str) -> Option<Setting<u64>> {
        self.get(key)?.bytes()
    }

    /// A duration, such as `"30 s"`.
    pub fn duration(&mut self, key: &str) -> Option<Setting<Duration>> {
        self.get(key)?.duration()
    }

    /// One of a few words.
    pub fn choice(&mut self, key: &str, choices: &[&'static str]) -> Option<Setting<&'static str>> {
        self.get(key)?.choice(choices)
    }

    /// One of a few words, that must be there.
    pub fn required_choice(
        &mut self,
        key: &str,
        choices: &[&'static str],
        about: &str,
    ) -> Option<Setting<&'static str>> {
        self.required(key, about)?.choice(choices)
    }

    /// A list of texts; one text alone is a list of one.
    pub fn texts(&mut self, key: &str) -> Option<Vec<Setting<String>>> {
        self.get(key)?.texts()
    }

    /// A table below this one.
    pub fn section(&mut self, key: &str) -> Option<Section<'a>> {
        self.get(key)?.section()
    }

    /// The value of a key that must be there, whatever it is. `about` says what it is.
    pub fn required(&mut self, key: &str, about: &str) -> Option<Node<'a>> {
        if let Some(survey) = self.node.context.survey {
            survey.require(&self.node, key, about);
        }
        let node = self.get(key);
        if node.is_none() {
            self.missing(key, about);
        }
        node
    }

    /// Notes that a key which must be there is not. `about` says what it is.
    pub fn missing(&mut self, key: &str, about: &str) {
        self.ask(key);
        self.missing.push((key.to_owned(), about.to_owned()));
    }

    /// Every entry with its name and the place of the name, in the order of the file: for tables
    /// whose keys are free names.
    pub fn entries(&mut self) -> Vec<(&'a str, Option<Span>, Node<'a>)> {
        self.forgiving = true;
        if let Some(survey) = self.node.context.survey {
            let (name, node) = survey.entry(&self.node);
            return vec![(name, None, node)];
        }
        self.table
            .entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.at.clone(), self.below(entry)))
            .collect()
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, mistake: Mistake) {
        self.node.mistake(mistake);
    }

    /// Where the table stands: its header, or the whole of an inline table.
    #[must_use]
    pub fn at(&self) -> Option<Span> {
        self.node.at().filter(|at| !at.is_empty())
    }

    /// The folder of the pipeline file.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.node.context.reading.folder
    }

    /// A path of the file; a relative one begins in the folder of the pipeline file.
    #[must_use]
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    /// The table as a person knows it: `[sources.legacy]`.
    #[must_use]
    pub fn title(&self) -> String {
        match self.node.path.as_str() {
            "" => "the pipeline".into(),
            "flow" => "`[[flow]]`".into(),
            path => quoted(&format!("[{path}]")),
        }
    }

    /// Lets every key be, because nobody knows which there should be.
    pub(crate) fn forgive(&mut self) {
        self.forgiving = true;
    }

    /// Lets missing variables be warnings in this table and below.
    pub(crate) fn be_lenient(&mut self) {
        self.node.lack = Lack::Warning;
    }

    /// Lets missing variables be in this table and below.
    pub(crate) fn be_silent(&mut self) {
        self.node.lack = Lack::Nothing;
    }

    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.node.context
    }

    fn ask(&mut self, key: &str) {
        if !self.asked.iter().any(|asked| asked == key) {
            self.asked.push(key.to_owned());
        }
    }

    fn below(&self, entry: &'a Entry) -> Node<'a> {
        let path = match self.node.path.as_str() {
            "" => entry.name.clone(),
            path => format!("{path}.{}", entry.name),
        };
        Node {
            written: &entry.written,
            name_at: entry.at.clone(),
            path,
            ..self.node.clone()
        }
    }

    /// Notes the keys that nobody asked for, and those that were asked for in vain. A key that is
    /// only misspelt is one mistake, not two.
    pub(crate) fn finish(&mut self) {
        let forgiving = std::mem::replace(&mut self.forgiving, true);
        let mut missing = std::mem::take(&mut self.missing);
        let table = self.table;
        let unknown = |entry: &&Entry| !forgiving && !self.asked.contains(&entry.name);
        for entry in table.entries.iter().filter(unknown) {
            let meant = suggest::closest(&entry.name, self.asked.iter().map(String::as_str));
            missing.retain(|(key, _)| Some(key.as_str()) != meant);
            self.node.mistake(self.unknown(entry, meant));
        }
        for (key, about) in missing {
            let message = format!("{} needs {}", self.title(), quoted(&key));
            self.node.mistake(
                Mistake::error("pipeline::missing-key", message, self.at())
                    .label(format!("no {} here", quoted(&key)))
                    .help(format!("add `{key} = …`: {about}")),
            );
        }
    }

    fn unknown(&self, entry: &Entry, meant: Option<&str>) -> Mistake {
        let help = match (meant, self.asked.as_slice()) {
            (Some(meant), _) => Some(format!("did you mean `{meant}`?")),
            (None, []) => None,
            (None, [key]) => Some(format!("its only key is {}", quoted(key))),
            (None, keys) => Some(format!("its keys are {}", suggest::list(keys))),
        };
        let origin = self.below(entry).origin();
        let message = format!(
            "{} has no key {}{origin}",
            self.title(),
            quoted(&entry.name)
        );
        Mistake::error("pipeline::unknown-key", message, entry.at.clone())
            .label("nothing reads this")
            .maybe_help(help)
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        self.finish();
    }
}
