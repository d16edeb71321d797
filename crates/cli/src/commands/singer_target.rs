//! `singer-target`: delivers what a Singer tap writes into standard input.
//!
//! All of it is read into a private file first, since a tap gives its streams in an order of its
//! own, and users must be there before their messages. The last STATE is printed when all of that
//! is settled, and the file goes away; when it is not, the file stays for `--resume`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_core::{Destination, SourceError, SourceErrorKind};
use chatferry_ledger::Ledger;
use chatferry_runtime::{Again, Ended, Finished, waiting};
use chatferry_singer::messages::{self, Messages};
use serde_json::{Map, Value};

use crate::account::{count, counted};
use crate::args::{Shared, SingerTargetArgs};
use crate::commands::run::{About, Shown, end, go, show, tell};
use crate::lineage;
use crate::live;
use crate::pipeline::{self, Opened};
use crate::report::Page;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// What it is called on pages.
const TITLE: &str = "Singer target";

/// Runs the command. Standard output is for the STATE, so the terminal's results are talk.
///
/// # Errors
///
/// Those of `run`; and when standard input is no tap's output or cannot be kept.
pub async fn run(
    args: &SingerTargetArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let told = Told::of(args, shared)?;
    let shared = &told.shared;
    let mut opened = pipeline::open(&told.pipeline, shared, terminal, false)?;
    let spool = beside(&opened.ledger(shared));
    let source = opened.give_standard_input(&spool)?;
    let name = &opened.pipeline.name;
    let live = live::Page::open(&args.listen, TITLE, name, terminal).await?;
    let target = Target {
        args,
        shared,
        terminal,
        opened: &opened,
        live: &live,
        spool: &spool,
        source: &source,
        pipeline: &told.pipeline,
    };
    let ended = target.deliver().await;
    live.close(&ended).await;
    ended
}

/// Where what was read lies until it is settled: beside the ledger.
fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push("-input");
    name.into()
}

/// What is delivered how.
struct Target<'a> {
    args: &'a SingerTargetArgs,
    shared: &'a Shared,
    terminal: &'a Terminal,
    opened: &'a Opened,
    live: &'a live::Page,
    spool: &'a Path,
    source: &'a str,
    pipeline: &'a Path,
}

