//! `init`: looks at a chat that nobody has described, and drafts a pipeline for it.

use std::io::{ErrorKind, IsTerminal, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use chatferry_core::source::{Scan, Source, SourceError};
use chatferry_draft::{
    BEGINNING, Chosen, Document, KNOWN, Place, Reason, Role, Seen, System, candidates, propose,
};
use chatferry_files::{Address, Root, Template};
use chatferry_report::words::shortened;
use dialoguer::Select;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use futures::StreamExt;
use serde_json::json;

use crate::args::{InitArgs, Shared};
use crate::commands::tables::{kinds, section};
use crate::pipeline;
use crate::progress::Steps;
use crate::terminal::{Terminal, indented};
use crate::trouble::{Exit, Trouble};

/// Rows of a table that are looked at: enough to see what its columns hold.
const ROWS: usize = 1_000;
/// The variable that a database's URL is read from.
const URL: &str = "LEGACY_DATABASE_URL";

/// Runs the command.
///
/// # Errors
///
/// When there is no such source, nothing in it looks like messages, or the file is there already.
pub async fn run(args: &InitArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let file = args.output.as_path();
    if file.symlink_metadata().is_ok() {
        return Err(is_there(file));
    }
    let Some(kinds) = kinds(&args.source) else {
        let message = format!("{} is nothing that can be looked at", args.source);
        return Err(Trouble::new(Exit::Usage, message).help(
            "name the URL of a database, a file, or a folder or an archive of files; a pipeline is \
             written already",
        ));
    };
    let sections = |value: &str| -> Vec<(&'static str, String)> {
        let is_one = kinds.len() == 1;
        let kinds = kinds.iter().map(|(connector, key)| {
            let name = if is_one { "legacy" } else { connector };
            let mut text = section(name, connector, key, value);
            if *connector == "mysql" {
                // Whoever has dates of zeros means that there is none.
                text.push_str("zero_dates = \"null\"\n");
            }
            (name, text)
        });
        kinds.collect()
    };
    let sources = pipeline::sources_of(&sections(&args.source), shared)?;
    // Looking at tables reads files to their ends, which these tell from their beginnings.
    let documents = match kinds[0].1 {
        "root" => documents(&args.source).await?,
        _ => Vec::new(),
    };
    let by_documents = chatferry_draft::recognised_by(&documents);
    let mut seen = match by_documents {
        Some(_) => Vec::new(),
        None => look(&sources, terminal).await?,
    };
    let where_it_is = Where::of(&args.source, file)?;
    let connectors: Vec<&str> = kinds.iter().map(|(connector, _)| *connector).collect();

    let asks = !args.yes && !terminal.json() && std::io::stdin().is_terminal();
    let asks = asks && std::io::stderr().is_terminal();
    let recognised = by_documents.or_else(|| chatferry_draft::recognised(&seen, &connectors));
    let system = system(args, recognised, asks.then_some(terminal))?;
    if system.is_none() && by_documents.is_some() {
        seen = look(&sources, terminal).await?;
    }
    let (text, draft) = match system {
        Some(system) => (system.pipeline(&where_it_is.written, &connectors), None),
        None => {
            let chosen = choose(args, &seen, asks.then_some(terminal))?;
            let chat = propose(&seen, &chosen).ok_or_else(|| nothing(&seen))?;
            let used: Vec<&str> = chat.tables();
            let used = |name: &str| {
                let of = format!("{name}.");
                used.iter().any(|table| table.starts_with(&of))
            };
            let sections = sections(&where_it_is.written).into_iter();
            let sections = sections
                .filter(|(name, _)| used(name))
                .map(|(_, text)| text);
            let place = Place {
                name: name_of(&args.source),
                sections: sections.collect::<Vec<_>>().join("\n"),
            };
            let text = chatferry_draft::written(&chat, &place);
            (text, Some((chat.reasons, chat.open)))
        }
    };
    write(file, &text)?;
    tell(file, system, draft.as_ref(), terminal);

    // What a person sees of the variable is not there yet; the URL that was given is as good.
    let mut shared = shared.clone();
    if where_it_is.is_secret {
        shared.set.push(format!(
            "{}.{}={}",
            source_of(&text),
            kinds[0].1,
            args.source
        ));
    }
    let opened = pipeline::open_for_sources(file, &shared, terminal)?;
    opened.plan_in_place(terminal).await?;
    where_it_is.tell(&args.source, terminal);
    let path = file.display();
    terminal.say(&format!(
        "{path} passes `chatferry check`; read it, and then"
    ));
    terminal.say(&format!("  chatferry rehearse {path}"));
    Ok(Exit::Done)
}

/// The section of the one source that a pipeline has: `sources.legacy`.
fn source_of(text: &str) -> &str {
    let line = text.lines().find(|line| line.starts_with("[sources."));
    line.map_or("sources.legacy", |line| {
        line.trim().trim_matches(['[', ']'])
    })
}

/// Describes all tables, and reads the beginning of each.
async fn look(sources: &pipeline::Sources, terminal: &Terminal) -> Result<Vec<Seen>, Trouble> {
    let mut steps = Steps::new(terminal);
    let mut seen = Vec::new();
    for (name, source) in sources {
        for table in source.tables().await? {
            let full = format!("{name}.{table}");
            steps.show(&|| format!("looking at {full}"));
            match beginning(source, &full, &table).await {
                Ok(table) => seen.push(table),
                Err(error) => steps.voice().say(&format!("{full} is left out: {error}")),
            }
        }
    }
    steps.finish();
    Ok(seen)
}

async fn beginning(source: &Arc<dyn Source>, full: &str, table: &str) -> Result<Seen, SourceError> {
    let described = source.describe(table).await?;
    let columns = (0..described.schema.fields().len()).collect();
    let mut scan = Scan::of(Arc::clone(&described), columns, ROWS);
    scan.limit = Some(ROWS);
    let mut batches = source.scan(scan);
    let (mut rows, mut looked_at) = (Vec::new(), 0);
    while looked_at < ROWS
        && let Some(batch) = batches.next().await
    {
        let batch = batch?.rows;
        looked_at += batch.num_rows();
        rows.push(batch);
    }
    Ok(Seen::of(full, &described, &rows))
}

/// Documents that are looked at.
const DOCUMENTS: usize = 50;

/// The beginnings of the JSON files in a folder or an archive.
async fn documents(place: &str) -> Result<Vec<Document>, Trouble> {
    let place = place.to_owned();
    let look = move || -> Result<Vec<Document>, SourceError> {
        let Ok(address) = Address::parse(&place, Path::new(".")) else {
            return Ok(Vec::new());
        };
        let root = Root::open(&address)?;
        let every = Template::parse("**/*.json").expect("a sound pattern");
        let Ok(listing) = root.list(&every) else {
            // There are none.
            return Ok(Vec::new());
        };
        let mut opener = root.opener()?;
        let mut documents = Vec::new();
        for file in listing.files.iter().take(DOCUMENTS) {
            let mut beginning = Vec::new();
            let opened = opener.open(file)?;
            // What cannot be read is told when it is read for its rows.
            if opened.take(BEGINNING).read_to_end(&mut beginning).is_ok() {
                documents.extend(Document::of(&file.name, &beginning));
            }
        }
        Ok(documents)
    };
    let looked = tokio::task::spawn_blocking(look).await;
    Ok(looked.map_err(|error| Trouble::new(Exit::Fault, error.to_string()))??)
}

/// The system that it is of, if somebody said so or it is recognised.
fn system(
    args: &InitArgs,
    recognised: Option<&'static System>,
    asks: Option<&Terminal>,
) -> Result<Option<&'static System>, Trouble> {
    let by_name = |name: &str| KNOWN.iter().find(|system| system.name == name);
    if let Some(name) = &args.system {
        if name == "none" {
            return Ok(None);
        }
        return match by_name(name) {
            Some(system) => Ok(Some(system)),
            None => {
                let known: Vec<&str> = KNOWN.iter().map(|system| system.name).collect();
                let message = format!("there is no ready-made pipeline for {name}");
                let help = format!("there are {}; `none` drafts one", known.join(", "));
                Err(Trouble::new(Exit::Usage, message).help(help))
            }
        };
    }
    let is_said = Role::ALL.into_iter().any(|role| args.table(role).is_some());
    let system = recognised.filter(|_| !is_said);
    match (system, asks) {
        (Some(system), Some(terminal)) => {
            let question = format!("This looks like {}", system.about);
            let answers = [
                format!("use the ready-made pipeline {}", system.name),
                "draft one from its tables".to_owned(),
            ];
            let answer = ask(terminal, &question, &answers)?;
            Ok((answer == 0).then_some(system))
        }
        (system, _) => Ok(system),
    }
}

