//! A pipeline file, opened: its text read, its sources described, its flows planned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_attachments::{Copies, MapError, Said};
use chatferry_cometchat::Settings;
use chatferry_cometchat::entities;
use chatferry_config::{NamedSource, Override, Pipeline, Reading};
use chatferry_core::{Entity, Flow, Mistake, Rows, Severity, Source};
use chatferry_engine::{Engine, FlowPlan, PlanError};
use chatferry_parquet::snapshot::Snapshot;
use chatferry_runtime::FlowInput;

use crate::args::Shared;
use crate::cache;
use crate::connectors;
use crate::copies::Spool;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// A pipeline file that was read without an error.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub path: PathBuf,
    /// Its text, which mistakes point into.
    text: String,
    /// What it says.
    pub pipeline: Pipeline<Settings>,
    /// The snapshot that its sources are read from.
    snapshot: Option<PathBuf>,
}

/// A pipeline whose flows are planned.
#[derive(Debug)]
pub struct Planned {
    /// Holds the sources and views.
    pub engine: Engine,
    /// The flows in the order of the file, each with its plan.
    pub flows: Vec<(Flow, Arc<FlowPlan>)>,
    /// How many rows the flows read, by name, where that is known.
    rows: BTreeMap<String, Rows>,
    /// Stands for the pipeline as it is understood, by this version of the program.
    pub fingerprint: u64,
    /// The folder for what does not fit into memory, if one is named.
    pub spill: Option<PathBuf>,
    /// What is read in the place of sources; after the engine, which reads it.
    spool: Option<Spool>,
}

/// Reads a pipeline file and shows what is wrong with it, all at once.
///
/// `without_secrets` reads it although variables of the destination are missing.
///
/// # Errors
///
/// When there is no such file, or it has mistakes; these were shown then.
pub fn open(
    path: &Path,
    shared: &Shared,
    terminal: &Terminal,
    without_secrets: bool,
) -> Result<Opened, Trouble> {
    read(path, shared, without_secrets, |path, text, mistakes| {
        show(path, text, mistakes, terminal);
    })
}

/// Opens the sources of a pipeline file, whatever its destination lacks.
///
/// # Errors
///
/// When there is no such file, it has mistakes, or a source cannot be opened.
pub fn open_sources(path: &Path, shared: &Shared, terminal: &Terminal) -> Result<Sources, Trouble> {
    open_for_sources(path, shared, terminal)?.sources()
}

/// Reads a pipeline file for the sake of its sources, whatever its destination lacks.
///
/// # Errors
///
/// When there is no such file, or it has mistakes; these were shown then.
pub fn open_for_sources(
    path: &Path,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Opened, Trouble> {
    read(path, shared, true, |path, text, mistakes| {
        let is_grave = |mistake: &&Mistake| mistake.severity == Severity::Error;
        let grave: Vec<Mistake> = mistakes.iter().filter(is_grave).cloned().collect();
        show(path, text, &grave, terminal);
    })
}

/// The pipeline file that a person means by this path.
#[must_use]
pub fn file(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("pipeline.toml")
    } else {
        path.to_owned()
    }
}

/// The folder of a pipeline file.
fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Reads a pipeline file, and has its mistakes shown.
fn read(
    path: &Path,
    shared: &Shared,
    without_secrets: bool,
    show: impl Fn(&Path, &str, &[Mistake]),
) -> Result<Opened, Trouble> {
    let path = file(path);
    let text = std::fs::read(&path).map_err(|error| {
        Trouble::new(
            Exit::Pipeline,
            format!(
                "cannot read the pipeline file {}: {}",
                path.display(),
                reason(&error)
            ),
        )
        .help("name a pipeline file, or a folder that has a pipeline.toml")
    })?;
    let text = String::from_utf8(text).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        Trouble::new(
            Exit::Pipeline,
            format!("{} is not text: byte {byte} is not UTF-8", path.display()),
        )
        .help("save the file as UTF-8")
    })?;
    let overrides = overrides(shared)?;
    let folder = folder(&path);
    let environment = |name: &str| std::env::var(name).ok();
    let reading = Reading {
        environment: &environment,
        folder,
        overrides: &overrides,
        without_secrets,
    };
    let mut connectors = connectors::all();
    if let Some(folder) = &shared.snapshot {
        connectors.stand_in(Box::new(Snapshot::open(folder)?));
    }
    let mut read = chatferry_config::read(&text, &connectors, &reading);
    let written = read
        .pipeline
        .as_ref()
        .and_then(|it| it.attachments.as_ref());
    let attachments = chatferry_attachments::Settings::of(written, &Said::default(), folder);
    read.mistakes.extend(attachments.err().unwrap_or_default());
    show(&path, &text, &read.mistakes);
    let is_grave = |mistake: &Mistake| mistake.severity == Severity::Error;
    match read
        .pipeline
        .filter(|_| !read.mistakes.iter().any(is_grave))
    {
        Some(pipeline) => Ok(Opened {
            path,
            text,
            pipeline,
            snapshot: shared.snapshot.clone(),
        }),
        None => Err(Trouble::shown(Exit::Pipeline)),
    }
}