impl Target<'_> {
    async fn deliver(&self) -> Result<Exit, Trouble> {
        let (terminal, opened) = (self.terminal, self.opened);
        let mut page = self.args.report.as_deref().map(Page::begin).transpose()?;
        let copies = opened.copies(self.shared).await?;
        let destination = super::connect(&opened.pipeline.destination, copies.as_ref())?;
        let destination: Arc<dyn Destination> = Arc::new(destination);
        // Whoever holds the ledger holds what was read beside it, too.
        let mut ledger = Ledger::open(&opened.ledger(self.shared)).await?;
        lineage::go_on(opened, &mut ledger, self.args.accept_changes, terminal).await?;
        let messages = self.messages().await?;
        self.say_what_was_read(&messages);
        if messages.records.is_empty() {
            ledger.close().await?;
            return self.nothing(&messages);
        }
        let planned = opened.plan(terminal).await?.with_files(copies.as_deref());
        self.say_what_is_not_read(&messages);
        let shown = Shown {
            terminal,
            live: self.live,
        };
        let (mut finished, pace) =
            go(&planned, destination, ledger, Again::Arrivals, shown).await?;
        // It reads the file.
        drop(planned);
        show(&finished, terminal);
        if let Some(page) = &mut page {
            let about = About {
                title: TITLE,
                pipeline: &opened.pipeline.name,
                for_real: None,
            };
            tell(page, about, &mut finished, &pace, terminal).await?;
        }
        self.live.ended(&finished.ended, &finished.account, None);
        let acknowledged = self.acknowledge(&finished, &messages);
        let Finished {
            account,
            ended,
            ledger,
            ..
        } = finished;
        ledger.close().await?;
        acknowledged?;
        let exit = end(&ended, &account)?;
        if messages.broken_off {
            let message = "standard input ended in the midst of a message: the tap broke off";
            return Err(Trouble::new(Exit::Source, message).help(
                "what came before was delivered; put right what stopped the tap, and run it again \
                 from the last STATE that was printed",
            ));
        }
        Ok(exit)
    }

    /// What there is to deliver: what comes on standard input, or what came before.
    async fn messages(&self) -> Result<Messages, Trouble> {
        let spool = self.spool.to_owned();
        if self.args.resume {
            if !spool.exists() {
                let message = "there is nothing to go on with: what was read before is settled";
                return Err(Trouble::new(Exit::Usage, message)
                    .help("leave --resume out, and pipe a tap into it"));
            }
            return Ok(blocking(move || messages::look(&spool)).await?);
        }
        if std::io::stdin().is_terminal() {
            let message = "standard input is a terminal, and no tap";
            return Err(Trouble::new(Exit::Usage, message).help(
                "pipe a tap into it: `some-tap --config tap.json | chatferry singer-target \
                 pipeline.toml`",
            ));
        }
        Ok(blocking(move || messages::spool(std::io::stdin().lock(), &spool)).await?)
    }

    fn say_what_was_read(&self, messages: &Messages) {
        let records = messages.records.values().sum();
        self.terminal.say(&format!(
            "{} of {}, {} bytes: {}",
            counted(records, "record"),
            counted(messages.records.len() as u64, "stream"),
            count(messages.bytes),
            self.spool.display(),
        ));
    }

    /// What is done where no stream came.
    fn nothing(&self, messages: &Messages) -> Result<Exit, Trouble> {
        if messages.state.is_none() {
            // There is nothing in it.
            let _ = std::fs::remove_file(self.spool);
            let message = "nothing came on standard input: no SCHEMA and no STATE";
            return Err(Trouble::new(Exit::Source, message)
                .help("did the tap start? what it says of that stands on its standard error"));
        }
        self.settled(messages)?;
        Ok(Exit::Done)
    }

    /// Says which streams no flow reads: nobody would notice.
    fn say_what_is_not_read(&self, messages: &Messages) {
        let read = self.opened.pipeline.lineages();
        let reads = |table: &String| {
            let table = format!("{}.{table}", self.source);
            read.iter().any(|flow| flow.reads.contains(&table))
        };
        // Where streams are tables by other names, somebody has looked at each of them.
        let named = read
            .iter()
            .flat_map(|flow| &flow.reads)
            .filter_map(|table| table.strip_prefix(self.source)?.strip_prefix('.'))
            .all(|table| messages.records.contains_key(table));
        let given = messages.records.iter().filter(|(_, records)| **records > 0);
        let unread = given.filter(|(name, _)| named && !reads(name));
        for (stream, records) in unread {
            self.terminal.say(&format!(
                "no flow reads the stream `{stream}`, which has {}",
                counted(*records, "record")
            ));
        }
    }

    /// Gives the STATE on when all before it is settled, and lets go of what was read.
    fn acknowledge(&self, finished: &Finished, messages: &Messages) -> Result<(), Trouble> {
        let waiting: u64 = finished.account.flows.iter().map(waiting).sum();
        let complete = matches!(finished.ended, Ended::Complete) && finished.account.adds_up();
        if !complete || waiting > 0 {
            let why = match complete {
                true => format!(
                    "{} {} to somebody who is not delivered",
                    counted(waiting, "row"),
                    if waiting == 1 { "refers" } else { "refer" }
                ),
                false => "not all of it is settled".to_owned(),
            };
            self.terminal
                .say(&format!("no STATE is printed, since {why}"));
            self.terminal
                .say(&format!("what was read stays in {}", self.spool.display()));
            self.terminal
                .say("the tap gives it again when it runs again; to go on without it, type:");
            self.terminal.say(&format!(
                "  chatferry singer-target {} --resume",
                self.pipeline.display()
            ));
            return Ok(());
        }
        self.settled(messages)
    }

    /// Prints the STATE, and lets go of what was read before it.
    fn settled(&self, messages: &Messages) -> Result<(), Trouble> {
        if let Some(state) = &messages.state {
            let mut out = std::io::stdout().lock();
            let printed = writeln!(out, "{state}").and_then(|()| out.flush());
            printed.map_err(|error| {
                let message = format!("cannot print the STATE: {}", error.kind());
                Trouble::new(Exit::Stopped, message).help(
                    "all before it is settled; when the tap runs again from an older STATE, what \
                     it gives again is left out",
                )
            })?;
        }
        std::fs::remove_file(self.spool).map_err(|error| {
            let path = self.spool.display();
            let message = format!("cannot remove {path}: {}", error.kind());
            Trouble::new(Exit::Fault, message)
                .help("it is settled and not needed any more; remove it by hand")
        })
    }
}

