//! The walk over a whole file: what it has, table by table.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use chatferry_core::{Flow, Lineage, Mistake, Severity, SourceSettings, Span, Variables, View};

use crate::attachments::Attachments;
use crate::document::{self, Value as Written, Written as WrittenAt};
use crate::interpolate::is_name;
use crate::node::{Context, Lack, Node, Shape};
use crate::overrides::{self, Override};
use crate::registry::{Registry, SourceKind};
use crate::section::Section;
use crate::suggest::{self, quoted};
use crate::{attachments, flow, tables, views};

/// The memory that the engine may use unless the file says otherwise.
///
/// Enough to sort some hundred thousand messages without touching the disk, and small beside
/// what any machine that runs a migration has.
const MEMORY: u64 = 64 << 20;

/// What a file is read with.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Looks a variable up in the environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The folder of the pipeline file; relative paths begin there.
    pub folder: &'a Path,
    /// Values that the command line replaces.
    pub overrides: &'a [Override],
    /// Whether variables that are missing in the destination's table are only warned of. A
    /// [placeholder](crate::node::PLACEHOLDER) stands for each.
    pub without_secrets: bool,
}

/// What was read.
#[derive(Debug)]
pub struct Read<D> {
    /// The pipeline; there is none if and only if one of the mistakes is an error.
    pub pipeline: Option<Pipeline<D>>,
    /// Every mistake, in the order of the file; those without a place come last.
    pub mistakes: Vec<Mistake>,
}

/// A pipeline file, read and found in order.
#[derive(Debug)]
pub struct Pipeline<D> {
    /// Its name.
    pub name: String,
    /// The destination's settings.
    pub destination: D,
    /// The engine's settings.
    pub engine: EngineSettings,
    /// Where the files go that records refer to, if they are to be anywhere else.
    pub attachments: Option<Attachments>,
    /// The variables: `$name` in SQL.
    pub variables: Variables,
    /// The sources, in the order of the file.
    pub sources: Vec<NamedSource>,
    /// The views, in the order of the file.
    pub views: Vec<View>,
    /// The flows, in the order of the file.
    pub flows: Vec<Flow>,
}

/// What the engine may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Memory for sorting, joining and grouping, in bytes.
    pub memory: u64,
    /// The folder for what does not fit into it; `None` for the system's.
    pub spill: Option<PathBuf>,
}

/// A source of the file.
#[derive(Debug)]
pub struct NamedSource {
    /// Its name: `legacy` in `legacy.users`.
    pub name: String,
    /// Where the name stands.
    pub at: Option<Span>,
    /// The name of its connector.
    pub connector: String,
    /// Its settings.
    pub settings: Box<dyn SourceSettings>,
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("folder", &self.folder)
            .field("overrides", &self.overrides)
            .field("without_secrets", &self.without_secrets)
            .finish_non_exhaustive()
    }
}

impl<D> Pipeline<D> {
    /// What the records of each flow come from, and what their ids are made of.
    #[must_use]
    pub fn lineages(&self) -> Vec<Lineage> {
        let sources: Vec<&str> = self.sources.iter().map(|it| it.name.as_str()).collect();
        let lineage = |flow: &Flow| {
            let reads = tables::read_through(&flow.from.text, &self.views, &sources);
            Lineage::of(flow, reads)
        };
        self.flows.iter().map(lineage).collect()
    }
}

/// Reads a pipeline file: the text, the environment and the registry, nothing else.
#[must_use]
pub fn read<D>(text: &str, registry: &Registry<D>, reading: &Reading<'_>) -> Read<D> {
    let (root, mistakes) = document::parse(text);
    let context = Context {
        text,
        reading,
        mistakes: RefCell::new(mistakes),
        survey: None,
    };
    let pipeline = root.and_then(|mut root| {
        overrides::apply(&mut root, reading.overrides)
            .into_iter()
            .for_each(|m| context.note(m));
        let written = WrittenAt {
            value: Written::Table(root),
            at: None,
            option: None,
        };
        let node = Node {
            context: &context,
            written: &written,
            name_at: None,
            path: String::new(),
            lack: Lack::Error,
        };
        walk(&mut node.section()?, registry)
    });
    let mut mistakes = context.mistakes.into_inner();
    mistakes.sort_by_key(|mistake| {
        mistake
            .at
            .as_ref()
            .map_or((usize::MAX, usize::MAX), |at| (at.start, at.end))
    });
    let in_order = mistakes
        .iter()
        .all(|mistake| mistake.severity != Severity::Error);
    Read {
        pipeline: pipeline.filter(|_| in_order),
        mistakes,
    }
}

/// Asks for all that may stand in a file, but for what connectors read of sources.
pub(crate) fn survey<D>(root: &mut Section<'_>, registry: &Registry<D>) {
    walk(root, registry);
}

/// Reads every table before giving up on any, so that all mistakes are found at once.
fn walk<D>(root: &mut Section<'_>, registry: &Registry<D>) -> Option<Pipeline<D>> {
    let name = name(root);
    let destination = destination(root, registry);
    let engine = engine(root);
    let attachments = attachments::attachments(root);
    let variables = variables(root);
    let (sources, source_names) = sources(root, registry);
    let (views, view_names) = views::views(root, &source_names);
    let known = flow::Known {
        sources: &source_names,
        views: &view_names,
    };
    let flows = flow::flows(root, registry.destination().fields, &known);
    Some(Pipeline {
        name: name?,
        destination: destination?,
        engine,
        attachments,
        variables,
        sources,
        views,
        flows,
    })
}