/// The sources of a pipeline that has nothing else but these sections, each with its name; paths
/// are from where the program was started.
///
/// # Errors
///
/// When a source cannot be opened.
pub fn sources_of(
    sections: &[(&'static str, String)],
    shared: &Shared,
) -> Result<Sources, Trouble> {
    let written = sections.iter().map(|(_, section)| section.as_str());
    let written = written.collect::<Vec<_>>().join("\n");
    let first = sections.first().map_or("none", |(name, _)| name);
    // A pipeline has a destination and a flow; these are never looked at.
    let text = format!(
        "name = \"tables\"\n{written}\n[cometchat]\nbase_url = \"http://127.0.0.1\"\napi_key = \"none\"\n\
         [[flow]]\nentity = \"users\"\nfrom = \"{first}.any\"\nfields = {{ uid = \"1\", name = \"1\" }}\n"
    );
    let reading = Reading {
        environment: &|name| std::env::var(name).ok(),
        folder: Path::new("."),
        overrides: &overrides(shared)?,
        without_secrets: true,
    };
    let read = chatferry_config::read(&text, &connectors::all(), &reading);
    let Some(pipeline) = read.pipeline else {
        let why = read.mistakes.into_iter().map(|mistake| mistake.message);
        let why = why.collect::<Vec<_>>().join("; ");
        return Err(Trouble::new(Exit::Usage, why));
    };
    open_all(&pipeline)
}

/// Sources by name.
pub type Sources = Vec<(String, Arc<dyn Source>)>;

fn open_all(pipeline: &Pipeline<Settings>) -> Result<Sources, Trouble> {
    let open = |source: &NamedSource| Ok((source.name.clone(), open_source(source)?));
    pipeline.sources.iter().map(open).collect()
}

/// Opens a source.
///
/// # Errors
///
/// When it cannot be opened.
pub fn open_source(source: &NamedSource) -> Result<Arc<dyn Source>, Trouble> {
    let opened = source.settings.open()?;
    if let Some(cache) = cache::of_user() {
        opened.keep_in(cache);
    }
    Ok(opened)
}

fn overrides(shared: &Shared) -> Result<Vec<Override>, Trouble> {
    let parsed = shared.set.iter().map(|set| Override::parse(set));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|reason| Trouble::new(Exit::Usage, reason))
}

impl Opened {
    /// Opens the sources.
    ///
    /// # Errors
    ///
    /// When one cannot be opened.
    pub fn sources(&self) -> Result<Sources, Trouble> {
        open_all(&self.pipeline)
    }

    /// Has this file read in the place of standard input; gives the name of the source that reads it.
    ///
    /// # Errors
    ///
    /// When no source reads standard input, or more than one does.
    pub fn give_standard_input(&mut self, file: &Path) -> Result<String, Trouble> {
        let mut names: Vec<String> = Vec::new();
        for source in &mut self.pipeline.sources {
            if let Some(settings) = source.settings.with_standard_input(file) {
                source.settings = settings;
                names.push(source.name.clone());
            }
        }
        match names.as_slice() {
            [name] => Ok(name.clone()),
            [] => Err(Trouble::new(
                Exit::Pipeline,
                format!("no source of {} reads standard input", self.path.display()),
            )
            .help("give a source with `connector = \"singer\"` the setting `path = \"-\"`")),
            names => Err(Trouble::new(
                Exit::Pipeline,
                format!(
                    "{} read standard input, which can be read once",
                    names.join(" and ")
                ),
            )
            .help("one source has all streams of a tap as its tables; leave the others out")),
        }
    }

    /// Plans every flow, to read the sources to their end, and shows every mistake that comes to
    /// light. Sources that are wanted as of one moment are copied for it.
    ///
    /// # Errors
    ///
    /// When a source cannot be opened, described or copied, or the file has mistakes; these were
    /// shown then.
    pub async fn plan(&self, terminal: &Terminal) -> Result<Planned, Trouble> {
        let mut sources = self.pipeline.sources.iter();
        if !sources.any(|source| source.settings.wants_one_moment()) {
            return self.plan_in_place(terminal).await;
        }
        let spool = Spool::fill(self, terminal).await?;
        let mut planned = self.plan_over(spool.sources(self)?, terminal).await?;
        planned.spool = Some(spool);
        Ok(planned)
    }

    /// Plans every flow over the sources as they are now, to look at little or nothing of them,
    /// and shows every mistake that comes to light.
    ///
    /// # Errors
    ///
    /// When a source cannot be opened or described, or the file has mistakes; these were shown then.
    pub async fn plan_in_place(&self, terminal: &Terminal) -> Result<Planned, Trouble> {
        self.plan_over(self.sources()?, terminal).await
    }

    /// Plans every flow over these sources, and shows every mistake that comes to light.
    ///
    /// # Errors
    ///
    /// When a source cannot be described, or the file has mistakes; these were shown then.
    pub async fn plan_over(
        &self,
        sources: Sources,
        terminal: &Terminal,
    ) -> Result<Planned, Trouble> {
        let memory = usize::try_from(self.pipeline.engine.memory).unwrap_or(usize::MAX);
        let engine = Engine::open(
            sources,
            self.pipeline.views.clone(),
            self.pipeline.variables.clone(),
            memory,
            self.pipeline.engine.spill.clone(),
        )
        .await?;
        let mut flows = Vec::with_capacity(self.pipeline.flows.len());
        let mut mistakes: Vec<Mistake> = Vec::new();
        for flow in &self.pipeline.flows {
            match engine.plan(flow, entities::fields(flow.entity)).await {
                Ok(plan) => flows.push((flow.clone(), Arc::new(plan))),
                // A view's mistake comes to light in every flow; once is enough.
                Err(PlanError::Mistakes(found)) => {
                    mistakes.extend(
                        found
                            .into_iter()
                            .filter(|new| !mistakes.contains(new))
                            .collect::<Vec<_>>(),
                    );
                }
                Err(PlanError::Source(error)) => return Err(error.into()),
            }
        }
        if !mistakes.is_empty() {
            show(&self.path, &self.text, &mistakes, terminal);
            let is_table = |mistake: &Mistake| mistake.code == "sql::unknown-table";
            if let Some(folder) = &self.snapshot
                && mistakes.iter().any(is_table)
            {
                let message = format!("{} has only what was copied into it", folder.display());
                return Err(Trouble::new(Exit::Pipeline, message).help(
                    "take a snapshot of the pipeline as it is now, or one with --all-tables",
                ));
            }
            return Err(Trouble::shown(Exit::Pipeline));
        }
        let mut rows = BTreeMap::new();
        for (flow, _) in flows.iter().filter(|(flow, _)| flow.filter.is_none()) {
            let known = engine.rows(&flow.from.text).await?;
            rows.insert(flow.name.clone(), known);
        }
        let understood = format!("{} {:?}", env!("CARGO_PKG_VERSION"), self.pipeline);
        Ok(Planned {
            engine,
            flows,
            rows,
            fingerprint: twox_hash::XxHash3_64::oneshot(understood.as_bytes()),
            spill: self.pipeline.engine.spill.clone(),
            spool: None,
        })
    }

    /// What is said of attachments: in the file, and on the command line, which comes before it.
    ///
    /// # Errors
    ///
    /// When something of it cannot be used; what of it stands in the file was shown then.
    pub fn attachments(
        &self,
        said: &Said,
        terminal: &Terminal,
    ) -> Result<chatferry_attachments::Settings, Trouble> {
        let folder = folder(&self.path);
        let written = self.pipeline.attachments.as_ref();
        chatferry_attachments::Settings::of(written, said, folder).map_err(|mistakes| {
            self.complain(&mistakes, terminal);
            Trouble::shown(Exit::Usage)
        })
    }

    /// Shows mistakes of the file.
    pub fn complain(&self, mistakes: &[Mistake], terminal: &Terminal) {
        show(&self.path, &self.text, mistakes, terminal);
    }

    /// The map of attachments: beside the ledger.
    #[must_use]
    pub fn map(&self, shared: &Shared) -> PathBuf {
        self.ledger(shared).with_extension("attachments")
    }

    /// Where the files are by now that records refer to, if they were or are to be copied.
    ///
    /// # Errors
    ///
    /// When the map of them cannot be read.
    pub async fn copies(&self, shared: &Shared) -> Result<Option<Arc<Copies>>, Trouble> {
        let written = self.pipeline.attachments.as_ref();
        let settings =
            chatferry_attachments::Settings::of(written, &Said::default(), folder(&self.path));
        let settings = settings.map_err(|_| Trouble::shown(Exit::Pipeline))?;
        let copies = Copies::load(&self.map(shared), &settings).await?;
        Ok(copies.map(Arc::new))
    }

    /// Where the ledger is: as told, or beside the file.
    #[must_use]
    pub fn ledger(&self, shared: &Shared) -> PathBuf {
        shared
            .ledger
            .clone()
            .unwrap_or_else(|| self.path.with_extension("ledger"))
    }
}

impl Planned {
    /// The same, for records that say where their files are by now: another pipeline as soon as they
    /// are somewhere else.
    #[must_use]
    pub fn with_files(mut self, copies: Option<&Copies>) -> Self {
        if let Some(copies) = copies {
            let edition = copies.edition().to_le_bytes();
            let seed = self.fingerprint;
            self.fingerprint = twox_hash::XxHash3_64::oneshot_with_seed(seed, &edition);
        }
        self
    }

    /// The flows as the runtime takes them.
    #[must_use]
    pub fn inputs(&self) -> Vec<FlowInput> {
        let input = |(flow, plan): &(Flow, Arc<FlowPlan>)| {
            let plan = Arc::clone(plan);
            FlowInput {
                name: flow.name.clone(),
                entity: flow.entity,
                references: flow.references.clone(),
                open: Box::new(move |since| plan.shape_since(since)),
            }
        };
        self.flows.iter().map(input).collect()
    }

    /// How many rows a flow reads, as far as that is known beforehand.
    #[must_use]
    pub fn rows(&self, flow: &Flow) -> Rows {
        self.rows.get(&flow.name).copied().unwrap_or_default()
    }

    /// How many rows each flow reads, in the order of delivery, where that is known beforehand.
    #[must_use]
    pub fn totals(&self) -> Vec<Option<u64>> {
        let flows = self.in_order().into_iter();
        flows.map(|(flow, _)| self.rows(flow).estimate()).collect()
    }

    /// The flows in the order of delivery.
    #[must_use]
    pub fn in_order(&self) -> Vec<&(Flow, Arc<FlowPlan>)> {
        let of = |entity: Entity| {
            self.flows
                .iter()
                .filter(move |(flow, _)| flow.entity == entity)
        };
        Entity::ALL.into_iter().flat_map(of).collect()
    }
}

/// Shows mistakes, if there are any: errors always, warnings unless it should be quiet.
fn show(path: &Path, text: &str, mistakes: &[Mistake], terminal: &Terminal) {
    let grave = mistakes
        .iter()
        .any(|mistake| mistake.severity == Severity::Error);
    if mistakes.is_empty() || (terminal.quiet() && !grave) {
        return;
    }
    complain(&path.display().to_string(), text, mistakes, terminal);
}

/// Shows mistakes in a text that is called so.
pub fn complain(name: &str, text: &str, mistakes: &[Mistake], terminal: &Terminal) {
    let mut told = chatferry_config::render(
        name,
        text,
        mistakes,
        terminal.width(),
        terminal.color_of_talk(),
        terminal.unicode(),
    );
    if let Some(mistake) = mistakes.first() {
        told.push_str(&format!("more on it: chatferry explain {}\n", mistake.code));
    }
    terminal.complain(&told);
}

/// What the system says, without the number that it adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or(&text)
        .to_lowercase()
}

impl From<MapError> for Trouble {
    fn from(error: MapError) -> Self {
        Self {
            exit: Exit::Ledger,
            message: error.to_string(),
            help: error.help,
        }
    }
}