/// Does what blocks on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        let reason = "chatferry has a fault";
        let error = SourceError::new(SourceErrorKind::Failed, "read standard input", reason);
        Err(error.help("please report it with what was printed above"))
    })
}

/// Which pipeline, and with which values: as the arguments and the config say.
struct Told {
    pipeline: PathBuf,
    shared: Shared,
}

/// What a config may have.
const KEYS: &str = "`pipeline` and `set`";

impl Told {
    fn of(args: &SingerTargetArgs, shared: &Shared) -> Result<Self, Trouble> {
        let mut config = match &args.config {
            Some(path) => config(path)?,
            None => Map::new(),
        };
        let wrong = |reason: String| {
            let path = args.config.as_deref().unwrap_or(Path::new("")).display();
            let help = format!("it is a JSON object with {KEYS}, the latter with what --set takes");
            Trouble::new(Exit::Usage, format!("cannot use {path}: {reason}")).help(help)
        };
        let named = match config.remove("pipeline") {
            None => None,
            Some(Value::String(path)) => Some(PathBuf::from(path)),
            Some(_) => return Err(wrong("its `pipeline` is no text".to_owned())),
        };
        let mut shared = shared.clone();
        match config.remove("set") {
            None => {}
            Some(Value::Object(set)) => {
                let mut values = Vec::with_capacity(set.len());
                for (path, value) in set {
                    flatten(&path, value, &mut values).map_err(&wrong)?;
                }
                // What is typed counts more.
                shared.set.splice(..0, values);
            }
            Some(_) => return Err(wrong("its `set` is no object".to_owned())),
        }
        if let Some(key) = config.keys().next() {
            return Err(wrong(format!("it has `{key}`, which means nothing here")));
        }
        let pipeline = args.pipeline.clone().or(named);
        let pipeline = pipeline.ok_or_else(|| wrong("it names no `pipeline`".to_owned()))?;
        Ok(Self { pipeline, shared })
    }
}

/// Takes values apart that stand within each other, which is how some runners write dotted names.
fn flatten(path: &str, value: Value, values: &mut Vec<String>) -> Result<(), String> {
    match value {
        Value::Object(inner) => {
            for (name, value) in inner {
                flatten(&format!("{path}.{name}"), value, values)?;
            }
        }
        Value::Array(_) | Value::Null => {
            return Err(format!(
                "the value of `{path}` is none of a text, a number, true and false"
            ));
        }
        value => values.push(format!("{path}={value}")),
    }
    Ok(())
}

fn config(path: &Path) -> Result<Map<String, Value>, Trouble> {
    let read = std::fs::read(path).map_err(|error| error.kind().to_string());
    let parsed = read.and_then(|text| {
        serde_json::from_slice(&text).map_err(|error| {
            format!(
                "it is no JSON object: line {}, column {}",
                error.line(),
                error.column()
            )
        })
    });
    parsed.map_err(|reason| {
        Trouble::new(
            Exit::Usage,
            format!("cannot read {}: {reason}", path.display()),
        )
        .help(format!("it is a JSON object with {KEYS}"))
    })
}