fn name(root: &mut Section<'_>) -> Option<String> {
    let node = root.required("name", "the name of the migration, for ledger and reports")?;
    let name = node.text()?;
    if name.trim().is_empty() {
        node.mistake(
            Mistake::error(
                "pipeline::empty",
                "the name of the pipeline is empty",
                name.at,
            )
            .help("give it a name, such as \"acme\""),
        );
        return None;
    }
    Some(name.value)
}

fn destination<D>(root: &mut Section<'_>, registry: &Registry<D>) -> Option<D> {
    let kind = registry.destination();
    let Some(node) = root.get(kind.name) else {
        let message = format!("the pipeline has no `[{}]`", kind.name);
        root.mistake(
            Mistake::error("pipeline::no-destination", message, None)
                .help("add the table with the settings of the destination"),
        );
        return None;
    };
    let mut section = node.section()?;
    if root.context().reading.without_secrets {
        section.be_lenient();
    }
    let planned = (kind.plan)(&mut section);
    explain(&mut section, planned)
}

fn engine(root: &mut Section<'_>) -> EngineSettings {
    let section = root.section("engine");
    let (memory, spill) = section.map_or((None, None), |mut engine| {
        let memory = engine.bytes("memory");
        let spill = engine.get("spill").and_then(|spill| spill.path());
        (memory, spill)
    });
    EngineSettings {
        memory: memory.map_or(MEMORY, |bytes| bytes.value),
        spill,
    }
}

fn variables(root: &mut Section<'_>) -> Variables {
    let Some(mut section) = root.section("variables") else {
        return Variables::new();
    };
    let mut variables = Variables::new();
    for (name, at, node) in section.entries() {
        let value = node.value();
        if named(&node, "variable", name, at)
            && let Some(value) = value
        {
            variables.insert(name.to_owned(), value);
        }
    }
    variables
}

/// The sources that could be planned, and the names of all.
fn sources<'a, D>(
    root: &mut Section<'a>,
    registry: &Registry<D>,
) -> (Vec<NamedSource>, Vec<&'a str>) {
    let table = root.get("sources");
    let tabular = table
        .as_ref()
        .is_none_or(|table| table.kind() == Shape::Table);
    let section = table.and_then(|table| table.section());
    let entries = section.map_or_else(Vec::new, |mut section| section.entries());
    if entries.is_empty() && tabular {
        root.mistake(
            Mistake::error("pipeline::no-sources", "the pipeline has no source", None)
                .help("add a table `[sources.NAME]` with a `connector`"),
        );
    }
    let mut sources = Vec::new();
    let mut names = Vec::new();
    for (name, at, node) in entries {
        named(&node, "source", name, at.clone());
        names.push(name);
        sources.extend(source(name, at, &node, registry));
    }
    (sources, names)
}

fn source<D>(
    name: &str,
    at: Option<Span>,
    node: &Node<'_>,
    registry: &Registry<D>,
) -> Option<NamedSource> {
    let mut section = node.section()?;
    if let Some(stand_in) = registry.standing_in() {
        section.forgive();
        return Some(NamedSource {
            name: name.to_owned(),
            at,
            connector: stand_in.connector().to_owned(),
            settings: stand_in.source(name),
        });
    }
    let connector = section.required("connector", "what kind of source it is");
    let kind = connector.and_then(|connector| kind(&connector, registry));
    let Some(kind) = kind else {
        section.forgive();
        return None;
    };
    let planned = (kind.plan)(&mut section);
    let settings = explain(&mut section, planned)?;
    Some(NamedSource {
        name: name.to_owned(),
        at,
        connector: kind.name.to_owned(),
        settings,
    })
}

fn kind<'r, D>(connector: &Node<'_>, registry: &'r Registry<D>) -> Option<&'r SourceKind> {
    let name = connector.text()?;
    let kind = registry.kind(&name);
    if kind.is_none() {
        let all: Vec<&str> = registry.sources().map(|(name, _)| name).collect();
        let message = match registry.how_to_get(&name) {
            Some(how) => format!(
                "this program is built without the connector {}: {how}",
                quoted(&name)
            ),
            None => {
                let what = connector
                    .raw()
                    .map_or_else(String::new, |raw| format!(" called {}", quoted(raw)));
                format!("there is no source connector{what}{}", connector.origin())
            }
        };
        connector.mistake(
            Mistake::error("pipeline::unknown-connector", message, connector.at())
                .label(format!("this program has {}", all.join(", ")))
                .maybe_help(suggest::did_you_mean(&name, all.iter().copied())),
        );
    }
    kind
}

/// Whether a name can stand in SQL as it is; a mistake if not.
pub(crate) fn named(node: &Node<'_>, what: &str, name: &str, at: Option<Span>) -> bool {
    let fits = is_name(name);
    if !fits {
        node.mistake(
            Mistake::error(
                "pipeline::name",
                format!(
                    "{} cannot be the name of a {what}{}",
                    quoted(name),
                    node.origin()
                ),
                at,
            )
            .label("letters, digits and `_`")
            .help("a name stands in SQL as it is, and starts with a letter or `_`"),
        );
    }
    fits
}

/// Sees to it that settings which cannot be used have a mistake that says so.
fn explain<T>(section: &mut Section<'_>, planned: Option<T>) -> Option<T> {
    section.finish();
    let silent = || {
        let mistakes = section.context().mistakes.borrow();
        mistakes
            .iter()
            .all(|mistake| mistake.severity != Severity::Error)
    };
    if planned.is_none() && silent() {
        let message = format!("the settings in {} cannot be used", section.title());
        section.mistake(Mistake::error("pipeline::settings", message, section.at()));
    }
    planned
}