/// The tables that somebody chose.
fn choose(args: &InitArgs, seen: &[Seen], asks: Option<&Terminal>) -> Result<Chosen, Trouble> {
    let mut chosen = Chosen::default();
    for role in Role::ALL {
        if let Some(said) = args.table(role) {
            let table = match said {
                "none" => None,
                name => Some(table(seen, name)?),
            };
            chosen.choose(role, table);
        } else if let Some(terminal) = asks {
            let found = candidates(role, seen);
            let mut answers: Vec<(Option<String>, String)> = Vec::new();
            for one in &found {
                answers.push((
                    Some(one.table.clone()),
                    format!("{} ({})", one.table, one.why),
                ));
            }
            if role != Role::Messages {
                answers.push((None, "none: made of who wrote what where".into()));
            }
            let is_found = |table: &&Seen| found.iter().any(|one| one.table == table.name);
            for table in seen.iter().filter(|table| !is_found(table)) {
                answers.push((Some(table.name.clone()), table.name.clone()));
            }
            let texts: Vec<String> = answers.iter().map(|(_, text)| text.clone()).collect();
            let answer = ask(terminal, &format!("Which table has {role}?"), &texts)?;
            chosen.choose(role, answers.swap_remove(answer).0);
        }
    }
    Ok(chosen)
}

