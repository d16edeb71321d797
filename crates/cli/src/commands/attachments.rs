//! `attachments`: copies the files that records refer to into a store of the user's own. From then on
//! records say where the copies are.

use std::fmt::Write;
use std::sync::Arc;

use chatferry_attachments::{
    Account, Copying, Ended, Failed, Found, Known, Look, Map, OfHost, Patience, Reason, Said,
    Settings, Summary,
};
use chatferry_cometchat::CometChat;
use chatferry_core::{Destination, Files};
use chrono::Utc;
use futures::StreamExt;
use indicatif::HumanBytes;
use serde_json::{Value, json};

use crate::account::{count, counted, duration};
use crate::args::{AttachmentsArgs, Shared};
use crate::pipeline::{self, Opened};
use crate::progress::Steps;
use crate::signals::listen;
use crate::terminal::{Terminal, indented};
use crate::trouble::{Exit, Trouble};

/// Hosts that are told of one by one.
const HOSTS: usize = 20;

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source, the map or the store cannot be used, or it was stopped
/// before its end.
pub async fn run(
    args: &AttachmentsArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let said = Said {
        to: args.to.clone(),
        public: args.public.clone(),
        root: args.root.clone(),
        per_second: args.per_second,
        at_once: args.at_once,
    };
    let settings = opened.attachments(&said, terminal)?;
    if args.dry_run {
        let known = match Map::read(&opened.map(shared)).await? {
            Some(mut map) => map.known().await?,
            None => Known::default(),
        };
        let found = find(&opened, &settings, known, terminal).await?;
        tell_found(&found, terminal);
        return Ok(Exit::Done);
    }
    let lacking = settings.lacking();
    if !lacking.is_empty() {
        opened.complain(&lacking, terminal);
        return Err(Trouble::shown(Exit::Pipeline));
    }
    // All that can be wrong with the store's address and the map is told before the sources are read.
    let mut map = Map::open(&opened.map(shared)).await?;
    let known = map.known().await?;
    let spill = opened.pipeline.engine.spill.clone();
    let copying = Copying::begin(&settings, map, Patience::default(), spill).await;
    let copying = copying.map_err(|ended| trouble_of(ended).unwrap_or_else(stopped))?;
    let found = find(&opened, &settings, known, terminal).await?;
    terminal.say(&format!(
        "{} to copy into {}",
        counted(found.wanted.len() as u64, "file"),
        settings.to().unwrap_or_default()
    ));
    let mut steps = Steps::new(terminal);
    let (stop, stopping) = chatferry_runtime::stop();
    let listener = listen(stop, steps.voice());
    let mut show = |look: &Look<'_>| steps.show(&|| in_a_line(look));
    let (account, ended) = copying.go(found, stopping, &mut show).await;
    drop(listener);
    steps.finish();
    if terminal.json() {
        terminal.result(&format!("{}\n", as_json(&account, &ended)));
    } else {
        terminal.result(&as_text(&account, terminal));
    }
    if !account.adds_up() {
        return Err(Trouble::new(
            Exit::Fault,
            "the sums do not agree; please report this",
        ));
    }
    if let Some(trouble) = trouble_of(ended) {
        return Err(trouble);
    }
    terminal.next("plan", &args.pipeline.pipeline);
    Ok(match account.lacking() {
        0 => Exit::Done,
        _ => Exit::Undelivered,
    })
}

/// Reads all that the pipeline reads, as `plan` does, and notes the files of the records.
async fn find(
    opened: &Opened,
    settings: &Settings,
    known: Known,
    terminal: &Terminal,
) -> Result<Summary, Trouble> {
    let planned = opened.plan(terminal).await?;
    let found = Arc::new(Found::new(settings, known));
    let files: Arc<dyn Files> = Arc::clone(&found) as _;
    let destination = CometChat::offline(&opened.pipeline.destination).with_files(Some(files));
    let mut steps = Steps::new(terminal);
    let (stop, mut stopping) = chatferry_runtime::stop();
    let listener = listen(stop, steps.voice());
    let now = Utc::now().timestamp();
    let reading = async {
        for (flow, plan) in planned.in_order() {
            let (mut rows, mut read) = (plan.shape(), 0);
            while let Some(shaped) = rows.next().await {
                let shaped = shaped?;
                read += shaped.rows_read();
                // What becomes of the records is for others to tell.
                drop(destination.prepare(flow.entity, &shaped.rows, now));
                steps.show(&|| {
                    format!(
                        "reading {}: {}, {} so far",
                        flow.name,
                        counted(read, "row"),
                        counted(found.count(), "file")
                    )
                });
            }
        }
        Ok::<(), Trouble>(())
    };
    let read = tokio::select! {
        read = reading => read,
        _ = stopping.wait_for(|stopping| *stopping) => {
            Err(stopped())
        }
    };
    drop(listener);
    steps.finish();
    read?;
    Ok(found.finish())
}

fn stopped() -> Trouble {
    let message = "stopped before all files were copied";
    Trouble::new(Exit::Stopped, message).help("run the same command to go on")
}

/// What ended it before its end, if anything did.
fn trouble_of(ended: Ended) -> Option<Trouble> {
    match ended {
        Ended::Complete => None,
        Ended::Stopped => Some(stopped()),
        Ended::Map(error) => Some(error.into()),
        Ended::Store(error) => {
            let mut trouble = Trouble::from(error);
            if trouble.exit == Exit::Source {
                trouble.exit = Exit::Destination;
            }
            if trouble.exit == Exit::Pipeline {
                trouble.exit = Exit::Usage;
            }
            Some(trouble)
        }
    }
}