fn table(seen: &[Seen], name: &str) -> Result<String, Trouble> {
    let is_it = |table: &&Seen| table.name == name || table.short() == name;
    seen.iter()
        .find(is_it)
        .map(|table| table.name.clone())
        .ok_or_else(|| {
            let known: Vec<&str> = seen.iter().map(Seen::short).collect();
            Trouble::new(Exit::Usage, format!("there is no table called {name}")).help(format!(
                "there are {}; `none` says that no table has them",
                known.join(", ")
            ))
        })
}

fn ask(terminal: &Terminal, question: &str, answers: &[String]) -> Result<usize, Trouble> {
    let theme: &dyn Theme = match terminal.color_of_talk() {
        true => &ColorfulTheme::default(),
        false => &SimpleTheme,
    };
    // Answers are taken away line by line: one that is wrapped would leave a line behind.
    let room = terminal.width().saturating_sub(4);
    let answers = answers.iter().map(|answer| shortened(answer, room));
    let select = Select::with_theme(theme)
        .with_prompt(question)
        .items(answers)
        .default(0);
    let stopped = || Trouble::new(Exit::Stopped, "stopped before anything was written");
    match select.interact_opt() {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(stopped()),
        Err(error) => Err(stopped().help(format!("{error}; `--yes` asks nothing"))),
    }
}

fn nothing(seen: &[Seen]) -> Trouble {
    let message = match seen {
        [] => "there are no tables in it".to_owned(),
        _ => "none of its tables looks like messages: each needs a column of text".to_owned(),
    };
    Trouble::new(Exit::Source, message)
        .help("`chatferry tables` shows what there is; `--messages TABLE` says which has them")
}

/// How the file says where the chat is.
struct Where {
    written: String,
    /// Whether it may hold a password, and so stands in a variable.
    is_secret: bool,
}

impl Where {
    fn of(source: &str, file: &Path) -> Result<Self, Trouble> {
        if let Some((scheme, rest)) = source.split_once("://") {
            let authority = rest.split('/').next().unwrap_or(rest);
            let is_database = !["http", "https", "s3", "gs", "az", "file"].contains(&scheme);
            let is_secret = is_database || authority.contains('@') || rest.contains('?');
            let written = match is_secret {
                true => format!("${{{URL}}}"),
                false => source.to_owned(),
            };
            return Ok(Self { written, is_secret });
        }
        let beside = file
            .parent()
            .is_none_or(|folder| folder.as_os_str().is_empty());
        let path = match beside {
            true => source.to_owned(),
            // A path in a pipeline begins in its folder.
            false => {
                let path = std::path::absolute(source);
                let path = path.map_err(|error| Trouble::new(Exit::Usage, error.to_string()))?;
                path.display().to_string()
            }
        };
        Ok(Self {
            written: path,
            is_secret: false,
        })
    }

    fn tell(&self, source: &str, terminal: &Terminal) {
        if self.is_secret {
            let shown = without_password(source);
            terminal
                .say("no password is in the file: it reads the URL from a variable, so first type");
            terminal.say(&format!("  export {URL}='{shown}'"));
        }
    }
}

/// A URL whose password, if it has one, a person has to type again.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let rest = rest.split('?').next().unwrap_or(rest);
    match rest.rsplit_once('@') {
        Some((who, place)) => {
            let user = who.split(':').next().unwrap_or_default();
            let password = if who.contains(':') { ":PASSWORD" } else { "" };
            format!("{scheme}://{user}{password}@{place}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

/// What to call a pipeline for it.
fn name_of(source: &str) -> String {
    let plain = without_password(source);
    let last = plain
        .trim_end_matches('/')
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default();
    let stem = last.split('.').next().unwrap_or_default().to_lowercase();
    let letters = stem.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    });
    let name: String = letters.collect();
    match name.trim_matches('-') {
        "" => "legacy".into(),
        name => name.to_owned(),
    }
}

fn is_there(file: &Path) -> Trouble {
    let message = format!("{} is there already", file.display());
    Trouble::new(Exit::Usage, message)
        .help("name another file with `-o`; a file is never written over")
}

fn write(file: &Path, text: &str) -> Result<(), Trouble> {
    let written =
        std::fs::File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(file),
        _ => {
            let message = format!("cannot write {}: {error}", file.display());
            Trouble::new(Exit::Usage, message)
                .help("name a file in a folder that is there with `-o`")
        }
    })
}

fn tell(
    file: &Path,
    system: Option<&System>,
    draft: Option<&(Vec<Reason>, Vec<String>)>,
    terminal: &Terminal,
) {
    let (reasons, open) = draft.map_or((&[][..], &[][..]), |(reasons, open)| (reasons, open));
    if terminal.json() {
        let reasons = reasons.iter().map(
            |reason| json!({ "about": reason.about, "choice": reason.choice, "why": reason.why }),
        );
        let told = json!({
            "file": file.display().to_string(),
            "system": system.map(|system| system.name),
            "decisions": reasons.collect::<Vec<_>>(),
            "open": open,
        });
        terminal.result(&format!("{told}\n"));
        return;
    }
    let mut text = String::new();
    if let Some(system) = system {
        text = format!(
            "this is {}: {} is the ready-made pipeline {}; `--system none` drafts one instead\n",
            system.about,
            file.display(),
            system.name
        );
    }
    for reason in reasons {
        let line = format!("{}: {}", reason.about, reason.choice);
        text.push_str(&terminal.bold(&line));
        text.push('\n');
        text.push_str(&indented(&reason.why, 4));
    }
    if !open.is_empty() {
        text.push_str(&format!("{}\n", terminal.bold("to look at")));
        for open in open {
            text.push_str(&indented(open, 4));
        }
    }
    terminal.result(&text);
}