fn in_a_line(look: &Look<'_>) -> String {
    let account = look.account;
    let mut line = format!(
        "copying files: {} of {}, {}",
        count(account.done()),
        count(account.found),
        HumanBytes(account.bytes)
    );
    let failed = account.lacking() - account.pending;
    if failed > 0 {
        let _ = write!(line, ", {} failed", count(failed));
    }
    if let Some((host, wait)) = &look.held {
        let _ = write!(line, "; {host} wants us to wait {}", duration(*wait));
    }
    line
}

/// The lines of the account: what, and how many.
fn lines(account: &Account) -> [(&'static str, u64); 7] {
    let of = |failed: &std::collections::BTreeMap<Reason, Failed>| -> u64 {
        failed.values().map(|failed| failed.files).sum()
    };
    [
        ("copied before", account.there),
        ("copied", account.copied),
        ("same contents as another", account.same),
        ("left where they are", account.kept),
        ("failed", of(&account.failed)),
        ("not asked for", of(&account.given_up)),
        ("still to come", account.pending),
    ]
}

fn as_text(account: &Account, terminal: &Terminal) -> String {
    let mut text = String::new();
    let title = format!("{:>9}  files that records refer to", count(account.found));
    let _ = writeln!(text, "{}", terminal.bold(&title));
    for (what, files) in lines(account).into_iter().filter(|(_, files)| *files > 0) {
        let _ = write!(text, "{:>9}  {what}", count(files));
        if what == "copied" {
            let _ = write!(text, ", {}", HumanBytes(account.bytes));
        }
        text.push('\n');
    }
    let failed = account.failed.iter().map(|it| ("failed", it));
    let given_up = account.given_up.iter().map(|it| ("not asked for", it));
    let failed: Vec<_> = failed.chain(given_up).collect();
    if failed.is_empty() {
        return text;
    }
    let _ = writeln!(text, "\n{}", terminal.bold("not copied"));
    for (what, (reason, failed)) in failed {
        let why = match what {
            "failed" => format!("{}: {}", reason.name(), reason.meaning()),
            _ => format!(
                "{}: its host failed on so many files that it was left alone",
                reason.name()
            ),
        };
        let _ = writeln!(text, "{:>9}  {why}", count(failed.files));
        text.push_str(&indented(reason.advice(), 11));
        for example in &failed.examples {
            let _ = writeln!(text, "             {} ({})", example.shown, example.detail);
        }
    }
    text
}

fn as_json(account: &Account, ended: &Ended) -> Value {
    let reasons = |failed: &std::collections::BTreeMap<Reason, Failed>| {
        let reason = |(reason, failed): (&Reason, &Failed)| {
            let examples = failed.examples.iter();
            let examples = examples.map(|it| json!({ "url": it.shown, "detail": it.detail }));
            json!({
                "reason": reason.name(), "files": failed.files, "meaning": reason.meaning(),
                "remedy": reason.advice(), "examples": examples.collect::<Vec<_>>(),
            })
        };
        failed.iter().map(reason).collect::<Vec<_>>()
    };
    json!({
        "ended": match ended {
            Ended::Complete => "complete",
            Ended::Stopped => "stopped",
            Ended::Store(_) | Ended::Map(_) => "failed",
        },
        "addsUp": account.adds_up(),
        "found": account.found, "copiedBefore": account.there, "copied": account.copied,
        "bytes": account.bytes, "sameContents": account.same, "left": account.kept,
        "failed": reasons(&account.failed), "notAskedFor": reasons(&account.given_up),
        "pending": account.pending,
    })
}

/// Tells what there is to copy.
fn tell_found(found: &Summary, terminal: &Terminal) {
    let sum = |of: fn(&OfHost) -> u64| -> u64 { found.hosts.values().map(of).sum() };
    let (wanted, there, kept) = (sum(|it| it.wanted), sum(|it| it.there), sum(|it| it.kept));
    let mut hosts: Vec<_> = found.hosts.iter().collect();
    hosts.sort_by_key(|(_, of)| std::cmp::Reverse(of.wanted + of.there + of.kept));
    if terminal.json() {
        let hosts = hosts.iter().map(|(host, of)| {
            json!({ "host": host, "toCopy": of.wanted, "copiedBefore": of.there, "left": of.kept })
        });
        let hosts: Vec<_> = hosts.collect();
        let told = json!({
            "found": wanted + there + kept, "toCopy": wanted, "copiedBefore": there, "left": kept,
            "hosts": hosts,
        });
        terminal.result(&format!("{told}\n"));
        return;
    }
    let width = hosts
        .iter()
        .take(HOSTS)
        .map(|(host, _)| host.chars().count());
    let width = width.max().unwrap_or(0).max("host".len());
    let line = |cells: [&str; 4]| {
        let [host, wanted, there, kept] = cells;
        format!("{host:<width$}  {wanted:>9}  {there:>13}  {kept:>9}")
    };
    let of = |host: &str, of: &OfHost| {
        line([host, &count(of.wanted), &count(of.there), &count(of.kept)])
    };
    let mut text = String::new();
    let title = line(["host", "to copy", "copied before", "left"]);
    let _ = writeln!(text, "{}", terminal.bold(&title));
    for (host, files) in hosts.iter().take(HOSTS) {
        let _ = writeln!(text, "{}", of(host, files));
    }
    if hosts.len() > HOSTS {
        let rest = counted((hosts.len() - HOSTS) as u64, "more host");
        let _ = writeln!(text, "and {rest}");
    }
    let all = OfHost {
        wanted,
        there,
        kept,
    };
    let _ = writeln!(text, "{}", of("all", &all));
    terminal.result(&text);
}
